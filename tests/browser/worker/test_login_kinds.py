"""Every way to log in, in real Chromium: an order comes, a login that was lost is renewed, and the next order comes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from poolwright.domain.outcomes import LoginCheck, Reason
from poolwright.portal.pack import LoginStep
from poolwright.sdk.protocol import SessionLostError
from poolwright.worker.attempt import attempt
from poolwright.worker.errors import CannotLogInError
from poolwright.worker.login import login_actions
from poolwright.worker.login.login_flow import Credentials
from tests.support import login_portals as made
from tests.support.login_portals import AS_FORM, CODE, LoginPortal, login_pack, login_portal, steps
from tests.support.portal import needs_chromium
from tests.support.raw_scenario import files_of
from tests.support.sessions import OpenScenario, Scenario, task_for

pytestmark = [needs_chromium, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="session")]

WHO = 'fill = "#user"; value = "{user}"'
SECRET = 'fill = "#password"; value = "{password}"'
STEPPED = steps(WHO, 'click = "#next"', SECRET, 'press = "Enter"; on = "#password"')
FORM = '[login.form]\nuser = "#login #user"\npassword = "#login #password"\nsubmit = "#login #go"\n'
IN_FRAME = tuple(f'{line}; frame = "#login"' for line in (WHO, SECRET, 'click = "#go"'))
QUESTION = steps(WHO, 'click = "#next"', SECRET, 'click = "#next"', 'click = "#next"; if_present = true')
KINDS = {
    "form": (made.form, FORM),
    "more than one form": (made.form, AS_FORM.replace('"#', '"#login #')),
    "pages and a question": (made.two_pages, QUESTION),
    "pages without the question": (made.two_pages_only, QUESTION),
    "keys": (made.two_pages_only, STEPPED),
    "a script": (made.script, AS_FORM),
    "a script that shows its end": (made.script, AS_FORM + steps('wait_for = "#welcome"')),
    "a frame": (made.frame, steps(*IN_FRAME)),
    "a provider": (made.provider, f'hosts = ["localhost"]\n{AS_FORM}'),
}


async def bring_two_orders(portal: LoginPortal, scenario: Scenario, credentials: Credentials) -> list[str]:
    """Log in, fetch an order, lose the login and renew it, and fetch another one; return how it logged in."""
    login = scenario.session.login
    taken = [await login.log_in(credentials)]
    report, files = await files_of(scenario, "1")
    assert (report.reason, list(files.values())) == (Reason.ALL_SAVED, [made.PDF])
    portal.expire()
    with pytest.raises(SessionLostError):
        await attempt(scenario.context, task_for("2"), scenario.staging / "2")
    assert login.mark_logged_out(login.login_count)
    taken.append(await login.log_in(credentials))
    assert await login.check_login() is LoginCheck.LOGGED_IN
    report, files = await files_of(scenario, "3")
    assert (report.reason, list(files.values())) == (Reason.ALL_SAVED, [made.PDF])
    return taken


@pytest.mark.parametrize("kind", KINDS)
async def test_a_login_is_made_and_renewed(kind: str, tmp_path: Path, open_scenario: OpenScenario) -> None:
    pages, rules = KINDS[kind]
    async with (
        login_portal(LoginPortal(pages=pages)) as portal,
        open_scenario(portal.client, tmp_path, pack=login_pack(rules), is_authenticated=False) as scenario,
    ):
        taken = await bring_two_orders(portal, scenario, Credentials())

    assert taken == [LoginStep.FORM] * 2
    assert portal.logins == 2


@pytest.mark.parametrize("start", ['button = "#sso"', 'address = "/sso"'])
async def test_single_sign_on_is_started_without_a_password(
    start: str, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    pack = login_pack(f"[login.sign_on]\n{start}", ladder='"revisit", "sign_on"')
    async with (
        login_portal(LoginPortal(pages=made.sign_on)) as portal,
        open_scenario(portal.client, tmp_path, pack=pack, password="", is_authenticated=False) as scenario,
    ):
        taken = await bring_two_orders(portal, scenario, Credentials())

    assert taken == [LoginStep.SIGN_ON] * 2


async def test_a_cookie_that_changes_at_every_answer_stays_a_login(tmp_path: Path, open_scenario: OpenScenario) -> None:
    pack = login_pack(AS_FORM.replace('"#', '"#login #'))
    async with login_portal(LoginPortal(pages=made.form, is_rotating=True)) as portal:
        async with (
            open_scenario(portal.client, tmp_path / "one", pack=pack, is_authenticated=False) as one,
            open_scenario(portal.client, tmp_path / "two", pack=pack, is_authenticated=False) as two,
        ):
            await one.session.login.log_in(Credentials())
            await two.session.login.import_cookies(tmp_path / "one" / "cookies.json")
            for number in range(12):  # more answers than the portal takes earlier cookies for
                scenario = (one, two)[number // 2 % 2]
                report, _ = await files_of(scenario, str(number))
                assert report.reason is Reason.ALL_SAVED, number
                await scenario.session.login.save_cookies()
                await (two if scenario is one else one).session.login.import_cookies(
                    tmp_path / ("one" if scenario is one else "two") / "cookies.json"
                )
            await one.session.login.save_cookies()
        async with open_scenario(portal.client, tmp_path / "one", pack=pack, is_authenticated=False) as again:
            await again.session.login.restore_cookies()
            assert await again.session.login.check() is None, "a new browser has the last cookie"

    assert portal.logins == 1


class TestCode:
    """A one-time code among the fields."""

    RULES = steps(WHO, SECRET, 'fill = "#code"; value = "{code}"', 'click = "#go"')

    async def test_it_is_written_once(self, tmp_path: Path, open_scenario: OpenScenario) -> None:
        async with (
            login_portal(LoginPortal(pages=made.with_code)) as portal,
            open_scenario(portal.client, tmp_path, pack=login_pack(self.RULES), is_authenticated=False) as scenario,
        ):
            credentials = Credentials(one_time_code=CODE)
            await scenario.session.login.log_in(credentials)
            portal.expire()
            scenario.session.login.mark_logged_out(scenario.session.login.login_count)
            with pytest.raises(CannotLogInError, match="asks for a second one-time code"):
                await scenario.session.login.log_in(credentials)

    async def test_without_one_the_sentence_says_what_is_missing(
        self, tmp_path: Path, open_scenario: OpenScenario
    ) -> None:
        async with (
            login_portal(LoginPortal(pages=made.with_code)) as portal,
            open_scenario(portal.client, tmp_path, pack=login_pack(self.RULES), is_authenticated=False) as scenario,
        ):
            with pytest.raises(CannotLogInError, match=r"login step 3 \(fill '#code'\): .*POOLWRIGHT_TOTP_SECRET"):
                await scenario.session.login.log_in(Credentials())


class TestProblems:
    """What a login that fails says."""

    async def problem(self, portal: LoginPortal, rules: str, folder: Path, open_scenario: OpenScenario) -> str:
        pack = login_pack(rules, ladder='"form"', page_s=2)
        stage_of = open_scenario(portal.client, folder, pack=pack, is_authenticated=False)
        async with stage_of as scenario:
            with pytest.raises(CannotLogInError) as caught:
                await scenario.session.login.log_in(Credentials())
        assert made.PASSWORD not in str(caught.value)
        return str(caught.value)

    async def test_the_step_that_did_not_find_its_element_is_named_and_the_page(
        self, tmp_path: Path, open_scenario: OpenScenario
    ) -> None:
        rules = steps(WHO, 'click = "#next"', 'fill = "#pasword"; value = "{password}"')
        async with login_portal(LoginPortal(pages=made.two_pages)) as portal:
            told = await self.problem(portal, rules, tmp_path, open_scenario)

        assert (
            "form: login step 3 (fill '#pasword'): found no such element within 2 s; "
            f"the page was {portal.url}/login/password 'Password'"
        ) in told

    async def test_a_step_that_only_some_logins_have_is_named_with_what_to_do(
        self, tmp_path: Path, open_scenario: OpenScenario
    ) -> None:
        rules = steps('fill = "#tenant"; value = "1"', 'click = "#tenant"', 'click = "#later"', WHO)
        async with login_portal(LoginPortal(pages=made.two_pages)) as portal:
            told = await self.problem(portal, rules, tmp_path, open_scenario)

        hint = "; it has the element of step 4: if_present = true leaves step 1 out of such a login"
        assert f"login step 1 (fill '#tenant'): found no such element within 2 s; the page was {portal.url}/" in told
        assert hint in told

    async def test_a_click_that_changes_nothing_is_named(self, tmp_path: Path, open_scenario: OpenScenario) -> None:
        async with login_portal(LoginPortal(pages=made.two_pages)) as portal:
            told = await self.problem(portal, steps(WHO, 'click = "#user"'), tmp_path, open_scenario)

        assert "login step 2 (click '#user'): nothing followed within 2 s; the page was" in told

    async def test_a_step_in_a_frame_names_it(self, tmp_path: Path, open_scenario: OpenScenario) -> None:
        async with login_portal(LoginPortal(pages=made.frame)) as portal:
            told = await self.problem(portal, steps('click = "#no"; frame = "#login"'), tmp_path, open_scenario)

        assert "login step 1 (click '#no' in frame '#login'): found no such element within 2 s" in told

    async def test_no_secret_is_written_into_a_page_of_a_host_that_the_pack_does_not_name(
        self, tmp_path: Path, open_scenario: OpenScenario
    ) -> None:
        async with login_portal(LoginPortal(pages=made.provider)) as portal:
            told = await self.problem(portal, AS_FORM, tmp_path, open_scenario)

        assert "login step 1 (fill '#user'): the element is on a page of localhost, which is not named in" in told
        assert {request.method for request in portal.asked_provider} == {"GET"}

    async def test_a_wrong_password_is_no_outage(self, tmp_path: Path, open_scenario: OpenScenario) -> None:
        async with login_portal(LoginPortal(pages=made.script)) as portal:
            pack = login_pack(AS_FORM, page_s=5)
            stage_of = open_scenario(portal.client, tmp_path, pack=pack, password="wrong", is_authenticated=False)
            async with stage_of as scenario:
                with pytest.raises(CannotLogInError, match="form: it shows its login page"):
                    await scenario.session.login.log_in(Credentials())

    async def test_an_optional_step_that_never_comes_delays_the_login_no_longer_than_its_limit(
        self, tmp_path: Path, open_scenario: OpenScenario, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(login_actions, "OPTIONAL_LIMIT_S", 0.2)
        rules = steps(
            WHO, 'click = "#next"', 'click = "#never"; if_present = true', SECRET, 'press = "Enter"; on = "#password"'
        )
        pack = login_pack(rules)
        async with (
            login_portal(LoginPortal(pages=made.two_pages_only)) as portal,
            open_scenario(portal.client, tmp_path, pack=pack, is_authenticated=False) as scenario,
        ):
            assert await scenario.session.login.log_in(Credentials()) == LoginStep.FORM


@pytest.mark.parametrize(("scheme", "made_portal"), [("ntlm", made.ntlm_portal), ("digest", made.digest_portal)])
async def test_http_authentication_that_only_a_browser_answers_brings_pages_and_files(
    scheme: str, made_portal: Callable[[], LoginPortal], tmp_path: Path, open_scenario: OpenScenario
) -> None:
    pack = login_pack(f'[login.http]\nscheme = "{scheme}"', ladder='"revisit"')
    async with (
        login_portal(made_portal()) as portal,
        open_scenario(portal.client, tmp_path, pack=pack, is_authenticated=False) as scenario,
    ):
        await scenario.session.login.log_in(Credentials())
        report, saved = await files_of(scenario)

    assert (report.reason, saved) == (Reason.ALL_SAVED, {"a.pdf": made.PDF})
    assert portal.paths.count("/files/1") <= 3, "nothing but the browser asks for the file"
