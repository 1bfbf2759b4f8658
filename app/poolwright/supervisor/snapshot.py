"""A pool as it is at one moment, for those who ask instead of listening."""

from __future__ import annotations

from dataclasses import dataclass

from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.states import PoolStatus, WorkerStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSnapshot:
    """One slot of the pool."""

    worker: WorkerRef
    status: WorkerStatus
    #: Numbers of the orders it has in hand.
    po_numbers: tuple[str, ...]
    #: The same by task id.
    task_ids: tuple[TaskId, ...]
    #: Name of a ``SessionStatus``; empty before the browser is open.
    session_status: str
    #: What its processes use, and the most that they ever used.
    memory_bytes: int
    memory_peak_bytes: int
    #: Orders that have their outcome by the work of the slot.
    processed_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSnapshot:
    """The pool with all its slots."""

    status: PoolStatus
    workers: tuple[WorkerSnapshot, ...]
    tabs_per_worker: int
    #: Tasks that have no outcome yet, those in hand included.
    open_count: int
    #: Why no further task starts now; empty when they do.
    holds: tuple[str, ...]
    #: The most that all workers and the supervisor used together.
    memory_peak_bytes: int
    #: What they may use; 0 as long as nobody looked.
    memory_limit_bytes: int

    @property
    def memory_bytes(self) -> int:
        """Memory of all workers."""
        return sum(worker.memory_bytes for worker in self.workers)
