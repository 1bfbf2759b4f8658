"""Whether a session is logged in, and how it comes to be so again. The session owns this; the loop steers it.

All workers of a pool have one login. So a session that lost it does nothing of its own accord: it waits until it is
told to log in, or to take over what another worker's session got.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

import anyio
from playwright.async_api import BrowserContext
from playwright.async_api import Error as PlaywrightError

from app.domain.events import Level
from app.domain.failures import Proof
from app.domain.machine import Machine
from app.domain.states import SessionEvent, SessionStatus
from app.worker.cookies import CookieSnapshot
from app.worker.errors import CannotLogInError, first_line
from app.worker.keeper import Keeper, Say
from app.worker.ladder import Keys, Ladder
from app.worker.login import Door

#: For a lost login in a browser that is warm (design section 4), and for the first one of a browser that just started.
REFRESH_LIMIT_S, FIRST_LOGIN_LIMIT_S = 15.0, 60.0


class Membership:
    """The login of one session. ``turn`` is held while it is being brought back or proven; no tab opens meanwhile."""

    def __init__(
        self,
        machine: Machine[SessionStatus, SessionEvent],
        door: Door | None,
        driver: BrowserContext,
        keeper: Keeper,
        *,
        say: Say,
        cookies_path: Path | None,
    ) -> None:
        """Begin logged out.

        Args:
            machine: The session's.
            door: The way into the portal; without one there is nothing to be logged out of.
            driver: The browser.
            keeper: The tab in which it logs in.
            say: Takes sentences for people.
            cookies_path: Where the cookies are kept for the next browser on this profile.
        """
        self.turn = anyio.Lock()
        self.is_in = False
        #: Grows with every login, so that a loss can be told from one that is old news.
        self.count = 0
        self._machine = machine
        self._door = door
        self._driver = driver
        self._keeper = keeper
        self._say = say
        self._snapshot = CookieSnapshot(cookies_path)

    @property
    def cookies(self) -> Mapping[str, Any]:
        """The login as it was last kept, or brought back: what opens the portal's door without a password."""
        return self._snapshot.cookies

    async def check(self) -> str | None:
        """Whether the portal lets us in as we are; tells what it wants where it does not.

        Raises:
            PortalDownError: The portal does not answer.
        """
        async with self.turn:
            demand = await self._demand()
            if demand is None:
                await self._enter()
            return demand

    async def open(self, keys: Keys) -> None:
        """Come to be logged in, in whatever way it can be.

        Raises:
            CannotLogInError: It cannot.
            PortalDownError: The portal does not answer.
        """
        if await self.check() is not None:
            await self.log_in(keys)

    async def log_in(self, keys: Keys) -> str:
        """Climb the portal's ladder; tells which rung did it.

        Raises:
            CannotLogInError: It could not be done, in time or at all.
            PortalDownError: The portal does not answer.
        """
        async with self._coming_back() as door:
            limit_s = REFRESH_LIMIT_S if self.count else FIRST_LOGIN_LIMIT_S
            ladder = Ladder(door=door, page=self._keeper.page, driver=self._driver, keys=keys, say=self._say)
            step = await ladder.climb(limit_s)
            self._say(Level.INFO, f"logged in ({step})")
            return step

    async def adopt(self, cookies_path: Path) -> None:
        """Take over the cookies of another session, and see whether they open the door.

        Raises:
            CannotLogInError: They do not.
            PortalDownError: The portal does not answer.
        """
        async with self._coming_back() as door:
            try:
                await CookieSnapshot(cookies_path).bring_back(self._driver)
            except (OSError, ValueError) as error:
                msg = f"the cookies of the other worker cannot be read ({first_line(error)})"
                raise CannotLogInError(msg) from error
            if demand := await door.demand(self._keeper.page):
                msg = f"the login of the other worker is not good here: {demand}"
                raise CannotLogInError(msg)

    def lose(self, count: int, cause: str = "logged out") -> bool:
        """Note that the portal wants a login; tells whether that is news.

        Args:
            count: ``count`` when the page that showed it was asked for.
            cause: For the story of the session.

        Raises:
            CannotLogInError: There is no portal to log in to.
        """
        if self._door is None:
            msg = "A processor says that it was logged out, but this pool has no portal to log in to."
            raise CannotLogInError(msg)
        if not self.is_in or count != self.count:
            return False
        self.is_in = False
        self._machine.fire(SessionEvent.BREAK, cause=cause)
        return True

    async def leave(self) -> None:
        """Log out, where the pack names the page for it, so that a new login can begin before the old one ends.

        Raises:
            PortalDownError: The portal does not answer.
        """
        if self._door is None or self._door.pack.login.logout is None:
            return
        async with self.turn:
            if self.lose(self.count, "renewed before its end"):
                await self._keeper.restore()
                await self._door.visit(self._keeper.page, self._door.pack.login.logout)

    async def probe(self) -> Proof:
        """Ask the portal whether we are logged in. An answer takes at most ``REFRESH_LIMIT_S``.

        Raises:
            SessionBrokenError: The browser opens no tab any more.
        """
        if self._door is None:
            return Proof.LOGGED_IN
        async with self.turn:
            await self._keeper.restore()
            with anyio.move_on_after(REFRESH_LIMIT_S):
                return await self._door.prove(self._keeper.page)
        return Proof.UNCLEAR

    async def look_in(self) -> None:
        """Open the portal without a login: only a browser that was asked for cookies leaves a whole profile behind.

        Raises:
            PortalDownError: The portal does not answer.
        """
        if self._door is not None:
            await self._door.demand(self._keeper.page)
        else:
            await self._driver.cookies()

    async def keep_cookies(self) -> None:
        """Write the login down for the next browser on this profile; what keeps it from that is told, and no more."""
        try:
            await self._snapshot.keep(self._driver)
        except PlaywrightError:
            return  # the browser is gone; that is found out elsewhere
        except OSError as error:
            self._say(Level.WARNING, f"the cookies could not be kept for a restart ({error.strerror or error})")

    async def bring_back_cookies(self) -> None:
        """Give the browser what an earlier one on this profile had and its disk had not seen."""
        try:
            if count := await self._snapshot.bring_back(self._driver):
                self._say(Level.INFO, f"brought {count} cookie(s) back that the browser before had not saved yet")
        except (PlaywrightError, OSError, ValueError) as error:
            self._say(Level.WARNING, f"kept cookies could not be brought back ({first_line(error)})")

    async def _demand(self) -> str | None:
        await self._keeper.restore()
        return None if self._door is None else await self._door.demand(self._keeper.page)

    @contextlib.asynccontextmanager
    async def _coming_back(self) -> AsyncGenerator[Door]:
        """What is done within brings the login back, or raises."""
        if self._door is None:
            msg = "there is no portal to log in to"
            raise CannotLogInError(msg)
        async with self.turn:
            await self._keeper.restore()
            if self._machine.can(SessionEvent.RECOVER):
                self._machine.fire(SessionEvent.RECOVER)
            try:
                yield self._door
            except BaseException:
                if self._machine.can(SessionEvent.BREAK):
                    self._machine.fire(SessionEvent.BREAK, cause="no login")
                self.is_in = False
                raise
            await self._enter()

    async def _enter(self) -> None:
        for event in (SessionEvent.AUTHENTICATE, SessionEvent.RECOVERED):
            if self._machine.can(event):
                self._machine.fire(event)
        self.is_in = True
        self.count += 1
        await self._keeper.page.goto("about:blank")
        await self.keep_cookies()
