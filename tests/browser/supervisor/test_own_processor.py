"""A pool with a processor of the user's own: real workers, real Chromium, no portal and no login."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from poolwright.demo.portal_client import running_portal
from poolwright.domain.events import Event, TaskReturned
from poolwright.domain.options import WorkerOptions
from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.supervisor.policy.commands import StopCause
from poolwright.supervisor.processes.one_shot import make_base
from tests.support import profile_folders
from tests.support.bare_pool import own_pool, task
from tests.support.portal import needs_chromium
from tests.support.sessions import browser_options, demo_pack, portal_options
from tests.support.tasks import BATCH

pytestmark = pytest.mark.timeout(90)


@needs_chromium
async def test_submitted_tasks_are_done_by_it_and_their_files_filed(tmp_path: Path) -> None:
    base = tmp_path / "base"
    await make_base(base, WorkerOptions(browser=browser_options()), tmp_path / "runs", lambda _: None)

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


@needs_chromium
async def test_a_login_that_a_processor_misses_is_brought_back_and_costs_no_attempt(tmp_path: Path) -> None:
    base, events = tmp_path / "base", list[Event]()

    async with running_portal() as portal:
        door = portal_options(portal, demo_pack())
        await make_base(base, WorkerOptions(browser=browser_options(), portal=door), tmp_path / "runs", lambda _: None)
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
    assert returned == [("own:2", ReturnReason.SESSION_LOST, "the portal shows its login page")]
    assert [record.attempt_count for record in records] == [1, 1]
    assert logins == 1


@needs_chromium
async def test_a_login_that_a_processor_misses_without_a_portal_ends_the_pool_with_a_sentence(tmp_path: Path) -> None:
    base = tmp_path / "base"
    await make_base(base, WorkerOptions(browser=browser_options()), tmp_path / "runs", lambda _: None)

    async with running_portal() as portal, own_pool(tmp_path, base, "own_processors:enters") as (pool, journal):
        await pool.submit_task(task(1, payload={"url": f"{portal.url}/sessions/new"}))
        with anyio.fail_after(60):
            end = await pool.finish()

    assert end is not None
    assert end.cause is StopCause.LOGIN_REQUIRED
    assert end.detail == "A processor reports that it was logged out, but this pool has no portal to log in to."
    assert [(record.status, record.attempt_count) for record in await journal.records(BATCH)] == [("QUEUED", 0)]


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
