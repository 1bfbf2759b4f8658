"""The browser session: login, keeper tab, tabs, refresh, close. Real Chromium, demo portal."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import signal
import socket
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import psutil
import pytest
from playwright.async_api import Browser, Page
from playwright.async_api import Error as PlaywrightError

from poolwright.demo.catalogue.truth import FileTruth
from poolwright.demo.faults import FaultScope, Hang
from poolwright.demo.portal_client import PortalClient
from poolwright.domain.outcomes import Reason
from poolwright.profile.profile import prepare_for_launch
from poolwright.worker import session as sessions
from poolwright.worker.attempt import attempt
from poolwright.worker.errors import CannotLogInError, CannotStartError, PortalDownError
from tests.support.display import needs_xvfb, virtual_display
from tests.support.portal import CHROMIUM, needs_chromium
from tests.support.sessions import Scenario, open_scenario, task_for

pytestmark = [needs_chromium, pytest.mark.timeout(90)]
#: For tests of what a session does with a browser that it shares.
on_shared_shell = pytest.mark.asyncio(loop_scope="session")
LOGIN_NAMES = {"_demo_session", "demo_user", "demo_visit"}


async def good_number(portal: PortalClient) -> str:
    """An order that has files, all of them good."""
    truths = await portal.truth()
    return next(truth.number for truth in truths.values() if truth.is_listed and truth.outcome == "COMPLETED")


async def close_keeper(scenario: Scenario) -> None:
    """What a person does with the mouse."""
    page = scenario.session._keeper.page
    await page.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A session on a profile, as it was before it ended."""

    status: str
    #: Names and values.
    cookies: dict[str, str]
    said: list[str]
    #: The names of the cookies that the session preserves.
    preserved: set[str]
    page_count: int
    #: Of its browser, while it runs.
    process_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionResults:
    """Three sessions on one profile: closed in order, killed, closed in order."""

    first: Opened
    second: Opened
    third: Opened
    #: The states that the first went through.
    path: list[str]
    #: Of the first, when it was closed.
    processes_left: list[psutil.Process]
    #: What the first left for the next browser.
    kept: set[str]
    kept_mode: int


async def look(scenario: Scenario, profile: Path) -> Opened:
    cookies = await scenario.session.driver.cookies()
    return Opened(
        status=scenario.session.status.name,
        cookies={cookie.get("name", ""): cookie.get("value", "") for cookie in cookies},
        said=list(scenario.heard.said),
        preserved={cookie["name"] for cookie in scenario.session.session_cookies.values()},
        page_count=len(scenario.session.driver.pages),
        process_count=len(processes_on(profile)),
    )


async def live(portal: PortalClient, folder: Path) -> SessionResults:
    profile = folder / "profile"
    async with open_scenario(portal, folder) as fresh:
        first = await look(fresh, profile)
        await fresh.session.driver.add_cookies([{"name": "last", "value": "1", "url": portal.url}])
    processes_left, kept = processes_on(profile), folder / "cookies.json"
    kept_mode, kept_names = stat.S_IMODE(kept.stat().st_mode), {entry["name"] for entry in json.loads(kept.read_text())}
    prepare_for_launch(profile)
    async with open_scenario(portal, folder, password="") as killed:
        second = await look(killed, profile)
        await killed.session.driver.add_cookies([{"name": "late", "value": "1", "url": portal.url}])
        await killed.session.login.save_cookies()
        kill_browser(profile)
        await killed.session.lost.wait()
    prepare_for_launch(profile)
    async with open_scenario(portal, folder, password="") as scenario:
        third = await look(scenario, profile)
    return SessionResults(
        first=first,
        second=second,
        third=third,
        path=fresh.heard.path("session"),
        processes_left=processes_left,
        kept=kept_names,
        kept_mode=kept_mode,
    )


@pytest.fixture(scope="module", name="lives")
def _lives(shared_portal: PortalClient, tmp_path_factory: pytest.TempPathFactory) -> SessionResults:
    return anyio.run(live, shared_portal, tmp_path_factory.mktemp("lives"))


def test_a_fresh_profile_is_logged_in_by_form(lives: SessionResults) -> None:
    assert lives.first.status == "AUTHENTICATED"
    assert lives.first.cookies.keys() >= LOGIN_NAMES
    assert lives.first.preserved == lives.first.cookies.keys()
    assert lives.first.said == ["logged in (form)"]
    assert lives.path == ["INITIALIZING", "AUTHENTICATED", "CLOSING", "CLOSED"]


def test_cookies_without_an_expiry_outlive_the_browser(lives: SessionResults) -> None:
    assert "demo_visit" in lives.second.cookies
    assert lives.second.page_count == 1, "no tab of the earlier browser comes back"
    assert not [text for text in lives.second.said if "logged in" in text]


