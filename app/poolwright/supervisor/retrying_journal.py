"""A journal that retries while its disk is full or another program locks it; the pool pauses meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial, wraps
from types import CoroutineType, EllipsisType
from typing import Any, Concatenate, ParamSpec, TypeVar

import anyio

from poolwright.domain.errors import DiskFullError, LockedError, TemporarilyUnavailableError
from poolwright.domain.ids import TaskId
from poolwright.domain.ports import Journal
from poolwright.domain.storage import trouble_told
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


def _retried(
    method: Callable[Concatenate[Journal, P], CoroutineType[Any, Any, T]],
    *,
    is_read: bool = False,
    at_end: T | EllipsisType = ...,
    is_loss: bool = False,
) -> Callable[Concatenate[RetryingJournal, P], CoroutineType[Any, Any, T]]:
    """Make a method of ``Journal`` one that retries.

    Args:
        method: Which one.
        is_read: Whether it changes nothing.
        at_end: What it returns when the pool ends on a journal that cannot be used. Without it that is an error.
        is_loss: Whether a change is lost then.
    """

    @wraps(method)
    async def call(self: RetryingJournal, *args: P.args, **named: P.kwargs) -> T:
        ask: Callable[P, Awaitable[T]] = getattr(self.journal, method.__name__)
        attempt = partial(ask, *args, **named)
        try:
            return await (self.read(attempt) if is_read else self.retry(attempt))
        except TemporarilyUnavailableError:
            if isinstance(at_end, EllipsisType):
                raise
            self.unwritten_count += is_loss
            return at_end

    return call


@dataclass(slots=True, kw_only=True)
class RetryingJournal:
    """``Journal`` around another one: no full disk and no lock lets it fail, but what needs an answer at the end.

    What its methods promise is written there; here stands what each does on a journal that cannot be used.
    """

    journal: Journal
    report: Callable[[PoolInput], None]
    #: Set when the pool ends: then a full or locked journal is an error like any other, for nobody can wait any more.
    ending: anyio.Event
    #: Changes that could not be written before the end. The next start takes their orders up again.
    unwritten_count: int = 0
    #: Whether another program had the journal locked at the last try.
    is_locked: bool = False

    accept = _retried(Journal.accept)
    add = _retried(Journal.add)
    recover = _retried(Journal.recover)
    reopen = _retried(Journal.reopen)
    fetch = _retried(Journal.fetch, at_end=())
    start = _retried(Journal.start)
    give_back = _retried(Journal.give_back, at_end=None, is_loss=True)
    count_death = _retried(Journal.count_death, at_end=0, is_loss=True)
    finish = _retried(Journal.finish, at_end=None, is_loss=True)
    finish_waiting = _retried(Journal.finish_waiting, at_end=())  # the next start finds them waiting
    record = _retried(Journal.record, at_end=None, is_loss=True)
    counts = _retried(Journal.counts, is_read=True)
    members = _retried(Journal.members, is_read=True)
    next_due_s = _retried(Journal.next_due_s, is_read=True, at_end=None)
    find = _retried(Journal.find, is_read=True)
    records = _retried(Journal.records, is_read=True)

    async def cancel(self, task_id: TaskId) -> bool:
        """See ``Journal``; the pool learns of it."""
        is_cancelled = await self.retry(partial(self.journal.cancel, task_id))
        if is_cancelled:
            self.report(TasksCancelled(task_ids=(task_id,)))
        return is_cancelled

    async def cancel_all(self, task_ids: Collection[TaskId]) -> Sequence[TaskId]:
        """See ``Journal``; the pool learns of it."""
        cancelled = tuple(await self.retry(partial(self.journal.cancel_all, task_ids)))
        if cancelled:
            self.report(TasksCancelled(task_ids=cancelled))
        return cancelled

    @property
    def loss(self) -> str:
        """What could not be written before the end, in words; empty when all was."""
        if not self.unwritten_count:
            return ""
        lost = f"The journal is locked or its disk is full: {self.unwritten_count} change(s) were not written."
        return f"{lost} The next start processes those orders again."

    async def retry(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Make a call, and again while the disk does not take it or the journal is locked.

        Raises:
            TemporarilyUnavailableError: It is so still, and the pool is ending.
        """
        while not self.ending.is_set():
            try:
                answer = await attempt()
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
        return await attempt()

    async def read(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Ask patiently. A lock keeps nobody from reading, so an answer does not say that it is gone."""
        return await (attempt() if self.is_locked else self.retry(attempt))

    def _set_locked(self, *, is_locked: bool) -> None:
        """One lock is on the whole journal: a single call that gets through says that it is gone."""
        if is_locked == self.is_locked:
            return
        self.is_locked = is_locked
        self.report(JournalLocked() if is_locked else PauseEnded(cause=PauseReason.JOURNAL_LOCKED))
