"""The login of one session: checks whether it is logged in, and logs in again.

All workers of a pool share one login. So a session that lost it does not log in by itself: it waits for a command to
log in, or to import the login of another worker's session.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import anyio
from playwright.async_api import BrowserContext, Page
from playwright.async_api import Error as PlaywrightError

from poolwright.domain.events import Level
from poolwright.domain.ids import SiteCookies
from poolwright.domain.outcomes import LoginCheck
from poolwright.domain.state_machine import StateMachine
from poolwright.domain.states import SessionEvent, SessionStatus
from poolwright.portal.pack import LoginStep
from poolwright.worker.browser.cookie_snapshot import CookieSnapshot
from poolwright.worker.browser.keeper_tab import KeeperTab, Notify
from poolwright.worker.errors import CannotLogInError, PortalDownError, first_line
from poolwright.worker.login.login_flow import Credentials, LoginFlow
from poolwright.worker.login.portal_probe import PortalProbe
from poolwright.worker.page.popups import window_cleanup

#: Limits of each login step: in a browser that runs (design section 4), and for the first login of one that has just
#: started. They are longer if the pack of the portal gives its pages more time.
REFRESH_LIMIT_S, FIRST_LOGIN_LIMIT_S = 15.0, 60.0
#: Number of tries in the keeper tab, because a tab can be closed or crash once by chance.
_ATTEMPT_COUNT = 2
_T = TypeVar("_T")


class SessionLogin:
    """The login of one session. ``lock`` is held during a login or a login check; no tab opens meanwhile.

    Only this class fires the events of the login in the session's state machine: authenticated, lost and recovered.
    """

    def __init__(
        self,
        machine: StateMachine[SessionStatus, SessionEvent],
        probe: PortalProbe | None,
        driver: BrowserContext,
        keeper: KeeperTab,
        *,
        notify: Notify,
        cookies_path: Path | None,
    ) -> None:
        """Begin logged out.

        Args:
            machine: The state machine of the session.
            probe: The probe of the portal; ``None`` if there is no portal, and so no login.
            driver: The browser.
            keeper: The tab in which it logs in.
            notify: Receives messages for people.
            cookies_path: File for the cookies of the next browser on this profile; ``None`` if there will be none.
        """
        self.lock = anyio.Lock()
        self.is_logged_in = False
        self._is_logging_in = False
        #: Grows with every login, so that the report of an earlier loss is recognised.
        self.login_count = 0
        self._machine = machine
        self._probe = probe
        self._driver = driver
        self._keeper = keeper
        self._notify = notify
        #: How often in a row the probe page was one that matches no mark.
        self._unknown_count = 0
        self._snapshot = CookieSnapshot(cookies_path)

    @property
    def cookies(self) -> Mapping[str, Any]:
        """The cookies of the login as last saved or restored; they open the portal without a password."""
        return self._snapshot.cookies

    async def check(self) -> str | None:
        """Check whether a new session is logged in; return the login step that is missing, or ``None``.

        The first order shows it too, so that the probe page is not waited for longer than it needs to be.

        Raises:
            PortalDownError: The portal does not answer.
        """
        async with self.lock:
            step = await self._required_login_step()
            if step is None:
                await self._on_logged_in()
            return step

    async def ensure_logged_in(self, credentials: Credentials) -> None:
        """Log in unless the session is logged in already.

        Raises:
            CannotLogInError: No login step succeeded.
            PortalDownError: The portal does not answer.
        """
        if await self.check() is not None:
            await self.log_in(credentials)

    async def log_in(self, credentials: Credentials) -> str:
        """Run the login steps of the portal pack; return the one that succeeded.

        Raises:
            CannotLogInError: No login step succeeded in time.
            PortalDownError: The portal does not answer.
        """
        async with self._authenticating() as probe:
            limit_s = REFRESH_LIMIT_S if self.login_count else FIRST_LOGIN_LIMIT_S

            async def run_flow(page: Page) -> LoginStep:
                return await LoginFlow(
                    probe=probe, page=page, driver=self._driver, credentials=credentials, notify=self._notify
                ).run(limit_s)

            step = await self._in_keeper(run_flow)
            self._notify(Level.INFO, f"logged in ({step})")
            return step

    async def import_cookies(self, cookies_path: Path) -> None:
        """Import the cookies of another session and check whether they log this one in.

        Raises:
            CannotLogInError: They cannot be imported, or do not log it in.
            PortalDownError: The portal does not answer.
        """
        async with self._authenticating() as probe:
            try:
                await CookieSnapshot(cookies_path).restore(self._driver)
            except (PlaywrightError, OSError, ValueError) as error:
                msg = f"the cookies of the other worker cannot be imported ({first_line(error)})"
                raise CannotLogInError(msg) from error
            if step := await self._in_keeper(probe.required_login_step):
                msg = f"the login of the other worker is not valid here: {step}"
                raise CannotLogInError(msg)

    def mark_logged_out(self, count: int, cause: str = "logged out") -> bool:
        """Mark the session as logged out; return whether it was logged in until now.

        While a login is made, a page can only show the end of the last one: the new login decides.

        Args:
            count: ``login_count`` when the page that showed the log-out was requested.
            cause: Reason of the transition, for the log.

        Raises:
            CannotLogInError: There is no portal to log in to.
        """
        if self._probe is None:
            msg = "A processor reports that it was logged out, but this pool has no portal to log in to."
            raise CannotLogInError(msg)
        if not self.is_logged_in or self._is_logging_in or count != self.login_count:
            return False
        self.is_logged_in = False
        self._machine.fire(SessionEvent.BREAK, cause=cause)
        return True

    def mark_browser_lost(self) -> None:
        """Mark the session as broken, because the login is lost with its browser."""
        if self._machine.can(SessionEvent.BREAK):
            self._machine.fire(SessionEvent.BREAK, cause="browser or driver are gone")

    async def log_out(self) -> None:
        """Log out if the pack names a page for it, so that a new login can begin before the old one ends.

        Raises:
            PortalDownError: The portal does not answer.
        """
        if self._probe is None or self._probe.pack.login.logout is None:
            return
        async with self.lock:
            if self.mark_logged_out(self.login_count, "refreshed before it expires"):
                probe, path = self._probe, self._probe.pack.login.logout

                async def log_out(page: Page) -> None:
                    await probe.goto(page, path)

                await self._in_keeper(log_out)

    async def check_login(self) -> LoginCheck:
        """Check the login with the portal; the pack sets the time limit. ``UNCLEAR`` if the portal does not answer.

        Raises:
            SessionBrokenError: The browser cannot open a tab any more.
        """
        if self._probe is None:
            return LoginCheck.LOGGED_IN
        async with self.lock:
            probe, unknown_count = self._probe, self._unknown_count

            async def check(page: Page) -> tuple[LoginCheck, int]:
                return await probe.check_login(page, unknown_count)

            try:
                result, self._unknown_count = await self._in_keeper(check)
            except PortalDownError:
                return LoginCheck.UNCLEAR
            return result

    async def open_portal(self) -> None:
        """Open the portal without a login, so that the browser creates its cookie store and the profile is complete.

        Raises:
            PortalDownError: The portal does not answer.
        """
        if self._probe is not None:
            await self._in_keeper(self._probe.required_login_step)
        else:
            await self._driver.cookies()

    async def save_cookies(self) -> None:
        """Save the cookies for the next browser on this profile; a failure is only reported."""
        try:
            await self._snapshot.save(self._driver)
        except PlaywrightError:
            return  # the browser is gone, which ``BrowserSession.ping`` reports
        except OSError as error:
            self._notify(Level.WARNING, f"the cookies could not be saved for a restart ({error.strerror or error})")

    async def restore_cookies(self) -> None:
        """Restore the cookies of an earlier browser on this profile that it had not written to the disk."""
        try:
            if count := await self._snapshot.restore(self._driver):
                self._notify(Level.INFO, f"restored {count} cookie(s) that the previous browser had not saved yet")
        except (PlaywrightError, OSError, ValueError) as error:
            self._notify(Level.WARNING, f"saved cookies could not be restored ({first_line(error)})")

    async def restore_session_cookies(self, kept_login_path: Path | None, expected: Sequence[SiteCookies]) -> None:
        """Restore the cookies without an expiry that a headless shell drops from a profile, and tell what is lost.

        Args:
            kept_login_path: The cookies of the login that the profile was made with; ``None`` if there are none.
            expected: The cookies in the profile.
        """
        try:
            result = await CookieSnapshot(kept_login_path).restore_session_cookies(self._driver, expected)
        except (PlaywrightError, OSError, ValueError) as error:
            self._notify(Level.WARNING, f"cookies without an expiry could not be restored ({first_line(error)})")
            return
        if result.restored_count:
            self._notify(
                Level.INFO, f"restored {result.restored_count} cookie(s) without an expiry from the last login"
            )
        if result.lost_count:
            self._notify(
                Level.WARNING,
                f"this browser drops cookies without an expiry, and {result.lost_count} of the profile have no copy; "
                "browser = chromium keeps them",
            )

    async def _required_login_step(self) -> str | None:
        if self._probe is None:
            await self._keeper.restore()
            return None
        return await self._in_keeper(partial(self._probe.required_login_step, is_hasty=True))

    async def _in_keeper(self, work: Callable[[Page], Awaitable[_T]]) -> _T:
        """Run work in the keeper tab and return its result; if the tab is closed or crashes, replace it and run again.

        Raises:
            CannotLogInError: The work raised it.
            PortalDownError: The work raised it, or the driver failed each time.
            SessionBrokenError: The browser cannot open a tab any more.
        """
        problem = ""
        for _ in range(_ATTEMPT_COUNT):
            await self._keeper.restore()
            try:
                async with window_cleanup(self._keeper.page):
                    return await work(self._keeper.page)
            except (PlaywrightError, TimeoutError) as error:
                problem = first_line(error)
        msg = f"The portal's pages cannot be opened in the browser ({problem})."
        raise PortalDownError(msg)

    @contextlib.asynccontextmanager
    async def _authenticating(self) -> AsyncGenerator[PortalProbe]:
        """Move the session to logged in if the block succeeds, and to logged out if it raises."""
        if self._probe is None:
            msg = "there is no portal to log in to"
            raise CannotLogInError(msg)
        async with self.lock:
            await self._keeper.restore()
            if self._machine.can(SessionEvent.RECOVER):
                self._machine.fire(SessionEvent.RECOVER)
            self._is_logging_in = True
            try:
                yield self._probe
            except BaseException:
                if self._machine.can(SessionEvent.BREAK):
                    self._machine.fire(SessionEvent.BREAK, cause="no login")
                self.is_logged_in = False
                raise
            finally:
                self._is_logging_in = False
            await self._on_logged_in()

    async def _on_logged_in(self) -> None:
        for event in (SessionEvent.AUTHENTICATE, SessionEvent.RECOVERED):
            if self._machine.can(event):
                self._machine.fire(event)
        self.is_logged_in = True
        self._unknown_count = 0
        self.login_count += 1
        with contextlib.suppress(PlaywrightError):  # a closed tab shows no page of the portal either
            await self._keeper.page.goto("about:blank")
        await self.save_cookies()
