"""Submitted tasks and their handles, from submission until each has its outcome or is cancelled."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Generator, Mapping, Sequence
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
    """A submitted task; ``await handle`` returns its report, whatever the outcome."""

    def __init__(self, task: POTask, canceller: TaskCanceller) -> None:
        """Create a handle; only the pool's ``submit_task`` does so."""
        self.task = task
        self._canceller = canceller
        self._done = anyio.Event()
        self._report: Report | None = None
        self._error: PoolError | None = None

    def __await__(self) -> Generator[Any, Any, Report | None]:
        """Wait for the report, as ``report`` does."""
        return self.report().__await__()

    @property
    def is_done(self) -> bool:
        """Whether the wait for the report is over."""
        return self._done.is_set()

    async def report(self) -> Report | None:
        """Wait until the task has its outcome and return the report; ``None`` if the pool stopped with the task queued.

        Raises:
            PoolError: The pool cannot continue (``LoginRequiredError``, ``SetupError``, ...); the task stays queued.
        """
        await self._done.wait()
        if self._error is not None:
            raise self._error
        return self._report

    async def cancel(self) -> bool:
        """Cancel the task and return true; return false if a worker has it, or had it."""
        return await self._canceller.cancel(self.task.task_id)

    def resolve(self, report: Report | None, error: PoolError | None = None) -> None:
        """End the wait for the report. Only the pool calls this; the first call counts."""
        if not self.is_done:
            self._report, self._error = report, error
            self._done.set()


class EndedHandles:
    """The handles of a program in the order in which their tasks ended; each is given to one caller.

    A handle is kept until somebody asks for it.
    """

    def __init__(self) -> None:
        """Start without handles."""
        self._ended: deque[TaskHandle] = deque()
        self._open: set[TaskHandle] = set()
        self._changed = anyio.Event()

    def expect(self, handle: TaskHandle) -> None:
        """Wait for the end of a handle; only those that are expected are given out."""
        self._open.add(handle)

    def add(self, handle: TaskHandle) -> None:
        """Take a handle whose wait is over, if it is expected."""
        if handle in self._open:
            self._ended.append(handle)
            self.withdraw(handle)

    def withdraw(self, handle: TaskHandle) -> None:
        """Expect a handle no longer, such as one that nobody got because its task was refused."""
        self._open.discard(handle)
        self._changed.set()
        self._changed = anyio.Event()

    async def iterate(self) -> AsyncGenerator[TaskHandle]:
        """Yield each handle that has ended, or ends, until none is open."""
        while self._ended or self._open:
            if self._ended:
                yield self._ended.popleft()
            else:
                await self._changed.wait()


#: The error that a wait for a report raises when the pool stops. A stop on request raises none. A pool without workers
#: fails every queued task, so ``NO_WORKERS`` concerns only later submissions.
_ERRORS: Mapping[StopCause, type[PoolError]] = {
    StopCause.LOGIN_REQUIRED: LoginRequiredError,
    StopCause.PROFILE_DAMAGED: ProfileError,
    StopCause.SETUP_FAILED: SetupError,
    StopCause.NO_WORKERS: SetupError,
    StopCause.MEMORY_SHORT: SetupError,
}
#: Delay of a task that is being cancelled, so that nobody claims it meanwhile. If the program dies, it is done later.
_CANCEL_DELAY_S = 60.0

T = TypeVar("T")


