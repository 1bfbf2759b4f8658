"""What is asked again and again costs the same in a long list as in a short one, counted in steps of SQLite."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from sqlite3 import Connection

import pytest

from poolwright.domain.ids import BatchId
from poolwright.domain.outcomes import Outcome, Reason
from poolwright.domain.states import TaskStatus
from poolwright.journal import queries, sql_batches, sql_reports, sql_tasks
from poolwright.journal.queries import OrderQuery
from poolwright.journal.sqlite_journal import SqliteJournal
from tests.support.journal_audit import check_laws, query
from tests.support.manual_clock import START, ManualClock
from tests.support.tasks import BATCH, OTHER, WORKER, orders, po_task, report, task_id

COMMON = BatchId("daemon")
SHORT, LONG = 40, 1_200
CLAIMED, BEGUN = task_id("claimed"), task_id("begun")
Look = Callable[[Connection], object]
PAGES: dict[str, Look] = {
    "status": partial(queries.count_all, pool_list=COMMON),
    "lists": partial(queries.find_lists, excluded=COMMON, limit=50),
    "one list": partial(queries.find_list, batch_id=BATCH),
    "failures": queries.find_failures,
    "age of the oldest": partial(queries.oldest_open_at, excluded=COMMON),
    "counts of a list": partial(sql_batches.count_by_status, batch_id=BATCH),
    "outcomes of a list": partial(queries.count_outcomes, batch_id=BATCH),
    "orders of a list": partial(queries.find_orders, query=OrderQuery(list_id=BATCH, status=TaskStatus.DONE, limit=10)),
}


async def fill(journal: SqliteJournal, count: int) -> None:
    """Accept a list twice over, as a daemon does, and finish two thirds of it; some fail."""
    listed = orders(*range(count))
    await journal.accept(listed)
    await journal.add(COMMON, listed.tasks)
    await journal.finish_waiting(BATCH, report(Reason.ALL_SAVED), count // 3)
    await journal.finish_waiting(BATCH, report(Reason.NO_WORKERS), count // 3)


async def steps_of(path: Path, count: int, look: Look) -> int:
    """Return the steps of SQLite's machine for one look at a list of so many orders."""
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1

    def counted(connection: Connection) -> None:
        connection.set_progress_handler(step, 1)
        look(connection)
        connection.set_progress_handler(None, 0)

    async with SqliteJournal(path / f"{count}.db", ManualClock()) as journal:
        await fill(journal, count)
        await journal.query(counted)
    return steps


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_costs_the_same_however_long_the_list_is(tmp_path: Path, page: str) -> None:
    short, long = [await steps_of(tmp_path, count, PAGES[page]) for count in (SHORT, LONG)]

    assert 0 < long <= 1.1 * short + 20


def claim(connection: Connection) -> None:
    """Claim four orders."""
    for machine in sql_tasks.find_due(connection, BATCH, 4, by=START, at=START):
        sql_tasks.save_move(connection, machine.assign())


def begin(connection: Connection) -> None:
    """Begin the attempt of a claimed order."""
    sql_tasks.save_move(connection, sql_tasks.load_machine(connection, CLAIMED, START).start(WORKER))
    sql_tasks.begin_attempt(connection, CLAIMED, 1, WORKER, START)


def end(connection: Connection) -> None:
    """Finish the order that was begun."""
    machine = sql_tasks.load_machine(connection, BEGUN, START)
    sql_tasks.save_move(connection, machine.finish(Reason.ALL_SAVED))
    sql_tasks.end_attempt(connection, BEGUN, Reason.ALL_SAVED, START, is_spent=True)
    sql_reports.save_outcome(connection, machine.state.task, report(Reason.ALL_SAVED, "a.pdf"), "here", START)


def add(connection: Connection) -> None:
    """Add one order to a list, as ``submit_task`` does."""
    sql_batches.extend_list(connection, COMMON, [po_task("new")], START)


CHANGES: dict[str, Callable[[Connection], None]] = {"claim": claim, "begin": begin, "end": end, "add": add}


