"""The pool on scripted workers: real processes and pipes, rare deaths on demand."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from poolwright.domain.errors import ProfileError, SetupError
from poolwright.domain.events import Moved, Notice
from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.domain.states import PoolStatus, WorkerStatus
from poolwright.ipc.process import SpawnSpec, WorkerProcess, spawn
from poolwright.profile.errors import ProfileInUseError
from poolwright.profile.profile import prepare_for_launch
from poolwright.supervisor.policy.commands import StopCause
from poolwright.supervisor.processes import connection
from tests.support.scripted_pool import ScriptedPool, running_pool
from tests.support.tasks import BATCH, po_task

pytestmark = pytest.mark.timeout(60)
FINISH = {"*": {"tasks": ["finish"]}}


def notices(scripted: ScriptedPool) -> list[str]:
    return [event.text for event in scripted.events if isinstance(event, Notice)]


async def test_every_order_ends_once_and_lies_in_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = range(1, 13)

    async with running_pool(tmp_path, monkeypatch, FINISH, *numbers, worker_count=2, tabs_per_worker=2) as scripted:
        end = await scripted.pool.finish()

    assert end is None
    assert set((await scripted.outcomes()).values()) == {"COMPLETED"}
    assert sorted(event.task.portal_number for event in scripted.ended()) == sorted(str(one) for one in numbers)
    assert sorted(path.name for path in (tmp_path / "out" / "Acme").iterdir()) == sorted(f"PO{one}" for one in numbers)


async def test_machines_go_the_way_of_the_mission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_pool(tmp_path, monkeypatch, FINISH, 1) as scripted:
        await scripted.pool.finish()
        status_while_open = scripted.pool.status

    assert status_while_open in {PoolStatus.PROCESSING, PoolStatus.READY}
    assert scripted.path("pool") == ["INITIALIZING", "READY", "PROCESSING", "READY", "SHUTTING_DOWN", "TERMINATED"]
    assert scripted.path("worker") == ["STARTING", "READY", "PROCESSING", "IDLE", "TERMINATING", "TERMINATED"]
    assert scripted.path("profile") == ["CLONING", "READY", "IN_USE", "READY", "CLEANUP", "REMOVED"]
    assert scripted.pool.shutdown_event.is_set()


async def test_a_failure_that_can_pass_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = {"*": {"tasks": ["fail:portal_error", "finish"]}}

    async with running_pool(tmp_path, monkeypatch, script, 1) as scripted:
        await scripted.pool.finish()
        processed_count = scripted.pool.workers[0].processed_count

    assert processed_count == 1, "an order, not an attempt"
    assert await scripted.outcomes() == {"1": "COMPLETED"}
    assert await scripted.attempt_counts() == {"1": 2}
    assert [event.why for event in scripted.returned()] == [Reason.PORTAL_ERROR]


async def test_attempts_have_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = {"*": {"tasks": ["fail:portal_error"]}}

    async with running_pool(tmp_path, monkeypatch, script, 1, max_attempts=2) as scripted:
        await scripted.pool.finish()

    assert await scripted.outcomes() == {"1": "FAILED"}
    assert await scripted.attempt_counts() == {"1": 2}


async def test_a_lost_login_costs_no_attempt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = {"*": {"tasks": ["return", "return", "return", "finish"]}}

    async with running_pool(tmp_path, monkeypatch, script, 1) as scripted:
        await scripted.pool.finish()

    assert await scripted.outcomes() == {"1": "COMPLETED"}
    assert await scripted.attempt_counts() == {"1": 1}
    assert {event.why for event in scripted.returned()} == {ReturnReason.SESSION_LOST}


async def test_a_dead_worker_comes_back_with_its_profile_and_its_orders_are_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = {"1#1": {"tasks": ["die"]}, "*": {"tasks": ["finish"]}}

    async with running_pool(tmp_path, monkeypatch, script, 1, 2) as scripted:
        await scripted.pool.finish()
        processed_count = scripted.pool.workers[0].processed_count

    assert processed_count == 2, "by all its generations"
    assert set((await scripted.outcomes()).values()) == {"COMPLETED"}
    assert await scripted.attempt_counts() == {"1": 2, "2": 1}
    assert scripted.path("worker")[:6] == ["STARTING", "READY", "PROCESSING", "CRASHED", "RESTARTING", "READY"]
    assert scripted.path("profile")[:4] == ["CLONING", "READY", "IN_USE", "READY"]
    assert scripted.path("profile").count("CLONING") == 1, "a restart keeps its profile"


@pytest.mark.parametrize("head_start_s", [0.0, 5.0])
async def test_a_worker_begins_again_when_its_pause_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head_start_s: float
) -> None:
    monkeypatch.setattr("poolwright.supervisor.policy.state.FIRST_BACKOFF_S", 1.5)
    monkeypatch.setattr("poolwright.supervisor.processes.worker.SPAWN_AHEAD_S", head_start_s)
    script = {"1#1": {"tasks": ["die"]}, "*": {"tasks": ["finish"]}}

    async with running_pool(tmp_path, monkeypatch, script, 1) as scripted:
        await scripted.pool.finish()

    moves = [event.transition for event in scripted.events if isinstance(event, Moved)]
    crashed, *_ = [move.at for move in moves if move.target == "CRASHED"]
    *_, ready = [move.at for move in moves if (move.machine, move.target) == ("worker", "READY")]
    assert 1.5 <= (ready - crashed).total_seconds() < 10


async def test_a_process_that_cannot_be_started_is_a_loss_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("poolwright.supervisor.policy.state.FIRST_BACKOFF_S", 0.01)
    refusals = iter([OSError(errno.EAGAIN, "no process left"), OSError(errno.ENOMEM, "no memory left")])

    async def spawn_later(order: SpawnSpec) -> WorkerProcess:
        for refusal in refusals:
            raise refusal
        return await spawn(order)

    monkeypatch.setattr("poolwright.supervisor.processes.generation.spawn", spawn_later)

    async with running_pool(tmp_path, monkeypatch, FINISH, 1) as scripted:
        await scripted.pool.finish()

    assert await scripted.outcomes() == {"1": "COMPLETED"}


async def test_a_clone_that_cannot_be_made_ready_is_a_loss_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("poolwright.supervisor.policy.state.FIRST_BACKOFF_S", 0.01)
    refusals = iter([SetupError("no room"), ProfileInUseError("it still runs")])

    def prepare_later(clone: Path) -> None:
        for refusal in refusals:
            raise refusal
        prepare_for_launch(clone)

    monkeypatch.setattr("poolwright.profile.profile.prepare_for_launch", prepare_later)

    async with running_pool(tmp_path, monkeypatch, FINISH, 1) as scripted:
        await scripted.pool.finish()

    assert await scripted.outcomes() == {"1": "COMPLETED"}


@pytest.mark.parametrize(("last", "outcome"), [("die", "QUARANTINED"), ("finish", "COMPLETED")])
async def test_an_order_that_killed_two_workers_has_its_last_try_alone_in_a_fresh_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: str, outcome: str
) -> None:
    monkeypatch.setattr("poolwright.supervisor.policy.state.FIRST_BACKOFF_S", 0.01)
    die = {"tasks": ["die"]}
    script = {"1#1": die, "1#2": die, "1#3": {"tasks": [last, "finish"]}, "*": {"tasks": ["finish"]}}

    async with running_pool(tmp_path, monkeypatch, script, 1, 2, tabs_per_worker=2) as scripted:
        await scripted.pool.finish()

    assert (await scripted.outcomes())["1"] == outcome


async def test_only_the_order_that_kills_is_quarantined_whoever_was_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("poolwright.supervisor.policy.state.FIRST_BACKOFF_S", 0.01)
    kill = {"tasks": ["hang", "hang", "die"]}
    die = {"tasks": ["die"]}
    script = {"1#1": kill, "1#2": die, "1#3": die, "*": {"tasks": ["finish"]}}

    async with running_pool(tmp_path, monkeypatch, script, 1, 2, 3, 4, tabs_per_worker=3) as scripted:
        await scripted.pool.finish()

    outcomes = await scripted.outcomes()
    assert sorted(outcomes.values()) == ["COMPLETED", "COMPLETED", "COMPLETED", "QUARANTINED"]


async def test_an_order_that_its_worker_cannot_stop_has_had_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("poolwright.supervisor.processes.generation.GRACE_S", 0.5)
    monkeypatch.setattr("poolwright.supervisor.policy.state.FIRST_BACKOFF_S", 0.01)
    monkeypatch.setattr("poolwright.ipc.process.CLOSE_LIMIT_S", 0.2)
    script = {"1#1": {"tasks": ["hang"]}, "*": {"tasks": ["finish"]}}

    async with running_pool(tmp_path, monkeypatch, script) as scripted:
        handle = await scripted.pool.submit_task(replace(po_task(1), timeout_s=0.5))
        with anyio.fail_after(30):
            report = await handle

    assert report is not None
    assert report.reason is Reason.ALL_SAVED
    assert [event.why for event in scripted.returned()] == [Reason.TASK_TIMEOUT]
    assert await scripted.attempt_counts() == {"1": 2}
    (record,) = await scripted.journal.records(BATCH)
    assert record.task.death_count == 0


async def test_a_slot_whose_restarts_are_spent_leaves_its_orders_to_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead: dict[str, Any] = {f"1#{generation}": {"start": "exit"} for generation in range(1, 6)}
    monkeypatch.setattr("poolwright.supervisor.policy.state.FIRST_BACKOFF_S", 0.01)

    async with running_pool(tmp_path, monkeypatch, {**dead, **FINISH}, *range(1, 7), worker_count=2) as scripted:
        await scripted.pool.finish()
        with anyio.fail_after(20):
            suspended = "suspended for 10 minutes before the next restart"
            await scripted.until(lambda: any(suspended in text for text in notices(scripted)))
        assert scripted.pool.can_work

    assert set((await scripted.outcomes()).values()) == {"COMPLETED"}
    assert scripted.path("worker", "worker-1")[-3:] == ["RESTARTING", "TERMINATING", "TERMINATED"]


async def test_a_slot_that_rested_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dead: dict[str, Any] = {f"1#{generation}": {"start": "exit"} for generation in range(1, 5)}
    monkeypatch.setattr("poolwright.supervisor.policy.state.FIRST_BACKOFF_S", 0.01)
    monkeypatch.setattr("poolwright.supervisor.policy.worker_exit.SUSPENSION_S", 0.1)

    async with running_pool(tmp_path, monkeypatch, {**dead, **FINISH}, 1, worker_count=2) as scripted:
        with anyio.fail_after(30):
            await scripted.until(lambda: scripted.pool.workers[0].status is WorkerStatus.READY)

    assert scripted.path("worker", "worker-1").count("CRASHED") == 4


async def test_without_any_worker_the_rest_ends_and_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("poolwright.supervisor.policy.state.FIRST_BACKOFF_S", 0.01)

    async with running_pool(tmp_path, monkeypatch, {"*": {"start": "exit"}}, *range(1, 9)) as scripted:
        end = await scripted.pool.finish()

    assert end is not None
    assert end.cause is StopCause.NO_WORKERS
    assert set((await scripted.outcomes()).values()) == {"FAILED"}
    assert {event.report.reason for event in scripted.ended()} == {Reason.NO_WORKERS}


async def test_without_any_worker_what_waits_for_another_try_ends_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("poolwright.supervisor.policy.state.FIRST_BACKOFF_S", 0.01)
    monkeypatch.setattr("poolwright.supervisor.policy.retries.FIRST_RETRY_S", 3600.0)
    script = {"1#1": {"tasks": ["fail:page_too_slow", "die"]}, "*": {"start": "exit"}}

    async with running_pool(tmp_path, monkeypatch, script, 1, 2) as scripted:
        await scripted.pool.finish()

    assert await scripted.outcomes() == {"1": "FAILED", "2": "FAILED"}
    assert {event.report.reason for event in scripted.ended()} == {Reason.NO_WORKERS}


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        ("login", StopCause.LOGIN_REQUIRED),
        ("browser", StopCause.SETUP_FAILED),
        ("portal", StopCause.SETUP_FAILED),
    ],
)
async def test_a_worker_that_cannot_work_stops_the_pool_and_leaves_the_queue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, cause: StopCause
) -> None:
    monkeypatch.setattr("poolwright.supervisor.policy.state.FIRST_BACKOFF_S", 0.01)

    async with running_pool(tmp_path, monkeypatch, {"*": {"start": f"unable:{kind}"}}, 1, 2) as scripted:
        end = await scripted.pool.finish()

    assert end is not None
    assert (end.cause, end.detail) == (cause, "The script says so.")
    assert set((await scripted.outcomes()).values()) == {"QUEUED"}
    assert set((await scripted.attempt_counts()).values()) == {0}


async def test_a_browser_that_is_killed_while_it_comes_up_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("poolwright.supervisor.policy.state.FIRST_BACKOFF_S", 0.01)
    script = {"1#1": {"start": "unable:browser"}, "*": {"tasks": ["finish"]}}

    async with running_pool(tmp_path, monkeypatch, script, 1) as scripted:
        end = await scripted.pool.finish()

    assert end is None
    assert await scripted.outcomes() == {"1": "COMPLETED"}


@pytest.mark.parametrize("kind", ["browser", "portal"])
async def test_starts_during_which_the_machine_slept_spend_no_restart_however_many_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    slept = {f"1#{number}": {"start": f"unable:{kind}+60"} for number in range(1, 6)}

    async with running_pool(tmp_path, monkeypatch, {**slept, "*": {"tasks": ["finish"]}}, 1) as scripted:
        end = await scripted.pool.finish()

    assert end is None
    assert await scripted.outcomes() == {"1": "COMPLETED"}
    assert await scripted.attempt_counts() == {"1": 1}


@pytest.mark.parametrize("step", ["mute", "garbage"])
async def test_a_worker_that_hangs_or_babbles_is_ended_and_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    monkeypatch.setattr("poolwright.supervisor.processes.generation.SILENCE_LIMIT_S", 1.0)
    monkeypatch.setattr("poolwright.ipc.process.CLOSE_LIMIT_S", 0.2)
    monkeypatch.setattr("poolwright.ipc.process.TERM_LIMIT_S", 0.2)
    script = {"1#1": {"tasks": [step]}, "*": {"tasks": ["finish"]}}

    async with running_pool(tmp_path, monkeypatch, script, 1) as scripted:
        await scripted.pool.finish()

    assert await scripted.outcomes() == {"1": "COMPLETED"}


async def test_a_worker_that_never_speaks_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HELLO_LIMIT_S", 0.3)
    monkeypatch.setattr("poolwright.ipc.process.CLOSE_LIMIT_S", 0.2)
    monkeypatch.setattr("poolwright.ipc.process.TERM_LIMIT_S", 0.2)
    monkeypatch.setattr("poolwright.supervisor.policy.state.FIRST_BACKOFF_S", 0.01)

    async with running_pool(tmp_path, monkeypatch, {"*": {"start": "silent"}}, 1) as scripted:
        end = await scripted.pool.finish()

    assert end is not None
    assert "sent nothing for 0.3 s" in end.detail


async def test_a_stop_lets_orders_in_flight_finish_and_keeps_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = {"*": {"tasks": ["finish", "linger"]}}
    async with running_pool(tmp_path, monkeypatch, script, *range(1, 21)) as scripted:
        with anyio.fail_after(20):
            await scripted.until(lambda: scripted.ended() and scripted.pool.workers[0].current_task is not None)
        scripted.pool.stop()
        end = await scripted.pool.finish()

    outcomes = list((await scripted.outcomes()).values())
    assert end is not None
    assert end.cause is StopCause.ASKED
    assert (outcomes.count("COMPLETED"), outcomes.count("QUEUED")) == (2, 18)


async def test_orders_in_flight_at_the_deadline_go_back_unspent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_pool(
        tmp_path, monkeypatch, {"*": {"tasks": ["hang"]}}, 1, 2, shutdown_timeout_s=20.0
    ) as scripted:
        with anyio.fail_after(20):
            await scripted.until(lambda: scripted.pool.workers[0].current_task is not None)
        scripted.pool.stop()

    assert set((await scripted.outcomes()).values()) == {"QUEUED"}
    assert set((await scripted.attempt_counts()).values()) == {0}


async def test_hurry_does_not_wait_for_the_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_pool(tmp_path, monkeypatch, {"*": {"tasks": ["hang"]}}, 1) as scripted:
        with anyio.fail_after(20):
            await scripted.until(lambda: scripted.pool.workers[0].current_task is not None)
        scripted.pool.shutdown_now()
        begun = anyio.current_time()

    assert anyio.current_time() - begun < 30, "the deadline would be 45 s"


async def test_a_pool_that_is_cancelled_leaves_nothing_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = running_pool(tmp_path, monkeypatch, {"*": {"tasks": ["hang"]}}, 1, 2, shutdown_timeout_s=20.0)
    theatres: list[ScriptedPool] = []
    with anyio.CancelScope() as scope:
        async with pool as scripted:
            theatres.append(scripted)
            with anyio.fail_after(20):
                await scripted.until(lambda: scripted.pool.workers[0].current_task is not None)
            scope.cancel()
            await anyio.lowlevel.checkpoint()

    assert scope.cancelled_caught
    theatres[0].assert_nothing_is_left()
    assert set((await theatres[0].outcomes()).values()) == {"QUEUED"}


async def test_a_damaged_base_starts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def spoil(path: Path) -> Path:
        (path / "Default").mkdir(parents=True)
        (path / "Default" / "Preferences").write_text("{ no JSON")
        return path

    monkeypatch.setattr("tests.support.scripted_pool.make_base", spoil)

    with pytest.raises(ProfileError):
        async with running_pool(tmp_path, monkeypatch, FINISH, 1):
            pytest.fail("it was entered")

    assert list((tmp_path / "runs").glob("*")) == []
