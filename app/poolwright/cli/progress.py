"""The progress of a run: a pure reducer from events to the state that every view displays.

``Progress`` is immutable; ``advance`` returns the next one. Times are monotonic seconds of the caller's clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import assert_never

from poolwright.domain.events import (
    Event,
    ListOpened,
    MemoryRelieved,
    Moved,
    Notice,
    TaskEnded,
    TaskReturned,
    TaskStarted,
    WorkerSeen,
)
from poolwright.domain.ids import TaskId, WorkerId, WorkerRef
from poolwright.domain.outcomes import Outcome
from poolwright.domain.state_machine import Transition
from poolwright.domain.states import POOL, WORKER

#: The rate is that of the last minute: long enough to be stable, short enough to follow the portal.
WINDOW_S = 60.0
#: Notices kept; a view shows the last few.
NOTICES_KEPT = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRow:
    """One slot of the pool as it is displayed."""

    worker_id: WorkerId
    #: Name of a ``WorkerStatus`` in lower case; empty until the first transition.
    state: str = ""
    #: Names of its current orders by task, in the order of their assignment.
    orders: Mapping[TaskId, str] = field(default_factory=lambda: MappingProxyType({}))
    #: Memory of its whole process tree; 0 until the first measurement.
    memory_bytes: int = 0
    #: Orders that it finished, in all its generations.
    done_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedNotice:
    """A notice with its time."""

    at_s: float
    notice: Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The progress of a run."""

    #: Orders of the list without an outcome at the start of the run.
    total_count: int
    tabs_per_worker: int
    begun_at_s: float
    rows: tuple[WorkerRow, ...]
    #: Name of a ``PoolStatus`` in lower case.
    pool: str = "initializing"
    outcomes: Mapping[Outcome, int] = field(default_factory=lambda: MappingProxyType({}))
    files_count: int = 0
    files_bytes: int = 0
    #: Times when orders ended, within the window.
    ended_at_s: tuple[float, ...] = ()
    notices: tuple[TimedNotice, ...] = ()

    @classmethod
    def start(cls, *, total_count: int, worker_count: int, tabs_per_worker: int, now_s: float) -> Progress:
        """Return the progress at the start of a run."""
        rows = tuple(WorkerRow(worker_id=WorkerRef(slot, 1).worker_id) for slot in range(1, worker_count + 1))
        return cls(total_count=total_count, tabs_per_worker=tabs_per_worker, begun_at_s=now_s, rows=rows)

    @property
    def done_count(self) -> int:
        """Count of orders with an outcome."""
        return sum(self.outcomes.values())

    @property
    def in_flight_count(self) -> int:
        """Count of orders that workers have now."""
        return sum(len(row.orders) for row in self.rows)

    def rate_per_s(self, now_s: float) -> float | None:
        """Return the orders per second of the last minute; ``None`` before the second one."""
        recent = self._recent(now_s)
        span_s = now_s - recent[0] if recent else 0.0
        return (len(recent) - 1) / span_s if len(recent) > 1 and span_s > 0 else None

    def remaining_s(self, now_s: float) -> float | None:
        """Return the remaining seconds at the current rate; ``None`` without a rate."""
        rate = self.rate_per_s(now_s)
        return None if rate is None else max(self.total_count - self.done_count, 0) / rate

    def order_name(self, task_id: TaskId) -> str:
        """Return the name of an order that a worker has; its task id if no worker has it."""
        return next((row.orders[task_id] for row in self.rows if task_id in row.orders), task_id)

    def row(self, worker_id: WorkerId) -> WorkerRow:
        """Return the row of a worker; a new row for an unknown worker."""
        return next((row for row in self.rows if row.worker_id == worker_id), WorkerRow(worker_id=worker_id))

    def _recent(self, now_s: float) -> tuple[float, ...]:
        return tuple(at_s for at_s in self.ended_at_s if now_s - at_s <= WINDOW_S)


def advance(progress: Progress, event: Event, now_s: float) -> Progress:
    """Return the progress after an event."""
    match event:
        case Moved(transition=transition):
            return _moved(progress, transition)
        case TaskStarted():
            return _started(_released(progress, event.task.task_id), event)
        case TaskReturned(task_id=task_id):
            return _released(progress, task_id)
        case TaskEnded():
            return _ended(_released(progress, event.task.task_id), event, now_s)
        case WorkerSeen(worker=worker, memory_bytes=memory_bytes):
            return _with_row(progress, replace(progress.row(worker.worker_id), memory_bytes=memory_bytes))
        case ListOpened() | Notice() | MemoryRelieved():
            return _noticed(progress, event, now_s)
        case _:
            assert_never(event)


def _noticed(progress: Progress, event: ListOpened | Notice | MemoryRelieved, now_s: float) -> Progress:
    if isinstance(event, ListOpened):
        return replace(progress, total_count=event.open_count)
    notice = event if isinstance(event, Notice) else event.notice
    notices = (*progress.notices, TimedNotice(at_s=now_s, notice=notice))
    return replace(progress, notices=notices[-NOTICES_KEPT:])


def _moved(progress: Progress, move: Transition) -> Progress:
    match move.machine:
        case POOL.name:
            return replace(progress, pool=move.target.lower())
        case WORKER.name:
            # The entity may include the generation: ``worker-2#1``.
            row = progress.row(WorkerId(move.entity.partition("#")[0]))
            return _with_row(progress, replace(row, state=move.target.lower()))
        case _:
            return progress


def _started(progress: Progress, event: TaskStarted) -> Progress:
    row = progress.row(event.worker.worker_id)
    orders = {**row.orders, event.task.task_id: event.task.po_number}
    return _with_row(progress, replace(row, orders=MappingProxyType(orders)))


def _ended(progress: Progress, event: TaskEnded, now_s: float) -> Progress:
    outcomes = Counter(progress.outcomes)
    outcomes[event.report.outcome] += 1
    counted = replace(
        progress,
        outcomes=MappingProxyType(outcomes),
        files_count=progress.files_count + len(event.report.files),
        files_bytes=progress.files_bytes + sum(file.size_bytes for file in event.report.files),
        ended_at_s=(*(at_s for at_s in progress.ended_at_s if now_s - at_s <= WINDOW_S), now_s),
    )
    if event.worker is None:
        return counted
    row = counted.row(event.worker.worker_id)
    return _with_row(counted, replace(row, done_count=row.done_count + 1))


def _released(progress: Progress, task_id: TaskId) -> Progress:
    """Return the progress in which no worker has this order."""
    return replace(progress, rows=tuple(_without(row, task_id) for row in progress.rows))


def _without(row: WorkerRow, task_id: TaskId) -> WorkerRow:
    if task_id not in row.orders:
        return row
    orders = {other: name for other, name in row.orders.items() if other != task_id}
    return replace(row, orders=MappingProxyType(orders))


def _with_row(progress: Progress, row: WorkerRow) -> Progress:
    others = (other for other in progress.rows if other.worker_id != row.worker_id)
    return replace(progress, rows=tuple(sorted((*others, row), key=lambda item: item.worker_id)))
