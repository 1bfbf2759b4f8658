"""No worker is left, or one order kills each worker that has it: the run comes to its report all the same."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from poolwright.demo.faults import Latency
from poolwright.demo.portal_client import running_portal
from tests.support.batch_results import expected_digests, filed_digests, numbers_of, reported
from tests.support.portal import needs_chromium, orders_with
from tests.support.program import ProgramFolder, open_program, read_lines
from tests.support.target_process import Kind, find, find_worker, hit

pytestmark = [needs_chromium, pytest.mark.timeout(240)]

EXIT_NOT_ALL_DONE, EXIT_RESOURCES = 1, 6
#: The first start of a slot and its three restarts.
LIVES = 4
ORDER_COUNT = 6


async def test_a_run_without_workers_tells_what_it_left_and_the_next_one_does_it(tmp_path: Path) -> None:
    async with running_portal(order_count=ORDER_COUNT) as portal, open_program(tmp_path, portal) as program:
        numbers = await numbers_of(portal, ORDER_COUNT)
        truths = await portal.truth(*numbers)
        await portal.add_fault(Latency(delay_ms=60_000))  # none ends before its worker does

        code, death_count, summary = await _run_killing_each_worker(program, program.list_of(numbers))

        rows = {row["PO_NUMBER"].removeprefix("PO"): row for row in reported(program)}
        quarantined = {number for number, row in rows.items() if row["Reason"] == "kills_workers"}
        assert code == EXIT_RESOURCES
        assert summary["ending"] == "no_workers"
        assert death_count == LIVES, "three restarts and no more"
        assert {path.suffix for path in (program.out / "reports").iterdir()} == {".csv", ".json", ".xlsx"}
        assert all(row["Outcome"] == "QUARANTINED" for number, row in rows.items() if number in quarantined)
        left = {(row["Outcome"], row["Reason"]) for number, row in rows.items() if number not in quarantined}
        assert left == {("FAILED", "no_workers")}
        assert program.left_over() == []

        await portal.clear_faults()
        again = await program.run("run", "orders.xlsx", "--quiet")

        home = {number: truth for number, truth in truths.items() if number not in quarantined}
        outcomes = {row["PO_NUMBER"].removeprefix("PO"): row["Outcome"] for row in reported(program)}
        expected = {number: truth.outcome for number, truth in home.items()}
        assert again.code in {0, EXIT_NOT_ALL_DONE}
        assert outcomes == expected | dict.fromkeys(quarantined, "QUARANTINED")
        assert filed_digests(program) == expected_digests(home)


async def _run_killing_each_worker(program: ProgramFolder, orders: str) -> tuple[int, int, dict[str, Any]]:
    """Kill the one worker each time that it is ready."""
    death_count, summary = 0, dict[str, Any]()
    async with program.started("run", orders, "--workers", "1", "--tabs", "1", "--json") as process:
        async for line in read_lines(process):
            if _is_ready(line):
                (worker,) = find(process.pid, Kind.WORKER)
                death_count += hit(worker, signal.SIGKILL)
            if line["type"] == "summary":
                summary = line
        return await process.wait(), death_count, summary


def _is_ready(line: dict[str, Any]) -> bool:
    if line["type"] != "moved":
        return False
    return (line["transition"]["machine"], line["transition"]["target"]) == ("worker", "READY")


async def test_an_order_that_kills_its_workers_is_set_aside_after_a_last_try_alone(tmp_path: Path) -> None:
    async with running_portal(order_count=ORDER_COUNT) as portal, open_program(tmp_path, portal) as program:
        numbers = await numbers_of(portal, ORDER_COUNT)
        truths = await portal.truth(*numbers)
        poison = orders_with(truths, "COMPLETED")[0].number
        await portal.add_fault(Latency(delay_ms=10_000), order=poison)

        code, death_count = await _run_killing_who_has(program, program.list_of(numbers), poison)

        home = {number: truth for number, truth in truths.items() if number != poison}
        outcomes = {row["PO_NUMBER"].removeprefix("PO"): row["Outcome"] for row in reported(program)}
        expected = {number: truth.outcome for number, truth in home.items()}
        assert code == EXIT_NOT_ALL_DONE
        assert death_count == 3, "two, and one in a fresh browser without company"
        assert outcomes == expected | {poison: "QUARANTINED"}
        assert filed_digests(program) == expected_digests(home)
        attempts = {row["PO_NUMBER"].removeprefix("PO"): row["Attempts"] for row in reported(program)}
        assert attempts == dict.fromkeys(home, "1") | {poison: "3"}


async def _run_killing_who_has(program: ProgramFolder, orders: str, poison: str) -> tuple[int, int]:
    """Kill the worker that was given an order, each time that one is."""
    death_count = 0
    async with program.started("run", orders, "--workers", "2", "--tabs", "1", "--json") as process:
        async for line in read_lines(process):
            if line["type"] == "task_started" and line["task"]["portal_number"] == poison:
                worker = find_worker(process.pid, line["worker"]["slot"])
                assert worker is not None
                death_count += hit(worker, signal.SIGKILL)
        return await process.wait(), death_count
