"""One attempt at one task: every error in its tab becomes a report, or is raised to the loop.

Raised are a lost login, a dead browser and a processor that cannot work here: the task is not their cause.

A custom processor may open any file and any connection, so its errors need not concern the output folder. An error of a
file system counts as ours if it names a path in the staging folder; any other one only if a test file fails there too.
"""

from __future__ import annotations

import dataclasses
import os
import socket
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import anyio
import anyio.to_thread
from loguru import logger
from playwright.async_api import Error as PlaywrightError

from poolwright.domain.errors import unwrap_group
from poolwright.domain.options import PageEvidence
from poolwright.domain.outcomes import Outcome, Reason
from poolwright.domain.storage import STORAGE_REASONS, StorageTrouble, classify_os_error
from poolwright.domain.tasks import POTask, Report
from poolwright.portal.step_schema import Lane
from poolwright.sdk.protocol import GiveUpError, ProcessorError, RetryLaterError, SessionLostError
from poolwright.system.memory_limit import OomKillCounter
from poolwright.worker.errors import CannotProcessError, SessionBrokenError, classify_error, first_line
from poolwright.worker.guard.blocked_requests import recording_blocked
from poolwright.worker.page.reachability import is_portal_unreachable
from poolwright.worker.processors.registry import PURCHASE_ORDERS, TabProcessor, complete_report
from poolwright.worker.session import BrowserSession
from poolwright.worker.tab import PortalContext, Tab

_TROUBLE_TEXTS: Mapping[StorageTrouble, str] = MappingProxyType(
    {
        StorageTrouble.FULL: "The disk of the output folder is full",
        StorageTrouble.AWAY: "The disk of the output folder does not answer",
        StorageTrouble.FORBIDDEN: "The staging folder is not writable",
        StorageTrouble.OTHER: "A file could not be read or written",
    }
)
#: Errors of a processor's own connection; a network share that does not answer raises the same.
_OF_CONNECTIONS = (ConnectionError, socket.gaierror)


async def storage_report(error: OSError, folder: Path, page_url: str) -> Report:
    """Return the report of an attempt that ended with an error of a file system.

    Args:
        error: The error.
        folder: The folder in which this worker stages all its orders.
        page_url: The address of the page at that time.
    """
    trouble, cause = await anyio.to_thread.run_sync(_storage_trouble, error, folder, abandon_on_cancel=True)
    if trouble is StorageTrouble.OTHER and isinstance(error, _OF_CONNECTIONS) and error.filename is None:
        return Report(reason=Reason.PROCESSOR_ERROR, detail=first_line(error), page_url=page_url)
    return Report(
        reason=STORAGE_REASONS[trouble], detail=f"{_TROUBLE_TEXTS[trouble]} ({first_line(cause)}).", page_url=page_url
    )


def _storage_trouble(error: OSError, folder: Path) -> tuple[StorageTrouble, OSError]:
    """Return whether and why no order can be staged now, with the error that shows it. Blocking."""
    trouble = classify_os_error(error)
    # a test file is small and may still fit on a disk that is full for a large one
    if trouble in {StorageTrouble.FULL, StorageTrouble.OTHER} or _is_within(error, folder):
        return trouble, error
    probe_error = _write_error(folder)
    if probe_error is None or not classify_os_error(probe_error).is_temporary:
        return StorageTrouble.OTHER, error
    return classify_os_error(probe_error), probe_error


def _is_within(error: OSError, folder: Path) -> bool:
    path = error.filename
    return isinstance(path, str | bytes) and Path(os.fsdecode(path)).is_relative_to(folder)


