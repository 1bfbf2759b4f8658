"""Response models of the daemon's status, health and readiness."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from poolwright.domain.order_groups import GroupSetAside
from poolwright.domain.states import ended_count
from poolwright.service.api.models import ResponseModel
from poolwright.service.daemon.reports import DaemonStatus
from poolwright.supervisor.observation import WorkerSnapshot


class AssignedOrder(ResponseModel):
    """An order that is assigned to a worker."""

    task_id: str
    number: str


class WorkerOut(ResponseModel):
    """One worker."""

    slot: int
    generation: int
    status: str
    session_status: str
    orders: list[AssignedOrder]
    memory_bytes: int
    memory_peak_bytes: int
    processed_count: int

    @classmethod
    def from_snapshot(cls, worker: WorkerSnapshot) -> Self:
        """Build it from the pool's snapshot."""
        pairs = zip(worker.task_ids, worker.po_numbers, strict=True)
        return cls(
            slot=worker.worker.slot,
            generation=worker.worker.generation,
            status=worker.status.name,
            session_status=worker.session_status,
            orders=[AssignedOrder(task_id=task_id, number=number) for task_id, number in pairs],
            memory_bytes=worker.memory_bytes,
            memory_peak_bytes=worker.memory_peak_bytes,
            processed_count=worker.processed_count,
        )


class PoolOut(ResponseModel):
    """The pool."""

    status: str
    holds: list[str]
    #: Why fewer orders are open than there are tabs, as a sentence; empty if as many are open as usual.
    slow_down: str
    open_count: int


class GroupOut(ResponseModel):
    """A group of orders that is set aside."""

    name: str
    #: Why it was set aside.
    cause: str
    set_aside_at: datetime
    #: Its orders that were not processed.
    order_count: int
    #: The command that resumes it.
    resume_command: str

    @classmethod
    def from_group(cls, group: GroupSetAside) -> Self:
        """Build it from the journal's record."""
        return cls(
            name=group.name,
            cause=group.why,
            set_aside_at=group.set_aside_at,
            order_count=group.order_count,
            resume_command=group.resume_command,
        )


class MemoryOut(ResponseModel):
    """Memory of all workers and its limit; 0 until the first measurement."""

    used_bytes: int
    limit_bytes: int
    peak_bytes: int


class StatusOut(ResponseModel):
    """Status of daemon, pool and workers."""

    version: str
    started_at: datetime
    pool: PoolOut
    workers: list[WorkerOut]
    tabs_per_worker: int
    #: Orders of all lists by state.
    counts: dict[str, int]
    #: Those that have ended, cancelled ones included.
    ended_count: int
    #: Finished orders of all lists by outcome; an order in several lists counts once.
    outcomes: dict[str, int]
    #: Groups of orders that are set aside until a person resumes them.
    groups: list[GroupOut]
    memory: MemoryOut
    rate_per_min: float
    eta_s: float | None
    is_draining: bool
    is_ready: bool
    #: Why no orders are accepted or processed, one sentence each.
    reasons: list[str]

    @classmethod
    def from_status(cls, status: DaemonStatus, version: str) -> Self:
        """Build it from the daemon's status."""
        pool = status.pool
        return cls(
            version=version,
            started_at=status.started_at,
            pool=PoolOut(
                status=pool.status.name,
                holds=list(pool.holds),
                slow_down=pool.slow_down,
                open_count=pool.open_count,
            ),
            workers=[WorkerOut.from_snapshot(worker) for worker in pool.workers],
            tabs_per_worker=pool.tabs_per_worker,
            counts=status.counts,
            ended_count=ended_count(status.counts),
            outcomes=status.outcomes,
            groups=[GroupOut.from_group(group) for group in status.groups],
            memory=MemoryOut(
                used_bytes=pool.memory_bytes,
                limit_bytes=pool.memory_limit_bytes,
                peak_bytes=pool.memory_peak_bytes,
            ),
            rate_per_min=round(status.rate_per_s * 60, 1),
            eta_s=status.remaining_s,
            is_draining=status.is_draining,
            is_ready=not status.not_ready_reasons,
            reasons=list(status.not_ready_reasons),
        )


class Health(ResponseModel):
    """The process is running."""

    status: str = "ok"


class Readiness(ResponseModel):
    """Whether orders are accepted and processed, and why not."""

    is_ready: bool
    reasons: list[str]
