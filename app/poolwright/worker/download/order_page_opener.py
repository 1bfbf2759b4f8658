"""Opens the page of an order again: to click on it, or to verify that the session is still logged in."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator

import anyio
from playwright.async_api import BrowserContext, Page
from playwright.async_api import Error as PlaywrightError

from poolwright.domain.options import PortalOptions
from poolwright.portal.pack import Pack
from poolwright.portal.page_facts import address_matches
from poolwright.portal.triage import DEMANDS, Verdict
from poolwright.sdk.protocol import SessionLostError
from poolwright.worker.errors import first_line, raise_if_closed
from poolwright.worker.page.page_activity import discard_unfollowed, ignore_failure
from poolwright.worker.page.popups import answer_dialogs
from poolwright.worker.page.request_guard import RequestGuard, guard_requests
from poolwright.worker.page.visit import visit
from poolwright.worker.transfer.received_file import DownloadRefusedError


def raise_if_login_page(pack: Pack, base_url: str, url: str) -> None:
    """Raise if a page that came instead of a file is a login page, judged by its address.

    Not for files: the address of a file may contain any words.

    Raises:
        SessionLostError: It is the portal's page for a login, or for a second factor.
    """
    if not pack.may_fetch(base_url, url):
        return  # an address of another host (storage) may contain the words of the file
    triage = pack.triage
    for marks, page in ((triage.session_lost, "login page"), (triage.second_factor, "page for a second factor")):
        if address_matches(marks, url, has_routes=pack.is_hash_routed):
            msg = f"the portal redirected to its {page} instead of sending a file"
            raise SessionLostError(msg)


class OrderPageOpener:
    """Opens the page of one order, as often as needed."""

    def __init__(self, pack: Pack, portal: PortalOptions, context: BrowserContext, portal_number: str) -> None:
        """Prepare the opener; it opens no page yet."""
        self._pack = pack
        self._portal = portal
        self._context = context
        self._portal_number = portal_number
        self._lock = anyio.Lock()
        self._is_verified = False

    @contextlib.asynccontextmanager
    async def opened(self, list_page: int = 1) -> AsyncGenerator[Page]:
        """Open the order's page for the block, at one page of its list, in a new tab whose elements may be clicked.

        Raises:
            SessionLostError: We are logged out.
            DownloadRefusedError: It cannot be opened.
        """
        page = await self._context.new_page()
        try:
            async with guard_requests(page, self._pack, self._portal.base_url) as guard:
                _raise_unless_shown(await self._visit(page, guard, list_page))
                guard.is_clicking = True
                yield page
        except PlaywrightError as error:
            raise_if_closed(error)
            raise _not_opened(first_line(error)) from error
        finally:
            with anyio.CancelScope(shield=True):
                await ignore_failure(page.close)

    async def verify_shown(self, *, is_again: bool = False) -> None:
        """Verify once that the portal still shows the order; a page that cannot be opened proves no lost login.

        Args:
            is_again: Whether it is verified although it was before, because the portal asks for a login.

        Raises:
            SessionLostError: It asks for a login, or no longer shows the order that it showed a moment ago.
        """
        async with self._lock:
            if self._is_verified and not is_again:
                return
            page = await self._context.new_page()
            try:
                async with guard_requests(page, self._pack, self._portal.base_url) as guard:
                    _raise_if_withdrawn(await self._visit(page, guard, 1))
                self._is_verified = True
            except DownloadRefusedError:
                return
            finally:
                with anyio.CancelScope(shield=True):
                    await ignore_failure(page.close)

    async def _visit(self, page: Page, guard: RequestGuard, list_page: int) -> Verdict:
        answer_dialogs(page, self._pack.attachments.dialogs)
        discard_unfollowed(page)
        address = self._pack.order_url(self._portal.base_url, self._portal_number)
        try:
            page_visit = await visit(
                page,
                self._pack,
                self._portal.base_url,
                address,
                portal_number=self._portal_number,
                guard=guard,
                list_page=list_page,
            )
        except (PlaywrightError, TimeoutError) as error:
            raise_if_closed(error)
            raise _not_opened(first_line(error)) from error
        if page_visit.verdict in DEMANDS:
            msg = f"the portal asks for {DEMANDS[page_visit.verdict]} at {page_visit.reading.url}"
            raise SessionLostError(msg)
        rules = self._pack.attachments
        if page_visit.doubt and (rules.open or rules.next):
            raise _not_opened(page_visit.doubt.removesuffix("."))
        return page_visit.verdict


def _not_opened(cause: str) -> DownloadRefusedError:
    return DownloadRefusedError(f"the order's page could not be opened again ({cause})", is_retryable=True)


def _raise_unless_shown(verdict: Verdict) -> None:
    if verdict not in {Verdict.READY, Verdict.RENEWED}:
        raise _not_opened(verdict.value)


def _raise_if_withdrawn(verdict: Verdict) -> None:
    """Raise for "forbidden" and "not found", which many portals also answer to a user who is logged out."""
    if verdict in {Verdict.FORBIDDEN, Verdict.NOT_FOUND}:
        msg = f"the portal no longer shows the order that it showed a moment ago ({verdict.value})"
        raise SessionLostError(msg)
