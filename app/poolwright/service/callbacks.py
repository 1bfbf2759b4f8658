"""Functions of the user's that are called when something happens in a pool: an event sink made of callbacks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from poolwright.domain.events import Event, Moved, TaskEnded, WorkerSeen
from poolwright.domain.ids import WorkerRef
from poolwright.domain.states import WORKER, WorkerStatus
from poolwright.domain.tasks import POTask, Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Callbacks:
    """Functions that the pool calls from its event loop. Each must return at once and never raise."""

    #: A worker crashed: its id and the cause. Its tasks return to the queue.
    crash: Callable[[str, str], None] | None = None
    #: Memory used by a worker's processes in bytes, every few seconds.
    memory: Callable[[WorkerRef, int], None] | None = None
    #: A task finished: its outcome is known and its files are filed.
    completion: Callable[[POTask, Report], None] | None = None

    def __call__(self, event: Event) -> None:
        """See ``EventSink``."""
        match event:
            case Moved(transition=move) if move.machine == WORKER.name and move.target == WorkerStatus.CRASHED.name:
                if self.crash is not None:
                    self.crash(move.entity, move.cause)
            case WorkerSeen():
                if self.memory is not None:
                    self.memory(event.worker, event.memory_bytes)
            case TaskEnded():
                if self.completion is not None:
                    self.completion(event.task, event.report)
            case _:
                pass
