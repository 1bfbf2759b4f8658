"""The network traffic of a page: navigations, pending requests, and a certificate prompt that blocks them.

A browser asks which client certificate to show even if it has no window. Then no person sees the prompt, the page waits
for an answer for ever, and so does every other request to that host. A page that belongs to no window cannot prompt: it
gets an error at once. So if a host is late with an answer, a hidden page requests it, and its error reveals the prompt.

The hidden page requests an address of no effect (``/favicon.ico``), not the one that is late: that may be valid only
once, as those of single sign-on are, and may be late only because the portal is slow. So a host that asks for a
certificate on some of its paths only (by renegotiation) is not detected; its page ends at the page's time limit.
"""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import AsyncGenerator, Collection, Generator, Mapping
from typing import Any
from weakref import WeakKeyDictionary

import anyio
from playwright.async_api import Browser, CDPSession, Dialog, Page, Request, Response
from playwright.async_api import Error as PlaywrightError

from poolwright.domain.errors import unwrap_group
from poolwright.portal.addresses import origin_of
from poolwright.portal.page_facts import PageAnswer, PageFacts, leads_to
from poolwright.worker.page.devtools import session_sender

#: Requests that may still add files to the list: those of scripts, and scripts that have not loaded yet.
_OF_SCRIPTS = frozenset({"xhr", "fetch", "script"})
#: A page may open dialogs in a loop.
_DIALOG_COUNT_MAX, _DIALOG_LENGTH_MAX = 20, 1000
#: Requests whose response may be the list itself.
_LISTS = frozenset({"xhr", "fetch"})
#: A body that is complete is read at once, unless the browser has dropped it.
_READ_LIMIT_S = 2.0
#: No list and no error message is longer; a larger body is not parsed.
_CHARS_MAX = 20_000_000


