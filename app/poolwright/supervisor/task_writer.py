"""Writes what was decided about tasks.

Finished orders to the output folder and the journal, other tasks back to the queue.

While the journal is full or locked the clerk waits; the plan goes on, or nobody would learn what is waited for.
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

from poolwright.archive.staging import staging_folder_name
from poolwright.concurrency import WaitGroup
from poolwright.domain.events import TaskEnded, TaskReturned
from poolwright.domain.ids import TaskId
from poolwright.domain.outcomes import Reason
from poolwright.domain.ports import Archive, Filed, Journal
from poolwright.domain.storage import StorageTrouble, trouble_of
from poolwright.domain.tasks import POTask, Report
from poolwright.files.permissions import describe_error
from poolwright.supervisor.deadline import Deadline
from poolwright.supervisor.observation import EventLog
from poolwright.supervisor.policy.commands import FailQueued, FileReport, RecordOutcome, Requeue
from poolwright.supervisor.policy.events import FilingFailed, PoolInput, TaskFiled
from poolwright.supervisor.task_queue import TaskFeeder
from poolwright.supervisor.workspace import PoolContext

#: Tasks that are ended in one step, which takes some hundredths of a second.
CHUNK_SIZE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskWriterDeps:
    """Dependencies of a task writer."""

    context: PoolContext
    event_log: EventLog
    feeder: TaskFeeder
    #: Where a slot's worker stages its files.
    staging_path: Callable[[int], Path]
    #: Takes the news that a task has its outcome.
    on_outcome: Callable[[POTask, Report], None]
    #: Takes the news that a task is in the queue again.
    on_return: Callable[[TaskId], None]
    #: Facts, filings and writings that are not dealt with yet.
    unsettled: WaitGroup
    #: Whether nobody wants to wait any longer.
    is_hurried: Callable[[], bool]


class TaskWriter:
    """Takes commands through ``take`` and carries them out one after another."""

    def __init__(self, writings: TaskWriterDeps) -> None:
        """Start with nothing to write."""
        self._deps = writings
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
        self._deps.unsettled.add()
        self._commands.send_nowait(command)

    async def run(self) -> None:
        """Carry out what was taken, until cancelled."""
        async for command in self._inbox:
            with self._deps.unsettled.counted():
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
        task, around = command.task, self._deps.context
        if command.is_death:
            await around.journal.count_death(task.task_id)
        staged = self._deps.staging_path(command.worker.slot) / staging_folder_name(task)
        if not command.keeps_files:
            await anyio.to_thread.run_sync(around.archive.discard, staged, abandon_on_cancel=True)
        await around.journal.give_back(
            task.task_id,
            command.why,
            detail=command.detail,
            delay_s=command.delay_s,
            is_attempt_spent=command.is_attempt_spent,
        )
        self._deps.feeder.wake()
        event = TaskReturned(
            task_id=task.task_id,
            why=command.why,
            detail=command.detail,
            delay_s=command.delay_s,
            worker=command.worker,
        )
        self._deps.event_log.publish(event)
        self._deps.on_return(task.task_id)

    async def _fail_queued(self, reason: Reason) -> None:
        """Nobody takes tasks any more: end those that wait, also for another try later, then those in the queue."""
        around, queue = self._deps.context, self._deps.feeder.task_queue
        report = Report(reason=reason)
        while not self._deps.is_hurried():  # what waits still then is taken up by the next start
            failed = await around.journal.finish_waiting(around.batch_id, report, CHUNK_SIZE)
            for task in failed:
                self._publish_end(task, report)
            if not failed:
                break
        while not queue.empty():
            await self._fail(queue.get_nowait(), reason)

    async def _fail(self, task: POTask, reason: Reason) -> None:
        report = Report(reason=reason)
        await self._deps.context.journal.finish(task.task_id, report, "")
        self._publish_end(task, report)

    def _publish_end(self, task: POTask, report: Report) -> None:
        self._deps.event_log.publish(TaskEnded(task=task, report=report, folder="", worker=None))
        self._deps.on_outcome(task, report)


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

    journal: Journal
    archive: Archive
    event_log: EventLog
    report: Callable[[PoolInput], None]
    #: When the pool must be gone: a filing whose disk hangs is left behind then, and the next start takes it up.
    deadline: Deadline = field(default_factory=Deadline)
    #: Tells which place of the run is gone; nothing when all are there. Blocking.
    missing_folder: Callable[[], str] = str
    limiter: anyio.CapacityLimiter = field(default_factory=_new_limiter)
    #: Tasks whose files are on their way, which no worker has any more.
    under_way: set[TaskId] = field(default_factory=set[TaskId])

    async def finalize(self, command: FileReport, staged: Path) -> bool:
        """File one order and write its outcome down; false when the disk refused, which is then reported.

        Not cancelled half-way, but left behind when the pool must be gone: then it is as after a crash.
        """
        is_filed, placed = False, Filed(folder="")
        with self.deadline.shield():
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

    async def record_outcome(self, command: RecordOutcome, staged: Path) -> bool:
        """Write an outcome without files down, and touch the output folder in no way; false when it hangs."""
        is_done = False
        with self.deadline.shield():
            await self._write_down(command, "", staged)
            is_done = True
        if is_done:
            self._publish_end(command, "")
        return is_done

    async def discard(self, staged: Path) -> None:
        """Remove what an attempt left that is not filed."""
        await self._in_thread(partial(self.archive.discard, staged))

    async def _write_down(self, command: FileReport | RecordOutcome, folder: str, staged: Path) -> None:
        await self.journal.finish(command.task.task_id, command.report, folder)
        await self.discard(staged)

    def _publish_end(self, command: FileReport | RecordOutcome, folder: str) -> None:
        self.report(TaskFiled(worker=command.worker, task=command.task))
        ended = TaskEnded(task=command.task, report=command.report, folder=folder, worker=command.worker)
        self.event_log.publish(ended)

    def _post_failure(self, command: FileReport, refusal: _Refusal) -> None:
        self.report(
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
        if missing := self.missing_folder():
            return _Refusal(trouble=StorageTrouble.AWAY, problem=missing)
        try:
            return self.archive.file(command.task, command.report, staged)
        except OSError as error:
            return self._classify(error)

    def _classify(self, error: OSError) -> _Refusal:
        """Tell a place that takes nothing from an order whose own folder is refused. Blocking."""
        trouble = trouble_of(error)
        if trouble in {StorageTrouble.FULL, StorageTrouble.OTHER}:
            return _Refusal(trouble=trouble, problem=_problem(trouble, error))
        refused = self.archive.refusal()
        if refused is None:
            return _Refusal(trouble=trouble, problem=_problem(StorageTrouble.OTHER, error), is_place_fine=True)
        whole = trouble_of(refused) if trouble_of(refused).may_pass else trouble
        return _Refusal(trouble=whole, problem=_problem(whole, refused))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await anyio.to_thread.run_sync(work, limiter=self.limiter, abandon_on_cancel=True)


def _with_notes(command: FileReport, told: tuple[str, ...]) -> FileReport:
    """The same order, whose report says what the archive knows of its earlier files."""
    if not told:
        return command
    detail = " ".join(filter(None, (command.report.detail, *told)))
    return replace(command, report=replace(command.report, detail=detail))


def _problem(trouble: StorageTrouble, error: OSError) -> str:
    """What happened, and who can do what about it."""
    if trouble is StorageTrouble.FORBIDDEN and error.filename is not None:
        return f"{_PROBLEMS[trouble]}: {describe_error(error, Path(error.filename)).sentence()}"
    return f"{_PROBLEMS[trouble]} ({error.strerror or error})."
