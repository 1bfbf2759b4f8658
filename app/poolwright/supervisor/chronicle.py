"""Where moves and events of a running pool are told: to the observer at once, to the journal in bunches."""

from __future__ import annotations

from poolwright.bridge.pace import every
from poolwright.domain.events import Event, Level, Moved, Notice
from poolwright.domain.ids import WorkerRef
from poolwright.domain.ports import EventSink, Journal
from poolwright.domain.state_machine import Transition

#: One commit costs a disk flush; a tab makes seven moves. A second of moves is what a power cut may take.
FLUSH_INTERVAL_S = 1.0


class Chronicle:
    """Keeps moves until they are written. Tasks' own moves are written by the journal with the change itself."""

    def __init__(self, journal: Journal, observe: EventSink) -> None:
        """Write to ``journal``, tell ``observe``."""
        self._journal = journal
        self._observe = observe
        self._unwritten: list[Transition] = []

    def tell(self, event: Event) -> None:
        """Show one event."""
        self._observe(event)

    def moved(self, transition: Transition) -> None:
        """Show one move and keep it for the journal."""
        self._unwritten.append(transition)
        self._observe(Moved(transition=transition))

    def notice(self, level: Level, text: str, worker: WorkerRef | None = None) -> None:
        """Show one sentence."""
        self._observe(Notice(level=level, text=text, worker=worker))

    async def keep_writing(self) -> None:
        """Write what has come in, every second, until cancelled."""
        async for _ in every(FLUSH_INTERVAL_S):
            await self.flush()

    async def flush(self) -> None:
        """Write everything that was kept."""
        moves, self._unwritten = self._unwritten, []
        if moves:
            await self._journal.record(moves)
