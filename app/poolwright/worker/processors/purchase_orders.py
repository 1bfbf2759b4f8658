"""The processor for purchase orders: opens the page of an order, and downloads and checks each attachment."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import anyio
import anyio.lowlevel
import anyio.to_thread

from poolwright.domain.errors import unwrap_group
from poolwright.domain.outcomes import LoginCheck, Reason
from poolwright.domain.tasks import MissedFile, POTask, Report
from poolwright.portal.pack import Pack
from poolwright.portal.pack_schema import ArchivePolicy, MailPolicy
from poolwright.portal.triage import Verdict, describe_documents, emptiness_note
from poolwright.sdk.protocol import SessionLostError
from poolwright.worker.download.archive_files import unpack_archives
from poolwright.worker.download.file_selection import count_problem, describe_left_out, select_files, select_links
from poolwright.worker.download.order_downloads import OrderDownloads, missed_file
from poolwright.worker.download.staged_files import DownloadedFile
from poolwright.worker.errors import CannotProcessError, PortalBusyError, PortalUnreachableError
from poolwright.worker.page.page_activity import discard_unfollowed
from poolwright.worker.page.page_content import PageLink, ReadEnd
from poolwright.worker.page.popups import answer_dialogs
from poolwright.worker.page.request_guard import RequestGuard, guard_requests
from poolwright.worker.processors.further_sources import FurtherSources, SourcePage, is_wanted, too_many_or_none
from poolwright.worker.processors.list_growth import read_growth, read_watched, watch_time_s
from poolwright.worker.processors.order_visit import IS_SHOWN, OrderVisit, missing_report, visit_order
from poolwright.worker.rendering.page_capture import PageCapture
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


#: The times that a page may add files while those before are downloaded.
_GROWTH_COUNT_MAX = 3
#: The rest of an order's time is for the work after its files.
_PART_FOR_FILES = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedLink:
    """A link of one of the order's pages."""

    link: PageLink
    #: Name of the further page; empty for the order's own.
    source: str
    #: The rules for the page.
    pack: Pack


@dataclass(slots=True, kw_only=True)
class DownloadResults:
    """The results of an order's links so far."""

    #: The links of all pages, in their order.
    listed: list[ListedLink] = field(default_factory=list[ListedLink])
    #: Names of the links that the pack does not want, by the page's name.
    left_out: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    #: What came of each further page without files, by its name.
    sources: dict[str, str] = field(default_factory=dict[str, str])
    #: Further pages that could not be read.
    missed: list[MissedFile] = field(default_factory=list[MissedFile])
    #: The files of each link, by its number in ``listed``.
    fetched: dict[int, list[DownloadedFile | MissedFile]] = field(
        default_factory=dict[int, list[DownloadedFile | MissedFile]]
    )
    #: One error for each time that the portal was too busy.
    refusals: list[PortalBusyError] = field(default_factory=list[PortalBusyError])

    @property
    def files(self) -> list[DownloadedFile | MissedFile]:
        """Return what came so far."""
        return [file for files in self.fetched.values() for file in files]


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
    capture = PageCapture(
        portal_context.page_evidence,
        tab.staging,
        is_headless=portal_context.is_headless,
        order_limit_s=task.timeout_s,
    )
    async with guard_requests(tab.page, portal_context.pack, portal_context.portal.base_url) as guard:
        until = begun + _time_for_files_s(task)
        report = await _process_page(tab, task, portal_context, guard, capture, until=until)
        return await capture.file_with(report, tab)


