"""A pool with a processor of the user's own: real workers, real Chromium, no portal and no login."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from poolwright.demo.portal_client import running_portal
from poolwright.domain.events import Event, TaskReturned
from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.supervisor.policy.commands import StopCause
from tests.support.bare_pool import own_pool, task
from tests.support.portal import needs_chromium
from tests.support.profile_folders import make_base
from tests.support.sessions import demo_pack, portal_options
from tests.support.tasks import BATCH

pytestmark = pytest.mark.timeout(90)


def empty_base(root: Path) -> Path:
    """A base that no browser had to make, without cookies that a census would miss."""
    return make_base(root / "base", values=())


@needs_chromium
async def test_submitted_tasks_are_done_by_it_and_their_files_filed(tmp_path: Path) -> None:
    base = empty_base(tmp_path)

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
    base, events = empty_base(tmp_path), list[Event]()

    async with running_portal() as portal:
        door = portal_options(portal, demo_pack())
        async with own_pool(tmp_path, base, "own_processors:enters", door, events.append) as (pool, journal):
            payload = {"url": portal.order_url("4500000001")}
            first = await (await pool.submit_task(task(1, payload)))
            await portal.expire_sessions()
            await portal.reset_stats()
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
    base = empty_base(tmp_path)

    async with running_portal() as portal, own_pool(tmp_path, base, "own_processors:enters") as (pool, journal):
        await pool.submit_task(task(1, payload={"url": f"{portal.url}/sessions/new"}))
        with anyio.fail_after(60):
            end = await pool.finish()

    assert end is not None
    assert end.cause is StopCause.LOGIN_REQUIRED
    assert end.detail == "A processor reports that it was logged out, but this pool has no portal to log in to."
    assert [(record.status, record.attempt_count) for record in await journal.records(BATCH)] == [("QUEUED", 0)]
