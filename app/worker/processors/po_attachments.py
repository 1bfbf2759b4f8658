"""Every attachment of one purchase order: open its page, judge it, find the files, fetch and check each of them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from types import MappingProxyType

import anyio
import anyio.lowlevel
from playwright.async_api import Response

from app.domain.failures import Reason, root_cause
from app.domain.task import MissedFile, POTask, Report
from app.portal.pack import FieldRule
from app.portal.triage import DEMANDS, Verdict
from app.processor.failures import SessionLostError
from app.worker.desk import Desk
from app.worker.dialogs import answer_dialogs
from app.worker.disposition import NOTHING_SAID
from app.worker.download import OrderDownloads
from app.worker.errors import CannotProcessError, PortalBusyError, PortalGoneError
from app.worker.file_name import name_file
from app.worker.file_stream import waiting_s
from app.worker.processors.comparison import summary, without_repeats
from app.worker.reading import PageLink, Reading, read_page
from app.worker.staged import Arrived
from app.worker.tab import Tab

#: Files of one order that run side by side: a third more orders a second on a slow line, nothing on a fast one.
PARALLEL_FILE_COUNT = 3
#: The rest of an order's time is for what comes after its files.
_PART_FOR_FILES = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """An order's page, as it was found."""

    reading: Reading
    verdict: Verdict
    status: int
    retry_after_s: float | None


@dataclass(slots=True, kw_only=True)
class Haul:
    """What came of an order's links so far."""

    #: What each link brought, by its number on the page.
    fetched: dict[int, list[Arrived | MissedFile]] = field(default_factory=dict[int, list[Arrived | MissedFile]])
    #: How often the portal was too busy.
    refusals: list[PortalBusyError] = field(default_factory=list[PortalBusyError])


async def process(tab: Tab, task: POTask) -> Report:
    """Bring every attachment of one order into the tab's staging folder.

    Raises:
        CannotProcessError: The pool has no portal.
        SessionLostError: The portal asks for a login.
    """
    desk = tab.desk
    if desk is None:
        raise CannotProcessError(
            "The processor po_attachments needs a portal, and this pool has none; give WorkerOptions a portal, "
            "or name a processor of your own."
        )
    begun = anyio.current_time()
    answer_dialogs(tab.page, desk.pack.attachments.dialogs)
    visit = await _visit(tab, task, desk)
    if visit.verdict is Verdict.RENEWED:
        desk.note_renewed()
    if visit.verdict not in {Verdict.READY, Verdict.RENEWED}:
        return _no_order_page(visit)
    tab.loaded()
    problem = _incomplete(visit.reading)
    if problem:
        return Report(reason=Reason.PORTAL_CHANGED, detail=problem, page_url=visit.reading.url)
    try:
        return await _brought(tab, task, desk, visit.reading, until=begun + _time_for_files_s(task))
    except PortalGoneError as error:
        detail = f"The portal went away while files were fetched ({error})."
        return Report(reason=Reason.PORTAL_UNREACHABLE, detail=detail, page_url=visit.reading.url)


async def _brought(tab: Tab, task: POTask, desk: Desk, reading: Reading, *, until: float) -> Report:
    """Fetch what the page lists; what has not come when the time is over is missed, and the rest is kept."""
    fields = {name: _field_value(rule, reading.fields[name]) for name, rule in desk.pack.fields.items()}
    tab.staging.mkdir(parents=True, exist_ok=True)
    haul = Haul()
    with anyio.CancelScope(deadline=until) as time:
        await _fetch_all(tab, task, reading.links, desk, haul)
    compared = without_repeats(_in_order(reading.links, haul, task, desk))
    arrived = [one for one in compared if isinstance(one, Arrived)]
    if time.cancelled_caught and not arrived:
        detail = f"No file had come when the order's time ({task.timeout_s:g} s) was over."
        return Report(reason=Reason.TASK_TIMEOUT, detail=detail, fields=fields, page_url=reading.url)
    for one in arrived:
        tab.take(one)
        await anyio.lowlevel.checkpoint()  # of thousands, naming and moving takes seconds
    missed = [one for one in compared if isinstance(one, MissedFile)]
    report = _conclude(arrived, missed, fields, reading.url)
    return _busy(report, haul.refusals) if haul.refusals else report


async def _visit(tab: Tab, task: POTask, desk: Desk) -> Visit:
    address = desk.pack.order_url(desk.portal.base_url, task.portal_number)
    answer = await tab.page.goto(address, wait_until="commit", timeout=desk.pack.limits.page_s * 1000)
    reading, verdict = await read_page(
        tab.page, desk.pack, desk.portal.base_url, answer, portal_number=task.portal_number
    )
    status = answer.status if answer else 0
    return Visit(reading=reading, verdict=verdict, status=status, retry_after_s=await _retry_after_s(answer))


async def _retry_after_s(answer: Response | None) -> float | None:
    """How long the portal asks to wait, if it does."""
    return waiting_s(await answer.header_value("retry-after")) if answer else None


