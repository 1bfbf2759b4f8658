"""The pool as an engineer's library: submit, wait, call off, pause, look. Scripted workers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from poolwright.domain.errors import LoginRequiredError, OptionsError, PoolError, SetupError
from poolwright.domain.events import TaskStarted
from poolwright.domain.outcomes import Outcome, Reason
from poolwright.domain.states import PoolStatus
from tests.support.scripted_pool import ScriptedPool, running_pool
from tests.support.tasks import po_task

pytestmark = pytest.mark.timeout(60)
FINISH = {"*": {"tasks": ["finish"]}}
HANG = {"*": {"tasks": ["hang"]}}


async def until_in_hand(scripted: ScriptedPool) -> None:
    """Wait until a worker has a task."""
    with anyio.fail_after(20):
        await scripted.until(lambda: scripted.pool.workers[0].current_task is not None)


async def until_paused(scripted: ScriptedPool) -> None:
    """Wait until a pause is in force."""
    with anyio.fail_after(20):
        await scripted.until(lambda: scripted.pool.status is PoolStatus.PAUSED)


async def test_a_submitted_task_gives_its_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_pool(tmp_path, monkeypatch, FINISH) as scripted:
        first = await scripted.pool.submit_task(po_task(7))
        second = await scripted.pool.submit_task(po_task(8))
        reports = [await first, await second]
        status = scripted.pool.get_status()

    assert [report.outcome for report in reports if report] == [Outcome.COMPLETED, Outcome.COMPLETED]
    assert (first.is_done, status.open_count) == (True, 0)


async def test_reports_come_in_the_order_of_the_tasks_and_handles_as_they_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_pool(tmp_path, monkeypatch, FINISH) as scripted:
        with anyio.fail_after(30):
            reports = [report async for report in scripted.pool.map(po_task(number) for number in (3, 1, 2))]
            for number in (5, 4):
                await scripted.pool.submit_task(po_task(number))
            ended = {handle.task.portal_number async for handle in scripted.pool.as_completed()}

    assert [report and report.reason for report in reports] == [Reason.ALL_SAVED] * 3
    assert ended == {"5", "4"}


async def test_a_task_that_no_worker_has_can_be_called_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_pool(tmp_path, monkeypatch, HANG, shutdown_timeout_s=20.0) as scripted:
        taken = await scripted.pool.submit_task(po_task(1))
        await until_in_hand(scripted)
        waiting = await scripted.pool.submit_task(po_task(2))

        answers = (await waiting.cancel(), await taken.cancel(), await waiting.cancel())
        report = await waiting

    assert answers == (True, False, False)
    assert report is not None
    assert report.reason is Reason.BY_REQUEST
    assert (await scripted.outcomes())["2"] == "CANCELLED"


async def test_waiting_ends_with_the_pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_pool(tmp_path, monkeypatch, HANG, shutdown_timeout_s=20.0) as scripted:
        handle = await scripted.pool.submit_task(po_task(1))
        await until_in_hand(scripted)

    assert await handle is None
    assert await scripted.outcomes() == {"1": "QUEUED"}
    with pytest.raises(PoolError):
        await scripted.pool.submit_task(po_task(2))


async def test_a_paused_pool_starts_nothing_until_it_is_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_pool(tmp_path, monkeypatch, FINISH) as scripted:
        await (await scripted.pool.submit_task(po_task(1)))
        scripted.pool.pause()
        await until_paused(scripted)
        handle = await scripted.pool.submit_task(po_task(2))
        with anyio.move_on_after(0.5):
            await handle
        during = (scripted.pool.get_status(), handle.is_done)
        scripted.pool.resume()
        report = await handle

    assert during[0].holds == ("operator",)
    assert during[1] is False
    assert report is not None
    assert scripted.path("pool")[-5:] == ["READY", "PROCESSING", "READY", "SHUTTING_DOWN", "TERMINATED"]


@pytest.mark.parametrize("reason", ["portal_unreachable", "portal_busy", "disk_full"])
async def test_what_lies_outside_is_waited_for_and_costs_no_attempt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    monkeypatch.setattr("poolwright.supervisor.policy.pauses.FIRST_PAUSE_S", 0.1)
    script = {"*": {"tasks": [f"fail:{reason}"] * 4 + ["finish"]}}

    async with running_pool(tmp_path, monkeypatch, script, 1) as scripted:
        end = await scripted.pool.finish()

    assert end is None
    assert await scripted.outcomes() == {"1": "COMPLETED"}
    assert await scripted.attempt_counts() == {"1": 1}
    assert "PAUSED" in scripted.path("pool")


async def test_a_worker_that_fails_at_everything_is_started_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = {"1#1": {"tasks": ["fail:portal_error"]}, "*": {"tasks": ["finish"]}}

    async with running_pool(tmp_path, monkeypatch, script, *range(1, 9)) as scripted:
        await scripted.pool.finish()

    assert set((await scripted.outcomes()).values()) == {"COMPLETED"}
    assert scripted.pool.workers[0].ref.generation == 2
    assert max((await scripted.attempt_counts()).values()) <= 2


async def test_status_tells_who_has_what(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_pool(tmp_path, monkeypatch, HANG, 5, shutdown_timeout_s=20.0) as scripted:
        with anyio.fail_after(20):
            await scripted.until(lambda: scripted.pool.status is PoolStatus.PROCESSING)
        status = scripted.pool.get_status()

    assert status.status is PoolStatus.PROCESSING
    assert [worker.po_numbers for worker in status.workers] == [("PO5",)]
    assert status.open_count == 1


@pytest.mark.parametrize(("start", "error"), [("unable:login", LoginRequiredError), ("unable:processor", SetupError)])
async def test_who_waits_for_a_pool_that_cannot_go_on_is_told_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: str, error: type[PoolError]
) -> None:
    async with running_pool(tmp_path, monkeypatch, {"*": {"start": start}}) as scripted:
        handle = await scripted.pool.submit_task(po_task(1))
        with anyio.fail_after(20), pytest.raises(error, match="script says so"):
            await handle

    assert await scripted.outcomes() == {"1": "QUEUED"}


async def test_who_waits_for_a_task_that_goes_back_at_the_end_is_told_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("poolwright.supervisor.policy.state.FIRST_BACKOFF_S", 0.01)
    script = {"1#1": {"tasks": ["die"]}, "*": {"start": "unable:login"}}

    async with running_pool(tmp_path, monkeypatch, script, worker_count=2) as scripted:
        handle = await scripted.pool.submit_task(po_task(1))
        with anyio.fail_after(20), pytest.raises(LoginRequiredError):
            await handle
        with pytest.raises(LoginRequiredError):
            await scripted.pool.submit_task(po_task(2))

    assert await scripted.outcomes() == {"1": "QUEUED"}


async def test_without_any_worker_each_task_has_its_outcome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("poolwright.supervisor.policy.state.FIRST_BACKOFF_S", 0.01)

    async with running_pool(tmp_path, monkeypatch, {"*": {"start": "exit"}}) as scripted:
        handle = await scripted.pool.submit_task(po_task(1))
        with anyio.fail_after(20):
            report = await handle

    assert report is not None
    assert report.reason is Reason.NO_WORKERS


async def test_after_a_stop_nobody_waits_for_what_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_pool(tmp_path, monkeypatch, {"*": {"tasks": ["linger", "finish"]}}) as scripted:
        begun = await scripted.pool.submit_task(po_task(1))
        await until_in_hand(scripted)
        waiting = await scripted.pool.submit_task(po_task(2))
        scripted.pool.stop()
        with anyio.fail_after(20):
            unstarted = await waiting
        during = begun.is_done

    report = await begun
    assert (during, unstarted) == (False, None)
    assert report is not None
    assert await scripted.outcomes() == {"1": "COMPLETED", "2": "QUEUED"}


async def test_no_task_starts_after_a_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_pool(tmp_path, monkeypatch, FINISH, *range(1, 100)) as scripted:
        with anyio.fail_after(20):
            await scripted.until(scripted.ended)
        scripted.pool.stop()
        await scripted.pool.finish()
        begun_before = sum(isinstance(event, TaskStarted) for event in scripted.events)
        with anyio.move_on_after(1):
            await anyio.sleep_forever()

    assert sum(isinstance(event, TaskStarted) for event in scripted.events) - begun_before <= 1


async def test_what_is_known_is_not_done_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_pool(tmp_path, monkeypatch, FINISH, 1) as scripted:
        waiting = await scripted.pool.submit_task(po_task(1))
        again = await scripted.pool.submit_task(po_task(1))
        first = await waiting
        after = await scripted.pool.submit_task(po_task(1))
        await scripted.pool.finish()

        assert again is waiting
        assert (after.is_done, (await after)) == (True, first)
    assert await scripted.attempt_counts() == {"1": 1}


async def test_a_journal_that_cannot_take_a_task_leaves_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> int:
        raise PoolError

    async with running_pool(tmp_path, monkeypatch, FINISH) as scripted:
        with monkeypatch.context() as broken:
            broken.setattr(scripted.journal, "add", refuse)
            with pytest.raises(PoolError):
                await scripted.pool.submit_task(po_task(1))
        assert scripted.pool.get_status().open_count == 0
        report = await (await scripted.pool.submit_task(po_task(1)))

    assert report is not None


async def test_shutdown_finishes_what_is_in_hand_and_keeps_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_pool(tmp_path, monkeypatch, {"*": {"tasks": ["linger"]}}, 1, 2) as scripted:
        await until_in_hand(scripted)
        async with anyio.create_task_group() as both:
            both.start_soon(scripted.pool.shutdown)
            both.start_soon(scripted.pool.shutdown)
        outcomes = await scripted.outcomes()
        states = {worker.status.name for worker in scripted.pool.get_status().workers}

    assert outcomes == {"1": "COMPLETED", "2": "QUEUED"}
    assert states == {"TERMINATED"}


async def test_shutdown_waits_no_longer_than_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_pool(tmp_path, monkeypatch, HANG, 1) as scripted:
        await until_in_hand(scripted)
        with anyio.fail_after(20):
            await scripted.pool.shutdown(timeout=4)

    assert await scripted.outcomes() == {"1": "QUEUED"}
    assert await scripted.attempt_counts() == {"1": 0}


@pytest.mark.parametrize("limit_s", [0, -1, 60.1, float("nan")])
async def test_a_shutdown_of_no_time_or_over_a_minute_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit_s: float
) -> None:
    async with running_pool(tmp_path, monkeypatch, FINISH) as scripted:
        with pytest.raises(OptionsError):
            await scripted.pool.shutdown(limit_s)


async def test_what_is_called_off_makes_room_for_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_pool(tmp_path, monkeypatch, FINISH) as scripted:
        await (await scripted.pool.submit_task(po_task(1)))
        scripted.pool.pause()
        await until_paused(scripted)
        handles = [await scripted.pool.submit_task(po_task(number)) for number in range(2, 10)]
        with anyio.fail_after(20):
            await scripted.until(lambda: scripted.pool.task_queue.qsize() >= 2)
        answers = [await handle.cancel() for handle in handles[:2]]
        scripted.pool.resume()
        with anyio.fail_after(20):
            await scripted.pool.finish()

    assert answers
    assert all(answers)
    assert "QUEUED" not in (await scripted.outcomes()).values()


async def test_calling_off_is_not_cut_short_half_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_pool(tmp_path, monkeypatch, HANG, shutdown_timeout_s=20.0) as scripted:
        await scripted.pool.submit_task(po_task(1))
        await until_in_hand(scripted)
        waiting = await scripted.pool.submit_task(po_task(2))
        with anyio.fail_after(20):
            await scripted.until(lambda: not scripted.pool.task_queue.empty())
        with anyio.CancelScope() as impatient:
            impatient.cancel()
            await waiting.cancel()

    assert (await scripted.outcomes())["2"] == "CANCELLED"


async def test_a_large_payload_for_a_frozen_worker_holds_nothing_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("poolwright.supervisor.processes.generation.SILENCE_LIMIT_S", 1.0)
    monkeypatch.setattr("poolwright.ipc.process.CLOSE_LIMIT_S", 0.2)
    monkeypatch.setattr("poolwright.ipc.process.TERM_LIMIT_S", 0.2)
    script = {"1#1": {"tasks": ["mute"]}, "*": {"tasks": ["finish"]}}

    async with running_pool(tmp_path, monkeypatch, script, tabs_per_worker=2) as scripted:
        await scripted.pool.submit_task(po_task(1))
        await until_in_hand(scripted)
        await scripted.pool.submit_task(replace(po_task(2), payload="x" * 200_000))
        with anyio.fail_after(30):
            await scripted.pool.finish()

    assert await scripted.outcomes() == {"1": "COMPLETED", "2": "COMPLETED"}
