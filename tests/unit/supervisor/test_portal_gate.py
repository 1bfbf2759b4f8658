"""What the gate lets through, and when."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace

import anyio
import pytest

from poolwright.concurrency import SystemClock
from poolwright.domain.events import Event, Notice
from poolwright.domain.options import Courtesy
from poolwright.domain.working_hours import WorkingHours
from poolwright.supervisor import portal_gate
from poolwright.supervisor.policy.events import HoursBegan, HoursEnded
from poolwright.supervisor.pool_context import PoolContext
from poolwright.supervisor.portal_gate import PortalGate
from poolwright.supervisor.task_queue import TaskFeeder
from tests.support.manual_clock import ManualClock
from tests.support.memory_journal import MemoryJournal
from tests.support.pool_contexts import TASK_TIMEOUT_S, pool_context, posted
from tests.support.tasks import orders, po_task, task_id

ONE, TWO, THREE = task_id(1), task_id(2), task_id(3)


def gate_of(courtesy: Courtesy, clock: ManualClock | None = None) -> PortalGate:
    return PortalGate(context_at(clock or ManualClock()), courtesy)


def context_at(clock: ManualClock, events: list[Event] | None = None) -> PoolContext:
    context = pool_context(observe=(events if events is not None else []).append)
    return replace(context, ports=replace(context.ports, clock=clock))


async def test_without_limits_all_pass() -> None:
    gate = gate_of(Courtesy())
    await gate.wait()

    assert all(gate.pass_through(task_id(number)) for number in range(100))


async def test_no_more_orders_pass_than_may_be_open_at_once() -> None:
    gate = gate_of(Courtesy(concurrency=2))

    assert (gate.pass_through(ONE), gate.pass_through(TWO), gate.pass_through(THREE)) == (True, True, False)
    gate.set_held(1, known=[ONE])
    assert not gate.pass_through(THREE), "one is held, the other one on its way"
    gate.set_held(2, known=[TWO])
    assert not gate.pass_through(THREE)
    gate.set_held(1)
    assert gate.pass_through(THREE)


async def test_one_that_was_not_begun_makes_room_and_costs_nothing() -> None:
    gate = gate_of(Courtesy(concurrency=1, rate_per_min=1.0))

    assert gate.pass_through(ONE)
    gate.turn_back(TWO)
    assert not gate.pass_through(TWO)
    gate.turn_back(ONE)
    assert gate.pass_through(TWO)
    gate.set_held(1, known=[TWO])
    gate.turn_back(TWO)
    gate.set_held(0)
    assert not gate.pass_through(ONE), "it was begun, and has cost its request"


async def test_the_rate_counts_pages_and_files() -> None:
    clock = ManualClock()
    gate = gate_of(Courtesy(rate_per_min=60.0), clock)
    for number in range(10):
        assert gate.pass_through(task_id(number))
    assert not gate.pass_through(THREE)
    gate.charge(5)
    clock.advance(5.5)
    assert not gate.pass_through(THREE)
    clock.advance(1.0)
    assert gate.pass_through(THREE)


@pytest.mark.timeout(60)
async def test_all_who_wait_look_again_when_an_order_ends() -> None:
    gate = gate_of(Courtesy(concurrency=1))
    gate.pass_through(ONE)
    passed: list[int] = []

    async def pass_one(number: int) -> None:
        await gate.wait()
        passed.append(number)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(pass_one, 1)
        tasks.start_soon(pass_one, 2)
        await anyio.wait_all_tasks_blocked()
        assert passed == []
        gate.set_held(0, known=[ONE])

    assert sorted(passed) == [1, 2]


@pytest.mark.timeout(60)
async def test_who_waits_for_a_request_goes_on_by_itself() -> None:
    context = pool_context()
    gate = PortalGate(context, Courtesy(rate_per_min=60_000.0))
    gate.charge(10_005)

    await gate.wait()

    assert gate.pass_through(ONE)


@pytest.mark.timeout(60)
async def test_the_queue_waits_at_the_gate_and_keeps_its_order() -> None:
    journal = MemoryJournal(SystemClock())
    await journal.accept(orders(1, 2))
    context = pool_context(journal)
    gate = PortalGate(context, Courtesy(concurrency=1))
    feeder = TaskFeeder(context, 2, TASK_TIMEOUT_S, gate)
    taken: list[str] = []
    first: list[str] = []

    async def take(*, is_fresh: bool = False) -> None:
        taken.append((await feeder.dequeue(is_fresh=is_fresh)).po_number)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(feeder.feed)
        await take()
        tasks.start_soon(take)
        await anyio.wait_all_tasks_blocked()
        first += taken
        feeder.requeue(po_task(1))
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()

    assert first == [po_task(1).po_number]
    assert taken == [po_task(1).po_number] * 2, "what comes back is first again"


async def test_hours_that_end_and_begin_are_reported_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, looks = ManualClock(), iter((0.0, 60.0, 3600.0, -7200.0, 8 * 3600.0))

    async def looked(interval_s: float) -> AsyncGenerator[None]:
        assert interval_s == portal_gate.CHECK_INTERVAL_S
        for seconds in looks:
            clock.jump(seconds)
            yield

    monkeypatch.setattr(portal_gate, "periodic", looked)
    events: list[Event] = []
    context = context_at(clock, events)  # Tuesday 6 May 2031, 07:08 UTC
    hours = WorkingHours.parse("Mon-Fri 09:00-10:00, Tue 06:00-08:00", "Etc/UTC")

    await PortalGate(context, Courtesy(hours=hours, concurrency=3)).watch_hours()

    ended = HoursEnded(
        detail="Outside the portal's working hours (Mon-Fri 09:00-10:00, Tue 06:00-08:00).",
        begin="Tue 06 May 09:00 UTC",
    )
    assert posted(context) == [ended, HoursBegan(), replace(ended, begin="Wed 07 May 09:00 UTC")]
    told = [event.text for event in events if isinstance(event, Notice)]
    said = "at most 3 orders at the same time, orders start Mon-Fri 09:00-10:00, Tue 06:00-08:00 (Etc/UTC) only"
    assert told == [f"limits of the portal: {said}"]


async def test_a_portal_without_hours_is_always_open() -> None:
    events: list[Event] = []
    context = context_at(ManualClock(), events)

    await PortalGate(context, Courtesy()).watch_hours()

    assert (posted(context), events) == ([], [])
