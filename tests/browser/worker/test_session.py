"""The browser session: login, keeper tab, tabs, refresh, close. Real Chromium, demo portal."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import signal
import socket
import stat
from collections.abc import Generator
from pathlib import Path

import anyio
import psutil
import pytest
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from poolwright.demo.faults import FaultScope, Hang
from poolwright.demo.portal_client import PortalClient
from poolwright.domain.outcomes import Reason
from poolwright.profile.profile import prepare_for_launch
from poolwright.worker import session as sessions
from poolwright.worker.attempt import attempt
from poolwright.worker.errors import CannotLogInError, CannotStartError, PortalDownError
from tests.support.display import needs_xvfb, virtual_display
from tests.support.portal import CHROMIUM, lasting_portal, needs_chromium
from tests.support.sessions import Stage, open_stage, task_for

pytestmark = [needs_chromium, pytest.mark.timeout(90)]


@pytest.fixture(scope="module", name="shared")
def _shared() -> Generator[PortalClient]:
    with lasting_portal() as portal:
        yield portal


@pytest.fixture(name="portal")
async def _portal(shared: PortalClient) -> PortalClient:
    await shared.clear_faults()
    await shared.reset_stats()
    return shared


async def good_number(portal: PortalClient) -> str:
    """An order that has files, all of them good."""
    truths = await portal.truth()
    return next(truth.number for truth in truths.values() if truth.is_listed and truth.outcome == "COMPLETED")


async def close_keeper(stage: Stage) -> None:
    """What a person does with the mouse."""
    page = stage.session._keeper.page
    await page.close()


async def test_a_fresh_profile_is_logged_in_by_form(portal: PortalClient, tmp_path: Path) -> None:
    async with open_stage(portal, tmp_path) as stage:
        cookies = {cookie.get("name") for cookie in await stage.session.driver.cookies()}
        status = stage.session.status.name
        preserved = {cookie["name"] for cookie in stage.session.session_cookies.values()}

    assert status == "AUTHENTICATED"
    assert {"_demo_session", "demo_user", "demo_visit"} <= cookies
    assert preserved == cookies
    assert stage.heard.said == ["logged in (form)"]
    assert stage.heard.path("session") == ["INITIALIZING", "AUTHENTICATED", "CLOSING", "CLOSED"]


async def test_a_profile_that_is_logged_in_is_not_logged_in_again(portal: PortalClient, tmp_path: Path) -> None:
    async with open_stage(portal, tmp_path, executable=CHROMIUM):
        pass
    prepare_for_launch(tmp_path / "profile")

    async with open_stage(portal, tmp_path, password="", executable=CHROMIUM) as stage:
        assert stage.session.status.name == "AUTHENTICATED"

    assert stage.heard.said == []


async def test_cookies_without_an_expiry_outlive_the_browser(portal: PortalClient, tmp_path: Path) -> None:
    async with open_stage(portal, tmp_path):
        pass
    prepare_for_launch(tmp_path / "profile")

    async with open_stage(portal, tmp_path) as stage:
        cookies = {cookie.get("name") for cookie in await stage.session.driver.cookies()}
        page_count = len(stage.session.driver.pages)

    assert "demo_visit" in cookies
    assert page_count == 1, "no tab of the earlier browser comes back"


async def test_a_killed_browser_costs_no_cookie(portal: PortalClient, tmp_path: Path) -> None:
    """Its disk is up to 30 s behind; the next browser on the profile has them all the same."""
    async with open_stage(portal, tmp_path):
        pass
    prepare_for_launch(tmp_path / "profile")
    async with open_stage(portal, tmp_path) as stage:
        await stage.session.driver.add_cookies([{"name": "late", "value": "1", "url": portal.url}])
        await stage.session.login.save_cookies()
        kill_browser(tmp_path / "profile")
        await stage.session.lost.wait()
    prepare_for_launch(tmp_path / "profile")

    async with open_stage(portal, tmp_path, password="") as stage:
        cookies = {cookie.get("name"): cookie.get("value") for cookie in await stage.session.driver.cookies()}

    assert cookies["late"] == "1"
    assert {"_demo_session", "demo_user", "demo_visit"} <= cookies.keys()


async def test_kept_cookies_are_for_the_owner_alone_and_current_after_an_orderly_close(
    portal: PortalClient, tmp_path: Path
) -> None:
    async with open_stage(portal, tmp_path) as stage:
        await stage.session.driver.add_cookies([{"name": "last", "value": "1", "url": portal.url}])

    kept = tmp_path / "cookies.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert "last" in {cookie["name"] for cookie in json.loads(kept.read_text())}


async def test_cookies_that_cannot_be_kept_or_brought_back_are_told_and_no_more(
    portal: PortalClient, tmp_path: Path
) -> None:
    (tmp_path / "cookies.json").mkdir()

    async with open_stage(portal, tmp_path) as stage:
        status = stage.session.status.name

    assert status == "AUTHENTICATED"
    assert any("saved cookies could not be restored" in text for text in stage.heard.said)
    assert any("cookies could not be saved for a restart" in text for text in stage.heard.said)


async def test_a_wrong_password_is_told_as_such(portal: PortalClient, tmp_path: Path) -> None:
    with pytest.raises(CannotLogInError, match="form: it shows its login page"):
        async with open_stage(portal, tmp_path, password="wrong"):
            pytest.fail("it is logged in")


async def test_no_password_is_told_with_the_place_to_give_it(portal: PortalClient, tmp_path: Path) -> None:
    with pytest.raises(CannotLogInError, match="POOLWRIGHT_PASSWORD"):
        async with open_stage(portal, tmp_path, password=""):
            pytest.fail("it is logged in")


async def test_a_portal_that_fails_is_no_lost_login(portal: PortalClient, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = dataclasses.replace(portal, url=f"http://127.0.0.1:{taken.getsockname()[1]}")
    with pytest.raises(PortalDownError, match="does not answer"):
        async with open_stage(nobody, tmp_path):
            pytest.fail("it is logged in")


async def test_a_browser_that_is_none_is_told_as_such(portal: PortalClient, tmp_path: Path) -> None:
    with pytest.raises(CannotStartError):
        async with open_stage(portal, tmp_path, executable="/bin/true"):
            pytest.fail("it started")


async def test_a_profile_that_cannot_be_locked_is_told_with_all_that_it_may_be(
    portal: PortalClient, tmp_path: Path
) -> None:
    async with open_stage(portal, tmp_path, executable=CHROMIUM):
        with pytest.raises(CannotStartError, match=r"another browser uses it, it is not writable, or its disk"):
            async with open_stage(portal, tmp_path, executable=CHROMIUM):
                pytest.fail("two browsers have one profile")


async def test_a_closed_keeper_is_open_again_before_the_next_order(portal: PortalClient, tmp_path: Path) -> None:
    number = await good_number(portal)

    async with open_stage(portal, tmp_path) as stage:
        await close_keeper(stage)
        report = await attempt(stage.bench, task_for(number), stage.staging / number)
        page_count = len(stage.session.driver.pages)

    assert report.reason is Reason.ALL_SAVED
    assert page_count == 1
    assert "it was reopened" in stage.heard.said[-1]


async def test_a_crashed_keeper_is_replaced(portal: PortalClient, tmp_path: Path) -> None:
    number = await good_number(portal)

    async with open_stage(portal, tmp_path) as stage:
        keeper = stage.session._keeper.page
        async with keeper.expect_event("crash", timeout=20_000):
            await keeper.goto(f"{portal.order_url(number)}?__fault=crash", wait_until="commit")
        report = await attempt(stage.bench, task_for(number), stage.staging / number)

    assert report.reason is Reason.ALL_SAVED
    assert "it was reopened" in stage.heard.said[-1]


@needs_xvfb
async def test_a_person_who_closes_the_only_tab_of_a_headed_browser_does_no_harm(
    portal: PortalClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await good_number(portal)

    with virtual_display(monkeypatch):
        async with open_stage(portal, tmp_path, headless=False) as stage:
            for _ in range(2):
                await close_keeper(stage)
                report = await attempt(stage.bench, task_for(number), stage.staging / number)
                assert report.reason is Reason.ALL_SAVED
            is_lost = stage.session.lost.is_set()

    assert not is_lost


async def test_the_tabs_of_a_session_are_named_while_they_live(portal: PortalClient, tmp_path: Path) -> None:
    async with open_stage(portal, tmp_path) as stage:
        task = task_for("1")
        async with stage.session.tab(task, tmp_path / "a"):
            during = stage.session.view().active_tabs
        after = stage.session.view()

    assert list(during) == [task.task_id]
    assert during[task.task_id] != after.main_window_handle
    assert after.active_tabs == {}
    assert after.status == "ACTIVE"


async def test_a_pdf_that_is_shown_inline_is_a_download(portal: PortalClient, tmp_path: Path) -> None:
    """The setting stands in the clone; without it the viewer opens and no file ever comes."""
    async with open_stage(portal, tmp_path, executable=CHROMIUM):
        pass
    prepare_for_launch(tmp_path / "profile")
    settings = json.loads((tmp_path / "profile" / "Default" / "Preferences").read_text())
    truths = await portal.truth()
    inline = next(
        file
        for truth in truths.values()
        for file in truth.attachments
        if file.kind == "pdf" and file.naming == "inline"
    )

    async with (
        open_stage(portal, tmp_path, executable=CHROMIUM) as stage,
        stage.session.tab(task_for("1"), tmp_path / "a") as tab,
    ):
        async with tab.page.expect_download(timeout=20_000) as waiting:
            with pytest.raises(PlaywrightError):
                await tab.page.goto(f"{portal.url}/attachment/{inline.attachment_id}/download")
        size = (await (await waiting.value).path()).stat().st_size

    assert settings["plugins"]["always_open_pdf_externally"] is True
    assert size == inline.size_bytes


async def test_a_page_that_waits_for_the_portal_is_no_dead_browser(
    portal: PortalClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page does not answer while it navigates; the browser does, three times over."""
    monkeypatch.setattr(sessions, "PING_INTERVAL_S", 0.01)
    await portal.add_fault(Hang(), FaultScope.ALL)

    async with open_stage(portal, tmp_path, is_authenticated=False) as stage, anyio.create_task_group() as beside:
        session, keeper = stage.session, stage.session._keeper.page
        asked_thrice, ask, count = anyio.Event(), session._ping_once, itertools.count(1)

        async def counted(answered: anyio.Event) -> None:
            await ask(answered)
            if next(count) == 3:
                asked_thrice.set()

        monkeypatch.setattr(session, "_ping_once", counted)
        async with keeper.expect_request("**/*"):
            beside.start_soon(_never_arrive, keeper, portal.url)
        beside.start_soon(session.ping)
        with anyio.fail_after(30):
            await asked_thrice.wait()
        assert not session.lost.is_set()
        beside.cancel_scope.cancel()


