"""Puts the panel into every page of a browser, and receives what the person says with it.

The panel lives in an isolated world, which stays there through navigations: the browser runs its script in each new
document before the scripts of the page.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any, Literal, TypeAlias

import anyio
from playwright.async_api import BrowserContext, CDPSession, Frame, Page, Request, Response
from playwright.async_api import Error as PlaywrightError
from pydantic import ValidationError

from poolwright.learn.actions.page_calls import naming_values
from poolwright.learn.observations import ObservedCall
from poolwright.worker.page.devtools import session_sender
from poolwright.worker.teaching.page_record import PanelMessage

_SCRIPT = resources.files("poolwright.worker.teaching").joinpath("panel.js").read_text(encoding="utf-8")
_WORLD, _BINDING = "poolwright-panel", "poolwrightTell"
_OK, _UNAUTHORIZED = 200, 401
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
#: Calls of one page that differ.
_CALLS_MAX = 200

#: Bytes of a response that may list files.
_ANSWER_MAX_BYTES = 2_000_000
#: Responses of one page that are looked at, and seconds in which they must have come.
_ANSWERS_MAX, _ANSWERS_LIMIT_S = 60, 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PageState:
    """What a page had done when its panel told something. The person may be on another page when that is read."""

    #: HTTP status of the document.
    status: int = _OK
    #: How the server asked for user and password, if it did it by HTTP.
    challenge: Literal["", "basic"] = ""
    #: Addresses that the scripts of the page requested since its last navigation.
    requests: tuple[str, ...] = ()
    #: What they sent by another way than GET since its last document was loaded.
    calls: tuple[ObservedCall, ...] = ()
    #: Responses with JSON since the last navigation.
    answers: tuple[Response, ...] = ()
    document: Response | None = None

    async def source(self) -> str:
        """Return the document as the portal sent it; empty if the browser does not have it any more."""
        try:
            return "" if self.document is None else await self.document.text()
        except (PlaywrightError, UnicodeDecodeError):
            return ""

    async def answer_texts(self) -> list[tuple[str, str]]:
        """Return address and text of the responses with JSON, without those that the browser does not have any more."""
        texts: list[tuple[str, str]] = []
        with anyio.move_on_after(_ANSWERS_LIMIT_S):  # one that never ends lists no files
            for response in self.answers:
                with contextlib.suppress(PlaywrightError, UnicodeDecodeError):
                    texts.append((response.url, (await response.body()).decode()))
        return [(address, text) for address, text in texts if len(text) <= _ANSWER_MAX_BYTES]


#: Called with the panel of a page, what it told, and what the page had done by then.
OnMessage: TypeAlias = Callable[["TeachingPanel", PanelMessage, PageState], None]


class TeachingPanel:
    """The panel of one page, and what the page did since it was opened."""

    def __init__(self, page: Page, on_message: OnMessage) -> None:
        """Watch a page; ``attach`` shows the panel."""
        self._page = page
        self._on_message = on_message
        self._session: CDPSession | None = None
        self._world_id = 0
        self._state = PageState()
        page.on("response", self._on_response)
        page.on("request", self._on_request)
        page.on("framenavigated", self._on_navigated)
        # Without a listener the driver would answer the dialogs of a page instead of the person.
        page.on("dialog", lambda _: None)

    async def attach(self) -> None:
        """Show the panel in this document and in all later ones of the page.

        Raises:
            playwright.async_api.Error: The page was closed.
        """
        self._session = await self._page.context.new_cdp_session(self._page)
        self._session.on("Runtime.bindingCalled", self._on_call)
        send = session_sender(self._session)
        await send("Page.enable", {})
        await send("Runtime.enable", {})
        await send("Runtime.addBinding", {"name": _BINDING, "executionContextName": _WORLD})
        script = {"source": _SCRIPT, "worldName": _WORLD, "runImmediately": True}
        await send("Page.addScriptToEvaluateOnNewDocument", script)

    async def show(self, counts: dict[str, int], text: str) -> None:
        """Show what was noted so far, and the next step.

        Raises:
            playwright.async_api.Error: The page was closed, or went to another document, whose panel asks again.
        """
        if self._session is None:
            return
        state = json.dumps({"counts": counts, "text": text})
        expression = f"globalThis.poolwrightShow?.({state})"
        await session_sender(self._session)(
            "Runtime.evaluate", {"expression": expression, "contextId": self._world_id, "returnByValue": True}
        )

    def _on_call(self, event: dict[str, Any]) -> None:
        if event.get("name") != _BINDING:
            return
        try:
            message = PanelMessage.model_validate_json(event["payload"])
        except ValidationError:
            return  # a page too large for a person
        self._world_id = event["executionContextId"]
        self._on_message(self, message, self._state)

    def _on_response(self, response: Response) -> None:
        try:
            request = response.request
            is_document = request.is_navigation_request() and request.frame == self._page.main_frame
        except PlaywrightError:  # of a frame that is gone, or of a service worker
            return
        is_json = request.resource_type in {"xhr", "fetch"} and "json" in response.headers.get("content-type", "")
        if is_json and response.status == _OK:
            self._state = replace(self._state, answers=(*self._state.answers, response)[-_ANSWERS_MAX:])
        if is_document:
            asked = response.headers.get("www-authenticate", "").casefold()
            is_basic = response.status == _UNAUTHORIZED and asked.startswith("basic")
            self._state = replace(
                self._state, document=response, status=response.status, challenge="basic" if is_basic else ""
            )

    def _on_request(self, request: Request) -> None:
        if request.is_navigation_request() and request.frame == self._page.main_frame:
            self._state = replace(self._state, calls=())
        if request.resource_type not in {"xhr", "fetch"}:
            return
        if request.method not in _READING:
            body = naming_values(request.headers.get("content-type", ""), request.post_data_buffer or b"")
            call, calls = ObservedCall(address=request.url, body=body), self._state.calls
            if call not in calls and len(calls) < _CALLS_MAX:
                self._state = replace(self._state, calls=(*calls, call))
        elif request.method == "GET":
            self._state = replace(self._state, requests=(*self._state.requests, request.url))

    def _on_navigated(self, frame: Frame) -> None:
        if frame == self._page.main_frame:
            self._state = replace(self._state, requests=(), answers=())


def watch_pages(context: BrowserContext, on_page: Callable[[Page], None]) -> None:
    """Call ``on_page`` for each page of a browser, now and later."""
    for page in context.pages:
        on_page(page)
    context.on("page", on_page)
