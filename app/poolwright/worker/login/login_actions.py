"""Does the actions of a login form in a page: fill, click, press, wait for. A form may be spread over several pages."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit, urlunsplit

import anyio
from playwright.async_api import ElementHandle, Frame, Locator, Page, Request
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import TimeoutError as PlaywrightTimeoutError

from poolwright.portal.login_schema import LoginAction, SecretName, replace_secrets, secret_names
from poolwright.portal.page_facts import leads_to
from poolwright.portal.triage_marks import PageKind
from poolwright.worker.errors import PortalDownError, WorkerError, first_line, raise_if_closed
from poolwright.worker.login.portal_probe import PortalProbe
from poolwright.worker.page.reachability import remedy
from poolwright.worker.page.traffic import CertificatePromptError, Traffic, detect_certificate_prompt, watch_traffic

#: An optional element is waited for no longer than this, unless a later one or the portal itself comes sooner.
OPTIONAL_LIMIT_S = 10.0
#: A page may replace an element between the look at its address and the writing into it.
_TRY_COUNT = 3
#: Requests by which a script logs in.
_OF_SCRIPTS = frozenset({"xhr", "fetch"})
_TITLE_LIMIT_S = 2.0
_TITLE_LENGTH_MAX = 80
#: Addresses of frames that belong to the page around them.
_INHERITED = ("about:blank", "about:srcdoc", "")


class LoginActionError(WorkerError):
    """An action of the login could not be done; the message names the action, the cause and the page."""


def _ignore() -> None:
    """Ignore that the code is sent."""


@dataclass(kw_only=True)
class LoginActions:
    """The actions of one login, in their order."""

    probe: PortalProbe
    page: Page
    actions: Sequence[LoginAction]
    secrets: Mapping[SecretName, str] = field(default_factory=dict[SecretName, str], repr=False)
    #: The reason why a secret is not available, by its name.
    missing: Mapping[SecretName, str] = field(default_factory=dict[SecretName, str])
    #: Called before the one-time code is written.
    on_code: Callable[[], None] = _ignore
    #: The element of the last action if the next one uses the same selector: the next page may have such an element.
    _used: ElementHandle | None = None

    async def run(self) -> None:
        """Do all actions, and wait until the portal has answered the last one.

        Raises:
            LoginActionError: An action could not be done.
            PortalDownError: The portal does not answer the form.
            playwright.async_api.Error: The page was closed, or crashed.
        """
        with watch_traffic(self.page) as traffic:
            try:
                async with detect_certificate_prompt(self.page, traffic):
                    for number in range(len(self.actions)):
                        await self._run_one(number, traffic)
            except CertificatePromptError as error:
                step = remedy(str(error), self.probe.portal.base_url)
                msg = f"the login was cut off ({first_line(error)})" + (f": {step}" if step else "")
                raise LoginActionError(msg) from None

    async def _run_one(self, number: int, traffic: Traffic) -> None:
        action = self.actions[number]
        await self._wait_until_used_is_gone()
        if action.if_present and not await self._comes(number):
            return
        is_last = number == len(self.actions) - 1
        try:
            await self._locator(action).wait_for(state="visible", timeout=self._limit_ms)
        except PlaywrightError as error:
            await self._raise_for(number, "found no such element", error, traffic, hint=await self._hint(number))
        try:
            if action.fill is not None:
                await self._fill(number, action)
            elif action.sends:
                await self._send(number, action, traffic, is_awaited=is_last)
        except PlaywrightError as error:
            await self._raise_for(number, "could not use the element", error, traffic)

    async def _fill(self, number: int, action: LoginAction) -> None:
        """Write into an element, after a look at the address of the document that has it.

        The element is held meanwhile: a page of another host that replaces the document gets nothing.
        """
        names = secret_names(action.value)
        for name in names & self.missing.keys():
            raise LoginActionError(f"{self._name(number)}: {self.missing[name]}")
        if SecretName.CODE in names:
            self.on_code()
        text = replace_secrets(action.value, self.secrets)
        for attempt in range(_TRY_COUNT):
            element = await self._locator(action).element_handle(timeout=self._limit_ms)
            frame = await element.owner_frame()
            url = _document_url(frame)
            if not self.probe.pack.may_receive_login(self.probe.portal.base_url, url):
                host = urlsplit(url).hostname or "an unknown host"
                problem = f"the element is on a page of {host}, which is not named in login.hosts of the portal pack"
                raise LoginActionError(f"{self._name(number)}: {problem}")
            try:
                await element.fill(text, timeout=self._limit_ms)
            except PlaywrightError as error:
                if attempt == _TRY_COUNT - 1 or isinstance(error, PlaywrightTimeoutError):
                    raise
                raise_if_closed(error)
            else:
                return

    async def _send(self, number: int, action: LoginAction, traffic: Traffic, *, is_awaited: bool) -> None:
        """Click or press; if it is the last action, wait until the portal has answered."""
        locator = self._locator(action)
        following = self.actions[number + 1] if number + 1 < len(self.actions) else None
        if following is not None and (following.selector, following.frame) == (action.selector, action.frame):
            self._used = await locator.element_handle(timeout=self._limit_ms)
        with _Answer(self.page) as answer:
            if action.press is None:
                await locator.click(timeout=self._limit_ms, no_wait_after=True)
            else:
                await locator.press(action.press, timeout=self._limit_ms, no_wait_after=True)
            if not is_awaited:
                return
            with anyio.move_on_after(self._limit_ms / 1000) as waiting:
                await answer.wait()
        if waiting.cancelled_caught:
            self._raise_if_unanswered(traffic)
            if not answer.has_begun:
                msg = f"{self._name(number)}: nothing followed within {self._limit_ms / 1000:g} s; {await self._seen()}"
                raise LoginActionError(msg)

    async def _wait_until_used_is_gone(self) -> None:
        """Wait until the element of the last action is gone; if a script keeps it, it is used again."""
        used, self._used = self._used, None
        if used is not None:
            with contextlib.suppress(PlaywrightError):  # its document is gone, or it stays
                await used.wait_for_element_state("hidden", timeout=self._optional_limit_s * 1000)

    async def _comes(self, number: int) -> bool:
        """Return whether an optional element comes before a later one, before the portal, and within the limit."""
        later = [action for action in self.actions[number + 1 :] if action.selector != self.actions[number].selector]
        ready = [marks for marks in self.probe.pack.triage.ready if PageKind.PROBE in marks.on]
        addresses = [address for marks in ready for address in marks.address]
        signs = [
            *(self._locator(action) for action in (self.actions[number], *later)),
            *(self.page.locator(selector).filter(visible=True).first for marks in ready for selector in marks.selector),
        ]
        limit_s = self._optional_limit_s
        with anyio.move_on_after(limit_s):
            async with anyio.create_task_group() as waits:

                async def until(work: Callable[[], Awaitable[object]]) -> None:
                    with contextlib.suppress(PlaywrightError):
                        await work()
                        waits.cancel_scope.cancel()

                for sign in signs:
                    waits.start_soon(until, _visible(sign, limit_s))
                if addresses:
                    waits.start_soon(until, lambda: self._wait_for_address(addresses, limit_s))
        return await self._locator(self.actions[number]).is_visible()

    async def _wait_for_address(self, addresses: Sequence[str], limit_s: float) -> None:
        pack, base_url = self.probe.pack, self.probe.portal.base_url

        def is_wanted(url: str) -> bool:
            return pack.may_fetch(base_url, url) and leads_to(addresses, url, has_routes=pack.is_hash_routed)

        await self.page.wait_for_url(is_wanted, wait_until="commit", timeout=limit_s * 1000)

    def _locator(self, action: LoginAction) -> Locator:
        root = self.page.frame_locator(action.frame) if action.frame else self.page
        return root.locator(action.selector).filter(visible=True).first

    async def _hint(self, number: int) -> str:
        """Return what to do about a step without its element while the page has that of a later step; else nothing."""
        for later in range(number + 1, len(self.actions)):
            action = self.actions[later]
            is_other = (action.selector, action.frame) != (self.actions[number].selector, self.actions[number].frame)
            with contextlib.suppress(PlaywrightError):
                if is_other and await self._locator(action).is_visible():
                    there = f"it has the element of step {later + 1}"
                    return f"; {there}: if_present = true leaves step {number + 1} out of such a login"
        return ""

    async def _raise_for(
        self, number: int, problem: str, error: PlaywrightError, traffic: Traffic, *, hint: str = ""
    ) -> None:
        """Raise the error of an action; without its cause, because the browser's own error quotes what is written."""
        raise_if_closed(error)
        self._raise_if_unanswered(traffic)
        is_late = isinstance(error, PlaywrightTimeoutError)
        cause = f"within {self._limit_ms / 1000:g} s" if is_late else f"({first_line(error)})"
        raise LoginActionError(f"{self._name(number)}: {problem} {cause}; {await self._seen()}{hint}") from None

    def _raise_if_unanswered(self, traffic: Traffic) -> None:
        if traffic.is_leaving:  # the form was sent, but no response came
            msg = f"The portal does not answer its login form within {self._limit_ms / 1000:g} s."
            raise PortalDownError(msg)

    def _name(self, number: int) -> str:
        action = self.actions[number]
        within = f" in frame '{action.frame}'" if action.frame else ""
        return f"login step {number + 1} ({action.kind} '{action.selector}'{within})"

    async def _seen(self) -> str:
        """Return the page that is open, in words; without its query, which may hold secrets."""
        parts = urlsplit(self.page.url)
        title = ""
        with anyio.move_on_after(_TITLE_LIMIT_S), contextlib.suppress(PlaywrightError):
            title = " ".join((await self.page.title()).split())[:_TITLE_LENGTH_MAX]
        address = urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))
        return f"the page was {address}" + (f" '{title}'" if title else " without a title")

    @property
    def _optional_limit_s(self) -> float:
        return min(OPTIONAL_LIMIT_S, self.probe.pack.limits.page_s)

    @property
    def _limit_ms(self) -> float:
        return self.probe.pack.limits.page_s * 1000


