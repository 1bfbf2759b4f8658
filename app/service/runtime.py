"""The composition root of a batch: opens journal, archive and pool, lets them work, and writes the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread

from app.archive.report import ReportFiles, write_reports
from app.archive.tree import OutputTree
from app.domain.events import Level, ListOpened, Notice
from app.domain.failures import root_cause
from app.domain.ports import Accepted, Clock, EventSink, Journal
from app.domain.states import open_count
from app.domain.task import TaskRecord
from app.portal import pack as packs
from app.service.batch import BatchJob, BatchSummary, Ending
from app.service.clock import SystemClock
from app.service.crew import Crew
from app.service.resuming import clean_staging, recover, reopen, unless_stopped
from app.store.journal import SqliteJournal
from app.supervisor import errand
from app.supervisor.codes import codes_of
from app.supervisor.commands import Stop
from app.supervisor.pool import PersistentWorkerPool
from app.supervisor.stops import StopCause
from app.supervisor.surroundings import Surroundings

_ENDINGS = {
    StopCause.ASKED: Ending.STOPPED,
    StopCause.LOGIN_REQUIRED: Ending.LOGIN_REQUIRED,
    StopCause.PROFILE_DAMAGED: Ending.PROFILE_DAMAGED,
    StopCause.SETUP_FAILED: Ending.SETUP_FAILED,
    StopCause.NO_WORKERS: Ending.NO_WORKERS,
    StopCause.MEMORY_SHORT: Ending.MEMORY_SHORT,
}

REPORTS_NAME = "reports"
#: The end of a run that was stopped before it knew what there is to do.
_UNCHECKED = Stop(
    cause=StopCause.ASKED, detail="The files of an earlier run were not all looked at; start it again to go on."
)


async def run_batch(
    job: BatchJob, *, observe: EventSink, stop: anyio.Event, stop_now: anyio.Event, clock: Clock | None = None
) -> BatchSummary:
    """Bring one list home, from where an earlier run of it ended.

    Args:
        job: The list and everything around it.
        observe: Sees all that happens.
        stop: Set to let the orders in flight finish and end then.
        stop_now: Set to end without waiting for them; they go back to the queue.
        clock: The time; the system's own where none is given.

    Raises:
        PoolError: Something that must stand before the first order does not: journal, profile, room on the disk.
    """
    clock = clock or SystemClock()
    begun_s = clock.monotonic()
    tree = OutputTree(job.out, job.template, clock=clock, known_fields=_known_fields(job))
    async with SqliteJournal(job.journal_path, clock) as journal:
        await recover(journal, tree, job.pool.max_attempts)
        accepted = await journal.accept(job.orders)
        is_known = await unless_stopped(stop, partial(reopen, journal, tree, job.orders.batch_id, job.redo))
        open_before = open_count(await journal.counts(job.orders.batch_id))
        observe(ListOpened(open_count=open_before, done_count=len(job.orders.tasks) - open_before))
        is_work_left = is_known and open_before > 0
        end = await _work(job, journal, tree, clock, (observe, stop, stop_now)) if is_work_left else None
        records = await journal.records(job.orders.batch_id)
    summary = _summary(job, accepted, records, end if is_known else _UNCHECKED)
    reports = await anyio.to_thread.run_sync(_write_reports, job, records)
    for text in reports.notices:
        observe(Notice(level=Level.WARNING, text=text))
    return replace(
        summary,
        done_now_count=open_before - summary.left_count,
        duration_s=clock.monotonic() - begun_s,
        report_xlsx=reports.xlsx,
        report_csv=reports.csv,
        report_json=reports.json,
    )


async def make_base(*, crew: Crew, base: Path, runs_root: Path, observe: EventSink) -> None:
    """Make a base profile: a browser opens it, logs in by form where user and password are given, and closes it.

    Raises:
        OptionsError: The secret of the one-time codes is none.
        LoginRequiredError: The login failed; the base is there, logged out.
        SetupError: The browser does not start, or the portal does not answer.
    """

    def note(level: Level, text: str) -> None:
        observe(Notice(level=level, text=text))

    codes = codes_of(crew.totp_secret, SystemClock().now)
    code = await codes.next() if codes else ""
    await errand.make_base(base, crew.worker, runs_root, note, one_time_code=code)


async def _work(
    job: BatchJob,
    journal: Journal,
    tree: OutputTree,
    clock: Clock,
    ears: tuple[EventSink, anyio.Event, anyio.Event],
) -> Stop | None:
    """Run the pool until the list is done, or it cannot go on, or somebody stops it."""
    observe, stop, stop_now = ears
    around = Surroundings(journal=journal, archive=tree, clock=clock, observe=observe, batch_id=job.orders.batch_id)
    ended: list[Stop | None] = []
    try:
        async with clean_staging(tree, job.pool.staging_path), anyio.create_task_group() as listening:
            pool = PersistentWorkerPool(job.pool, around)
            listening.start_soon(_pass_on, stop, pool.stop)
            listening.start_soon(_pass_on, stop_now, pool.hurry)
            async with pool:
                await pool.finish()
            ended.append(pool.end)
            listening.cancel_scope.cancel()
    except ExceptionGroup as group:
        raise root_cause(group) from group
    return ended[0]


async def _pass_on(wish: anyio.Event, act: Callable[[], None]) -> None:
    await wish.wait()
    act()


def _write_reports(job: BatchJob, records: Sequence[TaskRecord]) -> ReportFiles:
    by_task = {record.task.task_id: record for record in records}
    return write_reports(job.orders, by_task, job.out / REPORTS_NAME, job.report_stem, out=job.out)


def _known_fields(job: BatchJob) -> frozenset[str] | None:
    """What a page of this portal can tell; a folder template with any other name is a mistake of the user's.

    Nothing without a portal: what an own processor tells is not known before.
    """
    return frozenset(packs.parse_json(job.pool.worker.portal.pack_json).fields) if job.pool.worker.portal else None


def _summary(job: BatchJob, accepted: Accepted, records: Sequence[TaskRecord], end: Stop | None) -> BatchSummary:
    left_count = sum(not record.is_over for record in records)
    outcomes = Counter(record.report.outcome for record in records if record.report and record.is_over)
    # Asked to stop when nothing was left to do is no cut.
    is_cut_short = end is not None and (left_count > 0 or end.cause is not StopCause.ASKED or end is _UNCHECKED)
    return BatchSummary(
        ending=_ENDINGS[end.cause] if end and is_cut_short else Ending.FINISHED,
        detail=end.detail if end and is_cut_short else "",
        accepted=accepted,
        outcomes=outcomes,
        invalid_count=sum(row.problem is not None for row in job.orders.rows),
        left_count=left_count,
    )
