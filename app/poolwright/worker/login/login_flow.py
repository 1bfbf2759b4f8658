"""The login flow: runs the login steps of the portal pack in order until the probe page opens."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self, assert_never

import anyio
from playwright.async_api import BrowserContext, Frame, Page
from playwright.async_api import Error as PlaywrightError

from poolwright.domain.events import Level
from poolwright.portal.pack import LoginStep
from poolwright.portal.pack_schema import DialogPolicy, SecondFactorForm
from poolwright.portal.triage import DEMANDS, Verdict
from poolwright.worker.browser.cookie_snapshot import CookieSnapshot
from poolwright.worker.browser.keeper_tab import Notify
from poolwright.worker.errors import CannotLogInError, PortalDownError, ProbeUnclearError, first_line
from poolwright.worker.login.portal_probe import PortalProbe
from poolwright.worker.page.popups import answer_dialogs
from poolwright.worker.page.reachability import remedy
from poolwright.worker.page.traffic import CertificatePromptError, detect_certificate_prompt, watch_traffic

#: Pages of one login step: the start page, the page after the form, the page for a code, and the probe page.
_PAGE_COUNT = 4


@dataclass(kw_only=True)
class Credentials:
    """The parts of a login beside user and password."""

    #: Valid once; empty if there is none.
    one_time_code: str = field(default="", repr=False)
    #: Whether the code was sent to the portal.
    is_code_used: bool = False
    #: The cookies of the last login that was saved in the profile.
    snapshot: CookieSnapshot | None = None
    #: The name of the profile, for the commands in messages.
    profile_name: str = "NAME"
    #: Whether a person can see the browser.
    is_headed: bool = False


@dataclass(frozen=True, kw_only=True)
class LoginFlow:
    """One login, in the keeper tab of one browser."""

    probe: PortalProbe
    page: Page
    driver: BrowserContext
    credentials: Credentials
    notify: Notify

    async def run(self, limit_s: float) -> LoginStep:
        """Run the login steps until the probe page opens; return the one that succeeded.

        Args:
            limit_s: The limit of each step, unless the pack gives its pages more; a person has the pack's ``person_s``.

        Raises:
            CannotLogInError: No login step succeeded.
            PortalDownError: The portal does not answer, or not in time.
            playwright.async_api.Error: The page was closed, or crashed.
        """
        tried: list[str] = []
        is_late = is_unclear = False
        for step in self.probe.pack.login.ladder:
            step_limit_s = self._limit_s(step, limit_s)
            problem: str | None = f"no answer within {step_limit_s:g} s"
            with anyio.move_on_after(step_limit_s) as step_scope:
                try:
                    problem = await self._run_step(step) or await self.probe.required_login_step(self.page)
                except ProbeUnclearError as error:  # the next step may log in all the same
                    problem, is_unclear = str(error).removesuffix("."), True
            if problem is None:
                return step
            is_late = is_late or (step_scope.cancelled_caught and step is not LoginStep.HUMAN)
            tried.append(f"{step}: {problem}")
        if is_unclear:
            raise ProbeUnclearError(f"The portal does not show whether a login succeeded ({'; '.join(tried)}).")
        if is_late:
            raise PortalDownError(f"The portal does not answer a login in time ({'; '.join(tried)}).")
        raise CannotLogInError(f"The portal requires a login and no login step succeeded ({'; '.join(tried)}).")

    async def _run_step(self, step: LoginStep) -> str | None:
        match step:
            case LoginStep.REVISIT:
                await self.probe.goto(self.page, self.probe.pack.login.start)
                return None
            case LoginStep.COOKIES:
                return await self._import_saved_login()
            case LoginStep.FORM:
                return await self._log_in_by_form()
            case LoginStep.HUMAN:
                return await self._wait_for_person()
            case _:
                assert_never(step)

    async def _import_saved_login(self) -> str | None:
        """Import the cookies of a login that a person made since the start, for example in a running daemon."""
        if self.credentials.snapshot is None:
            return f"no login is saved beside the profile (poolwright profile login {self.credentials.profile_name})"
        try:
            count = await self.credentials.snapshot.restore(self.driver)
        except (PlaywrightError, OSError, ValueError) as error:
            return f"the saved login cannot be used ({first_line(error)})"
        return None if count else "the saved login is empty, or it is the expired one"

    async def _log_in_by_form(self) -> str | None:
        portal, login = self.probe.portal, self.probe.pack.login
        if not (portal.user and portal.password) or login.form is None:
            return "no user and password are set (POOLWRIGHT_USER, POOLWRIGHT_PASSWORD)"
        if problem := await self.probe.goto(self.page, login.start):
            return problem
        try:
            await self._fill(login.form.user, portal.user)
            await self._fill(login.form.password, portal.password.text)
            verdict = await self._submit(login.form.submit)
            if login.second_factor is None or verdict is not Verdict.SECOND_FACTOR:
                return None
            return await self._enter_code(login.second_factor)
        except (PlaywrightError, TimeoutError) as error:
            step = remedy(str(error), portal.base_url)
            return f"the form could not be filled in ({first_line(error)})" + (f": {step}" if step else "")

    async def _enter_code(self, form: SecondFactorForm) -> str | None:
        if not self.credentials.one_time_code:
            return "the portal asks for a one-time code, but no TOTP secret is set (POOLWRIGHT_TOTP_SECRET)"
        if self.credentials.is_code_used:
            return "the portal asks for a second one-time code"
        self.credentials.is_code_used = True
        await self._fill(form.code, self.credentials.one_time_code)
        if await self._submit(form.submit) is Verdict.SECOND_FACTOR:
            return "the portal rejects the one-time code; check the TOTP secret and the clock of this machine"
        return None

    async def _fill(self, selector: str, text: str) -> None:
        await self.page.locator(selector).first.fill(text, timeout=self._limit_ms)

    async def _submit(self, selector: str) -> Verdict:
        """Press the button, follow redirects, and return the verdict on the page that comes."""
        with watch_traffic(self.page) as traffic:
            try:
                async with (
                    detect_certificate_prompt(self.page, traffic),
                    self.page.expect_navigation(wait_until="commit", timeout=self._limit_ms),
                ):
                    await self.page.locator(selector).first.click(timeout=self._limit_ms, no_wait_after=True)
            except CertificatePromptError:
                raise
            except PlaywrightError as error:
                if traffic.is_leaving:  # the form was sent, but no response came
                    msg = f"The portal does not answer its login form within {self._limit_ms / 1000:g} s."
                    raise PortalDownError(msg) from error
                raise
            return await self.probe.classify(self.page)

    async def _wait_for_person(self) -> str | None:
        """Show the login page, and check the login after each page that the person opens."""
        if not self.credentials.is_headed:
            return (
                "nobody can log in by hand in a headless browser (use --headed, or poolwright profile login "
                f"{self.credentials.profile_name})"
            )
        limit_s = self.probe.pack.limits.person_s
        with _NavigationWatcher(self.page) as navigations:
            await self.probe.goto(self.page, self.probe.pack.login.start)
            await self.page.bring_to_front()
            self.notify(Level.WARNING, f"please log in by hand in this worker's browser window, within {limit_s:g} s")
            try:
                while await self.probe.classify(self.page) in DEMANDS or not await self._is_logged_in():
                    await navigations.wait()
            except PlaywrightError as error:
                return f"the window was closed ({first_line(error)})"
        return None

    async def _is_logged_in(self) -> bool:
        """Return whether the probe page opens in a separate tab, so that the person's input is not lost."""
        page = await self.driver.new_page()
        answer_dialogs(page, DialogPolicy.DISMISS)
        try:
            return await self.probe.required_login_step(page) is None
        finally:
            with anyio.CancelScope(shield=True):
                await page.close()

    def _limit_s(self, step: LoginStep, limit_s: float) -> float:
        limits = self.probe.pack.limits
        return limits.person_s if step is LoginStep.HUMAN else max(limit_s, _PAGE_COUNT * limits.page_s)

    @property
    def _limit_ms(self) -> float:
        return self.probe.pack.limits.page_s * 1000


class _NavigationWatcher:
    """Waits for a page's navigations; one since the last wait counts."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._navigated = anyio.Event()

    def __enter__(self) -> Self:
        self._page.on("framenavigated", self._on_navigation)
        return self

    def __exit__(self, *_: object) -> None:
        self._page.remove_listener("framenavigated", self._on_navigation)

    async def wait(self) -> None:
        await self._navigated.wait()
        self._navigated = anyio.Event()

    def _on_navigation(self, _: Frame) -> None:
        self._navigated.set()