async def change_steps(path: Path, count: int, change: Callable[[Connection], None]) -> int:
    """Return the steps of SQLite's machine for one change in a list of so many orders."""
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1

    def counted(journal: SqliteJournal) -> None:
        with journal._database.transaction() as connection:
            connection.set_progress_handler(step, 1)
            change(connection)

    async with SqliteJournal(path / f"{count}.db", ManualClock()) as journal:
        await fill(journal, count)
        await journal.accept(orders("claimed", "begun", batch_id=OTHER))
        await journal.fetch(OTHER, 2)
        await journal.start(BEGUN, WORKER)
        await journal.run_in_writer(counted, journal)
    check_laws(path / f"{count}.db", is_swept=True)
    return steps


@pytest.mark.parametrize("change", CHANGES)
async def test_a_change_costs_the_same_however_long_the_list_is(tmp_path: Path, change: str) -> None:
    short, long = [await change_steps(tmp_path, count, CHANGES[change]) for count in (SHORT, LONG)]

    assert 0 < long <= 1.1 * short + 20


async def test_the_counts_follow_every_move_of_an_order_of_two_lists(path: Path) -> None:
    """The laws of the journal compare the counts with what is there."""

    async def told() -> tuple[dict[str, int], dict[str, int], int]:
        counts = await journal.query(partial(queries.count_all, pool_list=COMMON))
        check_laws(path)
        return {name: count for name, count in counts.counts.items() if count}, counts.outcomes, counts.open_count

    async with SqliteJournal(path, ManualClock()) as journal:
        await journal.accept(orders(1, 2, 3))
        await journal.add(COMMON, [po_task(1), po_task(2)])
        assert await told() == ({"QUEUED": 3}, {}, 2)
        await journal.fetch(BATCH, 2)
        await journal.start(task_id(1), WORKER)
        assert await told() == ({"QUEUED": 1, "ASSIGNED": 1, "RUNNING": 1}, {}, 2)
        await journal.finish(task_id(1), report(Reason.NO_PERMISSION), "")
        await journal.cancel(task_id(3))
        assert await told() == (
            {"ASSIGNED": 1, "DONE": 1, "CANCELLED": 1},
            {Outcome.CANCELLED: 1, Outcome.FORBIDDEN: 1},
            1,
        )
        await journal.reopen([task_id(1)])
        assert await told() == ({"ASSIGNED": 1, "QUEUED": 1, "CANCELLED": 1}, {Outcome.CANCELLED: 1}, 2)
        await journal.fetch(BATCH, 1)
        await journal.start(task_id(1), WORKER)
        await journal.finish(task_id(1), report(Reason.ALL_SAVED, "a.pdf"), "here")
        assert await told() == (
            {"ASSIGNED": 1, "DONE": 1, "CANCELLED": 1},
            {Outcome.CANCELLED: 1, Outcome.COMPLETED: 1},
            1,
        )
        await journal.accept(orders(2))  # in place of the longer list
        await journal.accept(orders(1, batch_id=OTHER))  # which is done already
        view = await journal.query(partial(queries.find_list, batch_id=OTHER))
        assert view is not None
        assert (view.counts["DONE"], view.outcomes) == (1, {Outcome.COMPLETED: 1})
        assert await told() == (
            {"ASSIGNED": 1, "DONE": 1, "CANCELLED": 1},
            {Outcome.CANCELLED: 1, Outcome.COMPLETED: 1},
            1,
        )


async def test_a_list_that_is_gone_is_counted_no_more(path: Path) -> None:
    clock = ManualClock()
    async with SqliteJournal(path, clock) as journal:
        await journal.accept(orders(1))
        await journal.finish_waiting(BATCH, report(Reason.ALL_SAVED), 1)
        await journal.prune(clock.now() + timedelta(days=1))

    assert query(path, "SELECT DISTINCT batch_id FROM status_counts") == [("",)]
    assert query(path, "SELECT DISTINCT batch_id FROM reason_counts") == [("",)]
    check_laws(path, is_swept=True)
