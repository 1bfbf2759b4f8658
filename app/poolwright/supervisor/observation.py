"""What observers see of a running pool: its events as they happen, and snapshots on request."""

from __future__ import annotations

from dataclasses import dataclass

from poolwright.concurrency import periodic
from poolwright.domain.events import Event, Level, Moved, Notice
from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.ports import EventSink, Journal
from poolwright.domain.state_machine import Transition
from poolwright.domain.states import PoolStatus, WorkerStatus

#: One commit costs a disk flush; a tab makes seven moves. A second of moves is what a power cut may take.
FLUSH_INTERVAL_S = 1.0


class EventLog:
    """Publishes events, and buffers transitions until they are in the journal, which adds those of tasks itself."""

    def __init__(self, journal: Journal, observe: EventSink) -> None:
        """Write to ``journal``, tell ``observe``."""
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
        """Write everything that was kept."""
        moves, self._unwritten = self._unwritten, []
        if moves:
            await self._journal.record(moves)


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
