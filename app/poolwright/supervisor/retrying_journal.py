"""A journal that retries while its disk is full or another program locks it; the pool pauses meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ParamSpec, TypeVar

import anyio

from poolwright.domain.errors import DiskFullError, LockedError, TemporarilyUnavailableError
from poolwright.domain.ids import BatchId, TaskId, WorkerRef
from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.domain.ports import Accepted, Journal
from poolwright.domain.state_machine import Transition
from poolwright.domain.storage import trouble_told
from poolwright.domain.tasks import OrderList, POTask, Report, TaskRecord
from poolwright.supervisor.policy.events import (
    JournalFull,
    JournalLocked,
    PauseEnded,
    PoolInput,
    StorageUnavailable,
    TasksCancelled,
)
from poolwright.supervisor.policy.pauses import PauseReason

#: Between two tries to use a journal that is full or locked.
RETRY_INTERVAL_S = 5.0

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class RetryingJournal:
    """``Journal`` around another one: no full disk and no lock lets it fail, but what needs an answer at the end."""

    journal: Journal
    report: Callable[[PoolInput], None]
    #: Set when the pool ends: then a full or locked journal is an error like any other, for nobody can wait any more.
    ending: anyio.Event
    #: Changes that could not be written before the end. The next start takes their orders up again.
    unwritten_count: int = 0
    #: Whether another program had the journal locked at the last try.
    is_locked: bool = False

    @property
    def loss(self) -> str:
        """What could not be written before the end, in words; empty when all was."""
        if not self.unwritten_count:
            return ""
        lost = f"The journal is locked or its disk is full: {self.unwritten_count} change(s) were not written."
        return f"{lost} The next start processes those orders again."

    async def accept(self, orders: OrderList) -> Accepted:
        """See ``Journal``."""
        return await self._retry(self.journal.accept, orders)

    async def add(self, batch_id: BatchId, tasks: Sequence[POTask]) -> int:
        """See ``Journal``."""
        return await self._retry(self.journal.add, batch_id, tasks)

    async def recover(self, max_attempts: int) -> int:
        """See ``Journal``."""
        return await self._retry(self.journal.recover, max_attempts)

    async def reopen(self, task_ids: Collection[TaskId]) -> int:
        """See ``Journal``."""
        return await self._retry(self.journal.reopen, task_ids)

    async def cancel(self, task_id: TaskId) -> bool:
        """See ``Journal``."""
        is_cancelled = await self._retry(self.journal.cancel, task_id)
        if is_cancelled:
            self.report(TasksCancelled(task_ids=(task_id,)))
        return is_cancelled

    async def cancel_all(self, task_ids: Collection[TaskId]) -> Sequence[TaskId]:
        """See ``Journal``."""
        cancelled = tuple(await self._retry(self.journal.cancel_all, task_ids))
        if cancelled:
            self.report(TasksCancelled(task_ids=cancelled))
        return cancelled

    async def fetch(self, batch_id: BatchId, limit: int) -> Sequence[POTask]:
        """See ``Journal``; none at the end."""
        try:
            return await self._retry(self.journal.fetch, batch_id, limit)
        except TemporarilyUnavailableError:
            return ()

    async def start(self, task_id: TaskId, worker: WorkerRef) -> POTask:
        """See ``Journal``."""
        return await self._retry(self.journal.start, task_id, worker)

    async def give_back(
        self, task_id: TaskId, why: Reason | ReturnReason, *, detail: str, delay_s: float, is_attempt_spent: bool
    ) -> None:
        """See ``Journal``."""

        async def give_back() -> None:
            await self.journal.give_back(
                task_id, why, detail=detail, delay_s=delay_s, is_attempt_spent=is_attempt_spent
            )

        await self._retry_or_drop(give_back)

    async def count_death(self, task_id: TaskId) -> int:
        """See ``Journal``; 0 when it could not be written before the end."""
        counts: list[int] = []

        async def count() -> None:
            counts.append(await self.journal.count_death(task_id))

        await self._retry_or_drop(count)
        return counts[0] if counts else 0

    async def finish(self, task_id: TaskId, report: Report, folder: str) -> None:
        """See ``Journal``."""
        await self._retry_or_drop(self.journal.finish, task_id, report, folder)

    async def finish_waiting(self, batch_id: BatchId, report: Report, limit: int) -> Sequence[POTask]:
        """See ``Journal``; none at the end: the next start finds them waiting."""
        try:
            return await self._retry(self.journal.finish_waiting, batch_id, report, limit)
        except TemporarilyUnavailableError:
            return ()

    async def record(self, transitions: Sequence[Transition]) -> None:
        """See ``Journal``."""
        await self._retry_or_drop(self.journal.record, transitions)

    async def counts(self, batch_id: BatchId) -> Mapping[str, int]:
        """See ``Journal``."""
        return await self._read(self.journal.counts, batch_id)

    async def members(self, batch_id: BatchId, task_ids: Collection[TaskId]) -> Collection[TaskId]:
        """See ``Journal``."""
        return await self._read(self.journal.members, batch_id, task_ids)

    async def next_due_s(self, batch_id: BatchId) -> float | None:
        """See ``Journal``; nothing is due at the end."""
        try:
            return await self._read(self.journal.next_due_s, batch_id)
        except TemporarilyUnavailableError:
            return None

    async def find(self, task_id: TaskId) -> TaskRecord | None:
        """See ``Journal``."""
        return await self._read(self.journal.find, task_id)

    async def records(self, batch_id: BatchId) -> Sequence[TaskRecord]:
        """See ``Journal``."""
        return await self._read(self.journal.records, batch_id)

    async def _retry_or_drop(self, call: Callable[P, Awaitable[None]], *args: P.args, **named: P.kwargs) -> None:
        """Make a change patiently, and do without it when the pool ends on a stuck journal: its end must not fail."""
        try:
            await self._retry(call, *args, **named)
        except TemporarilyUnavailableError:
            self.unwritten_count += 1

    async def _retry(self, call: Callable[P, Awaitable[T]], *args: P.args, **named: P.kwargs) -> T:
        """Make a call, and again while the disk does not take it or the journal is locked.

        Raises:
            TemporarilyUnavailableError: It is so still, and the pool is ending.
        """
        while not self.ending.is_set():
            try:
                answer = await call(*args, **named)
            except DiskFullError:
                self.report(JournalFull())
            except LockedError:
                self._set_locked(is_locked=True)
            except TemporarilyUnavailableError as error:
                self.report(StorageUnavailable(trouble=trouble_told(error), detail=str(error)))
            else:
                self._set_locked(is_locked=False)
                return answer
            with anyio.move_on_after(RETRY_INTERVAL_S):
                await self.ending.wait()
        return await call(*args, **named)

    async def _read(self, call: Callable[P, Awaitable[T]], *args: P.args, **named: P.kwargs) -> T:
        """Ask patiently. A lock keeps nobody from reading, so an answer does not say that it is gone."""
        return await (call if self.is_locked else partial(self._retry, call))(*args, **named)

    def _set_locked(self, *, is_locked: bool) -> None:
        """One lock is on the whole journal: a single call that gets through says that it is gone."""
        if is_locked == self.is_locked:
            return
        self.is_locked = is_locked
        self.report(JournalLocked() if is_locked else PauseEnded(cause=PauseReason.JOURNAL_LOCKED))