class Traffic:
    """The requests of one page since its navigation began. Created by ``watch_traffic``."""

    def __init__(self, page: Page) -> None:
        """Record the requests of ``page``; its listeners are attached by ``watch_traffic``."""
        self._page = page
        self._pending: set[Request] = set()
        self._good: set[Request] = set()
        self._answered: list[str] = []
        self._became_idle = anyio.Event()
        self._navigated = anyio.Event()
        #: Every address that the page itself navigated to, first to last.
        self.visited: list[str] = []
        #: The response to the last navigation; ``None`` if there is none.
        self.response: Response | None = None
        #: Whether a navigation waits for its response.
        self.is_leaving = False
        #: Requests of the page that the request guard blocked.
        self.withheld: list[str] = []
        #: Responses that scripts of the current document got, first to last.
        self.script_responses: list[Response] = []
        #: Texts of the dialogs of the page, first to last.
        self.dialog_texts: list[str] = []
        #: Responses that the scripts of a saved page got when it was saved.
        self.recalled_answers: list[PageAnswer] = []
        #: How many times a request of the page's scripts has begun or ended.
        self.step_count = 0
        self._responses: dict[Request, Response] = {}

    @property
    def status(self) -> int:
        """Return the HTTP status of the last response to a navigation; 0 if there is none."""
        return self.response.status if self.response else 0

    @property
    def is_idle(self) -> bool:
        """Return whether no script waits for a response."""
        return not self._pending

    @property
    def pending_urls(self) -> list[str]:
        """Return the addresses of the requests that scripts wait for."""
        return [request.url for request in self._pending]

    async def wait_idle(self, limit_s: float) -> None:
        """Wait until no script waits for a response, but no longer than the limit."""
        with anyio.move_on_after(limit_s):
            while self._pending:
                self._became_idle = anyio.Event()
                await self._became_idle.wait()

    async def wait_overdue(self, patience_s: float) -> str:
        """Wait until a navigation has had no response for this long; return its address."""
        while True:
            with anyio.move_on_after(patience_s if self.is_leaving else math.inf) as waiting:
                await self.wait_navigation()
            if waiting.cancelled_caught:
                return self.visited[-1]

    async def wait_navigation(self) -> None:
        """Wait until the next navigation begins, or gets its response."""
        await self._navigated.wait()

    @property
    def answered(self) -> tuple[str, ...]:
        """Return the addresses of the scripts' requests that got a good response, in their order."""
        return tuple(self._answered)

    def recall(self, earlier: PageFacts, answered: Collection[str]) -> None:
        """Count what an earlier visit saw beside the page as seen by this one: a saved page is read again."""
        self.visited += earlier.passed
        self.dialog_texts += earlier.dialogs
        self.recalled_answers += earlier.answers
        self._answered += answered

    def is_answered(self, addresses: Collection[str]) -> bool:
        """Return whether a script's request to one of these addresses got a good response."""
        return any(leads_to(addresses, url) for url in self._answered)

    async def read_answers(self, address: str) -> list[object]:
        """Return the JSON values of the last responses to scripts' requests to an address; ``None`` for a failure."""
        last = {
            (response.request.method, response.url, response.request.post_data_buffer): response
            for response in self.script_responses
            if leads_to((address,), response.url)
        }
        return [await json_of(response) if response.ok else None for response in last.values()]

    def on_request(self, request: Request) -> None:
        """Record a request that the page sends."""
        if self._is_navigation(request):
            self.visited.append(request.url)
            self.script_responses.clear()
            self.response, self.is_leaving = None, True
            self._wake()
        elif request.resource_type in _OF_SCRIPTS:
            self.step_count += 1
            self._pending.add(request)

    def on_response(self, response: Response) -> None:
        """Record the head of a response."""
        if self._is_navigation(response.request):
            self.response, self.is_leaving = response, False
            self._wake()
            return
        self._responses[response.request] = response
        if response.ok:
            self._good.add(response.request)

    def on_request_end(self, request: Request) -> None:
        """Record that a response is complete, or that a request failed."""
        response = self._responses.pop(request, None)
        if request.resource_type in _LISTS and response is not None:
            self.script_responses.append(response)
            if request in self._good:
                self._answered.append(request.url)
        if request in self._pending:
            self.step_count += 1
            self._pending.remove(request)
        self._good.discard(request)
        if not self._pending:
            self._became_idle.set()

    def on_dialog(self, dialog: Dialog) -> None:
        """Record the text of a dialog, which another listener answers."""
        if len(self.dialog_texts) < _DIALOG_COUNT_MAX:
            self.dialog_texts.append(dialog.message[:_DIALOG_LENGTH_MAX])

    def _wake(self) -> None:
        navigated, self._navigated = self._navigated, anyio.Event()
        navigated.set()

    def _is_navigation(self, request: Request) -> bool:
        with contextlib.suppress(PlaywrightError):  # a frame that is still being created has no id yet
            return request.is_navigation_request() and request.frame == self._page.main_frame
        return False


async def json_of(response: Response) -> object:
    """Return the JSON of a response; ``None`` if it has none, or if the browser no longer has it."""
    with anyio.move_on_after(_READ_LIMIT_S), contextlib.suppress(PlaywrightError, ValueError, RecursionError):
        text = await response.text()
        return json.loads(text) if len(text) <= _CHARS_MAX else None
    return None


def keep_subscribed(page: Page) -> None:
    """Let the driver tell of the requests of a page as long as it is open.

    It is told of each first listener of a kind of events, and of the last one that goes. As the page of an order is
    watched several times, that was half of all messages.
    """
    page.on("request", _ignore)
    page.on("response", _ignore)
    page.on("requestfinished", _ignore)
    page.on("requestfailed", _ignore)


def _ignore(_: object) -> None:
    """Ignore an event."""


@contextlib.contextmanager
def watch_traffic(page: Page, *, with_dialogs: bool = False) -> Generator[Traffic]:
    """Record the requests of a page during the block; enter it before the navigation.

    Args:
        page: The page.
        with_dialogs: Whether its dialogs are recorded too; they must be answered by another listener.
    """
    traffic = Traffic(page)
    if with_dialogs:
        page.on("dialog", traffic.on_dialog)
    page.on("request", traffic.on_request)
    page.on("response", traffic.on_response)
    page.on("requestfinished", traffic.on_request_end)
    page.on("requestfailed", traffic.on_request_end)
    try:
        yield traffic
    finally:
        if with_dialogs:
            page.remove_listener("dialog", traffic.on_dialog)
        page.remove_listener("request", traffic.on_request)
        page.remove_listener("response", traffic.on_response)
        page.remove_listener("requestfinished", traffic.on_request_end)
        page.remove_listener("requestfailed", traffic.on_request_end)


