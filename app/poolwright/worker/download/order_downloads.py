"""Downloads the attachments of one order and checks each file.

A file comes by the HTTP client with the session's cookies if the page gives an address, and by the browser if only that
works. It counts only after its check: the declared length, content that matches its name, and no error, login or
waiting page instead. An error of one file affects no other file. If the response could also come from a lost login, the
login is verified before the file is missed.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from pathlib import Path

import anyio
import anyio.to_thread
from playwright.async_api import BrowserContext, Page

from poolwright.domain.options import BrowserOptions, PortalOptions, SizeLimits
from poolwright.domain.tasks import FetchedFile, MissedFile
from poolwright.portal.pack import Pack
from poolwright.portal.pack_schema import ArchivePolicy
from poolwright.portal.step_schema import FileStep
from poolwright.worker.download.archive_files import ZIP_TYPE, ArchiveLockedError, unpack_archive
from poolwright.worker.download.browser_downloader import (
    BrowserDownloader,
    DownloadRequest,
    GoOn,
    NoFileError,
    WindowFloodError,
)
from poolwright.worker.download.browser_file import verify_complete
from poolwright.worker.download.click_downloader import ClickDownloader, open_click_downloader
from poolwright.worker.download.file_opener import DirectFileError, FileOpener, FilePage, click_file, find_address
from poolwright.worker.download.known_files import KnownFiles
from poolwright.worker.download.order_page_opener import OrderPageOpener, raise_if_login_page
from poolwright.worker.download.received_check import ReceivedCheck, UnexpectedPageError, missed_file
from poolwright.worker.download.staged_files import DownloadedFile
from poolwright.worker.errors import PortalUnreachableError
from poolwright.worker.login.portal_probe import PortalProbe
from poolwright.worker.page.page_content import PageLink
from poolwright.worker.page.reachability import is_portal_unreachable
from poolwright.worker.transfer.download_limits import DownloadAllowance
from poolwright.worker.transfer.http_downloader import HttpDownloader, open_http_downloader
from poolwright.worker.transfer.received_file import DownloadRefusedError, ReceivedFile

#: A file that asks for a login is requested again if the order's page shows that the session is logged in by then.
_TRY_COUNT = 2


class SessionDownloads:
    """The downloaders of one session."""

    def __init__(
        self,
        pack: Pack,
        portal: PortalOptions,
        context: BrowserContext,
        http_downloader: HttpDownloader,
        sizes: SizeLimits,
    ) -> None:
        """Keep the parts; created by ``open_session_downloads``."""
        self.pack = pack
        self.portal = portal
        self.context = context
        self.http_downloader = http_downloader
        self.browser_downloader = BrowserDownloader(pack, portal.base_url, context, http_downloader.check_origin)
        self.sizes = sizes

    @contextlib.asynccontextmanager
    async def for_order(
        self,
        page: Page,
        portal_number: str,
        pack: Pack | None = None,
        list_page: int = 1,
        known_files: Sequence[FetchedFile] = (),
    ) -> AsyncGenerator[OrderDownloads]:
        """Open the downloads of one page of an order.

        Args:
            page: The page, as it was read.
            portal_number: The number of the order in the portal.
            pack: The rules for the page, if they differ from those of the session.
            list_page: The page of the list that it shows.
            known_files: The files that the order has; those that the portal says are the same are not downloaded.
        """
        rules = pack or self.pack
        order_page = OrderPageOpener(rules, self.portal, self.context, portal_number)
        async with open_click_downloader(self.browser_downloader, page, order_page.opened, list_page) as clicks:
            yield OrderDownloads(self, rules, page.url, order_page, clicks, KnownFiles(rules, known_files))


class OrderDownloads:
    """Downloads the files of one order, several in parallel."""

    def __init__(
        self,
        downloads: SessionDownloads,
        pack: Pack,
        page_url: str,
        order_page: OrderPageOpener,
        clicks: ClickDownloader,
        known: KnownFiles,
    ) -> None:
        """Keep the parts; created by ``SessionDownloads.for_order``."""
        self._downloads = downloads
        self._pack = pack
        self._file_opener = FileOpener(pack, downloads.portal, downloads.context)
        self._page_url = page_url
        self._order_page = order_page
        self._clicks = clicks
        self._known = known
        self._file_check = ReceivedCheck(pack, downloads.portal.base_url, order_page.verify_shown)
        self._allowance = DownloadAllowance(downloads.sizes)

    async def fetch(self, link: PageLink, part: Path) -> list[DownloadedFile | MissedFile]:
        """Download the file of a link and check it; return one file, or several if one click brings more.

        Raises:
            SessionLostError: The portal asks for a login.
            PortalBusyError: The portal is too busy.
            PortalUnreachableError: The portal no longer answers.
            OSError: The disk is full or not writable.
        """
        allowance, step = self._allowance.for_folder(part.parent), self._pack.attachments.file
        request = DownloadRequest(link=link, part=part, allowance=allowance, row=self._pack.attachments.row)
        refusals: list[DownloadRefusedError] = []
        for _ in range(_TRY_COUNT):
            try:
                received = await (self._receive(request) if step is None else self._receive_by_step(request, step))
                return await self._unpacked(received, request)
            except DownloadRefusedError as refusal:
                await anyio.Path(part).unlink(missing_ok=True)  # a part of it must not use disk space
                await self._raise_if_lost(refusal)
                refusals.append(refusal)
                if not refusal.asks_for_login:
                    break  # else the session may have been renewed since then
        return [self._missed(link, refusals[-1])]

    async def _unpacked(
        self, files: Sequence[DownloadedFile | MissedFile], request: DownloadRequest
    ) -> list[DownloadedFile | MissedFile]:
        """Return the files; in place of an archive its files, if the pack says so."""
        is_wanted = self._pack.attachments.archive is ArchivePolicy.UNPACK
        unpacked: list[DownloadedFile | MissedFile] = []
        for file in files:
            if isinstance(file, MissedFile) or file.media_type != ZIP_TYPE or not is_wanted:
                unpacked.append(file)
                continue
            try:
                unpacked += await anyio.to_thread.run_sync(unpack_archive, file, request.allowance)
            except ArchiveLockedError as error:
                note = f"{file.label} was not unpacked: {error}."
                unpacked.append(replace(file, notes=(*file.notes, note)))
        return unpacked

    def _missed(self, link: PageLink, refusal: DownloadRefusedError) -> MissedFile:
        missed = missed_file(self._pack, link, str(refusal), is_retryable=refusal.is_retryable)
        return replace(missed, label=refusal.label or missed.label)

    async def _raise_if_lost(self, refusal: DownloadRefusedError) -> None:
        """Raise if a lost login or the portal is the cause of a refusal; checked at once, before the portal is back.

        Raises:
            SessionLostError: We are logged out.
            PortalUnreachableError: The portal does not answer.
        """
        if refusal.is_session_in_doubt:
            await self._order_page.verify_shown(is_again=refusal.asks_for_login)
        base_url = self._downloads.portal.base_url
        if refusal.is_retryable and await is_portal_unreachable(self._downloads.context, base_url):
            raise PortalUnreachableError(str(refusal)) from refusal

    async def _receive_by_step(self, request: DownloadRequest, step: FileStep) -> Sequence[DownloadedFile | MissedFile]:
        """Return the file of a page or dialog to which a link leads."""
        address = request.link.address
        if address:
            self._raise_if_foreign(address)
            try:
                async with self._file_opener.viewer(address, self._page_url) as file_page:
                    if step.click:
                        return await self._check_all(
                            await self._click_in_viewer(request, file_page, step.click), request
                        )
                    address = await find_address(file_page.finder, step.follow or "")
            except DirectFileError:
                pass
        elif step.click:
            return await self._check_all(await self._click(request, self._clicking(step.click)), request)
        else:
            found: list[str] = []
            await self._clicks.press(request, self._finding(step.follow or "", found))
            address = found[0]
        names = {**request.link.names, "address": address.split("?")[0].rsplit("/", maxsplit=1)[-1]}
        link = request.link.model_copy(update={"address": address.split("#")[0], "names": names})
        return await self._receive(replace(request, link=link))

    async def _click_in_viewer(
        self, request: DownloadRequest, file_page: FilePage, selector: str
    ) -> Sequence[ReceivedFile | DownloadRefusedError]:
        async def act(_: Page) -> None:
            await file_page.click(selector)

        try:
            return await self._downloads.browser_downloader.download_from(file_page.finder.page, request, act)
        except NoFileError as error:
            self._check_pages(error)
            raise

    def _clicking(self, selector: str) -> GoOn:
        """Return the click on the element of a dialog that brings its file."""

        async def go_on(page: Page) -> None:
            with self._file_opener.finder(page) as finder:
                await click_file(finder, selector)

        return go_on

    def _finding(self, selector: str, found: list[str]) -> GoOn:
        """Return the search for the address in a dialog, which is added to ``found``."""

        async def go_on(page: Page) -> None:
            with self._file_opener.finder(page) as finder:
                found.append(await find_address(finder, selector))

        return go_on

    def _raise_if_foreign(self, address: str) -> None:
        if not self._pack.may_fetch(self._downloads.portal.base_url, address):
            msg = f"it is on another host, which the portal pack does not name: {address}"
            raise DownloadRefusedError(msg, is_retryable=False)

    async def _receive(self, request: DownloadRequest) -> Sequence[DownloadedFile | MissedFile]:
        if not request.link.address:
            return await self._check_all(await self._click(request), request)
        self._raise_if_foreign(request.link.address)
        downloader, validators = self._downloads.http_downloader, self._known.validators(request.link.address)
        try:
            received = await downloader.fetch(
                request.link.address, request.part, request.allowance, request.known_names, validators
            )
            return [self._known.unchanged(received) or await self._file_check.check(received, request)]
        except DownloadRefusedError as error:
            refusal = error
        base_url = self._downloads.portal.base_url
        # A browser adds every cookie that fits the host.
        if not (refusal.is_for_browser and self._pack.may_have_cookies(base_url, request.link.address)):
            raise refusal
        return await self._receive_by_browser(request, refusal)

    async def _receive_by_browser(
        self, request: DownloadRequest, refusal: DownloadRefusedError
    ) -> Sequence[DownloadedFile | MissedFile]:
        """Return a file that the HTTP client did not get: by a visit, or by a click if that brings a page instead."""
        try:
            return await self._check_all(await self._visit(request), request)
        except DownloadRefusedError as error:
            refusal.add_doubts(error)
            if str(refusal).startswith(str(error)) and not error.is_session_in_doubt:
                raise refusal from error  # a browser gets the same answer
            if isinstance(error, NoFileError) and not isinstance(refusal, UnexpectedPageError):
                raise refusal from error  # it has the status of the portal's answer
            if isinstance(error, WindowFloodError) or not isinstance(refusal, UnexpectedPageError):
                raise error from refusal
        if not refusal.is_for_click or not request.link.selector:
            raise refusal
        try:
            return await self._check_all(await self._click(request), request)
        except DownloadRefusedError as error:
            refusal.add_doubts(error)
            raise refusal from error

    async def _visit(self, request: DownloadRequest) -> Sequence[ReceivedFile | DownloadRefusedError]:
        try:
            return await self._downloads.browser_downloader.download_by_visit(request, self._page_url)
        except NoFileError as error:
            self._check_pages(error)
            raise

    async def _click(
        self, request: DownloadRequest, go_on: GoOn | None = None
    ) -> Sequence[ReceivedFile | DownloadRefusedError]:
        try:
            return await self._clicks.download(request, go_on)
        except NoFileError as error:
            self._check_pages(error)
            raise

    def _check_pages(self, error: NoFileError) -> None:
        """Raise if a page that came instead is a login page; one of another host may be a single sign-on."""
        base_url = self._downloads.portal.base_url
        for url in error.page_urls:
            raise_if_login_page(self._pack, base_url, url)
        error.is_session_in_doubt |= any(not self._pack.may_fetch(base_url, url) for url in error.page_urls)

    async def _check_all(
        self, received: Sequence[ReceivedFile | DownloadRefusedError], request: DownloadRequest
    ) -> list[DownloadedFile | MissedFile]:
        """Return each file of one request, checked or missed.

        Raises:
            DownloadRefusedError: All are missed; the first refusal.
        """
        checked: list[DownloadedFile | MissedFile] = []
        refusals: list[DownloadRefusedError] = []
        for number, file in enumerate(received):
            try:
                if isinstance(file, DownloadRefusedError):
                    raise file
                checked_file = await self._file_check.check(file, request, number, is_alone=len(received) == 1)
                was_refused = bool(request.link.address)  # the HTTP client has tried this address before
                repeatable = replace(file, can_ask_again=file.can_ask_again and not was_refused)
                checked.append(
                    await verify_complete(
                        checked_file, repeatable, self._downloads.http_downloader, self._downloads.sizes
                    )
                )
            except DownloadRefusedError as refusal:
                refusals.append(refusal)
                checked.append(self._missed(request.link, refusal))
        if len(refusals) == len(checked):
            raise refusals[0]
        return checked


@contextlib.asynccontextmanager
async def open_session_downloads(
    probe: PortalProbe, context: BrowserContext, user_agent: str, sizes: SizeLimits, browser: BrowserOptions
) -> AsyncGenerator[SessionDownloads]:
    """Open the downloaders of a session.

    Args:
        probe: The probe of the portal, which has its rules and options.
        context: The browser of the session.
        user_agent: The browser's User-Agent: some portals bind a session to it.
        sizes: The size limits of one file and of one order.
        browser: The proxy and the certificates of the browser.
    """
    async with open_http_downloader(probe.pack, probe.portal, context, user_agent, browser) as http_downloader:
        yield SessionDownloads(probe.pack, probe.portal, context, http_downloader, sizes)
