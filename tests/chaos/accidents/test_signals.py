"""Signals: the first lets the orders in flight finish, the second ends at once; no order pays for either."""

from __future__ import annotations

import contextlib
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import anyio
import psutil
import pytest
from anyio.abc import Process

from poolwright.demo.faults import Latency
from poolwright.demo.portal_client import PortalClient, running_portal
from tests.support.batch_results import assert_all_right, numbers_of, reported
from tests.support.portal import needs_chromium
from tests.support.program import PATIENT, ProgramFolder, open_program, read_lines, send, use_own_pack

pytestmark = [needs_chromium, pytest.mark.timeout(240)]

EXIT_STOPPED = 7
#: The first signal alone would let the orders in flight have 45 s: whoever ends before that ended by the second one.
SOONER_THAN_BY_THE_FIRST_S = 40.0
ORDER_COUNT = 8


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_second_signal_ends_at_once_and_costs_no_attempt(tmp_path: Path, number: signal.Signals) -> None:
    async with running_portal(order_count=ORDER_COUNT) as portal, open_program(tmp_path, portal) as program:
        numbers = await numbers_of(portal, ORDER_COUNT)
        truths = await portal.truth(*numbers)
        use_own_pack(program, {}, PATIENT)
        await portal.add_fault(Latency(delay_ms=300_000))

        code, ended_after_s = await _run_and_signal_twice(program, program.list_of(numbers), number)

        assert code == EXIT_STOPPED
        assert ended_after_s < SOONER_THAN_BY_THE_FIRST_S
        assert program.left_over() == []
        await _finish(program, portal)
        assert_all_right(program, truths)
        assert {row["Attempts"] for row in reported(program)} == {"1"}


async def _run_and_signal_twice(program: ProgramFolder, orders: str, number: signal.Signals) -> tuple[int, float]:
    """Signal when two orders hang in their tabs, and again when the run winds down."""
    started_count, again_at = 0, 0.0
    async with program.started("run", orders, "--workers", "1", "--tabs", "2", "--json") as process:
        async for line in read_lines(process):
            if line["type"] == "task_started":
                started_count += 1
                if started_count == 2:
                    send(process, number)
            if _is_winding_down(line):
                send(process, number)
                again_at = anyio.current_time()
        code = await process.wait()
    assert again_at, "the first signal was not heard"
    return code, anyio.current_time() - again_at


def _is_winding_down(line: dict[str, Any]) -> bool:
    if line["type"] != "moved":
        return False
    return (line["transition"]["machine"], line["transition"]["target"]) == ("pool", "SHUTTING_DOWN")


async def test_an_interrupt_from_a_terminal_lets_the_orders_in_flight_finish(tmp_path: Path) -> None:
    """A terminal sends it to every process of the group; the workers must leave it to the program."""
    async with running_portal(order_count=ORDER_COUNT * 2) as portal, open_program(tmp_path, portal) as program:
        numbers = await numbers_of(portal, ORDER_COUNT * 2)
        truths = await portal.truth(*numbers)
        await portal.add_fault(Latency(delay_ms=500))
        begun, ended, summary = Counter[str](), Counter[str](), dict[str, Any]()

        async with program.started(
            "run", program.list_of(numbers), "--workers", "1", "--tabs", "2", "--json"
        ) as process:
            async for line in read_lines(process):
                if line["type"] == "task_started":
                    begun[line["task"]["portal_number"]] += 1
                if line["type"] == "task_ended":
                    ended[line["task"]["portal_number"]] += 1
                    if ended.total() == 3:
                        _interrupt_from_terminal(process)
                if line["type"] == "summary":
                    summary = line
            code = await process.wait()

        assert code == EXIT_STOPPED
        assert summary["ending"] == "stopped"
        assert begun == ended, "every order that was begun was finished"
        assert summary["left_count"] == len(numbers) - ended.total() > 0
        assert program.left_over() == []
        await _finish(program, portal)
        assert_all_right(program, truths)
        assert {row["Attempts"] for row in reported(program)} == {"1"}


def _interrupt_from_terminal(process: Process) -> None:
    """Send SIGINT to the program and to all below it that share its process group."""
    group = os.getpgid(process.pid)
    family = [process.pid, *(child.pid for child in psutil.Process(process.pid).children(recursive=True))]
    for pid in family:
        with contextlib.suppress(ProcessLookupError):  # some come and go
            if os.getpgid(pid) == group:
                os.kill(pid, signal.SIGINT)


async def _finish(program: ProgramFolder, portal: PortalClient) -> None:
    """Do the rest of the list in peace."""
    await portal.clear_faults()
    ended = await program.run("run", "orders.xlsx", "--quiet")
    assert ended.code in {0, 1}, ended
