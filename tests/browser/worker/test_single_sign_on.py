"""Single sign-on by forms that send themselves (SAML's POST binding) is waited for, and by slow portals too."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.domain.outcomes import LoginCheck
from poolwright.portal.pack import LoginStep
from poolwright.worker.login.login_flow import Credentials
from tests.support.portal import needs_chromium
from tests.support.sessions import OpenScenario
from tests.support.sites import Answer, pack_of, portal_at, serving

pytestmark = [needs_chromium, pytest.mark.timeout(90), pytest.mark.asyncio(loop_scope="session")]

HOME = Answer(body="<!doctype html><div id=orders>Orders</div>")


@pytest.mark.parametrize("sends_after_ms", [0, 1500])
async def test_a_sign_on_that_takes_its_time_is_not_cut_off(
    tmp_path: Path, open_scenario: OpenScenario, sends_after_ms: int
) -> None:
    addresses: dict[str, str] = {}

    def provider(_: str) -> Answer:
        form = (
            f"<form method=post action='{addresses['portal']}/acs'><input type=hidden name=SAMLResponse value=x></form>"
        )
        send = f"setTimeout(() => document.forms[0].submit(), {sends_after_ms})"
        return Answer(body=f"<!doctype html><title>Working...</title><body onload='{send}'>{form}")

    def orders(request: str) -> Answer:
        is_in = "sid=fresh" in request
        return HOME if is_in else Answer(status=302, location=f"{addresses['provider']}/idp")

    accepted = Answer(status=302, location="/orders", headers=("Set-Cookie: sid=fresh; Path=/",), delay_s=1.2)
    site = {"/": orders, "/orders": orders, "/acs": accepted}
    async with serving({"/idp": provider}) as identity, serving(site) as served:
        addresses.update(portal=served.url, provider=identity.url)
        stage_of = open_scenario(portal_at(served.url), tmp_path, pack=pack_of("", page_s=8), is_authenticated=False)
        async with stage_of as scenario:
            step = await scenario.session.login.log_in(Credentials())
            result = await scenario.session.login.check_login()

    assert (step, result) == (LoginStep.REVISIT, LoginCheck.LOGGED_IN)


async def test_a_probe_that_is_slow_or_never_loads_whole_is_waited_for(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    slow = Answer(body=f"{HOME.body}<img src=/hang>", delay_s=2)
    async with serving({"/orders": slow, "/hang": Answer(delay_s=60)}) as served:
        stage_of = open_scenario(portal_at(served.url), tmp_path, pack=pack_of("", page_s=8), is_authenticated=False)
        async with stage_of as scenario:
            demand = await scenario.session.login.check()

    assert demand is None
