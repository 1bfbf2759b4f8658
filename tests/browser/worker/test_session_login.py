"""How a session comes to be logged in again: the rungs of the ladder, and the login of another worker."""

from __future__ import annotations

import stat
from pathlib import Path

import anyio
import pytest
from playwright.async_api import Page, Route
from pyotp.totp import TOTP

from poolwright.demo.faults import FaultScope, Hang
from poolwright.demo.portal_client import PortalClient, running_portal
from poolwright.domain.outcomes import LoginCheck
from poolwright.portal.pack import LoginStep, Pack
from poolwright.worker.browser.cookie_snapshot import CookieSnapshot
from poolwright.worker.errors import CannotLogInError, PortalDownError
from poolwright.worker.login.login_flow import Credentials
from tests.support.display import needs_xvfb, virtual_display
from tests.support.portal import needs_chromium
from tests.support.sessions import OpenScenario, Scenario, demo_pack, open_scenario

pytestmark = [needs_chromium, pytest.mark.timeout(90), pytest.mark.asyncio(loop_scope="session")]

SECRET = "JBSWY3DPEHPK3PXP"


def pack_with(*ladder: LoginStep, person_s: float = 30.0) -> Pack:
    pack = demo_pack()
    login = pack.login.model_copy(update={"ladder": ladder})
    return pack.model_copy(update={"login": login, "limits": pack.limits.model_copy(update={"person_s": person_s})})


async def log_out(portal: PortalClient, scenario: Scenario) -> None:
    """The portal ends all sessions, and the session hears of it."""
    await portal.expire_sessions()
    await portal.reset_stats()
    assert scenario.session.login.mark_logged_out(scenario.session.login.login_count)


async def test_a_lost_login_is_news_once(portal: PortalClient, tmp_path: Path, open_scenario: OpenScenario) -> None:
    async with open_scenario(portal, tmp_path) as scenario:
        membership = scenario.session.login
        count = membership.login_count
        first, second = membership.mark_logged_out(count), membership.mark_logged_out(count)
        await membership.log_in(Credentials())
        of_a_page_that_was_asked_for_before = membership.mark_logged_out(count)

    assert (first, second, of_a_page_that_was_asked_for_before) == (True, False, False)
    assert scenario.heard.path("session")[-6:] == [
        "AUTHENTICATED",
        "ERROR",
        "RECOVERING",
        "ACTIVE",
        "CLOSING",
        "CLOSED",
    ]


async def test_a_log_out_that_a_page_shows_during_a_login_is_that_of_the_last_one(
    portal: PortalClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_scenario: OpenScenario
) -> None:
    """A worker is asked to log in because another one was logged out, before its own pages show that it is, too."""
    async with open_scenario(portal, tmp_path) as scenario:
        login = scenario.session.login
        count, told = login.login_count, list[bool]()
        monkeypatch.setattr(login, "_notify", lambda *_: told.append(login.mark_logged_out(count)))
        await login.log_in(Credentials())
        is_news = login.mark_logged_out(login.login_count)

    assert (told, is_news) == ([False], True)
    assert scenario.heard.path("session")[-4:] == ["AUTHENTICATED", "ERROR", "CLOSING", "CLOSED"]


async def test_a_page_that_hangs_says_nothing_about_the_login(
    portal: PortalClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    open_scenario: OpenScenario,
) -> None:
    monkeypatch.setattr("poolwright.worker.page.devtools._GRACE_S", 0.5)
    async with open_scenario(portal, tmp_path, pack=demo_pack(page_s=0.5), is_authenticated=False) as scenario:
        await scenario.session.driver.route("**/*", _answer_with_endless_script)
        with pytest.raises(PortalDownError, match="did not come within"):
            await scenario.session.login.check()


async def _answer_with_endless_script(route: Route) -> None:
    await route.fulfill(content_type="text/html", body="<script>setTimeout(() => { for (;;); }, 1);</script>")


