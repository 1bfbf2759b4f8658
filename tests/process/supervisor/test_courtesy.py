"""A pool that asks its portal no more than it may: on scripted workers."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from poolwright.concurrency import SystemClock
from poolwright.domain.events import Moved, Notice
from poolwright.domain.options import Courtesy
from poolwright.domain.states import WORKER, WorkerStatus
from poolwright.domain.working_hours import WorkingHours
from poolwright.supervisor.policy.pauses import PauseReason
from tests.support.scripted_pool import ScriptedPool, running_pool

pytestmark = pytest.mark.timeout(120)
FINISH = {"*": {"tasks": ["finish"]}}


def most_at_work(scripted: ScriptedPool) -> int:
    """The most workers that had an order at the same time; each has one tab."""
    at_work, most = set[str](), 0
    for move in (event.transition for event in scripted.told.all(Moved)):
        if move.machine == WORKER.name:
            (at_work.add if move.target == WorkerStatus.PROCESSING.name else at_work.discard)(move.entity)
            most = max(most, len(at_work))
    return most


async def test_no_second_order_is_open_where_one_is_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    courtesy = Courtesy(concurrency=1, rate_per_min=60_000)
    numbers = range(1, 9)

    async with running_pool(tmp_path, monkeypatch, FINISH, *numbers, worker_count=2, courtesy=courtesy) as scripted:
        await scripted.pool.finish()

    assert set((await scripted.outcomes()).values()) == {"COMPLETED"}
    told = [event.text for event in scripted.events if isinstance(event, Notice)]
    assert "limits of the portal: at most 60000 pages and files a minute, at most 1 orders at the same time" in told
    assert most_at_work(scripted) == 1


async def answered(root: Path, monkeypatch: pytest.MonkeyPatch, *tasks: str) -> list[str]:
    """What people were told of orders whose pages took so long, after some quick ones."""
    script = {"*": {"tasks": [*["answer:1"] * 10, *tasks]}}
    async with running_pool(root, monkeypatch, script, *range(1, 61), tabs_per_worker=2) as scripted:
        await scripted.pool.finish()
        assert scripted.pool.get_status().slow_down == ""
    assert set((await scripted.outcomes()).values()) == {"COMPLETED"}
    return [
        event.text for event in scripted.events if isinstance(event, Notice) and event.text.startswith("The portal")
    ]


async def test_a_portal_that_gets_slow_is_asked_less_until_that_does_not_help(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = await answered(tmp_path, monkeypatch, "answer:9")

    times = "9.0 s for the page of an order, 1.0 s before"
    assert told == [
        f"The portal answers slowly ({times}): at most 1 of 2 orders are open at once.",
        "The portal no longer gets slower: as many orders as usual are open at once again.",
    ]


async def test_what_a_machine_that_slept_measured_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await answered(tmp_path, monkeypatch, "answer:9+5") == []


async def test_outside_the_hours_no_order_starts_and_the_status_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = (SystemClock().now() + timedelta(days=3)).strftime("%a")
    hours = WorkingHours.parse(f"{day} 00:00-24:00", "Etc/UTC")

    async with running_pool(tmp_path, monkeypatch, FINISH, 1, courtesy=Courtesy(hours=hours)) as scripted:
        await scripted.until(lambda: "READY" in scripted.path("worker"))
        holds = scripted.pool.get_status().holds
        text = "paused until the portal's working hours begin: Outside the portal's working hours"
        await scripted.until(lambda: any(one.text.startswith(text) for one in scripted.told.all(Notice)))

    assert holds == (PauseReason.OUTSIDE_HOURS,)
    assert await scripted.attempt_counts() == {"1": 0}
    assert most_at_work(scripted) == 0
