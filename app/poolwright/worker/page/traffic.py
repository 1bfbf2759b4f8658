"""The network traffic of a page: navigations, pending requests, and a certificate prompt that blocks them.

A browser without a window asks it, too. Nobody sees the question, its page waits for an answer for ever, and whatever
else is asked of that host waits with it. A page that belongs to no window cannot ask, and is told at once. So where a
host is late with an answer, such a page tries whether it is that.
"""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import AsyncGenerator, Collection, Generator, Mapping
from typing import Any
from weakref import WeakKeyDictionary

import anyio
from playwright.async_api import Browser, CDPSession, Page, Request, Response
from playwright.async_api import Error as PlaywrightError

from poolwright.domain.errors import unwrap_group
from poolwright.portal.addresses import origin_of
from poolwright.portal.triage import leads_to
from poolwright.worker.page.devtools import session_sender

#: What may bring a list that is not there yet: an answer to a script, or a script that is still to ask.
_OF_SCRIPTS = frozenset({"xhr", "fetch", "script"})


class Traffic:
    """The requests of one page since it was told to go somewhere. Begun by ``watching``."""

    def __init__(self, page: Page) -> None:
        """Made by ``watching`` alone."""
        self._page = page
        self._pending: set[Request] = set()
        self._good: set[Request] = set()
        self._answered: list[str] = []
        self._calm = anyio.Event()
        self._moves = anyio.Event()
        #: Every address that the page itself was sent to, first to last.
        self.visited: list[str] = []
        #: What its last navigation was answered with; nothing where nobody answered.
        self.answer: Response | None = None
        #: Whether a navigation waits for its answer.
        self.is_leaving = False
        #: What the page wanted to send and was not let.
        self.withheld: list[str] = []

    @property
    def status(self) -> int:
        """Status of the last answer to a navigation; 0 without one."""
        return self.answer.status if self.answer else 0

    @property
    def is_idle(self) -> bool:
        """Whether no script waits for an answer."""
        return not self._pending

    async def wait_idle(self, limit_s: float) -> None:
        """Wait until no script waits for an answer, but no longer than the limit."""
        with anyio.move_on_after(limit_s):
            while self._pending:
                self._calm = anyio.Event()
                await self._calm.wait()

    async def wait_overdue(self, patience_s: float) -> str:
        """Wait for a navigation that waits longer than this for its answer; its address."""
        while True:
            with anyio.move_on_after(patience_s if self.is_leaving else math.inf) as waiting:
                await self.wait_navigation()
            if waiting.cancelled_caught:
                return self.visited[-1]

    async def wait_navigation(self) -> None:
        """Wait for the next navigation that leaves, or is answered."""
        await self._moves.wait()

    def is_answered(self, addresses: Collection[str]) -> bool:
        """Whether a request of a script to one of these was answered, and well."""
        return any(leads_to(addresses, url) for url in self._answered)

    def on_request(self, request: Request) -> None:
        """A request leaves."""
        if self._is_navigation(request):
            self.visited.append(request.url)
            self.answer, self.is_leaving = None, True
            self._move()
        elif request.resource_type in _OF_SCRIPTS:
            self._pending.add(request)

    def on_response(self, answer: Response) -> None:
        """The head of an answer comes."""
        if self._is_navigation(answer.request):
            self.answer, self.is_leaving = answer, False
            self._move()
        elif answer.ok:
            self._good.add(answer.request)

    def on_request_end(self, request: Request) -> None:
        """A request has all of its answer, or failed."""
        if request.resource_type in {"xhr", "fetch"} and request in self._good:
            self._answered.append(request.url)
        self._pending.discard(request)
        self._good.discard(request)
        if not self._pending:
            self._calm.set()

    def _move(self) -> None:
        moves, self._moves = self._moves, anyio.Event()
        moves.set()

    def _is_navigation(self, request: Request) -> bool:
        with contextlib.suppress(PlaywrightError):  # a frame that is only being made has no name yet
            return request.is_navigation_request() and request.frame == self._page.main_frame
        return False


@contextlib.contextmanager
def watch_traffic(page: Page) -> Generator[Traffic]:
    """Watch what a page asks for, from before it is told to go somewhere."""
    traffic = Traffic(page)
    page.on("request", traffic.on_request)
    page.on("response", traffic.on_response)
    page.on("requestfinished", traffic.on_request_end)
    page.on("requestfailed", traffic.on_request_end)
    try:
        yield traffic
    finally:
        page.remove_listener("request", traffic.on_request)
        page.remove_listener("response", traffic.on_response)
        page.remove_listener("requestfinished", traffic.on_request_end)
        page.remove_listener("requestfailed", traffic.on_request_end)


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


class CertificatePromptError(PlaywrightError):
    """A page waits for somebody to choose a certificate. In the words in which a page without a window is told."""

    def __init__(self, url: str) -> None:
        """Keep where it was on its way to."""
        super().__init__(f"{_NEEDED} at {url}")


@contextlib.asynccontextmanager
async def detect_certificate_prompt(page: Page, traffic: Traffic) -> AsyncGenerator[None]:
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
        raise unwrap_group(group, CertificatePromptError) from group


async def _notice(page: Page, traffic: Traffic) -> None:
    while True:
        url = await traffic.wait_overdue(_PATIENCE_S)
        if url.startswith("https:") and await _is_asked(page, url):
            raise CertificatePromptError(url)
        await traffic.wait_navigation()


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
        send = session_sender(session)
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
    send, answered, answers = session_sender(session), anyio.Event(), list[_Event]()

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
