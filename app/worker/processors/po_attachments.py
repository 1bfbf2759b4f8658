"""Every attachment of one purchase order: open its page, judge it, find the files, fetch and check each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from types import MappingProxyType

import anyio

from app.domain.failures import Proof, Reason, root_cause
from app.domain.task import MissedFile, POTask, Report
from app.portal import patterns
from app.portal.pack import FieldRule
from app.portal.triage import DEMANDS, Verdict
from app.processor.failures import SessionLostError
from app.worker.desk import Desk
from app.worker.errors import CannotProcessError, PortalBusyError, PortalGoneError
from app.worker.guard import Guard, guarding
from app.worker.reading import ELEMENT_COUNT_MAX, LINK_COUNT_MAX, End, PageLink, Reading
from app.worker.staged import Arrived
from app.worker.tab import Tab
from app.worker.visit import Visit, visit
from app.worker.windows import answering

#: Files of one order that run side by side: a third more orders a second on a slow line, nothing on a fast one.
PARALLEL_FILE_COUNT = 3


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
    with answering(tab.page, desk.pack.attachments.dialogs):
        async with guarding(tab.page, desk.pack, desk.portal.base_url) as guard:
            return await _bring(tab, task, desk, guard)


async def _bring(tab: Tab, task: POTask, desk: Desk, guard: Guard) -> Report:
    address = desk.pack.order_url(desk.portal.base_url, task.portal_number)
    base_url, number = desk.portal.base_url, task.portal_number
    found = await visit(tab.page, desk.pack, base_url, address, portal_number=number, guard=guard)
    if found.verdict is Verdict.RENEWED:
        desk.note_renewed()
    if found.verdict not in {Verdict.READY, Verdict.RENEWED} or found.reading.end is End.TOO_LARGE:
        return _no_order_page(found)
    tab.loaded()
    reading = found.reading
    if found.doubt:
        return Report(reason=Reason.PORTAL_CHANGED, detail=found.doubt, page_url=reading.url)
    fields = {name: _field_value(rule, reading.fields[name]) for name, rule in desk.pack.fields.items()}
    tab.staging.mkdir(parents=True, exist_ok=True)
    guard.is_clicking = any(not link.address for link in reading.links)
    try:
        fetched, refusals = await _fetch_all(tab, reading.links, desk)
    except PortalGoneError as error:
        detail = f"The portal went away while files were fetched ({error})."
        return Report(reason=Reason.PORTAL_UNREACHABLE, detail=detail, page_url=reading.url)
    for one in fetched:  # in the order of the page, so that a second run names them the same
        if isinstance(one, Arrived):
            tab.take(one)
    missed = [one for one in fetched if isinstance(one, MissedFile)]
    if missed and not refusals and await desk.prove() is Proof.LOGGED_OUT:
        raise SessionLostError(f"the portal does not hand out {missed[0].label}, and asks for a login")
    report = _conclude(len(tab.saved), missed, fields, reading.url)
    return _busy(report, refusals) if refusals else report


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


def _no_order_page(found: Visit) -> Report:
    if found.verdict in DEMANDS:
        msg = f"the portal asks for {DEMANDS[found.verdict]} at {found.reading.url}"
        raise SessionLostError(msg)
    if found.reading.end is End.TOO_LARGE:
        return Report(reason=Reason.GIVEN_UP, detail=_too_large(found.reading), page_url=found.reading.url)
    reason, said = _REASONS[found.verdict]
    what = f"status {found.status}" if found.status >= HTTPStatus.BAD_REQUEST else found.problem
    detail = f"{said} ({what})" if what else said
    return Report(reason=reason, detail=detail, page_url=found.reading.url, retry_after_s=found.retry_after_s)


def _too_large(reading: Reading) -> str:
    """A page that no person could use, and that could end the browser."""
    if reading.link_count > LINK_COUNT_MAX:
        return f"The page shows {reading.link_count:,} files; at most {LINK_COUNT_MAX:,} are fetched for one order."
    return f"The page has more than {ELEMENT_COUNT_MAX:,} elements, which is too large to be read."


def _busy(report: Report, refusals: Sequence[PortalBusyError]) -> Report:
    """What came is told too: it is all there is of an order one of whose files is always refused so."""
    waits_s = [error.retry_after_s for error in refusals if error.retry_after_s is not None]
    return replace(report, reason=Reason.PORTAL_BUSY, retry_after_s=max(waits_s, default=None))


async def _fetch_all(
    tab: Tab, links: Sequence[PageLink], desk: Desk
) -> tuple[list[Arrived | MissedFile], list[PortalBusyError]]:
    """All files of the page, in its order. Streams run side by side; clicks one after the other on the page itself.

    One that the portal is too busy for does not keep the others from coming; a second one speaks for all that is left.
    """
    fetched: dict[int, Arrived | MissedFile] = {}
    refusals: list[PortalBusyError] = []
    places = anyio.CapacityLimiter(PARALLEL_FILE_COUNT)
    clicking = anyio.Lock()

    async def fetch(number: int, link: PageLink) -> None:
        async with places if link.address else clicking:
            if len(refusals) > 1:
                fetched[number] = _missed(link, desk, "it was not asked for (the portal is busy)")
                return
            try:
                fetched[number] = await desk.downloads.fetch(tab.page, link, tab.staging / f"part-{number}")
            except PortalBusyError as error:
                refusals.append(error)
                fetched[number] = _missed(link, desk, str(error))

    try:
        async with anyio.create_task_group() as fetches:
            for number, link in enumerate(links):
                fetches.start_soon(fetch, number, link)
    except ExceptionGroup as group:
        raise root_cause(group, SessionLostError, PortalGoneError) from group
    return [fetched[number] for number in range(len(links))], refusals


def _missed(link: PageLink, desk: Desk, problem: str) -> MissedFile:
    label = link.name(desk.pack.attachments.names, "")
    return MissedFile(label=label, source_url=link.address, problem=problem, is_retryable=True)


def _field_value(rule: FieldRule, text: str) -> str:
    found = patterns.value_in(rule.pattern, text) if rule.pattern and text else None
    return text if found is None else found


def _conclude(saved_count: int, missed: Sequence[MissedFile], fields: dict[str, str], page_url: str) -> Report:
    detail = "; ".join(f"{one.label}: {one.problem}" for one in missed)
    reason = _reason(saved_count, missed)
    return Report(reason=reason, detail=detail, fields=fields, missed=tuple(missed), page_url=page_url)


def _reason(saved_count: int, missed: Sequence[MissedFile]) -> Reason:
    can_retry = any(one.is_retryable for one in missed)
    if not missed:
        return Reason.ALL_SAVED if saved_count else Reason.NONE_LISTED
    if saved_count:
        return Reason.SOME_FILES_FAILED if can_retry else Reason.SOME_FILES_REFUSED
    return Reason.DOWNLOAD_FAILED if can_retry else Reason.DOWNLOAD_REFUSED
