"""A generation that is asked to go while the start of an attempt is written down takes nothing more."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

from poolwright.domain.failures import GivenBack
from poolwright.domain.ids import WorkerRef
from poolwright.domain.machine import Machine
from poolwright.domain.options import BrowserOptions, WorkerOptions
from poolwright.domain.states import WORKER
from poolwright.domain.task import POTask
from poolwright.service.clock import SystemClock
from poolwright.supervisor.deadline import Deadline
from poolwright.supervisor.departure import Departure
from poolwright.supervisor.facts import Fact, TaskReturned
from poolwright.supervisor.generation import Generation, Post
from poolwright.supervisor.talk import Talk
from tests.support.tasks import po_task

ONE = WorkerRef(1, 1)


async def test_a_task_whose_worker_goes_meanwhile_goes_back_unspent() -> None:
    facts: list[Fact] = []
    task = po_task(1)

    async def begin(begun: POTask, _: WorkerRef) -> POTask:
        await generation.depart(Departure.WITH_POOL)
        return begun

    order = SimpleNamespace(options=WorkerOptions(browser=BrowserOptions()), deadline=Deadline())
    machine = Machine(WORKER, ONE.worker_id, clock=SystemClock().now, observe=lambda _: None)
    post = SimpleNamespace(order=order, machine=machine, report=facts.append, begin=begin)
    generation = Generation(cast("Post", post), ONE)
    generation._held[task.task_id] = task

    await generation._assign(cast("Talk", None), task)  # nobody is told of it

    assert not generation.held
    told = TaskReturned(worker=ONE, task_id=task.task_id, why=GivenBack.DRAINING, detail="its worker ends")
    assert facts == [told]
