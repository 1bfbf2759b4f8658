"""What the plan can ask of the pool. The pool performs each command and brings what comes of it back as facts."""

from __future__ import annotations

from dataclasses import dataclass

from poolwright.domain.events import MemoryRelieved
from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.domain.tasks import POTask, Report
from poolwright.supervisor.holds import HoldCause
from poolwright.supervisor.stops import StopCause


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """One attempt whose files wait where its worker put them."""

    worker: WorkerRef
    #: As it was in that attempt.
    task: POTask
    report: Report


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """Put the files in place, then write the outcome down."""

    worker: WorkerRef
    task: POTask
    report: Report
    #: Seconds to wait before: the disk did not take them.
    delay_s: float = 0.0
    #: The earlier attempt whose files these are; ``None`` if they are from this attempt.
    staged: Staged | None = None
    #: How often the output folder refused the files of this order alone.
    refusal_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """Write an outcome down that has no files, in the journal alone: the output folder does not take this order."""

    worker: WorkerRef
    task: POTask
    report: Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Discard:
    """Remove the files of an attempt that another one was better than."""

    staged: Staged


@dataclass(frozen=True, slots=True, kw_only=True)
class Forget:
    """Drop what is known of tasks that never return to the queue."""

    task_ids: tuple[TaskId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Requeue:
    """Put a task back into the queue, at its old place."""

    worker: WorkerRef
    task: POTask
    why: Reason | ReturnReason
    detail: str
    delay_s: float
    is_attempt_spent: bool
    #: Whether a worker died on it.
    is_death: bool = False
    #: Whether its files wait: no attempt so far has brought more.
    keeps_files: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitProof:
    """Give a worker time to prove by a success that it is logged in; ``ProofOverdue`` follows in any case."""

    worker: WorkerRef
    delay_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Have a worker ask the portal whether it is logged in; ``Probed`` follows, or its end."""

    worker: WorkerRef


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshLogin:
    """Have a worker log in, for all of them; ``LoginSettled`` follows, or its end."""

    worker: WorkerRef
    #: Although the login that there is has not ended yet.
    is_early: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepLogin:
    """Keep the cookies of a login that was renewed beside the base profile, so that a person can promote it."""

    slot: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ForetellEnd:
    """Tell people when the login is expected to end, and be told when it should be renewed: ``LoginAges`` follows."""

    number: int
    ends_in_s: float
    #: ``None`` if the portal pack does not allow it.
    renewal_in_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptLogin:
    """Have a worker take over the cookies that another slot's session kept; ``LoginSettled`` follows, or its end."""

    worker: WorkerRef
    source_slot: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spawn:
    """Start the next generation of a slot on the same profile."""

    worker: WorkerRef
    delay_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """Suspend a slot whose restarts are spent; its next generation starts later."""

    worker: WorkerRef
    cause: str
    rest_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Recycle:
    """Kill a worker that runs but does no useful work; ``WorkerLost`` follows, then its next generation."""

    worker: WorkerRef
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Retire:
    """Let a worker finish its tasks and close its browser; ``WorkerEnded`` follows, then its next generation."""

    worker: WorkerRef
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TellRelief:
    """Report how much memory recycling a worker freed."""

    relieved: MemoryRelieved


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Let no further task start until the hold is released."""

    cause: HoldCause
    detail: str
    #: Seconds until it ends by itself; ``None`` if a person or another event ends it.
    delay_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Let tasks start again, as far as this cause goes."""

    cause: HoldCause


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """Leave a slot empty: the pool ends."""

    worker: WorkerRef
    cause: str
    #: Whether the pool ends anyway, and not for want of workers: nobody has to know of one that is gone earlier.
    is_expected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Drain the workers and end the pool; what is queued stays queued."""

    cause: StopCause
    detail: str
    #: Whether queued tasks stay queued although no worker is left.
    keeps_queue: bool = False

    @property
    def ends_queue(self) -> bool:
        """Whether every task that waits ends for that: ``FailRest`` goes with it."""
        return self.cause is StopCause.NO_WORKERS and not self.keeps_queue


@dataclass(frozen=True, slots=True, kw_only=True)
class FailRest:
    """Fail every queued task: no worker is left."""

    reason: Reason


#: What is done about the login of the workers.
LoginCommand = AwaitProof | Probe | RefreshLogin | AdoptLogin | KeepLogin | ForetellEnd
#: What is done about the life of the workers.
LifeCommand = Spawn | Recycle | Retire | Rest | GiveUp
#: What is done about tasks.
TaskCommand = File | Finish | Requeue | Discard | Forget | FailRest
Command = TaskCommand | LoginCommand | LifeCommand | TellRelief | Hold | Release | Stop
