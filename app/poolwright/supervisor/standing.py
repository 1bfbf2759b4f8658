"""What the plan knows: every slot with what it has in hand, the holds that are on, and what was tried for free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from poolwright.domain.ids import TaskId, WorkerRef, without
from poolwright.domain.options import Limits, PoolOptions
from poolwright.domain.storage import StorageTrouble
from poolwright.domain.tasks import POTask
from poolwright.supervisor.commands import Command, Staged
from poolwright.supervisor.doubt import Doubt
from poolwright.supervisor.holds import Holds
from poolwright.supervisor.lifespan import Lifespan
from poolwright.supervisor.logouts import Logouts
from poolwright.supervisor.renewal import Access, Renewal
from poolwright.supervisor.restarts import RestartBudget


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One slot: which generation lives in it and what it has in hand."""

    generation: int = 1
    budget: RestartBudget = field(default_factory=RestartBudget)
    held: Mapping[TaskId, POTask] = field(default_factory=dict[TaskId, POTask])
    #: How many outages of the portal there had been when each task in hand was taken.
    outages_before: Mapping[TaskId, int] = field(default_factory=dict[TaskId, int])
    #: How many orders the portal had shown by then.
    shown_before: Mapping[TaskId, int] = field(default_factory=dict[TaskId, int])
    #: What it did not find, kept back until its session is proven.
    doubt: Doubt = field(default_factory=Doubt)
    #: Its restarts are spent: it is empty, for good where the pool ends, else for a while.
    is_given_up: bool = False
    #: Technical failures since the last success.
    failure_count: int = 0
    #: Whether a new generation was already tried against this row of failures.
    was_recycled: bool = False
    #: Its generation is being ended by us: what it has in hand goes back unspent.
    is_recycling: bool = False
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
    is_retiring: bool = False
    access: Access = Access.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Wear:
    """Limits after which a healthy worker is recycled."""

    #: Finished attempts; ``None`` for no limit.
    tasks: int | None = None
    #: Seconds since its browser was ready; ``None`` for no limit.
    age_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Relief:
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
    relief: Relief | None = None
    #: When the last restart for memory began, in seconds of a clock that only goes forward.
    relieved_at_s: float | None = None
    #: Restarts in a row after which memory was still over its limit.
    vain_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """State of the pool on which every decision depends."""

    slots: Mapping[int, Slot]
    max_attempts: int = 3
    is_stopping: bool = False
    #: Whether any worker ever came up: only then can a portal that does not answer come back.
    was_ready: bool = False
    #: Whether the pool waits for a person when no worker can log in; else it ends then.
    waits_for_login: bool = False
    #: Whether tasks stay queued when no worker is left.
    keeps_queue: bool = False
    renewal: Renewal = field(default_factory=Renewal)
    #: Whether a login may be renewed before it ends.
    renews_early: bool = False
    lifespan: Lifespan = field(default_factory=Lifespan)
    holds: Holds = field(default_factory=Holds)
    memory: MemoryPressure = field(default_factory=MemoryPressure)
    wear: Wear = field(default_factory=Wear)
    #: Orders that the portal has shown since the pool began.
    shown_count: int = 0
    #: Of each task that is tried again, the attempt that brought the most files so far.
    best: Mapping[TaskId, Staged] = field(default_factory=dict[TaskId, Staged])
    #: Tasks that wait for a fresh worker of their own.
    on_trial: frozenset[TaskId] = frozenset()
    #: How often a task went back without an attempt spent, since it was last fetched with a result.
    free_returns: Mapping[TaskId, int] = field(default_factory=dict[TaskId, int])
    #: Log-outs, and which tasks met them.
    logouts: Logouts = field(default_factory=Logouts)

    def limited(self, limits: Limits) -> Standing:
        """The same with other limits."""
        return replace(
            self,
            max_attempts=limits.max_attempts,
            memory=replace(self.memory, threshold=limits.memory_threshold),
            wear=Wear(tasks=limits.recycle_after_tasks, age_s=limits.recycle_after_s),
        )

    @property
    def can_work(self) -> bool:
        """Whether any worker is there, or comes up again: else nothing will be done any more."""
        return not self.is_stopping and any(not slot.is_given_up for slot in self.slots.values())

    @property
    def in_hand(self) -> frozenset[TaskId]:
        """Tasks that workers hold, or whose results are unverified."""
        return frozenset(task_id for slot in self.slots.values() for task_id in (*slot.held, *slot.doubt.task_ids))

    def with_slot(self, worker: WorkerRef, slot: Slot) -> Standing:
        """The same with another slot."""
        return replace(self, slots={**self.slots, worker.slot: slot})

    def release(self, slot: Slot, worker: WorkerRef, task_id: TaskId) -> tuple[POTask | None, Standing]:
        """Take a task out of a worker's hand. A worker that names a task it does not hold is not believed."""
        task = slot.held.get(task_id)
        held = {one: kept for one, kept in slot.held.items() if one != task_id}
        outages, shown = without(slot.outages_before, task_id), without(slot.shown_before, task_id)
        return task, self.with_slot(worker, replace(slot, held=held, outages_before=outages, shown_before=shown))

    def without_best(self, task_id: TaskId) -> Standing:
        """No earlier attempt of a task is kept any more."""
        return replace(self, best=without(self.best, task_id))

    def forget(self, task_id: TaskId) -> Standing:
        """A task has its outcome, or nobody wants it any more."""
        return replace(
            self,
            free_returns=without(self.free_returns, task_id),
            logouts=self.logouts.forget(task_id),
            best=without(self.best, task_id),
            on_trial=self.on_trial - {task_id},
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """What is known now, and what is to be done."""

    standing: Standing
    commands: tuple[Command, ...] = ()

    def then(self, *commands: Command) -> Decision:
        """The same with further commands behind."""
        return Decision(self.standing, (*self.commands, *commands))

    def led_by(self, *commands: Command) -> Decision:
        """The same with further commands in front."""
        return Decision(self.standing, (*commands, *self.commands))

    def followed_by(self, later: Decision) -> Decision:
        """A decision that was made on this one's standing, with the commands of both."""
        return Decision(later.standing, (*self.commands, *later.commands))


def opening(options: PoolOptions) -> Standing:
    """Return the state before the first event."""
    budget = RestartBudget(window_s=options.restart_window_s)
    return Standing(
        slots={slot: Slot(budget=budget) for slot in range(1, options.worker_count + 1)},
        waits_for_login=options.waits_for_login,
        keeps_queue=options.keeps_queue,
        renews_early=options.renews_early,
    ).limited(options.limits)
