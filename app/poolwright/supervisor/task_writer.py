"""Carries out decisions about tasks: files finished orders, records outcomes and returns other tasks to the queue.

While the journal is full or locked the writer waits. The policy goes on meanwhile, so that it can pause the pool.
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
from poolwright.domain.events import Level, TaskEnded, TaskReturned
from poolwright.domain.ids import TaskId
from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.domain.ports import Filed
from poolwright.domain.storage import StorageTrouble, classify_os_error
from poolwright.domain.tasks import POTask, Report, shown_report
from poolwright.files.permissions import describe_error
from poolwright.supervisor.policy.commands import (
    FailQueued,
    FileReport,
    RecordOutcome,
    ReopenGroup,
    Requeue,
    SetAside,
    StagedAttempt,
)
from poolwright.supervisor.policy.events import FilingFailed, TaskFiled
from poolwright.supervisor.pool_context import PoolContext
from poolwright.supervisor.storage_monitor import StorageMonitor
from poolwright.supervisor.submissions import Submissions
from poolwright.supervisor.task_queue import TaskFeeder

#: Tasks that fail in one transaction, which takes some hundredths of a second.
CHUNK_SIZE = 1_000
#: Delay of a task that is being set aside, so that nobody claims it meanwhile.
_SET_ASIDE_DELAY_S = 60.0

_WriterCommand = Requeue | FailQueued | SetAside | ReopenGroup


class TaskWriter:
    """Carries out the commands that ``submit`` receives, one after another."""

    def __init__(
        self, context: PoolContext, feeder: TaskFeeder, submissions: Submissions, staging: StagingFolders
    ) -> None:
        """Start without commands."""
        self._context = context
        self._feeder = feeder
        self._submissions = submissions
        self._staging = staging
        self._is_hurried = False
        #: The reason with which queued tasks fail; ``None`` as long as workers take them.
        self._rest_reason: Reason | None = None
        self._commands, self._inbox = anyio.create_memory_object_stream[_WriterCommand](math.inf)

    def __enter__(self) -> Self:
        """Open the inbox."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the inbox."""
        self._commands.close()
        self._inbox.close()

    def submit(self, command: _WriterCommand) -> None:
        """Queue a command and return at once."""
        if isinstance(command, FailQueued):
            self._feeder.end_waits()
        self._context.inbox.unsettled.add()
        self._commands.send_nowait(command)

    def hurry(self) -> None:
        """Stop failing queued tasks and leave them to the next start, so that the shutdown is quick."""
        self._is_hurried = True

    async def run(self) -> None:
        """Carry out the submitted commands, until cancelled."""
        async for command in self._inbox:
            with self._context.inbox.unsettled.counted():
                await self._carry_out(command)

    async def _carry_out(self, command: _WriterCommand) -> None:
        if isinstance(command, FailQueued):
            self._rest_reason = command.reason
            await self._fail_queued(command.reason)
        elif isinstance(command, SetAside):
            await self._set_aside(command)
        elif isinstance(command, ReopenGroup):
            await self._reopen_group(command.group)
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
        await context.journal.requeue(
            task.task_id,
            command.why,
            detail=command.detail,
            # A task whose group was set aside meanwhile is claimed at once, so that it is set aside too.
            delay_s=0.0 if self._feeder.is_withheld(task) else command.delay_s,
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

    async def _set_aside(self, command: SetAside) -> None:
        """End the tasks of a group that no worker has: first those that are claimed, then all that wait."""
        context = self._context
        self._feeder.withhold_group(command.group)  # it may have been resumed since the command was given
        for task in self._feeder.take_withheld(command.group):
            why = ReturnReason.SET_ASIDE
            await context.journal.requeue(
                task.task_id, why, detail="", delay_s=_SET_ASIDE_DELAY_S, is_attempt_spent=False
            )
        report = Report(reason=Reason.GROUP_SET_ASIDE, detail=command.cause)
        for task in await context.journal.set_aside(context.batch_id, command.group, report):
            self._publish_end(task, report)

    async def _reopen_group(self, group: str) -> None:
        """Queue the tasks that ended because their group is set aside; they start only when they are counted."""
        if self._rest_reason is not None:  # no worker is left
            return
        context = self._context
        count = await context.journal.reopen_group(context.batch_id, context.ports.prefix, group)
        self._submissions.unfinished.add(count)
        self._feeder.release_group(group)
        self._feeder.wake()
        orders = f"{count:,} {'order waits' if count == 1 else 'orders wait'}"
        context.event_log.notice(Level.INFO, f"The group {group} was resumed: {orders} again.")

    async def _fail_queued(self, reason: Reason) -> None:
        """Fail the tasks that wait in the journal, also for another attempt, then those in the queue."""
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
        report = shown_report(task, report, self._context.clock.now())
        self._context.event_log.publish(TaskEnded(task=task, report=report, folder="", worker=None))
        self._submissions.on_outcome(task, report)


#: Orders that are filed at the same time; the disk limits the speed, so more would not be faster.
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
    """The reason why the files of an order could not be stored."""

    trouble: StorageTrouble
    problem: str
    is_place_fine: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFiler:
    """Files staged orders. The commit comes last, so that an order is filed again after a crash."""

    #: Its deadline abandons a filing whose disk hangs; the next start files that order.
    context: PoolContext
    storage: StorageMonitor
    staging: StagingFolders
    limiter: anyio.CapacityLimiter = field(default_factory=_new_limiter)
    #: Tasks that are being filed; no worker holds them any more.
    under_way: set[TaskId] = field(default_factory=set[TaskId])

    async def finalize(self, command: FileReport) -> bool:
        """File one order and record its outcome; return false if the disk refused, after posting ``FilingFailed``.

        A cancellation does not interrupt it. The deadline of the pool abandons it, which is the same as a crash.
        """
        is_filed, result = False, Filed(folder="")
        staged = self._staged_folder(command.staged or _own_attempt(command))
        with self.context.deadline.shield():
            result = await self._in_thread(partial(self._place, command, staged))
            if isinstance(result, Filed):
                command = _with_notes(command, result.notices)
                await self._write_outcome(command, result.folder, staged)
                is_filed = True
        if isinstance(result, _Refusal):
            self._post_failure(command, result)
        elif is_filed:
            self._publish_end(command, result.folder)
        return is_filed

    async def record_outcome(self, command: RecordOutcome) -> bool:
        """Record an outcome in the journal alone, without the output folder; return false after the deadline."""
        is_done = False
        with self.context.deadline.shield():
            await self._write_outcome(command, "", self._staged_folder(_own_attempt(command)))
            is_done = True
        if is_done:
            self._publish_end(command, "")
        return is_done

    async def discard(self, attempt: StagedAttempt) -> None:
        """Remove the staged files of an attempt that is not filed."""
        await self._discard(self._staged_folder(attempt))

    async def _write_outcome(self, command: FileReport | RecordOutcome, folder: str, staged: Path) -> None:
        await self.context.journal.finish(command.task.task_id, command.report, folder)
        await self._discard(staged)

    async def _discard(self, staged: Path) -> None:
        await self._in_thread(partial(self.context.archive.discard, staged))

    def _staged_folder(self, attempt: StagedAttempt) -> Path:
        return self.staging.attempt_folder(attempt.worker.slot, attempt.task)

    def _publish_end(self, command: FileReport | RecordOutcome, folder: str) -> None:
        self.context.post(TaskFiled(worker=command.worker, task=command.task))
        report = shown_report(command.task, command.report, self.context.clock.now())
        ended = TaskEnded(task=command.task, report=report, folder=folder, worker=command.worker)
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
        """Move the files into the output folder; return their folder, or why that failed. Blocking."""
        if missing := self.storage.missing_folder():
            return _Refusal(trouble=StorageTrouble.AWAY, problem=missing)
        try:
            return self.context.archive.file(command.task, command.report, staged)
        except OSError as error:
            return self._classify(error)

    def _classify(self, error: OSError) -> _Refusal:
        """Find out whether the output folder as a whole refuses files, or only the folder of this order. Blocking."""
        trouble = classify_os_error(error)
        if trouble in {StorageTrouble.FULL, StorageTrouble.OTHER}:
            return _Refusal(trouble=trouble, problem=_problem(trouble, error))
        refusal = self.context.archive.refusal()
        if refusal is None:
            return _Refusal(trouble=trouble, problem=_problem(StorageTrouble.OTHER, error), is_place_fine=True)
        if classify_os_error(refusal).is_temporary:
            trouble = classify_os_error(refusal)
        return _Refusal(trouble=trouble, problem=_problem(trouble, refusal))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await anyio.to_thread.run_sync(work, limiter=self.limiter, abandon_on_cancel=True)


def _own_attempt(command: FileReport | RecordOutcome) -> StagedAttempt:
    """Return the attempt that led to the report of the command."""
    return StagedAttempt(worker=command.worker, task=command.task, report=command.report)


def _with_notes(command: FileReport, notes: tuple[str, ...]) -> FileReport:
    """Return the command with the archive's notes about earlier files in its report."""
    if not notes:
        return command
    detail = " ".join(filter(None, (command.report.detail, *notes)))
    return replace(command, report=replace(command.report, detail=detail))


def _problem(trouble: StorageTrouble, error: OSError) -> str:
    """Return what happened and the next step, in a sentence."""
    if trouble is StorageTrouble.FORBIDDEN and error.filename is not None:
        return f"{_PROBLEMS[trouble]}: {describe_error(error, Path(error.filename)).sentence()}"
    return f"{_PROBLEMS[trouble]} ({error.strerror or error})."
