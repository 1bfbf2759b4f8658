"""The jobs of a worker process on a base profile: show the portal to a person, import a login, verify it.

The browser runs on the base itself and is always closed in order, because only that writes all cookies. Each job starts
its own browser, so that a login is verified by a browser that read it from the disk, as those of all workers will. The
folder belongs to the supervisor, which has locked it meanwhile.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable
from datetime import datetime
from pathlib import Path
from typing import assert_never

import anyio
from playwright.async_api import BrowserContext, Page
from playwright.async_api import Error as PlaywrightError

from poolwright.domain.events import Level, SessionView
from poolwright.domain.ids import WorkerRef
from poolwright.domain.options import PortalOptions
from poolwright.domain.outcomes import LoginCheck
from poolwright.domain.states import SESSION
from poolwright.ipc.channel import Channel
from poolwright.ipc.child import Outbox
from poolwright.ipc.messages import Configure, LoginChecked, Ready, ToWorker, WorkerMode
from poolwright.portal import pack as packs
from poolwright.portal.pack_schema import PageLimits
from poolwright.worker.browser.cookie_snapshot import CookieSnapshot
from poolwright.worker.browser.driver_start import DriverStart
from poolwright.worker.browser.keeper_tab import KeeperTab
from poolwright.worker.browser.launcher import BROWSER_CLOSE_LIMIT_S, launch_browser, open_driver
from poolwright.worker.browser.portal_header import open_portal_header
from poolwright.worker.errors import CannotLogInError, CannotStartError, PortalDownError, SessionBrokenError, first_line
from poolwright.worker.login.portal_probe import PortalProbe
from poolwright.worker.page import reachability

#: Measured: a browser that a person quits saves its cookies, except those without an expiry.
_BROWSER_QUIT = "The whole browser was quit. Close only its window, or a part of the login may be lost."


class WindowTracker:
    """Tracks the windows of a person. ``closed`` is set when the last of them, or the whole browser, is closed."""

    def __init__(self, context: BrowserContext, keeper: KeeperTab) -> None:
        """Track all present and future windows of ``context``, except the placeholder of the keeper."""
        self.closed = anyio.Event()
        #: Whether the person quit the browser instead of closing its windows.
        self.was_quit = False
        self._keeper = keeper
        self._open: set[Page] = set()
        for page in context.pages:
            self._watch(page)
        context.on("page", self._watch)
        context.on("close", self._on_browser_closed)

    async def keep_placeholder_open(self) -> None:
        """Open the placeholder again whenever it is closed, until cancelled or until the browser has ended."""
        while (placeholder := self._keeper.placeholder_page) is not None:
            closed = anyio.Event()
            placeholder.on("close", lambda _, closed=closed: closed.set())
            if not placeholder.is_closed():
                await closed.wait()
            try:
                await self._keeper.restore()
            except SessionBrokenError:
                self.closed.set()
                return
            self._check_closed()

    def _watch(self, page: Page) -> None:
        self._open.add(page)
        page.on("close", self._on_page_closed)
        # Without a listener the driver would answer the dialogs of a page instead of the person.
        page.on("dialog", lambda _: None)

    def _on_page_closed(self, page: Page) -> None:
        self._open.discard(page)
        self._check_closed()

    def _check_closed(self) -> None:
        if not self._open - {self._keeper.placeholder_page}:
            self.closed.set()

    def _on_browser_closed(self, _: BrowserContext) -> None:
        self.was_quit = not self.closed.is_set()
        self.closed.set()


async def set_up_profile(
    channel: Channel[ToWorker],
    configure: Configure,
    outbox: Outbox,
    clock: Callable[[], datetime],
    driver_start: DriverStart,
) -> None:
    """Run the job for which this process was started.

    Raises:
        CannotStartError: The browser does not start, or does not take the storage state.
        CannotLogInError: There is no portal to log in to.
        PortalDownError: The portal does not answer.
        EndOfStream: The supervisor is gone.
    """
    probe = _portal_probe(configure.options.portal)
    async with _browser(configure, driver_start) as context:

        def ready() -> None:
            outbox.send(Ready, session=session_view(outbox.worker, clock()))

        match configure.mode:
            case WorkerMode.LOG_IN:
                address = probe.portal.base_url + probe.pack.login.start
                windows = await _show_portal(context, address, outbox, probe.pack.limits.page_s)
                ready()
                await _wait_until_closed(windows, channel)
                if windows.was_quit:
                    outbox.report_status(Level.WARNING, _BROWSER_QUIT)
            case WorkerMode.IMPORT_STATE:
                await _import_state(context, Path(configure.paths.state_path))
                ready()
            case WorkerMode.IMPORT_COOKIES:
                await _import_cookies(context, Path(configure.paths.kept_login_path))
                ready()
            case WorkerMode.CHECK_LOGIN:
                result = await _check_login(context, probe, Path(configure.paths.cookies_path))
                outbox.send(LoginChecked, result=result, is_last=True)
                ready()
            case WorkerMode.WORK | WorkerMode.MAKE_BASE | WorkerMode.EXAMINE | WorkerMode.REPLAY | WorkerMode.TEACH:
                msg = f"{configure.mode} does not run on a base profile"
                raise ValueError(msg)
            case _:
                assert_never(configure.mode)


async def show_new_portal(
    channel: Channel[ToWorker],
    configure: Configure,
    outbox: Outbox,
    clock: Callable[[], datetime],
    driver_start: DriverStart,
) -> None:
    """Let a person show a portal until everything is shown, or the windows are closed.

    Raises:
        CannotStartError: The browser does not start.
        PortalDownError: The portal does not answer.
        EndOfStream: The supervisor is gone.
    """
    from poolwright.worker.teaching.teaching_window import TeachingWindow  # noqa: PLC0415 - no other worker needs lxml

    async with _browser(configure, driver_start) as context:
        teaching = TeachingWindow(context, Path(configure.paths.pages_path), outbox.report_status)
        windows = await _show_portal(context, configure.teach_url, outbox, PageLimits().page_s)
        outbox.send(Ready, session=session_view(outbox.worker, clock()))

        async def record() -> None:
            await teaching.run()
            windows.closed.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(record)
            await _wait_until_closed(windows, channel)
            tasks.cancel_scope.cancel()


def _portal_probe(portal: PortalOptions | None) -> PortalProbe:
    if portal is None:
        msg = "A profile belongs to a portal, but no portal is configured."
        raise CannotLogInError(msg)
    return PortalProbe(pack=packs.parse_json(portal.pack_json), portal=portal)


def session_view(worker: WorkerRef, now: datetime) -> SessionView:
    """Return the view of a session whose browser is open, and whose login is not known yet."""
    return SessionView(
        status=SESSION.start.name,
        main_window_handle=f"{worker.worker_id}/keeper",
        startup_time=now,
        last_activity=now,
    )


@contextlib.asynccontextmanager
async def _browser(configure: Configure, driver_start: DriverStart) -> AsyncGenerator[BrowserContext]:
    paths, options = configure.paths, configure.options.browser
    async with open_driver(driver_start) as playwright:
        context = await launch_browser(
            playwright,
            options,
            Path(paths.profile_path),
            Path(paths.staging_path) / "browser",
            is_for_person=configure.mode in {WorkerMode.LOG_IN, WorkerMode.TEACH},
        )
        try:
            async with open_portal_header(context, options):
                yield context
        finally:
            with anyio.move_on_after(BROWSER_CLOSE_LIMIT_S, shield=True), contextlib.suppress(PlaywrightError):
                await context.close()


async def _show_portal(context: BrowserContext, address: str, outbox: Outbox, limit_s: float) -> WindowTracker:
    """Open the portal for a person and return the tracker of the windows; the keeper's placeholder keeps it running."""
    keeper = KeeperTab(context, is_headed=True, notify=outbox.report_status)
    await keeper.restore()
    windows = WindowTracker(context, keeper)
    try:
        await keeper.page.goto(address, wait_until="commit", timeout=limit_s * 1000)
        await keeper.page.bring_to_front()
    except PlaywrightError as error:
        if not windows.closed.is_set():
            raise PortalDownError(reachability.describe_failure(address, error)) from error
    return windows


