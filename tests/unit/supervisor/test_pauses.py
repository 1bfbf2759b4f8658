"""A pause of the machine is charged to nobody: neither to the orders that it cut through nor to their workers."""

from __future__ import annotations

import contextlib

import anyio
import pytest

from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.tasks import POTask
from poolwright.supervisor.policy.events import PoolInput, TaskStuck
from poolwright.supervisor.policy.state import PoolState, WorkerSlot
from poolwright.supervisor.processes.connection import WorkerLostError
from poolwright.supervisor.processes.generation import GRACE_S, LATE_S, TaskDeadlines
from tests.support.pool_contexts import PostedEvents

ONE = WorkerRef(1, 1)
TASK = POTask(task_id=TaskId("demo:1"), po_number="PO1", portal_number="1")
START = PoolState(slots={1: WorkerSlot(is_up=True)})


async def overdue(deadlines: TaskDeadlines) -> list[PoolInput]:
    """What is found overdue now."""
    inbox = PostedEvents()

    async def enforce() -> None:
        with contextlib.suppress(WorkerLostError):
            await deadlines.watch(ONE, inbox)

    async with anyio.create_task_group() as beside:
        beside.start_soon(enforce)
        await anyio.wait_all_tasks_blocked()
        beside.cancel_scope.cancel()
    return inbox.events


async def test_who_slept_over_the_time_of_a_task_gives_its_worker_time_to_report(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_s = [0.0]
    monkeypatch.setattr("poolwright.supervisor.processes.generation.anyio.current_time", lambda: now_s[0])
    deadlines = TaskDeadlines(10.0)
    deadlines.begin(TASK)

    now_s[0] = 10.0 + GRACE_S + LATE_S + 1.0
    after_a_pause = await overdue(deadlines)
    now_s[0] += GRACE_S
    at_last = await overdue(deadlines)

    assert after_a_pause == []
    assert at_last == [TaskStuck(worker=ONE, task_id=TASK.task_id)]
