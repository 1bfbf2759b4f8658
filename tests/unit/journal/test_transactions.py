"""A change and its history are one: whatever breaks in the middle, nothing of it is there, and the next call works."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.journal import sql_batches
from poolwright.journal.errors import JournalError, JournalFullError, JournalLockedError
from poolwright.journal.sqlite_journal import SqliteJournal
from tests.support.journal_audit import check_laws, query
from tests.support.manual_clock import ManualClock
from tests.support.tasks import BATCH, OTHER, WORKER, orders, po_task, report, task_id

Step = Callable[[SqliteJournal], Awaitable[object]]

TABLES = ("batches", "rows", "tasks", "batch_tasks", "attempts", "reports", "files", "missed", "transitions")


def everything(path: Path) -> dict[str, list[tuple[object, ...]]]:
    return {table: query(path, f"SELECT * FROM {table}") for table in TABLES}  # noqa: S608 - names of our own tables


def connection_of(journal: SqliteJournal) -> sqlite3.Connection:
    return journal._database._connection


def cache_of(connection: sqlite3.Connection) -> int:
    """Memory for pages of the file: below 0 in KiB."""
    return connection.execute("PRAGMA cache_size").fetchone()[0]


async def prepare(journal: SqliteJournal) -> None:
    """Task 1 runs, 2 is claimed, 3 is done with a file, 4 is queued."""
    await journal.accept(orders(1, 2, 3, 4))
    await journal.fetch(BATCH, 2)
    await journal.start(task_id(1), WORKER)
    await journal.finish(task_id(3), report(Reason.PORTAL_BUSY, "a.pdf"), "here")


@pytest.fixture
def other(path: Path) -> Iterator[sqlite3.Connection]:
    """Another program's connection to the same file, of the kind that asks no lock file."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as connection:
        yield connection


@pytest.mark.parametrize(
    ("table", "step"),
    [
        ("transitions", lambda journal: journal.fetch(BATCH, 5)),
        ("transitions", lambda journal: journal.start(task_id(2), WORKER)),
        ("attempts", lambda journal: journal.start(task_id(2), WORKER)),
        ("transitions", lambda journal: journal.finish(task_id(1), report(), "")),
        ("files", lambda journal: journal.finish(task_id(1), report(Reason.ALL_SAVED, "b.pdf"), "")),
        ("transitions", lambda journal: journal.recover(3)),
        ("transitions", lambda journal: journal.reopen([task_id(number) for number in range(6)])),
        ("rows", lambda journal: journal.accept(orders(8, 9))),
        ("batch_tasks", lambda journal: journal.add(BATCH, [po_task(8)])),
        ("transitions", lambda journal: journal.cancel(task_id(4))),
        ("reports", lambda journal: journal.cancel(task_id(4))),
        (
            "transitions",
            lambda journal: journal.requeue(
                task_id(1), ReturnReason.DRAINING, detail="", delay_s=0, is_attempt_spent=False
            ),
        ),
    ],
)
async def test_a_change_whose_last_part_fails_is_not_there_at_all(path: Path, table: str, step: Step) -> None:
    async with SqliteJournal(path, ManualClock()) as journal:
        await prepare(journal)
        before = everything(path)
        connection_of(journal).execute(
            f"CREATE TEMP TRIGGER broken BEFORE INSERT ON main.{table} BEGIN SELECT RAISE(ABORT, 'broken disk'); END"
        )

        with pytest.raises(JournalError, match="broken disk"):
            await step(journal)

        assert everything(path) == before
        connection_of(journal).execute("DROP TRIGGER broken")
        await step(journal)
        assert everything(path) != before
    check_laws(path)


