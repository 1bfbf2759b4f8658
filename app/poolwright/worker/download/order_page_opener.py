"""Opens the page of an order once more: to click on it, or to verify that the session is still logged in."""

from __future__ import annotations

import anyio
from playwright.async_api import BrowserContext, Page
from playwright.async_api import Error as PlaywrightError

from poolwright.domain.options import PortalOptions
from poolwright.portal.pack import Pack
from poolwright.portal.triage import DEMANDS, Verdict, address_matches
from poolwright.sdk.protocol import SessionLostError
from poolwright.worker.errors import first_line, raise_if_closed
from poolwright.worker.page.page_activity import discard_unfollowed, ignore_failure
from poolwright.worker.page.popups import answer_dialogs
from poolwright.worker.page.visit import visit
from poolwright.worker.transfer.received_file import DownloadRefusedError


def raise_if_login_page(pack: Pack, base_url: str, url: str) -> None:
    """Look where a page is that is no file. A file may be called as it likes, so no file's address is judged here.

    Raises:
        SessionLostError: It is the portal's page for a login, or for a second factor.
    """
    if not pack.may_fetch(base_url, url):
        return  # the words of an address of storage are those of the file
    triage = pack.triage
    for marks, page in ((triage.session_lost, "login page"), (triage.second_factor, "page for a second factor")):
        if marks is not None and address_matches(marks, url):
            msg = f"the portal sent us to its {page} instead of a file"
            raise SessionLostError(msg)


class OrderPageOpener:
    """Opens one order's page again and again."""

    def __init__(self, pack: Pack, portal: PortalOptions, context: BrowserContext, portal_number: str) -> None:
        """Nothing is opened yet."""
        self._pack = pack
        self._portal = portal
        self._context = context
        self._portal_number = portal_number
        self._proving = anyio.Lock()
        self._is_proved = False

    async def open(self) -> Page:
        """The page with its list, in a page of its own that the caller closes.

        Raises:
            SessionLostError: We are logged out.
            RefusedError: It cannot be had.
        """
        page = await self._context.new_page()
        try:
            _raise_unless_shown(await self._visit(page))
        except BaseException:
            with anyio.CancelScope(shield=True):
                await ignore_failure(page.close)
            raise
        return page

    async def verify_shown(self) -> None:
        """See once whether the portal still shows the order; what it does not tell is no proof of a loss.

        Raises:
            SessionLostError: It asks for a login instead, or no longer knows of the order that it showed a moment ago.
        """
        async with self._proving:
            if self._is_proved:
                return
            page = await self._context.new_page()
            try:
                _raise_if_withdrawn(await self._visit(page))
                self._is_proved = True
            except DownloadRefusedError:
                return
            finally:
                with anyio.CancelScope(shield=True):
                    await ignore_failure(page.close)

    async def _visit(self, page: Page) -> Verdict:
        answer_dialogs(page, self._pack.attachments.dialogs)
        discard_unfollowed(page)
        address = self._pack.order_url(self._portal.base_url, self._portal_number)
        try:
            found = await visit(page, self._pack, self._portal.base_url, address, portal_number=self._portal_number)
        except (PlaywrightError, TimeoutError) as error:
            raise_if_closed(error)
            msg = f"the order's page could not be opened again ({first_line(error)})"
            raise DownloadRefusedError(msg, is_retryable=True) from error
        if found.verdict in DEMANDS:
            msg = f"the portal asks for {DEMANDS[found.verdict]} at {found.reading.url}"
            raise SessionLostError(msg)
        return found.verdict


def _raise_unless_shown(verdict: Verdict) -> None:
    if verdict not in {Verdict.READY, Verdict.RENEWED}:
        msg = f"the order's page could not be opened again ({verdict.value})"
        raise DownloadRefusedError(msg, is_retryable=True)


def _raise_if_withdrawn(verdict: Verdict) -> None:
    """To somebody who is logged out, many portals say only that there is nothing to see."""
    if verdict in {Verdict.FORBIDDEN, Verdict.NOT_FOUND}:
        msg = f"the portal no longer shows the order that it showed a moment ago ({verdict.value})"
        raise SessionLostError(msg)
