"""The browser of one worker: a persistent context on the worker's own profile, held open by the keeper tab.

Owns the browser and its tabs. The profile folder and the staging folder belong to the supervisor.
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
from poolwright.worker.browser.keeper_tab import KeeperTab, Notify
from poolwright.worker.browser.launcher import launch_browser, open_driver
from poolwright.worker.errors import is_closed_error
from poolwright.worker.login.portal_probe import PortalProbe
from poolwright.worker.login.session_login import SessionLogin
from poolwright.worker.page.popups import window_cleanup
from poolwright.worker.tab import PortalContext, Tab, TabSpec, open_tab

#: An orderly close takes 0.2 to 0.4 s and is the only way that cookies reach the disk.
CLOSE_LIMIT_S = 8.0
#: How often the browser must prove that it answers, and how long it may take for it: a browser, or a driver, that
#: hangs is found within 15 s (design section 4: 15 s for a worker that hangs).
PING_INTERVAL_S = 3.0
PING_LIMIT_S = 8.0
#: A living browser gives such a word within milliseconds.
_ANSWER_LIMIT_S = 2.0
#: Cookies are kept by the browser and not by a page, so it answers for itself when it is asked for those of nobody.
_NO_SITE = "http://nobody.invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSpec:
    """What a session is opened with."""

    worker_id: WorkerId
    browser: BrowserOptions
    profile_path: Path
    #: Downloads of the browser land here under nameless files; on the file system of the staging folder.
    downloads_path: Path
    clock: Callable[[], datetime]
    observe: Callable[[Transition], None]
    notify: Notify
    #: Where cookies are kept for the next browser on this profile; ``None`` when there will be none.
    cookies_path: Path | None = None
    #: What the browser must find in the profile.
    expected_cookies: tuple[SiteCookies, ...] = ()


class BrowserSession:
    """A running browser. ``lost`` is set when the browser or its driver has ended or hangs.

    It fires its machine as tabs are opened and as it closes; whatever concerns the login its ``login`` fires.
    """

    def __init__(self, spec: SessionSpec, probe: PortalProbe | None, driver: BrowserContext) -> None:
        """Made by ``open_session`` alone."""
        self._spec = spec
        self.driver = driver
        self.startup_time = spec.clock()
        self.last_activity = self.startup_time
        self.active_tabs: dict[TaskId, str] = {}
        #: The same as they are here.
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
        """Return the state of the session."""
        return self._machine.state

    @property
    def main_window_handle(self) -> str:
        """Name of the keeper tab, which opens first and closes last."""
        return f"{self._spec.worker_id}/keeper"

    @property
    def session_cookies(self) -> dict[str, Any]:
        """The preserved login: kept after each login and each task, and given to the next browser on this profile.

        By site, path and name. Secret: nobody but a browser and the owner's own file gets it.
        """
        return dict(self.login.cookies)

    async def user_agent(self) -> str:
        """Return the browser's User-Agent."""
        return str(await self._keeper.page.evaluate("navigator.userAgent"))

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
        """A tab for one task, closed at the end. Waits while a login is being brought back.

        Args:
            task: What it is opened for.
            staging: Folder of this attempt.
            portal_context: What processors of the portal find in it.

        Raises:
            SessionBrokenError: The browser opens or closes no tab any more.
        """
        async with self.login.lock:
            if self._machine.can(SessionEvent.USE):
                self._machine.fire(SessionEvent.USE)
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

    async def ping(self) -> None:
        """Ask the browser for a sign of life again and again; returns when ``lost`` is set, by this or otherwise.

        The browser itself is asked, never one of its pages: a page does not answer while a navigation of it is under
        way, and how long that takes is the portal's matter.
        """
        while not self.lost.is_set():
            with anyio.move_on_after(PING_INTERVAL_S):
                await self.lost.wait()
            async with anyio.create_task_group() as asking:
                answered = anyio.Event()
                asking.start_soon(self._ask, answered)
                if not await ActiveTimeLimit(PING_LIMIT_S).wait(answered):
                    self.lost.set()
                asking.cancel_scope.cancel()

    async def is_lost_by_now(self) -> bool:
        """Ask the browser once; one that takes its time is not lost, and is left to ``ping``."""
        with anyio.move_on_after(_ANSWER_LIMIT_S):
            await self._ask(anyio.Event())
        return self.lost.is_set()

    async def _ask(self, answered: anyio.Event) -> None:
        """Ask for what no page is needed for. A browser that only refuses is lost, event or no event.

        A driver that was killed reports no browser's end: its library only refuses whatever is asked from then on.
        """
        try:
            await self.driver.cookies(_NO_SITE)
        except PlaywrightError as error:  # any other one is an answer, too
            if is_closed_error(error):
                self.lost.set()
        answered.set()

    async def close(self) -> None:
        """Close the browser in order: tabs, then the keeper with the context. Bounded by ``CLOSE_LIMIT_S``.

        A browser that is lost is left to the supervisor, which ends what is left of it.
        """
        if self.lost.is_set():
            self.login.mark_browser_lost()
        if self._machine.can(SessionEvent.CLOSE):
            self._machine.fire(SessionEvent.CLOSE)
        if self.lost.is_set():
            return
        with anyio.move_on_after(CLOSE_LIMIT_S) as limit, contextlib.suppress(PlaywrightError):
            await self.login.save_cookies()
            await self.driver.close()
        if not limit.cancelled_caught and self._machine.can(SessionEvent.CLOSED):
            self._machine.fire(SessionEvent.CLOSED)


@contextlib.asynccontextmanager
async def open_session(spec: SessionSpec, probe: PortalProbe | None) -> AsyncGenerator[BrowserSession]:
    """Start driver and browser, and close them at the end. The session is not logged in yet.

    Args:
        spec: What it is opened with.
        probe: The way into the portal; ``None`` where there is none, and so no login.

    Raises:
        CannotStartError: The browser does not start.
        CookiesLostError: It has not all cookies of the profile.
    """
    last_version = await anyio.to_thread.run_sync(last_browser_version, spec.profile_path)
    async with open_driver() as playwright:
        session = BrowserSession(
            spec, probe, await launch_browser(playwright, spec.browser, spec.profile_path, spec.downloads_path)
        )
        try:
            await verify_cookies(session.driver, spec.expected_cookies, last_version)
            await session.login.restore_cookies()
            yield session
        finally:
            with anyio.CancelScope(shield=True):
                await session.close()