async def _process_page(
    tab: Tab, task: POTask, portal_context: PortalContext, guard: RequestGuard, capture: PageCapture, *, until: float
) -> Report:
    base_url = portal_context.portal.base_url
    opened = await visit_order(tab.page, portal_context.pack, base_url, task, guard)
    if isinstance(opened, Report):
        return opened
    page = opened.visit
    if page.verdict is Verdict.RENEWED:
        portal_context.on_login_refreshed()
    tab.may_capture = page.reading.end is not ReadEnd.TOO_LARGE
    if page.verdict not in IS_SHOWN or not tab.may_capture:
        return await _compared_with_good(missing_report(page), tab, portal_context)
    tab.loaded()
    if page.doubt:
        changed = Report(reason=Reason.PORTAL_CHANGED, detail=page.doubt, page_url=page.reading.url)
        return await _compared_with_good(changed, tab, portal_context)
    if portal_context.good_page is not None and page.reading.links:
        await portal_context.good_page.save(tab.page, task.po_number)
    await capture.capture(tab.page)
    guard.is_clicking = any(not link.address for link in page.reading.links)
    try:
        return await _fetch_listed(tab, task, portal_context, opened, until=until)
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
    tab: Tab, task: POTask, portal_context: PortalContext, opened: OrderVisit, *, until: float
) -> Report:
    """Download the files of the order and return the report; files that are late are missed, the others are kept."""
    reading = opened.visit.reading
    fields = {name: rule.value_of(reading.fields[name]) for name, rule in portal_context.pack.fields.items()}
    tab.staging.mkdir(parents=True, exist_ok=True)
    results = DownloadResults()
    with anyio.CancelScope(deadline=until) as time:
        await _fetch_sources(tab, task, portal_context, opened, results)
    compared, left_out = await _select(opened, results, task)
    downloaded = [file for file in compared if isinstance(file, DownloadedFile)]
    downloaded = await _with_contents(downloaded, tab, task, portal_context, opened.pack, until=until)
    if time.cancelled_caught and not downloaded:
        detail = f"No file was downloaded within the order's time limit ({task.timeout_s:g} s)."
        return Report(reason=Reason.TASK_TIMEOUT, detail=detail, fields=fields, page_url=reading.url)
    names = dict[str, list[str]]()
    for file in downloaded:
        names.setdefault(file.source, []).append(tab.accept(file).name)
        await anyio.lowlevel.checkpoint()  # naming and moving thousands of files takes seconds
    missed = [file for file in compared if isinstance(file, MissedFile)]
    if time.cancelled_caught:
        missed += _late_sources(portal_context.pack, results)
    is_time_left = not time.cancelled_caught
    if missed and is_time_left and not results.refusals and await portal_context.check_login() is LoginCheck.LOGGED_OUT:
        raise SessionLostError(f"the portal refuses {missed[0].label} and asks for a login")
    fields |= {name: "; ".join(names.get(name, ())) or told for name, told in results.sources.items()}
    report = _conclude(downloaded, missed, fields, reading.url)
    is_document_told = bool(reading.documents) and reading.count is None
    documents = describe_documents(reading.documents).removesuffix(".") if is_document_told else ""
    facts = opened.visit.list_facts if report.reason is Reason.NONE_LISTED else None
    unproven = emptiness_note(opened.pack.attachments, facts) if facts is not None else ""
    report = replace(report, detail="; ".join(filter(None, (report.detail, left_out, documents, unproven))))
    return _busy(report, results.refusals) if results.refusals else report


async def _with_contents(
    files: list[DownloadedFile], tab: Tab, task: POTask, portal_context: PortalContext, pack: Pack, *, until: float
) -> list[DownloadedFile]:
    """Return the files with what is in archives and mails among them, and the PDFs of mails, as far as wanted."""
    sizes = portal_context.downloads.sizes
    if pack.attachments.archive is ArchivePolicy.BESIDE:
        files = await anyio.to_thread.run_sync(unpack_archives, files, sizes, tab.staging)
    if pack.attachments.mail is MailPolicy.UNPACK:
        from poolwright.worker.download.mail_files import unpack_mails  # noqa: PLC0415 - few packs want it

        files = await anyio.to_thread.run_sync(unpack_mails, files, sizes, tab.staging)
    if pack.attachments.mail_pdf:
        from poolwright.worker.rendering.mail_printer import MailPrinter  # noqa: PLC0415 - few packs want it

        printer = MailPrinter(
            portal_context.downloads.context,
            sizes,
            until=until,
            known_files=task.known_files or (),
        )
        files = await printer.with_printed(files, tab.staging)
    return files


async def _select(
    opened: OrderVisit, results: DownloadResults, task: POTask
) -> tuple[list[DownloadedFile | MissedFile], str]:
    """Return the files that are filed or missed, and the part of a sentence about those that are not wanted."""
    rules, announced = opened.pack.attachments, opened.visit.reading.count
    by_source = {one.source: one.pack.attachments for one in results.listed}
    selection = select_files(rules, _in_order(results, task), by_source)
    for file in (*selection.left_out, *selection.repeated):
        await anyio.Path(file.path).unlink(missing_ok=True)
    compared = drop_repeated_answers(selection.fetched)
    if problem := count_problem(rules, announced, results.left_out.get("", []), selection):
        compared.append(MissedFile(label="(list of attachments)", source_url="", problem=problem, is_retryable=True))
    unwanted = [name for names in results.left_out.values() for name in names]
    return compared, describe_left_out([*unwanted, *(file.label for file in selection.left_out)])


async def _fetch_sources(
    tab: Tab, task: POTask, portal_context: PortalContext, opened: OrderVisit, results: DownloadResults
) -> None:
    """Download the files of the order's page, and then those of its further pages."""
    pack, reading = portal_context.pack, opened.visit.reading
    base_url, context = portal_context.portal.base_url, portal_context.downloads.context
    sources = FurtherSources(opened.pack, base_url, task.portal_number, context)
    addresses = await sources.find_addresses(tab.page, pack.sources)  # before a click changes the page
    watched_until = anyio.current_time() + watch_time_s(opened.pack, reading)
    order_page = SourcePage(page=tab.page, reading=reading, pack=opened.pack)
    if grown := await read_watched(tab.page, opened.pack, base_url, task.portal_number, reading):
        order_page = replace(order_page, reading=grown.reading)
        _add_doubt(results, grown.doubt)
    await _fetch_all(tab, task, order_page, portal_context, results)
    await _fetch_growth(tab, task, portal_context, order_page, results, watched_until)
    for source in pack.sources:
        if not is_wanted(source.when, results.files):
            results.sources[source.name] = "not needed"
            continue
        found = addresses[source.name]
        results.sources[source.name] = "no files" if found else "no link to it"
        results.missed += too_many_or_none(source, found)
        for address in found[: source.max]:
            async with sources.opened(source, address) as further:
                if isinstance(further, SourcePage):
                    await _fetch_all(tab, task, further, portal_context, results, source.name)
                    continue
            results.sources[source.name] = further.text
            if not further.is_absent or source.follow or source.required:
                results.missed.append(further.to_missed(source, address))


