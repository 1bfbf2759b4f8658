"""The report at the end of a batch: where it fails, or takes longer than anybody waits, the summary says so."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import anyio

from poolwright.archive.report import ReportFiles, write_reports
from poolwright.archive.report_table import TaskRecords
from poolwright.files.disk_threads import check_cancelled
from poolwright.files.permissions import describe_error
from poolwright.journal.sqlite_journal import SqliteJournal
from poolwright.service.batch import BatchJob
from poolwright.service.resuming import unless

REPORTS_NAME = "reports"
#: Time for the report after the first stop request, on top of the time for orders in progress.
AFTER_STOP_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchReport:
    """The report files, or why there is no report."""

    files: ReportFiles | None = None
    #: One sentence with the next step; empty when it was written.
    problem: str = ""


async def end_of_patience(stop: anyio.Event, stop_now: anyio.Event) -> None:
    """Return when a stop was requested and the time for the report is over."""
    await stop.wait()
    with anyio.move_on_after(AFTER_STOP_S):
        await stop_now.wait()


async def report_batch(job: BatchJob, journal: SqliteJournal, stop: anyio.Event, stop_now: anyio.Event) -> BatchReport:
    """Write the report. If that fails or is interrupted, an earlier report stays in place."""
    found: list[BatchReport] = []

    async def work() -> None:
        try:
            files = await journal.read(partial(_write, job))
        except OSError as error:
            folder = job.out / REPORTS_NAME
            told = describe_error(error, folder).sentence(
                otherwise="Fix this and run the batch again to get the report."
            )
            found.append(BatchReport(problem=f"The report in '{folder}' cannot be written: {told}"))
        else:
            found.append(BatchReport(files=files))

    await unless(partial(end_of_patience, stop, stop_now), work)
    told = "The report was not written because the run was stopped. Run the batch again to get the report."
    return found[0] if found else BatchReport(problem=told)


def _write(job: BatchJob, records: TaskRecords) -> ReportFiles:
    return write_reports(
        job.orders, records, job.out / REPORTS_NAME, job.report_stem, out=job.out, heed=check_cancelled
    )
