"""The page of an order, opened once more: to click on it, or to see whether we are still logged in."""

from __future__ import annotations

import anyio
from playwright.async_api import BrowserContext, Page
from playwright.async_api import Error as PlaywrightError

from poolwright.domain.options import PortalOptions
from poolwright.portal.pack import Pack
from poolwright.portal.triage import DEMANDS, Verdict
from poolwright.sdk.protocol import SessionLostError
from poolwright.worker.dialogs import answer_dialogs
from poolwright.worker.errors import first_line, stop_if_closed
from poolwright.worker.received import RefusedError
from poolwright.worker.trail import discard_strays, quietly
from poolwright.worker.visit import visit


class OrderPage:
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
            _stop_unless_shown(await self._visit(page))
        except BaseException:
            with anyio.CancelScope(shield=True):
                await quietly(page.close)
            raise
        return page

    async def prove(self) -> None:
        """See once whether the portal still shows the order; what it does not tell is no proof of a loss.

        Raises:
            SessionLostError: It asks for a login instead, or no longer knows of the order that it showed a moment ago.
        """
        async with self._proving:
            if self._is_proved:
                return
            page = await self._context.new_page()
            try:
                _stop_if_withdrawn(await self._visit(page))
                self._is_proved = True
            except RefusedError:
                return
            finally:
                with anyio.CancelScope(shield=True):
                    await quietly(page.close)

    async def _visit(self, page: Page) -> Verdict:
        answer_dialogs(page, self._pack.attachments.dialogs)
        discard_strays(page)
        address = self._pack.order_url(self._portal.base_url, self._portal_number)
        try:
            found = await visit(page, self._pack, self._portal.base_url, address, portal_number=self._portal_number)
        except (PlaywrightError, TimeoutError) as error:
            stop_if_closed(error)
            msg = f"the order's page could not be opened again ({first_line(error)})"
            raise RefusedError(msg, is_retryable=True) from error
        if found.verdict in DEMANDS:
            msg = f"the portal asks for {DEMANDS[found.verdict]} at {found.reading.url}"
            raise SessionLostError(msg)
        return found.verdict


def _stop_unless_shown(verdict: Verdict) -> None:
    if verdict not in {Verdict.READY, Verdict.RENEWED}:
        msg = f"the order's page could not be opened again ({verdict.value})"
        raise RefusedError(msg, is_retryable=True)


def _stop_if_withdrawn(verdict: Verdict) -> None:
    """To somebody who is logged out, many portals say only that there is nothing to see."""
    if verdict in {Verdict.FORBIDDEN, Verdict.NOT_FOUND}:
        msg = f"the portal no longer shows the order that it showed a moment ago ({verdict.value})"
        raise SessionLostError(msg)
