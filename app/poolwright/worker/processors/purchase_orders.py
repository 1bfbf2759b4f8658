"""The processor for purchase orders: opens the page of an order, and downloads and checks each attachment."""

from __future__ import annotations

import math
from dataclasses import replace

import anyio

from poolwright.domain.errors import unwrap_group
from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import MissedFile, POTask, Report
from poolwright.portal.triage import Verdict
from poolwright.sdk.protocol import SessionLostError
from poolwright.worker.download.file_selection import select_links
from poolwright.worker.download.order_downloads import OrderDownloads
from poolwright.worker.errors import CannotProcessError, PortalBusyError, PortalUnreachableError
from poolwright.worker.page.page_activity import discard_unfollowed
from poolwright.worker.page.page_content import PageLink, ReadEnd
from poolwright.worker.page.popups import answer_dialogs
from poolwright.worker.page.request_guard import RequestGuard, guard_requests
from poolwright.worker.processors.download_results import (
    DownloadResults,
    ListedLink,
    missed_link,
    report_on,
)
from poolwright.worker.processors.further_sources import FurtherSources, SourcePage, is_wanted, too_many_or_none
from poolwright.worker.processors.list_growth import read_growth, read_watched, watch_time_s
from poolwright.worker.processors.order_visit import IS_SHOWN, OrderVisit, missing_report, visit_order
from poolwright.worker.rendering.page_capture import PageCapture
from poolwright.worker.tab import PortalContext, Tab

#: The times that a page may add files while those before are downloaded.
_GROWTH_COUNT_MAX = 3
#: The rest of an order's time is for the work after its files.
_PART_FOR_FILES = 0.95


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
    tab.staging.mkdir(parents=True, exist_ok=True)
    results = DownloadResults()
    with anyio.CancelScope(deadline=until) as time:
        await _fetch_sources(tab, task, portal_context, opened, results)
    results.is_late = time.cancelled_caught
    return await report_on(results, tab, task, portal_context, opened, until=until)


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
                results.fetched[number] = [missed_link(link, page.pack, "it was not requested (the portal is busy)")]
                return
            try:
                results.fetched[number] = await files.fetch(link, tab.staging / f"part-{number}")
            except PortalBusyError as error:
                results.refusals.append(error)
                results.fetched[number] = [missed_link(link, page.pack, str(error))]

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
