"""What the pool tells during a soak. Nothing that grows with the orders is kept: only those in hand, and one window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import anyio
from pydantic import BaseModel, ConfigDict

from poolwright.domain.events import Event, Moved, TaskEnded, TaskStarted
from poolwright.domain.ids import TaskId
from poolwright.domain.states import WORKER, WorkerStatus

_RESTARTING = WorkerStatus.RESTARTING.name


class Restart(BaseModel):
    """A worker went away to come back."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at_s: float
    worker: str
    cause: str
    #: Whether it was lost; else it was planned.
    is_crash: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What ended since the window before."""

    duration_s: float
    latencies_s: tuple[float, ...]

    @property
    def throughput_per_s(self) -> float:
        """Orders that ended in each second."""
        return len(self.latencies_s) / self.duration_s if self.duration_s > 0 else 0.0


class Watch:
    """An event sink that counts ends, times orders and notes restarts."""

    def __init__(self, open_max: int, clock: Callable[[], float]) -> None:
        """Let so many orders be open at the same time; the clock counts seconds from now on."""
        #: Taken for each order that is fed, given back when it ends.
        self.room = anyio.Semaphore(open_max)
        self.ended_count = 0
        self.restarts: list[Restart] = []
        self._clock = clock
        self._begun_s = self._window_s = clock()
        self._started_s: dict[TaskId, float] = {}
        self._latencies_s: list[float] = []

    def __call__(self, event: Event) -> None:
        """See ``EventSink``."""
        match event:
            case TaskStarted():
                # one that was given back is timed from its first start: whoever waits for it waits that long
                self._started_s.setdefault(event.task.task_id, self._clock())
            case TaskEnded():
                self._note_end(event.task.task_id)
            case Moved(transition=move) if move.machine == WORKER.name and move.target == _RESTARTING:
                is_crash = move.origin == WorkerStatus.CRASHED.name
                self.restarts.append(
                    Restart(at_s=self.elapsed_s(), worker=move.entity, cause=move.cause, is_crash=is_crash)
                )
            case _:
                pass

    def elapsed_s(self) -> float:
        """Seconds since the watch began."""
        return self._clock() - self._begun_s

    def take(self) -> Window:
        """What ended since the last call."""
        now_s = self._clock()
        window = Window(duration_s=now_s - self._window_s, latencies_s=tuple(self._latencies_s))
        self._window_s = now_s
        self._latencies_s.clear()
        return window

    def _note_end(self, task_id: TaskId) -> None:
        now_s = self._clock()
        self._latencies_s.append(now_s - self._started_s.pop(task_id, now_s))
        self.ended_count += 1
        self.room.release()
