"""Puts finished orders in place: files first, then the journal. Several orders are filed side by side, in threads."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import anyio.to_thread

from app.domain.events import TaskEnded
from app.domain.failures import is_disk_out
from app.domain.ids import TaskId
from app.domain.ports import Archive, Journal
from app.supervisor.chronicle import Chronicle
from app.supervisor.commands import File
from app.supervisor.facts import Fact, FilingFailed, TaskFiled

#: Filing waits for the disk, not for the processor; more would not be faster.
PARALLEL_FILING_COUNT = 2


def _places() -> anyio.CapacityLimiter:
    return anyio.CapacityLimiter(PARALLEL_FILING_COUNT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """The way from a staged order to its folder. The commit comes last: a crash before it files the order again."""

    journal: Journal
    archive: Archive
    chronicle: Chronicle
    report: Callable[[Fact], None]
    places: anyio.CapacityLimiter = field(default_factory=_places)
    #: Tasks whose files are on their way, which no worker has any more.
    under_way: set[TaskId] = field(default_factory=set[TaskId])

    async def file(self, command: File, staged: Path) -> bool:
        """File one order and write its outcome down; false when the disk refused, which is then reported.

        Not cancelled half-way.
        """
        folder = ""
        with anyio.CancelScope(shield=True):
            try:
                filed = await anyio.to_thread.run_sync(
                    self.archive.file, command.task, command.report, staged, limiter=self.places
                )
            except OSError as error:
                self._tell_failure(command, error)
                return False
            folder = filed.folder
            await self.journal.finish(command.task.task_id, command.report, folder)
            await anyio.to_thread.run_sync(self.archive.discard, staged)
        self.report(TaskFiled(worker=command.worker, task=command.task))
        ended = TaskEnded(task=command.task, report=command.report, folder=folder, worker=command.worker)
        self.chronicle.tell(ended)
        return True

    def _tell_failure(self, command: File, error: OSError) -> None:
        is_disk_full = is_disk_out(error)
        is_room_missing = error.errno in {errno.ENOSPC, errno.EDQUOT}
        what = "The disk of the output folder is full" if is_room_missing else "The output folder cannot take its files"
        problem = f"{what} ({error.strerror or error})."
        self.report(
            FilingFailed(
                worker=command.worker,
                task=command.task,
                report=command.report,
                problem=problem,
                is_disk_full=is_disk_full,
            )
        )
