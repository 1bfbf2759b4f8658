"""Events that the policy decides about. Each event of a worker names its generation.

What a worker says itself arrives as its message, in a ``MessageReceived``. The others are what the supervisor observes:
a start, an end, a loss, a filing, memory, disks, and what people ask for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.options import Limits
from poolwright.domain.storage import StorageTrouble
from poolwright.domain.tasks import POTask
from poolwright.ipc.messages import (
    Finished,
    LoginRefreshed,
    LoginRequired,
    LoginResult,
    LoginVerified,
    Returned,
    StartupFailed,
)
from poolwright.supervisor.policy.commands import FileReport, StopCause
from poolwright.supervisor.policy.pauses import PauseReason
from poolwright.supervisor.policy.state import LossKind


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginExpiring:
    """A login is about to reach the age at which others before it ended."""

    #: Which one, counted from the first that was made.
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRequested:
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
class DiskLow:
    """A disk has hardly any room left."""

    free_bytes: int
    #: What lies on that disk.
    place: str = "the output folder"


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageUnavailable:
    """Storage that everything depends on is unavailable for now: full, unreachable or not writable."""

    trouble: StorageTrouble
    #: In whole sentences, with the next step where there is one.
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderMissing:
    """A folder of this run is no longer where it was; ``HoldOver`` follows when the same one is back."""

    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderRecreated:
    """A folder of this run was removed and made again. Browsers still live on what was in it."""

    #: Which, in words.
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialQueued:
    """A task that workers died on waits for its last try: alone, and in a fresh browser."""

    task_id: TaskId


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksCancelled:
    """Tasks were cancelled before a worker had them."""

    task_ids: Collection[TaskId]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySampled:
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
class PauseRequested:
    """A person wants no further task to start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsChanged:
    """A person wrote other limits into the settings."""

    limits: Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartRequested:
    """A person asked for a worker to be restarted."""

    slot: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseEnded:
    """The time of a hold is up, or a person said resume."""

    cause: PauseReason


PoolWideInput = (
    LoginExpiring
    | StopRequested
    | JournalFull
    | JournalLocked
    | DiskLow
    | StorageUnavailable
    | FolderMissing
    | FolderRecreated
    | TrialQueued
    | TasksCancelled
    | MemorySampled
    | PauseRequested
    | LimitsChanged
    | RestartRequested
    | PauseEnded
)


#: Messages of a worker that the policy decides about.
PolicyMessage = StartupFailed | Finished | Returned | LoginVerified | LoginRefreshed | LoginRequired | LoginResult
M_co = TypeVar("M_co", bound=PolicyMessage, covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReceived(Generic[M_co]):
    """A worker sent a message."""

    #: Whose connection it came from. The slot and the generation that the message names do not count.
    worker: WorkerRef
    message: M_co
    #: When, in seconds of a clock that only goes forward.
    at_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerReady:
    """A worker has its browser open and is logged in."""

    worker: WorkerRef
    #: When, in seconds of a clock that only goes forward.
    at_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskAssigned:
    """A worker with a free tab took a task from the queue."""

    worker: WorkerRef
    task: POTask


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationDue:
    """A worker had time to prove by itself that it is logged in."""

    worker: WorkerRef


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFiled:
    """The files of a report are in place and the journal knows its outcome."""

    worker: WorkerRef
    task: POTask


@dataclass(frozen=True, slots=True, kw_only=True)
class FilingFailed:
    """The files of a report could not be put in place."""

    worker: WorkerRef
    file: FileReport
    #: In whole sentences, with the next step where there is one.
    problem: str
    trouble: StorageTrouble = StorageTrouble.OTHER
    #: Whether the output folder as a whole takes files, so that the trouble is this order's own.
    is_place_fine: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerFolderFailed:
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


WorkerInput = (
    MessageReceived[PolicyMessage]
    | WorkerReady
    | TaskAssigned
    | VerificationDue
    | TaskFiled
    | FilingFailed
    | WorkerFolderFailed
    | TaskStuck
    | WorkerLost
    | WorkerEnded
)
PoolInput = WorkerInput | PoolWideInput
