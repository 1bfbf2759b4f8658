"""What observers may see: the progress view, the log, and later the API and the metrics. Facts, never commands."""

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
    """How much a notice matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A machine made a move."""

    transition: Transition


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOpened:
    """A list is about to be worked on."""

    #: Orders that this run has to do.
    open_count: int
    #: Orders that an earlier run has done.
    done_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStarted:
    """A worker was given a task; its attempt is already in the journal."""

    task: POTask
    worker: WorkerRef


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEnded:
    """A task has its outcome, its files are in place and the journal knows it."""

    task: POTask
    report: Report
    #: Folder below the output folder; empty when there is none.
    folder: str
    #: Nothing when no worker did it.
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
    """A browser session as its worker last told it."""

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
    #: Orders that have their outcome by the work of its slot.
    processed_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One sentence that a person should read."""

    level: Level
    text: str
    worker: WorkerRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryRelieved:
    """A worker was started anew because memory ran short, and was measured again. Bytes, all of them."""

    #: The new generation.
    worker: WorkerRef
    before_bytes: int
    after_bytes: int
    #: Of all workers and the supervisor.
    total_before_bytes: int
    total_after_bytes: int
    #: What may be used at the most.
    limit_bytes: int
    #: Whether memory is below its limit again, and this worker had a part in it.
    has_helped: bool

    @property
    def notice(self) -> Notice:
        """The same in a sentence for people."""
        gone = "" if self.has_helped else "; that did not help"
        text = (
            f"has a fresh start: it used {_mb(self.before_bytes)} before and uses {_mb(self.after_bytes)} now, "
            f"all together {_mb(self.total_before_bytes)} and {_mb(self.total_after_bytes)} "
            f"of {_mb(self.limit_bytes)} allowed{gone}"
        )
        return Notice(level=Level.INFO if self.has_helped else Level.WARNING, text=text, worker=self.worker)


Event = Moved | ListOpened | TaskStarted | TaskEnded | TaskReturned | WorkerSeen | MemoryRelieved | Notice


def _mb(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.0f} MB"
