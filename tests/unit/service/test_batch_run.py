"""How a batch begins and ends: what the disk refuses, and what somebody who stops it waits for. No worker starts."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NoReturn, Self

import anyio
import anyio.to_thread
import pytest

from poolwright.archive import report
from poolwright.archive.output_tree import PRIVATE_NAME, OutputTree
from poolwright.concurrency import SystemClock
from poolwright.domain.errors import SetupError
from poolwright.domain.events import Event, Level, Notice
from poolwright.domain.ids import WorkerRef
from poolwright.domain.options import BrowserOptions, PoolOptions, WorkerOptions
from poolwright.domain.outcomes import Outcome
from poolwright.journal.sqlite_journal import SqliteJournal
from poolwright.service import batch_run
from poolwright.service.batch import BatchEnding, BatchJob, BatchSummary, RedoPolicy
from poolwright.supervisor.pool_context import PoolPorts
from tests.support.archive_orders import report_for, stage
from tests.support.profile_folders import make_base
from tests.support.tasks import orders

pytestmark = pytest.mark.timeout(30)


def job_of(folder: Path, *numbers: int) -> BatchJob:
    return BatchJob(
        orders=orders(*numbers),
        pool=PoolOptions(
            worker=WorkerOptions(browser=BrowserOptions()),
            worker_count=1,
            base_profile_path=folder / "base",
            runs_root=folder / "runs",
            staging_path=folder / "out" / ".poolwright" / "staging",
        ),
        out=folder / "out",
        template="{number}",
        journal_path=folder / "journal.db",
        report_stem="orders-report",
    )


async def run(job: BatchJob, *, stop: bool = False, stop_now: bool = False) -> tuple[BatchSummary, list[str]]:
    """How it ended, and what was said."""
    events: list[Event] = []
    wishes = anyio.Event(), anyio.Event()
    for wish, is_wanted in zip(wishes, (stop, stop_now), strict=True):
        if is_wanted:
            wish.set()
    summary = await batch_run.run_batch(job, observe=events.append, stop=wishes[0], stop_now=wishes[1])
    return summary, [event.text for event in events if isinstance(event, Notice) and event.level is Level.WARNING]


async def test_a_report_that_cannot_be_written_is_told_and_takes_no_summary_along(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "reports").write_text("a file in its place")

    summary, said = await run(job_of(tmp_path))

    assert (summary.ending, summary.report_xlsx) == (BatchEnding.FINISHED, None)
    assert (
        "cannot be written: File exists. Fix this and run the batch again to get the report." in summary.report_problem
    )
    assert said == [summary.report_problem]


@pytest.mark.parametrize("number", [5, 13, 28, 30, 107, 116, 122])
async def test_whatever_the_disk_says_to_a_report_the_summary_comes(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int) -> None:
        del descriptor
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    monkeypatch.setattr(report, "sync_file", lambda path: refuse(0))

    summary, _ = await run(job_of(tmp_path))

    assert os.strerror(number) in summary.report_problem


async def test_what_an_earlier_run_was_filing_and_cannot_be_finished_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(tree: OutputTree) -> None:
        del tree
        raise OSError(5, "Input/output error", str(tmp_path / "out"))

    monkeypatch.setattr(OutputTree, "recover", refuse)

    with pytest.raises(
        SetupError, match=r"Files of an earlier run in '.*out' cannot be moved into place: Input/output error\."
    ):
        await run(job_of(tmp_path))


async def test_a_list_that_is_not_taken_yet_is_left_when_somebody_stops(tmp_path: Path) -> None:
    job = job_of(tmp_path, 1, 2, 3)

    summary, _ = await run(job, stop=True)

    assert (summary.ending, summary.left_count, summary.report_xlsx) == (BatchEnding.STOPPED, 3, None)
    async with SqliteJournal(job.journal_path, SystemClock()) as journal:
        assert await journal.records(job.orders.batch_id) == ()


class HangingDisk:
    """Work on a disk that hangs until the test is over."""

    def __init__(self) -> None:
        self.has_begun = threading.Event()
        self.goes_on = threading.Event()

    def __call__(self, *_: object) -> NoReturn:
        self.has_begun.set()
        self.goes_on.wait()
        raise OSError(errno.EIO, "Input/output error")


@pytest.fixture
def hanging() -> Iterator[HangingDisk]:
    hanging = HangingDisk()
    yield hanging
    hanging.goes_on.set()


@pytest.mark.parametrize(
    "what",
    [
        "poolwright.archive.output_tree.OutputTree.recover",
        "poolwright.profile.profile.clone_profile",
        "poolwright.profile.profile.check_base",
        "poolwright.profile.run_folder.RunFolder.worker_folder",
        "poolwright.supervisor.workspace.remove_dead_runs",
    ],
)
async def test_a_disk_that_hangs_at_the_beginning_keeps_nobody_who_wants_to_stop(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hanging: HangingDisk
) -> None:
    make_base(tmp_path / "base")
    monkeypatch.setattr(what, lambda *_, **__: hanging())
    stop, summaries = anyio.Event(), list[BatchSummary]()

    async def bring_home() -> None:
        job = job_of(tmp_path, 1, 2)
        summaries.append(await batch_run.run_batch(job, observe=lambda _: None, stop=stop, stop_now=anyio.Event()))

    async with anyio.create_task_group() as running:
        running.start_soon(bring_home)
        await anyio.to_thread.run_sync(hanging.has_begun.wait)
        stop.set()

    assert [(one.ending, one.left_count, one.done_now_count) for one in summaries] == [(BatchEnding.STOPPED, 2, 0)]
    assert list((tmp_path / "runs").glob("*")) == []
    assert not (tmp_path / "out" / ".poolwright" / "staging").exists()


async def test_a_report_is_written_after_the_first_wish_to_stop_and_given_up_after_the_second(
    tmp_path: Path,
) -> None:
    job = job_of(tmp_path)
    stop, stop_now = anyio.Event(), anyio.Event()
    stop.set()

    async with SqliteJournal(job.journal_path, SystemClock()) as journal:
        written = await batch_run.write_batch_report(job, journal, stop, stop_now)
        stop_now.set()
        left = await batch_run.write_batch_report(job, journal, stop, stop_now)

    assert written.files is not None
    assert written.files.json.is_file()
    assert (left.files, left.problem) == (
        None,
        "The report was not written because the run was stopped. Run the batch again to get the report.",
    )


async def test_a_report_that_takes_long_is_not_waited_for_by_somebody_who_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(*_: object, cancel_check: Callable[[], None], **__: object) -> None:
        while True:
            cancel_check()

    monkeypatch.setattr(batch_run, "write_reports", endless)
    monkeypatch.setattr(batch_run, "REPORT_AFTER_STOP_S", 0.05)
    stop = anyio.Event()
    stop.set()

    job = job_of(tmp_path)
    async with SqliteJournal(job.journal_path, SystemClock()) as journal:
        left = await batch_run.write_batch_report(job, journal, stop, anyio.Event())

    assert left.files is None


async def test_columns_of_the_list_become_levels_of_folders(tmp_path: Path) -> None:
    job = replace(job_of(tmp_path, 1), template="{Buyer}/{number}")
    rows = tuple(replace(row, cells=(*row.cells, "Ann")) for row in job.orders.rows)
    job = replace(job, orders=replace(job.orders, columns=(*job.orders.columns, "Buyer"), rows=rows))
    job = batch_run.with_folder_cells(job)
    (task,) = job.orders.tasks
    files = {"a.pdf": b"a"}

    filed = batch_run.output_tree_of(job, SystemClock()).file(task, report_for(files), stage(tmp_path / "s", files))

    assert filed.folder == f"Ann/{task.po_number}"


async def test_a_list_that_takes_long_to_accept_is_left_when_somebody_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stop_at(monkeypatch, "poolwright.journal.sqlite_journal.SqliteJournal.accept", job := job_of(tmp_path, 1, 2))

    async with SqliteJournal(job.journal_path, SystemClock()) as journal:
        assert await journal.records(job.orders.batch_id) == ()


async def test_a_check_of_earlier_files_that_takes_long_is_left_when_somebody_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = await stop_at(monkeypatch, "poolwright.service.batch_run.reopen", job_of(tmp_path, 1, 2))

    assert summary.detail.startswith("Not all files of the earlier run were checked.")


async def stop_at(monkeypatch: pytest.MonkeyPatch, what: str, job: BatchJob) -> BatchSummary:
    """How a run ends that is stopped during a step that would never end."""
    has_begun, stop, summaries = anyio.Event(), anyio.Event(), list[BatchSummary]()

    async def endless(*_: object, **__: object) -> None:
        has_begun.set()
        await anyio.sleep_forever()

    async def bring_home() -> None:
        summaries.append(await batch_run.run_batch(job, observe=lambda _: None, stop=stop, stop_now=anyio.Event()))

    with monkeypatch.context() as patched:
        patched.setattr(what, endless)
        with anyio.fail_after(20):
            async with anyio.create_task_group() as running:
                running.start_soon(bring_home)
                await has_begun.wait()
                stop.set()
    (summary,) = summaries
    assert (summary.ending, summary.left_count) == (BatchEnding.STOPPED, 2)
    return summary


class LeavingPool:
    """A pool with nothing to do, which is left when the library of the report is loaded, and not before."""

    end = None

    def __init__(self) -> None:
        self.is_loaded = threading.Event()
        self.was_loaded_in_time = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.was_loaded_in_time = await anyio.to_thread.run_sync(self.is_loaded.wait, 10.0)

    async def finish(self) -> None:
        assert not self.is_loaded.is_set(), "workers need the processors more"

    def stop(self) -> None:
        """Nobody stops it."""

    def shutdown_now(self) -> None:
        """Nobody stops it."""


class FilingPool(LeavingPool):
    """A pool that files every order, while somebody removes the folders of some."""

    def __init__(self, ports: PoolPorts, out: Path, removed: Collection[str]) -> None:
        super().__init__()
        self._ports, self._out, self._removed = ports, out, removed

    async def __aexit__(self, *_: object) -> None:
        """Nothing is left to do."""

    async def finish(self) -> None:
        journal, worker = self._ports.journal, WorkerRef(slot=1, generation=1)
        for queued in await journal.fetch(self._ports.batch_id, 10):
            task = await journal.start(queued.task_id, worker)
            given = {"a.pdf": b"%PDF-1.7 content"}
            staged = stage(self._out / PRIVATE_NAME / task.po_number, given)
            filed = self._ports.archive.file(task, report_for(given), staged)
            await journal.finish(task.task_id, report_for(given), filed.folder)
            self._ports.archive.discard(staged)
            if task.po_number in self._removed:
                shutil.rmtree(self._out / filed.folder)


@pytest.mark.parametrize(
    ("removed", "told"),
    [
        ((), ""),
        (("PO2",), "The folder PO2 is no longer in {out}, where the files were put: its order is not done."),
        (
            ("PO1", "PO2", "PO3"),
            ("The folder PO1 and 2 more are no longer in {out}, where the files were put: their orders are not done."),
        ),
    ],
)
async def test_orders_whose_folders_are_removed_during_the_run_are_open_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, removed: tuple[str, ...], told: str
) -> None:
    job = job_of(tmp_path, 1, 2, 3)
    monkeypatch.setattr(batch_run, "PersistentWorkerPool", lambda _, ports: FilingPool(ports, job.out, removed))
    monkeypatch.setattr(batch_run, "load_workbook_writer", lambda: None)

    summary, said = await run(job)
    monkeypatch.setattr(batch_run, "PersistentWorkerPool", lambda _, ports: FilingPool(ports, job.out, ()))
    again, _ = await run(job)

    sentence = told.format(out=job.out)
    assert (summary.left_count, summary.detail, said) == (len(removed), sentence, [sentence] if removed else [])
    assert (again.left_count, again.outcomes, again.done_now_count) == (0, {Outcome.COMPLETED: 3}, len(removed))


async def test_whoever_wants_no_order_again_may_take_folders_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = replace(job_of(tmp_path, 1, 2), redo=RedoPolicy.NOTHING)
    monkeypatch.setattr(batch_run, "PersistentWorkerPool", lambda _, ports: FilingPool(ports, job.out, ("PO1",)))
    monkeypatch.setattr(batch_run, "load_workbook_writer", lambda: None)

    summary, said = await run(job)

    assert (summary.left_count, summary.detail, summary.outcomes) == (0, "", {Outcome.COMPLETED: 2})
    assert any("PO1: no longer in" in text for text in said), "the report tells it"


async def test_what_the_report_needs_is_loaded_while_the_workers_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = LeavingPool()
    monkeypatch.setattr(batch_run, "PersistentWorkerPool", lambda *_: pool)
    monkeypatch.setattr(batch_run, "load_workbook_writer", pool.is_loaded.set)

    summary, _ = await run(job_of(tmp_path, 1))

    assert (pool.was_loaded_in_time, summary.left_count) == (True, 1)
