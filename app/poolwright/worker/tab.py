"""One short-lived tab: opened for one task, always closed, with the portal context that its processor uses.

Those who write a processor see it as ``poolwright.Tab``; ours find its staging folder and their desk in it too. The
tab is closed when the processor returns, raises or runs out of time.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import anyio
from playwright.async_api import BrowserContext, Page
from playwright.async_api import Error as PlaywrightError

from poolwright.concurrency import run_within
from poolwright.domain.ids import TaskId
from poolwright.domain.options import BrowserOptions, PortalOptions, WorkerOptions
from poolwright.domain.outcomes import LoginCheck
from poolwright.domain.state_machine import StateMachine, Transition
from poolwright.domain.states import TAB, TabEvent, TabStatus
from poolwright.domain.tasks import FetchedFile, POTask
from poolwright.portal.pack import Pack
from poolwright.sdk.protocol import EVIDENCE_MAX_COUNT
from poolwright.worker.download.order_downloads import SessionDownloads, open_session_downloads
from poolwright.worker.download.staged_files import DownloadedFile, Evidence, StagedFiles
from poolwright.worker.errors import SessionBrokenError
from poolwright.worker.login.portal_probe import PortalProbe
from poolwright.worker.page.page_activity import is_followed


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalContext:
    """What every task of a session shares: the portal's rules and the way to its files."""

    pack: Pack
    portal: PortalOptions
    downloads: SessionDownloads
    #: Called at once when a page came by way of the portal's login page.
    on_login_refreshed: Callable[[], None]
    #: Asks the portal whether the session is logged in: what it refuses may be refused for want of a login.
    verify_login: Callable[[], Awaitable[LoginCheck]]


def _ignore() -> None:
    """Ignore the event."""


async def _unclear() -> LoginCheck:
    """Return ``UNCLEAR``: there is no portal to ask."""
    return LoginCheck.UNCLEAR


@contextlib.asynccontextmanager
async def open_portal_context(
    door: PortalProbe | None,
    context: BrowserContext,
    user_agent: str,
    note_renewed: Callable[[], None] = _ignore,
    prove: Callable[[], Awaitable[LoginCheck]] = _unclear,
    options: WorkerOptions | None = None,
) -> AsyncGenerator[PortalContext | None]:
    """Make the desk of a session; without a way into a portal there is none.

    Args:
        door: The portal's.
        context: Whose cookies downloads use.
        user_agent: The browser's own.
        note_renewed: Called at once when a page came by way of the portal's login page.
        prove: Asks the portal whether the session is logged in.
        options: How much one file and one order may be, and how they come; the usual where nothing is said.
    """
    if door is None:
        yield None
        return
    told = options or WorkerOptions(browser=BrowserOptions())
    async with open_session_downloads(door, context, user_agent, told.sizes, told.browser) as downloads:
        yield PortalContext(
            pack=door.pack, portal=door.portal, downloads=downloads, on_login_refreshed=note_renewed, verify_login=prove
        )


#: A tab closes in 10 to 50 ms; one that needs longer than this hangs with its browser.
CLOSE_LIMIT_S = 5.0
#: A tab opens in 60 to 200 ms on a busy machine.
OPEN_LIMIT_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TabSpec:
    """What a tab is opened for."""

    task: POTask
    window_handle: str
    #: Folder of this attempt; made by the tab.
    staging: Path
    clock: Callable[[], datetime]
    observe: Callable[[Transition], None]
    #: Nothing in a pool without a portal.
    portal_context: PortalContext | None = None


