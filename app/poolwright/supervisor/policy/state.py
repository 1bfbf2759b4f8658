"""State of a pool on which every decision depends: slots, tasks, restarts, logins, pauses and memory. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.options import Limits, PoolOptions
from poolwright.domain.storage import StorageTrouble
from poolwright.domain.tasks import POTask, Report
from poolwright.supervisor.policy.commands import StagedAttempt
from poolwright.supervisor.policy.group_access import GroupAccess
from poolwright.supervisor.policy.login_state import LoginLifetime, LoginRecovery, LoginStatus, Logouts
from poolwright.supervisor.policy.pauses import Pauses

#: Restarts of a slot for one kind of loss within its window (the mission: at most 3 restart attempts per session).
RESTART_LIMIT = 3
#: Delay before the first restart; doubled with each further one (design section 4).
FIRST_BACKOFF_S = 0.5
#: Seconds of tries after which a browser that never started is given up: less than one launch that takes all its time.
BROWSER_PATIENCE_S = 30.0
#: Time for which a slot whose restarts are spent stays empty, while others work.
SUSPENSION_S = 600.0


class LossKind(StrEnum):
    """Kinds of losses of a worker. Restarts are counted for each kind, so that one does not spend those of another."""

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
    #: It hung after it had finished its tasks.
    HUNG_AT_END = "hung_at_end"


@dataclass(frozen=True, slots=True)
class Restart:
    """One restart of a slot."""

    #: When it happened, in seconds of a monotonic clock.
    at_s: float
    kind: LossKind = LossKind.DIED


@dataclass(frozen=True, slots=True)
class RestartBudget:
    """The restarts of a slot within a sliding window, or all if there is no window."""

    #: Seconds for which a restart counts; ``None`` if it counts to the end of the session.
    window_s: float | None = None
    spent: tuple[Restart, ...] = ()

    def is_spent(self, now_s: float, kind: LossKind = LossKind.DIED) -> bool:
        """Whether no restart is left for a loss of this kind."""
        return self._count(now_s, kind) >= RESTART_LIMIT

    def delay_s(self, now_s: float, kind: LossKind = LossKind.DIED) -> float:
        """Return the delay before the next restart."""
        return FIRST_BACKOFF_S * 2.0 ** self._count(now_s, kind)

    def age_s(self, now_s: float, kind: LossKind = LossKind.DIED) -> float:
        """Return the seconds since the first restart for a loss of this kind; 0 if there was none."""
        times = [restart.at_s for restart in self._counting(now_s) if restart.kind is kind]
        return now_s - min(times, default=now_s)

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
    """One outcome that is held back."""

    task: POTask
    report: Report
    #: Other tasks of its worker at that time. Their pages were perhaps loaded before, so their success proves nothing.
    concurrent_tasks: frozenset[TaskId]

    @property
    def task_id(self) -> TaskId:
        """Id of the task."""
        return self.task.task_id


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedResults:
    """The outcomes of one worker that are held back, oldest first."""

    row: tuple[UnverifiedResult, ...] = ()
    #: The tasks that the running login check covers; ``None`` if no check runs.
    checked_task_ids: frozenset[TaskId] | None = None
    #: Tasks that were held when the session was last lost, so that their pages were perhaps loaded without a login.
    tainted: frozenset[TaskId] = frozenset()

    @property
    def is_checking(self) -> bool:
        """Whether a login check runs."""
        return self.checked_task_ids is not None

    @property
    def task_ids(self) -> frozenset[TaskId]:
        """Ids of the tasks whose outcomes are held back."""
        return frozenset(result.task_id for result in self.row)

    def add(self, result: UnverifiedResult) -> UnverifiedResults:
        """Return the results with one more."""
        return replace(self, row=(*self.row, result))

    def begin_check(self) -> UnverifiedResults:
        """Return the state after a login check began. It covers only the results that are held back by then."""
        return replace(self, checked_task_ids=self.task_ids)

    def end_check(self) -> UnverifiedResults:
        """Return the state after the login check."""
        return replace(self, checked_task_ids=None)

    def discard(self, task_ids: Collection[TaskId]) -> UnverifiedResults:
        """Return the results without those of these tasks."""
        return replace(self, row=tuple(result for result in self.row if result.task_id not in task_ids))

    def mark_clean(self, task_id: TaskId) -> UnverifiedResults:
        """Return the state after a tainted task was requeued, which happens once."""
        return replace(self, tainted=self.tainted - {task_id})

    def without_results(self, tainted: Collection[TaskId]) -> UnverifiedResults:
        """Return the state without results; a login check that still runs covers none of the later ones."""
        return UnverifiedResults(
            checked_task_ids=None if self.checked_task_ids is None else frozenset(), tainted=frozenset(tainted)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSlot:
    """One slot: its generation, the tasks that it holds, and what is known about it."""

    generation: int = 1
    budget: RestartBudget = field(default_factory=RestartBudget)
    held: Mapping[TaskId, POTask] = field(default_factory=dict[TaskId, POTask])
    #: Number of outages of the portal before each held task was taken.
    outages_before: Mapping[TaskId, int] = field(default_factory=dict[TaskId, int])
    #: Number of orders that the portal had shown before each held task was taken.
    shown_before: Mapping[TaskId, int] = field(default_factory=dict[TaskId, int])
    #: Results that are held back until its session is verified.
    unverified: UnverifiedResults = field(default_factory=UnverifiedResults)
    #: Whether it is empty because its restarts are spent: for good if the pool ends, else for a time.
    is_given_up: bool = False
    #: Technical failures since the last success.
    failure_count: int = 0
    #: Whether a new generation was already tried against these failures.
    was_recycled: bool = False
    #: Whether the pool is killing its generation, so that its tasks return unspent.
    is_being_killed: bool = False
    #: Whether its generation could not start its browser; also true if the generation was killed while it started.
    is_browser_unfit: bool = False
    #: Whether its generation found that the portal does not answer.
    is_portal_down: bool = False
    #: Why its generation could not write its own folder; ``None`` if it could.
    folder_trouble: StorageTrouble | None = None
    #: Whether the clone with which its generation began was removed.
    is_clone_gone: bool = False
    #: Whether its generation has reported that it is ready.
    is_up: bool = False
    #: When it reported so, in seconds of a monotonic clock.
    up_at_s: float = 0.0
    #: Number of attempts that its generation finished.
    done_count: int = 0
    #: Whether its generation is finishing its tasks and will be followed by another one.
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
    """A recycling for memory whose effect is not measured yet."""

    #: The recycled generation.
    worker: WorkerRef
    #: Memory that it used, and that all workers used together.
    before_bytes: int
    total_before_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPressure:
    """State of the pool's memory use and of recycling because of it."""

    #: Share of all memory that may be used.
    threshold: float = 0.75
    recycle: MemoryRecycle | None = None
    #: When the last recycling for memory began, in seconds of a monotonic clock.
    recycled_at_s: float | None = None
    #: Consecutive recyclings after which memory was still over its limit.
    failed_count: int = 0


