"""Silence is counted only while this process runs itself."""

from __future__ import annotations

import math

import anyio
import anyio.lowlevel
import pytest

from poolwright.concurrency import SLICE_S, SUSPENSION_MIN_S, ActiveTimeLimit, SuspendedTime, run_within


class Clock:
    """Stands in for ``anyio.current_time`` within the limit alone."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 0.0
        monkeypatch.setattr("poolwright.concurrency.anyio.current_time", lambda: self.now_s)


@pytest.fixture(name="clock")
def _clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def wait_for(limit: ActiveTimeLimit, clock: Clock, *slices_s: float) -> None:
    """Let slices pass that took so long by the clock."""
    for slice_s in slices_s:
        with limit.slice():
            clock.now_s += slice_s


async def test_time_that_was_waited_counts(clock: Clock) -> None:
    limit = ActiveTimeLimit(2.5)

    wait_for(limit, clock, SLICE_S, SLICE_S)
    was_over = limit.is_over
    wait_for(limit, clock, 0.5)

    assert not was_over
    assert limit.is_over


async def test_a_pause_of_the_machine_counts_as_one_slice_at_most(clock: Clock) -> None:
    limit = ActiveTimeLimit(3.0)

    wait_for(limit, clock, 3600.0)
    left_after_pause = not limit.is_over
    wait_for(limit, clock, SLICE_S, SLICE_S)

    assert left_after_pause
    assert limit.is_over


async def test_an_answer_that_came_early_uses_up_only_its_time(clock: Clock) -> None:
    limit = ActiveTimeLimit(1.0)

    wait_for(limit, clock, 0.25, 0.25)

    assert not limit.is_over


async def test_a_slice_ends_what_is_awaited() -> None:
    limit = ActiveTimeLimit(0.01)

    with limit.slice():
        await anyio.sleep_forever()

    assert limit.is_over


async def test_an_event_is_waited_for_no_longer_than_the_limit() -> None:
    event = anyio.Event()

    is_late = await ActiveTimeLimit(0.01).wait(event)
    event.set()
    is_there = await ActiveTimeLimit(0.01).wait(event)

    assert (is_late, is_there) == (False, True)


async def test_no_limit_is_never_over(clock: Clock) -> None:
    limit = ActiveTimeLimit(math.inf)

    wait_for(limit, clock, 1e9)

    assert not limit.is_over


async def test_what_is_done_in_time_is_done() -> None:
    async def work() -> str:
        await anyio.lowlevel.checkpoint()
        return "done"

    assert await run_within(60.0, work) == "done"


async def test_what_hangs_is_left_when_its_time_is_over() -> None:
    with pytest.raises(TimeoutError):
        await run_within(0.01, anyio.sleep_forever)


async def test_an_error_comes_as_it_is() -> None:
    async def work() -> None:
        raise KeyError("why")

    with pytest.raises(KeyError, match="why"):
        await run_within(60.0, work)


async def test_only_what_is_longer_than_any_step_of_ours_is_a_pause(clock: Clock) -> None:
    pauses = SuspendedTime(2.0)

    clock.now_s += 2.0 + SUSPENSION_MIN_S - 0.5
    busy_s = pauses.total_s
    pauses.mark_running()
    clock.now_s += 2.0 + 20.0
    just_over_s = pauses.total_s
    pauses.mark_running()
    clock.now_s += 2.0
    pauses.mark_running()

    assert (busy_s, just_over_s, pauses.total_s) == (0.0, 20.0, 20.0)
