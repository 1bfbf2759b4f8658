"""The browser of one worker: a persistent context on the worker's own profile, held open by the keeper tab.

The session owns the browser and its tabs. The profile folder and the staging folder belong to the supervisor.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from playwright.async_api import BrowserContext
from playwright.async_api import Error as PlaywrightError

from poolwright.concurrency import ActiveTimeLimit
from poolwright.domain.events import SessionView
from poolwright.domain.ids import SiteCookies, TaskId, WorkerId
from poolwright.domain.options import BrowserOptions
from poolwright.domain.state_machine import StateMachine, Transition
from poolwright.domain.states import SESSION, SessionEvent, SessionStatus
from poolwright.domain.tasks import POTask
from poolwright.worker.browser.cookie_snapshot import last_browser_version, verify_cookies
from poolwright.worker.browser.driver_start import DriverStart
from poolwright.worker.browser.keeper_tab import KeeperTab, Notify
from poolwright.worker.browser.launcher import BROWSER_CLOSE_LIMIT_S, launch_browser, open_driver
from poolwright.worker.browser.portal_header import open_portal_header
from poolwright.worker.errors import is_closed_error
from poolwright.worker.guard.browser_requests import open_browser_requests
from poolwright.worker.login.portal_probe import PortalProbe
from poolwright.worker.login.session_login import SessionLogin
from poolwright.worker.page.popups import window_cleanup
from poolwright.worker.tab import PortalContext, Tab, TabSpec, open_tab

#: Interval of the pings, and limit of the answer to each: a browser, or a driver, that hangs is found within 15 s
#: (design section 4: 15 s for a worker that hangs).
PING_INTERVAL_S = 3.0
PING_LIMIT_S = 8.0
#: Limit of a single ping; a browser that works answers within milliseconds.
_ANSWER_LIMIT_S = 2.0
#: A ping requests the cookies of this host, which has none: the browser answers it, without any of its pages.
_NO_SITE = "http://nobody.invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSpec:
    """Specification of a session."""

    worker_id: WorkerId
    browser: BrowserOptions
    profile_path: Path
    #: Folder of the browser's downloads, whose files have no names; on the file system of the staging folder.
    downloads_path: Path
    clock: Callable[[], datetime]
    observe: Callable[[Transition], None]
    notify: Notify
    #: File for the cookies of the next browser on this profile; ``None`` if there will be no next one.
    cookies_path: Path | None = None
    #: Cookies that the browser must find in the profile.
    expected_cookies: tuple[SiteCookies, ...] = ()
    #: File with the cookies of the login that the profile was made with; ``None`` if there is none.
    kept_login_path: Path | None = None


class BrowserSession:
    """A running browser. ``lost`` is set when the browser or its driver has ended or hangs.

    It fires its state machine when tabs open and when it closes; its ``login`` fires the events of the login.
    """

    def __init__(self, spec: SessionSpec, probe: PortalProbe | None, driver: BrowserContext) -> None:
        """Create a session for a browser that runs; only ``open_session`` does so."""
        self._spec = spec
        self.driver = driver
        self.startup_time = spec.clock()
        self.last_activity = self.startup_time
        self.active_tabs: dict[TaskId, str] = {}
        #: The open tabs of the same tasks.
        self.tabs: dict[TaskId, Tab] = {}
        self.lost = anyio.Event()
        self._machine = StateMachine(SESSION, spec.worker_id, clock=spec.clock, observe=spec.observe)
        self._tab_count = 0
        self._keeper = KeeperTab(driver, is_headed=not spec.browser.headless_mode, notify=spec.notify)
        self.login = SessionLogin(
            self._machine, probe, driver, self._keeper, notify=spec.notify, cookies_path=spec.cookies_path
        )
        driver.on("close", lambda _: self.lost.set())

    @property
    def status(self) -> SessionStatus:
        """Lifecycle state of the session."""
        return self._machine.state

    @property
    def main_window_handle(self) -> str:
        """Name of the keeper tab, which opens first and closes last."""
        return f"{self._spec.worker_id}/keeper"

    @property
    def session_cookies(self) -> dict[str, Any]:
        """The preserved login: saved after each login and each task, and restored in the next browser on this profile.

        Its keys are site, path and name. It is secret: it is passed only to a browser and to the private file.
        """
        return dict(self.login.cookies)

    async def user_agent(self) -> str:
        """Return the browser's User-Agent."""
        return str(await self._keeper.page.evaluate("navigator.userAgent"))

    async def languages(self) -> str:
        """Return the languages of the browser, as it sends them with a request for a page."""
        names = str(await self._keeper.page.evaluate("navigator.languages.join()")).split(",")
        weighted = (f"{name};q={max(0.1, 1 - number / 10):.1f}" for number, name in enumerate(names))
        return ",".join(weighted).replace(";q=1.0", "")

    def view(self) -> SessionView:
        """Return the public view of the session."""
        return SessionView(
            status=self.status.name,
            main_window_handle=self.main_window_handle,
            active_tabs={str(task_id): handle for task_id, handle in self.active_tabs.items()},
            startup_time=self.startup_time,
            last_activity=self.last_activity,
        )

    @contextlib.asynccontextmanager
    async def tab(
        self, task: POTask, staging: Path, portal_context: PortalContext | None = None
    ) -> AsyncGenerator[Tab]:
        """Open a tab for one task and close it at the end. Waits while the session logs in.

        Args:
            task: The task of the tab.
            staging: The staging folder of this attempt.
            portal_context: The portal for processors of portal orders; ``None`` without a portal.

        Raises:
            SessionBrokenError: The browser cannot open or close a tab any more.
        """
        async with self._used():
            await self._keeper.restore()
        self._tab_count += 1
        handle = f"{self._spec.worker_id}/tab-{self._tab_count}"
        spec = TabSpec(
            task=task,
            window_handle=handle,
            staging=staging,
            clock=self._spec.clock,
            observe=self._spec.observe,
            portal_context=portal_context,
        )
        self.active_tabs[task.task_id] = handle
        try:
            async with open_tab(self.driver, spec) as tab, window_cleanup(tab.page, tab.on_window_flood):
                self.tabs[task.task_id] = tab
                yield tab
        finally:
            del self.active_tabs[task.task_id]
            self.tabs.pop(task.task_id, None)
            self.last_activity = self._spec.clock()

    async def use(self) -> None:
        """Wait while the session logs in; then its login may be used without a tab."""
        async with self._used():
            self.last_activity = self._spec.clock()

    @contextlib.asynccontextmanager
    async def _used(self) -> AsyncGenerator[None]:
        """Hold the login during the block, as a session that is in use."""
        async with self.login.lock:
            if self._machine.can(SessionEvent.USE):
                self._machine.fire(SessionEvent.USE)
            yield

    async def ping(self) -> None:
        """Ping the browser until ``lost`` is set, and set it if the browser does not answer in time.

        The pings need no page: a page does not answer while it navigates, which takes as long as the portal takes.
        """
        while not self.lost.is_set():
            with anyio.move_on_after(PING_INTERVAL_S):
                await self.lost.wait()
            async with anyio.create_task_group() as tasks:
                answered = anyio.Event()
                tasks.start_soon(self._ping_once, answered)
                if not await ActiveTimeLimit(PING_LIMIT_S).wait(answered):
                    self.lost.set()
                tasks.cancel_scope.cancel()

    async def is_lost_by_now(self) -> bool:
        """Ping the browser once and return whether it is lost; a slow answer does not count as a loss here."""
        with anyio.move_on_after(_ANSWER_LIMIT_S):
            await self._ping_once(anyio.Event())
        return self.lost.is_set()

    async def _ping_once(self, answered: anyio.Event) -> None:
        """Send a request that needs no page. If it fails because the browser is closed, the browser is lost.

        A driver that was killed sends no "close" event; every later request to it fails instead.
        """
        try:
            await self.driver.cookies(_NO_SITE)
        except PlaywrightError as error:  # any other error is an answer too
            if is_closed_error(error):
                self.lost.set()
        answered.set()

    async def close(self) -> None:
        """Close the browser in order: tabs, then the keeper with the context. Bounded by ``BROWSER_CLOSE_LIMIT_S``.

        A browser that is lost is left to the supervisor, which kills its processes.
        """
        if self.lost.is_set():
            self.login.mark_browser_lost()
        if self._machine.can(SessionEvent.CLOSE):
            self._machine.fire(SessionEvent.CLOSE)
        if self.lost.is_set():
            return
        with anyio.move_on_after(BROWSER_CLOSE_LIMIT_S) as limit, contextlib.suppress(PlaywrightError):
            await self.login.save_cookies()
            await self.driver.close()
        if not limit.cancelled_caught and self._machine.can(SessionEvent.CLOSED):
            self._machine.fire(SessionEvent.CLOSED)


