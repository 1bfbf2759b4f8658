"""Blocks requests that must not leave the page of an order; the rules are in ``portal.leaving``.

Only documents and what scripts send are stopped and looked at, so that pictures and styles come as fast as ever, and
from the browser's cache.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from poolwright.domain.errors import unwrap_group
from poolwright.portal.pack import Pack
from poolwright.portal.request_policy import PageRequest, RequestRuling, rule_on_request
from poolwright.worker.page.devtools import SendCommand, cdp_session, session_sender

#: The kinds of requests that can carry a change, or lead the page away.
_KINDS = ("Document", "XHR", "Fetch", "Ping")
_CLOSE_LIMIT_S = 2.0
#: Nothing at all comes through any more; a page is still shown then.
_CUT_OFF = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
#: So many are named to a person.
_LOGGED_COUNT_MAX = 5
_Event = Mapping[str, Any]


class RequestGuard:
    """What was held back from one page. Opened by ``guarding``."""

    def __init__(self, pack: Pack, base_url: str, frame_id: str) -> None:
        """Made by ``guarding`` alone."""
        self._pack = pack
        self._base_url = base_url
        self._frame_id = frame_id
        #: Whether buttons of the page are pressed, and what they send may go out.
        self.is_clicking = False
        #: What the page wanted to send, as a person reads it.
        self.withheld: list[str] = []
        #: Where it wanted to go.
        self.strayed: list[str] = []

    def decide(self, event: _Event) -> RequestRuling:
        """Decide about one request, and remember what was held back."""
        asked = event["request"]
        request = PageRequest(
            method=str(asked["method"]),
            url=str(asked["url"]),
            is_navigation=event["resourceType"] == "Document" and event.get("frameId") == self._frame_id,
            sender=str(asked.get("headers", {}).get("Origin", "")),
            is_clicking=self.is_clicking,
        )
        ruling = rule_on_request(self._pack, self._base_url, request)
        if ruling is RequestRuling.OFF_PORTAL:
            self.strayed.append(request.url)
        told = f"{request.method} {request.url.split('?')[0]}"
        is_news = ruling is RequestRuling.BLOCKED and event["resourceType"] != "Ping" and told not in self.withheld
        if is_news and len(self.withheld) < _LOGGED_COUNT_MAX:
            self.withheld.append(told)
        return ruling


@contextlib.asynccontextmanager
async def guard_requests(page: Page, pack: Pack, base_url: str) -> AsyncGenerator[RequestGuard]:
    """Guard a page. When this is over nothing more leaves it.

    Raises:
        playwright.async_api.Error: The page crashed or was closed.
    """
    session = await cdp_session(page)
    send = session_sender(session)
    tree = await send("Page.getFrameTree", {})
    guard = RequestGuard(pack, base_url, tree["frameTree"]["frame"]["id"])
    noted, events = anyio.create_memory_object_stream[_Event](math.inf)

    def note(event: _Event) -> None:
        with contextlib.suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
            noted.send_nowait(event)

    session.on("Fetch.requestPaused", note)
    await send("Fetch.enable", {"patterns": [{"urlPattern": "*", "resourceType": kind} for kind in _KINDS]})
    try:
        async with anyio.create_task_group() as answering:
            answering.start_soon(_answer, events, guard, send)
            try:
                yield guard
            finally:
                with anyio.move_on_after(_CLOSE_LIMIT_S, shield=True), contextlib.suppress(PlaywrightError):
                    await send("Network.emulateNetworkConditions", _CUT_OFF)
                    await send("Fetch.disable", {})
                noted.close()
    except ExceptionGroup as group:
        raise unwrap_group(group) from group


async def _answer(events: MemoryObjectReceiveStream[_Event], guard: RequestGuard, send: SendCommand) -> None:
    """Let each request go or not, until nothing is stopped any more."""
    with events:
        async for event in events:
            with contextlib.suppress(PlaywrightError):  # the page went away with what it asked for
                if guard.decide(event) is RequestRuling.ALLOWED:
                    await send("Fetch.continueRequest", {"requestId": event["requestId"]})
                else:  # so that the page stays what it is; any other error would put a page of the browser in its place
                    await send("Fetch.failRequest", {"requestId": event["requestId"], "errorReason": "Aborted"})
