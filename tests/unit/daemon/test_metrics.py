"""Figures for Prometheus, counted from events."""

from __future__ import annotations

from datetime import UTC, datetime

from poolwright.domain.events import MemoryRelieved, Moved, TaskEnded, TaskReturned, TaskStarted
from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.domain.state_machine import Transition
from poolwright.domain.states import PoolStatus
from poolwright.domain.tasks import POTask, Report
from poolwright.service.daemon.metrics import Metrics
from poolwright.supervisor.observation import PoolSnapshot
from tests.support.metrics import figures

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


def test_events_are_counted() -> None:
    now_s = [0.0]
    metrics = Metrics(lambda: now_s[0])
    metrics(TaskStarted(task=TASK, worker=WORKER))
    metrics(TaskReturned(task_id=TASK.task_id, why=ReturnReason.RECYCLED, detail="", delay_s=0, worker=WORKER))
    report = Report(reason=Reason.NO_PERMISSION, duration_s=3.0)
    metrics(TaskEnded(task=TASK, report=report, folder="", worker=WORKER))
    metrics(moved("worker", "CRASHED", "RESTARTING"))
    metrics(moved("worker", "IDLE", "RESTARTING"))
    metrics(moved("session", "INITIALIZING", "AUTHENTICATED"))
    now_s[0] = 100.0
    metrics(moved("session", "ACTIVE", "ERROR"))
    metrics(moved("session", "ERROR", "RECOVERING"))
    metrics(moved("session", "RECOVERING", "AUTHENTICATED"))
    metrics(moved("session", "ACTIVE", "CLOSING"))
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

    found = figures(metrics.render(POOL, 42.0))

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
