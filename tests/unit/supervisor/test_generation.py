"""A generation that is asked to go while it takes a task: the task goes back, or its worker hears of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import anyio
from anyio.lowlevel import checkpoint

from poolwright.concurrency import SystemClock
from poolwright.domain.ids import WorkerRef
from poolwright.domain.options import BrowserOptions, WorkerOptions
from poolwright.domain.outcomes import ReturnReason
from poolwright.domain.state_machine import StateMachine
from poolwright.domain.states import WORKER
from poolwright.domain.tasks import POTask
from poolwright.ipc import messages
from poolwright.supervisor.deadline import Deadline
from poolwright.supervisor.policy.events import PoolInput, TaskReleased
from poolwright.supervisor.processes.connection import WorkerConnection
from poolwright.supervisor.processes.generation import Generation, GenerationDeps, ShutdownMode
from tests.support.tasks import po_task

ONE = WorkerRef(1, 1)


def generation_with(**parts: object) -> Generation:
    order = SimpleNamespace(options=WorkerOptions(browser=BrowserOptions()), deadline=Deadline())
    machine = StateMachine(WORKER, ONE.worker_id, clock=SystemClock().now, observe=lambda _: None)
    return Generation(cast("GenerationDeps", SimpleNamespace(spec=order, machine=machine, **parts)), ONE)


async def test_a_task_whose_worker_goes_meanwhile_goes_back_unspent() -> None:
    facts: list[PoolInput] = []
    task = po_task(1)

    async def begin(begun: POTask, _: WorkerRef) -> POTask:
        await generation.shut_down(ShutdownMode.POOL_SHUTDOWN)
        return begun

    generation = generation_with(report=facts.append, begin=begin)
    generation._held[task.task_id] = task

    await generation._assign(cast("WorkerConnection", None), task)  # nobody is told of it

    assert not generation.held
    told = TaskReleased(worker=ONE, task_id=task.task_id, why=ReturnReason.DRAINING, detail="its worker ends")
    assert facts == [told]


async def test_a_worker_that_is_to_go_as_it_is_given_a_task_hears_of_the_task() -> None:
    """It would wait for a task that it does not know, and the pool for its goodbye."""
    task, given = po_task(1), list[messages.ToWorker]()

    class Queue:
        async def dequeue(self, *, is_fresh: bool) -> POTask:
            if not is_fresh:
                await anyio.sleep_forever()
            return task

    class Link:
        async def send(self, message: messages.ToWorker) -> None:
            await generation.shut_down(ShutdownMode.RECYCLE)
            await checkpoint()
            given.append(message)

    async def begin(begun: POTask, _: WorkerRef) -> POTask:
        return begun

    generation = generation_with(report=lambda _: None, begin=begin, feeder=Queue())

    with anyio.fail_after(10):
        await generation._pull(cast("WorkerConnection", Link()))

    assert [message.type for message in given] == ["assign"]
    assert list(generation.held) == [task.task_id]
