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
from playwright.async_api import CDPSession, Frame, Page
from playwright.async_api import Error as PlaywrightError

from poolwright.domain.errors import unwrap_group
from poolwright.portal.addresses import Origin, origin_of
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
#: A paused request, and the session that can continue it.
_Paused = tuple[_Event, SendCommand]


class RequestGuard:
    """Decides about the requests of one page, and records the blocked ones. Created by ``guard_requests``."""

    def __init__(self, page: Page, pack: Pack, base_url: str, frame_id: str) -> None:
        """Guard the page whose main frame is ``frame_id``."""
        self._page = page
        self._covered: set[tuple[Frame, Origin | None]] = set()
        self._to_answer, self.paused = anyio.create_memory_object_stream[_Paused](math.inf)
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

    async def cover(self, session: CDPSession) -> None:
        """Pause the requests of a page, or of a frame with a process of its own, until they are decided.

        Raises:
            playwright.async_api.Error: It crashed or was closed.
        """
        send = session_sender(session)

        def on_paused(event: _Event) -> None:
            with contextlib.suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
                self._to_answer.send_nowait((event, send))

        session.on("Fetch.requestPaused", on_paused)
        await send("Fetch.enable", {"patterns": [{"urlPattern": "*", "resourceType": kind} for kind in _KINDS]})

    async def cover_frames(self) -> None:
        """Guard the frames with a process of their own too; called before something is clicked in one."""
        for frame in self._page.frames[1:]:
            if (key := (frame, origin_of(frame.url))) in self._covered:
                continue
            with contextlib.suppress(PlaywrightError):  # it has no process of its own, or is gone
                await self.cover(await self._page.context.new_cdp_session(frame))
                self._covered.add(key)

    def close(self) -> None:
        """Decide about no more requests."""
        self._to_answer.close()

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
    guard = RequestGuard(page, pack, base_url, tree["frameTree"]["frame"]["id"])
    await guard.cover(session)
    try:
        async with anyio.create_task_group() as answering:
            answering.start_soon(_answer, guard)
            try:
                yield guard
            finally:
                with anyio.move_on_after(_CLOSE_LIMIT_S, shield=True), contextlib.suppress(PlaywrightError):
                    await send("Network.emulateNetworkConditions", _CUT_OFF)
                    await send("Fetch.disable", {})
                guard.close()
    except ExceptionGroup as group:
        raise unwrap_group(group) from group


async def _answer(guard: RequestGuard) -> None:
    """Continue or fail each paused request, until the guard ends."""
    with guard.paused as events:
        async for event, send in events:
            with contextlib.suppress(PlaywrightError):  # the page closed, and its requests with it
                if guard.decide(event) is RequestRuling.ALLOWED:
                    await send("Fetch.continueRequest", {"requestId": event["requestId"]})
                else:  # any other error would replace the page by an error page of the browser
                    await send("Fetch.failRequest", {"requestId": event["requestId"], "errorReason": "Aborted"})
