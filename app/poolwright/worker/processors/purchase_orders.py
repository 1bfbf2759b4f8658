"""Every attachment of one purchase order.

Open its page, classify it, find the files, fetch and check each of them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from types import MappingProxyType

import anyio
import anyio.lowlevel

from poolwright.domain.errors import unwrap_group
from poolwright.domain.outcomes import LoginCheck, Reason
from poolwright.domain.tasks import MissedFile, POTask, Report
from poolwright.portal import patterns
from poolwright.portal.pack import FieldRule
from poolwright.portal.triage import DEMANDS, Verdict
from poolwright.sdk.protocol import SessionLostError
from poolwright.worker.download.file_name import choose_file_name
from poolwright.worker.download.order_downloads import OrderDownloads
from poolwright.worker.download.staged_files import DownloadedFile
from poolwright.worker.errors import CannotProcessError, PortalBusyError, PortalUnreachableError
from poolwright.worker.page.page_activity import discard_unfollowed
from poolwright.worker.page.page_content import ELEMENT_COUNT_MAX, LINK_COUNT_MAX, PageContent, PageLink, ReadEnd
from poolwright.worker.page.popups import answer_dialogs
from poolwright.worker.page.request_guard import RequestGuard, guard_requests
from poolwright.worker.page.visit import Visit, visit
from poolwright.worker.tab import PortalContext, Tab
from poolwright.worker.transfer.content_disposition import NO_DISPOSITION

#: Nobody reads more of them; the manifest has all.
_TOLD_COUNT = 5
#: A text of so few bytes may be an answer of the portal that nobody knew as such.
_SHORT_BYTES = 1024
_PAGE_TYPES = frozenset({"text/html", "application/xhtml+xml"})


def drop_repeated_answers(fetched: Sequence[DownloadedFile | MissedFile]) -> list[DownloadedFile | MissedFile]:
    """The same, but for what can only be an answer of the portal and none of its files.

    That is a web page that came under several names, and a text that came for files of several kinds. Real files may
    well be there twice, and under two names; of short texts that are, it is told.
    """
    names = {(one.sha256, one.label) for one in fetched if isinstance(one, DownloadedFile)}
    kinds = {(one.sha256, one.media_type) for one in fetched if isinstance(one, DownloadedFile) and one.is_text}
    seen = _Seen(Counter(sha256 for sha256, _ in names), Counter(sha256 for sha256, _ in kinds))
    return [_judged(one, seen) for one in fetched]


@dataclass(frozen=True, slots=True)
class _Seen:
    """Under how many names, and for how many kinds of files, the same bytes came."""

    names: Counter[str]
    kinds: Counter[str]


def _judged(one: DownloadedFile | MissedFile, seen: _Seen) -> DownloadedFile | MissedFile:
    if isinstance(one, MissedFile) or seen.names[one.sha256] == 1:
        return one
    problem = ""
    if one.media_type in _PAGE_TYPES or one.is_page:
        problem = "the same web page was sent under several names, so it is not a file"
    elif seen.kinds[one.sha256] > 1:
        problem = "the same text was sent for files of several types, so it is not a file"
    if problem:
        return MissedFile(label=one.label, source_url=one.source_url, problem=problem, is_retryable=True)
    if not one.is_text or one.size_bytes > _SHORT_BYTES:
        return one
    note = (
        f"{one.label} holds the same {one.size_bytes:,} bytes as another file of the order: check whether it is a file."
    )
    return replace(one, notes=(*one.notes, note))


def summarize_files(arrived: Sequence[DownloadedFile], missed: Sequence[MissedFile]) -> str:
    """What a person should know of the files, in a line: what is missing, then what is odd."""
    problems = _shortened([f"{one.label}: {one.problem}" for one in missed])
    notes = _shortened([note for one in arrived for note in one.notes])
    return "; ".join((*problems, *(note.removesuffix(".") for note in notes)))


def _shortened(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:_TOLD_COUNT]
    if len(lines) > _TOLD_COUNT:
        yield f"and {len(lines) - _TOLD_COUNT:,} more"


#: Files of one order that run side by side: a third more orders a second on a slow line, nothing on a fast one.
PARALLEL_FILE_COUNT = 3
#: The rest of an order's time is for what comes after its files.
_PART_FOR_FILES = 0.95


@dataclass(slots=True, kw_only=True)
class DownloadResults:
    """What came of an order's links so far."""

    #: What each link brought, by its number on the page.
    fetched: dict[int, list[DownloadedFile | MissedFile]] = field(
        default_factory=dict[int, list[DownloadedFile | MissedFile]]
    )
    #: How often the portal was too busy.
    refusals: list[PortalBusyError] = field(default_factory=list[PortalBusyError])


