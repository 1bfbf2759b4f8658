"""Brings the attachments of one order to disk and checks each.

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
from poolwright.worker.allowance import Allowance
from poolwright.worker.browser_lane import BrowserLane, FloodError, NoFileError, Wanted
from poolwright.worker.clicks import Clicks, open_clicks
from poolwright.worker.disposition import NOTHING_SAID
from poolwright.worker.errors import PortalGoneError
from poolwright.worker.file_name import FileName, name_file
from poolwright.worker.file_stream import FileStream, open_file_stream
from poolwright.worker.login import Door
from poolwright.worker.login_place import stop_at_login
from poolwright.worker.order_page import OrderPage
from poolwright.worker.presence import is_portal_gone
from poolwright.worker.reading import PageLink
from poolwright.worker.received import Received, RefusedError
from poolwright.worker.staged import Arrived
from poolwright.worker.wholeness import proved_whole


class PageInsteadError(RefusedError):
    """A page of HTML came where a file was expected."""

    def __init__(self, problem: str, shape: SoftError | None) -> None:
        """Keep what can be done: most pages lead on to the file in a browser, and some only after a click."""
        super().__init__(
            problem, is_retryable=True, is_for_browser=True, is_session_in_doubt=shape in {None, SoftError.LOGIN}
        )
        self.is_for_click = shape in {None, SoftError.WAITING}


class Downloads:
    """The ways to the files of one session."""

    def __init__(
        self, pack: Pack, portal: PortalOptions, context: BrowserContext, stream: FileStream, sizes: SizeLimits
    ) -> None:
        """Made by ``open_downloads`` alone."""
        self.pack = pack
        self.portal = portal
        self.context = context
        self.stream = stream
        self.lane = BrowserLane(pack, context, stream.check_place)
        self.sizes = sizes

    @contextlib.asynccontextmanager
    async def of_order(self, page: Page, portal_number: str) -> AsyncGenerator[OrderDownloads]:
        """The ways to the files of one order.

        Args:
            page: The order's page, read.
            portal_number: The order.
        """
        order_page = OrderPage(self.pack, self.portal, self.context, portal_number)
        async with open_clicks(self.lane, page, order_page.open) as clicks:
            yield OrderDownloads(self, page.url, order_page, clicks)


class OrderDownloads:
    """Fetches the files of one order, several at the same time."""

    def __init__(self, downloads: Downloads, page_url: str, order_page: OrderPage, clicks: Clicks) -> None:
        """Made by ``Downloads.of_order`` alone."""
        self._downloads = downloads
        self._pack = downloads.pack
        self._page_url = page_url
        self._order_page = order_page
        self._clicks = clicks
        self._allowance = Allowance(downloads.sizes)

    async def fetch(self, link: PageLink, part: Path) -> list[Arrived | MissedFile]:
        """Bring what a link leads to, and check it: one file, or several where one click brings more.

        Raises:
            SessionLostError: The portal asks for a login.
            PortalBusyError: The portal wants to be asked later.
            PortalGoneError: It is not there any more.
            OSError: The disk is full or not writable.
        """
        wanted = Wanted(link=link, part=part, allowance=self._allowance.on(part.parent))
        try:
            return list(await self._receive(wanted))
        except RefusedError as refusal:
            await anyio.Path(part).unlink(missing_ok=True)  # what came of it takes no room from others
            await self._stop_if_lost(refusal)
            return [self._missed(link, refusal)]

    def _missed(self, link: PageLink, refusal: RefusedError) -> MissedFile:
        label = name_file(self._pack.attachments.names, link.names, NOTHING_SAID, (link.address,)).label
        return MissedFile(label=label, source_url=link.address, problem=str(refusal), is_retryable=refusal.is_retryable)

    async def _stop_if_lost(self, refusal: RefusedError) -> None:
        """Ask at once whose fault it is when a file could not be had: a little later the portal may be back.

        Raises:
            SessionLostError: We are logged out.
            PortalGoneError: Nobody answers at the portal's address.
        """
        if refusal.is_session_in_doubt:
            await self._order_page.prove()
        base_url = self._downloads.portal.base_url
        if refusal.is_retryable and await is_portal_gone(self._downloads.context, base_url):
            raise PortalGoneError(str(refusal)) from refusal

    async def _receive(self, wanted: Wanted) -> Sequence[Arrived | MissedFile]:
        if not wanted.link.address:
            return await self._checked(await self._click(wanted), wanted)
        if not self._pack.may_fetch(self._downloads.portal.base_url, wanted.link.address):
            msg = f"it lies on another host, which the portal pack does not name: {wanted.link.address}"
            raise RefusedError(msg, is_retryable=False)
        stream = self._downloads.stream
        try:
            received = await stream.fetch(wanted.link.address, wanted.part, wanted.allowance, wanted.known)
            return [await self._check(received, wanted, 0)]
        except RefusedError as error:
            refusal = error
        if not refusal.is_for_browser:
            raise refusal
        return await self._by_browser(wanted, refusal)

    async def _by_browser(self, wanted: Wanted, refusal: RefusedError) -> Sequence[Arrived | MissedFile]:
        """What the stream was refused, by a visit, and where a page stands in between, by a click on the link."""
        try:
            return await self._checked(await self._visit(wanted), wanted)
        except RefusedError as error:
            refusal.is_session_in_doubt |= error.is_session_in_doubt
            if isinstance(error, FloodError) or not isinstance(refusal, PageInsteadError):
                raise error from refusal
        if not refusal.is_for_click:
            raise refusal
        try:
            return await self._checked(await self._click(wanted), wanted)
        except RefusedError as error:
            refusal.is_session_in_doubt |= error.is_session_in_doubt
            raise refusal from error

    async def _visit(self, wanted: Wanted) -> Sequence[Received | RefusedError]:
        try:
            return await self._downloads.lane.visit(wanted, self._page_url)
        except NoFileError as error:
            self._look_at(error)
            raise

    async def _click(self, wanted: Wanted) -> Sequence[Received | RefusedError]:
        try:
            return await self._clicks.click(wanted)
        except NoFileError as error:
            self._look_at(error)
            raise

    def _look_at(self, error: NoFileError) -> None:
        """See where the pages are that came instead: one of another host may be that of single sign-on."""
        base_url = self._downloads.portal.base_url
        for place in error.places:
            stop_at_login(self._pack, base_url, place)
        error.is_session_in_doubt |= any(not self._pack.may_fetch(base_url, place) for place in error.places)

    async def _checked(self, found: Sequence[Received | RefusedError], wanted: Wanted) -> list[Arrived | MissedFile]:
        """What is good of all that came at once.

        Raises:
            RefusedError: Nothing is, and this is why.
        """
        checked: list[Arrived | MissedFile] = []
        refusals: list[RefusedError] = []
        for number, one in enumerate(found):
            try:
                if isinstance(one, RefusedError):
                    raise one
                arrived = await self._check(one, wanted, number)
                asked_before = bool(wanted.link.address)  # and refused
                told = replace(one, can_ask_again=one.can_ask_again and not asked_before)
                checked.append(await proved_whole(arrived, told, self._downloads.stream, self._downloads.sizes))
            except RefusedError as refusal:
                refusals.append(refusal)
                checked.append(self._missed(wanted.link, refusal))
        if len(refusals) == len(checked):
            raise refusals[0]
        return checked

    async def _check(self, received: Received, wanted: Wanted, number: int) -> Arrived:
        """What the file truly is.

        Raises:
            RefusedError: It is not what it is called, or not whole.
            SessionLostError: It is the login page.
        """
        called = self._name(received, wanted.link, number)
        try:
            finding = await anyio.to_thread.run_sync(_inspected, received, called)
            await self._judge(finding, received)
            wanted.allowance.use(finding.size_bytes)
            sha256 = await anyio.to_thread.run_sync(_fingerprint, received.path)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await anyio.Path(received.path).unlink(missing_ok=True)
            raise
        return Arrived(
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

    async def _judge(self, finding: SniffResult, received: Received) -> None:
        if finding.is_page:
            stop_at_login(self._pack, self._downloads.portal.base_url, received.final_url)
        if finding.shape is SoftError.LOGIN:
            await self._order_page.prove()
        if finding.problems:
            problem = " ".join(finding.problems)
            if finding.is_page:
                raise PageInsteadError(problem, finding.shape)
            raise RefusedError(problem, is_retryable=True)

    def _name(self, received: Received, link: PageLink, number: int) -> FileName:
        """Its name; what stands beside a link names the first file of it alone."""
        page = link.names if number == 0 else {}
        addresses = (link.address, received.final_url)
        return name_file(self._pack.attachments.names, page, received.disposition, addresses)


def _inspected(received: Received, called: FileName) -> SniffResult:
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
async def open_downloads(
    door: Door, context: BrowserContext, user_agent: str, sizes: SizeLimits, browser: BrowserOptions
) -> AsyncGenerator[Downloads]:
    """Open the ways to the files of a session.

    Args:
        door: The portal, and its rules.
        context: Its browser.
        user_agent: The browser's own: some portals bind a session to it.
        sizes: How much one file and one order may be.
        browser: By which proxy it goes, and what it is told of certificates.
    """
    async with open_file_stream(door.pack, door.portal, context, user_agent, browser) as stream:
        yield Downloads(door.pack, door.portal, context, stream, sizes)
