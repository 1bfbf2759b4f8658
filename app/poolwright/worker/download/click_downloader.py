"""Makes the clicks of one order, one at a time, each on a page that shows what was read."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import anyio
from anyio.abc import TaskGroup, TaskStatus
from playwright.async_api import Page

from poolwright.worker.download.browser_downloader import BrowserDownloader, DownloadRequest, GoOn, ListChangedError
from poolwright.worker.transfer.received_file import DownloadRefusedError, ReceivedFile

#: Opens the order's page again at one page of its list; raises ``DownloadRefusedError`` on failure.
Reopen = Callable[[int], AbstractAsyncContextManager[Page]]


@dataclass(frozen=True, slots=True)
class _Reopened:
    """A page that was opened again."""

    page: Page
    #: Set when it is to be closed.
    done: anyio.Event


class ClickDownloader:
    """Makes the clicks of one order, one at a time, and holds the page for the next one."""

    def __init__(
        self, downloader: BrowserDownloader, page: Page, reopen: Reopen, opening: TaskGroup, list_page: int
    ) -> None:
        """Begin with ``page``; created by ``open_click_downloader``."""
        self._downloader = downloader
        self._reopen = reopen
        self._opening = opening
        self._page: Page | None = page
        self._list_page = list_page
        self._reopened: _Reopened | None = None
        self._turn = anyio.Lock()

    async def download(
        self, request: DownloadRequest, go_on: GoOn | None = None
    ) -> Sequence[ReceivedFile | DownloadRefusedError]:
        """Click a link, wait for its files, and return them.

        Args:
            request: The file.
            go_on: What is done on the page after the click.

        Raises:
            DownloadRefusedError: No file came.
        """
        async with self._turn:
            page = await self._take(request)
            try:
                received, is_unchanged = await self._downloader.download_by_click(page, request, go_on)
            except ListChangedError:  # by an earlier click
                page = await self._open(request.link.list_page)
                received, is_unchanged = await self._downloader.download_by_click(page, request, go_on)
            if is_unchanged:
                self._page, self._list_page = page, request.link.list_page
            return received

    async def press(self, request: DownloadRequest, go_on: GoOn) -> None:
        """Click a link that opens a dialog, and go on in it.

        Raises:
            DownloadRefusedError: It cannot be clicked, or ``go_on`` failed.
        """
        async with self._turn:
            page = await self._take(request)
            await self._downloader.press(page, request)
            await go_on(page)

    async def _take(self, request: DownloadRequest) -> Page:
        """Return the page that shows a link; it is used again only if the click leaves it unchanged."""
        page = self._page if self._list_page == request.link.list_page else None
        self._page = None
        return page or await self._open(request.link.list_page)

    async def _open(self, list_page: int) -> Page:
        self.close()
        reopened: _Reopened = await self._opening.start(self._hold, list_page)
        self._reopened = reopened
        return reopened.page

    async def _hold(self, list_page: int, *, task_status: TaskStatus[_Reopened]) -> None:
        """Keep one page open until it is to be closed."""
        reopened: _Reopened | None = None
        try:
            async with self._reopen(list_page) as page:
                reopened = _Reopened(page, anyio.Event())
                task_status.started(reopened)
                await reopened.done.wait()
        except DownloadRefusedError:
            if reopened is None:
                raise  # else the page is gone, and whoever clicks on it is told so

    def close(self) -> None:
        """Close the page that was opened again, if there is one."""
        if self._reopened is not None:
            self._reopened.done.set()
            self._reopened = None


@contextlib.asynccontextmanager
async def open_click_downloader(
    downloader: BrowserDownloader, page: Page, reopen: Reopen, list_page: int = 1
) -> AsyncGenerator[ClickDownloader]:
    """Open the click downloader of an order.

    Args:
        downloader: Makes the clicks.
        page: The order's page, as it was read; it stays open.
        reopen: Opens the order's page again.
        list_page: The page of the list that ``page`` shows.
    """
    async with anyio.create_task_group() as opening:
        clicks = ClickDownloader(downloader, page, reopen, opening, list_page)
        try:
            yield clicks
        finally:
            clicks.close()
