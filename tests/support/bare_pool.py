"""A pool with a processor of the user's own, put together without the library."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from poolwright.archive.output_tree import OutputTree
from poolwright.concurrency import SystemClock
from poolwright.domain.ids import TaskId
from poolwright.domain.options import PoolOptions, PortalOptions, WorkerOptions
from poolwright.domain.ports import EventSink
from poolwright.domain.tasks import JsonValue, POTask
from poolwright.supervisor.pool import PersistentWorkerPool
from poolwright.supervisor.pool_context import PoolPorts
from tests.support.memory_journal import MemoryJournal
from tests.support.sessions import browser_options
from tests.support.tasks import BATCH

OWN = """
from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import POTask, Report
from poolwright.sdk import SessionLostError, Tab


async def enters(tab: Tab, task: POTask) -> Report:
    await tab.page.goto(task.payload["url"])
    if "/sessions/new" in tab.page.url:
        raise SessionLostError("the portal shows its login page\\nand more")
    return Report(reason=Reason.ALL_SAVED)


async def titles(tab: Tab, task: POTask) -> Report:
    await tab.page.goto(task.payload["url"])
    title = await tab.page.title()
    await tab.save("title.txt", title.encode())
    return Report(reason=Reason.ALL_SAVED, fields={"title": title})
"""


Opened = tuple[PersistentWorkerPool, MemoryJournal]


def task(number: int, payload: JsonValue = None) -> POTask:
    return POTask(task_id=TaskId(f"own:{number}"), po_number=f"T{number}", portal_number=f"{number}", payload=payload)


@asynccontextmanager
async def own_pool(
    root: Path,
    base: Path,
    processor: str,
    portal: PortalOptions | None = None,
    observe: EventSink = lambda _: None,
    *,
    tab_count: int = 1,
) -> AsyncGenerator[Opened]:
    """A pool of one worker with this processor, whose module lies in ``root/scripts``."""
    scripts = root / "scripts"
    scripts.mkdir()
    (scripts / "own_processors.py").write_text(OWN, encoding="utf-8")
    clock = SystemClock()
    journal = MemoryJournal(clock)
    options = PoolOptions(
        worker=WorkerOptions(
            browser=browser_options(),
            portal=portal,
            tabs_per_worker=tab_count,
            processor=processor,
            import_path=(str(scripts),),
        ),
        worker_count=1,
        base_profile_path=base,
        runs_root=root / "runs",
        staging_path=root / "out" / ".poolwright" / "staging",
    )
    around = PoolPorts(
        journal=journal,
        archive=OutputTree(root / "out", "{number}", clock=clock),
        clock=clock,
        observe=observe,
        batch_id=BATCH,
    )
    async with PersistentWorkerPool(options, around) as pool:
        yield pool, journal
