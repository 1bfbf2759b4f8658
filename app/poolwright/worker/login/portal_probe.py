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
from poolwright.worker.errors import PortalDownError, ProbeUnclearError, is_no_answer, raise_if_closed
from poolwright.worker.page import reachability
from poolwright.worker.page.page_answers import has_dialog_marks
from poolwright.worker.page.page_reader import PageReader
from poolwright.worker.page.traffic import detect_certificate_prompt, watch_traffic
from poolwright.worker.page.visit import Visit, visit

#: A probe page that was shown before, and matches no mark so often in a row, is the page of a user who is logged out.
UNKNOWN_COUNT_MAX = 3
#: A user who is logged in sees the probe page; some portals refuse or hide it from all others.
_LOST = frozenset({*DEMANDS, Verdict.RENEWED, Verdict.FORBIDDEN, Verdict.NOT_FOUND})


def login_check(verdict: Verdict, unknown_count: int) -> LoginCheck:
    """Return what the probe page shows about a session that was logged in before.

    Args:
        verdict: What the page is.
        unknown_count: How often in a row it has been a page that matches no mark.
    """
    if verdict is Verdict.READY:
        return LoginCheck.LOGGED_IN
    is_lost = verdict in _LOST or unknown_count >= UNKNOWN_COUNT_MAX
    return LoginCheck.LOGGED_OUT if is_lost else LoginCheck.UNCLEAR


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalProbe:
    """Checks the login of one portal in a page that belongs to no task; owns no browser."""

    pack: Pack
    portal: PortalOptions

    async def required_login_step(self, page: Page, *, is_hasty: bool = False) -> str | None:
        """Return the reason why the portal does not show the probe page; ``None`` if we are logged in.

        Args:
            page: The page to use.
            is_hasty: Whether a page that waits for nothing is believed at once, as before orders that will show it too.

        Raises:
            ProbeUnclearError: The portal shows neither the probe page nor a login page.
            PortalDownError: The portal does not answer.
            playwright.async_api.Error: The page was closed, or crashed.
        """
        page_visit = await self._open_probe_page(page, is_hasty=is_hasty)
        if page_visit.verdict is Verdict.FORBIDDEN:  # a page that every logged-in user sees
            return f"the portal refuses its page {self.pack.site.probe}{self._explain(page_visit)}"
        if page_visit.verdict is Verdict.SESSION_LOST:
            return self._explain_lost_session(page_visit)
        if page_visit.verdict in DEMANDS:
            return f"the portal asks for {DEMANDS[page_visit.verdict]}"
        if page_visit.verdict in {Verdict.READY, Verdict.RENEWED}:
            return None
        problem = "cannot be opened" if page_visit.problem else "is neither a login page nor the expected page"
        msg = f"The portal's page {self.pack.site.probe} {problem}{self._explain(page_visit)}."
        is_unclear = page_visit.verdict in {Verdict.UNKNOWN, Verdict.NOT_FOUND}
        raise ProbeUnclearError(msg) if is_unclear else PortalDownError(msg)

    def _explain_lost_session(self, page_visit: Visit) -> str:
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

    async def check_login(self, page: Page, unknown_count: int = 0) -> tuple[LoginCheck, int]:
        """Verify that we are logged in and have been since the last check.

        Args:
            page: The page to use.
            unknown_count: How often in a row the portal has shown a page that matches no mark.

        Returns:
            The result, and the new count.

        Raises:
            playwright.async_api.Error: The page was closed, or crashed.
        """
        try:
            verdict = (await self._open_probe_page(page)).verdict
        except PortalDownError:
            return LoginCheck.UNCLEAR, unknown_count
        try:
            await page.goto("about:blank")
        except PlaywrightError as error:
            raise_if_closed(error)  # the browser's own page about the refusal may come in between
        unknown_count = unknown_count + 1 if verdict is Verdict.UNKNOWN else 0
        return login_check(verdict, unknown_count), unknown_count

    async def goto(self, page: Page, path: str) -> str | None:
        """Open a page of the portal and follow its redirects; return the reason if no page came, else ``None``.

        Raises:
            PortalDownError: The portal does not answer, or its page hangs.
            playwright.async_api.Error: The page was closed, or crashed.
        """
        page_visit = await self._visit(page, path, is_any_page=True)
        return f"its page {path} cannot be opened{self._explain(page_visit)}" if page_visit.problem else None

    async def _open_probe_page(self, page: Page, *, is_hasty: bool = False) -> Visit:
        """Open the probe page, and wait for it or for another page that matches a rule of the pack."""
        return await self._visit(page, self.pack.site.probe, is_any_page=False, is_hasty=is_hasty)

    async def _visit(self, page: Page, path: str, *, is_any_page: bool, is_hasty: bool = False) -> Visit:
        try:
            address, base_url = self.portal.base_url + path, self.portal.base_url
            return await visit(page, self.pack, base_url, address, is_any_page=is_any_page, is_hasty=is_hasty)
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
        with watch_traffic(page, with_dialogs=has_dialog_marks(self.pack)) as traffic:
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
