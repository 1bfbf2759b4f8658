"""The processor for purchase orders: opens the page of an order, and downloads and checks each attachment."""

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
from poolwright.portal.triage import DEMANDS, Verdict, describe_documents
from poolwright.sdk.protocol import SessionLostError
from poolwright.worker.download.order_downloads import OrderDownloads, missed_file
from poolwright.worker.download.staged_files import DownloadedFile
from poolwright.worker.errors import CannotProcessError, PortalBusyError, PortalUnreachableError
from poolwright.worker.page.page_activity import discard_unfollowed
from poolwright.worker.page.page_content import ELEMENT_COUNT_MAX, LINK_COUNT_MAX, PageContent, PageLink, ReadEnd
from poolwright.worker.page.popups import answer_dialogs
from poolwright.worker.page.request_guard import RequestGuard, guard_requests
from poolwright.worker.page.visit import Visit, visit
from poolwright.worker.tab import PortalContext, Tab
from poolwright.worker.transfer.received_file import PAGE_TYPES

#: Most problems or notes in a sentence; the manifest has all.
_LISTED_COUNT_MAX = 5
#: A text of so few bytes may be an error message of the portal that no check recognised.
_SHORT_BYTES = 1024


def drop_repeated_answers(fetched: Sequence[DownloadedFile | MissedFile]) -> list[DownloadedFile | MissedFile]:
    """Return the files, with those replaced that can only be a message of the portal.

    Those are a web page that came under several names, and a text that came for files of several types. A real file may
    come twice, and under two names; a short text that does gets a note.
    """
    names = {(file.sha256, file.label) for file in fetched if isinstance(file, DownloadedFile)}
    types = {(file.sha256, file.media_type) for file in fetched if isinstance(file, DownloadedFile) and file.is_text}
    seen = _Seen(Counter(sha256 for sha256, _ in names), Counter(sha256 for sha256, _ in types))
    return [_compared(file, seen) for file in fetched]


@dataclass(frozen=True, slots=True)
class _Seen:
    """The number of names and of file types under which the same bytes came, by SHA-256."""

    names: Counter[str]
    types: Counter[str]


def _compared(file: DownloadedFile | MissedFile, seen: _Seen) -> DownloadedFile | MissedFile:
    if isinstance(file, MissedFile) or seen.names[file.sha256] == 1:
        return file
    problem = ""
    if file.media_type in PAGE_TYPES or file.is_page:
        problem = "the same web page was sent under several names, so it is not a file"
    elif seen.types[file.sha256] > 1:
        problem = "the same text was sent for files of several types, so it is not a file"
    if problem:
        return MissedFile(label=file.label, source_url=file.source_url, problem=problem, is_retryable=True)
    if not file.is_text or file.size_bytes > _SHORT_BYTES:
        return file
    same = f"{file.label} holds the same {file.size_bytes:,} bytes as another file of the order"
    note = f"{same}: check whether it is a file."
    return replace(file, notes=(*file.notes, note))


def summarize_files(downloaded: Sequence[DownloadedFile], missed: Sequence[MissedFile]) -> str:
    """Return one line about the files for a person: first the missed ones, then the notes."""
    problems = _shortened([f"{file.label}: {file.problem}" for file in missed])
    notes = _shortened([note for file in downloaded for note in file.notes])
    return "; ".join((*problems, *(note.removesuffix(".") for note in notes)))


def _shortened(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:_LISTED_COUNT_MAX]
    if len(lines) > _LISTED_COUNT_MAX:
        yield f"and {len(lines) - _LISTED_COUNT_MAX:,} more"


#: Parallel downloads of one order: a third more orders a second on a slow line, no gain on a fast one.
PARALLEL_FILE_COUNT = 3
#: The rest of an order's time is for the work after its files.
_PART_FOR_FILES = 0.95


@dataclass(slots=True, kw_only=True)
class DownloadResults:
    """The results of an order's links so far."""

    #: The files of each link, by its number on the page.
    fetched: dict[int, list[DownloadedFile | MissedFile]] = field(
        default_factory=dict[int, list[DownloadedFile | MissedFile]]
    )
    #: One error for each time that the portal was too busy.
    refusals: list[PortalBusyError] = field(default_factory=list[PortalBusyError])


async def process(tab: Tab, task: POTask) -> Report:
    """Download every attachment of one order into the tab's staging folder, and return the report.

    Raises:
        CannotProcessError: The pool has no portal.
        SessionLostError: The portal asks for a login.
    """
    portal_context = tab.portal_context
    if portal_context is None:
        raise CannotProcessError(
            "The processor po_attachments needs a portal, and this pool has none; set the portal of "
            "WorkerOptions, or name a custom processor."
        )
    begun = anyio.current_time()
    answer_dialogs(tab.page, portal_context.pack.attachments.dialogs)
    discard_unfollowed(tab.page)
    async with guard_requests(tab.page, portal_context.pack, portal_context.portal.base_url) as guard:
        return await _process_page(tab, task, portal_context, guard, until=begun + _time_for_files_s(task))


