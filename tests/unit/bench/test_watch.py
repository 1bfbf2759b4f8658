"""What a soak notes of the pool's events."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bench.soak.orders import task_of
from bench.soak.watch import Watch
from poolwright.domain.events import Moved, TaskEnded, TaskReturned, TaskStarted
from poolwright.domain.ids import WorkerRef
from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.domain.state_machine import Transition
from poolwright.domain.states import WorkerStatus
from poolwright.domain.tasks import Report

WORKER = WorkerRef(1, 1)


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def start(watch: Watch, number: str) -> None:
    watch(TaskStarted(task=task_of(number), worker=WORKER))


def end(watch: Watch, number: str) -> None:
    watch(TaskEnded(task=task_of(number), report=Report(reason=Reason.ALL_SAVED), folder="", worker=WORKER))


def restarting(origin: WorkerStatus) -> Moved:
    move = Transition(
        machine="worker",
        entity="worker-2",
        origin=origin.name,
        event="X",
        target="RESTARTING",
        at=datetime(2026, 1, 1, tzinfo=UTC),
        cause="why",
    )
    return Moved(transition=move)


async def test_a_window_holds_the_latencies_since_the_one_before(clock: Clock) -> None:
    watch = Watch(3, clock)
    start(watch, "1")
    clock.now_s += 2
    start(watch, "2")
    clock.now_s += 2
    end(watch, "1")
    end(watch, "2")

    first, second = watch.take(), watch.take()

    assert (first.latencies_s, first.duration_s, first.throughput_per_s) == ((4.0, 2.0), 4.0, 0.5)
    assert (second.latencies_s, second.throughput_per_s) == ((), 0.0)


async def test_an_order_that_was_given_back_is_timed_from_its_first_start(clock: Clock) -> None:
    watch = Watch(3, clock)
    start(watch, "1")
    watch(TaskReturned(task_id=task_of("1").task_id, why=ReturnReason.DRAINING, detail="", delay_s=0, worker=WORKER))
    clock.now_s += 5
    start(watch, "1")
    clock.now_s += 1
    end(watch, "1")

    assert watch.take().latencies_s == (6.0,)


async def test_an_end_makes_room_for_the_next_order(clock: Clock) -> None:
    watch = Watch(3, clock)
    for _ in range(3):
        watch.room.acquire_nowait()

    end(watch, "1")

    assert watch.room.value == 1
    assert watch.ended_count == 1


async def test_restarts_are_noted_with_what_led_to_them(clock: Clock) -> None:
    watch = Watch(3, clock)
    clock.now_s += 7
    watch(restarting(WorkerStatus.IDLE))
    watch(restarting(WorkerStatus.CRASHED))

    assert [(each.at_s, each.worker, each.cause, each.is_crash) for each in watch.restarts] == [
        (7.0, "worker-2", "why", False),
        (7.0, "worker-2", "why", True),
    ]
