"""A probe of the login, asked of the portal by the keeper tab."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Route

from poolwright.demo.portal_client import running_portal
from poolwright.domain.outcomes import LoginCheck
from tests.support.portal import needs_chromium
from tests.support.sessions import OpenStage

pytestmark = [needs_chromium, pytest.mark.timeout(90), pytest.mark.asyncio(loop_scope="session")]


async def test_a_probe_finds_out_whether_we_are_logged_in(tmp_path: Path, open_stage: OpenStage) -> None:
    async with running_portal() as portal, open_stage(portal, tmp_path) as stage:
        before = await stage.session.login.check_login()
        await portal.expire_sessions()
        after = await stage.session.login.check_login()
        addresses = [page.url for page in stage.session.driver.pages]

    assert (before, after) == (LoginCheck.LOGGED_IN, LoginCheck.LOGGED_OUT)
    assert addresses == ["about:blank"], "nothing of the portal goes on in the keeper"


@pytest.mark.parametrize(
    ("status", "body", "result"),
    [
        (503, "busy", LoginCheck.UNCLEAR),
        (500, "", LoginCheck.UNCLEAR),
        (200, "<form id='second_factor_form'>Code</form>", LoginCheck.LOGGED_OUT),
    ],
    ids=["busy", "broken", "second factor"],
)
async def test_a_probe_is_passed_by_the_page_that_was_expected_alone(
    tmp_path: Path, status: int, body: str, result: LoginCheck, open_stage: OpenStage
) -> None:
    async def answer(route: Route) -> None:
        await route.fulfill(status=status, body=body, content_type="text/html")

    async with running_portal() as portal, open_stage(portal, tmp_path) as stage:
        await stage.session.driver.route("**/order_headers", answer)

        assert await stage.session.login.check_login() is result


async def test_without_a_portal_there_is_nothing_to_be_logged_out_of(tmp_path: Path, open_stage: OpenStage) -> None:
    async with open_stage(None, tmp_path) as stage:
        assert await stage.session.login.check_login() is LoginCheck.LOGGED_IN
