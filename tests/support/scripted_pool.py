"""A pool of scripted workers on a real journal and a real output folder."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from poolwright.archive.output_tree import OutputTree
from poolwright.concurrency import SystemClock
from poolwright.domain.events import Event, Moved, TaskEnded, TaskReturned
from poolwright.domain.options import BrowserOptions, PoolOptions, PortalOptions, WorkerOptions
from poolwright.profile.clone import is_quarantined
from poolwright.supervisor.pool import PersistentWorkerPool
from poolwright.supervisor.pool_context import PoolPorts
from tests.support import failure_record
from tests.support.event_capture import EventCapture
from tests.support.journal_story import story_of
from tests.support.memory_journal import MemoryJournal
from tests.support.profile_folders import make_base
from tests.support.tasks import BATCH, orders, po_task

SCRIPTED = "tests.support.scripted_worker"


@dataclass(kw_only=True)
class ScriptedPool:
    """A pool and everything around it, to look at during and after."""

    pool: PersistentWorkerPool
    journal: MemoryJournal
    root: Path
    told: EventCapture

    @property
    def events(self) -> list[Event]:
        """What observers were told."""
        return self.told.events

    async def until(self, is_true: Callable[[], object]) -> None:
        """Wait for something that shows with an event; as long as a worker lives there is one every two seconds."""
        await self.told.until(is_true)

    async def submit(self, number: int) -> None:
        """Queue one more order."""
        await self.pool.submit_task(po_task(number))

    async def outcomes(self) -> dict[str, str]:
        """Outcome or status of every order, by number."""
        return {
            record.task.portal_number: str(
                record.report.outcome if record.report and record.status == "DONE" else record.status
            )
            for record in await self.journal.records(BATCH)
        }

    async def attempt_counts(self) -> dict[str, int]:
        """Attempts spent on every order."""
        return {record.task.portal_number: record.attempt_count for record in await self.journal.records(BATCH)}

    def path(self, machine: str, entity: str | None = None) -> list[str]:
        """The states that a machine went through, the first one included."""
        moves = [
            event.transition
            for event in self.events
            if isinstance(event, Moved)
            and event.transition.machine == machine
            and entity in {None, event.transition.entity}
        ]
        return [moves[0].origin, *(move.target for move in moves)] if moves else []

    def ended(self) -> list[TaskEnded]:
        """What observers were told of orders that ended."""
        return [event for event in self.events if isinstance(event, TaskEnded)]

    def returned(self) -> list[TaskReturned]:
        """What observers were told of orders that went back."""
        return [event for event in self.events if isinstance(event, TaskReturned)]

    def assert_nothing_is_left(self) -> None:
        """No process, no clone but a damaged one, no staged file, no temporary file."""
        runs = list((self.root / "runs").glob("*"))
        assert [run for run in runs if not any(is_quarantined(path) for path in run.glob("w*/*"))] == []
        assert [path for path in (self.root / "out").rglob("staging/*/*") if path.name != "browser"] == []
        mark = str(self.root)
        assert [process for process in psutil.process_iter() if _is_marked(process, mark)] == []


def _is_marked(process: psutil.Process, mark: str) -> bool:
    try:
        return process.environ().get("TMPDIR", "").startswith(mark)
    except psutil.Error:
        return False


def pool_options(root: Path, **changes: Any) -> PoolOptions:  # noqa: ANN401 - options by name
    """Options of a pool that lives below ``root``."""
    portal = PortalOptions(pack_json="{}", base_url="http://portal.test")
    return PoolOptions(
        worker=WorkerOptions(
            browser=BrowserOptions(), portal=portal, tabs_per_worker=changes.pop("tabs_per_worker", 1)
        ),
        base_profile_path=changes.pop("base", None) or make_base(root / "demo" / "base"),
        runs_root=root / "runs",
        staging_path=root / "out" / ".poolwright" / "staging",
        worker_count=changes.pop("worker_count", 1),
        **changes,
    )


@asynccontextmanager
async def running_pool(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    script: Mapping[str, Any],
    *numbers: int,
    **changes: Any,  # noqa: ANN401 - options by name
) -> AsyncGenerator[ScriptedPool]:
    """Let scripted workers loose on orders with these numbers; afterwards nothing of them is left.

    ``groups`` among the changes gives the groups of orders by their numbers.
    """
    monkeypatch.setenv("SCRIPTED_WORKER", json.dumps(script))
    clock = SystemClock()
    journal = MemoryJournal(clock)
    given = orders(*numbers)
    groups: Mapping[int, str] = changes.pop("groups", {})
    tasks = tuple(replace(task, group=groups.get(int(task.portal_number), "")) for task in given.tasks)
    await journal.accept(replace(given, tasks=tasks))
    told = EventCapture()
    around = PoolPorts(
        **changes.pop("around", {}),
        journal=journal,
        archive=OutputTree(root / "out", clock=clock),
        clock=clock,
        observe=told,
        batch_id=BATCH,
        module=SCRIPTED,
    )
    pool = PersistentWorkerPool(pool_options(root, **changes), around)
    scripted = ScriptedPool(pool=pool, journal=journal, root=root, told=told)
    record = failure_record.current()
    async with pool:
        try:
            async with record.watching("the pool", root):
                yield scripted
        except BaseException:
            record.add_story("journal", story_of(await journal.records(BATCH), journal.transitions))
            raise
    scripted.assert_nothing_is_left()