def _visible(sign: Locator, limit_s: float) -> Callable[[], Awaitable[None]]:
    async def wait() -> None:
        await sign.wait_for(state="visible", timeout=limit_s * 1000)

    return wait


def _document_url(frame: Frame | None) -> str:
    """Return the address that a frame has its document from: its own, or that of the frame around it."""
    while frame is not None and frame.url in _INHERITED and frame.parent_frame is not None:
        frame = frame.parent_frame
    return frame.url if frame is not None else ""


class _Answer:
    """Waits until a page was replaced, or until the requests of its scripts and frames were answered."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._is_replaced = False
        self._leaving: set[Request] = set()
        self._pending: set[Request] = set()
        #: Whether anything followed at all.
        self.has_begun = False
        self._has_asked = False
        self._changed = anyio.Event()

    def __enter__(self) -> Self:
        self._page.on("request", self._on_request)
        self._page.on("requestfinished", self._on_request_end)
        self._page.on("requestfailed", self._on_request_end)
        self._page.on("framenavigated", self._on_navigation)
        return self

    def __exit__(self, *_: object) -> None:
        self._page.remove_listener("request", self._on_request)
        self._page.remove_listener("requestfinished", self._on_request_end)
        self._page.remove_listener("requestfailed", self._on_request_end)
        self._page.remove_listener("framenavigated", self._on_navigation)

    async def wait(self) -> None:
        while not (self._is_replaced or (self._has_asked and not self._pending and not self._leaving)):
            await self._changed.wait()

    def _on_request(self, request: Request) -> None:
        if request.is_navigation_request() and self._is_of_page(request):
            self._leaving.add(request)
        elif request.is_navigation_request() or request.resource_type in _OF_SCRIPTS:
            self._pending.add(request)
        else:
            return
        self.has_begun = self._has_asked = True

    def _on_request_end(self, request: Request) -> None:
        self._pending.discard(request)
        if request in self._leaving and request.failure:  # a download, or an empty response; else the page is replaced
            self._leaving.discard(request)
        self._wake()

    def _on_navigation(self, frame: Frame) -> None:
        if frame == self._page.main_frame:
            # Without a request a script only changed the address; what it asks the portal comes before or after that.
            self._is_replaced, self.has_begun = self._is_replaced or bool(self._leaving), True
        self._wake()

    def _is_of_page(self, request: Request) -> bool:
        with contextlib.suppress(PlaywrightError):  # a frame that is still being created
            return request.frame == self._page.main_frame
        return False

    def _wake(self) -> None:
        changed, self._changed = self._changed, anyio.Event()
        changed.set()