async def _wait_until_closed(windows: WindowTracker, channel: Channel[ToWorker]) -> None:
    """Wait until the person closes the windows, or until the supervisor sends any message, which ends the login.

    Raises:
        EndOfStream: The supervisor is gone.
    """
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_wait_for_message, channel, windows.closed)
        tasks.start_soon(windows.keep_placeholder_open)
        await windows.closed.wait()
        tasks.cancel_scope.cancel()


async def _wait_for_message(channel: Channel[ToWorker], received: anyio.Event) -> None:
    await channel.receive()
    received.set()


async def _import_state(context: BrowserContext, state: Path) -> None:
    try:
        await context.set_storage_state(state)
    except PlaywrightError as error:
        msg = f"The browser rejects that login ({first_line(error)})."
        raise CannotStartError(msg) from error


async def _import_cookies(context: BrowserContext, cookies: Path) -> None:
    try:
        await CookieSnapshot(cookies).restore(context)
    except (PlaywrightError, OSError, ValueError) as error:
        msg = f"The browser rejects that login ({first_line(error)})."
        raise CannotStartError(msg) from error


async def _check_login(context: BrowserContext, probe: PortalProbe, cookies: Path) -> LoginCheck:
    """Open the probe page of the portal; if the browser is logged in, save its cookies."""
    page = context.pages[0]
    try:
        step = await probe.required_login_step(page)
    except PlaywrightError as error:
        raise PortalDownError(reachability.describe_failure(probe.portal.base_url, error)) from error
    if step is not None:
        return LoginCheck.LOGGED_OUT
    await page.goto("about:blank")
    await CookieSnapshot(cookies).save(context)
    return LoginCheck.LOGGED_IN
