"""Puts the panel into every page of a browser, and receives what the person says with it.

The panel lives in an isolated world, which stays there through navigations: the browser runs its script in each new
document before the scripts of the page.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import resources
from typing import Any, Literal, TypeAlias

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

#: Called with the panel of a page and what it told.
OnMessage: TypeAlias = Callable[["TeachingPanel", PanelMessage], None]


class TeachingPanel:
    """The panel of one page, and what the page did since it was opened."""

    def __init__(self, page: Page, on_message: OnMessage) -> None:
        """Watch a page; ``attach`` shows the panel."""
        self._page = page
        self._on_message = on_message
        self._session: CDPSession | None = None
        self._world_id = 0
        self._document: Response | None = None
        #: HTTP status of the document.
        self.status = _OK
        #: How the server asked for user and password, if it did it by HTTP.
        self.challenge: Literal["", "basic"] = ""
        #: Addresses that the scripts of the page requested since its last navigation.
        self.requests: list[str] = []
        #: What they sent by another way than GET since its last document was loaded.
        self.calls: list[ObservedCall] = []
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

    async def source(self) -> str:
        """Return the document as the portal sent it; empty if the browser does not have it any more."""
        try:
            return "" if self._document is None else await self._document.text()
        except (PlaywrightError, UnicodeDecodeError):
            return ""

    def _on_call(self, event: dict[str, Any]) -> None:
        if event.get("name") != _BINDING:
            return
        try:
            message = PanelMessage.model_validate_json(event["payload"])
        except ValidationError:
            return  # a page too large for a person
        self._world_id = event["executionContextId"]
        self._on_message(self, message)

    def _on_response(self, response: Response) -> None:
        try:
            request = response.request
            is_document = request.is_navigation_request() and request.frame == self._page.main_frame
        except PlaywrightError:  # of a frame that is gone, or of a service worker
            return
        if is_document:
            self._document = response
            self.status = response.status
            asked = response.headers.get("www-authenticate", "").casefold()
            self.challenge = "basic" if response.status == _UNAUTHORIZED and asked.startswith("basic") else ""

    def _on_request(self, request: Request) -> None:
        if request.is_navigation_request() and request.frame == self._page.main_frame:
            self.calls.clear()
        if request.resource_type not in {"xhr", "fetch"}:
            return
        if request.method not in _READING:
            body = naming_values(request.headers.get("content-type", ""), request.post_data_buffer or b"")
            call = ObservedCall(address=request.url, body=body)
            if call not in self.calls and len(self.calls) < _CALLS_MAX:
                self.calls.append(call)
        elif request.method == "GET":
            self.requests.append(request.url)

    def _on_navigated(self, frame: Frame) -> None:
        if frame == self._page.main_frame:
            self.requests.clear()


def watch_pages(context: BrowserContext, on_page: Callable[[Page], None]) -> None:
    """Call ``on_page`` for each page of a browser, now and later."""
    for page in context.pages:
        on_page(page)
    context.on("page", on_page)
