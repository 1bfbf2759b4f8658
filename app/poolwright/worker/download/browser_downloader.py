"""Downloads files by the browser itself: in a page of their own, or by a click on the page of the order.

A file is tied to what asked for it: it is taken from the trail of one page, and from nowhere else.

A click that did not end well leaves its page for good: what it still brings then belongs to nobody, and the next click
is made on the order's page opened anew.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import anyio
from playwright.async_api import BrowserContext, Download, Page
from playwright.async_api import Error as PlaywrightError

from poolwright.files.content_type import is_document_type
from poolwright.portal.pack import Pack
from poolwright.worker.download.browser_file import read_download_info, wait_for_download
from poolwright.worker.errors import first_line, raise_if_closed
from poolwright.worker.page.devtools import PageNavigatedError, press_link, save_document, shown_media_type
from poolwright.worker.page.page_activity import PageActivity, follow_page, ignore_failure
from poolwright.worker.page.page_content import PageLink
from poolwright.worker.page.popups import answer_dialogs, close_opened_windows, window_cleanup
from poolwright.worker.page.traffic import detect_certificate_prompt, watch_traffic
from poolwright.worker.transfer.download_limits import DownloadAllowance
from poolwright.worker.transfer.received_file import DownloadRefusedError, ReceivedFile, media_type

#: A page that shows something answers at once what it is.
_LOOK_LIMIT_S = 5.0
_UNAUTHORIZED_STATUSES = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_PAGE_TYPES = frozenset({"", "text/html", "application/xhtml+xml"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadRequest:
    """What a lane is to bring, and how much it may be."""

    link: PageLink
    #: Where it is written; further files of one click beside it.
    part: Path
    allowance: DownloadAllowance

    @property
    def known_names(self) -> tuple[str, ...]:
        """How the page calls it."""
        return tuple(self.link.names.values())


class BrowserDownloader:
    """Brings files through the browser of one session."""

    def __init__(self, pack: Pack, context: BrowserContext, check_place: Callable[[str], Awaitable[None]]) -> None:
        """Use the portal's limits.

        Args:
            pack: The portal's rules.
            context: The browser.
            check_place: Raises for an address from which no file may come.
        """
        self._stall_s = pack.limits.stall_s
        self._dialogs = pack.attachments.dialogs
        self._context = context
        self._check_place = check_place

    async def download_by_visit(
        self, wanted: DownloadRequest, referer: str
    ) -> Sequence[ReceivedFile | DownloadRefusedError]:
        """Open the address in a page of its own, as somebody does who follows the link.

        Raises:
            RefusedError: It brought no file.
        """
        page = await self._context.new_page()
        answer_dialogs(page, self._dialogs)
        flood = anyio.Event()  # the trail ends by itself
        try:
            async with window_cleanup(page, flood.set), follow_page(page) as trail:
                status = await self._open(page, trail, wanted.link.address, referer)
                if status >= HTTPStatus.BAD_REQUEST and not trail.downloads:
                    msg, is_doubtful = f"the portal answered {status}", status in _UNAUTHORIZED_STATUSES
                    raise DownloadRefusedError(msg, is_retryable=not is_doubtful, is_session_in_doubt=is_doubtful)
                return await self._collect(trail, page, wanted)
        finally:
            with anyio.CancelScope(shield=True):
                await ignore_failure(page.close)

    async def download_by_click(
        self, page: Page, wanted: DownloadRequest
    ) -> tuple[Sequence[ReceivedFile | DownloadRefusedError], bool]:
        """Click on the link where it stands; tells, too, whether the page is still as it was.

        Raises:
            RefusedError: It brought no file. The page is not to be used again.
        """
        before, link = page.url, wanted.link
        async with follow_page(page) as trail:
            await self._press(page, link)
            received = await self._collect(trail, page, wanted)
            return received, page.url == before and not trail.has_pending

    async def _open(self, page: Page, trail: PageActivity, address: str, referer: str) -> int:
        """Go there; the status of a page that is shown, 0 for anything else."""
        try:
            with watch_traffic(page) as traffic:
                async with detect_certificate_prompt(page, traffic):
                    answer = await page.goto(
                        address, referer=referer, wait_until="commit", timeout=self._stall_s * 1000
                    )
        except PlaywrightError as error:
            raise_if_closed(error)
            if "Download is starting" in error.message or trail.downloads:
                return 0
            msg = f"the browser could not open it ({first_line(error)})"
            raise DownloadRefusedError(msg, is_retryable=True) from error
        return answer.status if answer else 0

    async def _press(self, page: Page, link: PageLink) -> None:
        try:
            problem = await press_link(page, link, self._stall_s)
        except TimeoutError as error:
            msg = f"the page did not react to a click within {self._stall_s:g} s"
            raise DownloadRefusedError(msg, is_retryable=True) from error
        except PlaywrightError as error:
            raise_if_closed(error)
            msg = f"a click downloaded no file ({first_line(error)})"
            raise DownloadRefusedError(msg, is_retryable=True) from error
        if problem:
            raise DownloadRefusedError(problem, is_retryable=False)

    async def _collect(
        self, trail: PageActivity, page: Page, wanted: DownloadRequest
    ) -> Sequence[ReceivedFile | DownloadRefusedError]:
        await trail.wait(self._stall_s)
        if trail.is_flood:
            with anyio.move_on_after(_LOOK_LIMIT_S):
                await close_opened_windows(page)  # nothing else stops it
            raise WindowFloodError
        if not trail.downloads and (await self._save_shown(trail) or await self._save_fetched(trail, page)):
            trail.restart_clock()
            await trail.wait(self._stall_s)
        if trail.downloads:
            # The browser tells of them in any order, and a second run must name them the same.
            numbers = sorted(range(len(trail.downloads)), key=lambda one: trail.downloads[one].suggested_filename)
            return [await self._kept(trail, number, wanted) for number in numbers]
        said = f"; the page said: {trail.dialog_texts[-1]}" if trail.dialog_texts else ""
        msg = f"no file was downloaded{said}"
        places = [shown.url for shown in (page, *trail.windows) if shown.url.startswith("http")]
        raise NoFileError(msg, places)

    async def _kept(
        self, trail: PageActivity, number: int, wanted: DownloadRequest
    ) -> ReceivedFile | DownloadRefusedError:
        part = wanted.part if number == 0 else wanted.part.with_name(f"{wanted.part.name}-{number + 1}")
        try:
            received = await self._keep(trail.downloads[number], trail, part, wanted)
        except DownloadRefusedError as refusal:
            return refusal
        trail.kept_downloads.append(trail.downloads[number])
        return received

    async def _keep(self, download: Download, trail: PageActivity, part: Path, wanted: DownloadRequest) -> ReceivedFile:
        await self._check_place(download.url)
        answer = trail.response_of(download)
        told = read_download_info(download, answer, wanted.known_names, is_alone=len(trail.downloads) == 1)
        if answer and answer.status == HTTPStatus.PARTIAL_CONTENT and told.declared_bytes is None:
            msg = "the portal sent only a part of it"
            raise DownloadRefusedError(msg, is_retryable=True)
        wanted.allowance.check_announced(told.declared_bytes or 0)
        try:
            path = await wait_for_download(download, self._stall_s, wanted.allowance.check)
        except TimeoutError as error:
            raise DownloadRefusedError(str(error), is_retryable=True) from error
        except PlaywrightError as error:
            raise_if_closed(error)
            msg = f"the browser could not download it ({first_line(error).removeprefix('Download.path: ')})"
            raise DownloadRefusedError(msg, is_retryable=True) from error
        path.replace(part)
        return ReceivedFile(
            path=part,
            disposition=told.disposition,
            declared_type=told.declared_type,
            declared_bytes=told.declared_bytes,
            is_unpacked=told.is_unpacked,
            can_ask_again=told.can_ask_again,
            source_url=wanted.link.address or download.url,
            final_url=download.url,
        )

    async def _save_shown(self, trail: PageActivity) -> bool:
        """Save what a page shows in the place of a file: a viewer, a picture, text. Tells whether there is any."""
        for shown in trail.shown:
            try:
                if await shown_media_type(shown, _LOOK_LIMIT_S) not in _PAGE_TYPES:
                    await save_document(shown, "", _LOOK_LIMIT_S)
                    return True
            except (PageNavigatedError, PlaywrightError, TimeoutError):
                continue  # it is on its way elsewhere, or hangs
        return False

    async def _save_fetched(self, trail: PageActivity, page: Page) -> bool:
        """Save a document that a script of the page fetched to show it by itself. Tells whether there is any."""
        for answer in reversed(trail.answers):
            is_fetched = answer.status == HTTPStatus.OK and answer.request.resource_type in {"fetch", "xhr"}
            kind = media_type(answer.headers.get("content-type", ""))
            if not is_fetched or answer.request.method != "GET" or not is_document_type(kind):
                continue
            try:
                await save_document(page, answer.url, _LOOK_LIMIT_S)
            except (PageNavigatedError, PlaywrightError, TimeoutError):
                continue  # its page is gone
            return True
        return False


class WindowFloodError(DownloadRefusedError):
    """Windows open without end instead; the page is closed."""

    def __init__(self) -> None:
        """Never to be tried again."""
        super().__init__("it keeps opening windows instead of a file", is_retryable=False)


class NoFileError(DownloadRefusedError):
    """Nothing came, and pages are shown instead."""

    def __init__(self, problem: str, places: Sequence[str]) -> None:
        """Keep where those pages are."""
        super().__init__(problem, is_retryable=True)
        self.page_urls = tuple(places)


class ClickDownloader:
    """The page on which the next click is made."""

    def __init__(self, lane: BrowserDownloader, page: Page, reopen: Callable[[], Awaitable[Page]]) -> None:
        """Made by ``open_clicks`` alone."""
        self._lane = lane
        self._reopen = reopen
        self._page: Page | None = page
        self._own: Page | None = None
        self._turn = anyio.Lock()

    async def download(self, wanted: DownloadRequest) -> Sequence[ReceivedFile | DownloadRefusedError]:
        """Click on a link and wait for its files.

        Raises:
            RefusedError: There are none.
        """
        async with self._turn:
            page = self._page or await self._open()
            self._page = None
            received, is_as_it_was = await self._lane.download_by_click(page, wanted)
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
            await ignore_failure(own.close)


@contextlib.asynccontextmanager
async def open_click_downloader(
    lane: BrowserDownloader, page: Page, reopen: Callable[[], Awaitable[Page]]
) -> AsyncGenerator[ClickDownloader]:
    """Begin with the order's page as it was read.

    Args:
        lane: Makes the clicks.
        page: The order's page, which stays open.
        reopen: Opens it anew, in a page that is closed here; raises ``RefusedError`` where it cannot be had.
    """
    clicks = ClickDownloader(lane, page, reopen)
    try:
        yield clicks
    finally:
        with anyio.CancelScope(shield=True):
            await clicks.close()
