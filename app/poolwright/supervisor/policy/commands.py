"""Commands of the policy to the pool.

What is done about tasks, logins, workers and pauses, and how a pause is put into words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from poolwright.domain.events import MemoryRelieved
from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.domain.tasks import POTask, Report
from poolwright.supervisor.policy.pauses import PauseReason


class StopCause(StrEnum):
    """What makes it end."""

    ASKED = "asked"
    LOGIN_REQUIRED = "login_required"
    PROFILE_DAMAGED = "profile_damaged"
    SETUP_FAILED = "setup_failed"
    NO_WORKERS = "no_workers"
    #: The workers use more memory than they may, and starting them anew does not help.
    MEMORY_SHORT = "memory_short"


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedAttempt:
    """One attempt whose files wait where its worker put them."""

    worker: WorkerRef
    #: As it was in that attempt.
    task: POTask
    report: Report


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """Put the files in place, then write the outcome down."""

    worker: WorkerRef
    task: POTask
    report: Report
    #: Seconds to wait before: the disk did not take them.
    delay_s: float = 0.0
    #: The earlier attempt whose files these are; ``None`` if they are from this attempt.
    staged: StagedAttempt | None = None
    #: How often the output folder refused the files of this order alone.
    refusal_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOutcome:
    """Write an outcome down that has no files, in the journal alone: the output folder does not take this order."""

    worker: WorkerRef
    task: POTask
    report: Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Discard:
    """Remove the files of an attempt that another one was better than."""

    staged: StagedAttempt


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
class ScheduleVerification:
    """Give a worker time to prove by a success that it is logged in; ``VerificationDue`` follows in any case."""

    worker: WorkerRef
    delay_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckLogin:
    """Have a worker ask the portal whether it is logged in; ``LoginVerified`` follows, or its end."""

    worker: WorkerRef


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshLogin:
    """Have a worker log in, for all of them; ``LoginResult`` follows, or its end."""

    worker: WorkerRef
    #: Although the login that there is has not ended yet.
    is_early: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BackUpLogin:
    """Keep the cookies of a login that was renewed beside the base profile, so that a person can promote it."""

    slot: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnounceLoginExpiry:
    """Tell people when the login is expected to end; ``LoginExpiring`` follows when it should be renewed."""

    number: int
    ends_in_s: float
    #: ``None`` if the portal pack does not allow it.
    renewal_in_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyLogin:
    """Have a worker take over the cookies that another slot's session kept; ``LoginResult`` follows, or its end."""

    worker: WorkerRef
    source_slot: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spawn:
    """Start the next generation of a slot on the same profile."""

    worker: WorkerRef
    delay_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspendSlot:
    """Suspend a slot whose restarts are spent; its next generation starts later."""

    worker: WorkerRef
    cause: str
    rest_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class KillAndRestart:
    """Kill a worker that runs but does no useful work; ``WorkerLost`` follows, then its next generation."""

    worker: WorkerRef
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recycle:
    """Let a worker finish its tasks and close its browser; ``WorkerEnded`` follows, then its next generation."""

    worker: WorkerRef
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportMemoryRecycle:
    """Report how much memory recycling a worker freed."""

    relieved: MemoryRelieved


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Let no further task start until the hold is released."""

    cause: PauseReason
    detail: str
    #: Seconds until it ends by itself; ``None`` if a person or another event ends it.
    delay_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """Let tasks start again, as far as this cause goes."""

    cause: PauseReason


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
class FailQueued:
    """Fail every queued task: no worker is left."""

    reason: Reason


#: What is done about the login of the workers.
LoginCommand = ScheduleVerification | CheckLogin | RefreshLogin | CopyLogin | BackUpLogin | AnnounceLoginExpiry
#: What is done about the life of the workers.
WorkerCommand = Spawn | KillAndRestart | Recycle | SuspendSlot | GiveUp
#: What is done about tasks.
TaskCommand = FileReport | RecordOutcome | Requeue | Discard | Forget | FailQueued
Command = TaskCommand | LoginCommand | WorkerCommand | ReportMemoryRecycle | Pause | Resume | Stop


#: When a hold ends that has no time of its own.
_PAUSED_UNTIL: Mapping[PauseReason, str] = MappingProxyType(
    {
        PauseReason.OPERATOR: "until an operator resumes it",
        PauseReason.PLACE_GONE: "until the folder is back",
        PauseReason.JOURNAL_LOCKED: "until the journal can be used again",
        PauseReason.MEMORY_SHORT: "until there is enough memory again",
        PauseReason.LOGIN_LOST: "until the login is back",
        PauseReason.LOGIN_REQUIRED: "until somebody logs in (poolwright profile login {name}) and resumes the pool",
    }
)
_RESUMED_BECAUSE: Mapping[PauseReason, str] = MappingProxyType(
    {
        PauseReason.OPERATOR: "by an operator",
        PauseReason.PORTAL_DOWN: "trying the portal again",
        PauseReason.PORTAL_BUSY: "the pause for the busy portal is over",
        PauseReason.DISK_FULL: "trying the disk again",
        PauseReason.DISK_AWAY: "trying the disk again",
        PauseReason.DISK_FORBIDDEN: "trying the folder again",
        PauseReason.PLACE_GONE: "the folder is back",
        PauseReason.JOURNAL_LOCKED: "the journal is unlocked",
        PauseReason.MEMORY_SHORT: "there is enough memory again",
        PauseReason.LOGIN_LOST: "the login is back",
        PauseReason.LOGIN_REQUIRED: "trying the login again",
    }
)


def pause_message(command: Pause | Resume, profile_name: str) -> str:
    """Return the log line for a pause or its end; the profile's name fills the commands that it suggests."""
    if isinstance(command, Resume):
        return f"resumed: {_RESUMED_BECAUSE[command.cause]}"
    until = f"for {command.delay_s:g} s" if command.delay_s is not None else _PAUSED_UNTIL[command.cause]
    until = until.format(name=profile_name)
    return f"paused {until}: {command.detail}"
