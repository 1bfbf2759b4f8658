"""Everything that a worker says to its supervisor, in order, with its name on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from anyio.streams.memory import MemoryObjectSendStream
from pydantic import BaseModel

from poolwright.domain.events import Level
from poolwright.domain.ids import WorkerRef
from poolwright.domain.state_machine import Transition
from poolwright.wire.messages import Moved, Said


@dataclass(kw_only=True)
class Mouth:
    """Queues the messages of one worker to its supervisor; never waits."""

    worker: WorkerRef
    outbox: MemoryObjectSendStream[BaseModel]

    def say(self, kind: Callable[..., BaseModel], /, **content: object) -> None:
        """Queue one message."""
        self.outbox.send_nowait(kind(slot=self.worker.slot, generation=self.worker.generation, **content))

    def moved(self, transition: Transition) -> None:
        """A machine made a move."""
        self.say(Moved, transition=transition)

    def told(self, level: Level, text: str) -> None:
        """Queue a log message for people."""
        self.say(Said, level=level, text=text)
