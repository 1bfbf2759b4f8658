"""Further pages with files of an order (``sources`` of a pack), such as its requisition or its contract."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

import anyio
from playwright.async_api import BrowserContext, Page
from playwright.async_api import Error as PlaywrightError

from poolwright.domain.tasks import MissedFile
from poolwright.portal.pack import Pack
from poolwright.portal.step_schema import FurtherSource, SourceTrigger
from poolwright.portal.triage import DEMANDS, Verdict
from poolwright.sdk.protocol import SessionLostError
from poolwright.worker.download.staged_files import DownloadedFile
from poolwright.worker.errors import first_line, raise_if_closed
from poolwright.worker.page.element_finder import ElementAction, ElementFinder, ElementQuery
from poolwright.worker.page.page_activity import discard_unfollowed, ignore_failure
from poolwright.worker.page.page_content import PageContent, ReadEnd
from poolwright.worker.page.popups import answer_dialogs, window_cleanup
from poolwright.worker.page.request_guard import guard_requests
from poolwright.worker.page.traffic import watch_traffic
from poolwright.worker.page.visit import Visit, visit
from poolwright.worker.processors.order_visit import IS_SHOWN

_PDF = "application/pdf"
#: What is told of a page that does not show its files; whether another try can help.
_PROBLEMS: Mapping[Verdict, tuple[str, bool]] = {
    Verdict.BUSY: ("the portal is busy", True),
    Verdict.FORBIDDEN: ("this user has no permission to see it", False),
    Verdict.NOT_FOUND: ("the portal has no such page", False),
    Verdict.PORTAL_ERROR: ("the portal answered with an error", True),
    Verdict.UNKNOWN: ("the page matches no rule of the portal pack", True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePage:
    """A further page that shows its list."""

    page: Page
    reading: PageContent
    pack: Pack


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceProblem:
    """Why a further page shows no files."""

    text: str
    #: Whether another try can help.
    is_retryable: bool
    #: Whether the portal has no such page.
    is_absent: bool = False

    def to_missed(self, source: FurtherSource, address: str) -> MissedFile:
        """Return it as a file that was missed: nobody knows how many there are."""
        return MissedFile(label=source.name, source_url=address, problem=self.text, is_retryable=self.is_retryable)


def is_wanted(trigger: SourceTrigger, files: Sequence[DownloadedFile | MissedFile]) -> bool:
    """Return whether a further page is read after these files of the order. Pure."""
    if trigger is SourceTrigger.ALWAYS:
        return True
    if trigger is SourceTrigger.NONE:
        return not files
    types = [file.media_type for file in files if isinstance(file, DownloadedFile)]
    return _PDF not in types and not any(file.label.lower().endswith(".pdf") for file in files)


def too_many_or_none(source: FurtherSource, addresses: Sequence[str]) -> list[MissedFile]:
    """Return what is missing because the order's page has no link to a source, or more than are followed. Pure."""
    problem = ""
    if not addresses and source.required:
        problem = f"the order's page has no link to it ({source.follow!r})"
    if len(addresses) > source.max:
        problem = f"the order's page has {len(addresses)} links to it; at most {source.max} are followed (max)"
    if not problem:
        return []
    return [MissedFile(label=source.name, source_url="", problem=problem, is_retryable=False)]


class FurtherSources:
    """The further pages of one order."""

    def __init__(self, pack: Pack, base_url: str, portal_number: str, context: BrowserContext) -> None:
        """Prepare them; no page is opened yet.

        Args:
            pack: The rules for the order's page.
            base_url: The address of the portal.
            portal_number: The order.
            context: The browser.
        """
        self._pack = pack
        self._base_url = base_url
        self._number = portal_number
        self._context = context

    async def find_addresses(self, page: Page, sources: Sequence[FurtherSource]) -> dict[str, list[str]]:
        """Return the addresses of each source by its name, as the order's page shows them; empty ones for buttons.

        Raises:
            playwright.async_api.Error: The page crashed or was closed.
            TimeoutError: The page's main thread hangs.
        """
        addresses = dict[str, list[str]]()
        with watch_traffic(page) as traffic:
            finder = ElementFinder(page, traffic, self._pack, self._base_url)
            for source in sources:
                if source.follow is None:
                    own = self._pack.page_at(source.address or "")
                    addresses[source.name] = [own.order_url(self._base_url, self._number)]
                    continue
                query = ElementQuery(
                    selector=source.follow,
                    text=source.text,
                    action=ElementAction.ADDRESSES,
                    stops_when_quiet=True,
                    shows_hidden=True,
                )
                addresses[source.name] = list(dict.fromkeys((await finder.find(query)).addresses))
        return addresses

    @contextlib.asynccontextmanager
    async def opened(self, source: FurtherSource, address: str) -> AsyncGenerator[SourcePage | SourceProblem]:
        """Open one further page for the block, in a guarded tab of its own.

        Raises:
            SessionLostError: The portal asks for a login.
        """
        path = self._pack.path_below(self._base_url, address)
        if path is None:
            told = f"its link leads to {address}" if address else "its link has no address"
            yield SourceProblem(text=f"{told}; it must be a page of the portal", is_retryable=False)
            return
        pack = self._pack.page_at(path, source.attachments, source.ready)
        page = await self._context.new_page()
        answer_dialogs(page, pack.attachments.dialogs)
        discard_unfollowed(page)
        flood = anyio.Event()  # never awaited: the limits of the page end the wait
        try:
            async with window_cleanup(page, flood.set), guard_requests(page, pack, self._base_url) as guard:
                try:
                    visited = await visit(page, pack, self._base_url, address, portal_number=self._number, guard=guard)
                except (PlaywrightError, TimeoutError) as error:
                    raise_if_closed(error)
                    yield SourceProblem(text=f"it could not be opened ({first_line(error)})", is_retryable=True)
                    return
                guard.is_clicking = any(not link.address for link in visited.reading.links)
                yield _problem(visited) or SourcePage(page=page, reading=visited.reading, pack=pack)
        finally:
            with anyio.CancelScope(shield=True):
                await ignore_failure(page.close)


def _problem(visited: Visit) -> SourceProblem | None:
    if visited.verdict in DEMANDS:
        msg = f"the portal asks for {DEMANDS[visited.verdict]} at {visited.reading.url}"
        raise SessionLostError(msg)
    if visited.reading.end is ReadEnd.TOO_LARGE:
        return SourceProblem(text="it is too large to be read", is_retryable=False)
    if visited.verdict not in IS_SHOWN:
        text, is_retryable = _PROBLEMS[visited.verdict]
        status = f" (status {visited.status})" if visited.status >= HTTPStatus.BAD_REQUEST else ""
        is_absent = visited.verdict is Verdict.NOT_FOUND
        return SourceProblem(text=f"{text}{status}", is_retryable=is_retryable, is_absent=is_absent)
    return SourceProblem(text=visited.doubt.removesuffix("."), is_retryable=True) if visited.doubt else None