async def _fetch_growth(
    tab: Tab,
    task: POTask,
    portal_context: PortalContext,
    order_page: SourcePage,
    results: DownloadResults,
    watched_until: float,
) -> None:
    """Download the files that the order's page has added since it was read; one that still adds some is missed."""
    reading, pack, base_url = order_page.reading, order_page.pack, portal_context.portal.base_url
    doubt = ""
    for _ in range(_GROWTH_COUNT_MAX):
        grown = await read_growth(tab.page, pack, base_url, task.portal_number, reading, watched_until)
        if grown is None:
            break
        doubt = grown.doubt
        watched_until = anyio.current_time() + watch_time_s(pack, grown.reading)
        added = replace(order_page, reading=grown.reading)
        reading = reading.model_copy(update={"links": [*reading.links, *grown.reading.links]})
        await _fetch_all(tab, task, added, portal_context, results)
    else:
        doubt = "The page keeps adding files."
    _add_doubt(results, doubt)


def _add_doubt(results: DownloadResults, doubt: str) -> None:
    """Add why the list of the order's page may not be whole, if there is such a reason, as a missed file."""
    if doubt:
        results.missed.append(
            MissedFile(label="(list of attachments)", source_url="", problem=doubt.removesuffix("."), is_retryable=True)
        )


def _late_sources(pack: Pack, results: DownloadResults) -> list[MissedFile]:
    """Return the further pages for which no time was left."""
    problem = "no time was left to read it within the order's limit"
    return [
        MissedFile(label=source.name, source_url="", problem=problem, is_retryable=True)
        for source in pack.sources
        if source.name not in results.sources
    ]


def _busy(report: Report, refusals: Sequence[PortalBusyError]) -> Report:
    """Return the report as busy, with the files that came: one file of an order may be refused every time."""
    waits_s = [error.retry_after_s for error in refusals if error.retry_after_s is not None]
    return replace(report, reason=Reason.PORTAL_BUSY, retry_after_s=max(waits_s, default=None))


def _time_for_files_s(task: POTask) -> float:
    """Return the seconds for the files, so that the report is done before the order's time is over."""
    return math.inf if task.timeout_s is None else task.timeout_s * _PART_FOR_FILES


async def _fetch_all(
    tab: Tab,
    task: POTask,
    page: SourcePage,
    portal_context: PortalContext,
    results: DownloadResults,
    source: str = "",
) -> None:
    """Download all files of a page that were not found before, several in parallel.

    After one refusal because the portal is busy, the others are still tried; after a second one, no more are requested.
    """
    limiter = anyio.CapacityLimiter(page.pack.limits.parallel_files)
    known = {listed.link.address for listed in results.listed} - {""}
    selected = select_links(page.pack.attachments, page.reading.links)
    links = [link for link in selected.wanted if link.address not in known]
    results.left_out.setdefault(source, []).extend(selected.left_out)
    start = len(results.listed)
    results.listed += [ListedLink(link=link, source=source, pack=page.pack) for link in links]

    async def fetch(files: OrderDownloads, number: int, link: PageLink) -> None:
        async with limiter:
            if len(results.refusals) > 1:
                results.fetched[number] = [_missed(link, page.pack, "it was not requested (the portal is busy)")]
                return
            try:
                results.fetched[number] = await files.fetch(link, tab.staging / f"part-{number}")
            except PortalBusyError as error:
                results.refusals.append(error)
                results.fetched[number] = [_missed(link, page.pack, str(error))]

    try:
        async with (
            portal_context.downloads.for_order(
                page.page, task.portal_number, page.pack, page.reading.list_page, task.known_files or ()
            ) as files,
            anyio.create_task_group() as fetches,
        ):
            for number, link in enumerate(links, start):
                fetches.start_soon(fetch, files, number, link)
    except ExceptionGroup as group:
        raise unwrap_group(group, SessionLostError, PortalUnreachableError) from group


def _in_order(results: DownloadResults, task: POTask) -> list[DownloadedFile | MissedFile]:
    """Return every file in the order of the pages, so that a second run gives them the same names."""
    late = f"no time was left for it within the order's limit of {task.timeout_s or 0:g} s"
    files: list[DownloadedFile | MissedFile] = []
    for number, listed in enumerate(results.listed):
        fetched = results.fetched.get(number) or [_missed(listed.link, listed.pack, late)]
        origin = {"source": listed.source, "section": listed.link.section}
        files += [replace(file, **origin) if isinstance(file, DownloadedFile) else file for file in fetched]
    return [*files, *results.missed]


def _missed(link: PageLink, pack: Pack, problem: str) -> MissedFile:
    return missed_file(pack, link, problem, is_retryable=True)


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
