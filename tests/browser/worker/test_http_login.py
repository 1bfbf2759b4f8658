"""Portals that know their visitor by what comes with each request: user and password, or a token in a header."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from playwright.async_api import Error as PlaywrightError
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from poolwright.domain.options import BrowserOptions, PortalHeader, PortalOptions, Sandbox, Secret, SizeLimits
from poolwright.domain.outcomes import LoginCheck
from poolwright.portal.triage import Verdict
from poolwright.service.api.http_server import ListenAddress, listener_url, open_listener, run_server
from poolwright.worker.browser.launcher import launch_browser, open_driver
from poolwright.worker.browser.portal_header import open_portal_header
from poolwright.worker.login.portal_probe import PortalProbe
from poolwright.worker.page.request_guard import guard_requests
from poolwright.worker.page.visit import visit
from poolwright.worker.transfer.download_limits import DownloadAllowance
from poolwright.worker.transfer.http_downloader import open_http_downloader
from tests.support.login_portals import BASIC, PASSWORD, TOKEN, USER, basic_portal, login_pack, login_portal
from tests.support.portal import SHELL, needs_chromium
from tests.support.sessions import CHROMIUM

pytestmark = [needs_chromium, pytest.mark.timeout(120)]

HEADER = PortalHeader(name="X-Key", value=Secret(text=f"Bearer {TOKEN}"))
BASIC_RULES = '[login.http]\nscheme = "basic"\n'
TOKEN_RULES = '[login.header]\nname = "X-Key"\nvalue = "Bearer {token}"\n'
PACK = login_pack(f"{BASIC_RULES}", ladder='"revisit"')


async def asks(scope: Scope, receive: Receive, send: Send) -> None:
    given = Request(scope).headers.get("authorization", "")
    is_right = given == f"Basic {b64encode(b'anna:hunter2').decode()}"
    asking = Response("no", 401, {"WWW-Authenticate": 'Basic realm="x"'})
    await (PlainTextResponse("in") if is_right else asking)(scope, receive, send)


@pytest.mark.parametrize(("is_ours", "status"), [(True, 200), (False, 401)])
async def test_it_is_told_to_the_portal_and_to_nobody_else(*, is_ours: bool, status: int, tmp_path: Path) -> None:
    with open_listener(ListenAddress(host="127.0.0.1", port=0)) as listener:
        url = listener_url(listener)
        options = BrowserOptions(
            executable_path=CHROMIUM,
            sandbox=Sandbox.OFF,
            http_user="anna",
            http_password=Secret(text="hunter2"),
            http_origin=url if is_ours else "http://127.0.0.1:1",
        )
        async with run_server(asks, listener), open_driver() as playwright:
            context = await launch_browser(playwright, options, tmp_path / "profile", tmp_path)
            answer = await context.request.get(url)
            page = await context.new_page()
            shown = await page.goto(url) if is_ours else None
            await context.close()

    assert answer.status == status
    assert shown is None or shown.status == status


@dataclass(kw_only=True)
class Pair:
    """A portal and another host; both note what they were given."""

    portal: str = ""
    other: str = ""
    #: Path, token and user with password of each request.
    to_portal: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    to_other: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])

    def answer(self, request: Request) -> Response:
        """What the portal says; whoever asks is let in if it is asked by HTTP."""
        path = request.url.path
        if request.headers.get("authorization") != BASIC and path.startswith("/basic"):
            return HTMLResponse("no", 401, {"WWW-Authenticate": 'Basic realm="x"'})
        if path.endswith("/away"):
            return RedirectResponse(f"{self.other}/landed", 302)
        if path.endswith("/here"):
            return RedirectResponse("/landed", 302)
        if path.endswith("/file"):
            return Response(b"%PDF-1.4", headers={"Content-Disposition": "attachment; filename=a.pdf"})
        body = (
            f"<div id=order></div><img src=/image><img src={self.other}/image><iframe src={self.other}/frame></iframe>"
            "<a id=window target=_blank href=/window>w</a><a id=file href=/file>f</a>"
            "<script>fetch('/data'); fetch('/data/away').catch(() => 0); new Worker('/worker.js')</script>"
        )
        script = Response("fetch('/from-worker')", media_type="text/javascript")
        return script if path == "/worker.js" else HTMLResponse(body if path.endswith("/page") else "x")


@asynccontextmanager
async def pair() -> AsyncGenerator[Pair]:
    """Serve both."""
    both = Pair()

    def noted(request: Request) -> tuple[str, str, str]:
        headers = request.headers
        return request.url.path, headers.get("x-key", ""), headers.get("authorization", "")

    async def portal(scope: Scope, receive: Receive, send: Send) -> None:
        both.to_portal.append(noted(Request(scope)))
        await both.answer(Request(scope))(scope, receive, send)

    async def other(scope: Scope, receive: Receive, send: Send) -> None:
        both.to_other.append(noted(Request(scope)))
        is_asking = scope["path"] == "/landed"
        challenge = {"WWW-Authenticate": 'Basic realm="x"'}
        await HTMLResponse("o", 401 if is_asking else 200, challenge)(scope, receive, send)

    address = ListenAddress(host="127.0.0.1", port=0)
    with open_listener(address) as first, open_listener(address) as second:
        both.portal, both.other = listener_url(first), listener_url(second)
        async with run_server(portal, first), run_server(other, second):
            yield both


def given_to(portal: str, executable: str | None, **more: object) -> BrowserOptions:
    """A browser that has all that a portal may know its visitor by."""
    options = BrowserOptions(
        executable_path=executable or "",
        sandbox=Sandbox.OFF,
        http_user=USER,
        http_password=Secret(text=PASSWORD),
        header=HEADER,
        http_origin=portal,
    )
    return replace(options, **more)


@pytest.mark.parametrize("executable", [SHELL, CHROMIUM], ids=["shell", "chromium"])
async def test_pages_windows_workers_and_downloads_carry_the_token_to_the_portal_alone(
    executable: str | None, tmp_path: Path
) -> None:
    async with pair() as both, open_driver() as playwright:
        options = given_to(both.portal, executable)
        context = await launch_browser(playwright, options, tmp_path / "profile", tmp_path)
        async with open_portal_header(context, options):
            page = await context.new_page()
            async with guard_requests(page, PACK, both.portal), page.expect_request("**/from-worker"):
                await page.goto(f"{both.portal}/page", wait_until="load")
            page = await context.new_page()
            await page.goto(f"{both.portal}/page", wait_until="load")
            async with context.expect_page() as opened:
                await page.click("#window")
            await (await opened.value).wait_for_load_state()
            async with page.expect_download() as download:
                await page.click("#file")
            await (await download.value).path()
            await page.goto(f"{both.portal}/basic/here")
            with suppress(PlaywrightError):  # the other host asks for user and password, and gets none
                await page.goto(f"{both.portal}/basic/away")
        await context.close()

    assert {path for path, *_ in both.to_portal} >= {
        "/page", "/image", "/data", "/data/away", "/worker.js", "/from-worker", "/window", "/file", "/basic/here",
        "/landed", "/basic/away",
    }  # fmt: skip
    assert {token for _, token, _ in both.to_portal} == {HEADER.value.text}
    assert ("/basic/away", HEADER.value.text, BASIC) in both.to_portal
    assert {path for path, *_ in both.to_other} >= {"/image", "/frame", "/landed"}
    assert {(token, basic) for _, token, basic in both.to_other} == {("", "")}


async def test_the_client_of_downloads_carries_both_to_the_portal_alone(tmp_path: Path) -> None:
    async with pair() as both, open_driver() as playwright:
        options = given_to(both.portal, SHELL)
        context = await launch_browser(playwright, options, tmp_path / "profile", tmp_path)
        portal = PortalOptions(pack_json="", base_url=both.portal)
        trusting = PACK.model_copy(update={"site": PACK.site.model_copy(update={"hosts": (both.other,)})})
        async with open_http_downloader(trusting, portal, context, "test", options) as downloader:

            async def fetch(path: str) -> None:
                await downloader.fetch(f"{both.portal}{path}", tmp_path / "part", DownloadAllowance(SizeLimits()), ())

            for path in ("/file", "/basic/file", "/basic/file"):
                await fetch(path)
            async with downloader._request(f"{both.other}/landed", {}) as response:
                assert response.status_code == 401
        await context.close()

    key = HEADER.value.text
    assert both.to_portal == [
        ("/file", key, ""),
        ("/basic/file", key, ""),
        ("/basic/file", key, BASIC),
        ("/basic/file", key, BASIC),
    ], "user and password are sent when the portal asks for them, and then without another question"
    assert both.to_other == [("/landed", "", "")]


CHALLENGES: Sequence[tuple[str, str, str]] = [
    ("", BASIC_RULES, "it asks for HTTP authentication, and got no user and password or rejected them; check user and"),
    ("", "", "rejected them; check http_user and http_password (POOLWRIGHT_HTTP_USER"),
    ("Negotiate", BASIC_RULES, "it asks for HTTP authentication by Negotiate, which Poolwright cannot"),
]


@pytest.mark.parametrize("executable", [SHELL, CHROMIUM], ids=["shell", "chromium"])
@pytest.mark.parametrize("user", ["", "somebody"])
async def test_http_authentication_that_is_refused_is_a_login_problem_and_no_outage(
    user: str, executable: str | None, tmp_path: Path
) -> None:
    portal = basic_portal()
    asking = portal.refusal
    async with login_portal(portal), open_driver() as playwright:
        options = given_to(portal.url, executable, http_user=user, header=None)
        context = await launch_browser(playwright, options, tmp_path / "profile", tmp_path)
        (page,) = context.pages
        for schemes, rules, sentence in CHALLENGES:
            portal.refusal = HTMLResponse("no", 401, {"WWW-Authenticate": schemes}) if schemes else asking
            pack = login_pack(rules, ladder='"revisit"')
            probe = PortalProbe(pack=pack, portal=PortalOptions(pack_json="", base_url=portal.url))

            told, again = [await probe.required_login_step(page) for _ in range(2)]
            result, _ = await probe.check_login(page)
            order = await visit(page, pack, portal.url, f"{portal.url}/order/1", portal_number="1")

            assert sentence in str(told)
            assert again == told
            assert result is LoginCheck.LOGGED_OUT, sentence
            assert order.verdict is Verdict.SESSION_LOST, sentence
        await context.close()


async def test_a_token_that_is_refused_is_a_login_problem(tmp_path: Path) -> None:
    portal = basic_portal()
    portal.refusal = HTMLResponse("no", 401)
    pack = login_pack(TOKEN_RULES, ladder='"revisit"')
    async with login_portal(portal), open_driver() as playwright:
        options = given_to(portal.url, SHELL, http_user="")
        context = await launch_browser(playwright, options, tmp_path / "profile", tmp_path)
        probe = PortalProbe(pack=pack, portal=PortalOptions(pack_json="", base_url=portal.url))
        async with open_portal_header(context, options):
            told = await probe.required_login_step(context.pages[0])
        await context.close()

    assert told == (
        "it asks for a login: it got no header X-Key or rejected its token; check login_token (POOLWRIGHT_LOGIN_TOKEN)"
    )
