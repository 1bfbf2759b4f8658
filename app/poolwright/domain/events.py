"""The events of a run, for observers: the progress view, the log, the API and the metrics. Never commands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.domain.state_machine import Transition
from poolwright.domain.tasks import POTask, Report


class Level(StrEnum):
    """The severity of a notice."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A state machine made a transition."""

    transition: Transition


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOpened:
    """Work on a list begins."""

    #: Orders that this run has to process.
    open_count: int
    #: Orders that an earlier run has finished.
    done_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStarted:
    """A worker received a task; its attempt is already in the journal."""

    task: POTask
    worker: WorkerRef


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEnded:
    """A task has its outcome; its files are filed, and the journal has the outcome."""

    task: POTask
    report: Report
    #: Folder below the output folder; empty if there is none.
    folder: str
    #: ``None`` if no worker processed it.
    worker: WorkerRef | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskReturned:
    """A task is back in the queue."""

    task_id: TaskId
    why: Reason | ReturnReason
    detail: str
    #: Seconds until it may start again.
    delay_s: float
    worker: WorkerRef | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView:
    """A browser session, as its worker last reported it."""

    #: Name of a ``SessionStatus``.
    status: str
    main_window_handle: str
    #: Task id to window handle.
    active_tabs: Mapping[str, str] = field(default_factory=dict[str, str])
    startup_time: datetime | None = None
    last_activity: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSeen:
    """A heartbeat of a worker, with what the supervisor measured of its processes."""

    worker: WorkerRef
    session: SessionView
    #: Memory of the worker's whole process tree.
    memory_bytes: int
    #: Orders that its slot has finished.
    processed_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One sentence that a person should read."""

    level: Level
    text: str
    worker: WorkerRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryRelieved:
    """A worker was recycled to free memory, and was measured again. All sizes in bytes."""

    #: The new generation.
    worker: WorkerRef
    before_bytes: int
    after_bytes: int
    #: Of all workers and the supervisor.
    total_before_bytes: int
    total_after_bytes: int
    #: The most that the pool may use.
    limit_bytes: int
    #: Whether memory is below its limit again and this worker contributed to that.
    has_helped: bool

    @property
    def notice(self) -> Notice:
        """The event as a notice for people."""
        result = "" if self.has_helped else "; that did not help"
        text = (
            f"recycled to free memory: {megabytes(self.before_bytes)} before, {megabytes(self.after_bytes)} now; "
            f"whole pool {megabytes(self.total_before_bytes)} before, {megabytes(self.total_after_bytes)} now "
            f"(limit {megabytes(self.limit_bytes)}){result}"
        )
        return Notice(level=Level.INFO if self.has_helped else Level.WARNING, text=text, worker=self.worker)


Event = Moved | ListOpened | TaskStarted | TaskEnded | TaskReturned | WorkerSeen | MemoryRelieved | Notice


def megabytes(size_bytes: int) -> str:
    """Return a size of memory in whole megabytes, with its unit."""
    return f"{size_bytes / 1e6:,.0f} MB"
