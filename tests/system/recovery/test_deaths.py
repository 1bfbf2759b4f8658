"""Each process of a run dies or hangs once, in the middle of the work. Design section 4, row by row."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TypedDict

import anyio
import pytest

from app.demo.process import running_portal
from tests.support.batch_results import assert_all_right, numbers_of, reported
from tests.support.portal import needs_chromium
from tests.support.program import Desk, open_desk, read_lines
from tests.support.target_process import Kind, find, hit, zombies_below

pytestmark = [needs_chromium, pytest.mark.timeout(240)]

ORDER_COUNT = 16


class Notes(TypedDict):
    """What came of an accident."""

    #: Until the worker was taken for lost; nothing when it was not.
    seen_after_s: float | None
    #: Rows of the report that failed.
    failures: list[dict[str, str]]
    #: What the program inherited from its dead worker and did not bury.
    zombies: list[str]
    #: What was told after the accident.
    told: list[str]


#: A hang must be seen within this time (issue: 15 s); the rest is what a busy machine needs to tell us.
HANG_SEEN_S = 15.0 + 10.0


@pytest.mark.parametrize("kind", [Kind.WORKER, Kind.DRIVER, Kind.BROWSER, Kind.RENDERER])
async def test_a_death_costs_no_order(tmp_path: Path, kind: Kind) -> None:
    async with running_portal(order_count=ORDER_COUNT) as portal, open_desk(tmp_path, portal) as desk:
        numbers = await numbers_of(portal, ORDER_COUNT)
        truths = await portal.truth(*numbers)

        notes = await _run_with_accident(desk, numbers, kind, signal.SIGKILL)

        assert_all_right(desk, truths)
        assert notes["failures"] == []
        assert notes["zombies"] == []


@pytest.mark.parametrize("kind", [Kind.WORKER, Kind.DRIVER, Kind.BROWSER])
async def test_a_hang_is_found_and_costs_no_order(tmp_path: Path, kind: Kind) -> None:
    async with running_portal(order_count=ORDER_COUNT) as portal, open_desk(tmp_path, portal) as desk:
        numbers = await numbers_of(portal, ORDER_COUNT)
        truths = await portal.truth(*numbers)

        notes = await _run_with_accident(desk, numbers, kind, signal.SIGSTOP)

        assert_all_right(desk, truths)
        assert notes["failures"] == []
        assert notes["zombies"] == []
        assert notes["seen_after_s"] is not None, notes["told"]
        assert notes["seen_after_s"] < HANG_SEEN_S


async def _run_with_accident(desk: Desk, numbers: list[str], kind: Kind, number: signal.Signals) -> Notes:
    """Run a list; after three orders hit one process of a kind. Tells when the worker was taken for lost."""
    hit_at: float | None = None
    notes: Notes = {"seen_after_s": None, "failures": [], "zombies": [], "told": []}
    ended_count = 0
    async with desk.started("run", desk.list_of(numbers), "--workers", "2", "--tabs", "1", "--json") as process:
        async for line in read_lines(process):
            ended_count += line["type"] == "task_ended"
            if hit_at is not None:
                notes["told"].append(str(line))
            if hit_at is None and ended_count >= 3:
                victims = find(process.pid, kind)
                assert victims, f"no {kind} runs"
                assert hit(victims[-1], number)
                hit_at = anyio.current_time()
            is_crash = line["type"] == "moved" and line["transition"]["target"] == "CRASHED"
            if is_crash and hit_at is not None and notes["seen_after_s"] is None:
                notes["seen_after_s"] = anyio.current_time() - hit_at
                notes["zombies"] = zombies_below(process.pid)
        assert await process.wait() == 1, "some orders of the list cannot be done"
    notes["failures"] = [row for row in reported(desk) if row["Outcome"] in {"FAILED", "QUARANTINED"}]
    return notes
