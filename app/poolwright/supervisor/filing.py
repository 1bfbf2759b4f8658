"""Puts finished orders in place: files first, then the journal. Several orders are filed side by side, in threads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import anyio
import anyio.to_thread

from poolwright.domain.events import TaskEnded
from poolwright.domain.ids import TaskId
from poolwright.domain.ports import Archive, Filed, Journal
from poolwright.domain.storage import StorageTrouble, trouble_of
from poolwright.files.permissions import describe_error
from poolwright.supervisor.chronicle import Chronicle
from poolwright.supervisor.commands import File, Finish
from poolwright.supervisor.deadline import Deadline
from poolwright.supervisor.facts import Fact, FilingFailed, TaskFiled

#: Filing waits for the disk, not for the processor; more would not be faster.
PARALLEL_FILING_COUNT = 2
T = TypeVar("T")

_WHAT = {
    StorageTrouble.FULL: "The disk of the output folder is full",
    StorageTrouble.AWAY: "The disk of the output folder does not answer",
    StorageTrouble.FORBIDDEN: "The output folder is not writable",
    StorageTrouble.OTHER: "The files cannot be written to the output folder",
}


def _places() -> anyio.CapacityLimiter:
    return anyio.CapacityLimiter(PARALLEL_FILING_COUNT)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refusal:
    """What it means that the disk did not take an order's files."""

    trouble: StorageTrouble
    problem: str
    is_place_fine: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """The way from a staged order to its folder. The commit comes last: a crash before it files the order again."""

    journal: Journal
    archive: Archive
    chronicle: Chronicle
    report: Callable[[Fact], None]
    #: When the pool must be gone: a filing whose disk hangs is left behind then, and the next start takes it up.
    deadline: Deadline = field(default_factory=Deadline)
    #: Tells which place of the run is gone; nothing when all are there. Blocking.
    missing: Callable[[], str] = str
    places: anyio.CapacityLimiter = field(default_factory=_places)
    #: Tasks whose files are on their way, which no worker has any more.
    under_way: set[TaskId] = field(default_factory=set[TaskId])

    async def file(self, command: File, staged: Path) -> bool:
        """File one order and write its outcome down; false when the disk refused, which is then reported.

        Not cancelled half-way, but left behind when the pool must be gone: then it is as after a crash.
        """
        is_filed, placed = False, Filed(folder="")
        with self.deadline.shield():
            placed = await self._in_thread(partial(self._place, command, staged))
            if isinstance(placed, Filed):
                command = _with_words(command, placed.told)
                await self._write_down(command, placed.folder, staged)
                is_filed = True
        if isinstance(placed, _Refusal):
            self._tell_failure(command, placed)
        elif is_filed:
            self._tell_end(command, placed.folder)
        return is_filed

    async def finish(self, command: Finish, staged: Path) -> bool:
        """Write an outcome without files down, and touch the output folder in no way; false when it hangs."""
        is_done = False
        with self.deadline.shield():
            await self._write_down(command, "", staged)
            is_done = True
        if is_done:
            self._tell_end(command, "")
        return is_done

    async def discard(self, staged: Path) -> None:
        """Remove what an attempt left that is not filed."""
        await self._in_thread(partial(self.archive.discard, staged))

    async def _write_down(self, command: File | Finish, folder: str, staged: Path) -> None:
        await self.journal.finish(command.task.task_id, command.report, folder)
        await self.discard(staged)

    def _tell_end(self, command: File | Finish, folder: str) -> None:
        self.report(TaskFiled(worker=command.worker, task=command.task))
        ended = TaskEnded(task=command.task, report=command.report, folder=folder, worker=command.worker)
        self.chronicle.tell(ended)

    def _tell_failure(self, command: File, refusal: _Refusal) -> None:
        self.report(
            FilingFailed(
                worker=command.worker,
                file=command,
                problem=refusal.problem,
                trouble=refusal.trouble,
                is_place_fine=refusal.is_place_fine,
            )
        )

    def _place(self, command: File, staged: Path) -> Filed | _Refusal:
        """Put the files in place; where they are, or why not. Blocking."""
        if missing := self.missing():
            return _Refusal(trouble=StorageTrouble.AWAY, problem=missing)
        try:
            return self.archive.file(command.task, command.report, staged)
        except OSError as error:
            return self._judge(error)

    def _judge(self, error: OSError) -> _Refusal:
        """Tell a place that takes nothing from an order whose own folder is refused. Blocking."""
        trouble = trouble_of(error)
        if trouble in {StorageTrouble.FULL, StorageTrouble.OTHER}:
            return _Refusal(trouble=trouble, problem=_told(trouble, error))
        refused = self.archive.refusal()
        if refused is None:
            return _Refusal(trouble=trouble, problem=_told(StorageTrouble.OTHER, error), is_place_fine=True)
        whole = trouble_of(refused) if trouble_of(refused).may_pass else trouble
        return _Refusal(trouble=whole, problem=_told(whole, refused))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await anyio.to_thread.run_sync(work, limiter=self.places, abandon_on_cancel=True)


def _with_words(command: File, told: tuple[str, ...]) -> File:
    """The same order, whose report says what the archive knows of its earlier files."""
    if not told:
        return command
    detail = " ".join(filter(None, (command.report.detail, *told)))
    return replace(command, report=replace(command.report, detail=detail))


def _told(trouble: StorageTrouble, error: OSError) -> str:
    """What happened, and who can do what about it."""
    if trouble is StorageTrouble.FORBIDDEN and error.filename is not None:
        return f"{_WHAT[trouble]}: {describe_error(error, Path(error.filename)).sentence()}"
    return f"{_WHAT[trouble]} ({error.strerror or error})."
