"""The portal goes away, or is too busy: the run waits, says so, and goes on by itself; no order pays for it."""

from __future__ import annotations

import os
import signal
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from poolwright.demo.faults import ErrorStatus, FaultScope, Latency
from poolwright.demo.portal_client import running_portal
from tests.support.batch_results import assert_all_right, numbers_of, reported
from tests.support.portal import needs_chromium
from tests.support.ports import free_port
from tests.support.program import PATIENT, ProgramFolder, open_program, read_lines, use_own_pack

pytestmark = [needs_chromium, pytest.mark.timeout(240)]

ORDER_COUNT = 8
#: More than the pool would wait of its own accord.
RETRY_AFTER_S = 8
#: Between a decision and its line in the output.
TOLD_WITHIN_S = 0.5


@pytest.mark.parametrize("scope", [FaultScope.ORDER_PAGE, FaultScope.DOWNLOAD])
async def test_a_portal_that_is_gone_is_waited_for(tmp_path: Path, scope: FaultScope) -> None:
    """It goes when three orders are home and every tab waits for the page, or the files, of another one."""
    port = free_port()
    async with AsyncExitStack() as first, AsyncExitStack() as second:
        portal = await first.enter_async_context(running_portal(order_count=ORDER_COUNT, port=port))
        async with open_program(tmp_path, portal) as program:
            numbers = await numbers_of(portal, ORDER_COUNT)
            truths = await portal.truth(*numbers)
            use_own_pack(program, {}, PATIENT)
            for number in numbers[3:]:
                await portal.add_fault(Latency(delay_ms=300_000), scope, order=number)

            ended_count, has_waited = 0, False
            returned: list[tuple[str, str]] = []
            async with program.started("run", program.list_of(numbers), "--json") as process:
                async for line in read_lines(process):
                    ended_count += line["type"] == "task_ended"
                    if line["type"] == "task_returned":
                        returned.append((line["why"], line["detail"]))
                    if line["type"] == "task_ended" and ended_count == 3:
                        os.kill(portal.pid, signal.SIGKILL)
                        await first.aclose()
                    if not has_waited and _is_hold(line):
                        has_waited = True
                        await second.enter_async_context(running_portal(order_count=ORDER_COUNT, port=port))
                code = await process.wait()

            assert has_waited
            assert code in {0, 1}
            assert_all_right(program, truths)
            assert {row["Attempts"] for row in reported(program)} == {"1"}, "\n".join(map(str, returned))


@pytest.mark.parametrize("status", [503, 429])
async def test_a_busy_portal_gets_the_pause_that_it_asks_for(tmp_path: Path, status: int) -> None:
    async with running_portal(order_count=ORDER_COUNT) as portal, open_program(tmp_path, portal) as program:
        numbers = await numbers_of(portal, ORDER_COUNT)
        truths = await portal.truth(*numbers)
        await portal.add_fault(ErrorStatus(status=status, retry_after_s=RETRY_AFTER_S), FaultScope.ORDER_PAGE, times=2)

        lines = await _lines_of(program, program.list_of(numbers))

        assert_all_right(program, truths)
        assert {row["Attempts"] for row in reported(program)} == {"1"}
        holds = [line for line in lines if _is_hold(line)]
        assert f"for {RETRY_AFTER_S} s" in holds[0]["text"]
        begun_s = _seconds(holds[0])
        assert not [line for line in lines if line["type"] == "task_started" and _is_within(line, begun_s)]
        returned = [line for line in lines if line["type"] == "task_returned"]
        assert [line["why"] for line in returned] == ["portal_busy"] * 2


async def _lines_of(program: ProgramFolder, orders: str) -> list[dict[str, Any]]:
    ended = await program.run("run", orders, "--json")
    assert ended.code in {0, 1}, ended
    return ended.objects()


def _is_hold(line: dict[str, Any]) -> bool:
    return line["type"] == "notice" and line["text"].startswith("paused ")


def _is_within(line: dict[str, Any], begun_s: float) -> bool:
    """Whether it happened while the hold was on."""
    return TOLD_WITHIN_S < _seconds(line) - begun_s < RETRY_AFTER_S - TOLD_WITHIN_S


def _seconds(line: dict[str, Any]) -> float:
    return datetime.fromisoformat(line["at"]).timestamp()
