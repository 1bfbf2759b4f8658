"""One short-lived tab: opened for one task, always closed, with the portal context that its processor uses.

A custom processor sees it as ``poolwright.Tab``; the built-in ones also use its staging folder and its portal context.
The tab is closed when the processor returns, raises or runs out of time.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import anyio
import anyio.to_thread
from playwright.async_api import BrowserContext, Page
from playwright.async_api import Error as PlaywrightError

from poolwright.concurrency import run_within
from poolwright.domain.ids import TaskId
from poolwright.domain.options import BrowserOptions, PageEvidence, PortalOptions, WorkerOptions
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
from poolwright.worker.page.good_page import GoodPage
from poolwright.worker.page.page_activity import is_followed
from poolwright.worker.page.traffic import keep_subscribed


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalContext:
    """The portal's rules, downloads and login check, shared by all tasks of a session."""

    pack: Pack
    portal: PortalOptions
    downloads: SessionDownloads
    #: Called at once when a visit passed the portal's login page.
    on_login_refreshed: Callable[[], None]
    #: Checks whether the session is logged in: a lost login may be the cause if the portal refuses a file.
    check_login: Callable[[], Awaitable[LoginCheck]]
    #: The last good page of the portal; ``None`` where none is kept.
    good_page: GoodPage | None = None
    #: How the page of each order is filed; an earlier browser with windows prints no PDF.
    page_evidence: PageEvidence = PageEvidence.OFF
    is_headless: bool = True
    #: The languages that the browser asks for; empty if they are not known.
    languages: str = ""


def _ignore() -> None:
    """Ignore the event."""


async def _unclear() -> LoginCheck:
    """Return ``UNCLEAR``: there is no portal to ask."""
    return LoginCheck.UNCLEAR


@contextlib.asynccontextmanager
async def open_portal_context(  # noqa: PLR0913 - each is given by its caller alone
    probe: PortalProbe | None,
    context: BrowserContext,
    user_agent: str,
    on_login_refreshed: Callable[[], None] = _ignore,
    check_login: Callable[[], Awaitable[LoginCheck]] = _unclear,
    options: WorkerOptions | None = None,
    *,
    languages: str = "",
) -> AsyncGenerator[PortalContext | None]:
    """Open the portal context of a session; ``None`` in a pool without a portal.

    Args:
        probe: The probe of the portal, if there is one.
        context: The browser whose cookies the downloads use.
        user_agent: The browser's User-Agent.
        on_login_refreshed: Called at once when a visit passed the portal's login page.
        check_login: Checks whether the session is logged in.
        options: Size limits, proxy and certificates of the downloads; the defaults if ``None``.
        languages: The languages that the browser asks for.
    """
    if probe is None:
        yield None
        return
    worker_options = options or WorkerOptions(browser=BrowserOptions())
    async with open_session_downloads(
        probe, context, user_agent, worker_options.sizes, worker_options.browser
    ) as downloads:
        yield PortalContext(
            pack=probe.pack,
            portal=probe.portal,
            downloads=downloads,
            on_login_refreshed=on_login_refreshed,
            check_login=check_login,
            page_evidence=worker_options.page_evidence,
            is_headless=worker_options.browser.headless_mode,
            languages=languages,
        )


#: A tab closes in 10 to 50 ms; one that needs longer than this hangs with its browser.
CLOSE_LIMIT_S = 5.0
#: A tab opens in 60 to 200 ms on a busy machine.
OPEN_LIMIT_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TabSpec:
    """The task of a tab and all that the tab needs for it."""

    task: POTask
    window_handle: str
    #: Folder of this attempt; created by the tab.
    staging: Path
    clock: Callable[[], datetime]
    observe: Callable[[Transition], None]
    #: ``None`` in a pool without a portal.
    portal_context: PortalContext | None = None