async def process(tab: Tab, task: POTask) -> Report:
    """Bring every attachment of one order into the tab's staging folder.

    Raises:
        CannotProcessError: The pool has no portal.
        SessionLostError: The portal asks for a login.
    """
    desk = tab.portal_context
    if desk is None:
        raise CannotProcessError(
            "The processor po_attachments needs a portal, and this pool has none; give WorkerOptions a portal, "
            "or name a processor of your own."
        )
    begun = anyio.current_time()
    answer_dialogs(tab.page, desk.pack.attachments.dialogs)
    discard_unfollowed(tab.page)
    async with guard_requests(tab.page, desk.pack, desk.portal.base_url) as guard:
        return await _process_page(tab, task, desk, guard, until=begun + _time_for_files_s(task))


async def _process_page(tab: Tab, task: POTask, desk: PortalContext, guard: RequestGuard, *, until: float) -> Report:
    address = desk.pack.order_url(desk.portal.base_url, task.portal_number)
    base_url, number = desk.portal.base_url, task.portal_number
    found = await visit(tab.page, desk.pack, base_url, address, portal_number=number, guard=guard)
    if found.verdict is Verdict.RENEWED:
        desk.on_login_refreshed()
    tab.may_capture = found.reading.end is not ReadEnd.TOO_LARGE
    if found.verdict not in {Verdict.READY, Verdict.RENEWED} or not tab.may_capture:
        return _no_order_page(found)
    tab.loaded()
    if found.doubt:
        return Report(reason=Reason.PORTAL_CHANGED, detail=found.doubt, page_url=found.reading.url)
    guard.is_clicking = any(not link.address for link in found.reading.links)
    try:
        return await _fetch_listed(tab, task, desk, found.reading, until=until)
    except PortalUnreachableError as error:
        detail = f"The portal stopped answering while files were downloaded ({error})."
        return Report(reason=Reason.PORTAL_UNREACHABLE, detail=detail, page_url=found.reading.url)


async def _fetch_listed(tab: Tab, task: POTask, desk: PortalContext, reading: PageContent, *, until: float) -> Report:
    """Fetch what the page lists; what has not come when the time is over is missed, and the rest is kept."""
    fields = {name: _field_value(rule, reading.fields[name]) for name, rule in desk.pack.fields.items()}
    tab.staging.mkdir(parents=True, exist_ok=True)
    haul = DownloadResults()
    with anyio.CancelScope(deadline=until) as time:
        await _fetch_all(tab, task, reading.links, desk, haul)
    compared = drop_repeated_answers(_in_order(reading.links, haul, task, desk))
    arrived = [one for one in compared if isinstance(one, DownloadedFile)]
    if time.cancelled_caught and not arrived:
        detail = f"No file was downloaded within the order's time limit ({task.timeout_s:g} s)."
        return Report(reason=Reason.TASK_TIMEOUT, detail=detail, fields=fields, page_url=reading.url)
    for one in arrived:
        tab.accept(one)
        await anyio.lowlevel.checkpoint()  # of thousands, naming and moving takes seconds
    missed = [one for one in compared if isinstance(one, MissedFile)]
    is_time_left = not time.cancelled_caught
    if missed and is_time_left and not haul.refusals and await desk.verify_login() is LoginCheck.LOGGED_OUT:
        raise SessionLostError(f"the portal refuses {missed[0].label} and asks for a login")
    report = _conclude(arrived, missed, fields, reading.url)
    return _busy(report, haul.refusals) if haul.refusals else report


#: What the report says of a page that is not the order's.
_REASONS: Mapping[Verdict, tuple[Reason, str]] = MappingProxyType(
    {
        Verdict.BUSY: (Reason.PORTAL_BUSY, "The portal says that it is busy."),
        Verdict.FORBIDDEN: (Reason.NO_PERMISSION, "The portal says that this user may not see the order."),
        Verdict.NOT_FOUND: (Reason.PORTAL_SAYS_MISSING, "The portal says that there is no such order."),
        Verdict.PORTAL_ERROR: (Reason.PORTAL_ERROR, "The portal answered with an error."),
        Verdict.UNKNOWN: (Reason.PORTAL_CHANGED, "The page matches no rule of the portal pack."),
    }
)


