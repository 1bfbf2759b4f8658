"""Adds a header with a token to every request of a browser to its portal, and to no other request.

All requests to the portal's origin are paused and continued with the header: those of pages, frames, workers, windows
and downloads. A redirect is a new request, which is paused only if it goes to the portal too, so the token never leaves
the portal. Requests to other hosts are not paused at all.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream
from playwright.async_api import BrowserContext
from playwright.async_api import Error as PlaywrightError

from poolwright.domain.errors import unwrap_group
from poolwright.domain.options import BrowserOptions, PortalHeader
from poolwright.portal.addresses import origin_of
from poolwright.worker.errors import CannotStartError, first_line
from poolwright.worker.page.devtools import SendCommand, session_sender

_CLOSE_LIMIT_S = 2.0
_Event = Mapping[str, Any]


def continuation(event: _Event, header: PortalHeader, portal: str) -> dict[str, Any]:
    """Return the parameters that continue a paused request: with the header, if it goes to the portal. Pure.

    Args:
        event: The paused request, as the browser describes it.
        header: The header.
        portal: The origin of the portal.
    """
    parameters: dict[str, Any] = {"requestId": event["requestId"]}
    request: _Event = event["request"]
    origin = origin_of(str(request["url"]))
    if origin is None or origin != origin_of(portal):
        return parameters
    others: Mapping[str, str] = request["headers"]
    headers = [{"name": name, "value": value} for name, value in others.items() if name.lower() != header.name.lower()]
    return {**parameters, "headers": [*headers, {"name": header.name, "value": header.value.text}]}


@contextlib.asynccontextmanager
async def open_portal_header(driver: BrowserContext, options: BrowserOptions) -> AsyncGenerator[None]:
    """Add the header of the options during the block; without one, nothing is paused.

    Args:
        driver: A browser that has sent no request to the portal yet.
        options: The header, and the origin of the portal.

    Raises:
        CannotStartError: The browser cannot add headers.
    """
    header = options.header
    if header is None:
        yield
        return
    paused, events = anyio.create_memory_object_stream[_Event](math.inf)

    def on_paused(event: _Event) -> None:
        with contextlib.suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
            paused.send_nowait(event)

    send = await _pause_requests(driver, options.http_origin, on_paused)
    try:
        async with anyio.create_task_group() as answering:
            answering.start_soon(_continue_all, events, header, options.http_origin, send)
            try:
                yield
            finally:
                with anyio.move_on_after(_CLOSE_LIMIT_S, shield=True), contextlib.suppress(PlaywrightError):
                    await send("Fetch.disable", {})
                paused.close()
    except ExceptionGroup as group:
        raise unwrap_group(group) from group


async def _pause_requests(driver: BrowserContext, portal: str, on_paused: Callable[[_Event], None]) -> SendCommand:
    """Pause each request to the portal from now on; return the function that sends commands to the browser."""
    problem = "The browser does not allow a header to be added to its requests"
    if driver.browser is None:
        raise CannotStartError(f"{problem}.")
    try:
        session = await driver.browser.new_browser_cdp_session()
        session.on("Fetch.requestPaused", on_paused)
        send = session_sender(session)
        await send("Fetch.enable", {"patterns": [{"urlPattern": f"{portal}/*"}]})
    except PlaywrightError as error:
        raise CannotStartError(f"{problem} ({first_line(error)}).") from error
    return send


async def _continue_all(
    events: MemoryObjectReceiveStream[_Event], header: PortalHeader, portal: str, send: SendCommand
) -> None:
    """Continue each paused request, until the block ends."""
    with events:
        async for event in events:
            with contextlib.suppress(PlaywrightError):  # its page was closed, and the request with it
                await send("Fetch.continueRequest", continuation(event, header, portal))
