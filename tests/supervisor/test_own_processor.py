"""A pool with a processor of the user's own: real workers, real Chromium, no portal and no login."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from app.archive.tree import OutputTree
from app.demo.process import running_portal
from app.domain.events import Event, TaskReturned
from app.domain.failures import GivenBack, Reason
from app.domain.ids import TaskId
from app.domain.options import PoolOptions, PortalOptions, WorkerOptions
from app.domain.payload import JsonValue
from app.domain.ports import EventSink
from app.domain.task import POTask
from app.service.clock import SystemClock
from app.store.memory import MemoryJournal
from app.supervisor.errand import make_base
from app.supervisor.facts import StopCause
from app.supervisor.pool import PersistentWorkerPool
from app.supervisor.surroundings import Surroundings
from tests.support import profile_folders
from tests.support.portal import needs_chromium
from tests.support.sessions import browser_options, demo_pack, portal_options
from tests.support.tasks import BATCH

pytestmark = [pytest.mark.process, pytest.mark.timeout(90)]

OWN = """
from app.domain.failures import Reason
from app.domain.task import POTask, Report
from app.processor import SessionLostError, Tab


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
            tabs_per_worker=1,
            processor=processor,
            import_path=(str(scripts),),
        ),
        worker_count=1,
        base_profile_path=base,
        runs_root=root / "runs",
        staging_path=root / "out" / ".poolwright" / "staging",
    )
    around = Surroundings(
        journal=journal,
        archive=OutputTree(root / "out", "{number}", clock=clock),
        clock=clock,
        observe=observe,
        batch_id=BATCH,
    )
    async with PersistentWorkerPool(options, around) as pool:
        yield pool, journal


@pytest.mark.browser
@needs_chromium
async def test_submitted_tasks_are_done_by_it_and_their_files_filed(tmp_path: Path) -> None:
    base = tmp_path / "base"
    await make_base(base, WorkerOptions(browser=browser_options()), tmp_path / "runs", lambda *_: None)

    async with running_portal() as portal, own_pool(tmp_path, base, "own_processors:titles") as (pool, journal):
        good = await pool.submit_task(task(1, payload={"url": f"{portal.url}/sessions/new"}))
        bad = await pool.submit_task(task(2, payload={"address": "nowhere"}))
        reports = (await good, await bad)
        records = await journal.records(BATCH)

    assert [report and report.reason for report in reports] == [Reason.ALL_SAVED, Reason.PROCESSOR_ERROR]
    assert [record.attempt_count for record in records] == [1, 3]
    title = await anyio.Path(tmp_path, "out", records[0].folder, "title.txt").read_text()
    assert reports[0] is not None
    assert reports[0].fields == {"title": title}


@pytest.mark.browser
@needs_chromium
async def test_a_login_that_a_processor_misses_is_brought_back_and_costs_no_attempt(tmp_path: Path) -> None:
    base, events = tmp_path / "base", list[Event]()

    async with running_portal() as portal:
        door = portal_options(portal, demo_pack())
        await make_base(base, WorkerOptions(browser=browser_options(), portal=door), tmp_path / "runs", lambda *_: None)
        await portal.reset_stats()
        async with own_pool(tmp_path, base, "own_processors:enters", door, events.append) as (pool, journal):
            payload = {"url": portal.order_url("4500000001")}
            first = await (await pool.submit_task(task(1, payload)))
            await portal.expire_sessions()
            second = await (await pool.submit_task(task(2, payload)))
            records = await journal.records(BATCH)
        logins = (await portal.stats()).logins

    assert [report and report.reason for report in (first, second)] == [Reason.ALL_SAVED] * 2
    returned = [(event.task_id, event.why, event.detail) for event in events if isinstance(event, TaskReturned)]
    assert returned == [("own:2", GivenBack.SESSION_LOST, "the portal shows its login page")]
    assert [record.attempt_count for record in records] == [1, 1]
    assert logins == 1


@pytest.mark.browser
@needs_chromium
async def test_a_login_that_a_processor_misses_without_a_portal_ends_the_pool_with_a_sentence(tmp_path: Path) -> None:
    base = tmp_path / "base"
    await make_base(base, WorkerOptions(browser=browser_options()), tmp_path / "runs", lambda *_: None)

    async with running_portal() as portal, own_pool(tmp_path, base, "own_processors:enters") as (pool, journal):
        await pool.submit_task(task(1, payload={"url": f"{portal.url}/sessions/new"}))
        with anyio.fail_after(60):
            end = await pool.finish()

    assert end is not None
    assert end.cause is StopCause.LOGIN_REQUIRED
    assert end.detail == "A processor says that it was logged out, but this pool has no portal to log in to."
    assert [(record.status, record.attempt_count) for record in await journal.records(BATCH)] == [("QUEUED", 0)]


async def test_a_processor_that_is_not_there_stops_the_pool_with_a_sentence(tmp_path: Path) -> None:
    base = profile_folders.make_base(tmp_path / "base")

    async with own_pool(tmp_path, base, "own_processors:title") as (pool, journal):
        await pool.submit_task(task(1))
        with anyio.fail_after(60):
            end = await pool.finish()

    assert end is not None
    assert end.cause is StopCause.SETUP_FAILED
    place = tmp_path / "scripts" / "own_processors.py"
    assert end.detail == f"There is no processor 'own_processors:title': {place} has no title."
    assert [record.status for record in await journal.records(BATCH)] == ["QUEUED"]


@pytest.mark.browser
@needs_chromium
async def test_purchase_orders_without_a_portal_stop_the_pool_and_cost_no_attempt(tmp_path: Path) -> None:
    base = profile_folders.make_base(tmp_path / "base", values=())  # none that a census would miss

    async with own_pool(tmp_path, base, "po_attachments") as (pool, journal):
        await pool.submit_task(task(1))
        with anyio.fail_after(60):
            end = await pool.finish()

    assert end is not None
    assert (end.cause, end.detail[:38]) == (StopCause.SETUP_FAILED, "The processor po_attachments needs a p")
    assert [(record.status, record.attempt_count) for record in await journal.records(BATCH)] == [("QUEUED", 0)]
