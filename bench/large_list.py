"""What a list of a million orders costs: to read, to store, to hand out to workers, to look at and to report.

``python -m bench.large_list [--orders N]``: writes a CSV with repeats and invalid numbers, then does with it what a run
does, with scripted workers in place of browsers. Each part prints its seconds, those of the processor, the rate by
these, and the peak memory of the process meanwhile; times belong to one run on one machine. Exit code 1 if a row was
lost.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio

from poolwright.archive.report import ReportFiles, write_reports
from poolwright.concurrency import SystemClock
from poolwright.domain.ids import BatchId, TaskId, WorkerRef
from poolwright.domain.outcomes import Reason
from poolwright.domain.states import TaskStatus
from poolwright.domain.tasks import OrderList, POTask, Report
from poolwright.intake.orders import ReadOptions, orders_from_file
from poolwright.journal import queries
from poolwright.journal.queries import OrderQuery
from poolwright.journal.reader import JournalReader
from poolwright.journal.sqlite_journal import SqliteJournal
from poolwright.portal import pack as packs

#: One row in so many repeats an earlier order, or has no valid number.
REPEAT_EACH, INVALID_EACH = 1_000, 2_500
#: Orders that scripted workers process at each depth of the list, and calls of each page of the dashboard.
CLAIMS, PAGES = 300, 20
#: Tasks of one claim, as four tabs ask for them.
CLAIM_SIZE = 4
#: Tasks of one submission to a pool that is running.
SUBMIT_SIZE = 1_000
#: Shares of the list that are done when claims are measured.
DEPTHS = (0.0, 0.5, 0.9)
COMMON = BatchId("daemon")


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCounts:
    """The rows of a list by their kind."""

    order_count: int
    repeat_count: int
    invalid_count: int


def write_list(path: Path, row_count: int) -> RowCounts:
    """Write a CSV of three columns; some rows repeat an order, some have no number."""
    repeat_count = invalid_count = 0
    with path.open("w", encoding="utf-8") as file:
        file.write("PO_NUMBER,Buyer,Company\n")
        for number in range(1, row_count + 1):
            order = f"{4_500_000_000 + number}"
            if number % INVALID_EACH == 0:
                order, invalid_count = "to be clarified", invalid_count + 1
            elif number % REPEAT_EACH == 0:
                order, repeat_count = f"{4_500_000_000 + number - 7}", repeat_count + 1
            file.write(f"{order},Buyer {number % 40},C{number % 9:03}\n")
    return RowCounts(
        order_count=row_count - repeat_count - invalid_count, repeat_count=repeat_count, invalid_count=invalid_count
    )


def memory_mb(field: str) -> float:
    """Return a figure of this process's memory: ``VmRSS`` is that of now, ``VmHWM`` the peak."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    return 0.0


