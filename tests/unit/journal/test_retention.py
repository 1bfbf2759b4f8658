"""Old history goes, what is done stays done: nothing that was fetched is ever fetched again."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path

import pytest

from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.domain.state_machine import Transition
from poolwright.domain.tasks import OrderRow
from poolwright.journal import retention
from poolwright.journal.retention import PruneResult
from poolwright.journal.sqlite_journal import SqliteJournal
from tests.support.journal_audit import check_laws, query
from tests.support.manual_clock import ManualClock
from tests.support.tasks import BATCH, OTHER, WORKER, orders, report, task_id

DAY_S = 24 * 3600.0


@asynccontextmanager
async def opened(path: Path, clock: ManualClock) -> AsyncGenerator[SqliteJournal]:
    async with SqliteJournal(path, clock, busy_timeout_s=0.2) as journal:
        yield journal
    check_laws(path, is_swept=True)


async def work_off(journal: SqliteJournal, *numbers: int) -> None:
    """Bring orders of the first list home, each at its second attempt."""
    for number in numbers:
        for is_last in (False, True):
            await journal.fetch(BATCH, 1)
            await journal.start(task_id(number), WORKER)
            if is_last:
                await journal.finish(task_id(number), report(Reason.ALL_SAVED, "a.pdf"), f"folder/{number}")
            else:
                await journal.requeue(
                    task_id(number), ReturnReason.DRAINING, detail="", delay_s=0, is_attempt_spent=True
                )


async def forget(journal: SqliteJournal, clock: ManualClock, days: float, spared: Collection[str] = ()) -> PruneResult:
    return await journal.prune(clock.now() - timedelta(days=days), [BATCH] if BATCH in spared else [])


def counts(path: Path) -> dict[str, int]:
    tables = ("tasks", "reports", "files", "batches", "rows", "batch_tasks", "attempts", "transitions")
    return {table: query(path, f"SELECT count(*) FROM {table}")[0][0] for table in tables}  # noqa: S608


def size_bytes(path: Path) -> int:
    return path.stat().st_size


@pytest.mark.parametrize("step_rows", [1, 3, 2_000])
async def test_what_ended_long_ago_loses_its_history_and_lists_but_stays_done(
    path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, step_rows: int
) -> None:
    monkeypatch.setattr(retention, "STEP_ROWS", step_rows)
    async with opened(path, clock) as journal:
        bad = OrderRow(row_no=9, cells=("x",), given="x", problem=Reason.BAD_NUMBER, detail="It is no number.")
        await journal.accept(orders(1, 2, rows=[bad]))
        await work_off(journal, 1, 2)
        clock.advance(10 * DAY_S)

        gone = await forget(journal, clock, 9)

        assert gone == PruneResult(move_count=12, attempt_count=4, list_count=1)
        left = {"tasks": 2, "reports": 2, "files": 2}
        assert {table: count for table, count in counts(path).items() if count} == left
        found = await journal.find(task_id(1))
        assert found is not None
        assert found.report == report(Reason.ALL_SAVED, "a.pdf")
        again = await journal.accept(orders(1, 2))
        assert (again.new_count, again.waiting_count, again.done_count) == (0, 0, 2)
        assert await journal.fetch(BATCH, 9) == ()
        assert len(await journal.records(BATCH)) == 2


async def test_what_ended_lately_keeps_everything(path: Path, clock: ManualClock) -> None:
    async with opened(path, clock) as journal:
        await journal.accept(orders(1))
        clock.advance(10 * DAY_S)
        await work_off(journal, 1)
        before = counts(path)

        assert await forget(journal, clock, 9) == PruneResult()
        assert counts(path) == before


async def test_an_order_that_is_still_open_keeps_all_its_history_and_its_list(path: Path, clock: ManualClock) -> None:
    async with opened(path, clock) as journal:
        await journal.accept(orders(1, 2))
        await work_off(journal, 1)
        await journal.fetch(BATCH, 1)
        await journal.start(task_id(2), WORKER)
        await journal.requeue(task_id(2), ReturnReason.DRAINING, detail="", delay_s=0, is_attempt_spent=True)
        await journal.reopen([task_id(1)])
        before = counts(path)
        clock.advance(10 * DAY_S)

        assert await forget(journal, clock, 1) == PruneResult()
        assert counts(path) == before

        await work_off(journal, 1)
        gone = await forget(journal, clock, 1)
        assert gone == PruneResult()


async def test_moves_of_other_machines_go_by_their_age(path: Path, clock: ManualClock) -> None:
    def move() -> Transition:
        return Transition(
            machine="worker", entity="worker-1", origin="READY", event="WORK", target="PROCESSING", at=clock.now()
        )

    async with opened(path, clock) as journal:
        await journal.record([move(), move()])
        clock.advance(5 * DAY_S)
        await journal.record([move()])
        clock.advance(5 * DAY_S)

        assert (await forget(journal, clock, 7)).move_count == 2
        assert counts(path)["transitions"] == 1


async def test_a_list_that_is_needed_or_was_given_again_stays(path: Path, clock: ManualClock) -> None:
    async with opened(path, clock) as journal:
        await journal.accept(orders(1))
        await journal.accept(orders(1, batch_id=OTHER))
        await work_off(journal, 1)
        clock.advance(10 * DAY_S)
        await journal.accept(orders(1, batch_id=OTHER))

        assert (await forget(journal, clock, 1, spared=[BATCH])).list_count == 0
        assert (await forget(journal, clock, 1)).list_count == 1
        assert query(path, "SELECT batch_id FROM batches") == [(OTHER,)]


async def test_a_list_that_is_given_again_while_it_is_removed_is_whole(
    path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "STEP_ROWS", 2)
    numbers = range(9)
    async with opened(path, clock) as journal:
        await journal.accept(orders(*numbers))
        await work_off(journal, *numbers)
        clock.advance(10 * DAY_S)
        steps = retention.prune(journal._database, clock.now() - timedelta(days=1), ())
        while counts(path)["rows"] == 9:
            next(steps)

        await journal.accept(orders(*numbers))

        assert sum(step.list_count for step in steps) == 0
        assert len(await journal.records(BATCH)) == 9
        assert counts(path)["rows"] == 9


async def test_an_order_that_ends_while_its_history_is_read_keeps_it_whole_until_the_next_time(
    path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that is set forward makes it old at once; half a history would end in a state that it is not in."""
    monkeypatch.setattr(retention, "STEP_ROWS", 1)
    async with opened(path, clock) as journal:
        await journal.accept(orders(1))
        await journal.fetch(BATCH, 1)
        await journal.start(task_id(1), WORKER)
        later = clock.now() + timedelta(days=9)
        steps = retention.prune(journal._database, later, [BATCH])
        assert next(steps) == PruneResult(move_count=0), "it runs, so its first move stays"
        await journal.finish(task_id(1), report(Reason.ALL_SAVED, "a.pdf"), "folder/1")

        assert sum(step.move_count for step in steps) == 0
        check_laws(path, is_swept=True)
        assert (await journal.prune(later, [BATCH])).move_count == 3


async def test_room_is_given_back_to_the_disk_and_told(path: Path, clock: ManualClock) -> None:
    async with opened(path, clock) as journal:
        await journal.accept(orders(*range(300)))
        await journal.cancel_all([task_id(number) for number in range(300)])
        clock.advance(10 * DAY_S)
        await forget(journal, clock, 1)

        done = await journal.compact()

        assert done.after_bytes < done.before_bytes
        assert done.after_bytes == size_bytes(path)
        again = await journal.compact()
        assert again.before_bytes == again.after_bytes == done.after_bytes
        assert sum((await journal.counts(BATCH)).values()) == 0


async def test_a_reader_from_outside_does_not_spoil_the_tidying(path: Path, clock: ManualClock) -> None:
    async with opened(path, clock) as journal:
        await journal.accept(orders(*range(300)))
        with closing(sqlite3.connect(path)) as reader:
            reader.execute("BEGIN")
            assert reader.execute("SELECT count(*) FROM tasks").fetchone() == (300,)

            await journal.compact()

            assert reader.execute("SELECT count(*) FROM tasks").fetchone() == (300,)
