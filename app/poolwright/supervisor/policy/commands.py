"""Commands of the policy to the pool, about tasks, logins, workers and pauses; and the log lines of pauses."""

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
    """Reasons why a pool stops."""

    ASKED = "asked"
    LOGIN_REQUIRED = "login_required"
    PROFILE_DAMAGED = "profile_damaged"
    SETUP_FAILED = "setup_failed"
    NO_WORKERS = "no_workers"
    #: The workers use more memory than they may, and recycling them did not help.
    MEMORY_SHORT = "memory_short"


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedAttempt:
    """An attempt whose files are still in the staging folder of its worker."""

    worker: WorkerRef
    #: The task as it was in that attempt.
    task: POTask
    report: Report


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """Move the files of a task into the output folder, then record its outcome."""

    worker: WorkerRef
    task: POTask
    report: Report
    #: Seconds to wait before filing, after the disk refused the files.
    delay_s: float = 0.0
    #: The earlier attempt whose files these are; ``None`` if they are from this attempt.
    staged: StagedAttempt | None = None
    #: Number of times that the output folder refused the files of this order alone.
    refusal_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOutcome:
    """Record an outcome without files in the journal alone, because the output folder refuses this order."""

    worker: WorkerRef
    task: POTask
    report: Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Discard:
    """Remove the staged files of an attempt that is not filed."""

    staged: StagedAttempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Forget:
    """Drop the queue positions of tasks that never return."""

    task_ids: tuple[TaskId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Requeue:
    """Return a task to the queue, at its old position."""

    worker: WorkerRef
    task: POTask
    why: Reason | ReturnReason
    detail: str
    delay_s: float
    is_attempt_spent: bool
    #: Whether a worker crashed on it.
    is_death: bool = False
    #: Whether its files stay staged, because no earlier attempt has more.
    keeps_files: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WithholdGroup:
    """Let no further order of a group start until ``ReleaseGroup`` or ``SetAside``."""

    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseGroup:
    """Let orders of a group start again."""

    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """Set a group aside: its orders that no worker has end without an attempt, also in later runs."""

    group: str
    #: Why and what to do, in whole sentences.
    cause: str
    #: Whether people do not know of it yet.
    is_new: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopenGroup:
    """End the setting aside of a group: its orders that ended for it are queued again, and may start."""

    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleVerification:
    """Wait for an order that shows that the worker is logged in; ``VerificationDue`` follows at the latest then."""

    worker: WorkerRef
    delay_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLoginCheck:
    """Let a worker check its login with the portal; ``LoginChecked`` follows, or the end of the worker."""

    worker: WorkerRef


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshLogin:
    """Let a worker log in for all workers; ``LoginResult`` follows, or the end of the worker."""

    worker: WorkerRef
    #: Whether the current login has not ended yet.
    is_early: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BackUpLogin:
    """Save the cookies of a renewed login beside the base profile, so that a person can promote it."""

    slot: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnounceLoginExpiry:
    """Announce when the login is expected to end; ``LoginExpiring`` follows when it should be renewed."""

    number: int
    ends_in_s: float
    #: ``None`` if the portal pack does not allow it.
    renewal_in_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyLogin:
    """Let a worker import the cookies of another slot's session; ``LoginResult`` follows, or the worker's end."""

    worker: WorkerRef
    source_slot: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spawn:
    """Start the next generation of a slot on the same profile."""

    worker: WorkerRef
    delay_s: float
    #: Why the browser of the last generation did not start, for a notice; empty if it did.
    browser_problem: str = ""


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
    """Let no further task start until ``Resume`` with the same cause."""

    cause: PauseReason
    detail: str
    #: Seconds until it ends by itself; ``None`` if a person or another event ends it.
    delay_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendPause:
    """Let the active pause of this cause last longer, because the portal asked for more time."""

    cause: PauseReason
    detail: str
    #: Seconds from now until it ends by itself.
    delay_s: float
    #: How many times it was extended, with this one.
    extension_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """End the pause of this cause; tasks start when no other one is active."""

    cause: PauseReason


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """Leave a slot empty: the pool ends."""

    worker: WorkerRef
    cause: str
    #: Whether the pool ends anyway, so that the loss need not be reported.
    is_expected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Drain the workers and end the pool; queued tasks stay queued."""

    cause: StopCause
    detail: str
    #: Whether queued tasks stay queued although no worker is left.
    keeps_queue: bool = False

    @property
    def ends_queue(self) -> bool:
        """Whether every queued task fails because of it: ``FailQueued`` follows."""
        return self.cause is StopCause.NO_WORKERS and not self.keeps_queue


@dataclass(frozen=True, slots=True, kw_only=True)
class FailQueued:
    """Fail every queued task: no worker is left."""

    reason: Reason


#: Commands about the login of the workers.
LoginCommand = ScheduleVerification | RequestLoginCheck | RefreshLogin | CopyLogin | BackUpLogin | AnnounceLoginExpiry
#: Commands about the processes of the workers.
WorkerCommand = Spawn | KillAndRestart | Recycle | SuspendSlot | GiveUp
#: Commands about a group of tasks.
GroupCommand = WithholdGroup | ReleaseGroup | SetAside | ReopenGroup
#: Commands about tasks.
TaskCommand = FileReport | RecordOutcome | Requeue | Discard | Forget | FailQueued
#: Commands about the pauses of the pool.
PauseCommand = Pause | ExtendPause | Resume
Command = TaskCommand | GroupCommand | LoginCommand | WorkerCommand | ReportMemoryRecycle | PauseCommand | Stop


#: When a pause without a time limit ends.
_PAUSED_UNTIL: Mapping[PauseReason, str] = MappingProxyType(
    {
        PauseReason.OPERATOR: "until an operator resumes it",
        PauseReason.OUTSIDE_HOURS: "until the portal's working hours begin",
        PauseReason.PLACE_GONE: "until the folder is back",
        PauseReason.JOURNAL_LOCKED: "until the journal can be used again",
        PauseReason.MEMORY_SHORT: "until there is enough memory again",
        PauseReason.LOGIN_LOST: "until the login is back",
        PauseReason.LOGIN_REQUIRED: "until a person logs in (poolwright profile login {name}) and resumes the pool",
    }
)
_RESUMED_BECAUSE: Mapping[PauseReason, str] = MappingProxyType(
    {
        PauseReason.OPERATOR: "by an operator",
        PauseReason.PORTAL_DOWN: "trying the portal again",
        PauseReason.PORTAL_BUSY: "the pause for the busy portal is over",
        PauseReason.OUTSIDE_HOURS: "the portal's working hours have begun",
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


def pause_message(command: PauseCommand, profile_name: str) -> str:
    """Return the log line for a pause or its end; the profile's name fills the commands that it suggests."""
    if isinstance(command, Resume):
        return f"resumed: {_RESUMED_BECAUSE[command.cause]}"
    if isinstance(command, ExtendPause):
        return f"the pause is extended to {command.delay_s:g} s from now: {command.detail}"
    until = f"for {command.delay_s:g} s" if command.delay_s is not None else _PAUSED_UNTIL[command.cause]
    until = until.format(name=profile_name)
    return f"paused {until}: {command.detail}"
