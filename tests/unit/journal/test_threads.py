"""Threads of the journal: what hangs is left behind, one at a time stays one at a time, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from poolwright.files import disk_threads
from poolwright.files.disk_threads import DiskThreads, check_cancelled
from poolwright.journal import sqlite_journal as journals
from poolwright.journal.errors import JournalAwayError, JournalBusyError
from poolwright.journal.sqlite_journal import SqliteJournal
from tests.support.journal_audit import check_laws
from tests.support.manual_clock import ManualClock
from tests.support.tasks import BATCH, orders, task_id


class HangsError(Exception):
    """Nobody waits behind what hangs."""


class Disk:
    """Answers when it is let go."""

    def __init__(self) -> None:
        self.released, self.asked = threading.Event(), threading.Event()
        self.answers: list[str] = []

    def write(self) -> str:
        self.asked.set()
        self.released.wait()
        self.answers.append("written")
        return "written"


@asynccontextmanager
async def opened(count: int = 1, patience_s: float = 0.0) -> AsyncGenerator[DiskThreads]:
    pool = DiskThreads(count, patience_s=patience_s, refusal=HangsError)
    pool.start()
    try:
        yield pool
    finally:
        await pool.close(lambda: None, 60.0)


async def asked(disk: Disk) -> None:
    await anyio.to_thread.run_sync(disk.asked.wait)


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_threads, "CANCEL_GRACE_S", 0.0)


async def test_work_gives_its_answer_and_its_error() -> None:
    async with opened() as pool:
        assert await pool.run(lambda: 42) == 42
        with pytest.raises(ZeroDivisionError):
            await pool.run(lambda: 1 / 0)
        assert await pool.run(threading.current_thread) is not threading.current_thread()


async def test_no_thread_keeps_the_program_from_its_end() -> None:
    async with opened() as pool:
        assert (await pool.run(threading.current_thread)).daemon


async def test_one_thread_does_one_thing_at_a_time() -> None:
    under_way, most = 0, 0

    def work() -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        under_way -= 1

    async with opened() as pool, anyio.create_task_group() as callers:
        for _ in range(20):
            callers.start_soon(pool.run, work)
    assert most == 1


async def test_a_call_that_is_cancelled_before_its_turn_was_never_made(disk: Disk) -> None:
    made: list[int] = []
    async with opened() as pool, anyio.create_task_group() as callers:
        callers.start_soon(pool.run, disk.write)
        await asked(disk)
        with anyio.CancelScope() as second:
            second.cancel()
            await pool.run(lambda: made.append(1))
        async with anyio.create_task_group() as others:
            others.start_soon(pool.run, lambda: made.append(2))
            await anyio.wait_all_tasks_blocked()
            others.cancel_scope.cancel()
        disk.released.set()
    assert (made, disk.answers) == ([], ["written"])


async def test_a_call_that_is_cancelled_while_it_is_under_way_has_its_answer_where_that_comes_soon(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_threads, "CANCEL_GRACE_S", 60.0)
    answers: list[str] = []

    async def ask(pool: DiskThreads) -> None:
        answers.append(await pool.run(disk.write))

    async with opened() as pool, anyio.create_task_group() as callers:
        callers.start_soon(ask, pool)
        await asked(disk)
        callers.cancel_scope.cancel()
        disk.released.set()
    assert answers == ["written"]


@pytest.mark.usefixtures("impatient")
async def test_what_hangs_is_left_behind_keeps_its_place_and_nobody_waits_behind_it(disk: Disk) -> None:
    async with opened() as pool:
        waits: list[type[BaseException]] = []

        async def wait_behind() -> None:
            try:
                await pool.run(lambda: "second")
            except HangsError as error:
                waits.append(type(error))

        async with anyio.create_task_group() as callers:
            first = anyio.CancelScope()

            async def ask() -> None:
                with first:
                    await pool.run(disk.write)

            callers.start_soon(ask)
            await asked(disk)
            callers.start_soon(wait_behind)  # it waits before anything is left behind
            await anyio.wait_all_tasks_blocked()
            first.cancel()
        with pytest.raises(HangsError):
            await pool.run(lambda: "third")
        disk.released.set()
        with anyio.fail_after(60):
            while pool.free.borrowed_tokens:
                await anyio.lowlevel.checkpoint()

        assert waits == [HangsError]
        assert await pool.run(lambda: "fourth") == "fourth"
        assert disk.answers == ["written"]


@pytest.mark.usefixtures("impatient")
async def test_others_go_on_beside_one_that_hangs(disk: Disk) -> None:
    async with opened(count=2) as pool:
        async with anyio.create_task_group() as callers:
            callers.start_soon(pool.run, disk.write)
            await asked(disk)
            callers.cancel_scope.cancel()

        assert await pool.run(lambda: "beside") == "beside"
        disk.released.set()


async def test_work_that_heeds_ends_when_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_threads, "CANCEL_GRACE_S", 60.0)
    begun = threading.Event()

    def work() -> None:
        while True:
            check_cancelled()
            begun.set()

    async with opened() as pool:
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as callers:
                callers.start_soon(pool.run, work)
                await anyio.to_thread.run_sync(begun.wait)
                scope.cancel()
        assert scope.cancelled_caught
        assert await pool.run(lambda: "next") == "next"


async def test_a_cancellation_of_asyncio_itself_is_not_held_up(disk: Disk) -> None:
    async with opened() as pool:
        caller = asyncio.get_running_loop().create_task(pool.run(disk.write))
        await asked(disk)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        disk.released.set()
        assert await pool.run(lambda: "next") == "next"


def hanging(journal: SqliteJournal, disk: Disk) -> None:
    """The next change of this journal waits for the disk, in the middle of its transaction."""
    connection = journal._database._connection
    connection.create_function("hang", 0, disk.write)
    connection.execute("CREATE TEMP TRIGGER hanging AFTER INSERT ON main.tasks BEGIN SELECT hang(); END")


@pytest.mark.usefixtures("impatient")
async def test_a_journal_whose_disk_hangs_is_left_in_time_and_is_whole_when_the_disk_is_back(
    path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "CLOSE_LIMIT_S", 0.0)
    with anyio.fail_after(60):
        async with SqliteJournal(path, ManualClock(), busy_timeout_s=-1.0) as journal:
            await journal.accept(orders(1))
            await journal.fetch(BATCH, 1)
            hanging(journal, disk)
            async with anyio.create_task_group() as callers:
                callers.start_soon(journal.accept, orders(1, 2))
                await asked(disk)
                callers.cancel_scope.cancel()
            with pytest.raises(JournalAwayError, match="does not answer"):
                await journal.counts(BATCH)

    with pytest.raises(JournalBusyError):  # nobody else writes as long as it is there
        async with SqliteJournal(path, ManualClock()):
            pass
    disk.released.set()
    await until(lambda: not any(thread.name == "journal" for thread in threading.enumerate()))
    async with SqliteJournal(path, ManualClock()) as journal:
        assert await journal.recover(3) == 1
        assert {task.task_id for task in await journal.fetch(BATCH, 9)} <= {task_id(1), task_id(2)}
    check_laws(path)


async def until(holds: Callable[[], bool]) -> None:
    with anyio.fail_after(60):
        while not holds():
            await anyio.lowlevel.checkpoint()
