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
from poolwright.concurrency import SystemClock, WaitGroup
from poolwright.domain.errors import OptionsError
from poolwright.domain.ids import WorkerRef
from poolwright.domain.options import Secret
from poolwright.domain.state_machine import StateMachine
from poolwright.domain.states import POOL, WorkerEvent, WorkerStatus
from poolwright.domain.tasks import POTask
from poolwright.journal.memory_journal import MemoryJournal
from poolwright.supervisor.controller import Controller
from poolwright.supervisor.observation import EventLog
from poolwright.supervisor.policy.events import PoolInput, RestartRequested
from poolwright.supervisor.policy.state import PoolState, WorkerSlot
from poolwright.supervisor.pool import PersistentWorkerPool, PoolControls
from poolwright.supervisor.processes.worker import Worker
from poolwright.supervisor.task_queue import TaskFeeder
from poolwright.supervisor.workspace import PoolContext, WorkerSpec
from tests.support.scripted_pool import pool_options
from tests.support.tasks import BATCH


class Wished(PoolControls):
    """Only hears."""

    worker_count = 2

    def __init__(self) -> None:
        self.facts: list[PoolInput] = []

    def _post(self, fact: PoolInput) -> None:
        self.facts.append(fact)


@pytest.mark.parametrize("slot", [-1, 0, 3, 99])
def test_a_worker_that_is_not_there_cannot_be_restarted(slot: int) -> None:
    pool = Wished()

    with pytest.raises(ValueError, match=f"there is no worker {slot}; this pool has 2"):
        pool.restart_worker(slot)

    assert pool.facts == []
    pool.restart_worker(2)
    assert pool.facts == [RestartRequested(slot=2)]


async def test_what_is_asked_of_a_pool_that_is_over_changes_nothing() -> None:
    dispatch = TaskFeeder(MemoryJournal(SystemClock()), BATCH, 1)
    machine = StateMachine(POOL, "pool", clock=SystemClock().now, observe=lambda _: None)

    class Over(Wished):
        def _post(self, fact: PoolInput) -> None:
            steering.post(fact)

    with Controller(PoolState(slots={1: WorkerSlot()}), machine, dispatch, WaitGroup()) as steering:
        pass
    for ask in (Over().pause, Over().resume, Over().stop, partial(Over().restart_worker, 1)):
        ask()

    assert steering.unsettled.count == 0, "nobody would deal with it"


@pytest.mark.parametrize(
    "way", [(WorkerEvent.LOSE,), (WorkerEvent.REPORT_READY, WorkerEvent.RECYCLE)], ids=["crashed", "to return"]
)
async def test_a_slot_that_is_given_up_comes_to_its_end(way: tuple[WorkerEvent, ...]) -> None:
    order = SimpleNamespace(
        slot=1, clock=SystemClock().now, options=SimpleNamespace(tabs_per_worker=1, task_timeout_s=1.0)
    )
    journal = MemoryJournal(SystemClock())
    chronicle = EventLog(journal, lambda _: None)

    async def begin(task: POTask, _: WorkerRef) -> POTask:
        return task

    worker = Worker(cast("WorkerSpec", order), chronicle, lambda _: None, TaskFeeder(journal, BATCH, 1), begin)
    for event in way:
        worker._machine.fire(event)

    worker.give_up()
    worker.give_up()

    assert worker.status is WorkerStatus.TERMINATED


def test_a_secret_that_is_none_is_refused_before_anything_is_started(tmp_path: Path) -> None:
    clock = SystemClock()
    tree = OutputTree(tmp_path / "out", clock=clock)
    around = PoolContext(
        journal=MemoryJournal(clock), archive=tree, clock=clock, observe=lambda _: None, batch_id=BATCH
    )

    with pytest.raises(OptionsError, match=r"^Invalid TOTP secret: expected base32 text"):
        PersistentWorkerPool(pool_options(tmp_path, totp_secret=Secret(text="not base32!")), around)

    assert not (tmp_path / "runs").exists()


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
    around = PoolContext(
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
