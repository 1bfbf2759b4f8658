"""The portal's door: whether it is open to us, and what stands in the way. Ways through it are in ``ladder``."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from app.domain.failures import Proof
from app.domain.options import PortalOptions
from app.portal.pack import Pack
from app.portal.triage import DEMANDS, Verdict
from app.worker.errors import PortalDownError, first_line
from app.worker.reading import read_page


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """The way into one portal, seen through a page that is no task's; holds no browser of its own."""

    pack: Pack
    portal: PortalOptions

    async def demand(self, page: Page) -> str | None:
        """What stands between us and the probe page; nothing when we are logged in.

        Raises:
            PortalDownError: The portal does not answer, or answers with something that is neither.
        """
        verdict = await self.visit(page, self.pack.site.probe)
        if verdict is Verdict.SESSION_LOST:
            return "it shows its login page"
        if verdict in DEMANDS:
            return f"the portal asks for {DEMANDS[verdict]}"
        if verdict in {Verdict.READY, Verdict.RENEWED}:
            return None
        page_name = self.pack.site.probe
        msg = f"The portal's page {page_name} is neither a login page nor the page that was expected ({verdict})."
        raise PortalDownError(msg)

    async def prove(self, page: Page) -> Proof:
        """Whether we are logged in, and have been all the while."""
        try:
            verdict = await self.visit(page, self.pack.site.probe)
            await page.goto("about:blank")
        except (PortalDownError, PlaywrightError):
            return Proof.UNCLEAR
        if verdict is Verdict.READY:
            return Proof.LOGGED_IN
        is_lost = verdict in DEMANDS or verdict is Verdict.RENEWED
        return Proof.LOGGED_OUT if is_lost else Proof.UNCLEAR

    async def visit(self, page: Page, path: str) -> Verdict:
        """Open a page of the portal and judge it.

        Raises:
            PortalDownError: The portal does not answer, or with a page that hangs.
        """
        limit_ms = self.pack.limits.page_s * 1000
        try:
            answer = await page.goto(self.portal.base_url + path, wait_until="commit", timeout=limit_ms)
            _, verdict = await read_page(page, self.pack, self.portal.base_url, answer)
        except TimeoutError as error:
            msg = f"The portal's page {path} hangs."
            raise PortalDownError(msg) from error
        except PlaywrightError as error:
            if page.is_closed():
                raise
            msg = f"The portal {self.portal.base_url} does not answer ({first_line(error)})."
            raise PortalDownError(msg) from error
        return verdict

    async def judge(self, page: Page) -> Verdict:
        """What the page is that stands open, wherever it came from.

        Raises:
            playwright.async_api.Error: The page crashed or was closed.
            TimeoutError: The page's main thread hangs.
        """
        _, verdict = await read_page(page, self.pack, self.portal.base_url, None)
        return verdict
