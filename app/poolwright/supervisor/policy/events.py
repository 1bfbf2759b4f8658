"""Events that the policy decides about. Each event of a worker names its generation.

A message of a worker arrives in a ``MessageReceived``. The other events are observations of the supervisor (starts,
ends, losses, filings, memory, disks) and requests of people.
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
    LoginChecked,
    LoginRefreshed,
    LoginRequired,
    LoginResult,
    Returned,
    StartupFailed,
)
from poolwright.supervisor.policy.commands import FileReport, StopCause
from poolwright.supervisor.policy.pauses import PauseReason
from poolwright.supervisor.policy.state import LossKind


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginExpiring:
    """A login is about to reach the age at which earlier ones expired."""

    #: Number of the login, counted from the first one of the pool.
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursEnded:
    """The portal's working hours are over; ``HoursBegan`` follows."""

    detail: str
    #: When they begin again, for people.
    begin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursBegan:
    """The portal's working hours have begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRequested:
    """The pool has to end: by request, or because it cannot continue."""

    cause: StopCause
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalFull:
    """The disk of the journal is full; the change is written again later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalLocked:
    """Another program has locked the journal; ``PauseEnded`` follows when it is unlocked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskLow:
    """A disk is almost full."""

    free_bytes: int
    #: The folder on that disk, for the sentence that people read.
    place: str = "the output folder"


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageUnavailable:
    """Storage of the whole pool is unavailable for now: full, unreachable or not writable."""

    trouble: StorageTrouble
    #: Cause and next step, in whole sentences.
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderMissing:
    """A folder of this run was moved or removed; ``PauseEnded`` follows when the same folder is back."""

    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderRecreated:
    """A folder of this run was removed and created again. Browsers still use files that were in it."""

    #: Its purpose, for people.
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialQueued:
    """A task on which two workers crashed is in the queue for its trial: its last attempt, alone in a new browser."""

    task_id: TaskId


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskWithheld:
    """A task came to the queue whose group is set aside or waits."""

    task: POTask


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupResumed:
    """A person resumed a group that is set aside."""

    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksCancelled:
    """Tasks were cancelled before they were assigned to a worker."""

    task_ids: Collection[TaskId]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySampled:
    """A sample of memory: the use of all workers, and the total."""

    #: Bytes of each generation that has a process.
    by_worker: Mapping[WorkerRef, int]
    #: Bytes of the supervisor itself.
    own_bytes: int
    #: Physical memory, or the smallest limit that applies to this process.
    total_bytes: int
    #: Whether every process was measured; else the numbers are estimates from the last measurement.
    is_exact: bool
    #: When it was taken, in seconds of a monotonic clock.
    at_s: float

    @property
    def used_bytes(self) -> int:
        """Memory of the supervisor and all workers together."""
        return self.own_bytes + sum(self.by_worker.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseRequested:
    """A person paused the pool."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsChanged:
    """A person changed limits in the settings."""

    limits: Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartRequested:
    """A person requested the restart of a worker."""

    slot: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseEnded:
    """A pause is over: its time has passed, its reason is gone, or a person resumed the pool."""

    cause: PauseReason
    #: How many times it was extended when the timer began that has run out.
    extension_count: int = 0


PoolWideInput = (
    LoginExpiring
    | HoursEnded
    | HoursBegan
    | StopRequested
    | JournalFull
    | JournalLocked
    | DiskLow
    | StorageUnavailable
    | FolderMissing
    | FolderRecreated
    | TrialQueued
    | TaskWithheld
    | GroupResumed
    | TasksCancelled
    | MemorySampled
    | PauseRequested
    | LimitsChanged
    | RestartRequested
    | PauseEnded
)


#: Messages of a worker that the policy decides about.
PolicyMessage = StartupFailed | Finished | Returned | LoginChecked | LoginRefreshed | LoginRequired | LoginResult
M_co = TypeVar("M_co", bound=PolicyMessage, covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReceived(Generic[M_co]):
    """A worker sent a message."""

    #: The worker whose connection it came from. The slot and the generation in the message do not count.
    worker: WorkerRef
    message: M_co
    #: When it was received, in seconds of a monotonic clock.
    at_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerReady:
    """A worker has its browser open and is logged in."""

    worker: WorkerRef
    #: When it was ready, in seconds of a monotonic clock.
    at_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskAssigned:
    """A worker with a free tab took a task from the queue."""

    worker: WorkerRef
    task: POTask


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationDue:
    """The time is over in which an order could show that a worker is logged in, or no such order is left."""

    worker: WorkerRef


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFiled:
    """The files of a report are in the output tree, and the journal has its outcome."""

    worker: WorkerRef
    task: POTask


@dataclass(frozen=True, slots=True, kw_only=True)
class FilingFailed:
    """The files of a report could not be filed."""

    worker: WorkerRef
    file: FileReport
    #: Cause and next step, in whole sentences.
    problem: str
    trouble: StorageTrouble = StorageTrouble.OTHER
    #: Whether the output folder itself can be written, so that only the folder of this order refuses files.
    is_place_fine: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerFolderFailed:
    """The folder of a worker cannot be written; ``WorkerLost`` follows."""

    worker: WorkerRef
    trouble: StorageTrouble
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStuck:
    """A worker could not stop a task after its time limit; ``WorkerLost`` follows."""

    worker: WorkerRef
    task_id: TaskId


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLost:
    """A worker process ended without being drained."""

    worker: WorkerRef
    cause: str
    #: Restarts are counted for each kind.
    kind: LossKind = LossKind.DIED
    #: When it was lost, in seconds of a monotonic clock.
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
