"""A refusal of the disk, told from one order's own: what it means, and who can do what about it."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from poolwright.archive.output_tree import OutputTree
from poolwright.archive.staging import StagingFolders
from poolwright.concurrency import SystemClock
from poolwright.domain.ids import WorkerRef
from poolwright.domain.outcomes import Reason
from poolwright.domain.ports import Filed
from poolwright.domain.storage import StorageTrouble
from poolwright.domain.tasks import POTask, Report
from poolwright.supervisor.policy.commands import FileReport, RecordOutcome
from poolwright.supervisor.policy.events import FilingFailed, TaskFiled
from poolwright.supervisor.pool_context import PoolContext
from poolwright.supervisor.storage_monitor import StorageMonitor
from poolwright.supervisor.task_writer import TaskFiler
from tests.support.memory_journal import MemoryJournal
from tests.support.pool_contexts import KnownFolders, pool_context, posted, storage_of
from tests.support.tasks import BATCH, orders, po_task

ONE = WorkerRef(1, 1)
FILE = FileReport(worker=ONE, task=po_task(1), report=Report(reason=Reason.ALL_SAVED))


class RefusingTree(OutputTree):
    """Refuses one order, and perhaps everything."""

    def __init__(self, root: Path, code: int, whole: int | None) -> None:
        super().__init__(root, clock=SystemClock())
        self._code, self._whole, self.asked = code, whole, 0

    def file(self, task: POTask, report: Report, staged: Path) -> Filed:
        self.asked += 1
        raise OSError(self._code, "no", str(staged / "Acme"))

    def refusal(self) -> OSError | None:
        return None if self._whole is None else OSError(self._whole, "no", "/somewhere/out")


class MissingFolders(StorageMonitor):
    """Misses a folder, or none."""

    def __init__(self, context: PoolContext, missing: str) -> None:
        super().__init__(context, KnownFolders())
        self._missing = missing

    def missing_folder(self) -> str:
        return self._missing


async def told(root: Path, code: int, whole: int | None, missing: str = "") -> FilingFailed:
    context = pool_context(archive=RefusingTree(root, code, whole))
    filing = TaskFiler(
        context=context, storage=MissingFolders(context, missing), staging=StagingFolders(root / "staged")
    )
    assert not await filing.finalize(FILE)
    (fact,) = posted(context)
    assert isinstance(fact, FilingFailed)
    return fact


class TreeWithNotes(OutputTree):
    """An output folder that has something to say of each order."""

    def file(self, task: POTask, report: Report, staged: Path) -> Filed:
        del task, report, staged
        return Filed(folder="", notices=("One is kept.", "So is another."))


@pytest.mark.parametrize(
    ("code", "whole", "trouble", "is_place_fine"),
    [
        (errno.ENOSPC, None, StorageTrouble.FULL, False),
        (errno.EACCES, errno.EACCES, StorageTrouble.FORBIDDEN, False),
        (errno.EACCES, None, StorageTrouble.FORBIDDEN, True),
        (errno.EIO, errno.EROFS, StorageTrouble.FORBIDDEN, False),
        (errno.ESTALE, None, StorageTrouble.AWAY, True),
        (errno.EEXIST, errno.EACCES, StorageTrouble.OTHER, False),
    ],
)
async def test_a_refusal_means_what_the_whole_place_says(
    tmp_path: Path, code: int, whole: int | None, trouble: StorageTrouble, is_place_fine: bool
) -> None:
    fact = await told(tmp_path, code, whole)

    assert (fact.trouble, fact.is_place_fine) == (trouble, is_place_fine)
    assert fact.file == FILE


async def test_a_folder_that_may_not_be_written_is_told_with_the_next_step(tmp_path: Path) -> None:
    fact = await told(tmp_path, errno.EACCES, errno.EROFS)

    assert fact.problem.startswith("The output folder is not writable: no, its mount is read-only.")
    assert "Mount it writable" in fact.problem


async def test_nothing_is_filed_into_a_place_that_is_gone(tmp_path: Path) -> None:
    fact = await told(tmp_path, errno.EINVAL, None, missing="The output folder is gone.")

    assert (fact.trouble, fact.problem) == (StorageTrouble.AWAY, "The output folder is gone.")
    assert not fact.is_place_fine


async def test_an_outcome_without_files_asks_nothing_of_the_output_folder(tmp_path: Path) -> None:
    journal = MemoryJournal(SystemClock())
    await journal.accept(orders(1))
    (task,) = await journal.fetch(BATCH, 1)
    await journal.start(task.task_id, ONE)
    tree = RefusingTree(tmp_path, errno.EINVAL, errno.EACCES)
    context = pool_context(journal, tree)
    filing = TaskFiler(context=context, storage=storage_of(context), staging=StagingFolders(tmp_path / "x"))

    done = await filing.record_outcome(RecordOutcome(worker=ONE, task=task, report=Report(reason=Reason.FILING_FAILED)))

    assert done
    assert posted(context) == [TaskFiled(worker=ONE, task=task)]
    assert tree.asked == 0
    assert [record.status for record in await journal.records(BATCH)] == ["DONE"]


async def test_what_the_archive_knows_of_earlier_files_stands_in_the_report(tmp_path: Path) -> None:
    journal = MemoryJournal(SystemClock())
    await journal.accept(orders(1))
    (task,) = await journal.fetch(BATCH, 1)
    await journal.start(task.task_id, ONE)
    tree = TreeWithNotes(tmp_path, clock=SystemClock())
    context = pool_context(journal, tree)
    filing = TaskFiler(context=context, storage=storage_of(context), staging=StagingFolders(tmp_path / "x"))
    report = Report(reason=Reason.NONE_LISTED, detail="The page says so.")

    done = await filing.finalize(FileReport(worker=ONE, task=task, report=report))

    assert done
    (record,) = await journal.records(BATCH)
    assert record.report is not None
    assert record.report.detail == "The page says so. One is kept. So is another."
