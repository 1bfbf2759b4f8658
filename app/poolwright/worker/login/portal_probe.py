"""The portal probe: opens the probe page to check whether the session is logged in."""

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
from poolwright.worker.errors import PortalDownError, is_no_answer, raise_if_closed
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
        """Return the reason why the portal does not show the probe page; ``None`` if we are logged in.

        Raises:
            PortalDownError: The portal does not answer, or shows neither the probe page nor a login page.
            playwright.async_api.Error: The page was closed, or crashed.
        """
        page_visit = await self._open_probe_page(page)
        if page_visit.verdict is Verdict.SESSION_LOST:
            login = self.pack.login
            if page_visit.challenge:
                return reachability.remedy_for_challenge(page_visit.challenge, is_login=login.http is not None)
            if login.header is not None:
                return (
                    f"it asks for a login: it got no header {login.header.name} or rejected its token; check "
                    "login_token (POOLWRIGHT_LOGIN_TOKEN)"
                )
            if page_visit.problem:
                return f"its login page cannot be opened{self._explain(page_visit)}"
            return "it shows its login page"
        if page_visit.verdict in DEMANDS:
            return f"the portal asks for {DEMANDS[page_visit.verdict]}"
        if page_visit.verdict in {Verdict.READY, Verdict.RENEWED}:
            return None
        problem = "cannot be opened" if page_visit.problem else "is neither a login page nor the expected page"
        raise PortalDownError(f"The portal's page {self.pack.site.probe} {problem}{self._explain(page_visit)}.")

    async def verify_login(self, page: Page) -> LoginCheck:
        """Verify that we are logged in and have been since the last check.

        Raises:
            playwright.async_api.Error: The page was closed, or crashed.
        """
        try:
            verdict = (await self._open_probe_page(page)).verdict
        except PortalDownError:
            return LoginCheck.UNCLEAR
        try:
            await page.goto("about:blank")
        except PlaywrightError as error:
            raise_if_closed(error)  # the browser's own page about the refusal may come in between
        if verdict is Verdict.READY:
            return LoginCheck.LOGGED_IN
        is_lost = verdict in DEMANDS or verdict is Verdict.RENEWED
        return LoginCheck.LOGGED_OUT if is_lost else LoginCheck.UNCLEAR

    async def goto(self, page: Page, path: str) -> str | None:
        """Open a page of the portal and follow its redirects; return the reason if no page came, else ``None``.

        Raises:
            PortalDownError: The portal does not answer, or its page hangs.
            playwright.async_api.Error: The page was closed, or crashed.
        """
        page_visit = await self._visit(page, path, is_any_page=True)
        return f"its page {path} cannot be opened{self._explain(page_visit)}" if page_visit.problem else None

    async def _open_probe_page(self, page: Page) -> Visit:
        """Open the probe page, and wait for it or for another page that matches a rule of the pack."""
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
        """Return the verdict on the page that is open, whoever opened it.

        Raises:
            playwright.async_api.Error: The page crashed or was closed.
            TimeoutError: The page's main thread hangs.
        """
        with watch_traffic(page) as traffic:
            async with detect_certificate_prompt(page, traffic):
                return (
                    await PageReader(page, traffic, self.pack, self.portal.base_url, is_any_page=True).read()
                ).verdict

    def _explain(self, page_visit: Visit) -> str:
        """Return the cause in brackets, and the next step if one is known, as the end of a sentence."""
        status = f"status {page_visit.status}" if page_visit.status >= HTTPStatus.BAD_REQUEST else ""
        cause = ", ".join(part for part in (page_visit.problem or page_visit.verdict.value, status) if part)
        step = reachability.remedy(page_visit.problem, self.portal.base_url, page_visit.reading.url)
        step = step or reachability.remedy_for_status(page_visit.status)
        return f" ({cause})" + (f": {step}" if step else "")
