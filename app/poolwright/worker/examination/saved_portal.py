"""Judges saved pages again without a portal: the browser answers every request with what was saved, or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urldefrag

import anyio
import anyio.to_thread
from playwright.async_api import BrowserContext, Route
from playwright.async_api import Error as PlaywrightError

from poolwright.domain.errors import OptionsError
from poolwright.ipc.channel import Channel
from poolwright.ipc.child import Outbox
from poolwright.ipc.messages import Configure, Examined, PageToExamine, Ready, ToWorker
from poolwright.portal import pack as packs
from poolwright.portal.examination.page_examination import PageExamination, SelectorFinding
from poolwright.portal.examination.saved_page import FACTS_NAME, SavedDocument, SavedPage, read_saved_page
from poolwright.portal.pack import Pack
from poolwright.portal.page_facts import PageFacts
from poolwright.portal.triage import classify_visit
from poolwright.portal.triage_marks import PageKind
from poolwright.worker.browser.driver_start import DriverStart
from poolwright.worker.browser.launcher import BROWSER_CLOSE_LIMIT_S, launch_browser, open_driver
from poolwright.worker.errors import CannotLogInError, first_line, raise_if_closed
from poolwright.worker.examination.page_survey import VisitedPage, conclude_examination
from poolwright.worker.page.devtools import PageNavigatedError
from poolwright.worker.page.page_content import PageContent, ReadEnd
from poolwright.worker.page.popups import answer_dialogs
from poolwright.worker.page.selector_matches import count_matches
from poolwright.worker.page.visit import Visit, read_again, verdict_without_page
from poolwright.worker.profile_setup import session_view

#: What a frame gets whose content was not saved; it is of the same origin as before.
_EMPTY = "<!DOCTYPE html><html><body></body></html>"
#: Small files in place of those that a viewer showed.
_FILES: Mapping[str, bytes] = MappingProxyType({"application/pdf": b"%PDF-1.4\n%%EOF\n", "text/plain": b" "})
#: Pages are saved without scripts; this stops what a page may hold besides.
_HEADERS = MappingProxyType(
    {"content-type": "text/html; charset=utf-8", "content-security-policy": "script-src 'none'"}
)


class SavedPortal:
    """Answers the requests of a browser with one saved page."""

    def __init__(self, saved: SavedPage, folder: Path) -> None:
        """Answer with the documents of a page.

        Args:
            saved: The page.
            folder: The folder of its files.
        """
        self._saved = saved
        self._folder = folder
        self._documents = {document.address: document for document in reversed(saved.documents)}
        #: The page itself may have been saved under the address that scripts gave it.
        self._main = saved.documents[0] if saved.documents else None

    async def answer(self, route: Route) -> None:
        """Answer a request of the browser; nothing leaves the machine."""
        request = route.request
        with contextlib.suppress(PlaywrightError):  # the page closed, and its requests with it
            if request.resource_type != "document":
                await route.abort()
            elif request.is_navigation_request() and request.frame.parent_frame is None:
                await self._answer_page(route)
            else:
                await self._answer_frame(route, self._documents.get(urldefrag(request.url).url))

    async def _answer_page(self, route: Route) -> None:
        if self._main is None or urldefrag(route.request.url).url != urldefrag(self._saved.url).url:
            await route.abort()
            return
        status = self._saved.status or HTTPStatus.OK
        await _send_html(route, await self._read(self._main), status)

    async def _answer_frame(self, route: Route, document: SavedDocument | None) -> None:
        if document is None:
            await _send_html(route, _EMPTY)
        elif not document.media_type:
            await route.fulfill(status=HTTPStatus.NO_CONTENT)
        elif document.file:
            await _send_html(route, await self._read(document))
        else:
            body = _FILES.get(document.media_type, b" ")
            await route.fulfill(status=HTTPStatus.OK, content_type=document.media_type, body=body)

    async def _read(self, document: SavedDocument) -> str:
        """Return the HTML of a document; the file lies in the folder, whatever its name says."""
        path = self._folder / Path(document.file).name
        return await anyio.Path(path).read_text(encoding="utf-8", errors="replace")


async def _send_html(route: Route, body: str, status: int = HTTPStatus.OK) -> None:
    await route.fulfill(status=status, headers=dict(_HEADERS), body=body)


async def replay_pages(
    channel: Channel[ToWorker],
    configure: Configure,
    outbox: Outbox,
    clock: Callable[[], datetime],
    driver_start: DriverStart,
) -> None:
    """Judge the saved pages of a plan by the pack, and send ``Ready`` at the end.

    Raises:
        CannotStartError: The browser does not start.
        CannotLogInError: There is no pack or no plan.
    """
    del channel  # nobody asks anything meanwhile
    portal, plan = configure.options.portal, configure.examination
    if portal is None or plan is None:
        msg = "There is no portal pack for the saved pages."
        raise CannotLogInError(msg)
    pack = packs.parse_json(portal.pack_json)
    async with _offline_browser(configure, driver_start) as context:
        for wanted in plan.pages:
            problem = await _replay(context, pack, wanted)
            outbox.send(Examined, number=wanted.number, problem=problem)
        outbox.send(Ready, session=session_view(outbox.worker, clock()))


@contextlib.asynccontextmanager
async def _offline_browser(configure: Configure, driver_start: DriverStart) -> AsyncGenerator[BrowserContext]:
    paths, options = configure.paths, configure.options.browser
    async with open_driver(driver_start) as playwright:
        context = await launch_browser(
            playwright, options, Path(paths.profile_path), Path(paths.staging_path) / "browser"
        )
        try:
            yield context
        finally:
            with anyio.move_on_after(BROWSER_CLOSE_LIMIT_S, shield=True), contextlib.suppress(PlaywrightError):
                await context.close()


async def _replay(context: BrowserContext, pack: Pack, wanted: PageToExamine) -> str:
    """Judge one saved page and write what is found; return the problem, or an empty text."""
    source = Path(wanted.saved_path)
    try:
        saved = await anyio.to_thread.run_sync(read_saved_page, source)
        examination = await examine_saved(context, pack, saved, source)
    except TimeoutError:
        return "The saved page could not be read in time."
    except (OptionsError, OSError) as error:
        return str(error)
    except (PageNavigatedError, PlaywrightError) as error:
        if isinstance(error, PlaywrightError):
            raise_if_closed(error)
        return f"The saved page could not be read ({first_line(error)})."
    replayed = saved.model_copy(update={"examination": examination})
    await anyio.Path(wanted.folder).mkdir(parents=True, exist_ok=True)
    await anyio.Path(wanted.folder, FACTS_NAME).write_text(replayed.model_dump_json(indent=2), encoding="utf-8")
    return ""


async def examine_saved(context: BrowserContext, pack: Pack, saved: SavedPage, folder: Path) -> PageExamination:
    """Return what a pack finds on a saved page.

    Args:
        context: The browser; its requests are answered with the page.
        pack: The pack, perhaps a newer one than that by which the page was saved.
        saved: The page.
        folder: The folder of its files.

    Raises:
        playwright.async_api.Error: The page cannot be shown.
        TimeoutError: It hangs.
    """
    number = saved.portal_number or None
    earlier = PageFacts(
        url=saved.url,
        status=saved.status,
        passed=saved.passed,
        kind=PageKind.PROBE if number is None else PageKind.ORDER,
        dialogs=saved.dialogs,
        answers=saved.answers,
        has_routes=pack.is_hash_routed,
    )
    if not saved.documents:
        return _judge_without_page(pack, saved, earlier)
    portal, page = SavedPortal(saved, folder), await context.new_page()
    try:
        await page.route("**/*", portal.answer)
        answer_dialogs(page, pack.attachments.dialogs)
        found = await read_again(page, pack, saved.base_url, earlier, answered=saved.answered, portal_number=number)
        selectors = await count_matches(page, pack, lambda url: pack.may_fetch(saved.base_url, url))
    finally:
        with anyio.CancelScope(shield=True), contextlib.suppress(PlaywrightError):
            await page.close()
    return _conclude(pack, saved, found, selectors)


def _judge_without_page(pack: Pack, saved: SavedPage, earlier: PageFacts) -> PageExamination:
    """Return the findings about a visit that brought no page: its address and its status decide alone."""
    number = saved.portal_number or None
    verdict = classify_visit(pack, saved.base_url, earlier, portal_number=number)
    ended = Visit(
        reading=PageContent(url=saved.url, end=ReadEnd(saved.examination.end)),
        verdict=verdict_without_page(verdict) if saved.examination.problem else verdict,
        status=saved.status,
        problem=saved.examination.problem,
        facts=earlier,
    )
    return _conclude(pack, saved, ended, ())


def _conclude(pack: Pack, saved: SavedPage, found: Visit, selectors: tuple[SelectorFinding, ...]) -> PageExamination:
    page = VisitedPage(
        portal_number=saved.portal_number, opened=saved.examination.opened, visit=found, selectors=selectors
    )
    return conclude_examination(pack, saved.base_url, page)
