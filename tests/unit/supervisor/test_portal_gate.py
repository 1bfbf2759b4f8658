"""What the gate lets through, and when."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace

import anyio
import pytest

from poolwright.concurrency import SystemClock
from poolwright.domain.events import Event, Level, Notice
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
TAB_COUNT = 4


def gate_of(courtesy: Courtesy, clock: ManualClock | None = None) -> PortalGate:
    return PortalGate(context_at(clock or ManualClock()), courtesy, TAB_COUNT)


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
    gate = PortalGate(context, Courtesy(rate_per_min=60_000.0), TAB_COUNT)
    gate.charge(10_005)

    await gate.wait()

    assert gate.pass_through(ONE)


@pytest.mark.timeout(60)
async def test_the_queue_waits_at_the_gate_and_keeps_its_order() -> None:
    journal = MemoryJournal(SystemClock())
    await journal.accept(orders(1, 2))
    context = pool_context(journal)
    gate = PortalGate(context, Courtesy(concurrency=1), TAB_COUNT)
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

    await PortalGate(context, Courtesy(hours=hours, concurrency=3), TAB_COUNT).watch_hours()

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

    await PortalGate(context, Courtesy(), TAB_COUNT).watch_hours()

    assert (posted(context), events) == ([], [])


def answered(gate: PortalGate, clock: ManualClock, *answers_s: float) -> None:
    """Let orders end, each after the other, that the portal answered after so many seconds."""
    for answer_s in answers_s:
        clock.advance(answer_s + 1.0)
        gate.note_answer(answer_s, answer_s + 1.0)


@pytest.mark.timeout(60)
async def test_a_portal_that_answers_more_slowly_than_before_gets_fewer_orders_and_people_read_it_once() -> None:
    clock, events = ManualClock(), list[Event]()
    gate = PortalGate(context_at(clock, events), Courtesy(), TAB_COUNT)
    gate.set_held(TAB_COUNT - 1)
    answered(gate, clock, *[1.0] * 8, *[9.0] * 16)
    times = "9.0 s for the page of an order, 1.0 s before"
    slow = f"The portal answers slowly ({times}): at most 2 of 4 orders are open at once."
    told, lowered = gate.slow_down, [gate.pass_through(task_id(number)) for number in range(4)]
    gate.set_held(1)
    passes = [gate.pass_through(task_id(number)) for number in range(4)]
    for number in range(4):
        gate.turn_back(task_id(number))
    waited: list[str] = []

    async def wait() -> None:
        await gate.wait()
        waited.append("over")

    gate.set_held(2)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        assert waited == []
        answered(gate, clock, *[1.0] * 7)
    assert waited == ["over"], "one more may be open"
    answered(gate, clock, *[1.0] * 7)

    assert (told, lowered) == (slow, [False] * 4)
    assert passes == [True, False, False, False]
    assert gate.slow_down == ""
    notices = [(event.level, event.text) for event in events if isinstance(event, Notice)]
    assert notices == [
        (Level.WARNING, slow),
        (Level.INFO, "The portal no longer gets slower: as many orders as usual are open at once again."),
    ]


def test_fewer_than_the_pack_allows_are_the_beginning_where_it_allows_fewer_than_there_are_tabs() -> None:
    clock = ManualClock()
    gate = gate_of(Courtesy(concurrency=2), clock)
    gate.set_held(1)
    answered(gate, clock, *[1.0] * 7, *[9.0] * 14)

    assert gate.slow_down.endswith("at most 1 of 2 orders are open at once.")


def test_a_pack_can_switch_that_off() -> None:
    clock = ManualClock()
    gate = gate_of(Courtesy(slow_down=False), clock)
    gate.set_held(TAB_COUNT - 1)
    answered(gate, clock, *[1.0] * 8, *[9.0] * 16)

    assert gate.slow_down == ""