@contextlib.asynccontextmanager
async def open_session(
    spec: SessionSpec, probe: PortalProbe | None, driver_start: DriverStart | None = None
) -> AsyncGenerator[BrowserSession]:
    """Start driver and browser, and close them at the end. The session is not logged in yet.

    Args:
        spec: Specification of the session.
        probe: The probe of the portal; ``None`` if there is no portal, and so no login.
        driver_start: The start of the driver, if that has begun already.

    Raises:
        CannotStartError: The browser does not start.
        CookiesLostError: The browser does not have all cookies of the profile.
    """
    last_version = await anyio.to_thread.run_sync(last_browser_version, spec.profile_path)
    async with open_driver(driver_start) as playwright:
        driver = await launch_browser(
            playwright, spec.browser, spec.profile_path, spec.downloads_path, skipped=spec.browser.skip
        )
        session = BrowserSession(spec, probe, driver)
        try:
            async with open_portal_header(driver, spec.browser), open_browser_requests(driver, spec.browser.proxy):
                await verify_cookies(session.driver, spec.expected_cookies, last_version)
                await session.login.restore_cookies()
                await session.login.restore_session_cookies(spec.kept_login_path, spec.expected_cookies)
                yield session
        finally:
            with anyio.CancelScope(shield=True):
                await session.close()
