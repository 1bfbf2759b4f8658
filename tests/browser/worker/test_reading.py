"""A page is judged by the way to it too: real redirects, by the server and by scripts, in a real browser."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream

from app.portal.triage import Verdict
from app.worker.reading import read_page
from tests.support.portal import browsing, needs_chromium
from tests.support.sessions import demo_pack

pytestmark = [needs_chromium, pytest.mark.timeout(60)]

NUMBER = "123456"
ORDER, BACK, LOGIN = f"/order_headers/{NUMBER}", f"/order_headers/{NUMBER}?back=1", "/sessions/new?sso=1"
MISSING = (404, "", "<div class='flash_error'>Oops! We couldn't find what you wanted</div>")
SHOWN = (200, "", "<main id='order_header_show'><div id='attachments' data-state='loaded' data-count='0'></div></main>")

#: Status, Location and body, by path.
Site = Mapping[str, tuple[int, str, str]]


@asynccontextmanager
async def serving(site: Site) -> AsyncGenerator[str]:
    """A portal of a few fixed answers; gives its address."""

    async def answer(stream: SocketStream) -> None:
        async with stream:
            request = (await stream.receive()).decode()
            status, location, body = site.get(request.split(" ")[1], (200, "", ""))
            header = f"HTTP/1.1 {status} X\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n"
            where = f"Location: {location}\r\n" if location else ""
            await stream.send(f"{header}{where}Connection: close\r\n\r\n{body}".encode())

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra_attributes[SocketAttribute.local_port]()
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, answer)
        yield f"http://127.0.0.1:{port}"
        tasks.cancel_scope.cancel()


async def verdict_of(site: Site) -> Verdict:
    """What a visit to the order finds."""
    async with serving(site) as base_url, browsing() as context:
        page = await context.new_page()
        answer = await page.goto(base_url + ORDER, wait_until="commit")
        _, verdict = await read_page(page, demo_pack(), base_url, answer, portal_number=NUMBER)
        return verdict


@pytest.mark.parametrize(
    ("end", "direct", "by_login"),
    [(MISSING, Verdict.NOT_FOUND, Verdict.SESSION_LOST), (SHOWN, Verdict.READY, Verdict.RENEWED)],
    ids=["missing", "shown"],
)
async def test_a_login_that_the_server_sent_us_by_is_not_overlooked(
    end: tuple[int, str, str], direct: Verdict, by_login: Verdict
) -> None:
    assert await verdict_of({ORDER: end}) is direct
    assert await verdict_of({ORDER: (302, BACK, ""), BACK: end}) is direct
    assert await verdict_of({ORDER: (302, LOGIN, ""), LOGIN: (302, BACK, ""), BACK: end}) is by_login