async def _process_page(
    tab: Tab, task: POTask, portal_context: PortalContext, guard: RequestGuard, *, until: float
) -> Report:
    address = portal_context.pack.order_url(portal_context.portal.base_url, task.portal_number)
    base_url, number = portal_context.portal.base_url, task.portal_number
    page = await visit(tab.page, portal_context.pack, base_url, address, portal_number=number, guard=guard)
    if page.verdict is Verdict.RENEWED:
        portal_context.on_login_refreshed()
    tab.may_capture = page.reading.end is not ReadEnd.TOO_LARGE
    if page.verdict not in {Verdict.READY, Verdict.RENEWED} or not tab.may_capture:
        return await _compared_with_good(_no_order_page(page), tab, portal_context)
    tab.loaded()
    if page.doubt:
        changed = Report(reason=Reason.PORTAL_CHANGED, detail=page.doubt, page_url=page.reading.url)
        return await _compared_with_good(changed, tab, portal_context)
    if portal_context.good_page is not None and page.reading.links:
        await portal_context.good_page.keep(tab.page, task.po_number)
    guard.is_clicking = any(not link.address for link in page.reading.links)
    try:
        return await _fetch_listed(tab, task, portal_context, page.reading, until=until)
    except PortalUnreachableError as error:
        detail = f"The portal stopped answering while files were downloaded ({error})."
        return Report(reason=Reason.PORTAL_UNREACHABLE, detail=detail, page_url=page.reading.url)


async def _compared_with_good(report: Report, tab: Tab, portal_context: PortalContext) -> Report:
    """Return the report; if the portal changed, with what was there on the last good page and is missing now."""
    if report.reason is not Reason.PORTAL_CHANGED or portal_context.good_page is None:
        return report
    change = await portal_context.good_page.describe_change(tab.page)
    if change:
        await tab.add_evidence(portal_context.good_page.files, "last-good-page")
    return replace(report, detail=f"{report.detail} {change}".strip())


async def _fetch_listed(
    tab: Tab, task: POTask, portal_context: PortalContext, reading: PageContent, *, until: float
) -> Report:
    """Download the files of the page and return the report; files that are late are missed, the others are kept."""
    fields = {name: _field_value(rule, reading.fields[name]) for name, rule in portal_context.pack.fields.items()}
    tab.staging.mkdir(parents=True, exist_ok=True)
    results = DownloadResults()
    with anyio.CancelScope(deadline=until) as time:
        await _fetch_all(tab, task, reading.links, portal_context, results)
    compared = drop_repeated_answers(_in_order(reading.links, results, task, portal_context))
    downloaded = [file for file in compared if isinstance(file, DownloadedFile)]
    if time.cancelled_caught and not downloaded:
        detail = f"No file was downloaded within the order's time limit ({task.timeout_s:g} s)."
        return Report(reason=Reason.TASK_TIMEOUT, detail=detail, fields=fields, page_url=reading.url)
    for file in downloaded:
        tab.accept(file)
        await anyio.lowlevel.checkpoint()  # naming and moving thousands of files takes seconds
    missed = [file for file in compared if isinstance(file, MissedFile)]
    is_time_left = not time.cancelled_caught
    if (
        missed
        and is_time_left
        and not results.refusals
        and await portal_context.verify_login() is LoginCheck.LOGGED_OUT
    ):
        raise SessionLostError(f"the portal refuses {missed[0].label} and asks for a login")
    report = _conclude(downloaded, missed, fields, reading.url)
    if reading.documents and reading.count is None:
        detail = "; ".join(filter(None, (report.detail, describe_documents(reading.documents).removesuffix("."))))
        report = replace(report, detail=detail)
    return _busy(report, results.refusals) if results.refusals else report


#: Reason and detail for a page that does not show the order.
_REASONS: Mapping[Verdict, tuple[Reason, str]] = MappingProxyType(
    {
        Verdict.BUSY: (Reason.PORTAL_BUSY, "The portal is busy."),
        Verdict.FORBIDDEN: (Reason.NO_PERMISSION, "This user has no permission to see the order."),
        Verdict.NOT_FOUND: (Reason.PORTAL_SAYS_MISSING, "The portal has no such order."),
        Verdict.PORTAL_ERROR: (Reason.PORTAL_ERROR, "The portal answered with an error."),
        Verdict.UNKNOWN: (Reason.PORTAL_CHANGED, "The page matches no rule of the portal pack."),
    }
)


