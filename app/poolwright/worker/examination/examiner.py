"""Examines orders of a portal for the author of its pack: opens each as a run does, and writes what is found.

The read-only guard of a run is on. What is found is written to folders of the supervisor, because a page may be larger
than a message.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import anyio
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page
from playwright.async_api import TimeoutError as PlaywrightTimeoutError

from poolwright.domain.ids import TaskId
from poolwright.domain.tasks import POTask
from poolwright.ipc.channel import Channel
from poolwright.ipc.child import Outbox
from poolwright.ipc.messages import Configure, ExaminationPlan, Examined, PageToExamine, Ready, ToWorker
from poolwright.portal import pack as packs
from poolwright.portal.examination.page_examination import SelectorFinding
from poolwright.portal.examination.saved_page import FACTS_NAME, SavedDocument, SavedPage
from poolwright.portal.examination.secret_filter import SecretFilter
from poolwright.portal.pack import Pack
from poolwright.worker.browser.cookie_snapshot import CookieSnapshot
from poolwright.worker.browser.driver_start import DriverStart
from poolwright.worker.errors import CannotLogInError, first_line, raise_if_closed
from poolwright.worker.examination.page_copy import save_page
from poolwright.worker.examination.page_survey import VisitedPage, conclude_examination
from poolwright.worker.login.login_flow import Credentials
from poolwright.worker.login.portal_probe import PortalProbe
from poolwright.worker.page.devtools import PageNavigatedError
from poolwright.worker.page.page_activity import discard_unfollowed
from poolwright.worker.page.page_content import ReadEnd, may_read_frame
from poolwright.worker.page.popups import answer_dialogs
from poolwright.worker.page.reachability import remedy
from poolwright.worker.page.request_guard import RequestGuard, guard_requests
from poolwright.worker.page.selector_matches import count_matches
from poolwright.worker.page.visit import Visit, visit
from poolwright.worker.processors.order_visit import OrderVisit, visit_order
from poolwright.worker.session import BrowserSession, SessionSpec, open_session


class Examiner:
    """Examines pages in the tabs of one session."""

    def __init__(self, session: BrowserSession, probe: PortalProbe) -> None:
        """Examine pages of the portal of ``probe``."""
        self._session = session
        self._pack = probe.pack
        self._base_url = probe.portal.base_url

    @property
    def base_url(self) -> str:
        """Return the address of the portal."""
        return self._base_url

    @contextlib.asynccontextmanager
    async def examine(self, wanted: PageToExamine) -> AsyncGenerator[Page]:
        """Open a page, write what is found on it, and leave it open, guarded, for the block.

        Raises:
            playwright.async_api.Error: No response came, or the page crashed or was closed.
            TimeoutError: The page's main thread hangs.
            OSError: The folder cannot be written.
        """
        page = await self._session.driver.new_page()
        answer_dialogs(page, self._pack.attachments.dialogs)
        discard_unfollowed(page)
        try:
            async with guard_requests(page, self._pack, self._base_url) as guard:
                await self._examine(page, wanted, guard)
                yield page
        finally:
            with anyio.CancelScope(shield=True), contextlib.suppress(PlaywrightError):
                await page.close()

    async def _examine(self, page: Page, wanted: PageToExamine, guard: RequestGuard) -> None:
        pack, opened, page_visit = await self._visit(page, wanted, guard)
        cookies = await self._session.driver.cookies()
        secrets = SecretFilter([str(cookie.get("value", "")) for cookie in cookies])
        folder = Path(wanted.folder)
        await anyio.Path(folder).mkdir(parents=True, exist_ok=True)
        selectors, documents = await self._look(page, page_visit, folder, secrets)
        examined = VisitedPage(
            portal_number=wanted.portal_number, opened=opened, visit=page_visit, selectors=selectors, guard=guard
        )
        examination = conclude_examination(pack, self._base_url, examined)
        saved = SavedPage(
            pack=self._pack.name,
            base_url=self._base_url,
            number=wanted.number,
            portal_number=wanted.portal_number,
            url=examination.url,
            status=page_visit.status,
            passed=examination.passed,
            answered=page_visit.answered,
            dialogs=tuple(page_visit.facts.dialogs),
            answers=tuple(page_visit.facts.answers),
            documents=documents,
            examination=examination,
        )
        content = secrets.clean(saved.model_dump_json(indent=2))
        await anyio.Path(folder / FACTS_NAME).write_text(content, encoding="utf-8", errors="replace")

    async def _visit(self, page: Page, wanted: PageToExamine, guard: RequestGuard) -> tuple[Pack, str, Visit]:
        """Open a page as a run does; return the rules for it, its address and the visit. Some orders are searched."""
        pack, base_url, number = self._pack, self._base_url, wanted.portal_number or None
        if number is None or pack.site.find is None:
            opened = pack.order_url(base_url, number) if number else base_url + pack.site.probe
            return pack, opened, await visit(page, pack, base_url, opened, portal_number=number, guard=guard)
        task = POTask(task_id=TaskId(number), po_number=wanted.number, portal_number=number)
        found = await visit_order(page, pack, base_url, task, guard)
        if isinstance(found, OrderVisit):
            return found.pack, found.pack.order_url(base_url, number), found.visit
        opened = page.url  # the page of the search, which does not lead to one order
        shown = await visit(page, pack, base_url, opened, guard=guard, is_any_page=True)
        return pack, opened, replace(shown, doubt=found.detail)

    async def _look(
        self, page: Page, page_visit: Visit, folder: Path, secrets: SecretFilter
    ) -> tuple[tuple[SelectorFinding, ...], tuple[SavedDocument, ...]]:
        """Return what the selectors match and the saved documents; both are empty if no page can be read."""
        if page_visit.problem or page_visit.reading.end is ReadEnd.TOO_LARGE:
            return (), ()
        selectors = await count_matches(page, self._pack, self._may_read)
        return selectors, await save_page(page, self._pack, self._may_read, folder, secrets)

    def _may_read(self, url: str) -> bool:
        return may_read_frame(self._pack, self._base_url, url)


async def examine_pages(
    channel: Channel[ToWorker],
    configure: Configure,
    outbox: Outbox,
    clock: Callable[[], datetime],
    driver_start: DriverStart,
) -> None:
    """Examine the pages of a plan, log in if the portal asks for it, and send ``Ready`` at the end.

    Raises:
        CannotStartError: The browser does not start.
        CannotLogInError: The portal asks for a login, and no login step succeeded.
        PortalDownError: The portal does not answer.
        EndOfStream: The supervisor is gone.
    """
    portal, plan = configure.options.portal, configure.examination
    if portal is None or plan is None:
        msg = "There is no portal to be examined."
        raise CannotLogInError(msg)
    probe = PortalProbe(pack=packs.parse_json(portal.pack_json), portal=portal)
    spec = SessionSpec(
        worker_id=outbox.worker.worker_id,
        browser=configure.options.browser,
        profile_path=Path(configure.paths.profile_path),
        downloads_path=Path(configure.paths.staging_path) / "browser",
        clock=clock,
        observe=lambda _: None,
        notify=outbox.report_status,
    )
    async with open_session(spec, probe, driver_start) as session:
        examiner = Examiner(session, probe)
        for wanted in plan.pages[:-1]:
            await _examine_one(examiner, wanted, session, configure, outbox)
        await _examine_last(examiner, plan, session, configure, outbox, channel)


async def _examine_one(
    examiner: Examiner, wanted: PageToExamine, session: BrowserSession, configure: Configure, outbox: Outbox
) -> None:
    async with _examined(examiner, wanted, session, configure, outbox):
        pass


async def _examine_last(
    examiner: Examiner,
    plan: ExaminationPlan,
    session: BrowserSession,
    configure: Configure,
    outbox: Outbox,
    channel: Channel[ToWorker],
) -> None:
    async with _examined(examiner, plan.pages[-1], session, configure, outbox) as page:
        outbox.send(Ready, session=session.view())
        if plan.stays_open and page is not None:
            await _wait_until_closed(page, channel)


@contextlib.asynccontextmanager
async def _examined(
    examiner: Examiner, wanted: PageToExamine, session: BrowserSession, configure: Configure, outbox: Outbox
) -> AsyncGenerator[Page | None]:
    """Examine a page and report it; yield the page, ``None`` if it could not be opened.

    The probe page is examined before any login, so that the author sees what the portal shows to a stranger.
    """
    async with contextlib.AsyncExitStack() as stack:
        page, problem = None, ""
        if wanted.portal_number and not session.login.is_logged_in:
            await session.login.ensure_logged_in(_credentials(configure))
        try:
            page = await stack.enter_async_context(examiner.examine(wanted))
        except (TimeoutError, PlaywrightTimeoutError):
            problem = "The page did not come in time, or hangs."
        except (PageNavigatedError, PlaywrightError) as error:
            if isinstance(error, PlaywrightError):
                raise_if_closed(error)
            step = remedy(first_line(error), examiner.base_url)
            problem = f"The page could not be read ({first_line(error)}){f': {step}' if step else ''}."
        outbox.send(Examined, number=wanted.number, problem=problem)
        yield page


def _credentials(configure: Configure) -> Credentials:
    login_path = configure.paths.kept_login_path
    return Credentials(
        one_time_code=configure.one_time_code,
        snapshot=CookieSnapshot(Path(login_path)) if login_path else None,
        profile_name=configure.paths.profile_name,
        is_headed=not configure.options.browser.headless_mode,
    )


async def _wait_until_closed(page: Page, channel: Channel[ToWorker]) -> None:
    """Wait until the person closes the page, or until the supervisor sends any message.

    Raises:
        EndOfStream: The supervisor is gone.
    """
    closed = anyio.Event()
    page.on("close", lambda _: closed.set())
    page.context.on("close", lambda _: closed.set())
    if page.is_closed():
        return

    async def wait_for_message() -> None:
        await channel.receive()
        closed.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait_for_message)
        await closed.wait()
        tasks.cancel_scope.cancel()
