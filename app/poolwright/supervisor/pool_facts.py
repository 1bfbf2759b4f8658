"""What can happen to a pool as a whole, as the plan is told."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.options import Limits
from poolwright.domain.storage import StorageTrouble
from poolwright.supervisor.holds import HoldCause
from poolwright.supervisor.stops import StopCause


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginAges:
    """A login is about to reach the age at which others before it ended."""

    #: Which one, counted from the first that was made.
    number: int


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
    """A disk has hardly any room left."""

    free_bytes: int
    #: What lies on that disk.
    place: str = "the output folder"


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageOut:
    """Storage that everything depends on is unavailable for now: full, unreachable or not writable."""

    trouble: StorageTrouble
    #: In whole sentences, with the next step where there is one.
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceGone:
    """A folder of this run is no longer where it was; ``HoldOver`` follows when the same one is back."""

    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceRemade:
    """A folder of this run was removed and made again. Browsers still live on what was in it."""

    #: Which, in words.
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialWaits:
    """A task that workers died on waits for its last try: alone, and in a fresh browser."""

    task_id: TaskId


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksCancelled:
    """Tasks were cancelled before a worker had them."""

    task_ids: Collection[TaskId]


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
    """A person asked for a worker to be restarted."""

    slot: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldOver:
    """The time of a hold is up, or a person said resume."""

    cause: HoldCause


PoolFact = (
    LoginAges
    | StopNeeded
    | JournalFull
    | JournalLocked
    | RoomScarce
    | StorageOut
    | PlaceGone
    | PlaceRemade
    | TrialWaits
    | TasksCancelled
    | MemorySeen
    | PauseAsked
    | LimitsChanged
    | RestartAsked
    | HoldOver
)
