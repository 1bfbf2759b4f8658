"""The login flow: runs the login steps of the portal pack in order until the probe page opens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Self, assert_never

import anyio
from playwright.async_api import BrowserContext, Frame, Page
from playwright.async_api import Error as PlaywrightError

from poolwright.domain.events import Level
from poolwright.portal.login_schema import LoginAction, LoginStep, SecondFactorForm, SecretName
from poolwright.portal.pack_schema import DialogPolicy
from poolwright.portal.triage import DEMANDS, Verdict
from poolwright.worker.browser.cookie_snapshot import CookieSnapshot
from poolwright.worker.browser.keeper_tab import Notify
from poolwright.worker.errors import CannotLogInError, PortalDownError, ProbeUnclearError, first_line
from poolwright.worker.login.login_actions import LoginActionError, LoginActions
from poolwright.worker.login.portal_probe import PortalProbe
from poolwright.worker.page.popups import answer_dialogs

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

    def use_code(self) -> None:
        """Record that the code is sent to the portal, which accepts it once."""
        self.is_code_used = True


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
                    problem = await self._step_problem(step) or await self.probe.required_login_step(self.page)
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

    async def _step_problem(self, step: LoginStep) -> str | None:
        try:
            return await self._run_step(step)
        except LoginActionError as error:
            return str(error)

    async def _run_step(self, step: LoginStep) -> str | None:
        match step:
            case LoginStep.REVISIT:
                await self.probe.goto(self.page, self.probe.pack.login.start)
                return None
            case LoginStep.COOKIES:
                return await self._import_saved_login()
            case LoginStep.SIGN_ON:
                return await self._start_sign_on()
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

    async def _start_sign_on(self) -> str | None:
        """Start single sign-on by its address or button, and follow it until it comes to a rest."""
        login = self.probe.pack.login
        if login.sign_on is None:
            return "the portal pack names no start of single sign-on"
        if problem := await self.probe.goto(self.page, login.sign_on.address or login.start):
            return problem
        if login.sign_on.button is not None:
            await self._run_actions((LoginAction(click=login.sign_on.button),))
        return None

    async def _log_in_by_form(self) -> str | None:
        login, missing = self.probe.pack.login, self._missing_secrets()
        needed = login.secrets & missing.keys() - {SecretName.CODE}  # a code is asked for only now and then
        if needed:
            return missing[min(needed)]
        if problem := await self.probe.goto(self.page, login.start):
            return problem
        verdict = await self._run_actions(login.actions, missing)
        if login.second_factor is None or verdict is not Verdict.SECOND_FACTOR:
            return None
        return await self._enter_code(login.second_factor)

    async def _enter_code(self, form: SecondFactorForm) -> str | None:
        missing = self._missing_secrets()
        if SecretName.CODE in missing:
            return missing[SecretName.CODE]
        actions = (LoginAction(fill=form.code, value=f"{{{SecretName.CODE}}}"), LoginAction(click=form.submit))
        if await self._run_actions(actions, missing) is Verdict.SECOND_FACTOR:
            return "the portal rejects the one-time code; check the TOTP secret and the clock of this machine"
        return None

    async def _run_actions(
        self, actions: Sequence[LoginAction], missing: Mapping[SecretName, str] = MappingProxyType({})
    ) -> Verdict:
        """Do the actions, and return the verdict on the page that comes.

        Raises:
            LoginActionError: An action could not be done.
        """
        portal, codes = self.probe.portal, self.credentials
        secrets = {
            SecretName.USER: portal.user,
            SecretName.PASSWORD: portal.password.text,
            SecretName.CODE: codes.one_time_code,
        }
        form = LoginActions(
            probe=self.probe,
            page=self.page,
            actions=actions,
            secrets=secrets,
            missing=missing,
            on_code=codes.use_code,
        )
        await form.run()
        return await self.probe.classify(self.page)

    def _missing_secrets(self) -> Mapping[SecretName, str]:
        """Return the reason for each secret that cannot be used."""
        portal, codes = self.probe.portal, self.credentials
        missing: dict[SecretName, str] = {}
        for name, is_set in ((SecretName.USER, bool(portal.user)), (SecretName.PASSWORD, bool(portal.password))):
            if not is_set:
                missing[name] = "no user and password are set (POOLWRIGHT_USER, POOLWRIGHT_PASSWORD)"
        if not codes.one_time_code:
            missing[SecretName.CODE] = (
                "the portal asks for a one-time code, but no TOTP secret is set (POOLWRIGHT_TOTP_SECRET)"
            )
        elif codes.is_code_used:
            missing[SecretName.CODE] = "the portal asks for a second one-time code"
        return missing

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
        # Each further page of a form is sent by an action.
        more = sum(action.sends for action in self.probe.pack.login.actions[:-1]) if step is LoginStep.FORM else 0
        return limits.person_s if step is LoginStep.HUMAN else max(limit_s, (_PAGE_COUNT + more) * limits.page_s)


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
