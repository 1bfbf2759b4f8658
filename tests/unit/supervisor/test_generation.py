"""A generation that is asked to go while it takes a task: the task goes back, or its worker hears of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from types import SimpleNamespace
from typing import cast

import anyio
import pytest
from anyio.lowlevel import checkpoint

from poolwright.concurrency import SystemClock
from poolwright.domain.ids import WorkerRef
from poolwright.domain.options import BrowserOptions, WorkerOptions
from poolwright.domain.outcomes import ReturnReason
from poolwright.domain.state_machine import StateMachine
from poolwright.domain.states import WORKER, WorkerEvent, WorkerStatus
from poolwright.domain.tasks import POTask
from poolwright.ipc import messages
from poolwright.ipc.messages import Returned
from poolwright.profile.errors import ProfileDamagedError
from poolwright.supervisor.policy.events import MessageReceived, WorkerEnded, WorkerLost
from poolwright.supervisor.policy.state import LossKind
from poolwright.supervisor.pool_context import PoolContext
from poolwright.supervisor.processes.connection import WorkerConnection
from poolwright.supervisor.processes.generation import Generation, ShutdownMode, SlotRecord
from poolwright.supervisor.task_queue import TaskFeeder
from poolwright.supervisor.workspace import WorkerSpec
from poolwright.system.memory_usage import MemoryMeter
from tests.support.pool_contexts import TASK_TIMEOUT_S, pool_context, posted
from tests.support.tasks import po_task
from tests.support.worker_messages import received, startup_failed

ONE = WorkerRef(1, 1)


class OneTaskFeeder(TaskFeeder):
    """Has one task, and does something else as it is started."""

    def __init__(self, task: POTask, meanwhile: Callable[[], Awaitable[None]] | None = None) -> None:
        super().__init__(pool_context(), 1, TASK_TIMEOUT_S)
        self._task, self._meanwhile = task, meanwhile

    async def start(self, task: POTask, worker: WorkerRef) -> POTask:
        del worker
        if self._meanwhile is not None:
            await self._meanwhile()
        return task

    async def dequeue(self, *, is_fresh: bool = False) -> POTask:
        if not is_fresh:
            await anyio.sleep_forever()
        return self._task


def generation_with(context: PoolContext, feeder: TaskFeeder) -> Generation:
    spec = cast("WorkerSpec", SimpleNamespace(options=WorkerOptions(browser=BrowserOptions())))
    machine = StateMachine(WORKER, ONE.worker_id, clock=SystemClock().now, observe=lambda _: None)
    slot = SlotRecord(spec=spec, machine=machine, memory_meter=MemoryMeter())
    return Generation(slot, ONE, context, feeder)


async def test_a_task_whose_worker_goes_meanwhile_goes_back_unspent() -> None:
    task, context = po_task(1), pool_context()

    async def meanwhile() -> None:
        await generation.shut_down(ShutdownMode.POOL_SHUTDOWN)

    generation = generation_with(context, OneTaskFeeder(task, meanwhile))
    generation._held[task.task_id] = task

    await generation._assign(cast("WorkerConnection", None), task)  # nobody is told of it

    assert not generation.held_tasks
    (told,) = posted(context)
    assert isinstance(told, MessageReceived)
    assert told == received(
        Returned,
        worker=ONE,
        task_id=task.task_id,
        why=ReturnReason.DRAINING,
        detail="its worker ends",
        at_s=told.at_s,
    )


async def test_a_worker_that_is_to_go_as_it_is_given_a_task_hears_of_the_task() -> None:
    """It would wait for a task that it does not know, and the pool for its goodbye."""
    task, given = po_task(1), list[messages.ToWorker]()

    class Link:
        async def send(self, message: messages.ToWorker) -> None:
            await generation.shut_down(ShutdownMode.RECYCLE)
            await checkpoint()
            given.append(message)

    generation = generation_with(pool_context(), OneTaskFeeder(task))

    with anyio.fail_after(10):
        await generation._pull(cast("WorkerConnection", Link()))

    assert [message.type for message in given] == ["assign"]
    assert list(generation.held_tasks) == [task.task_id]


async def test_a_damaged_profile_is_reported_by_whoever_holds_the_clone() -> None:
    context = pool_context()
    damaged = startup_failed(ONE, messages.StartupFailure.PROFILE, "It lost its cookies.").message

    with pytest.raises(ProfileDamagedError, match="It lost its cookies"):
        generation_with(context, OneTaskFeeder(po_task(1)))._on_message(damaged)

    assert posted(context) == []


async def test_a_message_counts_for_the_worker_whose_connection_it_came_from() -> None:
    context = pool_context()
    foreign = messages.LoginRefreshed(slot=7, generation=9)

    generation_with(context, OneTaskFeeder(po_task(1)))._on_message(foreign)

    (told,) = posted(context)
    assert isinstance(told, MessageReceived)
    assert (told.worker, told.message) == (ONE, foreign)


def statuses(generation: Generation, *ends: Callable[[], None]) -> list[str]:
    """The states of the slot's machine after each of these steps."""
    seen: list[str] = []
    for end in ends:
        end()
        seen.append(generation._slot.machine.state.name)
    return seen


async def test_a_generation_makes_the_move_that_goes_with_its_end() -> None:
    def fresh() -> Generation:
        generation = generation_with(pool_context(), OneTaskFeeder(po_task(1)))
        generation._slot.machine.fire(WorkerEvent.REPORT_READY)
        return generation

    def end(generation: Generation, *, is_in_order: bool) -> None:
        generation.end("it was killed by signal 9", LossKind.DIED, is_in_order=is_in_order)

    lost, killed, last, renewed = (fresh() for _ in range(4))
    await renewed.shut_down(ShutdownMode.RECYCLE, "it is old")

    assert statuses(lost, partial(end, lost, is_in_order=False)) == ["CRASHED"]
    assert statuses(killed, partial(killed.kill_and_restart, "it hangs"), partial(end, killed, is_in_order=False)) == [
        "READY",
        "CRASHED",
    ]
    assert statuses(last, last.kill, partial(last.kill_and_restart, "x"), partial(end, last, is_in_order=False)) == [
        "READY",
        "READY",
        "TERMINATED",
    ], "a pool that ends is not held up by a restart"
    assert statuses(renewed, partial(end, renewed, is_in_order=True), renewed.exit_without_successor) == [
        "RESTARTING",
        "TERMINATED",
    ]
    (fact,) = posted(killed._context)
    assert isinstance(fact, WorkerLost)
    assert fact.cause == "it hangs"
    assert posted(renewed._context) == [WorkerEnded(worker=ONE)]


async def test_a_shutdown_of_the_pool_is_a_move_of_the_generation() -> None:
    generation = generation_with(pool_context(), OneTaskFeeder(po_task(1)))

    await generation.shut_down(ShutdownMode.POOL_SHUTDOWN)

    assert generation._slot.machine.state is WorkerStatus.TERMINATING
    assert generation.is_pool_shutdown
