"""A damaged profile ends the run with exit code 5 and everything left in the queue, until a person has decided."""

from __future__ import annotations

import shutil
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest

from poolwright.demo.faults import Latency
from poolwright.demo.portal_client import running_portal
from poolwright.profile.backups import restore_base, seal_base
from poolwright.profile.clone import is_quarantined
from poolwright.profile.damage import damage_mark_path
from tests.support.batch_results import assert_all_right, numbers_of, reported
from tests.support.portal import needs_chromium
from tests.support.program import ProgramFolder, open_program, read_lines
from tests.support.target_process import find_worker, hit

pytestmark = [needs_chromium, pytest.mark.timeout(240)]

EXIT_NOT_ALL_DONE, EXIT_PROFILE = 1, 5
ORDER_COUNT = 8
TWO_WORKERS = ("--workers", "2", "--tabs", "1")
NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


def base_of(program: ProgramFolder) -> Path:
    """The base of the folder's profile."""
    return program.folder / "profiles" / "demo" / "base"


async def test_a_base_that_is_damaged_starts_no_worker_until_it_is_restored(tmp_path: Path) -> None:
    async with running_portal(order_count=ORDER_COUNT) as portal, open_program(tmp_path, portal) as program:
        numbers = await numbers_of(portal, ORDER_COUNT)
        orders = program.list_of(numbers)
        base = base_of(program)
        seal_base(base, now=NOW)
        (base / "Default/Cookies").write_bytes(b"")
        await portal.reset_stats()

        first = await program.run("run", orders, *TWO_WORKERS)
        again = await program.run("run", orders, *TWO_WORKERS)
        stats = await portal.stats()
        restore_base(base, now=NOW)
        last = await program.run("run", orders, *TWO_WORKERS, "--quiet")

        assert (first.code, again.code, last.code) == (EXIT_PROFILE, EXIT_PROFILE, EXIT_NOT_ALL_DONE)
        assert "is empty; a browser would start without any cookie" in flat(first.errors)
        assert "A run ended on" in flat(again.errors)
        assert "is empty; a browser would start without any cookie" in flat(again.errors)
        assert "`poolwright profile restore demo`" in flat(again.errors)
        assert not stats.order_pages
        assert_all_right(program, await portal.truth(*numbers))
        assert {row["Attempts"] for row in reported(program)} == {"1"}


async def test_a_clone_that_is_damaged_between_two_lives_of_a_worker_ends_the_run(tmp_path: Path) -> None:
    async with running_portal(order_count=ORDER_COUNT) as portal, open_program(tmp_path, portal) as program:
        numbers = await numbers_of(portal, ORDER_COUNT)
        orders = program.list_of(numbers)
        seal_base(base_of(program), now=NOW)
        await portal.add_fault(Latency(delay_ms=60_000))  # so that both workers have an order in hand

        code, said = await _run_with_damage(program, orders)

        (kept,) = [path for path in (program.folder / "runs").glob("r-*/w*/*") if is_quarantined(path)]
        assert code == EXIT_PROFILE
        assert f"kept for inspection: {kept}" in said
        assert (kept / "Default/Cookies").is_file()
        assert {row["Outcome"] for row in reported(program)} <= {"", "QUEUED"}
        shutil.rmtree(kept.parents[1])
        assert program.left_over() == []

        await portal.clear_faults()
        refused = await program.run("run", orders, *TWO_WORKERS)
        restore_base(base_of(program), now=NOW)
        last = await program.run("run", orders, *TWO_WORKERS, "--quiet")

        assert refused.code == EXIT_PROFILE
        assert "CURRENT is missing" in flat(refused.errors)
        assert str(kept) in flat(refused.errors)
        assert last.code == EXIT_NOT_ALL_DONE
        assert_all_right(program, await portal.truth(*numbers))
        attempts = sorted(row["Attempts"] for row in reported(program))
        assert attempts == [*["1"] * (ORDER_COUNT - 1), "2"], "only the order of the worker that was killed"


async def test_a_sealed_base_that_is_damaged_while_a_run_is_on_does_it_no_harm(tmp_path: Path) -> None:
    async with running_portal(order_count=ORDER_COUNT) as portal, open_program(tmp_path, portal) as program:
        numbers = await numbers_of(portal, ORDER_COUNT)
        base = base_of(program)
        seal_base(base, now=NOW)

        async with program.started("run", program.list_of(numbers[1:]), *TWO_WORKERS, "--json") as process:
            async for line in read_lines(process):
                if line["type"] == "task_started":
                    shutil.rmtree(base / "Default", ignore_errors=True)  # once for all
            code = await process.wait()
        was_marked = damage_mark_path(base).exists()
        truths = await portal.truth(*numbers[1:])
        assert code == EXIT_NOT_ALL_DONE
        assert not was_marked
        assert_all_right(program, truths)

        refused = await program.run("run", program.list_of(numbers, "more.xlsx"), *TWO_WORKERS)
        assert refused.code == EXIT_PROFILE
        assert damage_mark_path(base).exists(), refused


async def _run_with_damage(program: ProgramFolder, orders: str) -> tuple[int, list[str]]:
    """Once both workers have an order, harm the clone of one and kill it. Tells the exit code and the notices."""
    started: dict[int, bool] = {}
    said: list[str] = []
    async with program.started("run", orders, *TWO_WORKERS, "--json") as process:
        async for line in read_lines(process):
            if line["type"] == "notice":
                said.append(line["text"])
            if line["type"] == "task_started":
                started[line["worker"]["slot"]] = True
                if len(started) == 2:
                    # A browser that closes writes neither this file anew nor without it.
                    (current,) = (program.folder / "runs").glob("r-*/w2/profile/Default/Local Storage/leveldb/CURRENT")
                    current.unlink()
                    worker = find_worker(process.pid, 2)
                    assert worker is not None
                    hit(worker, signal.SIGKILL)
        return await process.wait(), said


def flat(text: str) -> str:
    """What was told on lines of a terminal's width, on one."""
    return " ".join(text.split())
