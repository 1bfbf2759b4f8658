"""One run of a schedule, in the daemon's queue or as a separate batch, until its end or its deadline.

A separate batch has its own output folder with journal and log; its exit code and its report are reported here. Its
output goes to files, so that it never waits for a reader.
"""

from __future__ import annotations

import math
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

import anyio
import anyio.to_thread
from pydantic import BaseModel, ValidationError

from poolwright import interpreter
from poolwright.concurrency import periodic
from poolwright.domain.errors import PoolError
from poolwright.domain.ids import BatchId
from poolwright.domain.ports import Accepted, Clock
from poolwright.domain.tasks import OrderList
from poolwright.files.disk import make_private_folder
from poolwright.intake.orders import ReadOptions, orders_from_file
from poolwright.service.batch import ListOptions
from poolwright.service.schedules.schedule_definition import Schedule, SeparateBatch
from poolwright.service.schedules.schedule_state import CurrentRun, RunResult, RunStatus
from poolwright.service.schedules.sources import ERROR_OUTPUT_BYTES, child_environment, find_lists, terminate_on_exit


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueClient:
    """The daemon's queue as schedules use it. Each function may raise ``PoolError``."""

    #: Submits a list; its orders are in the journal when it returns.
    submit: Callable[[OrderList, ListOptions], Awaitable[Accepted]]
    #: Returns how many orders of a list are not finished.
    open_count: Callable[[BatchId], Awaitable[int]]
    #: Cancels the orders of a list that have not started; returns how many.
    cancel_waiting: Callable[[BatchId], Awaitable[int]]


async def wait_until_done(queue: QueueClient, batch_ids: Sequence[BatchId], interval_s: float) -> None:
    """Return when no order of these lists is open. The caller sets the deadline."""
    async for _ in periodic(interval_s):
        counts = [await queue.open_count(batch_id) for batch_id in batch_ids]
        if not any(counts):
            return


async def cancel_unstarted(queue: QueueClient, batch_ids: Sequence[BatchId]) -> int:
    """Cancel the orders that have not started; return how many."""
    counts = [await queue.cancel_waiting(batch_id) for batch_id in batch_ids]
    return sum(counts)


#: In addition to the time for orders in progress: workers close their browsers, and the report is written.
SHUTDOWN_MARGIN_S = 45.0
#: Maximum size of the last line, the summary; that of a million orders is not longer.
_SUMMARY_BYTES = 256 * 1024
_JSON_LINES_SUFFIX, _ERROR_OUTPUT_SUFFIX = ".jsonl", ".log"


class _RunSummary(BaseModel):
    """The fields that are needed of the last line of a run."""

    type: Literal["summary"]
    detail: str = ""
    report_xlsx: str | None = None
    report_problem: str = ""


class SeparateRun:
    """One run of the program for one list."""

    def __init__(
        self, batch: SeparateBatch, source: Path, stem: Path, *, program: tuple[str, ...] = ("-m", "poolwright")
    ) -> None:
        """Build the command. ``stem`` is the path of its output files without suffix; tests set another ``program``."""
        self._command = [
            *interpreter.python_command(),
            *program,
            "run",
            "--json",
            *batch.options,
            str(source.absolute()),
        ]
        self._limit_s = batch.shutdown_timeout_s + SHUTDOWN_MARGIN_S
        self._json_lines = stem.with_name(stem.name + _JSON_LINES_SUFFIX)
        self._error_output = stem.with_name(stem.name + _ERROR_OUTPUT_SUFFIX)
        self._source = source
        self._code: int | None = None

    async def run(self) -> None:
        """Start the program and wait for its end.

        When cancelled, the program gets SIGTERM, finishes the orders in progress, and is killed if that takes too long.

        Raises:
            OSError: The program cannot be started.
        """
        await anyio.to_thread.run_sync(make_private_folder, self._json_lines.parent)
        process = await self._start()
        try:
            async with terminate_on_exit(process, self._limit_s):
                await process.wait()
        finally:
            self._code = process.returncode

    async def _start(self) -> anyio.abc.Process:
        # Their folder is private.
        async with (
            await anyio.open_file(self._json_lines, "wb") as lines,
            await anyio.open_file(self._error_output, "wb") as error_output,
        ):
            return await anyio.open_process(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=lines.wrapped,
                stderr=error_output.wrapped,
                env=child_environment(is_ours=True),
                start_new_session=True,
            )

    async def result(self) -> RunResult:
        """Return how the run ended."""
        summary = await anyio.to_thread.run_sync(_read_summary, self._json_lines)
        error_output = await anyio.to_thread.run_sync(_read_file_tail, self._error_output, ERROR_OUTPUT_BYTES)
        report = f" Report: {summary.report_xlsx}." if summary and summary.report_xlsx else ""
        ending = f"{self._source.name}: the separate run ended with exit code {self._code}"
        match self._code:
            case 0:
                return RunResult(how=RunStatus.DONE, detail=f"{ending}, all orders are done.{report}")
            case 1:
                return RunResult(how=RunStatus.FAILED, detail=f"{ending}, some orders are not done.{report}")
            case _:
                cause = (
                    (summary and (summary.detail or summary.report_problem))
                    or _last_line(error_output)
                    or f"see {self._error_output}"
                )
                return RunResult(how=RunStatus.FAILED, detail=f"{ending}: {cause}{report}")


def _read_summary(lines: Path) -> _RunSummary | None:
    """Return the last line; ``None`` if it is not the summary of a run."""
    text = _read_file_tail(lines, _SUMMARY_BYTES)
    try:
        return _RunSummary.model_validate_json(_last_line(text))
    except ValidationError:
        return None


