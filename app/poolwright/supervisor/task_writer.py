"""Writes what was decided about tasks.

Finished orders to the output folder and the journal, other tasks back to the queue.

While the journal is full or locked the writer waits; the policy goes on, or nobody would learn what is waited for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import anyio
import anyio.to_thread

from poolwright.archive.staging import StagingFolders
from poolwright.domain.events import TaskEnded, TaskReturned
from poolwright.domain.ids import TaskId
from poolwright.domain.outcomes import Reason
from poolwright.domain.ports import Filed
from poolwright.domain.storage import StorageTrouble, trouble_of
from poolwright.domain.tasks import POTask, Report
from poolwright.files.permissions import describe_error
from poolwright.supervisor.policy.commands import FailQueued, FileReport, RecordOutcome, Requeue, StagedAttempt
from poolwright.supervisor.policy.events import FilingFailed, TaskFiled
from poolwright.supervisor.pool_context import PoolContext
from poolwright.supervisor.storage_monitor import StorageMonitor
from poolwright.supervisor.submissions import Submissions
from poolwright.supervisor.task_queue import TaskFeeder

#: Tasks that are ended in one step, which takes some hundredths of a second.
CHUNK_SIZE = 1_000


class TaskWriter:
    """Takes commands through ``submit`` and carries them out one after another."""

    def __init__(
        self, context: PoolContext, feeder: TaskFeeder, submissions: Submissions, staging: StagingFolders
    ) -> None:
        """Start with nothing to write."""
        self._context = context
        self._feeder = feeder
        self._submissions = submissions
        self._staging = staging
        self._is_hurried = False
        #: Why nobody takes tasks any more, once that is so.
        self._rest_reason: Reason | None = None
        self._commands, self._inbox = anyio.create_memory_object_stream[Requeue | FailQueued](math.inf)

    def __enter__(self) -> Self:
        """Open the inbox."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the inbox."""
        self._commands.close()
        self._inbox.close()

    def submit(self, command: Requeue | FailQueued) -> None:
        """Have a command carried out; returns at once."""
        if isinstance(command, FailQueued):
            self._feeder.end_trials()
        self._context.inbox.unsettled.add()
        self._commands.send_nowait(command)

    def hurry(self) -> None:
        """Leave tasks that still wait to the next start: nobody wants to wait any longer."""
        self._is_hurried = True

    async def run(self) -> None:
        """Carry out the submitted commands, until cancelled."""
        async for command in self._inbox:
            with self._context.inbox.unsettled.counted():
                await self._carry_out(command)

    async def _carry_out(self, command: Requeue | FailQueued) -> None:
        if isinstance(command, FailQueued):
            self._rest_reason = command.reason
            await self._fail_queued(command.reason)
        elif self._rest_reason is None:
            await self._requeue(command)
        else:
            await self._fail(command.task, self._rest_reason)

    async def _requeue(self, command: Requeue) -> None:
        task, context = command.task, self._context
        if command.is_death:
            await context.journal.count_death(task.task_id)
        staged = self._staging.attempt_folder(command.worker.slot, task)
        if not command.keeps_files:
            await anyio.to_thread.run_sync(context.archive.discard, staged, abandon_on_cancel=True)
        await context.journal.give_back(
            task.task_id,
            command.why,
            detail=command.detail,
            delay_s=command.delay_s,
            is_attempt_spent=command.is_attempt_spent,
        )
        self._feeder.wake()
        event = TaskReturned(
            task_id=task.task_id,
            why=command.why,
            detail=command.detail,
            delay_s=command.delay_s,
            worker=command.worker,
        )
        context.event_log.publish(event)
        self._submissions.on_return(task.task_id)

    async def _fail_queued(self, reason: Reason) -> None:
        """Nobody takes tasks any more: end those that wait, also for another try later, then those in the queue."""
        context, queue = self._context, self._feeder.task_queue
        report = Report(reason=reason)
        while not self._is_hurried:
            failed = await context.journal.finish_waiting(context.batch_id, report, CHUNK_SIZE)
            for task in failed:
                self._publish_end(task, report)
            if not failed:
                break
        while not queue.empty():
            await self._fail(queue.get_nowait(), reason)

    async def _fail(self, task: POTask, reason: Reason) -> None:
        report = Report(reason=reason)
        await self._context.journal.finish(task.task_id, report, "")
        self._publish_end(task, report)

    def _publish_end(self, task: POTask, report: Report) -> None:
        self._context.event_log.publish(TaskEnded(task=task, report=report, folder="", worker=None))
        self._submissions.on_outcome(task, report)


#: Filing waits for the disk, not for the processor; more would not be faster.
PARALLEL_FILING_COUNT = 2
T = TypeVar("T")

_PROBLEMS = {
    StorageTrouble.FULL: "The disk of the output folder is full",
    StorageTrouble.AWAY: "The disk of the output folder does not answer",
    StorageTrouble.FORBIDDEN: "The output folder is not writable",
    StorageTrouble.OTHER: "The files cannot be written to the output folder",
}


