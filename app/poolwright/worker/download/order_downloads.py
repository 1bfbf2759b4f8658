"""Downloads the attachments of one order and checks each file.

A file is streamed with the session's own cookies where the page gives an address, and comes through the browser where
only that works. It counts only when it was checked: length as declared, content as its name says, no error, login or
waiting page in its place. What goes wrong with one file costs that file and no other. Where an answer is one that
somebody gets, too, who is logged out, the session is proved before the file is given up.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from pathlib import Path

import anyio
import anyio.to_thread
from playwright.async_api import BrowserContext, Page

from poolwright.domain.options import BrowserOptions, PortalOptions, SizeLimits
from poolwright.domain.tasks import MissedFile
from poolwright.files.content_type import SniffResult, sniff
from poolwright.files.soft_errors import SoftError
from poolwright.portal.pack import Pack
from poolwright.worker.download.browser_downloader import (
    BrowserDownloader,
    ClickDownloader,
    DownloadRequest,
    NoFileError,
    WindowFloodError,
    open_click_downloader,
)
from poolwright.worker.download.browser_file import verify_complete
from poolwright.worker.download.file_name import FileName, choose_file_name
from poolwright.worker.download.order_page_opener import OrderPageOpener, raise_if_login_page
from poolwright.worker.download.staged_files import DownloadedFile
from poolwright.worker.errors import PortalUnreachableError
from poolwright.worker.login.portal_probe import PortalProbe
from poolwright.worker.page.page_content import PageLink
from poolwright.worker.page.reachability import is_portal_unreachable
from poolwright.worker.transfer.content_disposition import NO_DISPOSITION
from poolwright.worker.transfer.download_limits import DownloadAllowance
from poolwright.worker.transfer.http_downloader import HttpDownloader, open_http_downloader
from poolwright.worker.transfer.received_file import DownloadRefusedError, ReceivedFile


class UnexpectedPageError(DownloadRefusedError):
    """A page of HTML came where a file was expected."""

    def __init__(self, problem: str, shape: SoftError | None) -> None:
        """Keep what can be done: most pages lead on to the file in a browser, and some only after a click."""
        super().__init__(
            problem, is_retryable=True, is_for_browser=True, is_session_in_doubt=shape in {None, SoftError.LOGIN}
        )
        self.is_for_click = shape in {None, SoftError.WAITING}


class SessionDownloads:
    """The ways to the files of one session."""

    def __init__(
        self, pack: Pack, portal: PortalOptions, context: BrowserContext, stream: HttpDownloader, sizes: SizeLimits
    ) -> None:
        """Made by ``open_downloads`` alone."""
        self.pack = pack
        self.portal = portal
        self.context = context
        self.http_downloader = stream
        self.browser_downloader = BrowserDownloader(pack, context, stream.check_origin)
        self.sizes = sizes

    @contextlib.asynccontextmanager
    async def for_order(self, page: Page, portal_number: str) -> AsyncGenerator[OrderDownloads]:
        """The ways to the files of one order.

        Args:
            page: The order's page, read.
            portal_number: The order.
        """
        order_page = OrderPageOpener(self.pack, self.portal, self.context, portal_number)
        async with open_click_downloader(self.browser_downloader, page, order_page.open) as clicks:
            yield OrderDownloads(self, page.url, order_page, clicks)


class OrderDownloads:
    """Fetches the files of one order, several at the same time."""

    def __init__(
        self, downloads: SessionDownloads, page_url: str, order_page: OrderPageOpener, clicks: ClickDownloader
    ) -> None:
        """Made by ``Downloads.of_order`` alone."""
        self._downloads = downloads
        self._pack = downloads.pack
        self._page_url = page_url
        self._order_page = order_page
        self._clicks = clicks
        self._allowance = DownloadAllowance(downloads.sizes)

    async def fetch(self, link: PageLink, part: Path) -> list[DownloadedFile | MissedFile]:
        """Bring what a link leads to, and check it: one file, or several where one click brings more.

        Raises:
            SessionLostError: The portal asks for a login.
            PortalBusyError: The portal wants to be asked later.
            PortalGoneError: It is not there any more.
            OSError: The disk is full or not writable.
        """
        wanted = DownloadRequest(link=link, part=part, allowance=self._allowance.for_folder(part.parent))
        try:
            return list(await self._receive(wanted))
        except DownloadRefusedError as refusal:
            await anyio.Path(part).unlink(missing_ok=True)  # what came of it takes no room from others
            await self._raise_if_lost(refusal)
            return [self._missed(link, refusal)]

    def _missed(self, link: PageLink, refusal: DownloadRefusedError) -> MissedFile:
        label = choose_file_name(self._pack.attachments.names, link.names, NO_DISPOSITION, (link.address,)).label
        return MissedFile(label=label, source_url=link.address, problem=str(refusal), is_retryable=refusal.is_retryable)

    async def _raise_if_lost(self, refusal: DownloadRefusedError) -> None:
        """Ask at once whose fault it is when a file could not be had: a little later the portal may be back.

        Raises:
            SessionLostError: We are logged out.
            PortalGoneError: Nobody answers at the portal's address.
        """
        if refusal.is_session_in_doubt:
            await self._order_page.verify_shown()
        base_url = self._downloads.portal.base_url
        if refusal.is_retryable and await is_portal_unreachable(self._downloads.context, base_url):
            raise PortalUnreachableError(str(refusal)) from refusal

    async def _receive(self, wanted: DownloadRequest) -> Sequence[DownloadedFile | MissedFile]:
        if not wanted.link.address:
            return await self._checked(await self._click(wanted), wanted)
        if not self._pack.may_fetch(self._downloads.portal.base_url, wanted.link.address):
            msg = f"it lies on another host, which the portal pack does not name: {wanted.link.address}"
            raise DownloadRefusedError(msg, is_retryable=False)
        stream = self._downloads.http_downloader
        try:
            received = await stream.fetch(wanted.link.address, wanted.part, wanted.allowance, wanted.known_names)
            return [await self._check(received, wanted, 0)]
        except DownloadRefusedError as error:
            refusal = error
        if not refusal.is_for_browser:
            raise refusal
        return await self._by_browser(wanted, refusal)

    async def _by_browser(
        self, wanted: DownloadRequest, refusal: DownloadRefusedError
    ) -> Sequence[DownloadedFile | MissedFile]:
        """What the stream was refused, by a visit, and where a page stands in between, by a click on the link."""
        try:
            return await self._checked(await self._visit(wanted), wanted)
        except DownloadRefusedError as error:
            refusal.is_session_in_doubt |= error.is_session_in_doubt
            if isinstance(error, WindowFloodError) or not isinstance(refusal, UnexpectedPageError):
                raise error from refusal
        if not refusal.is_for_click:
            raise refusal
        try:
            return await self._checked(await self._click(wanted), wanted)
        except DownloadRefusedError as error:
            refusal.is_session_in_doubt |= error.is_session_in_doubt
            raise refusal from error

    async def _visit(self, wanted: DownloadRequest) -> Sequence[ReceivedFile | DownloadRefusedError]:
        try:
            return await self._downloads.browser_downloader.download_by_visit(wanted, self._page_url)
        except NoFileError as error:
            self._check_pages(error)
            raise

    async def _click(self, wanted: DownloadRequest) -> Sequence[ReceivedFile | DownloadRefusedError]:
        try:
            return await self._clicks.download(wanted)
        except NoFileError as error:
            self._check_pages(error)
            raise

    def _check_pages(self, error: NoFileError) -> None:
        """See where the pages are that came instead: one of another host may be that of single sign-on."""
        base_url = self._downloads.portal.base_url
        for place in error.page_urls:
            raise_if_login_page(self._pack, base_url, place)
        error.is_session_in_doubt |= any(not self._pack.may_fetch(base_url, place) for place in error.page_urls)

    async def _checked(
        self, found: Sequence[ReceivedFile | DownloadRefusedError], wanted: DownloadRequest
    ) -> list[DownloadedFile | MissedFile]:
        """What is good of all that came at once.

        Raises:
            RefusedError: Nothing is, and this is why.
        """
        checked: list[DownloadedFile | MissedFile] = []
        refusals: list[DownloadRefusedError] = []
        for number, one in enumerate(found):
            try:
                if isinstance(one, DownloadRefusedError):
                    raise one
                arrived = await self._check(one, wanted, number)
                asked_before = bool(wanted.link.address)  # and refused
                told = replace(one, can_ask_again=one.can_ask_again and not asked_before)
                checked.append(
                    await verify_complete(arrived, told, self._downloads.http_downloader, self._downloads.sizes)
                )
            except DownloadRefusedError as refusal:
                refusals.append(refusal)
                checked.append(self._missed(wanted.link, refusal))
        if len(refusals) == len(checked):
            raise refusals[0]
        return checked

    async def _check(self, received: ReceivedFile, wanted: DownloadRequest, number: int) -> DownloadedFile:
        """What the file truly is.

        Raises:
            RefusedError: It is not what it is called, or not whole.
            SessionLostError: It is the login page.
        """
        called = self._name(received, wanted.link, number)
        try:
            finding = await anyio.to_thread.run_sync(_inspected, received, called)
            await self._judge(finding, received)
            wanted.allowance.consume(finding.size_bytes)
            sha256 = await anyio.to_thread.run_sync(_fingerprint, received.path)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await anyio.Path(received.path).unlink(missing_ok=True)
            raise
        return DownloadedFile(
            path=received.path,
            label=called.label,
            size_bytes=finding.size_bytes,
            sha256=sha256,
            media_type=finding.media_type,
            source_url=received.source_url,
            name=called.name,
            is_name_given=called.is_given,
            is_page=finding.is_page,
            is_text=finding.is_text,
            shows_end=finding.shows_end,
            notes=finding.notes,
        )

    async def _judge(self, finding: SniffResult, received: ReceivedFile) -> None:
        if finding.is_page:
            raise_if_login_page(self._pack, self._downloads.portal.base_url, received.final_url)
        if finding.shape is SoftError.LOGIN:
            await self._order_page.verify_shown()
        if finding.problems:
            problem = " ".join(finding.problems)
            if finding.is_page:
                raise UnexpectedPageError(problem, finding.shape)
            raise DownloadRefusedError(problem, is_retryable=True)

    def _name(self, received: ReceivedFile, link: PageLink, number: int) -> FileName:
        """Its name; what stands beside a link names the first file of it alone."""
        page = link.names if number == 0 else {}
        addresses = (link.address, received.final_url)
        return choose_file_name(self._pack.attachments.names, page, received.disposition, addresses)


def _inspected(received: ReceivedFile, called: FileName) -> SniffResult:
    return sniff(
        received.path,
        called.label,
        received.declared_type,
        declared_size_bytes=received.declared_bytes,
        is_vouched=received.disposition.is_attachment,
    )


def _fingerprint(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.asynccontextmanager
async def open_session_downloads(
    door: PortalProbe, context: BrowserContext, user_agent: str, sizes: SizeLimits, browser: BrowserOptions
) -> AsyncGenerator[SessionDownloads]:
    """Open the ways to the files of a session.

    Args:
        door: The portal, and its rules.
        context: Its browser.
        user_agent: The browser's own: some portals bind a session to it.
        sizes: How much one file and one order may be.
        browser: By which proxy it goes, and what it is told of certificates.
    """
    async with open_http_downloader(door.pack, door.portal, context, user_agent, browser) as stream:
        yield SessionDownloads(door.pack, door.portal, context, stream, sizes)