async def test_a_browser_that_hangs_is_lost(
    portal: PortalClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "PING_INTERVAL_S", 0.01)
    monkeypatch.setattr(sessions, "PING_LIMIT_S", 0.3)

    async with open_stage(portal, tmp_path, is_authenticated=False) as stage, anyio.create_task_group() as beside:
        signal_browser(tmp_path / "profile", signal.SIGSTOP)
        beside.start_soon(stage.session.ping)
        with anyio.fail_after(30):
            await stage.session.lost.wait()
        signal_browser(tmp_path / "profile", signal.SIGKILL)


async def _never_arrive(page: Page, url: str) -> None:
    with contextlib.suppress(PlaywrightError):
        await page.goto(url)


async def test_nothing_of_a_closed_session_runs_on(portal: PortalClient, tmp_path: Path) -> None:
    mark = f"--user-data-dir={tmp_path / 'profile'}"

    async with open_stage(portal, tmp_path):
        during = [process for process in psutil.process_iter() if mark in _command(process)]

    assert during
    assert not [process for process in psutil.process_iter() if mark in _command(process)]


def kill_browser(profile: Path) -> None:
    """As the kernel does when memory runs out."""
    signal_browser(profile, signal.SIGKILL)


def signal_browser(profile: Path, number: signal.Signals) -> None:
    """Send a signal to the browser on a profile, not to the processes of its pages."""
    mark = f"--user-data-dir={profile}"
    for process in psutil.process_iter():
        command = _command(process)
        if mark in command and not any(part.startswith("--type=") for part in command):
            process.send_signal(number)


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