@contextmanager
def measured(what: str, count: int = 0) -> Generator[None]:
    """Print the seconds of a block, its rate, and the peak of the memory during it."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forgets the earlier peak
    begun_s, begun_cpu_s = time.perf_counter(), time.process_time()
    yield
    seconds, cpu_s = time.perf_counter() - begun_s, time.process_time() - begun_cpu_s
    rate = f"{count / cpu_s:>9,.0f}/s" if count else " " * 11
    print(f"{what:<34}{seconds:>8.2f} s, CPU {cpu_s:>7.2f} s {rate} {memory_mb('VmHWM'):>6.0f} MB", flush=True)


def percentile(samples: list[float]) -> str:
    """Return median and 99th percentile in milliseconds."""
    ordered = sorted(samples)
    high = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return f"median {statistics.median(ordered) * 1000:7.2f} ms, p99 {high * 1000:7.2f} ms"


async def timed(call: Callable[[], Awaitable[object]], samples: list[float]) -> None:
    """Add the seconds of one call to the samples."""
    begun_s = time.perf_counter()
    await call()
    samples.append(time.perf_counter() - begun_s)


async def claim_and_finish(journal: SqliteJournal, batch_id: BatchId) -> dict[str, list[float]]:
    """Let scripted workers process orders; return the seconds of each call by its name."""
    samples: dict[str, list[float]] = {"claim": [], "start": [], "finish": []}
    worker = WorkerRef(slot=1, generation=1)
    for _ in range(CLAIMS):
        tasks: list[POTask] = []

        async def claim(tasks: list[POTask] = tasks) -> None:
            tasks.extend(await journal.fetch(batch_id, CLAIM_SIZE))

        await timed(claim, samples["claim"])
        for task in tasks:
            await timed(partial(journal.start, task.task_id, worker), samples["start"])
            report = Report(reason=Reason.NONE_LISTED, page_url="https://portal.example/")
            await timed(partial(journal.finish, task.task_id, report, ""), samples["finish"])
    return samples


async def finish_until(journal: SqliteJournal, batch_id: BatchId, done_count: int) -> None:
    """Finish orders in large steps until so many are done."""
    report = Report(reason=Reason.ALL_SAVED, page_url="https://portal.example/")
    while (left := done_count - (await journal.counts(batch_id))[TaskStatus.DONE.name]) > 0:
        await journal.finish_waiting(batch_id, report, min(left, 10_000))


async def look(journal: SqliteJournal, batch_id: BatchId) -> None:
    """Print the time of everything that dashboard and API ask the journal for."""
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "status": lambda: journal.query(partial(queries.count_all, pool_list=COMMON)),
        "lists": lambda: journal.query(partial(queries.find_lists, excluded=COMMON, limit=50)),
        "one list": lambda: journal.query(partial(queries.find_list, batch_id=batch_id)),
        "orders of a list": lambda: journal.query(
            partial(queries.find_orders, query=OrderQuery(list_id=batch_id, status=TaskStatus.DONE))
        ),
        "failures": lambda: journal.query(queries.find_failures),
        "age of the oldest": lambda: journal.query(partial(queries.oldest_open_at, excluded=COMMON)),
        "search that finds nothing": lambda: journal.query(
            partial(queries.find_orders, query=OrderQuery(text="no such number"))
        ),
    }
    for name, call in calls.items():
        samples: list[float] = []
        for _ in range(PAGES):
            await timed(call, samples)
        print(f"  {name:<32}{percentile(samples)}", flush=True)


def write_report(reader: JournalReader, batch_id: BatchId, folder: Path) -> ReportFiles:
    """Write the report of a list from the journal alone."""
    orders = reader.order_list(batch_id)
    if orders is None:
        sys.exit("The list is not in the journal.")
    return write_reports(orders, reader, folder, "orders-report")


def lost_rows(orders: OrderList, counts: RowCounts) -> list[str]:
    """Return what of the list was not read as it was written."""
    invalid_count = sum(row.problem is not None for row in orders.rows)
    repeat_count = len(orders.rows) - len(orders.tasks) - invalid_count
    found = {"orders": len(orders.tasks), "repeats": repeat_count, "invalid rows": invalid_count}
    written = {"orders": counts.order_count, "repeats": counts.repeat_count, "invalid rows": counts.invalid_count}
    return [
        f"{written[what]:,} {what}, but {found[what]:,} were read" for what in written if found[what] != written[what]
    ]


async def submit(journal: SqliteJournal, orders: OrderList) -> None:
    """Add all tasks of a list to the common one in large steps, and a few more one by one."""
    samples: list[float] = []
    with measured("submit to a running pool", len(orders.tasks)):
        for start in range(0, len(orders.tasks), SUBMIT_SIZE):
            tasks = orders.tasks[start : start + SUBMIT_SIZE]
            await timed(partial(journal.add, COMMON, tasks), samples)
    print(f"  {f'{SUBMIT_SIZE} tasks':<32}{percentile(samples)}")
    samples = []
    for number in range(CLAIMS):
        task = POTask(task_id=TaskId(f"demo:single-{number}"), po_number="1", portal_number="1")
        await timed(partial(journal.add, COMMON, [task]), samples)
    print(f"  {'one task':<32}{percentile(samples)}")


async def process(journal: SqliteJournal, batch_id: BatchId, order_count: int) -> None:
    """Let scripted workers process orders at several depths of the list."""
    for share in DEPTHS:
        await finish_until(journal, batch_id, int(share * order_count))
        with measured(f"{CLAIMS * CLAIM_SIZE} orders, {share:.0%} done"):
            calls = await claim_and_finish(journal, batch_id)
        for what, times in calls.items():
            print(f"  {what:<32}{percentile(times)}")


async def report(journal: SqliteJournal, batch_id: BatchId, folder: Path, row_count: int) -> list[str]:
    """Write the report, and return what it lost."""
    with measured("report", row_count):
        files = await journal.read(partial(write_report, batch_id=batch_id, folder=folder))
    async with await anyio.open_file(files.csv, encoding="utf-8-sig") as file:
        written = len((await file.read()).splitlines()) - 1
    return [] if written == row_count else [f"the report has {written:,} rows"]


async def main(row_count: int) -> int:
    """Measure and print; return the exit code."""
    pack = packs.load("coupa")
    with tempfile.TemporaryDirectory(prefix="pw") as name:
        path = Path(name, "orders.csv")
        counts = write_list(path, row_count)
        print(f"{row_count:,} rows; at the start {memory_mb('VmRSS'):.0f} MB")
        with measured("read and check", row_count):
            orders = orders_from_file(path, ReadOptions(portal_name=pack.name, rules=pack.numbers))
        problems = lost_rows(orders, counts)
        batch_id = orders.batch_id
        async with SqliteJournal(Path(name, "journal.db"), SystemClock()) as journal:
            with measured("store the list", row_count):
                await journal.accept(orders)
            await submit(journal, orders)
            del orders
            await process(journal, batch_id, counts.order_count)
            with measured("dashboard and API"):
                await look(journal, batch_id)
            problems += await report(journal, batch_id, Path(name, "reports"), row_count)
    for problem in problems:
        print(f"LOST: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure what a list of many orders costs.")
    parser.add_argument("--orders", type=int, default=1_000_000, help="rows of the list")
    sys.exit(anyio.run(main, parser.parse_args().orders))