def test_a_killed_browser_costs_no_cookie(lives: SessionResults) -> None:
    """Its disk is up to 30 s behind; the next browser on the profile has them all the same."""
    assert lives.third.cookies["late"] == "1"
    assert lives.third.cookies.keys() >= LOGIN_NAMES


def test_kept_cookies_are_for_the_owner_alone_and_current_after_an_orderly_close(lives: SessionResults) -> None:
    assert lives.kept_mode == 0o600
    assert "last" in lives.kept


def test_nothing_of_a_closed_session_runs_on(lives: SessionResults) -> None:
    assert lives.first.process_count > 0
    assert lives.processes_left == []


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeLives:
    """Two sessions of a whole browser on one profile; the second one is looked at."""

    status: str
    said: list[str]
    settings: dict[str, Any]
    #: An order's PDF, as the portal has it and as it came.
    pdf_bytes: int
    downloaded_bytes: int
    #: What a session says that wants the same profile meanwhile.
    refusal: str


async def live_whole(portal: PortalClient, folder: Path) -> WholeLives:
    profile = folder / "profile"
    async with open_scenario(portal, folder, executable=CHROMIUM):
        pass
    prepare_for_launch(profile)
    settings = json.loads((profile / "Default" / "Preferences").read_text())
    inline = await inline_pdf(portal)
    async with open_scenario(portal, folder, password="", executable=CHROMIUM) as scenario:
        status, said = scenario.session.status.name, list(scenario.heard.said)
        with pytest.raises(CannotStartError) as refused:
            async with open_scenario(portal, folder, executable=CHROMIUM):
                pytest.fail("two browsers have one profile")
        async with scenario.session.tab(task_for("1"), folder / "a") as tab:
            async with tab.page.expect_download(timeout=20_000) as waiting:
                with pytest.raises(PlaywrightError):
                    await tab.page.goto(f"{portal.url}/attachment/{inline.attachment_id}/download")
            downloaded = (await (await waiting.value).path()).stat().st_size
    return WholeLives(
        status=status,
        said=said,
        settings=settings,
        pdf_bytes=inline.size_bytes,
        downloaded_bytes=downloaded,
        refusal=str(refused.value),
    )


async def inline_pdf(portal: PortalClient) -> FileTruth:
    """A PDF that the portal tells browsers to show."""
    truths = await portal.truth()
    return next(
        file
        for truth in truths.values()
        for file in truth.attachments
        if file.kind == "pdf" and file.naming == "inline"
    )


@pytest.fixture(scope="module", name="whole")
def _whole(shared_portal: PortalClient, tmp_path_factory: pytest.TempPathFactory) -> WholeLives:
    return anyio.run(live_whole, shared_portal, tmp_path_factory.mktemp("whole"))


def test_a_profile_that_is_logged_in_is_not_logged_in_again(whole: WholeLives) -> None:
    assert whole.status == "AUTHENTICATED"
    assert whole.said == []


def test_a_profile_that_cannot_be_locked_is_told_with_all_that_it_may_be(whole: WholeLives) -> None:
    assert "another browser uses it, it is not writable, or its disk" in whole.refusal


def test_a_pdf_that_is_shown_inline_is_a_download(whole: WholeLives) -> None:
    """The setting stands in the clone; without it the viewer opens and no file ever comes."""
    assert whole.settings["plugins"]["always_open_pdf_externally"] is True
    assert whole.downloaded_bytes == whole.pdf_bytes


async def test_cookies_that_cannot_be_kept_or_brought_back_are_told_and_no_more(
    portal: PortalClient, tmp_path: Path
) -> None:
    (tmp_path / "cookies.json").mkdir()

    async with open_scenario(portal, tmp_path) as scenario:
        status = scenario.session.status.name

    assert status == "AUTHENTICATED"
    assert any("saved cookies could not be restored" in text for text in scenario.heard.said)
    assert any("cookies could not be saved for a restart" in text for text in scenario.heard.said)


@on_shared_shell
async def test_a_wrong_password_is_told_as_such(portal: PortalClient, tmp_path: Path, shell: Browser) -> None:
    with pytest.raises(CannotLogInError, match="form: it shows its login page"):
        async with open_scenario(portal, tmp_path, browser=shell, password="wrong"):
            pytest.fail("it is logged in")


@on_shared_shell
async def test_no_password_is_told_with_the_place_to_give_it(
    portal: PortalClient, tmp_path: Path, shell: Browser
) -> None:
    with pytest.raises(CannotLogInError, match="POOLWRIGHT_PASSWORD"):
        async with open_scenario(portal, tmp_path, browser=shell, password=""):
            pytest.fail("it is logged in")


