"""One run of a schedule, in the daemon's queue or as a separate batch, until its end or its deadline.

The run has its own journal and its own log below its own folder; here its exit code and its report are told. What it
writes goes to files, so that it never waits for a reader.
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
from poolwright.service.schedules.schedule_definition import Schedule, SeparateBatch
from poolwright.service.schedules.schedule_state import CurrentRun, RunResult, RunStatus
from poolwright.service.schedules.sources import ERROR_OUTPUT_BYTES, child_environment, find_lists, terminate_on_exit


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueClient:
    """The daemon's queue as schedules use it. Each function may raise ``PoolError``."""

    #: Takes a list up; its orders are in the journal when it returns.
    submit: Callable[[OrderList], Awaitable[Accepted]]
    #: How many orders of a list have no end yet.
    open_count: Callable[[BatchId], Awaitable[int]]
    #: Cancels the orders of a list that no worker has begun; tells how many.
    cancel_waiting: Callable[[BatchId], Awaitable[int]]


async def wait_until_done(desk: QueueClient, batch_ids: Sequence[BatchId], interval_s: float) -> None:
    """Return when no order of these lists is open. The caller sets the deadline."""
    async for _ in periodic(interval_s):
        counts = [await desk.open_count(batch_id) for batch_id in batch_ids]
        if not any(counts):
            return


async def cancel_unstarted(desk: QueueClient, batch_ids: Sequence[BatchId]) -> int:
    """Cancel the orders that have not started; return how many."""
    counts = [await desk.cancel_waiting(batch_id) for batch_id in batch_ids]
    return sum(counts)


#: On top of the time that orders in flight get: workers close their browsers, reports are written.
SHUTDOWN_MARGIN_S = 45.0
#: The summary is the last line; a list of a million orders has no longer one.
_SUMMARY_BYTES = 256 * 1024
_JSON_LINES_SUFFIX, _ERROR_OUTPUT_SUFFIX = ".jsonl", ".log"


class _RunSummary(BaseModel):
    """The needed fields of the last line of a run."""

    type: Literal["summary"]
    detail: str = ""
    report_xlsx: str | None = None
    report_problem: str = ""


class SeparateRun:
    """One run of the program over one list. Ask it how it ended after its block."""

    def __init__(
        self, own: SeparateBatch, source: Path, stem: Path, *, program: tuple[str, ...] = ("-m", "poolwright")
    ) -> None:
        """``stem`` is where its lines and its words go, without their endings; ``program`` is another one in tests."""
        self._command = [*interpreter.python_command(), *program, "run", "--json", *own.options, str(source.absolute())]
        self._limit_s = own.shutdown_timeout_s + SHUTDOWN_MARGIN_S
        self._lines = stem.with_name(stem.name + _JSON_LINES_SUFFIX)
        self._words = stem.with_name(stem.name + _ERROR_OUTPUT_SUFFIX)
        self._source = source
        self._code: int | None = None

    async def run(self) -> None:
        """Start it and wait for its end.

        When cancelled it gets SIGTERM, finishes the orders in flight, and is killed where that takes too long.

        Raises:
            OSError: It cannot be started.
        """
        await anyio.to_thread.run_sync(make_private_folder, self._lines.parent)
        process = await self._start()
        try:
            async with terminate_on_exit(process, self._limit_s):
                await process.wait()
        finally:
            self._code = process.returncode

    async def _start(self) -> anyio.abc.Process:
        # Made private by their folder.
        async with await anyio.open_file(self._lines, "wb") as lines, await anyio.open_file(self._words, "wb") as words:
            return await anyio.open_process(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=lines.wrapped,
                stderr=words.wrapped,
                env=child_environment(is_ours=True),
                start_new_session=True,
            )

    async def result(self) -> RunResult:
        """Return how the run ended."""
        summary = await anyio.to_thread.run_sync(_read_summary, self._lines)
        words = await anyio.to_thread.run_sync(_read_file_tail, self._words, ERROR_OUTPUT_BYTES)
        report = f" Report: {summary.report_xlsx}." if summary and summary.report_xlsx else ""
        told = f"{self._source.name}: the separate run ended with exit code {self._code}"
        match self._code:
            case 0:
                return RunResult(how=RunStatus.DONE, detail=f"{told}, all orders are done.{report}")
            case 1:
                return RunResult(how=RunStatus.FAILED, detail=f"{told}, some orders are not done.{report}")
            case _:
                why = (
                    (summary and (summary.detail or summary.report_problem))
                    or _last_line(words)
                    or f"see {self._words}"
                )
                return RunResult(how=RunStatus.FAILED, detail=f"{told}: {why}{report}")


def _read_summary(lines: Path) -> _RunSummary | None:
    """The last line, where it is the summary of a run."""
    text = _read_file_tail(lines, _SUMMARY_BYTES)
    try:
        return _RunSummary.model_validate_json(_last_line(text))
    except ValidationError:
        return None


def _read_file_tail(path: Path, most_bytes: int) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - most_bytes))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")