def _write_error(folder: Path) -> OSError | None:
    """Return the error of writing a test file to a folder; ``None`` if it can be written."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\0")
            file.flush()
    except OSError as error:
        return error
    return None


#: The evidence that names the requests that were blocked.
BLOCKED_NAME = "blocked-requests.txt"
#: Part of an order's time for the HTTP lane; a tab has the rest.
_PART_FOR_HTTP = 0.5
#: Outcomes that a browser that is gone can cause.
_OUTCOMES_TO_CHECK = frozenset({Outcome.FAILED, Outcome.PARTIAL})
#: Reasons for which a person needs to see the page.
_REASONS_WITH_EVIDENCE = frozenset(
    {
        Reason.PORTAL_CHANGED,
        Reason.PORTAL_ERROR,
        Reason.PAGE_TOO_SLOW,
        Reason.PROCESSOR_ERROR,
        Reason.RETRY_ASKED,
        Reason.GIVEN_UP,
        Reason.DOWNLOAD_FAILED,
        Reason.DOWNLOAD_REFUSED,
        Reason.SOME_FILES_FAILED,
        Reason.SOME_FILES_REFUSED,
    }
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AttemptContext:
    """The session, the processor and the time limit that all attempts of a worker share."""

    session: BrowserSession
    #: ``None`` in a pool without a portal.
    portal_context: PortalContext | None
    processor: TabProcessor
    task_timeout_s: float


async def attempt(context: AttemptContext, task: POTask, staging: Path) -> Report:
    """Process one task in a tab of its own, within its time limit, and return the report.

    Raises:
        SessionLostError: The portal logged us out; the task has no result.
        SessionBrokenError: The browser or its driver is gone; the task has no result.
        CannotProcessError: The processor cannot work in this pool; the task has no result.
    """
    begun = anyio.current_time()
    if report := await _attempt_by_http(context, task, staging):
        return dataclasses.replace(report, duration_s=round(anyio.current_time() - begun, 3))
    spent_s = anyio.current_time() - begun
    kills = await anyio.to_thread.run_sync(OomKillCounter)
    async with context.session.tab(task, staging, context.portal_context) as tab:
        with recording_blocked() as blocked:
            report = await _run_within_limit(context, tab, task, spent_s)
        if blocked.text:
            await tab.add_evidence_text(BLOCKED_NAME, blocked.text)
        if report.outcome in _OUTCOMES_TO_CHECK:
            await _stop_if_browser_is_gone(context.session, report)
        if report.reason is Reason.TAB_CRASHED:
            report = await anyio.to_thread.run_sync(_explain_crash, report, kills)
        if report.reason in _REASONS_WITH_EVIDENCE and tab.may_capture and not tab.flooded.is_set():
            await tab.capture_failure()
        if report.outcome is Outcome.FAILED:
            tab.mark_failed(report.reason)
    return dataclasses.replace(report, evidence=tab.evidence_files, duration_s=round(anyio.current_time() - begun, 3))


def _has_http_lane(portal_context: PortalContext, task: POTask) -> bool:
    """Return whether an order may be brought by HTTP: the pack says so, and nothing of its page is wanted beside."""
    if portal_context.pack.lane.kind is not Lane.HTTP:
        return False
    # An order that is looked at again is compared with its files, and a page that is filed needs to be shown.
    return task.known_files is None and portal_context.page_evidence is PageEvidence.OFF


async def _attempt_by_http(context: AttemptContext, task: POTask, staging: Path) -> Report | None:
    """Return the report of an order that came by HTTP alone; ``None`` if it is for a tab.

    Raises:
        SessionLostError: The portal logged us out; the task has no result.
    """
    portal_context = context.portal_context
    if portal_context is None or context.processor is not PURCHASE_ORDERS or not _has_http_lane(portal_context, task):
        return None
    from poolwright.worker.lane.http_lane import HttpLane  # noqa: PLC0415 - few packs want it

    await context.session.use()
    try:
        with anyio.move_on_after(_limit_s(context, task) * _PART_FOR_HTTP):
            return await HttpLane(portal_context, task, staging).run()
    except SessionLostError:
        raise
    except PlaywrightError:
        return None  # a tab tells whether the browser is gone
    except Exception as error:  # noqa: BLE001 - the border of the tab, which judges this order instead
        if isinstance(error, OSError) and not isinstance(error, TimeoutError):
            return await storage_report(error, staging.parent, "")
        logger.opt(exception=error).error("the HTTP lane failed on {}; it is opened in a tab", task.po_number)
    return None


def _limit_s(context: AttemptContext, task: POTask) -> float:
    """Return the time limit of a task in seconds."""
    return context.task_timeout_s if task.timeout_s is None else task.timeout_s


async def _run_within_limit(context: AttemptContext, tab: Tab, task: POTask, spent_s: float) -> Report:
    try:
        limit_s = _limit_s(context, task)
        with anyio.move_on_after(limit_s - spent_s):
            return await _run_processor(context, tab, task)
        detail = f"The order exceeded its time limit of {limit_s:g} s."
        return Report(reason=Reason.TASK_TIMEOUT, detail=detail, page_url=tab.page.url)
    except (SessionLostError, CannotProcessError):
        raise
    except Exception as error:  # noqa: BLE001 - the border of the tab: an error of a processor ends only its task
        if isinstance(error, OSError) and not isinstance(error, TimeoutError):
            return await storage_report(error, tab.staging.parent, tab.page.url)
        return await _recheck_unreachable(_report_for_error(error, context, tab), context, tab)


async def _recheck_unreachable(report: Report, context: AttemptContext, tab: Tab) -> Report:
    """Return the report, changed to an error of this page if the portal answers for other pages."""
    if report.reason is not Reason.PORTAL_UNREACHABLE or context.portal_context is None:
        return report
    if await is_portal_unreachable(tab.page.context, context.portal_context.portal.base_url):
        return report
    detail = f"The portal does not answer for this page, but it answers for other pages ({report.detail})."
    return dataclasses.replace(report, reason=Reason.PORTAL_ERROR, detail=detail)


def _report_for_error(error: Exception, context: AttemptContext, tab: Tab) -> Report:
    detail, wait_s = first_line(error), None
    match error:
        case RetryLaterError():
            reason, wait_s = Reason.RETRY_ASKED, error.after_s
        case GiveUpError():
            reason = Reason.GIVEN_UP
        case TimeoutError():
            reason, detail = Reason.PAGE_TOO_SLOW, detail if str(error) else "The page hangs."
        case PlaywrightError():
            reason = classify_error(error)
            if reason in {Reason.PORTAL_UNREACHABLE, Reason.PORTAL_ERROR} and context.portal_context is None:
                reason = Reason.PROCESSOR_ERROR  # without a portal no other task depends on this address
        case _:
            reason = Reason.PROCESSOR_ERROR
            logger.opt(exception=error).error("processor failed on {}", tab.po_number)
    return Report(reason=reason, detail=detail, page_url=tab.page.url, retry_after_s=wait_s)


async def _run_processor(context: AttemptContext, tab: Tab, task: POTask) -> Report:
    """Return the processor's report, or one for a crashed page: a call into such a page may never return."""
    reports: list[Report] = []

    async def process() -> None:
        reports.append(complete_report(await context.processor(tab, task), tab))
        work.cancel_scope.cancel()

    async def end_with(trouble: anyio.Event, reason: Reason, detail: str) -> None:
        await trouble.wait()
        reports.append(Report(reason=reason, detail=detail, page_url=tab.page.url))
        work.cancel_scope.cancel()

    try:
        async with anyio.create_task_group() as work:
            work.start_soon(process)
            work.start_soon(end_with, tab.crashed, Reason.TAB_CRASHED, "The browser tab crashed.")
            work.start_soon(end_with, tab.flooded, Reason.GIVEN_UP, "The page keeps opening windows.")
    except ExceptionGroup as group:
        raise unwrap_group(group, ProcessorError) from group
    return reports[0]


def _explain_crash(crashed: Report, kills: OomKillCounter) -> Report:
    """Return the report of a crash, changed if the system killed the page for lack of memory. Blocking."""
    if not kills.count:
        return crashed
    detail = "The system killed the browser tab because it ran out of memory."
    return dataclasses.replace(crashed, reason=Reason.OUT_OF_MEMORY, detail=detail)


async def _stop_if_browser_is_gone(session: BrowserSession, report: Report) -> None:
    """Raise if the browser is gone, whatever the text of the error, so that the order is not reported as failed.

    Raises:
        SessionBrokenError: The browser or its driver is gone.
    """
    if await session.is_lost_by_now():
        msg = f"the browser or its driver ended ({report.detail})"
        raise SessionBrokenError(msg)
