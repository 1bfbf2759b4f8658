"""Upkeep of a journal beside a pool of real processes at work."""

from __future__ import annotations

import json
from pathlib import Path

import anyio
import pytest

from poolwright.archive.output_tree import OutputTree
from poolwright.concurrency import SystemClock
from poolwright.journal.retention import PruneResult
from poolwright.journal.sqlite_journal import SqliteJournal
from poolwright.service.journal_maintenance import DAY_S
from poolwright.supervisor.pool import PersistentWorkerPool
from poolwright.supervisor.pool_context import PoolPorts
from tests.support.journal_audit import check_laws, query
from tests.support.manual_clock import ManualClock
from tests.support.scripted_pool import SCRIPTED, pool_options
from tests.support.tasks import BATCH, OTHER, orders, task_id


async def test_it_goes_on_beside_a_pool_at_work_and_no_order_suffers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCRIPTED_WORKER", json.dumps({"*": {}}))
    monkeypatch.setattr("poolwright.journal.retention.STEP_ROWS", 50)
    path = tmp_path / "out/journal.db"
    past = ManualClock()
    async with SqliteJournal(path, past) as journal:
        await journal.accept(orders(*range(1_000, 2_000), batch_id=OTHER))
        for number in range(1_000, 2_000):
            await journal.cancel(task_id(number))
    clock = SystemClock()
    numbers = range(100_000, 100_040)
    async with SqliteJournal(path, clock) as journal:
        await journal.accept(orders(*numbers))
        around = PoolPorts(
            journal=journal,
            archive=OutputTree(tmp_path / "out", clock=clock),
            clock=clock,
            observe=lambda _: None,
            batch_id=BATCH,
            module=SCRIPTED,
        )
        past.advance(400 * DAY_S)
        gone: list[PruneResult] = []

        async def tidy() -> None:
            # By this clock even what the pool ends in this moment is old.
            gone.append(await journal.prune(past.now(), [BATCH]))
            await journal.compact()

        async with (
            PersistentWorkerPool(pool_options(tmp_path, worker_count=2), around) as pool,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(pool.finish)
            tasks.start_soon(tidy)
        counts = await journal.counts(BATCH)

    check_laws(path, is_swept=True)
    assert gone[0].list_count == 1
    assert gone[0].move_count >= 1_000
    assert counts["DONE"] == len(numbers)
    assert query(path, "SELECT count(*) FROM tasks") == [(1_000 + len(numbers),)]
