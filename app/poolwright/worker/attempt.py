"""One attempt at one task: the place where every error becomes a report or a decision.

An own processor opens files and connections wherever it likes, and what refuses those says nothing of our storage. So
an error counts as ours that names a place of ours, and any other that could be ours only if our own folder refuses too.

Whatever happens in a tab becomes a report, unless it is no fault of the task's: a lost login and a dead browser are
raised to the loop.
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
from poolwright.domain.outcomes import Outcome, Reason
from poolwright.domain.storage import STORAGE_REASONS, StorageTrouble, trouble_of
from poolwright.domain.tasks import POTask, Report
from poolwright.sdk.protocol import GiveUpError, ProcessorError, RetryLaterError, SessionLostError
from poolwright.system.memory_limit import OomKillCounter
from poolwright.worker.errors import CannotProcessError, SessionBrokenError, classify_error, first_line
from poolwright.worker.page.reachability import is_portal_unreachable
from poolwright.worker.processors.registry import TabProcessor, complete_report
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
#: What a processor's own connection may raise; a share that is away raises the same.
_OF_CONNECTIONS = (ConnectionError, socket.gaierror)


async def storage_report(error: OSError, folder: Path, page_url: str) -> Report:
    """How an attempt ended that a file system refused something.

    Args:
        error: What was raised.
        folder: Where this worker stages all its orders.
        page_url: Where the page was then.
    """
    trouble, told = await anyio.to_thread.run_sync(_storage_trouble, error, folder, abandon_on_cancel=True)
    if trouble is StorageTrouble.OTHER and isinstance(error, _OF_CONNECTIONS) and error.filename is None:
        return Report(reason=Reason.PROCESSOR_ERROR, detail=first_line(error), page_url=page_url)
    return Report(
        reason=STORAGE_REASONS[trouble], detail=f"{_TROUBLE_TEXTS[trouble]} ({first_line(told)}).", page_url=page_url
    )


def _storage_trouble(error: OSError, folder: Path) -> tuple[StorageTrouble, OSError]:
    """Whether no order can be staged now, and by which error. Blocking."""
    trouble = trouble_of(error)
    # a small file may still have room where a large one had none
    if trouble in {StorageTrouble.FULL, StorageTrouble.OTHER} or _is_within(error, folder):
        return trouble, error
    refused = _refusal(folder)
    if refused is None or not trouble_of(refused).may_pass:
        return StorageTrouble.OTHER, error
    return trouble_of(refused), refused


def _is_within(error: OSError, folder: Path) -> bool:
    named = error.filename
    return isinstance(named, str | bytes) and Path(os.fsdecode(named)).is_relative_to(folder)


def _refusal(folder: Path) -> OSError | None:
    """Why a folder takes no file now; nothing when it does."""
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"\0")
            probe.flush()
    except OSError as error:
        return error
    return None


#: What a browser that is gone makes of an order.
_OUTCOMES_TO_CHECK = frozenset({Outcome.FAILED, Outcome.PARTIAL})
#: Reasons for which a person wants to see the page.
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
    """What all attempts of a worker share."""

    session: BrowserSession
    #: Nothing in a pool without a portal.
    portal_context: PortalContext | None
    processor: TabProcessor
    task_timeout_s: float


async def attempt(bench: AttemptContext, task: POTask, staging: Path) -> Report:
    """Process one task in a tab of its own, within its time.

    Raises:
        SessionLostError: The portal logged us out; the task was not judged.
        SessionBrokenError: Browser or driver are gone; the task was not judged.
        CannotProcessError: The processor cannot work in this pool; the task was not judged.
    """
    begun, kills = anyio.current_time(), await anyio.to_thread.run_sync(OomKillCounter)
    async with bench.session.tab(task, staging, bench.portal_context) as tab:
        report = await _run_within_limit(bench, tab, task)
        if report.outcome in _OUTCOMES_TO_CHECK:
            await _stop_if_browser_is_gone(bench.session, report)
        if report.reason is Reason.TAB_CRASHED:
            report = await anyio.to_thread.run_sync(_explain_crash, report, kills)
        if report.reason in _REASONS_WITH_EVIDENCE and tab.may_capture and not tab.flooded.is_set():
            await tab.capture_failure()
        if report.outcome is Outcome.FAILED:
            tab.mark_failed(report.reason)
    return dataclasses.replace(report, evidence=tab.evidence_files, duration_s=round(anyio.current_time() - begun, 3))


async def _run_within_limit(bench: AttemptContext, tab: Tab, task: POTask) -> Report:
    try:
        limit_s = bench.task_timeout_s if task.timeout_s is None else task.timeout_s
        with anyio.move_on_after(limit_s):
            return await _run_processor(bench, tab, task)
        detail = f"The order exceeded its time limit of {limit_s:g} s."
        return Report(reason=Reason.TASK_TIMEOUT, detail=detail, page_url=tab.page.url)
    except (SessionLostError, CannotProcessError):
        raise
    except Exception as error:  # noqa: BLE001 - the tab's border: no error of a processor ends more than its task
        if isinstance(error, OSError) and not isinstance(error, TimeoutError):
            return await storage_report(error, tab.staging.parent, tab.page.url)
        return await _recheck_unreachable(_report_for_error(error, bench, tab), bench, tab)


async def _recheck_unreachable(report: Report, bench: AttemptContext, tab: Tab) -> Report:
    """The same, but a page that nobody answers is its own trouble where the portal answers otherwise."""
    if report.reason is not Reason.PORTAL_UNREACHABLE or bench.portal_context is None:
        return report
    if await is_portal_unreachable(tab.page.context, bench.portal_context.portal.base_url):
        return report
    detail = f"The portal does not answer for this page, but it answers for others ({report.detail})."
    return dataclasses.replace(report, reason=Reason.PORTAL_ERROR, detail=detail)


def _report_for_error(error: Exception, bench: AttemptContext, tab: Tab) -> Report:
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
            if reason in {Reason.PORTAL_UNREACHABLE, Reason.PORTAL_ERROR} and bench.portal_context is None:
                reason = Reason.PROCESSOR_ERROR  # an address of the task's own; no reason for the others to wait
        case _:
            reason = Reason.PROCESSOR_ERROR
            logger.opt(exception=error).error("processor failed on {}", tab.po_number)
    return Report(reason=reason, detail=detail, page_url=tab.page.url, retry_after_s=wait_s)


async def _run_processor(bench: AttemptContext, tab: Tab, task: POTask) -> Report:
    """The processor's report, or the news that its page is lost: a call into a crashed page may never return."""
    reports: list[Report] = []

    async def process() -> None:
        reports.append(complete_report(await bench.processor(tab, task), tab))
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
    """A page that the system ended to save itself is told apart from one that crashed. Blocking."""
    if not kills.count:
        return crashed
    detail = "The system killed the browser tab because it ran out of memory."
    return dataclasses.replace(crashed, reason=Reason.OUT_OF_MEMORY, detail=detail)


async def _stop_if_browser_is_gone(session: BrowserSession, report: Report) -> None:
    """Never tell a dead browser as a failure of the order, in whatever words the error came: the browser is asked.

    Raises:
        SessionBrokenError: The browser or its driver is gone.
    """
    if await session.is_lost_by_now():
        msg = f"browser or driver ended ({report.detail})"
        raise SessionBrokenError(msg)