#: What the report says of a page that is not the order's.
_REASONS: Mapping[Verdict, tuple[Reason, str]] = MappingProxyType(
    {
        Verdict.BUSY: (Reason.PORTAL_BUSY, "The portal says that it is busy."),
        Verdict.FORBIDDEN: (Reason.NO_PERMISSION, "The portal says that this user may not see the order."),
        Verdict.NOT_FOUND: (Reason.PORTAL_SAYS_MISSING, "The portal says that there is no such order."),
        Verdict.PORTAL_ERROR: (Reason.PORTAL_ERROR, "The portal answered with an error."),
        Verdict.UNKNOWN: (Reason.PORTAL_CHANGED, "The page is none that the portal pack knows."),
    }
)


def _no_order_page(visit: Visit) -> Report:
    if visit.verdict in DEMANDS:
        msg = f"the portal asks for {DEMANDS[visit.verdict]} at {visit.reading.url}"
        raise SessionLostError(msg)
    reason, said = _REASONS[visit.verdict]
    detail = f"{said} (status {visit.status})" if visit.status >= HTTPStatus.BAD_REQUEST else said
    return Report(reason=reason, detail=detail, page_url=visit.reading.url, retry_after_s=visit.retry_after_s)


def _busy(report: Report, refusals: Sequence[PortalBusyError]) -> Report:
    """What came is told too: it is all there is of an order one of whose files is always refused so."""
    waits_s = [error.retry_after_s for error in refusals if error.retry_after_s is not None]
    return replace(report, reason=Reason.PORTAL_BUSY, retry_after_s=max(waits_s, default=None))


def _incomplete(reading: Reading) -> str:
    """Why the list on the page cannot be trusted; empty when it can."""
    if not reading.is_settled:
        return "The list of attachments did not arrive in time."
    if reading.count is not None and reading.count != len(reading.links):
        return f"The page counts {reading.count} attachments and shows {len(reading.links)}."
    return ""


def _time_for_files_s(task: POTask) -> float:
    """How long files may take, so that those that came are told before the order's time is over."""
    return math.inf if task.timeout_s is None else task.timeout_s * _PART_FOR_FILES


async def _fetch_all(tab: Tab, task: POTask, links: Sequence[PageLink], desk: Desk, haul: Haul) -> None:
    """All files of the page by their number on it, several side by side.

    One that the portal is too busy for does not keep the others from coming; a second one speaks for all that is left.
    """
    places = anyio.CapacityLimiter(PARALLEL_FILE_COUNT)

    async def fetch(files: OrderDownloads, number: int, link: PageLink) -> None:
        async with places:
            if len(haul.refusals) > 1:
                haul.fetched[number] = [_missed(link, desk, "it was not asked for (the portal is busy)")]
                return
            try:
                haul.fetched[number] = await files.fetch(link, tab.staging / f"part-{number}")
            except PortalBusyError as error:
                haul.refusals.append(error)
                haul.fetched[number] = [_missed(link, desk, str(error))]

    try:
        async with desk.downloads.of_order(tab.page, task.portal_number) as files, anyio.create_task_group() as fetches:
            for number, link in enumerate(links):
                fetches.start_soon(fetch, files, number, link)
    except ExceptionGroup as group:
        raise root_cause(group, SessionLostError, PortalGoneError) from group


def _in_order(links: Sequence[PageLink], haul: Haul, task: POTask, desk: Desk) -> list[Arrived | MissedFile]:
    """Every file in the order of the page, so that a second run names them the same."""
    late = f"no time was left for it: the order's {task.timeout_s or 0:g} s were over"
    found = (haul.fetched.get(number) or [_missed(link, desk, late)] for number, link in enumerate(links))
    return [one for files in found for one in files]


def _missed(link: PageLink, desk: Desk, problem: str) -> MissedFile:
    label = name_file(desk.pack.attachments.names, link.names, NOTHING_SAID, (link.address,)).label
    return MissedFile(label=label, source_url=link.address, problem=problem, is_retryable=True)


def _field_value(rule: FieldRule, text: str) -> str:
    if not rule.pattern or not text:
        return text
    found = re.search(rule.pattern, text, re.DOTALL)
    return (found.group(1) if found.groups() else found.group(0)).strip() if found else text


def _conclude(
    arrived: Sequence[Arrived], missed: Sequence[MissedFile], fields: dict[str, str], page_url: str
) -> Report:
    detail = summary(arrived, missed)
    reason = _reason(len(arrived), missed)
    return Report(reason=reason, detail=detail, fields=fields, missed=tuple(missed), page_url=page_url)


def _reason(saved_count: int, missed: Sequence[MissedFile]) -> Reason:
    can_retry = any(one.is_retryable for one in missed)
    if not missed:
        return Reason.ALL_SAVED if saved_count else Reason.NONE_LISTED
    if saved_count:
        return Reason.SOME_FILES_FAILED if can_retry else Reason.SOME_FILES_REFUSED
    return Reason.DOWNLOAD_FAILED if can_retry else Reason.DOWNLOAD_REFUSED
