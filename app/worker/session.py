"""The browser of one worker: a persistent context on the worker's own profile, held open by the keeper tab.

Owns the browser and its tabs. The profile folder and the staging folder belong to the supervisor.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import anyio
from playwright.async_api import BrowserContext
from playwright.async_api import Error as PlaywrightError

from app.domain.cookies import SiteCookies
from app.domain.events import Level, SessionView
from app.domain.failures import Proof
from app.domain.ids import TaskId, WorkerId
from app.domain.machine import Machine, Transition
from app.domain.options import BrowserOptions
from app.domain.states import SESSION, SessionEvent, SessionStatus
from app.domain.task import POTask
from app.worker.browser import launch, open_driver
from app.worker.census import take_census
from app.worker.cookies import CookieSnapshot
from app.worker.desk import Desk
from app.worker.errors import CannotLogInError, first_line
from app.worker.keeper import Keeper
from app.worker.login import Door
from app.worker.tab import Tab, TabOrder, open_tab

#: Refresh of a lost login (design section 4).
REFRESH_LIMIT_S = 15.0
#: An orderly close takes 0.2 to 0.4 s and is the only way that cookies reach the disk.
CLOSE_LIMIT_S = 8.0
#: How often the browser must prove that it answers, and how long it may take for it: a browser, or a driver, that
#: hangs is found within 15 s (design section 4: 15 s for a worker that hangs).
PROOF_INTERVAL_S = 3.0
PROOF_LIMIT_S = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOrder:
    """What a session is opened with."""

    worker_id: WorkerId
    browser: BrowserOptions
    profile_path: Path
    #: Downloads of the browser land here under nameless files; on the file system of the staging folder.
    downloads_path: Path
    clock: Callable[[], datetime]
    observe: Callable[[Transition], None]
    say: Callable[[Level, str], None]
    #: Where cookies are kept for the next browser on this profile; nothing when there will be none.
    cookies_path: Path | None = None
    #: What the browser must find in the profile.
    expected_cookies: tuple[SiteCookies, ...] = ()


class BrowserSession:
    """A living browser. ``lost`` is set when browser or driver are gone, or hang for good."""

    def __init__(self, order: SessionOrder, door: Door | None, driver: BrowserContext) -> None:
        """Made by ``open_session`` alone."""
        self._order = order
        self._door = door
        self.driver = driver
        self.startup_time = order.clock()
        self.last_activity = self.startup_time
        self.active_tabs: dict[TaskId, str] = {}
        self.lost = anyio.Event()
        self._machine = Machine(SESSION, order.worker_id, clock=order.clock, observe=order.observe)
        self._refreshing = anyio.Lock()
        self._login_count = 0
        self._tab_count = 0
        self._snapshot = CookieSnapshot(order.cookies_path) if order.cookies_path else None
        self._keeper = Keeper(driver, is_headed=not order.browser.headless_mode, say=order.say)
        driver.on("close", lambda _: self.lost.set())

    @property
    def status(self) -> SessionStatus:
        """Where in life the session is."""
        return self._machine.state

    @property
    def main_window_handle(self) -> str:
        """Name of the keeper tab, which opens first and closes last."""
        return f"{self._order.worker_id}/keeper"

    async def user_agent(self) -> str:
        """How this browser names itself to portals."""
        return str(await self._keeper.page.evaluate("navigator.userAgent"))

    def view(self) -> SessionView:
        """The session as others may see it."""
        return SessionView(
            status=self.status.name,
            main_window_handle=self.main_window_handle,
            active_tabs={str(task_id): handle for task_id, handle in self.active_tabs.items()},
            startup_time=self.startup_time,
            last_activity=self.last_activity,
        )

    async def authenticate(self) -> None:
        """See to it that the session is logged in; without a portal it is so at once.

        Raises:
            CannotLogInError: The portal wants a login that cannot be given.
            PortalDownError: The portal does not answer.
        """
        try:
            await self._enter()
        except BaseException:
            self._machine.fire(SessionEvent.BREAK, cause="not logged in")
            raise
        self._machine.fire(SessionEvent.AUTHENTICATE)

    async def look_in(self) -> None:
        """Open the portal without a login: only a browser that was asked for cookies leaves a whole profile behind.

        Raises:
            PortalDownError: The portal does not answer.
        """
        if self._door is not None:
            await self._door.is_open(self._keeper.page)
        else:
            await self.driver.cookies()

    async def refresh(self, login_count: int) -> None:
        """Bring a lost login back in the same browser; only the first of several callers does the work.

        Args:
            login_count: ``login_count`` when the caller began; a later login is what it asks for.

        Raises:
            CannotLogInError: It cannot be brought back within ``REFRESH_LIMIT_S``, or there is no portal.
        """
        if self._door is None:
            msg = "A processor says that it was logged out, but this pool has no portal to log in to."
            raise CannotLogInError(msg)
        async with self._refreshing:
            if self._login_count > login_count:
                return
            self._machine.fire(SessionEvent.BREAK, cause="logged out")
            self._machine.fire(SessionEvent.RECOVER)
            try:
                with anyio.fail_after(REFRESH_LIMIT_S):
                    await self._enter()
            except BaseException:
                self._machine.fire(SessionEvent.BREAK, cause="no login")
                raise
            self._machine.fire(SessionEvent.RECOVERED)

    async def probe(self) -> Proof:
        """Ask the portal whether we are logged in; without a portal there is nothing to be logged out of.

        An answer takes at most ``REFRESH_LIMIT_S``. No tab opens meanwhile.

        Raises:
            SessionBrokenError: The browser opens no tab any more.
        """
        if self._door is None:
            return Proof.LOGGED_IN
        async with self._refreshing:
            await self._keeper.restore()
            with anyio.move_on_after(REFRESH_LIMIT_S):
                return await self._door.prove(self._keeper.page)
        return Proof.UNCLEAR

    @property
    def login_count(self) -> int:
        """How often this session came to be logged in; grows with every refresh."""
        return self._login_count

    @contextlib.asynccontextmanager
    async def tab(self, task: POTask, staging: Path, desk: Desk | None = None) -> AsyncGenerator[Tab]:
        """A tab for one task, closed at the end. Waits while a login is being brought back.

        Args:
            task: What it is opened for.
            staging: Folder of this attempt.
            desk: What processors of the portal find in it.

        Raises:
            SessionBrokenError: The browser opens or closes no tab any more.
        """
        async with self._refreshing:
            if self._machine.can(SessionEvent.USE):
                self._machine.fire(SessionEvent.USE)
            await self._keeper.restore()
        self._tab_count += 1
        handle = f"{self._order.worker_id}/tab-{self._tab_count}"
        order = TabOrder(
            task=task,
            window_handle=handle,
            staging=staging,
            clock=self._order.clock,
            observe=self._order.observe,
            desk=desk,
        )
        self.active_tabs[task.task_id] = handle
        try:
            async with open_tab(self.driver, order) as tab:
                yield tab
        finally:
            del self.active_tabs[task.task_id]
            self.last_activity = self._order.clock()

    async def keep_cookies(self) -> None:
        """Write the login down for the next browser on this profile; what keeps it from that is told, and no more."""
        if self._snapshot is None or self.lost.is_set():
            return
        try:
            await self._snapshot.keep(self.driver)
        except PlaywrightError:
            return  # the browser is gone; that is found out elsewhere
        except OSError as error:
            self._order.say(Level.WARNING, f"the cookies could not be kept for a restart ({error.strerror or error})")

    async def bring_back_cookies(self) -> None:
        """Give the browser what an earlier one on this profile had and its disk had not seen."""
        if self._snapshot is None:
            return
        try:
            if count := await self._snapshot.bring_back(self.driver):
                self._order.say(Level.INFO, f"brought {count} cookie(s) back that the browser before had not saved yet")
        except (PlaywrightError, OSError, ValueError) as error:
            self._order.say(Level.WARNING, f"kept cookies could not be brought back ({first_line(error)})")

    async def prove_alive(self) -> None:
        """Ask the browser for a sign of life again and again; returns when ``lost`` is set, by this or otherwise."""
        while not self.lost.is_set():
            with anyio.move_on_after(PROOF_INTERVAL_S):
                await self.lost.wait()
            with anyio.move_on_after(PROOF_LIMIT_S) as limit, contextlib.suppress(PlaywrightError):  # also an answer
                await self._keeper.page.evaluate("1")
            if limit.cancelled_caught:
                self.lost.set()

    async def close(self) -> None:
        """Close the browser in order: tabs, then the keeper with the context. Bounded by ``CLOSE_LIMIT_S``.

        A browser that is lost is left to the supervisor, which ends what is left of it.
        """
        if self.lost.is_set() and self._machine.can(SessionEvent.BREAK):
            self._machine.fire(SessionEvent.BREAK, cause="browser or driver are gone")
        if self._machine.can(SessionEvent.CLOSE):
            self._machine.fire(SessionEvent.CLOSE)
        if self.lost.is_set():
            return
        with anyio.move_on_after(CLOSE_LIMIT_S) as limit, contextlib.suppress(PlaywrightError):
            await self.keep_cookies()
            await self.driver.close()
        if not limit.cancelled_caught and self._machine.can(SessionEvent.CLOSED):
            self._machine.fire(SessionEvent.CLOSED)

    async def _enter(self) -> None:
        await self._keeper.restore()
        if self._door is not None and not await self._door.is_open(self._keeper.page):
            step = await self._door.enter(self._keeper.page)
            self._order.say(Level.INFO, f"logged in ({step})")
        self._login_count += 1
        await self._keeper.page.goto("about:blank")
        await self.keep_cookies()


@contextlib.asynccontextmanager
async def open_session(order: SessionOrder, door: Door | None) -> AsyncGenerator[BrowserSession]:
    """Start driver and browser, and close them at the end. The session is not logged in yet.

    Args:
        order: What it is opened with.
        door: The way into the portal; nothing where there is none, and so no login.

    Raises:
        CannotStartError: The browser does not start.
        CookiesLostError: It has not all cookies of the profile.
    """
    async with open_driver() as playwright:
        session = BrowserSession(
            order, door, await launch(playwright, order.browser, order.profile_path, order.downloads_path)
        )
        try:
            await take_census(session.driver, order.expected_cookies)
            await session.bring_back_cookies()
            yield session
        finally:
            with anyio.CancelScope(shield=True):
                await session.close()
