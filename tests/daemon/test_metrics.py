"""Figures for Prometheus."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.domain.events import MemoryRelieved, Moved, TaskEnded, TaskReturned, TaskStarted
from app.domain.failures import GivenBack, Reason
from app.domain.ids import TaskId, WorkerRef
from app.domain.machine import Transition
from app.domain.states import PoolStatus
from app.domain.task import POTask, Report
from app.service.metrics import Metrics
from app.supervisor.snapshot import PoolSnapshot
from tests.daemon.houses import order_list, running_daemon

TASK = POTask(task_id=TaskId("demo:1"), po_number="PO1", portal_number="1")
WORKER = WorkerRef(1, 1)
NOON = datetime(2026, 11, 27, tzinfo=UTC)
POOL = PoolSnapshot(
    status=PoolStatus.READY,
    workers=(),
    tabs_per_worker=2,
    open_count=7,
    holds=("operator",),
    memory_peak_bytes=0,
    memory_limit_bytes=5,
)


def moved(machine: str, origin: str, target: str) -> Moved:
    move = Transition(machine=machine, entity="worker-1", origin=origin, event="GO", target=target, at=NOON)
    return Moved(transition=move)


def figures(text: bytes) -> dict[str, float]:
    """Each sample by its name and labels."""
    families = text_string_to_metric_families(text.decode())
    samples = [sample for family in families for sample in family.samples]
    return {
        ",".join([one.name, *(f"{name}={value}" for name, value in sorted(one.labels.items()))]): one.value
        for one in samples
    }


def test_events_are_counted() -> None:
    now_s = [0.0]
    metrics = Metrics(lambda: now_s[0])
    metrics(TaskStarted(task=TASK, worker=WORKER))
    metrics(TaskReturned(task_id=TASK.task_id, why=GivenBack.RECYCLED, detail="", delay_s=0, worker=WORKER))
    report = Report(reason=Reason.NO_PERMISSION, duration_s=3.0)
    metrics(TaskEnded(task=TASK, report=report, folder="", worker=WORKER))
    metrics(moved("worker", "CRASHED", "RESTARTING"))
    metrics(moved("worker", "IDLE", "RESTARTING"))
    metrics(moved("session", "INITIALIZING", "AUTHENTICATED"))
    now_s[0] = 100.0
    metrics(moved("session", "ACTIVE", "ERROR"))
    metrics(
        MemoryRelieved(
            worker=WORKER,
            before_bytes=2,
            after_bytes=1,
            total_before_bytes=2,
            total_after_bytes=1,
            limit_bytes=1,
            has_helped=True,
        )
    )

    found = figures(metrics.text(POOL, 42.0))

    assert found["poolwright_attempts_total"] == 1
    assert found["poolwright_returns_total,cause=recycled"] == 1
    assert found["poolwright_orders_total,outcome=FORBIDDEN,reason=no_permission"] == 1
    assert (found["poolwright_order_seconds_sum"], found["poolwright_order_seconds_count"]) == (3.0, 1)
    assert [found[f"poolwright_worker_restarts_total,cause={cause}"] for cause in ("lost", "planned", "memory")] == [
        1,
        1,
        1,
    ]
    assert (found["poolwright_session_life_seconds_sum"], found["poolwright_session_life_seconds_count"]) == (100.0, 1)
    assert (found["poolwright_open_orders"], found["poolwright_is_held"]) == (7, 1)
    assert (found["poolwright_queue_age_seconds"], found["poolwright_memory_limit_bytes"]) == (42.0, 5)


@pytest.mark.process
@pytest.mark.timeout(90)
async def test_a_scraper_gets_them_with_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_daemon(tmp_path, monkeypatch) as running:
        await running.daemon.submit(order_list(1, 2))
        await running.done(2)
        answer = await running.client.get("/metrics")
        refused = await running.client.get("/metrics", headers={"Authorization": "Bearer no"})

    found = figures(answer.content)
    assert answer.headers["content-type"].startswith("text/plain")
    assert found["poolwright_orders_total,outcome=COMPLETED,reason=all_saved"] == 2
    assert found["poolwright_queue_age_seconds"] == 0
    assert any(name.startswith("poolwright_memory_bytes,worker=worker-1") for name in found)
    assert refused.status_code == 401
