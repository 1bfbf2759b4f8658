"""A probe of the login, asked of the portal by the keeper tab."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from playwright.async_api import Route

from poolwright.demo.portal_client import running_portal
from poolwright.domain.outcomes import LoginCheck
from poolwright.portal.login_schema import LoginRules
from poolwright.portal.pack import Pack
from poolwright.worker.errors import ProbeUnclearError
from poolwright.worker.login.login_flow import Credentials
from tests.support.portal import needs_chromium
from tests.support.sessions import OpenScenario
from tests.support.sites import Answer, Answering, pack_of, portal_at, serving

pytestmark = [needs_chromium, pytest.mark.timeout(90), pytest.mark.asyncio(loop_scope="session")]


async def test_a_probe_finds_out_whether_we_are_logged_in(tmp_path: Path, open_scenario: OpenScenario) -> None:
    async with running_portal() as portal, open_scenario(portal, tmp_path) as scenario:
        before = await scenario.session.login.check_login()
        await portal.expire_sessions()
        after = await scenario.session.login.check_login()
        addresses = [page.url for page in scenario.session.driver.pages]

    assert (before, after) == (LoginCheck.LOGGED_IN, LoginCheck.LOGGED_OUT)
    assert addresses == ["about:blank"], "nothing of the portal goes on in the keeper"


@pytest.mark.parametrize(
    ("status", "body", "result"),
    [
        (503, "busy", LoginCheck.UNCLEAR),
        (500, "", LoginCheck.UNCLEAR),
        (200, "<form id='second_factor_form'>Code</form>", LoginCheck.LOGGED_OUT),
        (403, "<a href=/sessions/new>Log in</a>", LoginCheck.LOGGED_OUT),
        (404, "", LoginCheck.LOGGED_OUT),
    ],
    ids=["busy", "broken", "second factor", "refused", "hidden"],
)
async def test_a_probe_is_passed_by_the_page_that_was_expected_alone(
    tmp_path: Path, status: int, body: str, result: LoginCheck, open_scenario: OpenScenario
) -> None:
    async def answer(route: Route) -> None:
        await route.fulfill(status=status, body=body, content_type="text/html")

    async with running_portal() as portal, open_scenario(portal, tmp_path) as scenario:
        await scenario.session.driver.route("**/order_headers", answer)

        assert await scenario.session.login.check_login() is result


async def test_without_a_portal_there_is_nothing_to_be_logged_out_of(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with open_scenario(None, tmp_path) as scenario:
        assert await scenario.session.login.check_login() is LoginCheck.LOGGED_IN


async def test_a_probe_that_is_unknown_again_and_again_is_that_of_a_log_out(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    """The pack lacks the mark of this portal's login page, which comes in place; the results wait for the login."""
    site: dict[str, Answer] = {"/orders": Answer(body="<!doctype html><p>Sign in</p>")}
    pack = pack_of("", page_s=1)
    async with (
        serving(site) as served,
        open_scenario(portal_at(served.url), tmp_path, pack=pack, is_authenticated=False) as scenario,
    ):
        login = scenario.session.login
        unclear = [await login.check_login() for _ in range(2)]
        site["/orders"] = Answer(body="<!doctype html><div id=orders></div>")
        shown = await login.check_login()
        site["/orders"] = Answer(body="<!doctype html><p>Sign in</p>")
        again = [await login.check_login() for _ in range(3)]

    assert unclear == [LoginCheck.UNCLEAR] * 2
    assert shown is LoginCheck.LOGGED_IN
    assert again == [LoginCheck.UNCLEAR, LoginCheck.UNCLEAR, LoginCheck.LOGGED_OUT]


FORM = "<!doctype html><form action=/in><input name=u><input name=p type=password><button>In</button></form>"
LADDER = """ladder = ["revisit", "form"]
start = "/start"
form = { user = "[name=u]", password = "[name=p]", submit = "button" }
"""


async def test_the_next_login_step_is_tried_where_the_probe_is_unknown(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    def probe(request: str) -> Answer:
        return Answer(
            body="<!doctype html><div id=orders></div>" if "in=1" in request else "<!doctype html><p>Who?</p>"
        )

    site: dict[str, Answer | Answering] = {
        "/orders": probe,
        "/start": Answer(body=FORM),
        "/in?u=anna&p=secret": Answer(
            headers=("Set-Cookie: in=1; Path=/",), body="<!doctype html>Welcome<button>x</button>"
        ),
    }
    pack = pack_of("", page_s=3)
    pack = pack.model_copy(update={"login": LoginRules.model_validate(tomllib.loads(LADDER))})
    async with serving(site) as served:
        portal = replace(portal_at(served.url), user="anna")
        async with open_scenario(portal, tmp_path, pack=pack, password="secret", is_authenticated=False) as scenario:
            assert await scenario.session.login.log_in(Credentials()) == "form"


async def test_a_probe_that_stays_unknown_is_told_with_every_step(tmp_path: Path, open_scenario: OpenScenario) -> None:
    site = {"/orders": Answer(body="<!doctype html><p>Who?</p>")}
    async with (
        serving(site) as served,
        open_scenario(portal_at(served.url), tmp_path, pack=pack_of("", page_s=1), is_authenticated=False) as scenario,
    ):
        problem = ""
        try:
            await scenario.session.login.log_in(Credentials())
        except ProbeUnclearError as error:
            problem = str(error)

    assert problem == (
        "The portal does not show whether a login succeeded (revisit: The portal's page /orders is neither a login "
        "page nor the expected page (unknown))."
    )


def patient(page_s: float) -> Pack:
    """A pack that waits for a quiet page for longer than any test."""
    pack = pack_of("", page_s=page_s)
    return pack.model_copy(update={"limits": pack.limits.model_copy(update={"quiet_ms": 60_000})})


async def test_a_new_session_is_ready_once_its_page_waits_for_nothing(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    shown = "<!doctype html><div id=orders></div><script>document.title = fetch ? 'x' : 'y'</script>"
    site = {"/orders": Answer(body=shown)}
    async with (
        serving(site) as served,
        open_scenario(portal_at(served.url), tmp_path, pack=patient(60), is_authenticated=False) as scenario,
    ):
        with anyio.fail_after(20):
            assert await scenario.session.login.check() is None


async def test_a_page_that_still_asks_who_is_logged_in_is_waited_for(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    asking = (
        "<!doctype html><div id=orders></div><script>fetch('/me').then(() => "
        "document.body.innerHTML = '<form id=login><input name=u><button>In</button></form>')</script>"
    )
    site = {"/orders": Answer(body=asking), "/me": Answer(status=401, delay_s=1.0)}
    async with (
        serving(site) as served,
        open_scenario(portal_at(served.url), tmp_path, pack=pack_of("", page_s=10), is_authenticated=False) as scenario,
    ):
        assert await scenario.session.login.check() == "it shows its login page"
