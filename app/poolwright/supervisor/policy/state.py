"""State of a pool on which every decision depends.

Its slots with their tasks, restarts and unverified results, and its pauses. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.options import Limits, PoolOptions
from poolwright.domain.storage import StorageTrouble
from poolwright.domain.tasks import POTask, Report
from poolwright.supervisor.policy.commands import StagedAttempt
from poolwright.supervisor.policy.login_state import LoginLifetime, LoginRecovery, LoginStatus, Logouts
from poolwright.supervisor.policy.pauses import Pauses

#: The mission's rule: restart attempts of a worker are limited to 3 per session, here for one kind of loss in a window.
RESTART_LIMIT = 3
#: First pause before a restart; doubled with each further one (design section 4).
FIRST_BACKOFF_S = 0.5
#: A slot whose restarts are spent is left empty for so long while others work, and then tried again.
SUSPENSION_S = 600.0


class LossKind(StrEnum):
    """What kind of loss a worker was. A slot has its restarts for each: one cause does not spend those of another."""

    #: Its process ended or was killed.
    DIED = "died"
    #: It stopped sending messages.
    SILENT = "silent"
    #: It did not start in time.
    SLOW_START = "slow_start"
    #: It sent invalid messages.
    GARBLED = "garbled"
    #: It reported that it cannot continue: its browser or its driver is gone.
    UNABLE = "unable"
    #: It could not be started, or its profile could not be prepared.
    NOT_STARTED = "not_started"
    #: It hung when it had nothing left to do.
    HUNG_AT_END = "hung_at_end"


@dataclass(frozen=True, slots=True)
class Restart:
    """One restart of a slot."""

    #: In seconds of a clock that only goes forward.
    at_s: float
    kind: LossKind = LossKind.DIED


@dataclass(frozen=True, slots=True)
class RestartBudget:
    """The restarts of a slot that count: those of a sliding window, or all where it has none."""

    #: How long a restart counts; ``None`` if it counts to the end of the session.
    window_s: float | None = None
    spent: tuple[Restart, ...] = ()

    def is_spent(self, now_s: float, kind: LossKind = LossKind.DIED) -> bool:
        """Whether the slot must not come back at once after a loss of this kind."""
        return self._count(now_s, kind) >= RESTART_LIMIT

    def delay_s(self, now_s: float, kind: LossKind = LossKind.DIED) -> float:
        """Pause before the next restart."""
        return FIRST_BACKOFF_S * 2.0 ** self._count(now_s, kind)

    def spend(self, now_s: float, kind: LossKind = LossKind.DIED) -> RestartBudget:
        """Return the budget with one restart spent."""
        return RestartBudget(window_s=self.window_s, spent=(*self._counting(now_s), Restart(now_s, kind)))

    def _count(self, now_s: float, kind: LossKind) -> int:
        return sum(restart.kind is kind for restart in self._counting(now_s))

    def _counting(self, now_s: float) -> tuple[Restart, ...]:
        if self.window_s is None:
            return self.spent
        return tuple(restart for restart in self.spent if now_s - restart.at_s < self.window_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedResult:
    """One outcome that is kept back."""

    task: POTask
    report: Report
    #: What its worker had in hand beside it. Their pages were perhaps read before: their success proves nothing.
    beside: frozenset[TaskId]

    @property
    def task_id(self) -> TaskId:
        """Whose outcome it is."""
        return self.task.task_id


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedResults:
    """The outcomes of one worker that are kept back, in the order in which they came."""

    row: tuple[UnverifiedResult, ...] = ()
    #: The tasks that the running login check covers; ``None`` if no check runs.
    probed: frozenset[TaskId] | None = None
    #: In hand when the session was last lost: whatever they do not find, they may have looked for without a login.
    tainted: frozenset[TaskId] = frozenset()

    @property
    def is_checking(self) -> bool:
        """Whether an answer is waited for."""
        return self.probed is not None

    @property
    def task_ids(self) -> frozenset[TaskId]:
        """Whose outcomes are kept back."""
        return frozenset(result.task_id for result in self.row)

    def add(self, result: UnverifiedResult) -> UnverifiedResults:
        """One more."""
        return replace(self, row=(*self.row, result))

    def begin_check(self) -> UnverifiedResults:
        """A probe begins. It tells about pages that were read before it, and so about no later ones."""
        return replace(self, probed=self.task_ids)

    def end_check(self) -> UnverifiedResults:
        """The probe is over."""
        return replace(self, probed=None)

    def discard(self, task_ids: Collection[TaskId]) -> UnverifiedResults:
        """The same without those that were proven."""
        return replace(self, row=tuple(result for result in self.row if result.task_id not in task_ids))

    def mark_clean(self, task_id: TaskId) -> UnverifiedResults:
        """A task was looked for in vain, and goes back for it once."""
        return replace(self, tainted=self.tainted - {task_id})

    def cleared(self, tainted: Collection[TaskId]) -> UnverifiedResults:
        """Nothing is kept back any more; a probe that is still under way proves nothing."""
        return UnverifiedResults(probed=None if self.probed is None else frozenset(), tainted=frozenset(tainted))


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSlot:
    """One slot: which generation lives in it and what it has in hand."""

    generation: int = 1
    budget: RestartBudget = field(default_factory=RestartBudget)
    held: Mapping[TaskId, POTask] = field(default_factory=dict[TaskId, POTask])
    #: How many outages of the portal there had been when each task in hand was taken.
    outages_before: Mapping[TaskId, int] = field(default_factory=dict[TaskId, int])
    #: How many orders the portal had shown by then.
    shown_before: Mapping[TaskId, int] = field(default_factory=dict[TaskId, int])
    #: What it did not find, kept back until its session is proven.
    unverified: UnverifiedResults = field(default_factory=UnverifiedResults)
    #: Its restarts are spent: it is empty, for good where the pool ends, else for a while.
    is_given_up: bool = False
    #: Technical failures since the last success.
    failure_count: int = 0
    #: Whether a new generation was already tried against this row of failures.
    was_recycled: bool = False
    #: Its generation is being ended by us: what it has in hand goes back unspent.
    is_being_killed: bool = False
    #: Its generation could not start its browser. One that was killed while it came up looks the same.
    is_browser_unfit: bool = False
    #: Its generation found that the portal does not answer.
    is_portal_down: bool = False
    #: Why its generation could not write its own folder; ``None`` if it could.
    home_trouble: StorageTrouble | None = None
    #: The clone that its generation began with was removed.
    is_homeless: bool = False
    #: Whether its generation said that it is ready.
    is_up: bool = False
    #: When it said so, in seconds of a clock that only goes forward.
    up_at_s: float = 0.0
    #: Attempts that its generation finished.
    done_count: int = 0
    #: Its generation finishes what it has, closes its browser and is followed by another one.
    is_being_recycled: bool = False
    login_status: LoginStatus = LoginStatus.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class RecyclePolicy:
    """Limits after which a healthy worker is recycled."""

    #: Finished attempts; ``None`` for no limit.
    tasks: int | None = None
    #: Seconds since its browser was ready; ``None`` for no limit.
    age_s: float | None = None

    @classmethod
    def from_limits(cls, limits: Limits) -> RecyclePolicy:
        """Return the limits of a worker among those of the pool."""
        return cls(tasks=limits.recycle_after_tasks, age_s=limits.recycle_after_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryRecycle:
    """A restart for memory whose effect is not seen yet."""

    #: The generation that had to go.
    worker: WorkerRef
    #: What it used, and all of them together.
    before_bytes: int
    total_before_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPressure:
    """State of the pool's memory use and of recycling because of it."""

    #: The part of all there is that may be used.
    threshold: float = 0.75
    recycle: MemoryRecycle | None = None
    #: When the last restart for memory began, in seconds of a clock that only goes forward.
    recycled_at_s: float | None = None
    #: Restarts in a row after which memory was still over its limit.
    failed_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolState:
    """State of the pool on which every decision depends."""

    slots: Mapping[int, WorkerSlot]
    max_attempts: int = 3
    is_stopping: bool = False
    #: Whether any worker ever came up: only then can a portal that does not answer come back.
    was_ready: bool = False
    #: Whether the pool waits for a person when no worker can log in; else it ends then.
    waits_for_login: bool = False
    #: Whether tasks stay queued when no worker is left.
    keeps_queue: bool = False
    login_recovery: LoginRecovery = field(default_factory=LoginRecovery)
    #: Whether a login may be renewed before it ends.
    renews_early: bool = False
    login_lifetime: LoginLifetime = field(default_factory=LoginLifetime)
    pauses: Pauses = field(default_factory=Pauses)
    memory: MemoryPressure = field(default_factory=MemoryPressure)
    recycle_policy: RecyclePolicy = field(default_factory=RecyclePolicy)
    #: Orders that the portal has shown since the pool began.
    shown_count: int = 0
    #: Of each task that is tried again, the attempt that brought the most files so far.
    best: Mapping[TaskId, StagedAttempt] = field(default_factory=dict[TaskId, StagedAttempt])
    #: Tasks that wait for a fresh worker of their own.
    on_trial: frozenset[TaskId] = frozenset()
    #: How often a task went back without an attempt spent, since it was last fetched with a result.
    free_returns: Mapping[TaskId, int] = field(default_factory=dict[TaskId, int])
    #: Log-outs, and which tasks met them.
    logouts: Logouts = field(default_factory=Logouts)

    @property
    def can_work(self) -> bool:
        """Whether any worker is there, or comes up again: else nothing will be done any more."""
        return not self.is_stopping and any(not slot.is_given_up for slot in self.slots.values())

    @property
    def in_hand(self) -> frozenset[TaskId]:
        """Tasks that workers hold, or whose results are unverified."""
        return frozenset(task_id for slot in self.slots.values() for task_id in (*slot.held, *slot.unverified.task_ids))


def initial_state(options: PoolOptions) -> PoolState:
    """Return the state before the first event."""
    budget = RestartBudget(window_s=options.restart_window_s)
    limits = options.limits
    return PoolState(
        slots={slot: WorkerSlot(budget=budget) for slot in range(1, options.worker_count + 1)},
        max_attempts=limits.max_attempts,
        memory=MemoryPressure(threshold=limits.memory_threshold),
        recycle_policy=RecyclePolicy.from_limits(limits),
        waits_for_login=options.waits_for_login,
        keeps_queue=options.keeps_queue,
        renews_early=options.renews_early,
    )
