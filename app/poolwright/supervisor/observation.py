"""Observation of a running pool: its events as they happen, and snapshots on request."""

from __future__ import annotations

from dataclasses import dataclass

from poolwright.concurrency import periodic
from poolwright.domain.events import Event, Level, Moved, Notice
from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.ports import EventSink, Journal
from poolwright.domain.state_machine import Transition
from poolwright.domain.states import PoolStatus, WorkerStatus

#: Time between two writes: a commit costs a disk flush, and a tab makes seven transitions for each task. A power
#: failure may lose the transitions of one second.
FLUSH_INTERVAL_S = 1.0


class EventLog:
    """Publishes events, and buffers transitions for the journal, which adds those of tasks itself."""

    def __init__(self, journal: Journal, observe: EventSink) -> None:
        """Write transitions to ``journal`` and publish events to ``observe``."""
        self._journal = journal
        self._observe = observe
        self._unwritten: list[Transition] = []

    def publish(self, event: Event) -> None:
        """Publish one event to the observer."""
        self._observe(event)

    def record_transition(self, transition: Transition) -> None:
        """Publish one transition and buffer it for the journal."""
        self._unwritten.append(transition)
        self._observe(Moved(transition=transition))

    def notice(self, level: Level, text: str, worker: WorkerRef | None = None) -> None:
        """Publish one log line for people."""
        self._observe(Notice(level=level, text=text, worker=worker))

    async def run(self) -> None:
        """Write buffered transitions every second, until cancelled."""
        async for _ in periodic(FLUSH_INTERVAL_S):
            await self.flush()

    async def flush(self) -> None:
        """Write the buffered transitions to the journal."""
        transitions, self._unwritten = self._unwritten, []
        if transitions:
            await self._journal.record(transitions)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSnapshot:
    """Snapshot of one slot of the pool."""

    worker: WorkerRef
    status: WorkerStatus
    #: Numbers of the orders that its worker holds.
    po_numbers: tuple[str, ...]
    #: Ids of the same tasks.
    task_ids: tuple[TaskId, ...]
    #: Name of a ``SessionStatus``; empty before the browser is open.
    session_status: str
    #: Memory that its processes use, and the most that they have used.
    memory_bytes: int
    memory_peak_bytes: int
    #: Orders that received their outcome from this slot.
    processed_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSnapshot:
    """Snapshot of the pool with all its slots."""

    status: PoolStatus
    workers: tuple[WorkerSnapshot, ...]
    tabs_per_worker: int
    #: Tasks without an outcome, including those that workers hold.
    open_count: int
    #: Reasons of the active pauses; empty if tasks may start.
    holds: tuple[str, ...]
    #: Why fewer orders are open than there are tabs, as a sentence; empty if as many are open as usual.
    slow_down: str = ""
    #: The most memory that all workers and the supervisor have used together.
    memory_peak_bytes: int
    #: Memory that they may use; 0 before the first measurement.
    memory_limit_bytes: int
    #: Names of the groups of orders that are set aside.
    groups_set_aside: tuple[str, ...] = ()

    @property
    def memory_bytes(self) -> int:
        """Memory that all workers use together."""
        return sum(worker.memory_bytes for worker in self.workers)
