"""The portal probe: asks the portal whether the session is logged in, and which login step is missing."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page
from playwright.async_api import TimeoutError as PlaywrightTimeoutError

from poolwright.domain.options import PortalOptions
from poolwright.domain.outcomes import LoginCheck
from poolwright.portal.pack import Pack
from poolwright.portal.triage import DEMANDS, Verdict
from poolwright.worker.errors import PortalDownError, is_no_answer
from poolwright.worker.page import reachability
from poolwright.worker.page.page_reader import PageReader
from poolwright.worker.page.traffic import detect_certificate_prompt, watch_traffic
from poolwright.worker.page.visit import Visit, visit


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalProbe:
    """Checks the login of one portal in a page that belongs to no task; owns no browser."""

    pack: Pack
    portal: PortalOptions

    async def required_login_step(self, page: Page) -> str | None:
        """Return what the portal asks for before it shows the probe page; ``None`` if we are logged in.

        Raises:
            PortalDownError: The portal does not answer, or answers with something that is neither.
            playwright.async_api.Error: The page was closed, or crashed.
        """
        found = await self._open_probe_page(page)
        if found.verdict is Verdict.SESSION_LOST:
            return f"its login page cannot be opened{self._explain(found)}" if found.problem else "it shows its login page"
        if found.verdict in DEMANDS:
            return f"the portal asks for {DEMANDS[found.verdict]}"
        if found.verdict in {Verdict.READY, Verdict.RENEWED}:
            return None
        what = "cannot be opened" if found.problem else "is neither a login page nor the page that was expected"
        raise PortalDownError(f"The portal's page {self.pack.site.probe} {what}{self._explain(found)}.")

    async def verify_login(self, page: Page) -> LoginCheck:
        """Verify that we are logged in and have been since the last check.

        Raises:
            playwright.async_api.Error: The page was closed, or crashed.
        """
        try:
            verdict = (await self._open_probe_page(page)).verdict
            await page.goto("about:blank")
        except PortalDownError:
            return LoginCheck.UNCLEAR
        if verdict is Verdict.READY:
            return LoginCheck.LOGGED_IN
        is_lost = verdict in DEMANDS or verdict is Verdict.RENEWED
        return LoginCheck.LOGGED_OUT if is_lost else LoginCheck.UNCLEAR

    async def goto(self, page: Page, path: str) -> str | None:
        """Open a page of the portal, and wait where it goes on by itself; tells why no page came, where none did.

        Raises:
            PortalDownError: The portal does not answer, or with a page that hangs.
            playwright.async_api.Error: The page was closed, or crashed.
        """
        found = await self._visit(page, path, is_any_page=True)
        return f"its page {path} cannot be opened{self._explain(found)}" if found.problem else None

    async def _open_probe_page(self, page: Page) -> Visit:
        """Open the page that only a logged-in user sees, and wait until it is that page or one that the pack knows."""
        return await self._visit(page, self.pack.site.probe, is_any_page=False)

    async def _visit(self, page: Page, path: str, *, is_any_page: bool) -> Visit:
        try:
            address = self.portal.base_url + path
            return await visit(page, self.pack, self.portal.base_url, address, is_any_page=is_any_page)
        except (TimeoutError, PlaywrightTimeoutError) as error:
            msg = f"The portal's page {path} did not come within {self.pack.limits.page_s:g} s."
            raise PortalDownError(msg) from error
        except PlaywrightError as error:
            if not is_no_answer(error.message):
                raise
            raise PortalDownError(reachability.describe_failure(self.portal.base_url, error)) from error

    async def classify(self, page: Page) -> Verdict:
        """What the page is that stands open, wherever it came from.

        Raises:
            playwright.async_api.Error: The page crashed or was closed.
            TimeoutError: The page's main thread hangs.
        """
        with watch_traffic(page) as traffic:
            async with detect_certificate_prompt(page, traffic):
                return (
                    await PageReader(page, traffic, self.pack, self.portal.base_url, is_any_page=True).read()
                ).verdict

    def _explain(self, found: Visit) -> str:
        """What came in the place of a page that was wanted, and what can be done, to stand behind it."""
        status = f"status {found.status}" if found.status >= HTTPStatus.BAD_REQUEST else ""
        said = ", ".join(part for part in (found.problem or found.verdict.value, status) if part)
        step = reachability.remedy(found.problem, self.portal.base_url, found.reading.url)
        step = step or reachability.remedy_for_status(found.status)
        return f" ({said})" + (f": {step}" if step else "")
