"""The daemon itself: lists in, orders done once, whatever comes between."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from poolwright.domain.events import Notice, TaskEnded
from poolwright.domain.ids import BatchId, TaskId
from poolwright.domain.outcomes import Reason
from poolwright.domain.states import PoolStatus, TaskStatus, WorkerStatus
from poolwright.files.disk import remove_tree
from poolwright.journal.queries import OrderQuery
from poolwright.service.batch import ListOptions, RedoPolicy
from poolwright.service.daemon.errors import ConflictError, DrainingError, NotFoundError
from tests.process.daemon.tmp_daemons import order_list, running_daemon, task_id

pytestmark = pytest.mark.timeout(90)
EVERYTHING = OrderQuery()


async def test_orders_of_several_lists_are_done_once_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_daemon(tmp_path, monkeypatch, worker_count=2) as running:
        first = await running.daemon.submit(order_list(1, 2, 3))
        second = await running.daemon.submit(order_list(3, 4))
        await running.done(4)
        again = await running.daemon.submit(order_list(1, 2, 3))
        views = await running.daemon.lists()
        left_count = running.daemon.pool.get_status().open_count
        running.daemon.pool.submissions.unfinished.add()  # as if the pool had counted at another moment
        status = await running.daemon.status()
        running.daemon.pool.submissions.unfinished.drop()

    assert (status.pool.open_count, status.counts["DONE"]) == (0, 4), "open and ended orders are of the same moment"
    assert (first.new_count, second.new_count) == (3, 1)
    assert (again.new_count, again.done_count) == (0, 3)
    assert left_count == 0
    assert sorted(view.counts["DONE"] for view in views) == [2, 3]
    ended = [event.task.task_id for event in running.events if isinstance(event, TaskEnded)]
    assert sorted(ended) == [task_id(index) for index in range(1, 5)]


async def test_what_is_done_is_done_again_on_demand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_daemon(tmp_path, monkeypatch) as running:
        await running.daemon.submit(order_list(1, 2))
        await running.done(2)
        await running.daemon.submit(order_list(1, 2), ListOptions(redo=RedoPolicy.ALL))
        await running.until(lambda: sum(isinstance(event, TaskEnded) for event in running.events) == 4)

        assert running.daemon.pool.get_status().open_count == 0


async def test_failures_are_told_by_reason_and_retried_by_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = {"*": {"tasks": ["fail:no_permission", "fail:no_permission", "fail:asks_for_login", "finish"]}}
    async with running_daemon(tmp_path, monkeypatch, script) as running:
        await running.daemon.submit(order_list(1, 2, 3))
        await running.done(3)
        found = await running.daemon.failures()
        count = await running.daemon.retry(OrderQuery(reason=found[0].reason))
        await running.done(3)
        after = await running.daemon.failures()

    assert [(one.reason.value, one.count) for one in found] == [("no_permission", 2), ("asks_for_login", 1)]
    assert {record.task.task_id for record in found[0].orders} == {task_id(1), task_id(2)}
    assert count == 2
    assert [(one.reason.value, one.count) for one in after] == [("asks_for_login", 1)]


async def test_what_waits_is_called_off_and_can_be_taken_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = order_list(1, 2, 3, 4, 5, 6)
    async with running_daemon(tmp_path, monkeypatch) as running:
        running.daemon.pause()
        await running.until(lambda: running.daemon.pool.status is PoolStatus.PAUSED)
        await running.daemon.submit(orders)
        count = await running.daemon.cancel(OrderQuery(list_id=orders.batch_id))
        counts = (await running.daemon.status()).counts
        running.daemon.resume()
        again = await running.daemon.retry(OrderQuery(list_id=orders.batch_id))
        await running.done(6)

    assert (count, again) == (6, 6)
    assert counts["CANCELLED"] == 6


async def test_a_drained_daemon_takes_nothing_and_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_daemon(tmp_path, monkeypatch) as running:
        running.daemon.drain()
        with pytest.raises(DrainingError, match="draining"):
            await running.daemon.submit(order_list(1))
        with pytest.raises(DrainingError, match="draining"):
            await running.daemon.retry(EVERYTHING)
        standing = await running.daemon.status()

    assert standing.not_ready_reasons[0] == "The daemon is draining."


async def test_what_a_daemon_left_is_done_by_the_next_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_daemon(tmp_path, monkeypatch) as running:
        running.daemon.pause()
        await running.until(lambda: running.daemon.pool.status is PoolStatus.PAUSED)
        await running.daemon.submit(order_list(*range(1, 31)))
    async with running_daemon(tmp_path, monkeypatch) as running:
        await running.done(30)

    assert any("resuming 30 unfinished order(s)" in event.text for event in running.events if isinstance(event, Notice))


async def test_a_worker_is_started_anew_on_demand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_daemon(tmp_path, monkeypatch) as running:
        worker = running.daemon.pool.workers[0]
        with pytest.raises(ConflictError, match="STARTING"):
            running.daemon.restart_worker(1)
        await running.until(lambda: worker.status is WorkerStatus.READY)
        running.daemon.restart_worker(1)
        await running.until(lambda: worker.ref.generation == 2 and worker.status is WorkerStatus.READY)
        with pytest.raises(NotFoundError, match="1 to 1"):
            running.daemon.restart_worker(2)


async def test_a_pool_without_workers_leaves_a_daemon_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("poolwright.supervisor.policy.state.FIRST_BACKOFF_S", 0.01)
    async with running_daemon(tmp_path, monkeypatch, {"*": {"start": "exit"}}) as running:
        await running.until(lambda: running.daemon.pool.end)
        standing = await running.daemon.status()
        with pytest.raises(DrainingError, match="has ended"):
            await running.daemon.submit(order_list(1))

    assert any("The pool has ended (no_workers)" in reason for reason in standing.not_ready_reasons)


async def test_an_unknown_list_has_no_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_daemon(tmp_path, monkeypatch) as running:
        for unknown in ("nope", "daemon"):
            with pytest.raises(NotFoundError, match="no list"):
                await running.daemon.report(BatchId(unknown))


async def test_ten_thousand_orders_are_taken_in_a_few_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_daemon(tmp_path, monkeypatch) as running:
        running.daemon.pause()
        await running.until(lambda: running.daemon.pool.status is PoolStatus.PAUSED)
        with anyio.fail_after(60):
            await running.daemon.submit(order_list(*range(1, 10_001)))
        assert running.daemon.pool.get_status().open_count == 10_000
        page = await running.daemon.orders(OrderQuery(status=TaskStatus.QUEUED, limit=500, text="PO1500"))
        assert len(page) == 500


async def test_orders_wait_for_the_next_start_when_no_worker_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("poolwright.supervisor.policy.state.FIRST_BACKOFF_S", 0.01)
    orders = order_list(*range(1, 6))
    async with running_daemon(tmp_path, monkeypatch, {"*": {"tasks": ["die"]}}) as running:
        running.daemon.pause()
        await running.daemon.submit(orders)
        running.daemon.resume()
        await running.until(lambda: running.daemon.pool.end)
        ready = await running.client.get("/readyz")
        called_off = await running.daemon.cancel(EVERYTHING, [TaskId(task_id(5)), TaskId(task_id(99))])
        counts = (await running.daemon.status()).counts
    async with running_daemon(tmp_path, monkeypatch) as running:
        await running.done(4)
        failures = await running.daemon.failures()

    assert ready.status_code == 503
    assert called_off == 1
    assert counts["CANCELLED"] == 1
    assert sum(counts.values()) == 5, "orders in the hands of the last worker that died are open too"
    assert {failure.reason for failure in failures} <= {Reason.KILLS_WORKERS}, "what workers died on, and nothing else"


async def test_a_damaged_profile_leaves_a_daemon_that_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_daemon(tmp_path, monkeypatch, {"*": {"start": "unable:profile"}}) as running:
        await running.until(lambda: running.daemon.pool.end)
        ready, alive = await running.client.get("/readyz"), await running.client.get("/healthz")
        status = await running.get("/api/v1/status")
        with pytest.raises(DrainingError, match="has ended"):
            await running.daemon.submit(order_list(1))
        await running.daemon.close()
        remove_tree(tmp_path / "runs")

    assert (ready.status_code, alive.status_code) == (503, 200)
    assert status["is_ready"] is False
    assert "profile_damaged" in ready.json()["reasons"][0]


async def test_ten_thousand_orders_are_called_off_in_a_few_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = order_list(*range(1, 10_001))
    async with running_daemon(tmp_path, monkeypatch, {"*": {"tasks": ["linger"]}}) as running:
        await running.daemon.submit(orders)
        await running.until(lambda: running.daemon.pool.workers[0].snapshot().task_ids)
        in_hand = running.daemon.pool.workers[0].snapshot().task_ids
        with anyio.fail_after(60):
            count = await running.daemon.cancel(OrderQuery(list_id=orders.batch_id))
        left_count = running.daemon.pool.get_status().open_count
        with anyio.fail_after(60):
            again = await running.daemon.retry(OrderQuery(list_id=orders.batch_id))
        open_count = running.daemon.pool.get_status().open_count

    assert len(in_hand) == 1
    assert (count, left_count) == (9_999, 1), "all but the one that a worker has"
    assert (again, open_count) == (9_999, 10_000)


async def test_a_list_is_retried_without_what_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    orders = order_list(1, 2)
    async with running_daemon(tmp_path, monkeypatch, {"*": {"tasks": ["fail:no_permission", "finish"]}}) as running:
        await running.daemon.submit(orders)
        await running.done(2)
        of_list = await running.daemon.retry(OrderQuery(list_id=orders.batch_id))
        await running.until(lambda: sum(isinstance(event, TaskEnded) for event in running.events) == 3)
        by_name = await running.daemon.retry(EVERYTHING, [TaskId(task_id(1))])
        unknown = await running.daemon.retry(EVERYTHING, [TaskId("demo:no"), TaskId("other:1")])
        await running.until(lambda: sum(isinstance(event, TaskEnded) for event in running.events) == 4)

    assert (of_list, by_name, unknown) == (1, 1, 0)