async def test_a_session_takes_over_the_login_of_another(
    portal: PortalClient, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with (
        open_scenario(portal, tmp_path / "one") as one,
        open_scenario(portal, tmp_path / "two", password="wrong", is_authenticated=False) as two,
    ):
        await log_out(portal, one)
        await one.session.login.log_in(Credentials())
        assert await two.session.login.check() is not None
        await two.session.login.import_cookies(tmp_path / "one" / "cookies.json")
        result = await two.session.login.check_login()
        stats = await portal.stats()

    assert result is LoginCheck.LOGGED_IN
    assert stats.logins == 1
    assert stat.S_IMODE((tmp_path / "two" / "cookies.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("spoil", [lambda path: path.unlink(), lambda path: path.write_text("{")], ids=["gone", "torn"])
async def test_a_login_that_cannot_be_taken_over_is_none(
    portal: PortalClient, tmp_path: Path, spoil: object, open_scenario: OpenScenario
) -> None:
    assert callable(spoil)
    async with open_scenario(portal, tmp_path) as scenario:
        await log_out(portal, scenario)
        (tmp_path / "other.json").write_text("[]")
        spoil(tmp_path / "other.json")
        with pytest.raises(CannotLogInError):
            await scenario.session.login.import_cookies(tmp_path / "other.json")

    assert not scenario.session.login.is_logged_in
    assert scenario.heard.path("session")[-4:] == ["RECOVERING", "ERROR", "CLOSING", "CLOSED"]


async def test_a_login_that_was_made_into_the_profile_since_is_taken(
    portal: PortalClient, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    """So a daemon that waits for a person goes on without a restart."""
    ladder = pack_with(LoginStep.REVISIT, LoginStep.COOKIES)
    async with open_scenario(portal, tmp_path / "worker", pack=ladder, is_authenticated=False) as scenario:
        keys = Credentials(snapshot=CookieSnapshot(tmp_path / "person" / "cookies.json"))
        with pytest.raises(CannotLogInError, match="cookies: the saved login is empty"):
            await scenario.session.login.log_in(keys)
        async with open_scenario(portal, tmp_path / "person"):
            pass
        step = await scenario.session.login.log_in(keys)

    assert step == LoginStep.COOKIES


async def test_a_portal_that_answers_no_login_in_time_is_down_and_refuses_nobody(
    portal: PortalClient, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with open_scenario(portal, tmp_path, pack=demo_pack(page_s=1.5)) as scenario:
        await log_out(portal, scenario)
        await portal.add_fault(Hang(), FaultScope.LOGIN)
        with anyio.fail_after(30), pytest.raises(PortalDownError, match=r"did not come within|does not answer"):
            await scenario.session.login.log_in(Credentials())
        await portal.clear_faults()

    assert scenario.heard.path("session")[-3:] == ["ERROR", "CLOSING", "CLOSED"]


async def test_every_rung_says_why_it_did_not_hold(
    portal: PortalClient, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    every = pack_with(LoginStep.REVISIT, LoginStep.COOKIES, LoginStep.FORM, LoginStep.HUMAN)
    async with open_scenario(portal, tmp_path, pack=every, password="wrong", is_authenticated=False) as scenario:
        with pytest.raises(CannotLogInError) as caught:
            await scenario.session.login.log_in(Credentials())

    told = str(caught.value)
    assert "revisit: it shows its login page" in told
    assert "cookies: no login is saved beside the profile" in told
    assert "form: it shows its login page" in told
    assert "human: nobody can log in by hand in a headless browser" in told


async def test_a_login_that_would_end_soon_is_given_up_for_a_new_one(
    portal: PortalClient, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    pack = demo_pack()
    pack = pack.model_copy(update={"login": pack.login.model_copy(update={"logout": "/logout"})})
    async with open_scenario(portal, tmp_path, pack=pack) as scenario:
        await portal.reset_stats()
        await scenario.session.login.log_out()
        left = await scenario.session.login.check_login()
        await scenario.session.login.log_in(Credentials())
        stats = await portal.stats()

    assert left is LoginCheck.LOGGED_OUT
    assert stats.logins == 1


class TestSecondFactor:
    """A portal that wants a one-time code beside the password."""

    async def test_the_code_opens_the_door_once(self, tmp_path: Path, open_scenario: OpenScenario) -> None:
        code = TOTP(SECRET).now()
        async with (
            running_portal(totp_secret=SECRET) as portal,
            open_scenario(portal, tmp_path, is_authenticated=False) as scenario,
        ):
            step = await scenario.session.login.log_in(Credentials(one_time_code=code))
            await log_out(portal, scenario)
            with pytest.raises(CannotLogInError, match="rejects the one-time code"):
                await scenario.session.login.log_in(Credentials(one_time_code=code))

        assert step == LoginStep.FORM

    async def test_without_a_code_the_sentence_says_what_is_missing(
        self, tmp_path: Path, open_scenario: OpenScenario
    ) -> None:
        async with (
            running_portal(totp_secret=SECRET) as portal,
            open_scenario(portal, tmp_path, is_authenticated=False) as scenario,
        ):
            with pytest.raises(CannotLogInError, match="POOLWRIGHT_TOTP_SECRET"):
                await scenario.session.login.log_in(Credentials())


@needs_xvfb
class TestPerson:
    """A person who logs in by hand in a worker's own window."""

    async def test_who_logs_in_is_noticed(
        self, portal: PortalClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with virtual_display(monkeypatch):
            async with open_scenario(
                portal, tmp_path, headless=False, pack=pack_with(LoginStep.HUMAN), is_authenticated=False
            ) as scenario:
                async with anyio.create_task_group() as beside:
                    beside.start_soon(log_in_by_hand, scenario.session.driver.pages[0], portal)
                    await scenario.session.login.log_in(Credentials(is_headed=True))
                count = len(scenario.session.driver.pages)

        assert "logged in (human)" in scenario.heard.said
        assert any("please log in by hand" in text for text in scenario.heard.said)
        assert count <= 2, "only the keeper and its understudy are left"

    async def test_a_person_who_does_not_come_is_not_waited_for_for_ever(
        self, portal: PortalClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pack = pack_with(LoginStep.HUMAN, person_s=1.0)
        with virtual_display(monkeypatch):
            async with open_scenario(portal, tmp_path, headless=False, pack=pack, is_authenticated=False) as scenario:
                with pytest.raises(CannotLogInError, match="human: no answer within 1 s"):
                    await scenario.session.login.log_in(Credentials(is_headed=True))


async def log_in_by_hand(page: Page, portal: PortalClient) -> None:
    """A person who mistypes the password first."""
    for password in ("wrong", portal.password):
        await page.wait_for_selector("#user_email")
        await page.fill("#user_email", portal.user)
        await page.fill("#user_password", password)
        async with page.expect_navigation():
            await page.click("#login_submit")
