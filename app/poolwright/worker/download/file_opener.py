"""Opens what is between a link and its file: a page of a viewer, or a dialog (``attachments.file`` of a pack)."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass
from http import HTTPStatus

import anyio
from playwright.async_api import BrowserContext, Page
from playwright.async_api import Error as PlaywrightError

from poolwright.domain.options import PortalOptions
from poolwright.portal.pack import Pack
from poolwright.worker.download.order_page_opener import raise_if_login_page
from poolwright.worker.errors import DOWNLOAD_STARTED, first_line, raise_if_closed
from poolwright.worker.page.element_finder import ElementAction, ElementFinder, ElementQuery
from poolwright.worker.page.page_activity import discard_unfollowed, ignore_failure
from poolwright.worker.page.popups import answer_dialogs, window_cleanup
from poolwright.worker.page.request_guard import RequestGuard, guard_requests
from poolwright.worker.page.traffic import watch_traffic
from poolwright.worker.transfer.received_file import DownloadRefusedError

_UNAUTHORIZED_STATUSES = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class DirectFileError(DownloadRefusedError):
    """An address led to a file and not to a page."""

    def __init__(self) -> None:
        """Create the error; the file is downloaded by its address."""
        super().__init__("it is a file and no page", is_retryable=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePage:
    """An open page of a file."""

    finder: ElementFinder
    guard: RequestGuard

    async def click(self, selector: str) -> None:
        """Click the element that brings the file; only then may the page send more than it may for being read.

        Raises:
            DownloadRefusedError: There is none.
            playwright.async_api.Error: The page crashed or was closed.
        """
        if not (await self.finder.find(ElementQuery(selector=selector))).is_found:
            raise _missing(self.finder, selector)
        self.guard.is_clicking = True
        await click_file(self.finder, selector)


class FileOpener:
    """Opens the pages of files for one order."""

    def __init__(self, pack: Pack, portal: PortalOptions, context: BrowserContext) -> None:
        """Prepare the opener; it opens no page yet."""
        self._pack = pack
        self._portal = portal
        self._context = context

    @contextlib.asynccontextmanager
    async def viewer(self, address: str, referer: str) -> AsyncGenerator[FilePage]:
        """Open the page at an address for the block, guarded as the order's own.

        Raises:
            DirectFileError: It is a file and no page.
            DownloadRefusedError: It cannot be opened.
            SessionLostError: It is the portal's login page.
        """
        page = await self._context.new_page()
        answer_dialogs(page, self._pack.attachments.dialogs)
        discard_unfollowed(page)
        flood = anyio.Event()  # never awaited: the limit of the page ends the wait
        try:
            with watch_traffic(page) as traffic:
                async with (
                    window_cleanup(page, flood.set),
                    guard_requests(page, self._pack, self._portal.base_url) as guard,
                ):
                    await self._navigate(page, address, referer)
                    finder = ElementFinder(page, traffic, self._pack, self._portal.base_url)
                    yield FilePage(finder=finder, guard=guard)
        finally:
            with anyio.CancelScope(shield=True):
                await ignore_failure(page.close)

    @contextlib.contextmanager
    def finder(self, page: Page) -> Generator[ElementFinder]:
        """Return the finder for an open page during the block."""
        with watch_traffic(page) as traffic:
            yield ElementFinder(page, traffic, self._pack, self._portal.base_url)

    async def _navigate(self, page: Page, address: str, referer: str) -> None:
        limit_s = self._pack.limits.page_s
        try:
            response = await page.goto(address, referer=referer, wait_until="commit", timeout=limit_s * 1000)
        except PlaywrightError as error:
            raise_if_closed(error)
            if DOWNLOAD_STARTED in error.message:
                raise DirectFileError from error
            msg = f"the page of the file could not be opened ({first_line(error)})"
            raise DownloadRefusedError(msg, is_retryable=True) from error
        raise_if_login_page(self._pack, self._portal.base_url, page.url)
        if response is not None and response.status >= HTTPStatus.BAD_REQUEST:
            is_doubtful = response.status in _UNAUTHORIZED_STATUSES
            msg = f"the portal answered {response.status} for the page of the file"
            raise DownloadRefusedError(msg, is_retryable=not is_doubtful, is_session_in_doubt=is_doubtful)


async def find_address(finder: ElementFinder, selector: str) -> str:
    """Return the address of the one file that a page or dialog shows.

    Raises:
        DownloadRefusedError: It shows none, or several.
        playwright.async_api.Error: The page crashed or was closed.
    """
    attributes = finder.pack.attachments.address_attributes
    query = ElementQuery(selector=selector, action=ElementAction.ADDRESSES, attributes=attributes)
    result = await finder.find(query)
    addresses = set(filter(None, result.addresses))
    if len(addresses) == 1:
        return addresses.pop()
    if len(addresses) > 1:
        msg = f"the page of the file shows {len(addresses)} different files {selector!r} (attachments.file.follow)"
        raise DownloadRefusedError(msg, is_retryable=False)
    raise _missing(finder, selector)


async def click_file(finder: ElementFinder, selector: str) -> None:
    """Click the element that brings the file of a page or dialog.

    Raises:
        DownloadRefusedError: There is none.
        playwright.async_api.Error: The page crashed or was closed.
    """
    if not (await finder.find(ElementQuery(selector=selector, action=ElementAction.CLICK))).is_found:
        raise _missing(finder, selector)


def _missing(finder: ElementFinder, selector: str) -> DownloadRefusedError:
    msg = f"the page of the file showed no element {selector!r} within {finder.pack.limits.page_s:g} s"
    return DownloadRefusedError(msg, is_retryable=True, is_session_in_doubt=True)
