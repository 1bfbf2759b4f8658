"""A journal that another tool keeps locked: the pool says so once, waits, and goes on by itself; nothing is lost."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from poolwright.archive.output_tree import OutputTree
from poolwright.concurrency import SystemClock
from poolwright.domain.events import Notice, TaskStarted
from poolwright.journal.sqlite_journal import SqliteJournal
from poolwright.supervisor.pool import PersistentWorkerPool
from poolwright.supervisor.pool_context import PoolPorts
from tests.support.event_capture import EventCapture
from tests.support.scripted_pool import SCRIPTED, pool_options
from tests.support.tasks import BATCH, orders

pytestmark = pytest.mark.timeout(60)


@dataclass(kw_only=True)
class Stage:
    """A pool on a journal file, and another program that has the same file open."""

    pool: PersistentWorkerPool
    journal: SqliteJournal
    other: sqlite3.Connection
    capture: EventCapture

    def told(self, words: str) -> list[str]:
        """What people were told with these words in it."""
        return [event.text for event in self.capture.all(Notice) if words in event.text]

    async def until_told(self, words: str) -> None:
        """Wait until people were told."""
        with anyio.fail_after(20):
            await self.capture.until(lambda: self.told(words))


@asynccontextmanager
async def locked_pool(root: Path, monkeypatch: pytest.MonkeyPatch, script: str, count: int) -> AsyncGenerator[Stage]:
    monkeypatch.setenv("SCRIPTED_WORKER", json.dumps({"*": {"tasks": [script]}}))
    monkeypatch.setattr("poolwright.supervisor.retrying_journal.RETRY_INTERVAL_S", 0.05)
    clock, capture, path = SystemClock(), EventCapture(), root / "out" / "journal.db"
    async with SqliteJournal(path, clock, busy_timeout_s=0.01) as journal:
        await journal.accept(orders(*range(count)))
        around = PoolPorts(
            journal=journal,
            archive=OutputTree(root / "out", clock=clock),
            clock=clock,
            observe=capture,
            batch_id=BATCH,
            module=SCRIPTED,
        )
        pool = PersistentWorkerPool(pool_options(root, shutdown_timeout_s=20.0), around)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            async with pool:
                yield Stage(pool=pool, journal=journal, other=other, capture=capture)


async def test_a_locked_journal_is_told_once_and_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with locked_pool(tmp_path, monkeypatch, "finish", 20) as scenario:
        with anyio.fail_after(20):
            await scenario.capture.until(lambda: scenario.capture.all(TaskStarted))
        scenario.other.execute("BEGIN IMMEDIATE")
        await scenario.until_told("Another program has locked the journal")
        with anyio.move_on_after(1):  # many tries to write
            await scenario.pool.finish()
        during = scenario.pool.get_status()
        scenario.other.execute("ROLLBACK")
        with anyio.fail_after(20):
            end = await scenario.pool.finish()
        records = await scenario.journal.records(BATCH)

    assert end is None
    assert during.holds == ("journal_locked",)
    assert len(scenario.told("Another program has locked the journal")) == 1
    assert len(scenario.told("resumed: the journal is unlocked")) == 1
    assert {(record.status, record.attempt_count) for record in records} == {("DONE", 1)}


async def test_a_stop_while_the_journal_is_locked_ends_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with locked_pool(tmp_path, monkeypatch, "hang", 3) as scenario:
        with anyio.fail_after(20):
            pool = scenario.pool
            await scenario.capture.until(lambda: pool.workers[0].current_task and not pool.task_queue.empty())
        scenario.other.execute("BEGIN IMMEDIATE")
        with anyio.fail_after(20):
            await scenario.pool.shutdown(2.0)
        scenario.other.execute("ROLLBACK")
        await scenario.journal.recover(3)
        records = await scenario.journal.records(BATCH)

    assert scenario.told("were not written")
    assert {record.status for record in records} == {"QUEUED"}