def _no_order_page(page: Visit) -> Report:
    if page.verdict in DEMANDS:
        msg = f"the portal asks for {DEMANDS[page.verdict]} at {page.reading.url}"
        raise SessionLostError(msg)
    if page.reading.end is ReadEnd.TOO_LARGE:
        return Report(reason=Reason.GIVEN_UP, detail=_too_large(page.reading), page_url=page.reading.url)
    reason, sentence = _REASONS[page.verdict]
    cause = f"status {page.status}" if page.status >= HTTPStatus.BAD_REQUEST else page.problem
    detail = f"{sentence} ({cause})" if cause else sentence
    return Report(reason=reason, detail=detail, page_url=page.reading.url, retry_after_s=page.retry_after_s)


def _too_large(reading: PageContent) -> str:
    """Return the detail for a page that no person could use, and that could crash the browser."""
    if reading.link_count > LINK_COUNT_MAX:
        return f"The page shows {reading.link_count:,} files; at most {LINK_COUNT_MAX:,} are downloaded for one order."
    return f"The page is too large to be read: more than {ELEMENT_COUNT_MAX:,} elements, or elements nested too deep."


def _busy(report: Report, refusals: Sequence[PortalBusyError]) -> Report:
    """Return the report as busy, with the files that came: one file of an order may be refused every time."""
    waits_s = [error.retry_after_s for error in refusals if error.retry_after_s is not None]
    return replace(report, reason=Reason.PORTAL_BUSY, retry_after_s=max(waits_s, default=None))


def _time_for_files_s(task: POTask) -> float:
    """Return the seconds for the files, so that the report is done before the order's time is over."""
    return math.inf if task.timeout_s is None else task.timeout_s * _PART_FOR_FILES


async def _fetch_all(
    tab: Tab, task: POTask, links: Sequence[PageLink], portal_context: PortalContext, results: DownloadResults
) -> None:
    """Download all files of the page, several in parallel.

    After one refusal because the portal is busy, the others are still tried; after a second one, no more are requested.
    """
    limiter = anyio.CapacityLimiter(PARALLEL_FILE_COUNT)

    async def fetch(files: OrderDownloads, number: int, link: PageLink) -> None:
        async with limiter:
            if len(results.refusals) > 1:
                results.fetched[number] = [_missed(link, portal_context, "it was not requested (the portal is busy)")]
                return
            try:
                results.fetched[number] = await files.fetch(link, tab.staging / f"part-{number}")
            except PortalBusyError as error:
                results.refusals.append(error)
                results.fetched[number] = [_missed(link, portal_context, str(error))]

    try:
        async with (
            portal_context.downloads.for_order(tab.page, task.portal_number) as files,
            anyio.create_task_group() as fetches,
        ):
            for number, link in enumerate(links):
                fetches.start_soon(fetch, files, number, link)
    except ExceptionGroup as group:
        raise unwrap_group(group, SessionLostError, PortalUnreachableError) from group


def _in_order(
    links: Sequence[PageLink], results: DownloadResults, task: POTask, portal_context: PortalContext
) -> list[DownloadedFile | MissedFile]:
    """Return every file in the order of the page, so that a second run gives them the same names."""
    late = f"no time was left for it within the order's limit of {task.timeout_s or 0:g} s"
    by_link = (
        results.fetched.get(number) or [_missed(link, portal_context, late)] for number, link in enumerate(links)
    )
    return [file for files in by_link for file in files]


def _missed(link: PageLink, portal_context: PortalContext, problem: str) -> MissedFile:
    return missed_file(portal_context.pack, link, problem, is_retryable=True)


def _field_value(rule: FieldRule, text: str) -> str:
    value = patterns.extract(rule.pattern, text) if rule.pattern and text else None
    return text if value is None else value


def _conclude(
    downloaded: Sequence[DownloadedFile], missed: Sequence[MissedFile], fields: dict[str, str], page_url: str
) -> Report:
    detail = summarize_files(downloaded, missed)
    reason = _reason(len(downloaded), missed)
    return Report(reason=reason, detail=detail, fields=fields, missed=tuple(missed), page_url=page_url)


def _reason(saved_count: int, missed: Sequence[MissedFile]) -> Reason:
    can_retry = any(file.is_retryable for file in missed)
    if not missed:
        return Reason.ALL_SAVED if saved_count else Reason.NONE_LISTED
    if saved_count:
        return Reason.SOME_FILES_FAILED if can_retry else Reason.SOME_FILES_REFUSED
    return Reason.DOWNLOAD_FAILED if can_retry else Reason.DOWNLOAD_REFUSED
