"""Publishes transitions and events of a running pool: to the observer at once, to the journal in batches."""

from __future__ import annotations

from poolwright.concurrency import periodic
from poolwright.domain.events import Event, Level, Moved, Notice
from poolwright.domain.ids import WorkerRef
from poolwright.domain.ports import EventSink, Journal
from poolwright.domain.state_machine import Transition

#: One commit costs a disk flush; a tab makes seven moves. A second of moves is what a power cut may take.
FLUSH_INTERVAL_S = 1.0


class Chronicle:
    """Publishes events, and buffers transitions until they are in the journal, which adds those of tasks itself."""

    def __init__(self, journal: Journal, observe: EventSink) -> None:
        """Write to ``journal``, tell ``observe``."""
        self._journal = journal
        self._observe = observe
        self._unwritten: list[Transition] = []

    def tell(self, event: Event) -> None:
        """Publish one event to the observer."""
        self._observe(event)

    def moved(self, transition: Transition) -> None:
        """Publish one transition and buffer it for the journal."""
        self._unwritten.append(transition)
        self._observe(Moved(transition=transition))

    def notice(self, level: Level, text: str, worker: WorkerRef | None = None) -> None:
        """Publish one log line for people."""
        self._observe(Notice(level=level, text=text, worker=worker))

    async def keep_writing(self) -> None:
        """Write buffered transitions every second, until cancelled."""
        async for _ in periodic(FLUSH_INTERVAL_S):
            await self.flush()

    async def flush(self) -> None:
        """Write everything that was kept."""
        moves, self._unwritten = self._unwritten, []
        if moves:
            await self._journal.record(moves)
