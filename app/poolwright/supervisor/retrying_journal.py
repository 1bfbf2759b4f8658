"""A journal that retries while its disk is full or another program locks it; the pool pauses meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial, wraps
from types import CoroutineType, EllipsisType
from typing import Any, Concatenate, ParamSpec, TypeVar

import anyio

from poolwright.domain.errors import DiskFullError, LockedError, TemporarilyUnavailableError
from poolwright.domain.ids import BatchId, TaskId
from poolwright.domain.ports import Journal
from poolwright.domain.storage import classify_storage_error
from poolwright.domain.tasks import POTask, Report
from poolwright.supervisor.policy.events import (
    JournalFull,
    JournalLocked,
    PauseEnded,
    PoolInput,
    StorageUnavailable,
    TasksCancelled,
)
from poolwright.supervisor.policy.pauses import PauseReason

#: Pause between two tries to use a journal that is full or locked.
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
    """Return a method of ``Journal`` that retries.

    Args:
        method: The method of the protocol.
        is_read: Whether it only reads.
        at_end: Its result if the pool ends while the journal cannot be used; without a value the error is raised.
        is_loss: Whether a change is lost in that case.
    """

    @wraps(method)
    async def call(self: RetryingJournal, *args: P.args, **kwargs: P.kwargs) -> T:
        bound: Callable[P, Awaitable[T]] = getattr(self.journal, method.__name__)
        attempt = partial(bound, *args, **kwargs)
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
    """``Journal`` that wraps another one and waits out a full disk or a lock.

    ``Journal`` describes the methods; the arguments of ``_retried`` say what each returns if the pool ends while the
    journal cannot be used. Those without ``at_end`` raise.
    """

    journal: Journal
    report: Callable[[PoolInput], None]
    #: Set when the pool ends: from then on a full or locked journal is an error.
    ending: anyio.Event
    #: Changes that could not be written before the end. The next start processes their orders again.
    unwritten_count: int = 0
    #: Whether another program had the journal locked at the last try.
    is_locked: bool = False

    accept = _retried(Journal.accept)
    add = _retried(Journal.add)
    recover = _retried(Journal.recover)
    reopen = _retried(Journal.reopen)
    fetch = _retried(Journal.fetch, at_end=())
    start = _retried(Journal.start)
    requeue = _retried(Journal.requeue, at_end=None, is_loss=True)
    count_death = _retried(Journal.count_death, at_end=0, is_loss=True)
    finish = _retried(Journal.finish, at_end=None, is_loss=True)
    finish_waiting = _retried(Journal.finish_waiting, at_end=())  # no loss: the tasks stay queued for the next start
    reopen_group = _retried(Journal.reopen_group, at_end=0)  # no loss: the group stays set aside
    record = _retried(Journal.record, at_end=None, is_loss=True)
    counts = _retried(Journal.counts, is_read=True)
    members = _retried(Journal.members, is_read=True)
    next_due_s = _retried(Journal.next_due_s, is_read=True, at_end=None)
    find = _retried(Journal.find, is_read=True)
    records = _retried(Journal.records, is_read=True)

    async def cancel(self, task_id: TaskId) -> bool:
        """Cancel a task as ``Journal.cancel`` does, and report it to the policy."""
        is_cancelled = await self.retry(partial(self.journal.cancel, task_id))
        if is_cancelled:
            self.report(TasksCancelled(task_ids=(task_id,)))
        return is_cancelled

    async def cancel_all(self, task_ids: Collection[TaskId]) -> Sequence[TaskId]:
        """Cancel tasks as ``Journal.cancel_all`` does, and report them to the policy."""
        cancelled = tuple(await self.retry(partial(self.journal.cancel_all, task_ids)))
        if cancelled:
            self.report(TasksCancelled(task_ids=cancelled))
        return cancelled

    async def set_aside(self, batch_id: BatchId, group: str, report: Report) -> Sequence[POTask]:
        """Set a group aside as ``Journal.set_aside`` does, and report its tasks to the policy.

        At the end of the pool an unusable journal is no loss: the tasks stay queued, and the group is refused again.
        """
        try:
            ended = tuple(await self.retry(partial(self.journal.set_aside, batch_id, group, report)))
        except TemporarilyUnavailableError:
            return ()
        if ended:
            self.report(TasksCancelled(task_ids=tuple(task.task_id for task in ended)))
        return ended

    @property
    def loss(self) -> str:
        """A sentence about the changes that could not be written before the end; empty if there are none."""
        if not self.unwritten_count:
            return ""
        lost = f"The journal is locked or its disk is full: {self.unwritten_count} change(s) were not written."
        return f"{lost} The next start processes those orders again."

    async def retry(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Call the journal until its disk is writable and it is not locked; return the result.

        Raises:
            TemporarilyUnavailableError: The journal still cannot be used, and the pool is ending.
        """
        while not self.ending.is_set():
            try:
                result = await attempt()
            except DiskFullError:
                self.report(JournalFull())
            except LockedError:
                self._set_locked(is_locked=True)
            except TemporarilyUnavailableError as error:
                self.report(StorageUnavailable(trouble=classify_storage_error(error), detail=str(error)))
            else:
                self._set_locked(is_locked=False)
                return result
            with anyio.move_on_after(RETRY_INTERVAL_S):
                await self.ending.wait()
        return await attempt()

    async def read(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Read with retries. A locked journal can be read, so a successful read does not show that the lock is gone."""
        return await (attempt() if self.is_locked else self.retry(attempt))

    def _set_locked(self, *, is_locked: bool) -> None:
        """Report a change of the lock, which covers the whole journal: one successful write shows that it is gone."""
        if is_locked == self.is_locked:
            return
        self.is_locked = is_locked
        self.report(JournalLocked() if is_locked else PauseEnded(cause=PauseReason.JOURNAL_LOCKED))
