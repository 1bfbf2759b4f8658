"""The queue starts no order of a group that is withheld, and loses none of them."""

from __future__ import annotations

import anyio

from poolwright.concurrency import SystemClock
from poolwright.domain.tasks import POTask
from poolwright.supervisor.policy.events import TaskWithheld
from poolwright.supervisor.task_queue import TaskFeeder
from tests.support.memory_journal import MemoryJournal
from tests.support.pool_contexts import TASK_TIMEOUT_S, feeder_of, pool_context, posted
from tests.support.tasks import BATCH, po_task

A1, B2, A3, B4 = (po_task(number, group=group) for number, group in enumerate("ABAB", start=1))


def empty_feeder() -> TaskFeeder:
    return feeder_of(MemoryJournal(SystemClock()), tab_count=2)


def fed(*tasks: POTask) -> TaskFeeder:
    feeder = empty_feeder()
    for task in tasks:
        feeder.requeue(task)
    return feeder


async def rest(feeder: TaskFeeder) -> list[POTask]:
    """What can start now."""
    tasks: list[POTask] = []
    while not feeder.task_queue.empty():
        tasks.append(await feeder.dequeue())
    return tasks


async def test_a_withheld_group_does_not_start_and_the_others_do() -> None:
    feeder = fed(A1, B2, A3, B4)

    feeder.withhold_group("A")

    assert await rest(feeder) == [B2, B4]
    assert feeder.is_withheld(A1)
    assert not feeder.is_withheld(B2)


async def test_a_released_group_returns_to_its_old_positions() -> None:
    feeder = fed(A1, B2, A3, B4)
    feeder.withhold_group("A")

    feeder.release_group("A")

    assert await rest(feeder) == [A1, B2, A3, B4]
    assert not feeder.is_withheld(A1)


async def test_a_task_that_comes_later_is_withheld_and_the_policy_hears_of_it() -> None:
    context = pool_context(MemoryJournal(SystemClock()))
    feeder = TaskFeeder(context, 2, TASK_TIMEOUT_S)
    feeder.withhold_group("A")

    feeder.requeue(A1)
    feeder.requeue(B2)

    assert posted(context) == [TaskWithheld(task=A1)]
    assert await rest(feeder) == [B2]
    assert feeder.take_withheld("A") == (A1,)
    assert feeder.take_withheld("A") == ()


async def test_only_the_tasks_of_the_group_are_taken() -> None:
    feeder = fed(A1, B2)
    feeder.withhold_group("A")
    feeder.withhold_group("B")

    assert feeder.take_withheld("A") == (A1,)
    assert feeder.take_withheld("B") == (B2,)


async def test_a_withheld_task_can_be_withdrawn_once() -> None:
    feeder = fed(A1)
    feeder.withhold_group("A")

    assert feeder.withdraw(A1.task_id)
    assert not feeder.withdraw(A1.task_id)
    assert feeder.take_withheld("A") == ()


async def test_without_workers_no_task_is_withheld() -> None:
    feeder = fed(A1, B2)
    feeder.withhold_group("A")

    feeder.end_waits()

    assert await rest(feeder) == [A1, B2]
    assert not feeder.is_withheld(A1)


async def test_withheld_tasks_count_as_claimed_so_that_not_all_of_a_group_are_claimed() -> None:
    journal = MemoryJournal(SystemClock())
    await journal.add(BATCH, [po_task(number, group="A") for number in range(50)])
    feeder = feeder_of(journal, tab_count=2)
    feeder.withhold_group("A")

    with anyio.move_on_after(0.05):
        await feeder.feed()

    assert 0 < len(feeder.take_withheld("A")) <= 4
