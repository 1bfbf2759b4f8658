"""Reading: nobody who reads is kept waiting by who writes, nor the other way round; what takes long can be stopped."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from poolwright.domain.tasks import POTask
from poolwright.journal import queries
from poolwright.journal.sqlite_journal import SqliteJournal
from tests.support.journal_audit import check_laws, query
from tests.support.manual_clock import ManualClock
from tests.support.tasks import BATCH, OTHER, WORKER, orders, po_task, task_id

#: SQLite takes some ten steps for each, and is asked every 100,000 whether it is still wanted.
MANY = 20_000


@pytest.mark.parametrize(
    "read",
    [
        lambda journal: journal.counts(BATCH),
        lambda journal: journal.next_due_s(BATCH),
        lambda journal: journal.find(task_id(1)),
        lambda journal: journal.records(BATCH),
        lambda journal: journal.query(partial(queries.count_all, pool_list=BATCH)),
    ],
    ids=["counts", "next_due_s", "find", "records", "query"],
)
async def test_what_only_reads_needs_no_lock_that_another_program_holds(
    path: Path, read: Callable[[SqliteJournal], Awaitable[Any]]
) -> None:
    async with SqliteJournal(path, ManualClock(), busy_timeout_s=0) as journal:
        await journal.accept(orders(1))
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")

            await read(journal)


async def test_orders_go_on_while_somebody_reads_much(path: Path) -> None:
    is_over = threading.Event()
    is_reading = anyio.Event()
    loop = asyncio.get_running_loop()

    def read_long(connection: sqlite3.Connection) -> list[int]:
        before = queries.count_all(connection, BATCH).counts["QUEUED"]
        loop.call_soon_threadsafe(is_reading.set)
        is_over.wait(30)
        return [before, queries.count_all(connection, BATCH).counts["QUEUED"]]

    seen: list[int] = []
    async with SqliteJournal(path, ManualClock()) as journal, anyio.create_task_group() as beside:
        await journal.accept(orders(1, 2))

        async def read() -> None:
            seen.extend(await journal.query(read_long))

        beside.start_soon(read)
        await is_reading.wait()
        try:
            with anyio.fail_after(20):
                await journal.fetch(BATCH, 1)
                await journal.start(task_id(1), WORKER)
                assert (await journal.counts(BATCH))["QUEUED"] == 1
        finally:
            is_over.set()

    assert seen == [2, 2]  # as it was when the reading began


def test_a_reader_cannot_write(path: Path) -> None:
    async def write() -> None:
        async with SqliteJournal(path, ManualClock()) as journal:
            await journal.query(lambda connection: connection.execute("DELETE FROM tasks"))

    with pytest.raises(Exception, match="readonly"):
        anyio.run(write)


class Stopping(tuple[POTask, ...]):  # noqa: SLOT001 - no tuple of a fixed shape can hold a function
    """Tasks whose reader is no longer wanted as soon as it begins."""

    stop: Callable[[], object]

    def __iter__(self) -> Iterator[POTask]:
        self.stop()
        return super().__iter__()


async def test_accepting_a_long_list_hears_that_it_is_no_longer_wanted_and_then_it_never_was(path: Path) -> None:
    tasks = Stopping(po_task(number) for number in range(MANY))
    async with SqliteJournal(path, ManualClock()) as journal:
        await journal.accept(orders(1, batch_id=OTHER))
        loop = asyncio.get_running_loop()
        with anyio.CancelScope() as scope:
            tasks.stop = lambda: loop.call_soon_threadsafe(scope.cancel)
            await journal.accept(_with(tasks))

        assert scope.cancelled_caught
        assert (await journal.counts(BATCH))["QUEUED"] == 0
        assert (await journal.accept(orders(1, 2))).new_count == 1
    check_laws(path)
    assert query(path, "SELECT count(*) FROM tasks") == [(2,)]


def _with(tasks: tuple[POTask, ...]) -> Any:  # noqa: ANN401 - a list with other tasks
    return replace(orders(), tasks=tasks)


async def test_reading_a_long_list_hears_that_it_is_no_longer_wanted(path: Path) -> None:
    async with SqliteJournal(path, ManualClock()) as journal:
        await journal.accept(orders(*range(MANY)))
        answers: list[object] = []
        loop = asyncio.get_running_loop()
        with anyio.CancelScope() as scope:

            def look(connection: sqlite3.Connection) -> int:
                loop.call_soon_threadsafe(scope.cancel)
                return connection.execute("SELECT count(*) FROM tasks, tasks AS others").fetchone()[0]

            answers.append(await journal.query(look))

        assert answers == []
        assert (await journal.counts(BATCH))["QUEUED"] == MANY
