"""Submitted tasks and their handles, from submission until each has its outcome or is cancelled."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Generator, Mapping, Sequence
from functools import partial
from typing import Any, Protocol, TypeVar

import anyio

from poolwright.concurrency import WaitGroup
from poolwright.domain.errors import (
    LoginRequiredError,
    PoolError,
    ProfileError,
    SetupError,
    StorageAwayError,
    TaskError,
)
from poolwright.domain.ids import TaskId
from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.domain.states import open_count
from poolwright.domain.tasks import POTask, Report, payload_diff
from poolwright.supervisor.policy.commands import Stop, StopCause
from poolwright.supervisor.pool_context import PoolContext
from poolwright.supervisor.task_queue import TaskFeeder


class TaskCanceller(Protocol):
    """Cancels tasks that no worker has."""

    async def cancel(self, task_id: TaskId) -> bool:
        """Cancel a task; return whether it was cancelled."""
        ...


class TaskHandle:
    """Awaitable; ``await handle`` gives the report, whatever the outcome."""

    def __init__(self, task: POTask, canceller: TaskCanceller) -> None:
        """Made by the pool's ``submit_task``."""
        self.task = task
        self._canceller = canceller
        self._done = anyio.Event()
        self._report: Report | None = None
        self._error: PoolError | None = None

    def __await__(self) -> Generator[Any, Any, Report | None]:
        """Wait for the report."""
        return self.report().__await__()

    @property
    def is_done(self) -> bool:
        """Whether waiting is over."""
        return self._done.is_set()

    async def report(self) -> Report | None:
        """Wait until the task has its outcome; ``None`` if the pool was stopped before, with the task still queued.

        Raises:
            PoolError: The pool cannot go on (``LoginRequiredError``, ``SetupError``, ...); the task is still queued.
        """
        await self._done.wait()
        if self._error is not None:
            raise self._error
        return self._report

    async def cancel(self) -> bool:
        """Cancel the task as long as no worker has it; false when one has, or had."""
        return await self._canceller.cancel(self.task.task_id)

    def resolve(self, report: Report | None, error: PoolError | None = None) -> None:
        """Let those who wait go on. Called by the pool alone; the first call counts."""
        if not self.is_done:
            self._report, self._error = report, error
            self._done.set()


#: What a pool that cannot go on raises to those who wait. One that was asked to stop raises nothing; one that lost all
#: its workers gives every task its outcome, and takes no more.
_ERRORS: Mapping[StopCause, type[PoolError]] = {
    StopCause.LOGIN_REQUIRED: LoginRequiredError,
    StopCause.PROFILE_DAMAGED: ProfileError,
    StopCause.SETUP_FAILED: SetupError,
    StopCause.NO_WORKERS: SetupError,
    StopCause.MEMORY_SHORT: SetupError,
}
#: A task that is being cancelled waits so long, should the program die before it is written down.
_ASIDE_S = 60.0

T = TypeVar("T")