class Submissions:
    """Owns the handles and counts the open tasks of the pool's list, with or without a handle."""

    def __init__(self, context: PoolContext, feeder: TaskFeeder) -> None:
        """Start without handles; the deadline of the context limits every wait for the journal."""
        self._context = context
        self._feeder = feeder
        self._handles: dict[TaskId, TaskHandle] = {}
        self._ended = EndedHandles()
        self._end: Stop | None = None
        #: Tasks of the list that have no outcome yet.
        self.unfinished = WaitGroup()
        #: Set when the pool cannot continue, or was asked to stop.
        self.stopped = anyio.Event()

    @property
    def end(self) -> Stop | None:
        """The reason why no further task starts; ``None`` as long as tasks start."""
        return self._end

    async def open(self) -> None:
        """Count the open tasks that the list has already."""
        for _ in range(open_count(await self._context.journal.counts(self._context.batch_id))):
            self.unfinished.add()

    async def submit(self, task: POTask, *, is_followed: bool = True) -> TaskHandle:
        """Add a task to the end of the list; the journal contains it when this returns.

        A task that the journal has already stays as it is: the handle of a finished one has its report at once.

        Args:
            task: The task.
            is_followed: Whether ``as_completed`` gives the handle out when the task ends.

        Raises:
            TaskError: The journal has the task with another payload, so its report would be of other work.
            PoolError: The pool has stopped, or the journal cannot store the task; nothing was submitted.
        """
        if self._end is not None:
            raise self._error() or PoolError("The pool has stopped and accepts no more tasks.")
        if waiting := self._handles.get(task.task_id):
            _check_same(waiting.task, task)
            return self._follow(waiting) if is_followed else waiting
        handle = self._handles[task.task_id] = TaskHandle(task, self)
        if is_followed:
            self._follow(handle)
        self.unfinished.add()  # before a worker can take it, because its outcome drops the count
        try:
            await self._undisturbed(partial(self._write, task))
        except (PoolError, OSError) as error:
            self.unfinished.drop()
            failure = (
                error if isinstance(error, PoolError) else PoolError(f"The journal cannot store the task: {error}.")
            )
            if self._handles.pop(task.task_id, None):
                handle.resolve(None, failure)  # another caller may have submitted it too, and waits
                self._ended.withdraw(handle)
            raise
        self._feeder.wake()
        return handle

    def _follow(self, handle: TaskHandle) -> TaskHandle:
        self._ended.expect(handle)
        return handle

    def as_completed(self) -> AsyncGenerator[TaskHandle]:
        """Yield the handle of each task that was submitted by itself, in the order in which they end."""
        return self._ended.iterate()

    async def submit_all(self, tasks: Sequence[POTask]) -> int:
        """Add tasks without handles to the end of the list, in one step; return how many more are open in it.

        Raises:
            PoolError: The pool has stopped, or the journal cannot store them; nothing was submitted.
        """
        return await self.open_more(len(tasks), partial(self._context.journal.add, self._context.batch_id, tasks))

    async def reopen(self, task_ids: Collection[TaskId]) -> int:
        """Queue finished tasks of the list again, with all attempts; return how many.

        Raises:
            PoolError: The pool has stopped, or the journal cannot store the change; nothing was changed.
        """
        return await self.open_more(len(task_ids), partial(self._context.journal.reopen, task_ids))

    async def cancel_all(self, task_ids: Collection[TaskId]) -> int:
        """Cancel those of these tasks that no worker has; return how many. A cancellation does not interrupt it.

        It works after the pool has stopped too, unless the pool fails all queued tasks.

        Raises:
            PoolError: The journal cannot store the change.
        """
        if self._end is not None and self._end.ends_queue:
            return 0
        return len(await self._undisturbed(partial(self._cancel_waiting, task_ids)))

    async def _cancel_waiting(self, task_ids: Collection[TaskId]) -> set[TaskId]:
        own = frozenset(await self._context.journal.members(self._context.batch_id, task_ids))
        cancelled = self._on_cancelled(await self._context.journal.cancel_all(task_ids), own)
        # Tasks that were claimed ahead remain. The delay of their release keeps them from being claimed again.
        remaining = (task_id for task_id in task_ids if task_id not in cancelled)
        released = [task_id for task_id in remaining if await self._release_claimed(task_id)]
        if released:
            cancelled |= self._on_cancelled(await self._context.journal.cancel_all(released), own)
        return cancelled

    async def open_more(self, count_max: int, write: Callable[[], Awaitable[int]]) -> int:
        """Open tasks of the list by a change of the journal; return how many.

        They are counted before a worker can take one, because an outcome drops the count.

        Args:
            count_max: The most tasks that the change can open.
            write: Makes the change, and returns how many tasks it opened.

        Raises:
            PoolError: The pool has stopped, or the journal cannot store the change; nothing was changed.
        """
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
        """Resolve the handle of a task that has its outcome, and count it as finished."""
        self._feeder.forget(task.task_id)
        self.unfinished.drop()
        self._resolve(task.task_id, report)

    def forget(self, task_ids: Collection[TaskId]) -> None:
        """Drop the queue positions of tasks that never return."""
        for task_id in task_ids:
            self._feeder.forget(task_id)

    def stop(self, end: Stop, in_hand: Collection[TaskId]) -> None:
        """Let no further task start, and resolve the handles of tasks that no worker holds, with the error if any."""
        self._end = end
        self._feeder.stop_feeding()
        for task_id in self._handles.keys() - in_hand:
            self.on_return(task_id)
        self.stopped.set()

    def on_return(self, task_id: TaskId) -> None:
        """Resolve the handle of a task that returned to the queue, if the pool has stopped and leaves it there."""
        if self._end is not None and not self._end.ends_queue:
            self._resolve(task_id, None, self._error())

    def close(self) -> None:
        """Resolve all handles without a report, because the pool has ended."""
        for task_id in tuple(self._handles):
            self._resolve(task_id, None)

    def _error(self) -> PoolError | None:
        kind = _ERRORS.get(self._end.cause) if self._end else None
        return kind(self._end.detail) if kind and self._end else None

    async def _write(self, task: POTask) -> None:
        """Write a task to the journal and correct the count. Adding is the last step that can fail."""
        record = await self._context.journal.find(task.task_id)
        if record is not None:
            _check_same(record.task, task)
        if not await self._context.journal.add(self._context.batch_id, [task]):
            self.unfinished.drop()
        if record is not None and record.is_over and record.report is not None:
            self._resolve(task.task_id, record.report)

    def _resolve(self, task_id: TaskId, report: Report | None, error: PoolError | None = None) -> None:
        handle = self._handles.pop(task_id, None)
        if handle is not None:
            handle.resolve(report, error)
            self._ended.add(handle)

    async def cancel(self, task_id: TaskId) -> bool:
        """Cancel a task and return true; return false if a worker has it. A cancellation does not interrupt it.

        A task that was withdrawn, but not written, would be in no queue.
        """
        return self._end is None and await self._undisturbed(partial(self._cancel_one, task_id))

    async def _cancel_one(self, task_id: TaskId) -> bool:
        await self._release_claimed(task_id)
        is_cancelled = await self._context.journal.cancel(task_id)
        if is_cancelled:
            self._on_cancelled((task_id,), await self._context.journal.members(self._context.batch_id, (task_id,)))
        return is_cancelled

    async def _undisturbed(self, work: Callable[[], Awaitable[T]]) -> T:
        """Finish a change of the journal even if the caller is cancelled meanwhile, and return its result.

        Raises:
            StorageAwayError: The pool had to end before the journal answered.
        """
        try:
            return await self._context.deadline.run_shielded(work)
        except TimeoutError as error:
            problem = "The journal did not answer before the pool had to end; the next start reads what was stored."
            raise StorageAwayError(problem) from error

    def _on_cancelled(self, task_ids: Collection[TaskId], own: Collection[TaskId]) -> set[TaskId]:
        """Resolve the handles of cancelled tasks and return their ids. Those of other lists were never counted here."""
        for task_id in task_ids:
            self._feeder.task_queue.forget(task_id)
            self._resolve(task_id, Report(reason=Reason.BY_REQUEST))
        self.unfinished.drop(sum(task_id in own for task_id in task_ids))
        return set(task_ids)

    async def _release_claimed(self, task_id: TaskId) -> bool:
        """Return a task that was claimed ahead to the journal; return false if it is not in the queue.

        Its delay keeps it from being claimed again before it is cancelled. If the journal fails, it stays queued.
        """
        if not self._feeder.withdraw(task_id):
            return False
        record = await self._context.journal.find(task_id)
        try:
            why = ReturnReason.DRAINING
            await self._context.journal.requeue(
                task_id, why, detail="", delay_s=_CANCEL_DELAY_S, is_attempt_spent=False
            )
        except (PoolError, OSError):
            if record is not None:
                self._feeder.requeue(record.task)
            raise
        return True


def _check_same(stored: POTask, submitted: POTask) -> None:
    """Refuse a task whose id is stored with another payload."""
    if difference := payload_diff(stored.payload, submitted.payload):
        raise TaskError(
            f"The task {submitted.task_id} was refused. It is stored with another payload: {difference}. "
            "Use another task id or another output folder."
        )