@on_shared_shell
async def test_a_portal_that_fails_is_no_lost_login(portal: PortalClient, tmp_path: Path, shell: Browser) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = dataclasses.replace(portal, url=f"http://127.0.0.1:{taken.getsockname()[1]}")
    with pytest.raises(PortalDownError, match="does not answer"):
        async with open_scenario(nobody, tmp_path, browser=shell, password=portal.password):
            pytest.fail("it is logged in")


async def test_a_browser_that_is_none_is_told_as_such(portal: PortalClient, tmp_path: Path) -> None:
    with pytest.raises(CannotStartError):
        async with open_scenario(portal, tmp_path, executable="/bin/true"):
            pytest.fail("it started")


@on_shared_shell
async def test_a_closed_keeper_is_open_again_before_the_next_order(
    portal: PortalClient, tmp_path: Path, shell: Browser
) -> None:
    number = await good_number(portal)

    async with open_scenario(portal, tmp_path, browser=shell) as scenario:
        await close_keeper(scenario)
        report = await attempt(scenario.context, task_for(number), scenario.staging / number)
        page_count = len(scenario.session.driver.pages)

    assert report.reason is Reason.ALL_SAVED
    assert page_count == 1
    assert "it was reopened" in scenario.heard.said[-1]


@on_shared_shell
async def test_a_crashed_keeper_is_replaced(portal: PortalClient, tmp_path: Path, shell: Browser) -> None:
    number = await good_number(portal)

    async with open_scenario(portal, tmp_path, browser=shell) as scenario:
        keeper = scenario.session._keeper.page
        async with keeper.expect_event("crash", timeout=20_000):
            await keeper.goto(f"{portal.order_url(number)}?__fault=crash", wait_until="commit")
        report = await attempt(scenario.context, task_for(number), scenario.staging / number)

    assert report.reason is Reason.ALL_SAVED
    assert "it was reopened" in scenario.heard.said[-1]


@needs_xvfb
async def test_a_person_who_closes_the_only_tab_of_a_headed_browser_does_no_harm(
    portal: PortalClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await good_number(portal)

    with virtual_display(monkeypatch):
        async with open_scenario(portal, tmp_path, headless=False) as scenario:
            for _ in range(2):
                await close_keeper(scenario)
                report = await attempt(scenario.context, task_for(number), scenario.staging / number)
                assert report.reason is Reason.ALL_SAVED
            is_lost = scenario.session.lost.is_set()

    assert not is_lost


@on_shared_shell
async def test_the_tabs_of_a_session_are_named_while_they_live(
    portal: PortalClient, tmp_path: Path, shell: Browser
) -> None:
    async with open_scenario(portal, tmp_path, browser=shell) as scenario:
        task = task_for("1")
        async with scenario.session.tab(task, tmp_path / "a"):
            during = scenario.session.view().active_tabs
        after = scenario.session.view()

    assert list(during) == [task.task_id]
    assert during[task.task_id] != after.main_window_handle
    assert after.active_tabs == {}
    assert after.status == "ACTIVE"


@on_shared_shell
async def test_a_page_that_waits_for_the_portal_is_no_dead_browser(
    portal: PortalClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shell: Browser
) -> None:
    """A page does not answer while it navigates; the browser does, three times over."""
    monkeypatch.setattr(sessions, "PING_INTERVAL_S", 0.01)
    await portal.add_fault(Hang(), FaultScope.ALL)

    async with (
        open_scenario(portal, tmp_path, browser=shell, is_authenticated=False) as scenario,
        anyio.create_task_group() as beside,
    ):
        session, keeper = scenario.session, scenario.session._keeper.page
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

    async with open_scenario(portal, tmp_path, is_authenticated=False) as scenario, anyio.create_task_group() as beside:
        signal_browser(tmp_path / "profile", signal.SIGSTOP)
        beside.start_soon(scenario.session.ping)
        with anyio.fail_after(30):
            await scenario.session.lost.wait()
        signal_browser(tmp_path / "profile", signal.SIGKILL)


async def _never_arrive(page: Page, url: str) -> None:
    with contextlib.suppress(PlaywrightError):
        await page.goto(url)


def kill_browser(profile: Path) -> None:
    """As the kernel does when memory runs out."""
    signal_browser(profile, signal.SIGKILL)


def signal_browser(profile: Path, number: signal.Signals) -> None:
    """Send a signal to the browser on a profile, not to the processes of its pages."""
    for process in processes_on(profile):
        if not any(part.startswith("--type=") for part in _command(process)):
            process.send_signal(number)


def processes_on(profile: Path) -> list[psutil.Process]:
    """The browser on a profile and its helpers."""
    mark = f"--user-data-dir={profile}"
    return [process for process in psutil.process_iter() if mark in _command(process)]


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