def _read_file_tail(path: Path, size_bytes: int) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - size_bytes))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")


#: Called with all lists of this run whenever another one is in the journal.
RecordLists = Callable[[tuple[BatchId, ...]], Awaitable[None]]
#: Interval of checking how many orders of a run are open.
POLL_INTERVAL_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """Dependencies of every run of a schedule."""

    queue: QueueClient
    #: Portal and rules for reading order numbers; column and sheet come from the schedule.
    reading: ReadOptions
    #: Private folder for the output of programs.
    folder: Path
    clock: Clock
    poll_interval_s: float = POLL_INTERVAL_S


async def run_schedule(
    schedule: Schedule, began_at: datetime, context: RunContext, record_lists: RecordLists
) -> RunResult:
    """Run a schedule; when cancelled, end the programs that it started, but keep submitted orders.

    Returns:
        How it ended, also for a run that failed.
    """
    limit_s = _remaining_s(schedule, began_at, context.clock)
    try:
        if schedule.own is not None:
            return await _run_separate_batches(schedule, schedule.own, context, limit_s)
        return await _run_in_queue(schedule, context, limit_s, record_lists)
    except PoolError as error:
        return RunResult(how=RunStatus.FAILED, detail=str(error))
    except OSError as error:
        return RunResult(how=RunStatus.FAILED, detail=f"The run could not be started: {error}.")


async def resume_run(schedule: Schedule, run: CurrentRun, context: RunContext) -> RunResult:
    """Resume a run whose orders an earlier daemon had submitted."""
    try:
        return await _wait_with_deadline(
            schedule, run.batch_ids, context, _remaining_s(schedule, run.began_at, context.clock)
        )
    except PoolError as error:
        return RunResult(how=RunStatus.FAILED, detail=str(error))


def _remaining_s(schedule: Schedule, began_at: datetime, clock: Clock) -> float:
    """Return the seconds until the deadline, or infinity. A clock that was set back does not postpone it."""
    if schedule.deadline_s is None:
        return math.inf
    elapsed_s = (clock.now() - began_at).total_seconds()
    return max(0.0, schedule.deadline_s - max(0.0, elapsed_s))


async def _run_separate_batches(
    schedule: Schedule, batch: SeparateBatch, context: RunContext, limit_s: float
) -> RunResult:
    runs: list[SeparateRun] = []
    with anyio.move_on_after(limit_s) as limit:
        for number, path in enumerate(await find_lists(schedule, context.folder), start=1):
            run = SeparateRun(
                batch, path, context.folder / (schedule.name if number == 1 else f"{schedule.name}-{number}")
            )
            runs.append(run)
            await run.run()
    endings = [await run.result() for run in runs]
    detail = " ".join(ended.detail for ended in endings)
    if limit.cancelled_caught:
        return RunResult(
            how=RunStatus.DEADLINE, detail=f"The deadline passed and the run was stopped. {detail}".strip()
        )
    is_done = all(ended.how is RunStatus.DONE for ended in endings)
    return RunResult(how=RunStatus.DONE if is_done else RunStatus.FAILED, detail=detail)


async def _run_in_queue(
    schedule: Schedule, context: RunContext, limit_s: float, record_lists: RecordLists
) -> RunResult:
    reading = replace(context.reading, column=schedule.column, sheet_name=schedule.sheet)
    began_s = context.clock.monotonic()
    batch_ids: list[BatchId] = []
    #: Lists whose orders may be in the journal, even if the deadline interrupts their submission.
    submitted_ids: list[BatchId] = []
    problems: list[str] = []
    with anyio.move_on_after(limit_s) as limit:
        for path in await find_lists(schedule, context.folder):
            try:
                orders = await anyio.to_thread.run_sync(orders_from_file, path, reading)
                submitted_ids.append(orders.batch_id)
                await context.queue.submit(orders, schedule.options)
            except PoolError as error:
                # The other lists of a pattern may still be valid.
                problems.append(str(error))
                continue
            batch_ids.append(orders.batch_id)
            await record_lists(tuple(batch_ids))
    if limit.cancelled_caught and submitted_ids:
        return await _end_at_deadline(schedule, submitted_ids, context)
    if limit.cancelled_caught:
        return RunResult(
            how=RunStatus.DEADLINE, detail="The deadline passed before the list was read; no order was submitted."
        )
    if not batch_ids:
        return RunResult(how=RunStatus.FAILED, detail=" ".join(problems))
    ended = await _wait_with_deadline(schedule, batch_ids, context, limit_s - (context.clock.monotonic() - began_s))
    if problems and ended.how is RunStatus.DONE:
        return RunResult(how=RunStatus.FAILED, detail=" ".join((*problems, ended.detail)))
    return ended


async def _wait_with_deadline(
    schedule: Schedule, batch_ids: Sequence[BatchId], context: RunContext, limit_s: float
) -> RunResult:
    """Wait until every order is finished; at the deadline, cancel those that have not started."""
    with anyio.move_on_after(limit_s) as limit:
        await wait_until_done(context.queue, batch_ids, context.poll_interval_s)
    if not limit.cancelled_caught:
        return RunResult(how=RunStatus.DONE, detail="All orders are finished.")
    return await _end_at_deadline(schedule, batch_ids, context)


async def _end_at_deadline(schedule: Schedule, batch_ids: Sequence[BatchId], context: RunContext) -> RunResult:
    count = await cancel_unstarted(context.queue, batch_ids)
    minutes = f"{(schedule.deadline_s or 0) / 60:g}"
    return RunResult(
        how=RunStatus.DEADLINE,
        detail=f"The deadline of {minutes} minutes passed: {count} orders that had not started were cancelled; "
        "`poolwright retry` queues them again.",
    )
