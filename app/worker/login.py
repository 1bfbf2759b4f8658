"""How a session comes to be logged in: the rungs of the pack's ladder, in order, each proved by the probe page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from app.domain.failures import Proof
from app.domain.options import PortalOptions
from app.portal.pack import LoginStep, Pack
from app.portal.triage import DEMANDS, Verdict
from app.worker.errors import CannotLogInError, PortalDownError, first_line
from app.worker.reading import read_page


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """The way into one portal. Uses the keeper tab; holds no browser of its own."""

    pack: Pack
    portal: PortalOptions

    async def is_open(self, page: Page) -> bool:
        """Whether the probe page shows that we are logged in.

        Raises:
            PortalDownError: The portal does not answer, or answers with something that is neither.
        """
        return await self._demand(page) is None

    async def prove(self, page: Page) -> Proof:
        """Whether we are logged in, and have been all the while."""
        try:
            verdict = await self._visit(page, self.pack.site.probe)
            await page.goto("about:blank")
        except (PortalDownError, PlaywrightError):
            return Proof.UNCLEAR
        if verdict is Verdict.READY:
            return Proof.LOGGED_IN
        is_lost = verdict in DEMANDS or verdict is Verdict.RENEWED
        return Proof.LOGGED_OUT if is_lost else Proof.UNCLEAR

    async def enter(self, page: Page) -> LoginStep:
        """Climb the ladder until the probe page opens; tells which rung did it.

        Raises:
            CannotLogInError: No rung did it.
            PortalDownError: The portal does not answer.
        """
        tried: list[str] = []
        for step in self.pack.login.ladder:
            problem = await self._try(step, page) or await self._demand(page)
            if problem is None:
                return step
            tried.append(f"{step}: {problem}")
        msg = f"The portal wants a login and none of the ways in worked ({'; '.join(tried)})."
        raise CannotLogInError(msg)

    async def _demand(self, page: Page) -> str | None:
        """What stands between us and the probe page; nothing when we are logged in.

        Raises:
            PortalDownError: The portal does not answer, or answers with something that is neither.
        """
        verdict = await self._visit(page, self.pack.site.probe)
        if verdict is Verdict.SESSION_LOST:
            return "still logged out"
        if verdict in DEMANDS:
            return f"the portal asks for {DEMANDS[verdict]}"
        if verdict in {Verdict.READY, Verdict.RENEWED}:
            return None
        page_name = self.pack.site.probe
        msg = f"The portal's page {page_name} is neither a login page nor the page that was expected ({verdict})."
        raise PortalDownError(msg)

    async def _try(self, step: LoginStep, page: Page) -> str | None:
        match step:
            case LoginStep.REVISIT:
                await self._visit(page, self.pack.login.start)
                return None
            case LoginStep.FORM:
                return await self._fill_in(page)
            case _:
                assert_never(step)

    async def _fill_in(self, page: Page) -> str | None:
        form = self.pack.login.form
        if not (self.portal.user and self.portal.password) or form is None:
            return "no user and password are given (POOLWRIGHT_USER, POOLWRIGHT_PASSWORD)"
        await self._visit(page, self.pack.login.start)
        limit_ms = self.pack.limits.page_s * 1000
        try:
            await page.locator(form.user).first.fill(self.portal.user, timeout=limit_ms)
            await page.locator(form.password).first.fill(self.portal.password.text, timeout=limit_ms)
            async with page.expect_navigation(wait_until="domcontentloaded", timeout=limit_ms):
                await page.locator(form.submit).first.click(timeout=limit_ms, no_wait_after=True)
        except PlaywrightError as error:
            return f"the form could not be filled in ({first_line(error)})"
        return None

    async def _visit(self, page: Page, path: str) -> Verdict:
        limit_ms = self.pack.limits.page_s * 1000
        try:
            answer = await page.goto(self.portal.base_url + path, wait_until="commit", timeout=limit_ms)
            _, verdict = await read_page(page, self.pack, self.portal.base_url, answer)
        except PlaywrightError as error:
            if page.is_closed():
                raise
            msg = f"The portal {self.portal.base_url} does not answer ({first_line(error)})."
            raise PortalDownError(msg) from error
        return verdict
