"""The jobs of a worker process on a base profile: show the portal to a person, import a login, verify it.

Its browser stands on the base itself and is closed in order at the end, whatever happens: only that writes all cookies.
Each of these is one browser from start to end, so that a login is proved by a browser that found it on the disk, as
every worker's will. The folder belongs to the supervisor, which has it alone meanwhile.
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
from poolwright.ipc.messages import Configure, LoginVerified, Ready, ToWorker, WorkerMode
from poolwright.portal import pack as packs
from poolwright.worker.browser.cookie_snapshot import CookieSnapshot
from poolwright.worker.browser.keeper_tab import KeeperTab
from poolwright.worker.browser.launcher import launch_browser, open_driver
from poolwright.worker.errors import CannotLogInError, CannotStartError, PortalDownError, SessionBrokenError, first_line
from poolwright.worker.login.portal_probe import PortalProbe
from poolwright.worker.page import reachability

#: An orderly close takes 0.2 to 0.4 s, in a headed browser with many pages a little more.
CLOSE_LIMIT_S = 8.0
#: Measured: a browser that ends by itself saves its cookies, but drops those without an end of their own.
_BROWSER_QUIT = "The whole browser was quit. Close only its window, or a part of the login may be lost."


class WindowTracker:
    """The windows that a person has. ``closed`` is set when the last of them is gone, or the whole browser."""

    def __init__(self, context: BrowserContext, keeper: KeeperTab) -> None:
        """Watch all windows of ``context``, now and later; the keeper's understudy only holds the browser open."""
        self.closed = anyio.Event()
        #: Whether the person ended the browser instead of closing windows.
        self.was_quit = False
        self._keeper = keeper
        self._open: set[Page] = set()
        for page in context.pages:
            self._watch(page)
        context.on("page", self._watch)
        context.on("close", self._quit)

    async def keep_placeholder_open(self) -> None:
        """Stand behind the person's windows: an understudy that is closed is opened again. Until cancelled."""
        while (understudy := self._keeper.placeholder_page) is not None:
            gone = anyio.Event()
            understudy.on("close", lambda _, gone=gone: gone.set())
            if not understudy.is_closed():
                await gone.wait()
            try:
                await self._keeper.restore()
            except SessionBrokenError:
                self.closed.set()
                return
            self._look()

    def _watch(self, page: Page) -> None:
        self._open.add(page)
        page.on("close", self._leave)
        # Without anybody who listens, the driver would answer a page's questions in the person's place.
        page.on("dialog", lambda _: None)

    def _leave(self, page: Page) -> None:
        self._open.discard(page)
        self._look()

    def _look(self) -> None:
        if not self._open - {self._keeper.placeholder_page}:
            self.closed.set()

    def _quit(self, _: BrowserContext) -> None:
        self.was_quit = not self.closed.is_set()
        self.closed.set()


async def set_up_profile(
    link: Channel[ToWorker], configure: Configure, mouth: Outbox, clock: Callable[[], datetime]
) -> None:
    """Do the one thing that this process was started for.

    Raises:
        CannotStartError: The browser does not start, or does not take the storage state.
        CannotLogInError: There is no portal to log in to.
        PortalDownError: The portal does not answer.
        EndOfStream: The supervisor is gone.
    """
    door = _portal_probe(configure.options.portal)
    async with _browser(configure) as context:

        def ready() -> None:
            mouth.send(Ready, session=_view(mouth.worker, clock()))

        match configure.mode:
            case WorkerMode.LOG_IN:
                windows = await _show_portal(context, door, mouth)
                ready()
                await _wait_until_closed(windows, link)
                if windows.was_quit:
                    mouth.report_status(Level.WARNING, _BROWSER_QUIT)
            case WorkerMode.IMPORT_STATE:
                await _import_state(context, Path(configure.seat.state_path))
                ready()
            case WorkerMode.IMPORT_COOKIES:
                await _import_cookies(context, Path(configure.seat.kept_login_path))
                ready()
            case WorkerMode.VERIFY_LOGIN:
                proof = await _verify_login(context, door, Path(configure.seat.cookies_path))
                mouth.send(LoginVerified, proof=proof, is_last=True)
                ready()
            case WorkerMode.WORK | WorkerMode.MAKE_BASE:
                msg = f"{configure.mode} does not run on a base profile"
                raise ValueError(msg)
            case _:
                assert_never(configure.mode)


def _portal_probe(portal: PortalOptions | None) -> PortalProbe:
    if portal is None:
        msg = "A profile belongs to a portal, but no portal is configured."
        raise CannotLogInError(msg)
    return PortalProbe(pack=packs.parse_json(portal.pack_json), portal=portal)


def _view(worker: WorkerRef, now: datetime) -> SessionView:
    """A browser that is open, and no more: whether it is logged in, a person or the portal says later."""
    return SessionView(
        status=SESSION.start.name,
        main_window_handle=f"{worker.worker_id}/keeper",
        startup_time=now,
        last_activity=now,
    )


@contextlib.asynccontextmanager
async def _browser(configure: Configure) -> AsyncGenerator[BrowserContext]:
    seat, options = configure.seat, configure.options.browser
    async with open_driver() as playwright:
        context = await launch_browser(
            playwright,
            options,
            Path(seat.profile_path),
            Path(seat.staging_path) / "browser",
            is_for_person=configure.mode is WorkerMode.LOG_IN,
        )
        try:
            yield context
        finally:
            with anyio.move_on_after(CLOSE_LIMIT_S, shield=True), contextlib.suppress(PlaywrightError):
                await context.close()


async def _show_portal(context: BrowserContext, door: PortalProbe, mouth: Outbox) -> WindowTracker:
    """Show a person the portal, with an understudy behind it: a browser whose last window is closed ends by itself."""
    keeper = KeeperTab(context, is_headed=True, notify=mouth.report_status)
    await keeper.restore()
    windows = WindowTracker(context, keeper)
    address = door.portal.base_url + door.pack.login.start
    try:
        await keeper.page.goto(address, wait_until="commit", timeout=door.pack.limits.page_s * 1000)
        await keeper.page.bring_to_front()
    except PlaywrightError as error:
        if not windows.closed.is_set():
            raise PortalDownError(reachability.describe_failure(door.portal.base_url, error)) from error
    return windows


async def _wait_until_closed(windows: WindowTracker, link: Channel[ToWorker]) -> None:
    """Wait for the person; whatever the supervisor sends meanwhile means that it is enough.

    Raises:
        EndOfStream: The supervisor is gone.
    """
    async with anyio.create_task_group() as beside:
        beside.start_soon(_wait_for_message, link, windows.closed)
        beside.start_soon(windows.keep_placeholder_open)
        await windows.closed.wait()
        beside.cancel_scope.cancel()


async def _wait_for_message(link: Channel[ToWorker], enough: anyio.Event) -> None:
    await link.receive()
    enough.set()


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


async def _verify_login(context: BrowserContext, door: PortalProbe, cookies: Path) -> LoginCheck:
    """Ask the portal for a page that only a logged-in user sees; a login that is proved has its cookies kept."""
    page = context.pages[0]
    try:
        demand = await door.required_login_step(page)
    except PlaywrightError as error:
        raise PortalDownError(reachability.describe_failure(door.portal.base_url, error)) from error
    if demand is not None:
        return LoginCheck.LOGGED_OUT
    await page.goto("about:blank")
    await CookieSnapshot(cookies).save(context)
    return LoginCheck.LOGGED_IN
