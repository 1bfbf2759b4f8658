"""What can happen to a running pool, as the plan is told. Each fact of a worker names its generation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.domain.failures import GivenBack, Proof
from app.domain.ids import TaskId, WorkerRef
from app.domain.options import Limits
from app.domain.task import POTask, Report
from app.supervisor.holds import HoldCause


class StopCause(StrEnum):
    """Why the pool ends before its queue is empty."""

    ASKED = "asked"
    LOGIN_REQUIRED = "login_required"
    PROFILE_DAMAGED = "profile_damaged"
    SETUP_FAILED = "setup_failed"
    NO_WORKERS = "no_workers"
    #: The workers use more memory than they may, and starting them anew does not help.
    MEMORY_SHORT = "memory_short"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerReady:
    """A worker has its browser open and is logged in."""

    worker: WorkerRef
    #: When, in seconds of a clock that only goes forward.
    at_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTaken:
    """A worker with a free tab took a task from the queue."""

    worker: WorkerRef
    task: POTask


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskReported:
    """A worker finished an attempt."""

    worker: WorkerRef
    task_id: TaskId
    report: Report


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskReturned:
    """A worker gave a task back undone."""

    worker: WorkerRef
    task_id: TaskId
    why: GivenBack
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofOverdue:
    """A worker had time to prove by itself that it is logged in."""

    worker: WorkerRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """A worker asked the portal whether it is logged in."""

    worker: WorkerRef
    proof: Proof
    #: Of its own accord, when it had finished its last task.
    is_last: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRenewed:
    """Single sign-on brought back a session that had ended; what it read before may have been read without a login."""

    worker: WorkerRef


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginLost:
    """The portal wants a login of a worker, as it comes up or later; it waits to be told what to do."""

    worker: WorkerRef
    detail: str
    #: When, in seconds of a clock that only goes forward.
    at_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginSettled:
    """A worker tried to log in, or to take a login over."""

    worker: WorkerRef
    is_logged_in: bool
    detail: str
    #: When, in seconds of a clock that only goes forward.
    at_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginAges:
    """A login is about to reach the age at which others before it ended."""

    #: Which one, counted from the first that was made.
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFiled:
    """The files of a report are in place and the journal knows its outcome."""

    worker: WorkerRef
    task: POTask


@dataclass(frozen=True, slots=True, kw_only=True)
class FilingFailed:
    """The files of a report could not be put in place."""

    worker: WorkerRef
    task: POTask
    report: Report
    problem: str
    is_disk_full: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserUnfit:
    """A worker could not start its browser, and its loss follows."""

    worker: WorkerRef
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalDown:
    """A worker came up and found that the portal does not answer; its loss follows."""

    worker: WorkerRef
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLost:
    """A worker process is gone, and not because we drained it."""

    worker: WorkerRef
    cause: str
    #: When, in seconds of a clock that only goes forward.
    at_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerEnded:
    """A worker process closed its browser and ended in order."""

    worker: WorkerRef


@dataclass(frozen=True, slots=True, kw_only=True)
class StopNeeded:
    """The pool cannot or shall not go on."""

    cause: StopCause
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalFull:
    """The journal's disk is full; what was to be written is written again later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalLocked:
    """Another program keeps the journal locked; ``HoldOver`` follows when it has let go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomScarce:
    """The disk of the output folder has hardly any room left."""

    free_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySeen:
    """What the processes of all workers use, and what there is."""

    #: Of each generation that has a process.
    by_worker: Mapping[WorkerRef, int]
    #: Of the supervisor itself.
    own_bytes: int
    #: Physical memory, or the smallest limit around us.
    total_bytes: int
    #: Whether every process was measured; else it is an estimate since the last measure.
    is_exact: bool
    #: When, in seconds of a clock that only goes forward.
    at_s: float

    @property
    def used_bytes(self) -> int:
        """All of it together."""
        return self.own_bytes + sum(self.by_worker.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseAsked:
    """A person wants no further task to start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsChanged:
    """A person wrote other limits into the settings."""

    limits: Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartAsked:
    """A person wants a worker to be started anew."""

    slot: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldOver:
    """The time of a hold is up, or a person said resume."""

    cause: HoldCause


WorkerFact = (
    WorkerReady
    | TaskTaken
    | TaskReported
    | TaskReturned
    | ProofOverdue
    | Probed
    | SessionRenewed
    | LoginLost
    | LoginSettled
    | TaskFiled
    | FilingFailed
    | PortalDown
    | BrowserUnfit
    | WorkerLost
    | WorkerEnded
)
PoolFact = (
    StopNeeded
    | LoginAges
    | JournalFull
    | JournalLocked
    | RoomScarce
    | MemorySeen
    | PauseAsked
    | RestartAsked
    | LimitsChanged
    | HoldOver
)
Fact = WorkerFact | PoolFact
