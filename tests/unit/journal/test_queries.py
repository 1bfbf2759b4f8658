"""What people ask the journal, on a real file: pages, failures by class, lists; what is taken over or called off."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from sqlite3 import Connection

import pytest

from poolwright.domain.ids import BatchId, TaskId
from poolwright.domain.outcomes import Outcome, Reason
from poolwright.domain.states import TaskStatus
from poolwright.domain.tasks import OrderRow
from poolwright.journal import queries
from poolwright.journal.queries import OrderQuery
from poolwright.journal.reader import JournalReader
from poolwright.journal.sqlite_journal import SqliteJournal
from tests.support.journal_audit import check_laws
from tests.support.manual_clock import ManualClock
from tests.support.tasks import BATCH, OTHER, WORKER, orders, po_task, report, task_id

COMMON = BatchId("daemon")
DEMO = "demo:"


@asynccontextmanager
async def opened(path: Path, clock: ManualClock | None = None) -> AsyncGenerator[SqliteJournal]:
    async with SqliteJournal(path, clock or ManualClock()) as journal:
        yield journal
    check_laws(path)


async def done(journal: SqliteJournal, number: int, reason: Reason) -> None:
    """Let an order have its outcome."""
    await journal.finish(task_id(number), report(reason), "")


async def ids(journal: SqliteJournal, **asked: object) -> list[TaskId]:
    return await journal.query(partial(queries.find_ids, query=OrderQuery(**asked)))  # type: ignore[arg-type]  # by name


async def test_every_order_is_read_once_page_by_page_whatever_happens_meanwhile(path: Path) -> None:
    async with opened(path) as journal:
        await journal.accept(orders(*range(10, 40)))
        seen: list[TaskId] = []
        while page := await journal.query(
            partial(queries.find_orders, query=OrderQuery(limit=7, after=seen[-1] if seen else None))
        ):
            seen += [record.task.task_id for record in page]
            await done(journal, len(seen) + 3, Reason.ALL_SAVED)
            await journal.add(BATCH, [po_task(len(seen))])  # before the place where the reader is

    assert len(seen) == len(set(seen))
    assert {task_id(number) for number in range(10, 40)} <= set(seen)


async def test_all_that_is_asked_holds_at_the_same_time(path: Path) -> None:
    async with opened(path) as journal:
        await journal.accept(orders(1, 2, 3, 4))
        await journal.accept(orders(4, 51, batch_id=OTHER))
        await done(journal, 1, Reason.ALL_SAVED)
        await done(journal, 2, Reason.NO_PERMISSION)
        await done(journal, 4, Reason.NO_PERMISSION)
        await journal.cancel(task_id(3))
        found = {
            "queued": await ids(journal, status=TaskStatus.QUEUED),
            "outcome": await ids(journal, outcome=Outcome.FORBIDDEN),
            "reason": await ids(journal, reason=Reason.ALL_SAVED),
            "both": await ids(journal, reason=Reason.NO_PERMISSION, list_id=OTHER),
            "text": await ids(journal, text="o5"),
            "undone": await ids(journal, list_id=BATCH, is_undone=True),
            "none": await ids(journal, list_id=BatchId("no")),
        }

    assert {name: [one.removeprefix(DEMO) for one in those] for name, those in found.items()} == {
        "queued": ["51"],
        "outcome": ["2", "4"],
        "reason": ["1"],
        "both": ["4"],
        "text": ["51"],
        "undone": ["2", "3", "4"],
        "none": [],
    }


async def test_an_order_that_is_done_again_is_no_failure_any_more(path: Path) -> None:
    async with opened(path) as journal:
        await journal.accept(orders(1, 2))
        await done(journal, 1, Reason.NO_PERMISSION)
        await done(journal, 2, Reason.NO_PERMISSION)
        await journal.reopen([task_id(1)])
        (failure,) = await journal.query(queries.find_failures)
        by_outcome = await ids(journal, outcome=Outcome.FORBIDDEN)

    assert (failure.reason, failure.count) == (Reason.NO_PERMISSION, 1)
    assert [record.task.task_id for record in failure.orders] == by_outcome == [task_id(2)]


def whole_list(reading: JournalReader) -> tuple[object, ...]:
    found = reading.order_list(BATCH)
    assert found is not None
    rows = tuple(found.rows)
    assert tuple(found.rows) == rows  # again from the first on
    return found.batch_id, found.source, found.columns, rows, found.notices


async def test_a_list_comes_back_as_it_was_given(path: Path) -> None:
    bad = OrderRow(row_no=9, cells=("x", "Acme"), given="x", problem=Reason.BAD_NUMBER, detail="No number.")
    typed = [replace(bad, row_no=10 + len(places), values=places) for places in (frozenset[int](), frozenset({0, 1}))]
    given = orders(1, 2, rows=[bad, *typed])
    async with opened(path) as journal:
        await journal.accept(given)
        back = await journal.read(whole_list)
        unknown = await journal.read(lambda reading: reading.order_list(BatchId("no")))

    assert back == (given.batch_id, given.source, given.columns, given.rows, given.notices)
    assert unknown is None


async def test_what_is_open_in_any_list_is_gathered_once_in_the_order_of_the_lists(path: Path) -> None:
    clock = ManualClock()
    async with opened(path, clock) as journal:
        await journal.accept(orders(3, 1, 2))
        clock.advance(1)
        await journal.accept(orders(9, 1, batch_id=OTHER))
        await done(journal, 3, Reason.ALL_SAVED)
        counts = [await journal.collect_open(COMMON, DEMO) for _ in range(2)]
        gathered = await journal.fetch(COMMON, 10)

    assert counts == [3, 0]
    assert [task.portal_number for task in gathered] == ["1", "2", "9"]


async def test_orders_of_another_portal_are_left_alone_and_still_there_for_it(path: Path) -> None:
    async with opened(path) as journal:
        await journal.accept(orders(1, 2))
        await journal.collect_open(COMMON, DEMO)
        others = await journal.collect_open(COMMON, "coupa:")
        waiting = await journal.fetch(COMMON, 10)
        back = await journal.collect_open(COMMON, DEMO)
        again = await journal.fetch(COMMON, 10)
        strangers = await journal.query(
            partial(queries.find_finished_ids, task_ids=[task_id(1)], prefix="coupa:", at=ManualClock().now())
        )

    assert (others, list(waiting)) == (0, [])
    assert (back, len(again)) == (2, 2)
    assert strangers == []


async def test_many_are_called_off_in_one_go_but_for_those_that_a_worker_has(path: Path) -> None:
    async with opened(path) as journal:
        await journal.accept(orders(1, 2, 3, 4))
        await journal.fetch(BATCH, 1)
        await journal.start(task_id(1), WORKER)
        await done(journal, 2, Reason.ALL_SAVED)
        gone = await journal.cancel_all([task_id(number) for number in (4, 1, 2, 3, 77)])
        again = await journal.cancel_all([task_id(4)])
        record = await journal.find(task_id(3))
        counts = (await journal.query(partial(queries.count_all, pool_list=COMMON))).counts
        await journal.requeue(task_id(1), Reason.WORKER_LOST, detail="", delay_s=0.0, is_attempt_spent=True)

    assert (gone, again) == ((task_id(3), task_id(4)), ())
    assert record is not None
    assert record.report is not None
    assert record.report.reason is Reason.BY_REQUEST
    assert (counts["CANCELLED"], counts["RUNNING"], counts["DONE"]) == (2, 1, 1)


async def test_an_order_counts_once_however_many_lists_there_are_and_however_many_of_them_have_it(path: Path) -> None:
    async with opened(path) as journal:
        for place in range(210):
            await journal.accept(orders(1, 2, 3, 10 + place, batch_id=BatchId(f"list {place}")))
        await journal.collect_open(COMMON, DEMO)
        for number, reason in ((1, Reason.ALL_SAVED), (2, Reason.NO_PERMISSION), (3, Reason.ALL_SAVED)):
            await done(journal, number, reason)
        await done(journal, 10, Reason.ALL_SAVED)
        await journal.cancel_all([task_id(11)])
        await journal.reopen([task_id(3)])  # its earlier report is there still
        told = await journal.query(partial(queries.count_all, pool_list=COMMON))

    assert told.outcomes == {"COMPLETED": 2, "FORBIDDEN": 1, "CANCELLED": 1}
    assert told.counts == {"QUEUED": 209, "ASSIGNED": 0, "RUNNING": 0, "DONE": 3, "CANCELLED": 1}
    assert told.open_count == 209


async def test_the_open_orders_of_a_pool_are_those_of_its_own_list(path: Path) -> None:
    async with opened(path) as journal:
        await journal.accept(orders(1, 2, batch_id=COMMON))
        await journal.accept(orders(3, 4, 5))
        await done(journal, 1, Reason.ALL_SAVED)
        told = await journal.query(partial(queries.count_all, pool_list=COMMON))

    assert (told.open_count, told.counts["QUEUED"], told.counts["DONE"]) == (1, 4, 1)


PLAIN = {
    "no question": OrderQuery(),
    "a page": OrderQuery(after=task_id(5)),
    "a state": OrderQuery(status=TaskStatus.QUEUED),
    "a reason": OrderQuery(reason=Reason.NO_PERMISSION),
    "an outcome": OrderQuery(outcome=Outcome.FORBIDDEN),
    "a list": OrderQuery(list_id=BATCH),
    "a state of a list": OrderQuery(list_id=BATCH, status=TaskStatus.QUEUED),
}


@pytest.mark.parametrize("name", PLAIN)
async def test_a_plain_question_scans_and_sorts_nothing(path: Path, name: str) -> None:
    """A million orders must not be read to show the first hundred."""
    statement, values = queries._statement(PLAIN[name])

    def explain(connection: Connection) -> list[str]:
        return [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", (*values, 100))]

    async with opened(path) as journal:
        plan = await journal.query(explain)

    assert plan
    assert not [step for step in plan if "TEMP B-TREE" in step], "sorted"
    assert name == "no question" or not [step for step in plan if step.startswith("SCAN")], "read as a whole"
