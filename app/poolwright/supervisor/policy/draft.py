"""The working copy of the pool's state in which one decision is made.

A draft belongs to one call of ``decide``: handlers change it in place, see each other's changes at once, and emit
commands. A slot is copied when a handler first changes it, so that each event copies only what it changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from operator import attrgetter

from poolwright.domain.ids import TaskId, WorkerRef, without_task
from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.domain.storage import StorageTrouble
from poolwright.domain.tasks import POTask
from poolwright.supervisor.policy.commands import (
    Command,
    Discard,
    ExtendPause,
    Pause,
    Requeue,
    Resume,
    StagedAttempt,
    Stop,
    StopCause,
)
from poolwright.supervisor.policy.group_access import GroupAccess
from poolwright.supervisor.policy.login_state import LoginLifetime, LoginRecovery, LoginStatus, Logouts
from poolwright.supervisor.policy.pauses import PauseReason, Pauses, capped_wish_s
from poolwright.supervisor.policy.state import (
    MemoryPressure,
    PoolState,
    RecyclePolicy,
    RestartBudget,
    UnverifiedResults,
    WorkerSlot,
    held_task_ids,
)


@dataclass(slots=True, kw_only=True)
class SlotDraft:
    """The working copy of a ``WorkerSlot``, which describes the fields."""

    generation: int
    budget: RestartBudget
    held: dict[TaskId, POTask]
    outages_before: dict[TaskId, int]
    shown_before: dict[TaskId, int]
    unverified: UnverifiedResults
    is_given_up: bool
    failure_count: int
    was_recycled: bool
    is_being_killed: bool
    is_browser_unfit: bool
    is_portal_down: bool
    folder_trouble: StorageTrouble | None
    is_clone_gone: bool
    is_up: bool
    up_at_s: float
    done_count: int
    is_being_recycled: bool
    login_status: LoginStatus

    @classmethod
    def copy(cls, slot: WorkerSlot) -> SlotDraft:
        """Return a working copy of a slot."""
        draft = cls(**dict(zip(_SLOT_FIELDS, _slot_values(slot), strict=True)))
        draft.held = dict(slot.held)
        draft.outages_before, draft.shown_before = dict(slot.outages_before), dict(slot.shown_before)
        return draft

    def freeze(self) -> WorkerSlot:
        """Return the slot as it is now. It shares its tasks with the draft, which must be cleared or dropped next."""
        return WorkerSlot(**dict(zip(_SLOT_FIELDS, _slot_values(self), strict=True)))

    def clear(self) -> None:
        """Reset the fields of the generation that is gone."""
        self.held, self.outages_before, self.shown_before = {}, {}, {}
        self.unverified = UnverifiedResults()
        self.done_count = 0
        self.is_being_killed = self.is_being_recycled = self.is_up = False


@dataclass(slots=True, kw_only=True)
class Draft:
    """The working copy of a ``PoolState``, which describes the fields, with the commands emitted so far."""

    #: For reading; ``slot`` returns a slot to change.
    slots: dict[int, WorkerSlot | SlotDraft]
    max_attempts: int
    is_stopping: bool
    was_ready: bool
    waits_for_login: bool
    keeps_queue: bool
    login_recovery: LoginRecovery
    renews_early: bool
    login_lifetime: LoginLifetime
    pauses: Pauses
    memory: MemoryPressure
    recycle_policy: RecyclePolicy
    shown_count: int
    best: Mapping[TaskId, StagedAttempt]
    on_trial: frozenset[TaskId]
    free_returns: Mapping[TaskId, int]
    logouts: Logouts
    groups: GroupAccess
    commands: list[Command] = field(default_factory=list[Command])

    @classmethod
    def copy(cls, state: PoolState) -> Draft:
        """Return a working copy of a state, without commands."""
        draft = cls(**dict(zip(_POOL_FIELDS, _pool_values(state), strict=True)))
        draft.slots = dict(state.slots)
        return draft

    def freeze(self) -> PoolState:
        """Return the state as it is now; the draft must not be used afterwards."""
        for number, slot in self.slots.items():
            if isinstance(slot, SlotDraft):
                self.slots[number] = slot.freeze()
        return PoolState(**dict(zip(_POOL_FIELDS, _pool_values(self), strict=True)))

    def emit(self, command: Command) -> None:
        """Add a command after the earlier ones."""
        self.commands.append(command)

    def slot(self, number: int) -> SlotDraft:
        """Return a slot to change."""
        slot = self.slots[number]
        if isinstance(slot, SlotDraft):
            return slot
        draft = self.slots[number] = SlotDraft.copy(slot)
        return draft

    def worker(self, number: int) -> WorkerRef:
        """Return the current generation of a slot."""
        return WorkerRef(number, self.slots[number].generation)

    @property
    def held_task_ids(self) -> frozenset[TaskId]:
        """Tasks that workers hold, or whose results are unverified."""
        return held_task_ids(self.slots.values())

    def release_task(self, worker: WorkerRef, task_id: TaskId) -> POTask | None:
        """Remove a task from its worker and return it; ``None`` if the worker does not hold it."""
        slot = self.slot(worker.slot)
        slot.outages_before.pop(task_id, None)
        slot.shown_before.pop(task_id, None)
        return slot.held.pop(task_id, None)

    def requeue_unspent(
        self, worker: WorkerRef, task: POTask, why: ReturnReason | Reason, detail: str, delay_s: float = 0.0
    ) -> None:
        """Emit the return of a task to the queue without a spent attempt."""
        self.emit(Requeue(worker=worker, task=task, why=why, detail=detail, delay_s=delay_s, is_attempt_spent=False))

    def count_free_return(self, task_id: TaskId) -> None:
        """Count one more return of a task without a spent attempt."""
        self.free_returns = {**self.free_returns, task_id: self.free_returns.get(task_id, 0) + 1}

    def pop_best(self, task_id: TaskId) -> StagedAttempt | None:
        """Remove and return the earlier attempt of a task whose files are staged; ``None`` if there is none."""
        best = self.best.get(task_id)
        self.best = without_task(self.best, task_id)
        return best

    def discard(self, staged: StagedAttempt | None) -> None:
        """Emit the removal of an attempt's files, if there is such an attempt."""
        if staged is not None:
            self.emit(Discard(staged=staged))

    def forget(self, task_id: TaskId) -> None:
        """Drop the state of a task that has its outcome or was cancelled."""
        self.free_returns = without_task(self.free_returns, task_id)
        self.logouts = self.logouts.forget(task_id)
        self.best = without_task(self.best, task_id)
        self.on_trial -= {task_id}

    def pause(self, cause: PauseReason, detail: str, wish_s: float = 0.0, *, at_s: float = 0.0) -> float:
        """Begin a pause that ends by itself; one that is active already is only extended, if the portal asks for that.

        Args:
            cause: Its reason.
            detail: What happened, in whole sentences.
            wish_s: Seconds that the portal asks for; 0 if it asks for none.
            at_s: When it asked, in seconds of a monotonic clock; it counts only if pauses of this cause have wishes.

        Returns:
            Seconds after which the order that met the cause may start again.
        """
        delay_s = self.pauses.delay_s(cause, wish_s)
        if cause not in self.pauses.active:
            self.pauses = self.pauses.begin(cause, at_s + delay_s)
            self.emit(Pause(cause=cause, detail=detail, delay_s=delay_s))
        elif extended := self.pauses.extend(cause, at_s + capped_wish_s(wish_s)):
            self.pauses = extended
            count = extended.extension_count(cause)
            self.emit(ExtendPause(cause=cause, detail=detail, delay_s=capped_wish_s(wish_s), extension_count=count))
        return delay_s

    def pause_until_resumed(self, cause: PauseReason, detail: str) -> None:
        """Begin a pause without a time limit, unless it is active already."""
        if cause not in self.pauses.active:
            self.pauses = self.pauses.begin(cause)
            self.emit(Pause(cause=cause, detail=detail, delay_s=None))

    def resume(self, cause: PauseReason) -> None:
        """End a pause, if it is active."""
        if cause in self.pauses.active:
            self.pauses = self.pauses.end(cause)
            self.emit(Resume(cause=cause))

    def stop(self, cause: StopCause, detail: str, *, keeps_queue: bool = False) -> None:
        """End the pool, unless it is ending already."""
        if not self.is_stopping:
            self.is_stopping = True
            self.emit(Stop(cause=cause, detail=detail, keeps_queue=keeps_queue))


_SLOT_FIELDS = tuple(attribute.name for attribute in fields(WorkerSlot))
_slot_values = attrgetter(*_SLOT_FIELDS)
_POOL_FIELDS = tuple(attribute.name for attribute in fields(PoolState))
_pool_values = attrgetter(*_POOL_FIELDS)
