"""What people and libraries ask of a pool is judged at its border, before anything is started."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import anyio
import anyio.to_thread
import pytest

from poolwright.archive.output_tree import OutputTree
from poolwright.concurrency import SystemClock
from poolwright.domain.errors import OptionsError
from poolwright.domain.options import Secret
from poolwright.domain.state_machine import Transition
from poolwright.domain.states import WorkerEvent, WorkerStatus
from poolwright.supervisor import workspace
from poolwright.supervisor.command_executor import CommandExecutor
from poolwright.supervisor.policy.events import RestartRequested
from poolwright.supervisor.pool import PULSE_MAX_S, PersistentWorkerPool
from poolwright.supervisor.pool_context import PoolPorts
from poolwright.supervisor.processes.worker import Worker
from poolwright.supervisor.workspace import WorkerSpec
from tests.support.memory_journal import MemoryJournal
from tests.support.pool_contexts import feeder_of, pool_context
from tests.support.scripted_pool import pool_options
from tests.support.tasks import BATCH


def new_pool(tmp_path: Path) -> PersistentWorkerPool:
    """A pool of two workers that was not entered; close its inbox and its writer."""
    clock = SystemClock()
    tree = OutputTree(tmp_path / "out", clock=clock)
    ports = PoolPorts(journal=MemoryJournal(clock), archive=tree, clock=clock, observe=lambda _: None, batch_id=BATCH)
    return PersistentWorkerPool(pool_options(tmp_path, worker_count=2), ports)


@pytest.mark.parametrize("slot", [-1, 0, 3, 99])
async def test_a_worker_that_is_not_there_cannot_be_restarted(tmp_path: Path, slot: int) -> None:
    pool = new_pool(tmp_path)
    with pool._inbox, pool._writer:
        with pytest.raises(ValueError, match=f"there is no worker {slot}; this pool has 2"):
            pool.restart_worker(slot)

        assert pool._inbox.unsettled.count == 0
        pool.restart_worker(2)
        assert await anext(aiter(pool._inbox)) == RestartRequested(slot=2)


async def test_what_is_asked_of_a_pool_that_is_over_changes_nothing(tmp_path: Path) -> None:
    pool = new_pool(tmp_path)
    with pool._inbox, pool._writer:
        pass
    for ask in (pool.pause, pool.resume, pool.stop, partial(pool.restart_worker, 1)):
        ask()

    assert pool._inbox.unsettled.count == 0, "nobody would deal with it"


@pytest.mark.parametrize(
    "way", [(WorkerEvent.LOSE,), (WorkerEvent.REPORT_READY, WorkerEvent.RECYCLE)], ids=["crashed", "to return"]
)
async def test_a_slot_that_is_given_up_comes_to_its_end(way: tuple[WorkerEvent, ...]) -> None:
    spec = SimpleNamespace(slot=1, options=SimpleNamespace(tabs_per_worker=1, task_timeout_s=1.0))
    journal = MemoryJournal(SystemClock())
    worker = Worker(cast("WorkerSpec", spec), pool_context(journal), feeder_of(journal))
    for event in way:
        worker._machine.fire(event)

    worker.give_up()
    worker.give_up()

    assert worker.status is WorkerStatus.TERMINATED


def test_a_secret_that_is_none_is_refused_before_anything_is_started(tmp_path: Path) -> None:
    clock = SystemClock()
    tree = OutputTree(tmp_path / "out", clock=clock)
    around = PoolPorts(journal=MemoryJournal(clock), archive=tree, clock=clock, observe=lambda _: None, batch_id=BATCH)

    with pytest.raises(OptionsError, match=r"^Invalid TOTP secret: expected base32 text"):
        PersistentWorkerPool(pool_options(tmp_path, totp_secret=Secret(text="not base32!")), around)

    assert not (tmp_path / "runs").exists()


async def test_a_pool_that_was_not_entered_cannot_be_shut_down(tmp_path: Path) -> None:
    pool = new_pool(tmp_path)
    with pool._inbox, pool._writer, pytest.raises(RuntimeError, match="enter it first"):
        await pool.shutdown()

    assert not pool.shutdown_event.is_set()


@pytest.mark.timeout(30)
@pytest.mark.parametrize("what", ["the copy", "the copy and its removal"])
async def test_a_start_whose_clone_hangs_is_given_up_when_its_caller_is(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_begun, goes_on = threading.Event(), threading.Event()

    def hang(*_: object) -> None:
        has_begun.set()
        goes_on.wait()

    monkeypatch.setattr("poolwright.profile.profile.clone_profile", hang)
    if what != "the copy":
        monkeypatch.setattr("poolwright.profile.profile.remove_clone", hang)
    clock = SystemClock()
    around = PoolPorts(
        journal=MemoryJournal(clock),
        archive=OutputTree(tmp_path / "out", clock=clock),
        clock=clock,
        observe=lambda _: None,
        batch_id=BATCH,
    )
    pool = PersistentWorkerPool(pool_options(tmp_path, shutdown_timeout_s=0.5), around)

    try:
        with anyio.CancelScope() as starting:
            async with anyio.create_task_group() as beside:

                async def cancel() -> None:
                    await anyio.to_thread.run_sync(has_begun.wait)
                    starting.cancel()

                beside.start_soon(cancel)
                async with pool:
                    pytest.fail("it has come up")
    finally:
        goes_on.set()

    assert starting.cancelled_caught
    assert what != "the copy" or list((tmp_path / "runs").iterdir()) == []


@pytest.mark.timeout(30)
async def test_a_thread_that_was_given_up_waits_for_no_loop() -> None:
    has_begun, goes_on, is_over = threading.Event(), threading.Event(), threading.Event()
    context = pool_context(MemoryJournal(SystemClock()))
    record = workspace._record_in_loop(context.event_log)
    transition = Transition(
        machine="profile", entity="p", origin="CLEANUP", event="REMOVED", target="REMOVED", at=context.clock.now()
    )

    def work() -> None:
        has_begun.set()
        goes_on.wait()
        record(transition)
        is_over.set()

    async with anyio.create_task_group() as beside:
        beside.start_soon(partial(anyio.to_thread.run_sync, work, abandon_on_cancel=True))
        await anyio.to_thread.run_sync(has_begun.wait)
        beside.cancel_scope.cancel()
    goes_on.set()

    assert is_over.wait(10), "this loop does nothing meanwhile, like one that is over"


async def test_a_pool_is_alive_as_long_as_it_handles_events(tmp_path: Path) -> None:
    pool = new_pool(tmp_path)
    with pool._inbox, pool._writer:
        handled_at_s = pool._controller.last_event_at_s

        assert pool.is_alive(handled_at_s + PULSE_MAX_S - 1)
        assert not pool.is_alive(handled_at_s + PULSE_MAX_S)


async def test_each_event_that_is_handled_is_a_sign_of_life(tmp_path: Path) -> None:
    pool = new_pool(tmp_path)
    executor = SimpleNamespace(execute=lambda *_: None)
    with pool._inbox, pool._writer:
        pool._controller.last_event_at_s = -1.0
        pool.restart_worker(1)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(pool._controller.run, cast("CommandExecutor", executor))
            with anyio.fail_after(10):
                await pool._inbox.unsettled.wait_idle()
            await anyio.wait_all_tasks_blocked()
            tasks.cancel_scope.cancel()

    assert pool._controller.last_event_at_s > 0
