"""What can happen to a running pool, as the plan is told. Each fact of a worker names its generation."""

from __future__ import annotations

from dataclasses import dataclass

from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.outcomes import LoginCheck, ReturnReason
from poolwright.domain.storage import StorageTrouble
from poolwright.domain.tasks import POTask, Report
from poolwright.supervisor.commands import File
from poolwright.supervisor.pool_facts import (
    PoolFact,
)
from poolwright.supervisor.restarts import LossKind


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
    #: Seconds for which its worker stood still meanwhile: a paused machine, or one without a processor to spare.
    paused_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskReturned:
    """A worker gave a task back undone."""

    worker: WorkerRef
    task_id: TaskId
    why: ReturnReason
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofOverdue:
    """A worker had time to prove by itself that it is logged in."""

    worker: WorkerRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """A worker asked the portal whether it is logged in."""

    worker: WorkerRef
    proof: LoginCheck
    #: Of its own accord, when it had finished its last task.
    is_last: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRenewed:
    """Single sign-on brought back a session that had ended; what it read before may have been read without a login."""

    worker: WorkerRef


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginLost:
    """The portal asks a worker for a login, at its start or later; the worker waits for a command."""

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
class TaskFiled:
    """The files of a report are in place and the journal knows its outcome."""

    worker: WorkerRef
    task: POTask


@dataclass(frozen=True, slots=True, kw_only=True)
class FilingFailed:
    """The files of a report could not be put in place."""

    worker: WorkerRef
    file: File
    #: In whole sentences, with the next step where there is one.
    problem: str
    trouble: StorageTrouble = StorageTrouble.OTHER
    #: Whether the output folder as a whole takes files, so that the trouble is this order's own.
    is_place_fine: bool = False


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
class HomeRefused:
    """The folder of a worker cannot be written, and its loss follows."""

    worker: WorkerRef
    trouble: StorageTrouble
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStuck:
    """A worker could not stop a task whose time is over, and its loss follows."""

    worker: WorkerRef
    task_id: TaskId


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLost:
    """A worker process is gone, and not because we drained it."""

    worker: WorkerRef
    cause: str
    #: What kind of loss it was: restarts are counted for each.
    kind: LossKind = LossKind.DIED
    #: When, in seconds of a clock that only goes forward.
    at_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerEnded:
    """A worker process closed its browser and ended in order."""

    worker: WorkerRef


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
    | HomeRefused
    | TaskStuck
    | WorkerLost
    | WorkerEnded
)
Fact = WorkerFact | PoolFact
