"""The way to the browser itself, past its driver's pages: one for each page, opened when it is first needed.

It ends with its page. Attaching costs as much as a look at a page, so whoever needs it shares it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast
from weakref import WeakKeyDictionary

from playwright.async_api import CDPSession, Frame, Page

_sessions: WeakKeyDictionary[Page, CDPSession] = WeakKeyDictionary()

#: Sends a command with what it is about, and gives its answer.
Send = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]


async def session_of(page: Page) -> CDPSession:
    """The way to a page.

    Raises:
        playwright.async_api.Error: The page crashed or was closed.
    """
    if page not in _sessions:
        _sessions[page] = await page.context.new_cdp_session(page)
    return _sessions[page]


def sending(session: CDPSession) -> Send:
    """How commands are sent there."""
    return cast("Send", session.send)  # pyright: ignore[reportUnknownMemberType]


async def sending_to(page: Page | Frame) -> Send:
    """How commands are sent to a page, or to a frame that has a process of its own.

    Raises:
        playwright.async_api.Error: The page crashed or was closed; or the frame has none.
    """
    session = await (session_of(page) if isinstance(page, Page) else page.page.context.new_cdp_session(page))
    return sending(session)
