"""Workers that finish, go and come back: planned, for memory, and when something comes in between. Real processes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anyio
import psutil
import pytest

from poolwright.domain.events import MemoryRelieved, Notice
from poolwright.domain.states import WorkerStatus
from poolwright.supervisor.policy.commands import StopCause
from poolwright.system.memory_limit import MemoryLimit
from tests.support.event_capture import EventCapture
from tests.support.scripted_pool import ScriptedPool, running_pool

pytestmark = pytest.mark.timeout(90)
FINISH = {"*": {"tasks": ["finish"]}}


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look as often as a small test needs."""
    monkeypatch.setattr("poolwright.supervisor.memory_monitor.ESTIMATE_INTERVAL_S", 0.05)


async def until(is_true: Callable[[], object]) -> None:
    """Wait for a fact of the pool."""
    with anyio.fail_after(60):
        while not is_true():  # noqa: ASYNC110 - facts of many kinds, and a loop without a pause takes a processor
            await anyio.sleep(0.01)


def heard(scripted: ScriptedPool) -> EventCapture:
    return EventCapture(events=scripted.events)


async def test_workers_return_after_so_many_orders_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_pool(tmp_path, monkeypatch, FINISH, worker_count=2, recycle_after_tasks=2) as scripted:
        workers = scripted.pool.workers
        await until(lambda: all(worker.status is WorkerStatus.READY for worker in workers))
        for number in range(1, 41):
            await scripted.submit(number)
        assert await scripted.pool.finish() is None
        await until(lambda: all(worker.ref.generation > 1 for worker in workers))
        # One that was back in time for a last order is idle.
        await until(lambda: all(worker.status in {WorkerStatus.READY, WorkerStatus.IDLE} for worker in workers))

    assert set((await scripted.outcomes()).values()) == {"COMPLETED"}
    assert set((await scripted.attempt_counts()).values()) == {1}
    for worker in workers:
        path = " ".join(scripted.path("worker", worker.worker_id))
        assert "PROCESSING IDLE RESTARTING READY" in path
        assert WorkerStatus.CRASHED.name not in path
    assert max(len(away) for away in heard(scripted).away()) == 1


async def test_workers_return_after_so_long_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_pool(tmp_path, monkeypatch, FINISH, worker_count=1, recycle_after_s=0.5) as scripted:
        await until(lambda: scripted.pool.workers[0].ref.generation == 3)

    assert scripted.path("worker", "worker-1")[:5] == ["STARTING", "READY", "RESTARTING", "READY", "RESTARTING"]


async def test_without_limits_nobody_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = {"recycle_after_tasks": None, "recycle_after_s": None}

    async with running_pool(tmp_path, monkeypatch, FINISH, *range(1, 21), **changes) as scripted:
        await scripted.pool.finish()

    assert WorkerStatus.RESTARTING.name not in scripted.path("worker")


async def test_the_heaviest_returns_and_what_that_gave_back_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = MemoryLimit(total_bytes=10**12, available_bytes=10**12, source="made up")
    script = {"1#1": {"tasks": ["eat:600", "finish"]}, "*": {"tasks": ["finish"]}}

    async with running_pool(
        tmp_path, monkeypatch, script, around={"read_limit": lambda: limit}, worker_count=2
    ) as scripted:
        capture = heard(scripted)
        await until(lambda: all(worker.status is WorkerStatus.READY for worker in scripted.pool.workers))
        await scripted.pool.memory_monitor.sample(is_exact=True)
        total_bytes = (scripted.pool.memory_monitor.peak_bytes + 200_000_000) / 0.75
        limit = MemoryLimit(total_bytes=int(total_bytes), available_bytes=10**9, source="made up")
        for number in range(1, 13):
            await scripted.submit(number)
        await until(lambda: capture.all(MemoryRelieved))
        await scripted.pool.finish()
        status = scripted.pool.get_status()

    (relieved,) = capture.all(MemoryRelieved)
    assert (relieved.worker.slot, relieved.worker.generation) == (1, 2)
    assert relieved.before_bytes - relieved.after_bytes > 100_000_000, "it was seen while it still ate, perhaps"
    assert [worker.worker.generation for worker in status.workers] == [2, 1]
    assert "PAUSED" in scripted.path("pool")
    assert set((await scripted.outcomes()).values()) == {"COMPLETED"}
    assert set((await scripted.attempt_counts()).values()) == {1}