def _no_order_page(found: Visit) -> Report:
    if found.verdict in DEMANDS:
        msg = f"the portal asks for {DEMANDS[found.verdict]} at {found.reading.url}"
        raise SessionLostError(msg)
    if found.reading.end is ReadEnd.TOO_LARGE:
        return Report(reason=Reason.GIVEN_UP, detail=_too_large(found.reading), page_url=found.reading.url)
    reason, said = _REASONS[found.verdict]
    what = f"status {found.status}" if found.status >= HTTPStatus.BAD_REQUEST else found.problem
    detail = f"{said} ({what})" if what else said
    return Report(reason=reason, detail=detail, page_url=found.reading.url, retry_after_s=found.retry_after_s)


def _too_large(reading: PageContent) -> str:
    """A page that no person could use, and that could end the browser."""
    if reading.link_count > LINK_COUNT_MAX:
        return f"The page shows {reading.link_count:,} files; at most {LINK_COUNT_MAX:,} are fetched for one order."
    return f"The page is too large to be read: more than {ELEMENT_COUNT_MAX:,} elements, or too many within each other."


def _busy(report: Report, refusals: Sequence[PortalBusyError]) -> Report:
    """What came is told too: it is all there is of an order one of whose files is always refused so."""
    waits_s = [error.retry_after_s for error in refusals if error.retry_after_s is not None]
    return replace(report, reason=Reason.PORTAL_BUSY, retry_after_s=max(waits_s, default=None))


def _time_for_files_s(task: POTask) -> float:
    """How long files may take, so that those that came are told before the order's time is over."""
    return math.inf if task.timeout_s is None else task.timeout_s * _PART_FOR_FILES


async def _fetch_all(
    tab: Tab, task: POTask, links: Sequence[PageLink], desk: PortalContext, haul: DownloadResults
) -> None:
    """All files of the page by their number on it, several side by side.

    One that the portal is too busy for does not keep the others from coming; a second one speaks for all that is left.
    """
    places = anyio.CapacityLimiter(PARALLEL_FILE_COUNT)

    async def fetch(files: OrderDownloads, number: int, link: PageLink) -> None:
        async with places:
            if len(haul.refusals) > 1:
                haul.fetched[number] = [_missed(link, desk, "it was not requested (the portal is busy)")]
                return
            try:
                haul.fetched[number] = await files.fetch(link, tab.staging / f"part-{number}")
            except PortalBusyError as error:
                haul.refusals.append(error)
                haul.fetched[number] = [_missed(link, desk, str(error))]

    try:
        async with desk.downloads.for_order(tab.page, task.portal_number) as files, anyio.create_task_group() as fetches:
            for number, link in enumerate(links):
                fetches.start_soon(fetch, files, number, link)
    except ExceptionGroup as group:
        raise unwrap_group(group, SessionLostError, PortalUnreachableError) from group


def _in_order(
    links: Sequence[PageLink], haul: DownloadResults, task: POTask, desk: PortalContext
) -> list[DownloadedFile | MissedFile]:
    """Every file in the order of the page, so that a second run names them the same."""
    late = f"no time was left for it within the order's limit of {task.timeout_s or 0:g} s"
    found = (haul.fetched.get(number) or [_missed(link, desk, late)] for number, link in enumerate(links))
    return [one for files in found for one in files]


def _missed(link: PageLink, desk: PortalContext, problem: str) -> MissedFile:
    label = choose_file_name(desk.pack.attachments.names, link.names, NO_DISPOSITION, (link.address,)).label
    return MissedFile(label=label, source_url=link.address, problem=problem, is_retryable=True)


def _field_value(rule: FieldRule, text: str) -> str:
    found = patterns.extract(rule.pattern, text) if rule.pattern and text else None
    return text if found is None else found


def _conclude(
    arrived: Sequence[DownloadedFile], missed: Sequence[MissedFile], fields: dict[str, str], page_url: str
) -> Report:
    detail = summarize_files(arrived, missed)
    reason = _reason(len(arrived), missed)
    return Report(reason=reason, detail=detail, fields=fields, missed=tuple(missed), page_url=page_url)


def _reason(saved_count: int, missed: Sequence[MissedFile]) -> Reason:
    can_retry = any(one.is_retryable for one in missed)
    if not missed:
        return Reason.ALL_SAVED if saved_count else Reason.NONE_LISTED
    if saved_count:
        return Reason.SOME_FILES_FAILED if can_retry else Reason.SOME_FILES_REFUSED
    return Reason.DOWNLOAD_FAILED if can_retry else Reason.DOWNLOAD_REFUSED
