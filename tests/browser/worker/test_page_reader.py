"""A page is judged by the way to it too: real redirects, by the server and by scripts, in a real browser."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from playwright.async_api import Browser

from poolwright.portal.triage import Verdict
from poolwright.worker.page.visit import visit
from tests.support.portal import needs_chromium
from tests.support.sessions import demo_pack
from tests.support.sites import Answer, serving

pytestmark = [needs_chromium, pytest.mark.timeout(60), pytest.mark.asyncio(loop_scope="session")]

NUMBER = "123456"
ORDER, BACK, LOGIN = f"/order_headers/{NUMBER}", f"/order_headers/{NUMBER}?back=1", "/sessions/new?sso=1"
MISSING = Answer(status=404, body="<div class='flash_error'>Oops! We couldn't find what you wanted</div>")
SHOWN = Answer(
    body="<main id='order_header_show'><div id='attachments' data-state='loaded' data-count='0'></div></main>"
)

Site = Mapping[str, Answer]


async def verdict_of(shell: Browser, site: Site) -> Verdict:
    """What a visit to the order finds."""
    async with serving(site) as served:
        context = await shell.new_context()
        try:
            page = await context.new_page()
            found = await visit(page, demo_pack(page_s=3), served.url, served.url + ORDER, portal_number=NUMBER)
            return found.verdict
        finally:
            await context.close()


@pytest.mark.parametrize(
    ("end", "direct", "by_login"),
    [(MISSING, Verdict.NOT_FOUND, Verdict.SESSION_LOST), (SHOWN, Verdict.READY, Verdict.RENEWED)],
    ids=["missing", "shown"],
)
async def test_a_login_that_the_server_sent_us_by_is_not_overlooked(
    shell: Browser, end: Answer, direct: Verdict, by_login: Verdict
) -> None:
    to_back, to_login = Answer(status=302, location=BACK), Answer(status=302, location=LOGIN)
    assert await verdict_of(shell, {ORDER: end}) is direct
    assert await verdict_of(shell, {ORDER: to_back, BACK: end}) is direct
    assert await verdict_of(shell, {ORDER: to_login, LOGIN: to_back, BACK: end}) is by_login


@pytest.mark.parametrize(("end", "verdict"), [(MISSING, Verdict.SESSION_LOST), (SHOWN, Verdict.RENEWED)])
async def test_a_page_that_goes_on_by_itself_is_not_the_last_one(shell: Browser, end: Answer, verdict: Verdict) -> None:
    """Single sign-on by forms that send themselves, as SAML has it: each page of it leads to the next."""
    onward = (
        f"<body onload='setTimeout(() => document.forms[0].submit(), 400)'><form action='{BACK}' method=get></form>"
    )
    site = {ORDER: Answer(status=302, location=LOGIN), LOGIN: Answer(body=onward), "/order_headers/123456?": end}
    assert await verdict_of(shell, {**site, BACK: end}) is verdict