class TaskHolder(Protocol):
    """A slot, or the working copy of one."""

    @property
    def held(self) -> Mapping[TaskId, POTask]:
        """Tasks that its worker has."""
        ...

    @property
    def unverified(self) -> UnverifiedResults:
        """Results of its worker that a login check has to confirm."""
        ...


def held_task_ids(slots: Iterable[TaskHolder]) -> frozenset[TaskId]:
    """Return the tasks that the workers of these slots hold, or whose results are unverified."""
    return frozenset(task_id for slot in slots for task_id in (*slot.held, *slot.unverified.task_ids))


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolState:
    """State of the pool on which every decision depends."""

    slots: Mapping[int, WorkerSlot]
    max_attempts: int = 3
    is_stopping: bool = False
    #: Whether any worker was ever ready; before that, a portal that does not answer is an error of the set-up.
    was_ready: bool = False
    #: Whether the pool waits for a person if no worker can log in; else it ends.
    waits_for_login: bool = False
    #: Whether tasks stay queued if no worker is left.
    keeps_queue: bool = False
    login_recovery: LoginRecovery = field(default_factory=LoginRecovery)
    #: Whether a login may be renewed before it ends.
    renews_early: bool = False
    login_lifetime: LoginLifetime = field(default_factory=LoginLifetime)
    pauses: Pauses = field(default_factory=Pauses)
    memory: MemoryPressure = field(default_factory=MemoryPressure)
    recycle_policy: RecyclePolicy = field(default_factory=RecyclePolicy)
    #: Number of orders that the portal has shown since the pool began.
    shown_count: int = 0
    #: The attempt with the most files of each task that is tried again.
    best: Mapping[TaskId, StagedAttempt] = field(default_factory=dict[TaskId, StagedAttempt])
    #: Tasks on trial that wait for a fresh worker.
    on_trial: frozenset[TaskId] = frozenset()
    #: How often each task has returned without a spent attempt because of an outage.
    free_returns: Mapping[TaskId, int] = field(default_factory=dict[TaskId, int])
    #: The last log-out, and which tasks met one.
    logouts: Logouts = field(default_factory=Logouts)
    #: Refusals of each group of orders.
    groups: GroupAccess = field(default_factory=GroupAccess)

    @property
    def can_work(self) -> bool:
        """Whether any worker runs or will be restarted; if not, no further task is done."""
        return not self.is_stopping and any(not slot.is_given_up for slot in self.slots.values())

    @property
    def held_task_ids(self) -> frozenset[TaskId]:
        """Tasks that workers hold, or whose results are unverified."""
        return held_task_ids(self.slots.values())


def initial_state(options: PoolOptions, groups_set_aside: Mapping[str, str] = MappingProxyType({})) -> PoolState:
    """Return the state before the first event.

    Args:
        options: The options of the pool.
        groups_set_aside: The groups that are set aside from the start, with the cause of each.
    """
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
        groups=GroupAccess(limit=options.group_limit, set_aside=dict(groups_set_aside)),
    )
