"""A portal that logs everybody out in the middle of a list, again and again: one worker logs in for all of them.

The same on a long list is a part of ``make chaos``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from app.demo.client import Portal
from app.demo.process import running_portal
from tests.support.portal import needs_chromium
from tests.system.program import Desk, open_desk
from tests.system.test_batch import assert_all_right, numbers_of, reported

pytestmark = [pytest.mark.system, pytest.mark.browser, needs_chromium, pytest.mark.timeout(400)]

CREW = ("--workers", "3", "--tabs", "2", "--quiet")
#: A secret with a shorter period than the usual 30 s: each code is good once, so every login waits for the next one. It
#: must still be longer than a busy machine takes from the code to the filled form.
SECRET = "otpauth://totp/demo?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&period=10"


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """How long a list is, and how often the portal logs everybody out meanwhile."""

    order_count: int
    expiry_count: int
    #: Order pages that open in between. Six are open at a time.
    pages_between: int


SHORT = Length(order_count=40, expiry_count=3, pages_between=10)


@pytest.mark.parametrize("totp_secret", ["", SECRET], ids=["password", "one-time codes"])
async def test_each_log_out_costs_one_login_and_no_attempt(tmp_path: Path, totp_secret: str) -> None:
    await be_logged_out(tmp_path, SHORT, totp_secret)


async def test_a_login_that_cannot_be_brought_back_ends_the_run_and_the_next_one_goes_on(tmp_path: Path) -> None:
    await be_left_out(tmp_path, SHORT)


async def be_logged_out(folder: Path, length: Length, totp_secret: str) -> None:
    """Every order comes to its true outcome at its first attempt, and nobody logs in more often than needed."""
    async with (
        running_portal(order_count=length.order_count, totp_secret=totp_secret) as portal,
        open_desk(folder, portal, totp_secret=totp_secret) as desk,
    ):
        orders = await begin(portal, desk, length)
        await portal.expire_sessions(after_pages=length.pages_between, times=length.expiry_count)

        ended = await desk.run("run", orders, *CREW)
        stats = await portal.stats()

        assert ended.code == 1, ended
        await assert_all_came_home(portal, desk, length)
        assert (stats.logins, stats.refused_logins) == (length.expiry_count, 0)


async def be_left_out(folder: Path, length: Length) -> None:
    """Without a password the run ends with the rest in the queue, and goes on after ``profile login``."""
    async with running_portal(order_count=length.order_count) as portal, open_desk(folder, portal) as desk:
        orders = await begin(portal, desk, length)
        await portal.expire_sessions(after_pages=length.pages_between)
        password = desk.environment.pop("POOLWRIGHT_PASSWORD")

        stopped = await desk.run("run", orders, *CREW)
        rows = reported(desk)
        desk.environment["POOLWRIGHT_PASSWORD"] = password
        logged_in = await desk.run("profile", "login", "demo", "--form")
        desk.environment.pop("POOLWRIGHT_PASSWORD")
        resumed = await desk.run("run", orders, *CREW)

        assert stopped.code == 4, stopped
        assert "The portal wants a login and none of the ways in worked" in stopped.out
        assert logged_in.code == 0, logged_in
        assert {row["Outcome"] for row in rows} & {"FAILED", "QUARANTINED"} == set()
        assert resumed.code == 1, resumed
        await assert_all_came_home(portal, desk, length)


async def begin(portal: Portal, desk: Desk, length: Length) -> str:
    """Write the list of all orders; nobody logged in yet as far as the portal's counts go."""
    await portal.reset_stats()
    return desk.list_of(await numbers_of(portal, length.order_count))


async def assert_all_came_home(portal: Portal, desk: Desk, length: Length) -> None:
    """Nothing is missing, nothing misfiled, and no log-out cost an attempt."""
    assert_all_right(desk, await portal.truth(*await numbers_of(portal, length.order_count)))
    assert [row for row in reported(desk) if row["Attempts"] != "1"] == [], desk.log()