def _new_limiter() -> anyio.CapacityLimiter:
    return anyio.CapacityLimiter(PARALLEL_FILING_COUNT)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refusal:
    """What it means that the disk did not take an order's files."""

    trouble: StorageTrouble
    problem: str
    is_place_fine: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFiler:
    """The way from a staged order to its folder. The commit comes last: a crash before it files the order again."""

    #: A filing whose disk hangs is left behind at the deadline, and the next start takes it up.
    context: PoolContext
    storage: StorageMonitor
    staging: StagingFolders
    limiter: anyio.CapacityLimiter = field(default_factory=_new_limiter)
    #: Tasks whose files are on their way, which no worker has any more.
    under_way: set[TaskId] = field(default_factory=set[TaskId])

    async def finalize(self, command: FileReport) -> bool:
        """File one order and write its outcome down; false when the disk refused, which is then reported.

        Not cancelled half-way, but left behind when the pool must be gone: then it is as after a crash.
        """
        is_filed, placed = False, Filed(folder="")
        staged = self._staged_folder(command.staged or _own_attempt(command))
        with self.context.deadline.shield():
            placed = await self._in_thread(partial(self._place, command, staged))
            if isinstance(placed, Filed):
                command = _with_notes(command, placed.notices)
                await self._write_down(command, placed.folder, staged)
                is_filed = True
        if isinstance(placed, _Refusal):
            self._post_failure(command, placed)
        elif is_filed:
            self._publish_end(command, placed.folder)
        return is_filed

    async def record_outcome(self, command: RecordOutcome) -> bool:
        """Write an outcome without files down, and touch the output folder in no way; false when it hangs."""
        is_done = False
        with self.context.deadline.shield():
            await self._write_down(command, "", self._staged_folder(_own_attempt(command)))
            is_done = True
        if is_done:
            self._publish_end(command, "")
        return is_done

    async def discard(self, attempt: StagedAttempt) -> None:
        """Remove what an attempt left that is not filed."""
        await self._discard(self._staged_folder(attempt))

    async def _write_down(self, command: FileReport | RecordOutcome, folder: str, staged: Path) -> None:
        await self.context.journal.finish(command.task.task_id, command.report, folder)
        await self._discard(staged)

    async def _discard(self, staged: Path) -> None:
        await self._in_thread(partial(self.context.archive.discard, staged))

    def _staged_folder(self, attempt: StagedAttempt) -> Path:
        return self.staging.attempt_folder(attempt.worker.slot, attempt.task)

    def _publish_end(self, command: FileReport | RecordOutcome, folder: str) -> None:
        self.context.post(TaskFiled(worker=command.worker, task=command.task))
        ended = TaskEnded(task=command.task, report=command.report, folder=folder, worker=command.worker)
        self.context.event_log.publish(ended)

    def _post_failure(self, command: FileReport, refusal: _Refusal) -> None:
        self.context.post(
            FilingFailed(
                worker=command.worker,
                file=command,
                problem=refusal.problem,
                trouble=refusal.trouble,
                is_place_fine=refusal.is_place_fine,
            )
        )

    def _place(self, command: FileReport, staged: Path) -> Filed | _Refusal:
        """Put the files in place; where they are, or why not. Blocking."""
        if missing := self.storage.missing_folder():
            return _Refusal(trouble=StorageTrouble.AWAY, problem=missing)
        try:
            return self.context.archive.file(command.task, command.report, staged)
        except OSError as error:
            return self._classify(error)

    def _classify(self, error: OSError) -> _Refusal:
        """Tell a place that takes nothing from an order whose own folder is refused. Blocking."""
        trouble = trouble_of(error)
        if trouble in {StorageTrouble.FULL, StorageTrouble.OTHER}:
            return _Refusal(trouble=trouble, problem=_problem(trouble, error))
        refused = self.context.archive.refusal()
        if refused is None:
            return _Refusal(trouble=trouble, problem=_problem(StorageTrouble.OTHER, error), is_place_fine=True)
        whole = trouble_of(refused) if trouble_of(refused).may_pass else trouble
        return _Refusal(trouble=whole, problem=_problem(whole, refused))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await anyio.to_thread.run_sync(work, limiter=self.limiter, abandon_on_cancel=True)


def _own_attempt(command: FileReport | RecordOutcome) -> StagedAttempt:
    """Return the attempt that the command's own report is about."""
    return StagedAttempt(worker=command.worker, task=command.task, report=command.report)


def _with_notes(command: FileReport, notes: tuple[str, ...]) -> FileReport:
    """The same order, whose report says what the archive knows of its earlier files."""
    if not notes:
        return command
    detail = " ".join(filter(None, (command.report.detail, *notes)))
    return replace(command, report=replace(command.report, detail=detail))


def _problem(trouble: StorageTrouble, error: OSError) -> str:
    """What happened, and who can do what about it."""
    if trouble is StorageTrouble.FORBIDDEN and error.filename is not None:
        return f"{_PROBLEMS[trouble]}: {describe_error(error, Path(error.filename)).sentence()}"
    return f"{_PROBLEMS[trouble]} ({error.strerror or error})."
