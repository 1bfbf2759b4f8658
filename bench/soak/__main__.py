"""``python -m bench.soak``: let a pool live for some minutes, and see what grows.

Writes ``samples.csv``, ``summary.json`` and ``soak.png``, prints the figures, and ends with 1 when an aim is missed.
The portal and the pool are processes of their own; this one only starts them and judges what is left.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import anyio
import anyio.to_thread
import psutil

from bench.soak.drive import DriveOptions, DriveResult
from bench.soak.orders import SEED, Ended, Tally, light_numbers, listed_count, tally
from bench.soak.plan import Plan, read_plan
from bench.soak.plot import draw
from bench.soak.report import Machine, Outcome, heading, summary, table
from bench.soak.samples import read_samples
from bench.soak.verdict import figures
from poolwright.archive.manifest import MANIFEST_NAME
from poolwright.archive.output_tree import PRIVATE_NAME
from poolwright.concurrency import SystemClock
from poolwright.demo.catalogue.catalogue import Catalogue
from poolwright.demo.catalogue.truth import OrderTruth
from poolwright.demo.faults import FatPage
from poolwright.demo.portal_client import PortalClient, running_portal
from poolwright.domain.tasks import TaskRecord
from poolwright.journal.sqlite_journal import SqliteJournal
from poolwright.service.library import LIBRARY_BATCH_ID
from poolwright.service.output_folder import JOURNAL_NAME

SAMPLES_NAME, SUMMARY_NAME, PLOT_NAME = "samples.csv", "summary.json", "soak.png"
#: Numbers that fit into one question to the portal.
ASKED_AT_ONCE = 500


async def soak(plan: Plan) -> Outcome:
    """Start portal and pool, wait, and look at everything afterwards."""
    plan.folder.mkdir(parents=True, exist_ok=True)
    samples_path, load_before = plan.folder / SAMPLES_NAME, _load()
    order_count = listed_count(plan.duration_s, plan.workers)
    with tempfile.TemporaryDirectory(prefix="pw") as name:
        async with running_portal(order_count=order_count, seed=SEED) as portal:
            await portal.add_fault(FatPage(size_mb=plan.page_mb))
            stage = DriveOptions(
                plan=plan,
                home=Path(name),
                samples_path=samples_path,
                told_path=Path(name, "told.json"),
                numbers_path=Path(name, "numbers.txt"),
                base_url=portal.url,
                user=portal.user,
                password=portal.password,
            )
            await anyio.to_thread.run_sync(_write_numbers, stage.numbers_path, order_count)
            told = await _live(stage)
            load_after = _load()
            orders = await _judge(stage.out, portal, told)
    samples = read_samples(samples_path)
    machine = Machine(
        processor_count=psutil.cpu_count() or 0,
        memory_bytes=psutil.virtual_memory().total,
        load_before=load_before,
        load_after=load_after,
    )
    return Outcome(
        plan=plan,
        machine=machine,
        told=told,
        orders=orders,
        figures=figures(samples),
        sample_count=len(samples),
    )


def _write_numbers(path: Path, order_count: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{number}\n" for number in light_numbers(Catalogue(SEED, order_count)))


async def _live(stage: DriveOptions) -> DriveResult:
    """Run the pool's process to its end; its words go where ours go."""
    command = [sys.executable, "-m", "bench.soak.drive"]
    await anyio.run_process(command, input=stage.model_dump_json().encode(), stdout=None, stderr=None)
    return DriveResult.model_validate_json(stage.told_path.read_bytes())


async def _judge(out: Path, portal: PortalClient, told: DriveResult) -> Tally:
    """Compare journal and files with what the portal knows."""
    async with SqliteJournal(out / PRIVATE_NAME / JOURNAL_NAME, SystemClock()) as journal:
        records = await journal.records(LIBRARY_BATCH_ID)
    ended = await anyio.to_thread.run_sync(_look_at, out, records)
    truths: dict[str, OrderTruth] = {}
    numbers = list(ended)
    for start in range(0, len(numbers), ASKED_AT_ONCE):
        truths |= await portal.truth(*numbers[start : start + ASKED_AT_ONCE])
    return tally(told.submitted_count, told.ended_count, ended, truths)


def _look_at(out: Path, records: Sequence[TaskRecord]) -> Mapping[str, Ended]:
    """Read every file that came home. Blocking."""
    return {
        record.task.portal_number: Ended(
            number=record.task.portal_number,
            outcome=record.report.outcome.name if record.is_over and record.report is not None else None,
            digests=tuple(_digests(out / record.folder)) if record.folder else (),
        )
        for record in records
    }


def _digests(folder: Path) -> Iterator[str]:
    for path in sorted(folder.iterdir()):
        if path.name != MANIFEST_NAME:
            yield hashlib.sha256(path.read_bytes()).hexdigest()


def _load() -> float:
    return psutil.getloadavg()[0]


def main() -> int:
    """Soak, write the results, and print the figures; 1 when an aim is missed."""
    plan = read_plan()
    outcome = anyio.run(soak, plan)
    text = json.dumps(summary(outcome), indent=2)
    (plan.folder / SUMMARY_NAME).write_text(f"{text}\n", encoding="utf-8")
    samples = read_samples(plan.folder / SAMPLES_NAME)
    draw(samples, outcome.told.restarts, heading(outcome), plan.folder / PLOT_NAME)
    for line in table(outcome):
        print(line)
    print(f"\n{plan.folder / PLOT_NAME}, {SAMPLES_NAME}, {SUMMARY_NAME}")
    return 1 if outcome.misses else 0


if __name__ == "__main__":
    sys.exit(main())