#: After this time without a response, the browser may be waiting for a choice of certificate.
_PATIENCE_S = 3.0
_LIMIT_S = 15.0
#: The hidden page closes at once, unless the browser hangs.
_CLOSE_LIMIT_S = 3.0
#: The browser's error for a page that would need the prompt.
_NEEDED = "net::ERR_SSL_CLIENT_AUTH_CERT_NEEDED"
#: Browsers request this from every host by themselves, so one more request has no effect; a start page may have one.
_HARMLESS = "/favicon.ico"
#: In the User-Agent of a browser without a window. The headless shell also has it as product name, and never prompts.
_WINDOWLESS = "Headless"
_Event = Mapping[str, Any]

#: Addresses that were checked and need no prompt, so that a slow portal is not checked again with each of its pages.
_checked_addresses: WeakKeyDictionary[Browser, set[str]] = WeakKeyDictionary()


class CertificatePromptError(PlaywrightError):
    """A page waits for a choice of certificate. Its text is the browser's error for a page without a window."""

    def __init__(self, url: str) -> None:
        """Name the address that the page was navigating to."""
        super().__init__(f"{_NEEDED} at {url}")


@contextlib.asynccontextmanager
async def detect_certificate_prompt(page: Page, traffic: Traffic) -> AsyncGenerator[None]:
    """Run a block that uses a page, and end it if the page waits for a certificate prompt that no person sees.

    Args:
        page: The page that the block uses.
        traffic: Its requests.

    Raises:
        CertificatePromptError: The page waits for the prompt.
    """
    try:
        async with anyio.create_task_group() as detection:
            detection.start_soon(_watch_for_prompt, page, traffic)
            yield
            detection.cancel_scope.cancel()
    except ExceptionGroup as group:
        raise unwrap_group(group, CertificatePromptError) from group


async def _watch_for_prompt(page: Page, traffic: Traffic) -> None:
    while True:
        url = await traffic.wait_overdue(_PATIENCE_S)
        if url.startswith("https:") and await _is_prompt_open(page, url):
            raise CertificatePromptError(url)
        await traffic.wait_navigation()


async def _is_prompt_open(page: Page, url: str) -> bool:
    """Return whether the browser waits for a choice of certificate for a host, with no person to choose."""
    browser, host = page.context.browser, origin_of(url)
    if browser is None or host is None:
        return False
    with anyio.move_on_after(_LIMIT_S), contextlib.suppress(PlaywrightError):
        name = f"[{host.host}]" if ":" in host.host else host.host
        address = f"https://{name}:{host.port}{_HARMLESS}"
        checked = _checked_addresses.setdefault(browser, set())
        if address not in checked and await _needs_prompt(browser, address):
            return True
        checked.add(address)
    return False


async def _needs_prompt(browser: Browser, address: str) -> bool:
    session = await browser.new_browser_cdp_session()
    try:
        send = session_sender(session)
        version = await send("Browser.getVersion", {})
        if _WINDOWLESS not in str(version["userAgent"]) or _WINDOWLESS in str(version["product"]):
            return False  # a person sees the prompt; or this browser never prompts
        target = (await send("Target.createTarget", {"url": "about:blank", "hidden": True}))["targetId"]
        try:
            return await _is_prompt_error(session, target, address)
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


async def _is_prompt_error(session: CDPSession, target: str, address: str) -> bool:
    """Return whether a page without a window needs the prompt for an address.

    The driver does not know such a page, so its commands are sent through the session of the browser.
    """
    send, received, messages = session_sender(session), anyio.Event(), list[_Event]()

    def on_message(event: _Event) -> None:
        message: _Event = json.loads(event["message"])
        if message.get("id") == 1:
            messages.append(message)
            received.set()

    session.on("Target.receivedMessageFromTarget", on_message)
    attached = await send("Target.attachToTarget", {"targetId": target, "flatten": False})
    command = json.dumps({"id": 1, "method": "Page.navigate", "params": {"url": address}})
    await send("Target.sendMessageToTarget", {"sessionId": attached["sessionId"], "message": command})
    await received.wait()
    return str(messages[0].get("result", {}).get("errorText", "")) == _NEEDED
