"""Blocks requests that must not leave the page of an order; the rules are in ``portal.leaving``.

Only documents and requests of scripts are paused and checked, so that images and styles load at full speed, and from
the browser's cache.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import AsyncGenerator, Generator, Mapping
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
#: Blocks all traffic; a page that has loaded is still shown.
_CUT_OFF = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
#: Most blocked requests that a report names.
_LOGGED_COUNT_MAX = 5
_Event = Mapping[str, Any]


class RequestGuard:
    """Decides about the requests of one page, and records the blocked ones. Created by ``guard_requests``."""

    def __init__(self, pack: Pack, base_url: str, frame_id: str) -> None:
        """Guard the page whose main frame is ``frame_id``."""
        self._pack = pack
        self._base_url = base_url
        self._frame_id = frame_id
        #: Whether links of the page are clicked, so that the requests of those clicks are allowed.
        self.is_clicking = False
        #: Requests that were blocked, as method and address.
        self.withheld: list[str] = []
        #: Addresses outside the portal to which the page tried to navigate.
        self.strayed: list[str] = []

    @contextlib.contextmanager
    def clicking(self) -> Generator[None]:
        """Allow the requests of clicks during the block."""
        before, self.is_clicking = self.is_clicking, True
        try:
            yield
        finally:
            self.is_clicking = before

    def decide(self, event: _Event) -> RequestRuling:
        """Return the ruling on one request, and record it if it is blocked."""
        raw = event["request"]
        request = PageRequest(
            method=str(raw["method"]),
            url=str(raw["url"]),
            is_navigation=event["resourceType"] == "Document" and event.get("frameId") == self._frame_id,
            sender=str(raw.get("headers", {}).get("Origin", "")),
            is_clicking=self.is_clicking,
        )
        ruling = rule_on_request(self._pack, self._base_url, request)
        if ruling is RequestRuling.OFF_PORTAL:
            self.strayed.append(request.url)
        summary = f"{request.method} {request.url.split('?')[0]}"
        is_new = ruling is RequestRuling.BLOCKED and event["resourceType"] != "Ping" and summary not in self.withheld
        if is_new and len(self.withheld) < _LOGGED_COUNT_MAX:
            self.withheld.append(summary)
        return ruling


@contextlib.asynccontextmanager
async def guard_requests(page: Page, pack: Pack, base_url: str) -> AsyncGenerator[RequestGuard]:
    """Guard a page during the block; afterwards the page can send no more requests.

    Raises:
        playwright.async_api.Error: The page crashed or was closed.
    """
    session = await cdp_session(page)
    send = session_sender(session)
    tree = await send("Page.getFrameTree", {})
    guard = RequestGuard(pack, base_url, tree["frameTree"]["frame"]["id"])
    paused, events = anyio.create_memory_object_stream[_Event](math.inf)

    def on_paused(event: _Event) -> None:
        with contextlib.suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
            paused.send_nowait(event)

    session.on("Fetch.requestPaused", on_paused)
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
                paused.close()
    except ExceptionGroup as group:
        raise unwrap_group(group) from group


async def _answer(events: MemoryObjectReceiveStream[_Event], guard: RequestGuard, send: SendCommand) -> None:
    """Continue or fail each paused request, until the guard ends."""
    with events:
        async for event in events:
            with contextlib.suppress(PlaywrightError):  # the page closed, and its requests with it
                if guard.decide(event) is RequestRuling.ALLOWED:
                    await send("Fetch.continueRequest", {"requestId": event["requestId"]})
                else:  # any other error would replace the page by an error page of the browser
                    await send("Fetch.failRequest", {"requestId": event["requestId"], "errorReason": "Aborted"})
