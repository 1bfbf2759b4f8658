"""What a pool tells, kept, and a way to wait for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import anyio

from poolwright.domain.events import Event, Moved
from poolwright.domain.states import WORKER, WorkerStatus

E = TypeVar("E")


@dataclass(kw_only=True)
class EventCapture:
    """An event sink for a test."""

    events: list[Event] = field(default_factory=list[Event])
    _news: anyio.Event = field(default_factory=anyio.Event)

    def __call__(self, event: Event) -> None:
        """Keep one event."""
        self.events.append(event)
        self._news.set()
        self._news = anyio.Event()

    def all(self, kind: type[E]) -> list[E]:
        """Every event of a kind so far."""
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, is_true: Callable[[], object]) -> None:
        """Wait for something that shows with an event."""
        while not is_true():
            await self._news.wait()

    def path(self, worker_id: str) -> list[str]:
        """The states that a worker moved to."""
        moves = (event.transition for event in self.all(Moved))
        return [move.target for move in moves if move.machine == WORKER.name and move.entity == worker_id]

    def away(self) -> list[set[str]]:
        """Who was away after each move of a worker: on the way to its next generation."""
        gone, told = set[str](), list[set[str]]()
        for move in (event.transition for event in self.all(Moved)):
            if move.machine == WORKER.name:
                (gone.add if move.target == WorkerStatus.RESTARTING.name else gone.discard)(move.entity)
                told.append(set(gone))
        return told
