"""A server that asks for user and password by HTTP itself, and a real browser that has them."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from poolwright.domain.options import BrowserOptions, Sandbox, Secret
from poolwright.service.api.http_server import ListenAddress, listener_url, open_listener, run_server
from poolwright.worker.browser.launcher import launch_browser, open_driver
from tests.support.sessions import CHROMIUM


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