class Tab:
    """A page of the browser with its life cycle, and the place where its files go."""

    def __init__(self, order: TabSpec, page: Page, machine: StateMachine[TabStatus, TabEvent]) -> None:
        """Made by ``open_tab`` alone."""
        self.page = page
        self.window_handle = order.window_handle
        self.task_id: TaskId = order.task.task_id
        self.po_number = order.task.po_number
        self.creation_time = order.clock()
        self.staging = order.staging
        #: What purchase orders need beside the page; nothing in a pool without a portal.
        self.portal_context = order.portal_context
        self._files = StagedFiles(order.staging)
        self._evidence = Evidence(order.staging)
        self._machine = machine
        self.crashed = anyio.Event()
        #: Whether picture and source of the page may be kept; that of one beyond all measure would take all memory.
        self.may_capture = True
        #: Set when the page opens windows without end.
        self.flooded = anyio.Event()
        page.on("crash", lambda _: self.crashed.set())

    @property
    def status(self) -> TabStatus:
        """Return the state of the tab."""
        return self._machine.state

    @property
    def saved(self) -> tuple[FetchedFile, ...]:
        """Every file of this attempt so far, in the order in which they were saved."""
        return self._files.saved

    @property
    def evidence_files(self) -> tuple[str, ...]:
        """Everything that was kept as evidence so far, as file names."""
        return self._evidence.names

    def loaded(self) -> None:
        """The page has told what it is; work on it begins. Said again, it changes nothing."""
        if self._machine.can(TabEvent.LOADED):
            self._machine.fire(TabEvent.LOADED)

    def on_window_flood(self) -> None:
        """The page opens windows without end; one that a click made do so is left by those who clicked."""
        if not is_followed(self.page):
            self.flooded.set()

    def mark_failed(self, cause: str) -> None:
        """The task came to nothing in it: a time that ran out, a crash, an error of its processor. It only closes."""
        self._machine.fire(TabEvent.BREAK, cause=cause)
        self._machine.fire(TabEvent.GIVE_UP)

    async def save(self, name: str, content: bytes) -> FetchedFile:
        """Save a file of the task.

        Args:
            name: What to call it. A name that some system would not take is changed, one that is taken gets a number,
                and one without an ending gets that of the content.
            content: All of it.

        Returns:
            The file as the report will list it, with its name, SHA-256 and media type.

        Raises:
            BadFileError: It is empty, or not what its name says: a login page called ``.pdf``, a PDF that is cut short.
            OSError: The disk is full or not writable.
        """
        return await self._files.write(name, content, self.page.url)

    async def evidence(self, name: str = "page") -> tuple[str, ...]:
        """Keep picture and source of the page, as ``poolwright.sdk.Tab`` tells it."""
        if self._evidence.call_count >= EVIDENCE_MAX_COUNT:
            return ()
        return await self._evidence.save_screenshot_and_html(self.page, name)

    async def capture_failure(self) -> None:
        """Keep what a failure left on the page, however much was kept before."""
        await self._evidence.save_screenshot_and_html(self.page, "page")

    def accept(self, arrived: DownloadedFile) -> FetchedFile:
        """Count a file that lies in ``staging`` already among the saved ones; downloads come in so."""
        return self._files.accept(arrived)


@contextlib.asynccontextmanager
async def open_tab(context: BrowserContext, order: TabSpec) -> AsyncGenerator[Tab]:
    """Open a tab for one task and close it at the end, whatever happens in between.

    Raises:
        SessionBrokenError: The browser opens no tab, or does not close this one in time.
    """
    machine = StateMachine(TAB, order.task.task_id, clock=order.clock, observe=order.observe)
    page = await _open(context)
    machine.fire(TabEvent.OPENED)
    try:
        tab = Tab(order, page, machine)
        yield tab
        if tab.status is not TabStatus.FAILED:
            tab.loaded()  # a page that was judged without work on it (not found, forbidden) was processed all the same
            machine.fire(TabEvent.DONE)
    except BaseException as error:
        if machine.can(TabEvent.BREAK):
            machine.fire(TabEvent.BREAK, cause=type(error).__name__)
            machine.fire(TabEvent.GIVE_UP)
        raise
    finally:
        await _close(page, machine)  # noqa: ASYNC102 - _close() shields itself, with a limit


async def _open(context: BrowserContext) -> Page:
    try:
        return await run_within(OPEN_LIMIT_S, context.new_page)
    except (PlaywrightError, TimeoutError) as error:
        msg = "the browser opens no more tabs"
        raise SessionBrokenError(msg) from error


async def _close(page: Page, machine: StateMachine[TabStatus, TabEvent]) -> None:
    machine.fire(TabEvent.CLOSE)
    try:
        with (
            anyio.CancelScope(shield=True),
            contextlib.suppress(PlaywrightError),  # a crashed tab or a dead browser: closed already
        ):
            await run_within(CLOSE_LIMIT_S, page.close)
    except TimeoutError as error:
        msg = f"the browser did not close a tab within {CLOSE_LIMIT_S:g} s"
        raise SessionBrokenError(msg) from error
    machine.fire(TabEvent.CLOSED)
