"""The question of a browser to which a host says that it wants a certificate: which one is it to see?

A browser without a window asks it, too. Nobody sees the question, its page waits for an answer for ever, and whatever
else is asked of that host waits with it. A page that belongs to no window cannot ask, and is told at once. So where a
host is late with an answer, such a page tries whether it is that.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncGenerator, Mapping
from typing import Any
from weakref import WeakKeyDictionary

import anyio
from playwright.async_api import Browser, CDPSession, Page
from playwright.async_api import Error as PlaywrightError

from poolwright.domain.errors import unwrap_group
from poolwright.portal.addresses import origin_of
from poolwright.worker.devtools import sending
from poolwright.worker.traffic import Traffic

#: A host that has said nothing for so long may be waiting for somebody's answer.
_PATIENCE_S = 3.0
_LIMIT_S = 15.0
#: What was opened to try it goes at once, unless the browser hangs.
_CLOSE_LIMIT_S = 3.0
#: How the browser says that it would have to ask.
_NEEDED = "net::ERR_SSL_CLIENT_AUTH_CERT_NEEDED"
#: What browsers ask every host for by themselves: to ask for it once more begins nothing, as a first page may.
_HARMLESS = "/favicon.ico"
#: How a browser calls itself to others that has no window. The headless shell is called so itself: it never asks.
_WINDOWLESS = "Headless"
_Event = Mapping[str, Any]

#: What was tried and needs no answer of anybody: a slow portal is not tried with each of its pages.
_open: WeakKeyDictionary[Browser, set[str]] = WeakKeyDictionary()


class CertificateWantedError(PlaywrightError):
    """A page waits for somebody to choose a certificate. In the words in which a page without a window is told."""

    def __init__(self, url: str) -> None:
        """Keep where it was on its way to."""
        super().__init__(f"{_NEEDED} at {url}")


@contextlib.asynccontextmanager
async def noticing_questions(page: Page, traffic: Traffic) -> AsyncGenerator[None]:
    """Do something with a page, and stop where it waits for an answer that nobody gives.

    Args:
        page: It.
        traffic: What it asks for.

    Raises:
        CertificateWantedError: It does.
    """
    try:
        async with anyio.create_task_group() as noticing:
            noticing.start_soon(_notice, page, traffic)
            yield
            noticing.cancel_scope.cancel()
    except ExceptionGroup as group:
        raise unwrap_group(group, CertificateWantedError) from group


async def _notice(page: Page, traffic: Traffic) -> None:
    while True:
        url = await traffic.overdue(_PATIENCE_S)
        if url.startswith("https:") and await _is_asked(page, url):
            raise CertificateWantedError(url)
        await traffic.moved()


async def _is_asked(page: Page, url: str) -> bool:
    """Whether the browser asks which certificate the host of an address may see, and nobody is there to answer."""
    browser, host = page.context.browser, origin_of(url)
    if browser is None or host is None:
        return False
    with anyio.move_on_after(_LIMIT_S), contextlib.suppress(PlaywrightError):
        name = f"[{host.host}]" if ":" in host.host else host.host
        address = f"https://{name}:{host.port}{_HARMLESS}"
        found_open = _open.setdefault(browser, set())
        if address not in found_open and await _tried(browser, address):
            return True
        found_open.add(address)
    return False


async def _tried(browser: Browser, address: str) -> bool:
    session = await browser.new_browser_cdp_session()
    try:
        send = sending(session)
        version = await send("Browser.getVersion", {})
        if _WINDOWLESS not in str(version["userAgent"]) or _WINDOWLESS in str(version["product"]):
            return False  # a person sees the question; or there is none
        target = (await send("Target.createTarget", {"url": "about:blank", "hidden": True}))["targetId"]
        try:
            return await _refused(session, target, address)
        finally:
            with (
                anyio.CancelScope(shield=True),
                anyio.move_on_after(_CLOSE_LIMIT_S),
                contextlib.suppress(PlaywrightError),
            ):
                await send("Target.closeTarget", {"targetId": target})
    finally:
        with anyio.CancelScope(shield=True), anyio.move_on_after(_CLOSE_LIMIT_S), contextlib.suppress(PlaywrightError):
            await session.detach()


async def _refused(session: CDPSession, target: str, address: str) -> bool:
    """Whether a page without a window does not get to an address for want of an answer.

    The driver knows nothing of such a page, so what is sent to it goes through the browser as it is.
    """
    send, answered, answers = sending(session), anyio.Event(), list[_Event]()

    def hear(event: _Event) -> None:
        told: _Event = json.loads(event["message"])
        if told.get("id") == 1:
            answers.append(told)
            answered.set()

    session.on("Target.receivedMessageFromTarget", hear)
    attached = await send("Target.attachToTarget", {"targetId": target, "flatten": False})
    message = json.dumps({"id": 1, "method": "Page.navigate", "params": {"url": address}})
    await send("Target.sendMessageToTarget", {"sessionId": attached["sessionId"], "message": message})
    await answered.wait()
    return str(answers[0].get("result", {}).get("errorText", "")) == _NEEDED
