"""A proxy that asks who is there, and how a real browser and the client of downloads go through it, or past it."""

from __future__ import annotations

import contextlib
from base64 import b64encode
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from poolwright.domain.options import BrowserOptions, PortalOptions, Proxy, Sandbox, Secret, SizeLimits
from poolwright.portal import pack as packs
from poolwright.service.api.http_server import ListenAddress, listener_url, open_listener, run_server
from poolwright.worker.browser.launcher import launch_browser, open_driver
from poolwright.worker.page.reachability import is_portal_unreachable
from poolwright.worker.transfer.download_limits import DownloadAllowance
from poolwright.worker.transfer.http_downloader import open_http_downloader
from tests.support.sessions import CHROMIUM

PACK = packs.load("demo")
#: Known to nobody but the proxy.
BEHIND = "http://portal.invalid"


async def stands_between(scope: Scope, receive: Receive, send: Send) -> None:
    """Both the proxy, which is asked for hosts that are not its own, and a server that it does not stand before."""
    request = Request(scope)
    is_proxy = request.headers["host"] == "portal.invalid"
    given = request.headers.get("proxy-authorization", "")
    is_known = given == f"Basic {b64encode(b'anna:hunter2').decode()}"
    asking = Response("no", 407, {"Proxy-Authenticate": 'Basic realm="x"'})
    if request.method == "CONNECT":  # the browser's own errands
        await Response(status_code=405)(scope, receive, send)
        return
    answer = PlainTextResponse("by the proxy" if is_proxy else "past it")
    await (answer if is_known or not is_proxy else asking)(scope, receive, send)


@contextlib.asynccontextmanager
async def placed() -> AsyncGenerator[str]:
    with open_listener(ListenAddress(host="127.0.0.1", port=0)) as listener:
        async with run_server(stands_between, listener):
            yield listener_url(listener)


@pytest.mark.parametrize("password", ["hunter2", "wrong"])
async def test_pages_and_files_come_through_it_and_what_is_past_it_comes_directly(
    password: str, tmp_path: Path
) -> None:
    async with placed() as place:
        await through_and_past(place, password, tmp_path)


async def through_and_past(place: str, password: str, tmp_path: Path) -> None:
    proxy = Proxy(address=place, user="anna", password=Secret(text=password), bypass=("127.0.0.1",))
    options = BrowserOptions(executable_path=CHROMIUM, sandbox=Sandbox.OFF, proxy=proxy)
    portal = PortalOptions(pack_json="", base_url=BEHIND)
    is_right = password == "hunter2"
    async with open_driver() as playwright:
        context = await launch_browser(playwright, options, tmp_path / "profile", tmp_path)
        page = await context.new_page()
        behind = await page.goto(f"{BEHIND}/x")
        assert behind is not None
        assert (behind.status, await page.inner_text("body")) == ((200, "by the proxy") if is_right else (407, "no"))
        assert not await is_portal_unreachable(context, BEHIND), (
            "the browser's own proxy is asked, which alone knows the name"
        )
        await page.goto(f"{place}/x")
        assert await page.inner_text("body") == "past it"

        named = PACK.model_copy(update={"site": PACK.site.model_copy(update={"hosts": (place,)})})
        async with open_http_downloader(named, portal, context, "test", options) as stream:
            if is_right:
                part = tmp_path / "behind"
                await stream.fetch(f"{BEHIND}/f", part, DownloadAllowance(SizeLimits()), ())
                assert part.read_text() == "by the proxy"
            part = tmp_path / "past"
            await stream.fetch(f"{place}/f", part, DownloadAllowance(SizeLimits()), ())
            assert part.read_text() == "past it"
        await context.close()