async def test_a_pool_that_nothing_helps_ends_in_order_and_leaves_the_rest_queued(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("poolwright.supervisor.policy.recycling.COOLDOWN_S", 0.0)
    limit = MemoryLimit(total_bytes=10**6, available_bytes=10**6, source="made up")

    async with running_pool(
        tmp_path, monkeypatch, FINISH, *range(1, 9), around={"read_limit": lambda: limit}, worker_count=2
    ) as scripted:
        end = await scripted.pool.finish()

    assert end is not None
    assert end.cause is StopCause.MEMORY_SHORT
    assert "fewer workers or tabs" in end.detail
    assert "QUEUED" in (await scripted.outcomes()).values()
    assert len(heard(scripted).all(MemoryRelieved)) == 2


async def test_a_worker_that_does_not_come_back_for_memory_ends_the_pool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = MemoryLimit(total_bytes=10**6, available_bytes=10**6, source="made up")
    script = {"1#2": {"start": "exit"}, "*": {"tasks": ["finish"]}}

    async with running_pool(
        tmp_path, monkeypatch, script, *range(1, 9), around={"read_limit": lambda: limit}
    ) as scripted:
        end = await scripted.pool.finish()

    assert end is not None
    assert end.cause is StopCause.MEMORY_SHORT
    assert "did not start again" in end.detail
    assert "RESTARTING CRASHED" in " ".join(scripted.path("worker"))


async def test_a_worker_that_hangs_as_it_goes_is_ended_and_costs_no_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("poolwright.supervisor.processes.generation.EXIT_LIMIT_S", 0.2)
    script = {"1#1": {"tasks": ["finish"], "goodbye": "silent"}, "*": {"tasks": ["finish"]}}

    async with running_pool(tmp_path, monkeypatch, script, *range(1, 7), recycle_after_tasks=3) as scripted:
        await scripted.pool.finish()
        await until(lambda: scripted.pool.workers[0].ref.generation == 2)
        budget = scripted.pool._controller.state.slots[1].budget

    assert budget.spent == ()
    assert set((await scripted.outcomes()).values()) == {"COMPLETED"}


async def test_a_pool_that_is_left_while_a_worker_goes_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = {"*": {"tasks": ["linger"]}}

    async with running_pool(tmp_path, monkeypatch, script, 1, 2, recycle_after_s=0.01) as scripted:
        await until(
            lambda: any(
                notice.text.startswith("recycling after its current tasks: ") for notice in heard(scripted).all(Notice)
            )
        )

    assert scripted.path("worker")[-1] == "TERMINATED"
    assert set((await scripted.attempt_counts()).values()) <= {0, 1}


async def test_kills_by_the_system_are_named_when_a_worker_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kills = iter([3, 5])
    script = {"1#1": {"tasks": ["die"]}, "*": {"tasks": ["finish"]}}

    async with running_pool(
        tmp_path, monkeypatch, script, 1, around={"count_kills": lambda: next(kills, 5)}
    ) as scripted:
        await scripted.pool.finish()

    (returned,) = scripted.returned()
    assert returned.detail == (
        "its process was killed by signal 9; while it ran, the system killed 2 processes because memory ran out"
    )


async def test_memory_that_may_not_be_looked_into_is_estimated_and_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(process: psutil.Process) -> None:
        raise psutil.AccessDenied(process.pid)

    monkeypatch.setattr(psutil.Process, "memory_full_info", refuse)

    async with running_pool(tmp_path, monkeypatch, FINISH, 1) as scripted:
        await scripted.pool.finish()
        await until(lambda: scripted.pool.get_status().memory_limit_bytes)
        await scripted.pool.memory_monitor.sample(is_exact=True)
        status = scripted.pool.get_status()

    told = [notice.text for notice in heard(scripted).all(Notice) if "Memory" in notice.text]
    assert told == ["Memory is estimated: this user may not inspect all browser processes."]
    assert status.memory_bytes > 0
    assert status.workers[0].memory_peak_bytes >= status.workers[0].memory_bytes > 0
    assert status.memory_peak_bytes > status.memory_bytes, "the supervisor counts too"
