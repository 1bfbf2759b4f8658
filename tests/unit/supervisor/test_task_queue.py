"""The queue: what comes back finds its place, and a task on trial waits for a worker that has done nothing yet."""

from __future__ import annotations

from dataclasses import replace

import anyio
import pytest

from poolwright.concurrency import SystemClock
from poolwright.domain.events import Event, TaskStarted
from poolwright.domain.ids import WorkerRef
from poolwright.domain.tasks import DEATH_LIMIT
from poolwright.supervisor.policy.events import TrialQueued
from poolwright.supervisor.task_queue import AHEAD_PER_TAB, TaskFeeder
from tests.support.memory_journal import MemoryJournal
from tests.support.pool_contexts import TASK_TIMEOUT_S, feeder_of, pool_context, posted
from tests.support.tasks import BATCH, orders, po_task, task_id

ONE = WorkerRef(1, 1)
ON_TRIAL = replace(po_task(7), death_count=DEATH_LIMIT)


async def journal_of(*numbers: int) -> MemoryJournal:
    journal = MemoryJournal(SystemClock())
    await journal.accept(orders(*numbers))
    return journal


async def fed(dispatch: TaskFeeder) -> None:
    """Let it claim what it may."""
    with anyio.move_on_after(0.05):
        await dispatch.feed()


async def test_every_tab_may_give_its_task_back_while_the_queue_is_full_and_more_came_back() -> None:
    dispatch = feeder_of(await journal_of(*range(40)), tab_count=2)
    for _ in range(10):
        dispatch.wake()
    await fed(dispatch)
    assert dispatch.task_queue.qsize() == 2 * AHEAD_PER_TAB + 2, "one more for each tab, however many came back"
    taken = [await dispatch.dequeue() for _ in range(2)]
    dispatch.wake()
    await fed(dispatch)

    for task in taken:
        dispatch.requeue(task)

    assert [(await dispatch.dequeue()).task_id for _ in taken] == [task.task_id for task in taken], (
        "at their old places"
    )


async def test_no_task_is_claimed_once_feeding_is_stopped() -> None:
    dispatch = feeder_of(await journal_of(*range(40)), tab_count=2)

    with anyio.fail_after(5):
        async with anyio.create_task_group() as feeding:
            feeding.start_soon(dispatch.feed)
            await anyio.wait_all_tasks_blocked()
            dispatch.stop_feeding()
    assert dispatch.task_queue.qsize() == 2 * AHEAD_PER_TAB, "what was claimed may still be taken"

    stopped_before = feeder_of(await journal_of(1))
    stopped_before.stop_feeding()
    with anyio.fail_after(5):
        await stopped_before.feed()
    assert stopped_before.task_queue.empty()


async def test_an_attempt_that_starts_is_written_down_published_and_has_a_time_limit() -> None:
    events = list[Event]()
    context = pool_context(await journal_of(1, 2), observe=events.append)
    dispatch = TaskFeeder(context, 1, TASK_TIMEOUT_S)
    first, second = await context.journal.fetch(BATCH, 2)

    started = await dispatch.start(first, ONE)
    dispatch.set_task_timeout(7.0)
    later = await dispatch.start(replace(second, timeout_s=3.0), ONE)

    assert (started.attempt, started.timeout_s) == (1, TASK_TIMEOUT_S)
    assert later.timeout_s == 7.0, "the journal knows no limit of its own"
    assert [event.worker for event in events if isinstance(event, TaskStarted)] == [ONE, ONE]
    assert [record.status for record in await context.journal.records(BATCH)] == ["RUNNING"] * 2


async def test_only_so_much_is_claimed_ahead() -> None:
    dispatch = feeder_of(await journal_of(*range(40)), tab_count=2)

    await fed(dispatch)

    assert dispatch.task_queue.qsize() == 2 * AHEAD_PER_TAB


async def test_a_task_on_trial_is_a_fresh_workers_first() -> None:
    context = pool_context(await journal_of(1))
    dispatch = TaskFeeder(context, 1, TASK_TIMEOUT_S)

    dispatch.requeue(ON_TRIAL)
    await fed(dispatch)

    assert posted(context) == [TrialQueued(task_id=ON_TRIAL.task_id)]
    assert (await dispatch.dequeue()).task_id == task_id(1), "nobody else gets it"
    assert await dispatch.dequeue(is_fresh=True) == ON_TRIAL


async def test_a_task_on_trial_that_nobody_wants_any_more_is_gone() -> None:
    dispatch = feeder_of(await journal_of())
    dispatch.requeue(ON_TRIAL)

    assert dispatch.withdraw(ON_TRIAL.task_id)

    with anyio.move_on_after(0.05) as waiting:
        await dispatch.dequeue(is_fresh=True)
    assert waiting.cancelled_caught


@pytest.mark.parametrize("is_on_trial", [True, False])
async def test_at_the_end_everything_goes_back_to_the_journal(is_on_trial: bool) -> None:
    journal = await journal_of(7)
    (task,) = await journal.fetch(BATCH, 1)
    dispatch = feeder_of(journal)
    dispatch.requeue(replace(task, death_count=DEATH_LIMIT if is_on_trial else 0))

    assert await dispatch.release_all() == 1

    assert [record.status for record in await journal.records(BATCH)] == ["QUEUED"]


async def test_a_task_that_does_not_come_back_leaves_no_rank() -> None:
    dispatch = feeder_of(await journal_of(1, 2))
    await fed(dispatch)
    first = await dispatch.dequeue()

    dispatch.forget(first.task_id)
    dispatch.requeue(first)

    assert (await dispatch.dequeue()).task_id == task_id(2), "it stands behind as a new one"
