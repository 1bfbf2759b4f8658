"""Looking at finished orders again: until one has changed, its report stays as it is, whatever happens meanwhile."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from poolwright.domain.ids import BatchId
from poolwright.domain.outcomes import Outcome, Reason, ReturnReason
from poolwright.domain.refresh import FileChanges, RefreshCounts
from poolwright.domain.tasks import Report, TaskRecord
from poolwright.journal import queries
from poolwright.journal.sqlite_journal import SqliteJournal
from tests.support.journal_audit import check_laws
from tests.support.manual_clock import ManualClock
from tests.support.tasks import BATCH, OTHER, WORKER, orders, report, task_id

DONE = report(Reason.ALL_SAVED, "a.pdf", "b.pdf")
CHANGED = report(Reason.ALL_SAVED, "a.pdf", "c.pdf")
FAILED = Report(reason=Reason.PORTAL_ERROR, detail="It broke.")


@pytest.fixture
async def journal(path: Path, clock: ManualClock) -> AsyncGenerator[SqliteJournal]:
    """A journal with one order that is done, and is being looked at again."""
    async with SqliteJournal(path, clock) as journal:
        await journal.accept(orders(1))
        await attempt(journal, DONE)
        clock.advance(3600)
        assert await journal.refresh({task_id(1): DONE.files, task_id(2): ()}) == 1
        yield journal
    check_laws(path)


async def attempt(journal: SqliteJournal, result: Report, folder: str = "Acme/PO1") -> None:
    [task] = await journal.fetch(BATCH, 1)
    await journal.start(task.task_id, WORKER)
    await journal.finish(task.task_id, result, folder)


async def record_of(journal: SqliteJournal) -> TaskRecord:
    record = await journal.find(task_id(1))
    assert record is not None
    return record


async def test_the_task_knows_its_files_from_start_to_end(journal: SqliteJournal) -> None:
    assert (await record_of(journal)).is_refreshing
    [task] = await journal.fetch(BATCH, 1)
    assert task.known_files == DONE.files
    assert (await journal.start(task.task_id, WORKER)).known_files == DONE.files
    await journal.requeue(task.task_id, ReturnReason.DRAINING, detail="", delay_s=0.0, is_attempt_spent=False)

    await attempt(journal, DONE)

    record = await record_of(journal)
    assert record.task.known_files is None
    assert not record.is_refreshing


async def test_what_the_portal_told_of_a_file_is_kept(journal: SqliteJournal) -> None:
    told = replace(CHANGED, files=(replace(CHANGED.files[0], etag='"1"', last_modified="then"),))

    await attempt(journal, told)

    assert (await record_of(journal)).report == told


async def test_a_refresh_without_a_change_keeps_the_report(journal: SqliteJournal) -> None:
    before = await record_of(journal)

    await attempt(journal, report(Reason.ALL_SAVED, "b.pdf", "a.pdf"), "elsewhere")

    after = await record_of(journal)
    assert (after.report, after.folder, after.finished_at) == (DONE, "Acme/PO1", before.finished_at)
    assert after.refresh is not None
    assert after.refresh.changes == FileChanges(same_count=2)
    assert after.status == "DONE"


async def test_a_refresh_without_success_keeps_the_report(journal: SqliteJournal) -> None:
    await attempt(journal, FAILED, "")

    after = await record_of(journal)
    assert (after.report, after.folder) == (DONE, "Acme/PO1")
    assert after.refresh is not None
    assert after.refresh.problem == "failed, It broke"
    assert await journal.query(partial(queries.count_outcomes, batch_id=BATCH)) == {Outcome.COMPLETED: 1}


async def test_a_refresh_with_a_change_replaces_the_report(journal: SqliteJournal, clock: ManualClock) -> None:
    await attempt(journal, CHANGED, "Other/PO1")

    after = await record_of(journal)
    assert (after.report, after.folder, after.finished_at) == (CHANGED, "Other/PO1", clock.now())
    assert after.refresh is not None
    # all files of these reports have the same content, so the new one is the old one under another name
    assert after.refresh.changes == FileChanges(changed=("c.pdf",), same_count=1)
    assert after.refresh.at == clock.now()


async def test_a_pool_that_gives_up_keeps_the_report(journal: SqliteJournal) -> None:
    await journal.finish_waiting(BATCH, Report(reason=Reason.NO_WORKERS), 10)

    after = await record_of(journal)
    assert after.report == DONE
    assert after.refresh is not None
    assert after.refresh.problem == "failed"


@pytest.mark.parametrize("is_all", [False, True])
async def test_a_cancelled_refresh_keeps_the_outcome(journal: SqliteJournal, *, is_all: bool) -> None:
    if is_all:
        assert await journal.cancel_all([task_id(1)]) == (task_id(1),)
    else:
        assert await journal.cancel(task_id(1))

    after = await record_of(journal)
    assert (after.report, after.status) == (DONE, "DONE")


async def test_a_run_that_crashes_goes_on_with_the_refresh(path: Path, clock: ManualClock) -> None:
    async with SqliteJournal(path, clock) as journal:
        await journal.accept(orders(1))
        await attempt(journal, DONE)
        await journal.refresh({task_id(1): DONE.files})
        [task] = await journal.fetch(BATCH, 1)
        await journal.start(task.task_id, WORKER)

    async with SqliteJournal(path, clock) as journal:
        await journal.recover(max_attempts=3)
        assert (await journal.fetch(BATCH, 1))[0].known_files == DONE.files
        await journal.start(task_id(1), WORKER)

    async with SqliteJournal(path, clock) as journal:
        await journal.recover(max_attempts=1)
        after = await record_of(journal)
    assert (after.report, after.status) == (DONE, "DONE")
    check_laws(path)


async def test_an_order_that_is_fetched_anew_has_no_refresh_any_more(journal: SqliteJournal) -> None:
    await attempt(journal, FAILED)
    await journal.reopen([task_id(1)])
    assert not (await record_of(journal)).is_refreshing

    await attempt(journal, FAILED, "")

    after = await record_of(journal)
    assert (after.report, after.refresh) == (FAILED, None)


async def test_a_second_refresh_replaces_the_first(journal: SqliteJournal) -> None:
    await attempt(journal, CHANGED)
    await journal.refresh({task_id(1): CHANGED.files})

    await attempt(journal, CHANGED)

    after = await record_of(journal)
    assert after.refresh is not None
    assert after.refresh.changes == FileChanges(same_count=2)


async def test_only_the_refreshes_of_a_list_since_a_moment_are_counted(
    journal: SqliteJournal, clock: ManualClock
) -> None:
    await attempt(journal, FAILED)
    at = clock.now()

    async def count(batch_id: BatchId, since: datetime) -> RefreshCounts:
        return await journal.query(partial(queries.count_refreshes, batch_id=batch_id, since=since))

    assert await count(BATCH, at) == RefreshCounts(failed_count=1)
    assert await count(BATCH, at + timedelta(seconds=1)) == RefreshCounts()
    assert await count(OTHER, at) == RefreshCounts()


async def test_a_list_shows_what_came_of_looking_again_since_it_was_accepted_last(
    journal: SqliteJournal, clock: ManualClock
) -> None:
    async def shown() -> RefreshCounts:
        view = await journal.query(partial(queries.find_list, batch_id=BATCH))
        assert view is not None
        return view.refresh

    assert await shown() == RefreshCounts()
    await attempt(journal, CHANGED)
    assert await shown() == RefreshCounts(changed_count=1, changed_file_count=1)

    clock.advance(1)
    await journal.accept(orders(1))
    assert await shown() == RefreshCounts()
