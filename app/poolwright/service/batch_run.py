"""Runs one batch from the order list to its report, and resumes an earlier run of the same list."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread

from poolwright.archive.folder_template import FolderTemplate, list_columns, with_cells
from poolwright.archive.output_tree import OutputTree
from poolwright.archive.report import ReportFiles, load_workbook_writer, write_reports
from poolwright.archive.report_table import TaskRecords
from poolwright.concurrency import SystemClock
from poolwright.domain.errors import unwrap_group
from poolwright.domain.events import Level, ListOpened, Notice
from poolwright.domain.outcomes import Outcome
from poolwright.domain.ports import Accepted, Clock, EventSink
from poolwright.domain.refresh import RefreshCounts
from poolwright.domain.states import open_count
from poolwright.files.disk_threads import check_cancelled
from poolwright.files.permissions import describe_error
from poolwright.journal import queries
from poolwright.journal.sqlite_journal import SqliteJournal
from poolwright.portal import pack as packs
from poolwright.service.batch import BatchEnding, BatchJob, BatchSummary, RedoPolicy
from poolwright.service.pool_config import WorkerConfig
from poolwright.service.recovery import (
    clean_staging,
    keep_groups_aside,
    recover,
    reopen,
    reopen_removed,
    resume_groups,
    run_interruptible,
)
from poolwright.supervisor.policy.commands import Stop, StopCause
from poolwright.supervisor.pool import PersistentWorkerPool
from poolwright.supervisor.pool_context import PoolPorts
from poolwright.supervisor.processes import one_shot
from poolwright.supervisor.totp import totp_from_secret


@asynccontextmanager
async def stoppable_startup(stop: anyio.Event) -> AsyncGenerator[Callable[[], None]]:
    """Cancel the block if a stop is requested before it calls the yielded function to report that startup is complete.

    A cancelled block ends without an error. After startup the block handles stop requests itself.

    Args:
        stop: Set to request a stop.
    """
    waiting = anyio.CancelScope()

    async def cancel_on_stop(scope: anyio.CancelScope) -> None:
        with waiting:
            await stop.wait()
        if not waiting.cancel_called:
            scope.cancel()

    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(cancel_on_stop, tasks.cancel_scope)
            yield waiting.cancel
            waiting.cancel()
    except ExceptionGroup as group:
        raise unwrap_group(group) from group


REPORTS_NAME = "reports"
#: Time for the report after the first stop request, on top of the time for orders in progress.
REPORT_AFTER_STOP_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchReport:
    """The report files, or why there is no report."""

    files: ReportFiles | None = None
    #: One sentence with the next step; empty when it was written.
    problem: str = ""


async def wait_until_report_is_abandoned(stop: anyio.Event, stop_now: anyio.Event) -> None:
    """Return when a stop was requested and the time for the report is over."""
    await stop.wait()
    with anyio.move_on_after(REPORT_AFTER_STOP_S):
        await stop_now.wait()


async def write_batch_report(
    job: BatchJob, journal: SqliteJournal, stop: anyio.Event, stop_now: anyio.Event
) -> BatchReport:
    """Write the report. If that fails or is interrupted, an earlier report stays in place."""
    reports: list[BatchReport] = []

    async def write() -> None:
        try:
            files = await journal.read(partial(_write_report_files, job))
        except OSError as error:
            folder = job.out / REPORTS_NAME
            advice = describe_error(error, folder).sentence(
                otherwise="Fix this and run the batch again to get the report."
            )
            reports.append(BatchReport(problem=f"The report in '{folder}' cannot be written: {advice}"))
        else:
            reports.append(BatchReport(files=files))

    await run_interruptible(partial(wait_until_report_is_abandoned, stop, stop_now), write)
    problem = "The report was not written because the run was stopped. Run the batch again to get the report."
    return reports[0] if reports else BatchReport(problem=problem)


def _write_report_files(job: BatchJob, records: TaskRecords) -> ReportFiles:
    return write_reports(
        job.orders,
        records,
        job.out / REPORTS_NAME,
        job.report_stem,
        out=job.out,
        book=job.book,
        cancel_check=check_cancelled,
    )


ENDINGS = {
    StopCause.ASKED: BatchEnding.STOPPED,
    StopCause.LOGIN_REQUIRED: BatchEnding.LOGIN_REQUIRED,
    StopCause.PROFILE_DAMAGED: BatchEnding.PROFILE_DAMAGED,
    StopCause.SETUP_FAILED: BatchEnding.SETUP_FAILED,
    StopCause.NO_WORKERS: BatchEnding.NO_WORKERS,
    StopCause.MEMORY_SHORT: BatchEnding.MEMORY_SHORT,
}

_NONE_ACCEPTED = Accepted(new_count=0, waiting_count=0, done_count=0)
#: The end of a run that was stopped during the file check.
_FILES_NOT_CHECKED = Stop(
    cause=StopCause.ASKED, detail="Not all files of the earlier run were checked. Run the batch again to continue."
)
#: The end of a run that was stopped before its list was in the journal.
_NOT_ACCEPTED = Stop(cause=StopCause.ASKED, detail="The list was not accepted yet. Run the batch again.")
#: The end of a run that was stopped before its workers started.
_STOPPED_BEFORE_WORKERS = Stop(cause=StopCause.ASKED, detail="")
#: Why there is no report if the run was stopped at once: the outcomes are only in the journal.
_OUTCOMES_NOT_READ = "The outcomes were not read because the run was stopped. Run the batch again to get the report."


@dataclass(frozen=True, slots=True, kw_only=True)
class _BatchRun:
    """One run of a batch, with its dependencies."""

    job: BatchJob
    journal: SqliteJournal
    tree: OutputTree
    clock: Clock
    observe: EventSink
    stop: anyio.Event
    stop_now: anyio.Event


async def run_batch(
    job: BatchJob, *, observe: EventSink, stop: anyio.Event, stop_now: anyio.Event, clock: Clock | None = None
) -> BatchSummary:
    """Run one batch to completion, resuming an earlier run.

    Every step can be stopped, also the steps that take long for a long list.

    Args:
        job: The list and everything around it.
        observe: Receives every event.
        stop: Set to finish the orders in progress and then end.
        stop_now: Set to end without waiting for them; they return to the queue.
        clock: The time; by default the system clock.

    Raises:
        PoolError: A precondition is not met: journal, profile or disk space.
    """
    clock = clock or SystemClock()
    begun_s = clock.monotonic()
    tree = output_tree_of(job, clock)
    job = with_folder_cells(job)
    results: list[tuple[BatchSummary, BatchReport]] = []
    async with stoppable_startup(stop) as has_begun, SqliteJournal(job.journal_path, clock) as journal:
        if job.account is not None:
            await journal.claim_account(job.account)
        await recover(journal, tree, job.out, job.pool.max_attempts, observe)
        has_begun()
        run = _BatchRun(job=job, journal=journal, tree=tree, clock=clock, observe=observe, stop=stop, stop_now=stop_now)
        results.append(await _process_list(run))
    summary, report = results[0] if results else (_not_accepted_summary(job), BatchReport())
    files = report.files
    for text in (*(files.notices if files else ()), *filter(None, [report.problem])):
        observe(Notice(level=Level.WARNING, text=text))
    return replace(
        summary,
        duration_s=clock.monotonic() - begun_s,
        report_xlsx=files and files.xlsx,
        report_csv=files and files.csv,
        report_json=files and files.json,
        report_problem=report.problem,
    )


async def _process_list(run: _BatchRun) -> tuple[BatchSummary, BatchReport]:
    """Accept the list, process it, and write the report."""
    accepted = await _accept(run)
    if accepted is None:
        return _not_accepted_summary(run.job), BatchReport()
    summary, is_read = await _process_accepted_list(run, accepted)
    if not is_read:
        return summary, BatchReport(problem=_OUTCOMES_NOT_READ)
    return summary, await write_batch_report(run.job, run.journal, run.stop, run.stop_now)


async def _accept(run: _BatchRun) -> Accepted | None:
    """Store the list in the journal; return ``None`` if a stop is requested first."""
    results: list[Accepted] = []

    async def store() -> None:
        results.append(await run.journal.accept(run.job.orders))

    if not run.stop.is_set():  # a short list is usually stored before a stop is requested
        await run_interruptible(run.stop.wait, store)
    return results[0] if results else None


async def _process_accepted_list(run: _BatchRun, accepted: Accepted) -> tuple[BatchSummary, bool]:
    """Process the unfinished orders; return the summary, and whether the outcomes were counted."""
    job, journal, batch_id = run.job, run.journal, run.job.orders.batch_id
    begun_at = run.clock.now()
    await resume_groups(journal, job)
    is_checked = await run_interruptible(
        run.stop.wait, partial(reopen, journal, run.tree, batch_id, job.redo, is_refresh=job.is_refresh)
    )
    await keep_groups_aside(journal, batch_id, run.observe)
    open_before = open_count(await journal.counts(batch_id))
    run.observe(ListOpened(open_count=open_before, done_count=len(job.orders.tasks) - open_before))
    end = await _run_pool(run) if is_checked and open_before > 0 else None
    has_worked = is_checked and open_before > 0 and end is None
    removed = await _reopen_removed(run) if has_worked and job.redo is not RedoPolicy.NOTHING else ""
    open_counts: list[int] = []
    outcome_counts: list[Mapping[Outcome, int]] = []
    refreshes: list[RefreshCounts] = []
    aside_counts: list[Mapping[str, int]] = []

    async def count() -> None:
        open_counts.append(open_count(await journal.counts(batch_id)))
        aside_counts.append(await journal.query(partial(queries.count_set_aside, batch_id=batch_id)))
        outcome_counts.append(await journal.query(partial(queries.count_outcomes, batch_id=batch_id)))
        refreshes.append(await journal.query(partial(queries.count_refreshes, batch_id=batch_id, since=begun_at)))

    await run_interruptible(partial(wait_until_report_is_abandoned, run.stop, run.stop_now), count)
    left_count = open_counts[0] if open_counts else open_before
    outcomes = outcome_counts[0] if outcome_counts else dict[Outcome, int]()
    summary = _summary(job, accepted, outcomes, end if is_checked else _FILES_NOT_CHECKED, left_count=left_count)
    refresh = refreshes[0] if refreshes and refreshes[0].order_count else None
    set_aside = aside_counts[0] if aside_counts else dict[str, int]()
    done_now_count = open_before - left_count
    detail = summary.detail or removed
    summary = replace(summary, detail=detail, done_now_count=done_now_count, set_aside=set_aside, refresh=refresh)
    return summary, bool(outcome_counts)


async def _reopen_removed(run: _BatchRun) -> str:
    """Queue the orders again whose folders were removed meanwhile; return a sentence about them, empty if none was."""
    removed: list[str] = []

    async def find() -> None:
        removed.extend(await reopen_removed(run.journal, run.tree, run.job.orders.batch_id))

    await run_interruptible(run.stop.wait, find)
    if not removed:
        return ""
    is_one = len(removed) == 1
    folders = f"{removed[0]} is" if is_one else f"{removed[0]} and {len(removed) - 1:,} more are"
    orders = "its order is not done" if is_one else "their orders are not done"
    text = f"The folder {folders} no longer in {run.job.out}, where the files were put: {orders}."
    run.observe(Notice(level=Level.WARNING, text=text))
    return text


async def make_base_profile(
    *, workers: WorkerConfig, base: Path, runs_root: Path, observe: EventSink, cookies_path: Path | None = None
) -> None:
    """Create a base profile in a browser, and log in by form if user and password are set.

    Args:
        workers: Browser, portal and login.
        base: The user-data folder.
        runs_root: Folder for the temporary folder of the browser.
        observe: Receives the messages of the worker for people.
        cookies_path: File for the cookies of the login; ``None`` if they are not saved.

    Raises:
        OptionsError: The TOTP secret is invalid.
        LoginRequiredError: The login failed; the base exists, but is not logged in.
        SetupError: The browser does not start, or the portal does not answer.
    """
    codes = totp_from_secret(workers.totp_secret, SystemClock())
    code = await codes.next_code() if codes else ""
    await one_shot.make_base(base, workers.worker, runs_root, observe, one_time_code=code, cookies_path=cookies_path)


async def _run_pool(run: _BatchRun) -> Stop | None:
    """Run the pool until the list is done, the pool cannot continue, or a stop is requested."""
    options = run.job.pool
    ports = PoolPorts(
        journal=run.journal,
        archive=run.tree,
        clock=run.clock,
        observe=run.observe,
        batch_id=run.job.orders.batch_id,
    )
    ends: list[Stop | None] = []
    try:
        async with (
            stoppable_startup(run.stop) as has_begun,
            clean_staging(run.tree, options.staging_path),
            anyio.create_task_group() as listeners,
        ):
            async with PersistentWorkerPool(options, ports) as pool:
                has_begun()
                listeners.start_soon(_call_when_set, run.stop, pool.stop)
                listeners.start_soon(_call_when_set, run.stop_now, pool.shutdown_now)
                await pool.finish()
                # While the workers close their browsers. The report waits for it, if they are faster.
                listeners.start_soon(_load_workbook_writer)
            ends.append(pool.end)
            listeners.cancel_scope.cancel()
    except ExceptionGroup as group:
        raise unwrap_group(group) from group
    return ends[0] if ends else _STOPPED_BEFORE_WORKERS


async def _load_workbook_writer() -> None:
    await anyio.to_thread.run_sync(load_workbook_writer, abandon_on_cancel=True)


async def _call_when_set(event: anyio.Event, call: Callable[[], None]) -> None:
    await event.wait()
    call()


def output_tree_of(job: BatchJob, clock: Clock) -> OutputTree:
    """Return the output tree, whose template may also use columns of the list."""
    page_fields = _known_fields(job)
    known = None if page_fields is None else page_fields | list_columns(job.orders, page_fields).keys()
    return OutputTree(job.out, job.template, clock=clock, known_fields=known, account=job.account)


def with_folder_cells(job: BatchJob) -> BatchJob:
    """Return the job with the cells of its list that name the folders of its orders."""
    template = FolderTemplate.parse(job.template)
    return replace(job, orders=with_cells(job.orders, template, _known_fields(job) or ()))


def _known_fields(job: BatchJob) -> frozenset[str] | None:
    """Return the fields that the portal pack reads from a page, which a folder template may name.

    ``None`` without a portal: the fields of a custom processor are not known in advance.
    """
    return frozenset(packs.parse_json(job.pool.worker.portal.pack_json).fields) if job.pool.worker.portal else None


def _not_accepted_summary(job: BatchJob) -> BatchSummary:
    return _summary(job, _NONE_ACCEPTED, {}, _NOT_ACCEPTED, left_count=len(job.orders.tasks))


def _summary(
    job: BatchJob, accepted: Accepted, outcomes: Mapping[Outcome, int], end: Stop | None, *, left_count: int
) -> BatchSummary:
    # A stop request after the last order does not cut the batch short.
    is_cut_short = end is not None and (left_count > 0 or end.cause is not StopCause.ASKED or end is _FILES_NOT_CHECKED)
    return BatchSummary(
        ending=ENDINGS[end.cause] if end and is_cut_short else BatchEnding.FINISHED,
        profile=job.pool.base_profile_path.parent.name,
        detail=end.detail if end and is_cut_short else "",
        accepted=accepted,
        outcomes=outcomes,
        invalid_count=sum(row.problem is not None for row in job.orders.rows),
        left_count=left_count,
    )