class Submissions:
    """Owns the handles, and counts the open tasks of the pool's list, submitted or not."""

    def __init__(self, context: PoolContext, feeder: TaskFeeder) -> None:
        """Submit to the pool's list, until the pool must be gone."""
        self._context = context
        self._feeder = feeder
        self._handles: dict[TaskId, TaskHandle] = {}
        self._end: Stop | None = None
        #: Tasks of the list that have no outcome yet.
        self.unfinished = WaitGroup()
        #: Set when the pool cannot go on, or was asked to stop.
        self.stopped = anyio.Event()

    @property
    def end(self) -> Stop | None:
        """Why no further task starts; ``None`` as long as tasks do."""
        return self._end

    async def open(self) -> None:
        """Count what the list holds already."""
        for _ in range(open_count(await self._context.journal.counts(self._context.batch_id))):
            self.unfinished.add()

    async def submit(self, task: POTask) -> TaskHandle:
        """Put a task at the end of the list; it is in the journal when this returns.

        A task that is known stays as it is: one that is over gives its report at once, one that waits is waited for.

        Raises:
            TaskError: It is known with another payload: its report would answer another question.
            PoolError: The pool has come to its end, or the journal cannot take the task; nothing was submitted.
        """
        if self._end is not None:
            raise self._error() or PoolError("The pool has stopped and accepts no more tasks.")
        if waiting := self._handles.get(task.task_id):
            _check_same(waiting.task, task)
            return waiting
        handle = self._handles[task.task_id] = TaskHandle(task, self)
        self.unfinished.add()  # before it can be taken, so that its outcome finds it counted
        try:
            await self._undisturbed(partial(self._write, task))
        except (PoolError, OSError) as error:
            self.unfinished.drop()
            shown = error if isinstance(error, PoolError) else PoolError(f"The journal cannot store the task: {error}.")
            self._resolve(task.task_id, None, shown)  # for those who submitted it too, meanwhile
            raise
        self._feeder.wake()
        return handle

    async def submit_all(self, tasks: Sequence[POTask]) -> int:
        """Put many tasks at the end of the list in one go; return how many more are open in it. None has a handle.

        Raises:
            PoolError: The pool has come to its end, or the journal cannot take them; nothing was submitted.
        """
        return await self._open_more(len(tasks), partial(self._context.journal.add, self._context.batch_id, tasks))

    async def reopen(self, task_ids: Collection[TaskId]) -> int:
        """Queue tasks of the list again that are over, with fresh attempts; return how many.

        Raises:
            PoolError: The pool has come to its end, or the journal cannot take it; nothing was changed.
        """
        return await self._open_more(len(task_ids), partial(self._context.journal.reopen, task_ids))

    async def cancel_all(self, task_ids: Collection[TaskId]) -> int:
        """Cancel those of these tasks that no worker has, in a few steps; return how many. Not cancelled half-way.

        Also when the pool has come to its end, as long as it leaves the queue as it is.

        Raises:
            PoolError: The journal cannot take it.
        """
        if self._end is not None and self._end.ends_queue:
            return 0
        return len(await self._undisturbed(partial(self._cancel_waiting, task_ids)))

    async def _cancel_waiting(self, task_ids: Collection[TaskId]) -> set[TaskId]:
        own = frozenset(await self._context.journal.members(self._context.batch_id, task_ids))
        gone = self._note_cancelled(await self._context.journal.cancel_all(task_ids), own)
        # What was claimed ahead is left. Nothing of it is claimed again before it is cancelled.
        ahead = [task_id for task_id in task_ids if task_id not in gone and await self._release_claimed(task_id)]
        if ahead:
            gone |= self._note_cancelled(await self._context.journal.cancel_all(ahead), own)
        return gone

    async def _open_more(self, count_max: int, write: Callable[[], Awaitable[int]]) -> int:
        """Tasks are counted as open before they can be taken, so that their outcomes find them counted."""
        if self._end is not None:
            raise self._error() or PoolError("The pool has stopped and accepts no more tasks.")
        self.unfinished.add(count_max)
        count = 0
        try:
            count = await self._undisturbed(write)
        finally:
            self.unfinished.drop(count_max - count)
        self._feeder.wake()
        return count

    def on_outcome(self, task: POTask, report: Report) -> None:
        """A task of the list has its outcome, and does not come back."""
        self._feeder.forget(task.task_id)
        self.unfinished.drop()
        self._resolve(task.task_id, report)

    def forget(self, task_ids: Collection[TaskId]) -> None:
        """These tasks do not come back to the queue."""
        for task_id in task_ids:
            self._feeder.forget(task_id)

    def stop(self, end: Stop, in_hand: Collection[TaskId]) -> None:
        """Let no further task start. Resolve the handles of tasks that no worker has in hand, with the error if any."""
        self._end = end
        self._feeder.stop_feeding()
        for task_id in self._handles.keys() - in_hand:
            self.on_return(task_id)
        self.stopped.set()

    def on_return(self, task_id: TaskId) -> None:
        """A task is in the queue again; where the pool has come to its end nobody will take it."""
        if self._end is not None and not self._end.ends_queue:
            self._resolve(task_id, None, self._error())

    def close(self) -> None:
        """Nobody works on the list any more."""
        for handle in self._handles.values():
            handle.resolve(None)

    def _error(self) -> PoolError | None:
        kind = _ERRORS.get(self._end.cause) if self._end else None
        return kind(self._end.detail) if kind and self._end else None

    async def _write(self, task: POTask) -> None:
        """Write it to the journal and count it as it is there. Adding comes last: nothing fails after it."""
        known = await self._context.journal.find(task.task_id)
        if known is not None:
            _check_same(known.task, task)
        if not await self._context.journal.add(self._context.batch_id, [task]):
            self.unfinished.drop()
        if known is not None and known.is_over and known.report is not None:
            self._resolve(task.task_id, known.report)

    def _resolve(self, task_id: TaskId, report: Report | None, error: PoolError | None = None) -> None:
        handle = self._handles.pop(task_id, None)
        if handle is not None:
            handle.resolve(report, error)

    async def cancel(self, task_id: TaskId) -> bool:
        """Cancel a task, if no worker has it. Not cancelled half-way: a task withdrawn is in no queue."""
        return self._end is None and await self._undisturbed(partial(self._cancel_one, task_id))

    async def _cancel_one(self, task_id: TaskId) -> bool:
        await self._release_claimed(task_id)
        is_off = await self._context.journal.cancel(task_id)
        if is_off:
            self._note_cancelled((task_id,), await self._context.journal.members(self._context.batch_id, (task_id,)))
        return is_off

    async def _undisturbed(self, work: Callable[[], Awaitable[T]]) -> T:
        """Change the journal although the caller is cancelled meanwhile.

        Raises:
            StorageAwayError: The pool had to end before the journal answered.
        """
        try:
            return await self._context.deadline.undisturbed(work)
        except TimeoutError as error:
            problem = "The journal did not answer before the pool had to end; the next start reads what was stored."
            raise StorageAwayError(problem) from error

    def _note_cancelled(self, task_ids: Collection[TaskId], own: Collection[TaskId]) -> set[TaskId]:
        """Tasks have their end. Those of other lists were never counted here."""
        for task_id in task_ids:
            self._feeder.task_queue.forget(task_id)
            self._resolve(task_id, Report(reason=Reason.BY_REQUEST))
        self.unfinished.drop(sum(task_id in own for task_id in task_ids))
        return set(task_ids)

    async def _release_claimed(self, task_id: TaskId) -> bool:
        """Take a task that was claimed ahead out of the queue and put it aside; it stays there when that fails.

        It is not claimed again before it is cancelled. False when it is not in the queue.
        """
        if not self._feeder.withdraw(task_id):
            return False
        record = await self._context.journal.find(task_id)
        try:
            why = ReturnReason.DRAINING
            await self._context.journal.give_back(task_id, why, detail="", delay_s=_ASIDE_S, is_attempt_spent=False)
        except (PoolError, OSError):
            if record is not None:
                self._feeder.requeue(record.task)
            raise
        return True


def _check_same(known: POTask, given: POTask) -> None:
    """Make sure that the report of a known task answers what is asked now."""
    if difference := payload_diff(known.payload, given.payload):
        raise TaskError(
            f"The task {given.task_id} was refused. It is known with another payload: {difference}. "
            "Use another task id or another output folder."
        )