async def test_a_full_disk_is_told_as_such_and_the_change_may_be_repeated(path: Path) -> None:
    async with SqliteJournal(path, ManualClock()) as journal:
        await prepare(journal)
        before = everything(path)
        connection = connection_of(journal)
        (page_count,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {page_count}")
        large = report(Reason.ALL_SAVED, *(f"{number}.pdf" for number in range(200)))

        with pytest.raises(JournalFullError, match="The disk is full"):
            await journal.finish(task_id(1), large, "")

        assert everything(path) == before
        connection.execute("PRAGMA max_page_count = 1000000")
        await journal.finish(task_id(1), large, "")
        assert (await journal.records(BATCH))[0].report == large


async def test_memory_for_a_long_list_is_given_back_when_it_is_written(path: Path) -> None:
    async with SqliteJournal(path, ManualClock()) as journal:
        connection = connection_of(journal)
        kept = cache_of(connection)
        seen: list[int] = []
        connection.create_function("look", 0, lambda: seen.append(cache_of(connection)))
        connection.execute("CREATE TEMP TRIGGER looking AFTER INSERT ON main.tasks BEGIN SELECT look(); END")

        await journal.accept(orders(1))
        after_list = cache_of(connection)
        await journal.add(BATCH, [po_task(2)])

        assert seen == [-32 * 1024, kept]
        assert after_list == kept == -2 * 1024


async def test_memory_for_a_long_list_is_given_back_when_it_cannot_be_written(path: Path) -> None:
    async with SqliteJournal(path, ManualClock()) as journal:
        connection = connection_of(journal)
        connection.execute("CREATE TRIGGER broken BEFORE INSERT ON tasks BEGIN SELECT RAISE(ABORT, 'broken'); END")

        with pytest.raises(JournalError):
            await journal.accept(orders(1))

        assert cache_of(connection) == -2 * 1024


async def test_a_locked_journal_is_told_as_such_and_the_call_may_be_repeated(
    path: Path, other: sqlite3.Connection
) -> None:
    async with SqliteJournal(path, ManualClock(), busy_timeout_s=0) as journal:
        await journal.accept(orders(1))
        other.execute("BEGIN IMMEDIATE")

        for call in (lambda: journal.fetch(BATCH, 1), lambda: journal.cancel(task_id(1))):
            with pytest.raises(
                JournalLockedError,
                match=r"Another program has locked the journal .*; close the file there and start again",
            ):
                await call()

        other.execute("ROLLBACK")
        assert [task.task_id for task in await journal.fetch(BATCH, 1)] == [task_id(1)]


async def test_a_text_that_is_no_unicode_is_refused_in_words(path: Path) -> None:
    async with SqliteJournal(path, ManualClock()) as journal:
        with pytest.raises(JournalError, match=r"not valid Unicode: 'orders-\\udcff\.csv'"):
            await journal.accept(replace(orders(1), source="orders-\udcff.csv"))

        assert sum((await journal.counts(BATCH)).values()) == 0


async def test_a_cancelled_block_closes_the_journal(path: Path) -> None:
    with anyio.CancelScope() as scope:
        async with SqliteJournal(path, ManualClock()) as journal:
            await journal.accept(orders(1))
            scope.cancel()
            await journal.fetch(BATCH, 1)

    assert not path.with_name("journal.db-wal").exists()
    async with SqliteJournal(path, ManualClock()) as journal:
        assert (await journal.counts(BATCH))["QUEUED"] == 1


async def test_a_cancelled_call_is_written_whole(path: Path, other: sqlite3.Connection) -> None:
    async with SqliteJournal(path, ManualClock()) as journal:
        await prepare(journal)
        other.execute("BEGIN IMMEDIATE")

        async with anyio.create_task_group() as calls:
            calls.start_soon(journal.finish, task_id(1), report(Reason.ALL_SAVED, "b.pdf"), "there")
            await anyio.wait_all_tasks_blocked()
            calls.cancel_scope.cancel()
            other.execute("ROLLBACK")

        record = (await journal.records(BATCH))[0]
        assert (record.status, record.folder) == ("DONE", "there")
    check_laws(path)


async def test_a_call_torn_from_its_caller_ends_before_the_next_one_begins(
    path: Path, other: sqlite3.Connection
) -> None:
    async with SqliteJournal(path, ManualClock()) as journal:
        await prepare(journal)
        other.execute("BEGIN IMMEDIATE")
        counts: dict[str, int] = {}

        async def torn() -> None:
            callers.append(asyncio.current_task())
            with suppress(asyncio.CancelledError):
                await journal.finish(task_id(1), report(), "")

        async def next_one() -> None:
            counts.update(await journal.counts(BATCH))

        callers: list[asyncio.Task[object] | None] = []
        async with anyio.create_task_group() as calls:
            calls.start_soon(torn)
            await anyio.wait_all_tasks_blocked()
            assert callers[0] is not None
            callers[0].cancel()
            calls.start_soon(next_one)
            await anyio.wait_all_tasks_blocked()
            other.execute("ROLLBACK")

        assert counts["DONE"] == 2
    check_laws(path)


async def test_the_loop_goes_on_while_the_disk_is_slow(path: Path, other: sqlite3.Connection) -> None:
    async with SqliteJournal(path, ManualClock()) as journal:
        await prepare(journal)
        other.execute("BEGIN IMMEDIATE")
        ended = anyio.Event()
        seen: list[bool] = []

        async def slow() -> None:
            await journal.start(task_id(2), WORKER)
            ended.set()

        async with anyio.create_task_group() as calls:
            calls.start_soon(slow)
            await anyio.wait_all_tasks_blocked()
            seen.append(ended.is_set())
            other.execute("ROLLBACK")

        assert [*seen, ended.is_set()] == [False, True]


async def test_calls_at_the_same_time_take_turns(path: Path) -> None:
    async with SqliteJournal(path, ManualClock()) as journal:
        await journal.accept(orders(*range(40)))
        claimed: list[str] = []

        async def claim() -> None:
            claimed.extend(task.task_id for task in await journal.fetch(BATCH, 7))

        async with anyio.create_task_group() as calls:
            for _ in range(8):
                calls.start_soon(claim)

        assert len(claimed) == len(set(claimed)) == 40
    check_laws(path)


async def test_attempts_tell_who_tried_and_how_it_went(path: Path) -> None:
    async with SqliteJournal(path, ManualClock()) as journal:
        await journal.accept(orders(1))
        for why, is_spent in ((Reason.TAB_CRASHED, True), (ReturnReason.SESSION_LOST, False)):
            await journal.fetch(BATCH, 1)
            await journal.start(task_id(1), WORKER)
            await journal.requeue(task_id(1), why, detail="", delay_s=0, is_attempt_spent=is_spent)
        for end in (lambda: journal.recover(3), lambda: journal.finish(task_id(1), report(), "")):
            await journal.fetch(BATCH, 1)
            await journal.start(task_id(1), WORKER)
            await end()

    assert query(path, "SELECT attempt, worker, result, is_spent FROM attempts ORDER BY attempt_id") == [
        (1, "worker-1#1", "tab_crashed", 1),
        (2, "worker-1#1", "session_lost", 0),
        (2, "worker-1#1", "lost", 1),
        (3, "worker-1#1", "all_saved", 1),
    ]


async def test_a_list_is_kept_with_every_row_and_cell(path: Path) -> None:
    async with SqliteJournal(path, ManualClock()) as journal:
        await journal.accept(orders(1, 2))
        await journal.accept(orders(2, 1))

    assert query(path, "SELECT position, row_no, cells, given, task_id, problem FROM rows") == [
        (0, 2, '["PO2", "Acme"]', "PO2", "demo:2", None),
        (1, 3, '["PO1", "Acme"]', "PO1", "demo:1", None),
    ]
    assert query(path, "SELECT source, columns, notices FROM batches") == [
        ("orders.csv", '["PO", "Supplier"]', '["The column PO holds the numbers."]')
    ]


@pytest.mark.timeout(30)
async def test_ten_thousand_orders_are_accepted_and_claimed_without_ado(path: Path) -> None:
    async with SqliteJournal(path, ManualClock()) as journal:
        answer = await journal.accept(orders(*range(10_000)))

        assert answer.new_count == 10_000
        assert len(await journal.fetch(BATCH, 128)) == 128


def _steps_of(connection: sqlite3.Connection, work: Callable[[], object]) -> int:
    """How many steps the database's own machine takes for something: no clock, and the same on every computer."""
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    connection.set_progress_handler(step, 1)
    try:
        work()
    finally:
        connection.set_progress_handler(None, 1)
    return count


async def test_one_more_order_takes_the_same_work_however_long_its_list_is(path: Path) -> None:
    steps: list[int] = []
    async with SqliteJournal(path, ManualClock()) as journal:
        for length in (100, 5_000):
            await journal.add(OTHER, [po_task(number) for number in range(length)])

            def one_more(connection: sqlite3.Connection, number: int = length) -> int:
                return _steps_of(
                    connection,
                    lambda: sql_batches.extend_list(connection, OTHER, [po_task(number)], ManualClock().now()),
                )

            with closing(sqlite3.connect(path)) as connection:
                steps.append(one_more(connection))

    assert steps[1] < 2 * steps[0], "it counts or reads what stands in the list already"
