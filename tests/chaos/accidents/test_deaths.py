"""Each process of a run dies or hangs once, in the middle of the work. Design section 4, row by row."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest

from poolwright.demo.faults import FaultScope, Latency
from poolwright.demo.portal_client import PortalClient, running_portal
from tests.support.batch_results import assert_all_right, numbers_of, reported
from tests.support.portal import needs_chromium
from tests.support.program import PATIENT, open_program, read_lines, use_own_pack
from tests.support.target_process import Kind, find, hit, zombies_below

pytestmark = [needs_chromium, pytest.mark.timeout(400)]

#: Between two accidents so many orders come home, so that each finds the work going on.
ORDERS_BETWEEN = 3
#: Silence of 15 s is a hang; that it is exactly so much, the tests of the pool see with a clock of their own. The other
#: ways to notice, such as the time of an order, take minutes.
HANG_SEEN_S = 100.0
#: What dies or hangs, one after the other.
KINDS = (Kind.WORKER, Kind.DRIVER, Kind.BROWSER)
#: States of a worker that has a browser.
AT_WORK = {"READY", "PROCESSING", "IDLE"}


@dataclass(slots=True, kw_only=True)
class Accident:
    """One process that was hit, and what came of it."""

    kind: Kind
    at: float
    #: Until the worker was taken for lost; nothing when it was not.
    seen_after_s: float | None = None
    #: What the program inherited from its dead worker and did not bury.
    zombies: list[str] = field(default_factory=list[str])
    #: What was told since.
    told: list[str] = field(default_factory=list[str])


async def test_no_death_costs_an_order(tmp_path: Path) -> None:
    accidents = await _come_home_with_accidents(tmp_path, signal.SIGKILL)

    assert [one.zombies for one in accidents] == [[]] * len(KINDS)


async def test_the_death_of_a_page_costs_no_order(tmp_path: Path) -> None:
    async with running_portal(order_count=9) as portal, open_program(tmp_path, portal) as program:
        numbers = await numbers_of(portal, 9)
        ended_count = 0
        async with program.started("run", program.list_of(numbers), "--tabs", "1", "--json") as process:
            async for line in read_lines(process):
                ended_count += line["type"] == "task_ended"
                if line["type"] == "task_started" and ended_count == ORDERS_BETWEEN:
                    assert hit(find(process.pid, Kind.RENDERER)[-1], signal.SIGKILL)
            assert await process.wait() == 1, "some orders of the list cannot be done"

        assert_all_right(program, await portal.truth(*numbers))


async def test_every_hang_is_found_and_costs_no_order(tmp_path: Path) -> None:
    accidents = await _come_home_with_accidents(tmp_path, signal.SIGSTOP)

    assert [one.zombies for one in accidents] == [[]] * len(KINDS)
    for one in accidents:
        assert one.seen_after_s is not None, one.told
        assert one.seen_after_s < HANG_SEEN_S, one.kind


async def _come_home_with_accidents(folder: Path, number: signal.Signals) -> list[Accident]:
    """Run a list and hit one process of each kind, one after the other; every order comes to its true outcome."""
    order_count = ORDERS_BETWEEN * (len(KINDS) + 1)
    async with running_portal(order_count=order_count) as portal, open_program(folder, portal) as program:
        numbers = await numbers_of(portal, order_count)
        truths = await portal.truth(*numbers)
        use_own_pack(program, {}, PATIENT)
        scenario = Scenario(portal=portal, numbers=numbers, number=number)
        await scenario.let_go()

        async with program.started(
            "run", program.list_of(numbers), "--workers", "2", "--tabs", "1", "--json"
        ) as process:
            async for line in read_lines(process):
                await scenario.follow(process.pid, line)
            assert await process.wait() == 1, "some orders of the list cannot be done"

        assert [one.kind for one in scenario.accidents] == [*KINDS]
        assert_all_right(program, truths)
        assert [row for row in reported(program) if row["Outcome"] in {"FAILED", "QUARANTINED"}] == []
    return scenario.accidents


@dataclass(slots=True, kw_only=True)
class Scenario:
    """A run whose orders come home by threes: the next ones wait for the portal until an accident is over."""

    portal: PortalClient
    numbers: Sequence[str]
    #: The signal of every accident.
    number: signal.Signals
    accidents: list[Accident] = field(default_factory=list[Accident])
    ended_count: int = 0
    away: set[str] = field(default_factory=set[str])
    #: Accidents whose orders were let go.
    over_count: int = 0

    async def follow(self, program: int, line: Mapping[str, Any]) -> None:
        """Take in what the program tells, and do what is next."""
        self.ended_count += line["type"] == "task_ended"
        if self.accidents:
            self.accidents[-1].told.append(str(line))
        if line["type"] == "moved" and line["transition"]["machine"] == "worker":
            self._watch(program, line["transition"])
        if self.over_count < len(self.accidents):
            if self._is_over():
                self.over_count += 1
                await self.let_go()
        elif self.ended_count >= ORDERS_BETWEEN * (self.over_count + 1) and self.over_count < len(KINDS):
            self._hit(program, KINDS[self.over_count])

    def _is_over(self) -> bool:
        """Both workers have a browser again."""
        return self.accidents[-1].seen_after_s is not None and not self.away

    def _watch(self, program: int, move: Mapping[str, str]) -> None:
        (self.away.discard if move["target"] in AT_WORK else self.away.add)(move["entity"])
        if self.accidents and move["target"] == "CRASHED" and self.accidents[-1].seen_after_s is None:
            self.accidents[-1].seen_after_s = anyio.current_time() - self.accidents[-1].at
            self.accidents[-1].zombies = zombies_below(program)

    def _hit(self, program: int, kind: Kind) -> None:
        targets = find(program, kind)
        assert targets, f"no {kind} runs"
        assert hit(targets[self.over_count % len(targets)], self.number)  # both workers have their turn
        self.accidents.append(Accident(kind=kind, at=anyio.current_time()))

    async def let_go(self) -> None:
        """Let the portal give the orders that are next, and none beyond."""
        await self.portal.clear_faults()
        for held in self.numbers[ORDERS_BETWEEN * (self.over_count + 1) :]:
            await self.portal.add_fault(Latency(delay_ms=300_000), FaultScope.ORDER_PAGE, order=held)