class Tab:
    """A page of the browser with its lifecycle and the staging folder of its files."""

    def __init__(self, spec: TabSpec, page: Page, machine: StateMachine[TabStatus, TabEvent]) -> None:
        """Take over ``page``; created by ``open_tab``."""
        self.page = page
        self.window_handle = spec.window_handle
        self.task_id: TaskId = spec.task.task_id
        self.po_number = spec.task.po_number
        self.creation_time = spec.clock()
        self.staging = spec.staging
        #: Used by the processor for purchase orders; ``None`` in a pool without a portal.
        self.portal_context = spec.portal_context
        self._files = StagedFiles(spec.staging)
        self._evidence = Evidence(spec.staging)
        self._page_evidence: FetchedFile | None = None
        self._machine = machine
        self.crashed = anyio.Event()
        #: Whether evidence of the page may be saved; for a page that is too large it would take all memory.
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
        """Return the files of this attempt so far, oldest first."""
        return self._files.saved

    @property
    def page_evidence(self) -> FetchedFile | None:
        """Return the page of the order among the staged files; ``None`` if it is not filed."""
        return self._page_evidence

    @property
    def evidence_files(self) -> tuple[str, ...]:
        """Return the file names of the evidence so far."""
        return self._evidence.names

    def loaded(self) -> None:
        """Record that the page is classified and work on it begins; a further call has no effect."""
        if self._machine.can(TabEvent.LOADED):
            self._machine.fire(TabEvent.LOADED)

    def on_window_flood(self) -> None:
        """End the task of a page that opens windows without end, unless the downloader of a click handles it.

        The downloader closes such a page. The windows that it opened before may be told after that.
        """
        if not is_followed(self.page) and not self.page.is_closed():
            self.flooded.set()

    def mark_failed(self, cause: str) -> None:
        """Record that the task failed (time limit, crash, error of its processor); the tab can only be closed."""
        self._machine.fire(TabEvent.BREAK, cause=cause)
        self._machine.fire(TabEvent.GIVE_UP)

    async def save(self, name: str, content: bytes) -> FetchedFile:
        """Save a file of the task.

        Args:
            name: The wanted name. A name that some system does not allow is changed, a name in use gets a number, and
                a name without an ending gets the ending of its content.
            content: The whole content.

        Returns:
            The file as the report will list it, with its name, SHA-256 and media type.

        Raises:
            BadFileError: It is empty, or does not match its name: a login page named ``.pdf``, a PDF that is cut short.
            OSError: The disk is full or not writable.
        """
        return await self._files.write(name, content, self.page.url)

    async def evidence(self, name: str = "page") -> tuple[str, ...]:
        """Save a screenshot and the HTML of the page; see ``poolwright.sdk.Tab``."""
        if self._evidence.call_count >= EVIDENCE_MAX_COUNT:
            return ()
        return await self._evidence.save_screenshot_and_html(self.page, name)

    async def add_evidence(self, sources: Sequence[Path], name: str) -> None:
        """Add copies of files to the evidence; one that cannot be copied is left out."""
        await self._evidence.add_copies(sources, name)

    async def add_evidence_text(self, name: str, text: str) -> None:
        """Add a text to the evidence; one that cannot be written is left out."""
        await self._evidence.add_text(name, text)

    async def capture_failure(self) -> None:
        """Save evidence after a failure, however much was saved before."""
        await self._evidence.save_screenshot_and_html(self.page, "page")

    def accept(self, downloaded: DownloadedFile) -> FetchedFile:
        """Add a downloaded file, which is in ``staging`` already, to the saved files, and return it."""
        return self._files.accept(downloaded)

    async def accept_page(self, captured: DownloadedFile) -> None:
        """Add the captured page of the order, which is in ``staging``, under a name that no file has.

        Raises:
            OSError: The disk is not writable.
        """
        self._page_evidence = await anyio.to_thread.run_sync(self._files.place, captured)


@contextlib.asynccontextmanager
async def open_tab(context: BrowserContext, spec: TabSpec) -> AsyncGenerator[Tab]:
    """Open a tab for one task, and close it at the end in every case.

    Raises:
        SessionBrokenError: The browser opens no tab, or does not close this tab in time.
    """
    machine = StateMachine(TAB, spec.task.task_id, clock=spec.clock, observe=spec.observe)
    page = await _open(context)
    keep_subscribed(page)
    machine.fire(TabEvent.OPENED)
    try:
        tab = Tab(spec, page, machine)
        yield tab
        if tab.status is not TabStatus.FAILED:
            tab.loaded()  # a page without work on it (not found, forbidden) is processed too
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
        msg = "the browser cannot open another tab"
        raise SessionBrokenError(msg) from error


async def _close(page: Page, machine: StateMachine[TabStatus, TabEvent]) -> None:
    machine.fire(TabEvent.CLOSE)
    try:
        with (
            anyio.CancelScope(shield=True),
            contextlib.suppress(PlaywrightError),  # the tab crashed or the browser died: it is closed already
        ):
            await run_within(CLOSE_LIMIT_S, page.close)
    except TimeoutError as error:
        msg = f"the browser did not close a tab within {CLOSE_LIMIT_S:g} s"
        raise SessionBrokenError(msg) from error
    machine.fire(TabEvent.CLOSED)
