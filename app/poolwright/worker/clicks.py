"""Files that only a click on the order's page gives, one click after the other.

A click that did not end well leaves its page for good: what it still brings then belongs to nobody, and the next click
is made on the order's page opened anew.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

import anyio
from playwright.async_api import Page

from poolwright.worker.browser_lane import BrowserLane, Wanted
from poolwright.worker.received import Received, RefusedError
from poolwright.worker.trail import quietly


class Clicks:
    """The page on which the next click is made."""

    def __init__(self, lane: BrowserLane, page: Page, reopen: Callable[[], Awaitable[Page]]) -> None:
        """Made by ``open_clicks`` alone."""
        self._lane = lane
        self._reopen = reopen
        self._page: Page | None = page
        self._own: Page | None = None
        self._turn = anyio.Lock()

    async def click(self, wanted: Wanted) -> Sequence[Received | RefusedError]:
        """Click on a link and wait for its files.

        Raises:
            RefusedError: There are none.
        """
        async with self._turn:
            page = self._page or await self._open()
            self._page = None
            received, is_as_it_was = await self._lane.click(page, wanted)
            if is_as_it_was:
                self._page = page
            return received

    async def _open(self) -> Page:
        await self.close()
        self._own = await self._reopen()
        return self._own

    async def close(self) -> None:
        """Close the page that was opened anew, if there is one."""
        if self._own is not None:
            own, self._own = self._own, None
            await quietly(own.close)


@contextlib.asynccontextmanager
async def open_clicks(lane: BrowserLane, page: Page, reopen: Callable[[], Awaitable[Page]]) -> AsyncGenerator[Clicks]:
    """Begin with the order's page as it was read.

    Args:
        lane: Makes the clicks.
        page: The order's page, which stays open.
        reopen: Opens it anew, in a page that is closed here; raises ``RefusedError`` where it cannot be had.
    """
    clicks = Clicks(lane, page, reopen)
    try:
        yield clicks
    finally:
        with anyio.CancelScope(shield=True):
            await clicks.close()