#: Told each time a list is in the journal: the lists of this run so far.
RecordLists = Callable[[tuple[BatchId, ...]], Awaitable[None]]
#: Between two looks at how many orders of a run are still open.
POLL_INTERVAL_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """What every run of a schedule needs."""

    queue: QueueClient
    #: Portal and rules of the daemon's lists; column and sheet come from the entry.
    reading: ReadOptions
    #: Private; takes what programs print.
    folder: Path
    clock: Clock
    poll_interval_s: float = POLL_INTERVAL_S


async def run_schedule(schedule: Schedule, began_at: datetime, means: RunContext, note: RecordLists) -> RunResult:
    """Run an entry. When cancelled, programs that it started are ended first; orders that were submitted stay.

    Returns:
        How it ended; nothing that can happen to one run is raised.
    """
    limit_s = _remaining_s(schedule, began_at, means.clock)
    try:
        if schedule.own is not None:
            return await _run_separate_batches(schedule, schedule.own, means, limit_s)
        return await _run_in_queue(schedule, means, limit_s, note)
    except PoolError as error:
        return RunResult(how=RunStatus.FAILED, detail=str(error))
    except OSError as error:
        return RunResult(how=RunStatus.FAILED, detail=f"The run could not be started: {error}.")


async def resume_run(schedule: Schedule, run: CurrentRun, means: RunContext) -> RunResult:
    """Resume a run whose orders an earlier daemon had submitted."""
    try:
        return await _wait_with_deadline(
            schedule, run.batch_ids, means, _remaining_s(schedule, run.began_at, means.clock)
        )
    except PoolError as error:
        return RunResult(how=RunStatus.FAILED, detail=str(error))


def _remaining_s(schedule: Schedule, began_at: datetime, clock: Clock) -> float:
    """Seconds until the deadline; without end where there is none. A clock that was set back does not put it off."""
    if schedule.deadline_s is None:
        return math.inf
    gone_s = (clock.now() - began_at).total_seconds()
    return max(0.0, schedule.deadline_s - max(0.0, gone_s))


async def _run_separate_batches(schedule: Schedule, own: SeparateBatch, means: RunContext, limit_s: float) -> RunResult:
    runs: list[SeparateRun] = []
    with anyio.move_on_after(limit_s) as limit:
        for number, path in enumerate(await find_lists(schedule, means.folder), start=1):
            run = SeparateRun(own, path, means.folder / (schedule.name if number == 1 else f"{schedule.name}-{number}"))
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


async def _run_in_queue(schedule: Schedule, means: RunContext, limit_s: float, note: RecordLists) -> RunResult:
    reading = replace(means.reading, column=schedule.column, sheet_name=schedule.sheet)
    began_s = means.clock.monotonic()
    batch_ids: list[BatchId] = []
    #: Those whose orders may be in the journal, also where the deadline cuts short what was to come after.
    begun: list[BatchId] = []
    problems: list[str] = []
    with anyio.move_on_after(limit_s) as limit:
        for path in await find_lists(schedule, means.folder):
            try:
                orders = await anyio.to_thread.run_sync(orders_from_file, path, reading)
                begun.append(orders.batch_id)
                await means.queue.submit(orders)
            except PoolError as error:
                # The other lists of a pattern are as good as before.
                problems.append(str(error))
                continue
            batch_ids.append(orders.batch_id)
            await note(tuple(batch_ids))
    if limit.cancelled_caught and begun:
        return await _end_at_deadline(schedule, begun, means)
    if limit.cancelled_caught:
        return RunResult(
            how=RunStatus.DEADLINE, detail="The deadline passed before the list was read; no order was submitted."
        )
    if not batch_ids:
        return RunResult(how=RunStatus.FAILED, detail=" ".join(problems))
    ended = await _wait_with_deadline(schedule, batch_ids, means, limit_s - (means.clock.monotonic() - began_s))
    if problems and ended.how is RunStatus.DONE:
        return RunResult(how=RunStatus.FAILED, detail=" ".join((*problems, ended.detail)))
    return ended


async def _wait_with_deadline(
    schedule: Schedule, batch_ids: Sequence[BatchId], means: RunContext, limit_s: float
) -> RunResult:
    """Until every order has its end, or the deadline: what no worker has begun by then is cancelled."""
    with anyio.move_on_after(limit_s) as limit:
        await wait_until_done(means.queue, batch_ids, means.poll_interval_s)
    if not limit.cancelled_caught:
        return RunResult(how=RunStatus.DONE, detail="All orders are finished.")
    return await _end_at_deadline(schedule, batch_ids, means)


async def _end_at_deadline(schedule: Schedule, batch_ids: Sequence[BatchId], means: RunContext) -> RunResult:
    count = await cancel_unstarted(means.queue, batch_ids)
    minutes = f"{(schedule.deadline_s or 0) / 60:g}"
    return RunResult(
        how=RunStatus.DEADLINE,
        detail=f"The deadline of {minutes} minutes passed: {count} orders that had not started were cancelled; "
        "`poolwright retry` queues them again.",
    )
