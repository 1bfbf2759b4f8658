"""Graceful recycling: a healthy worker that is due, or uses too much memory, finishes its tasks and restarts.

Pure.

Its profile, its cookies and its slot's count of restarts stay as they are. A long-lived browser grows, so each worker
gets such a fresh start after so many tasks, or after so long a time, whichever comes first; never two at a time.

Over the limit no further task starts, and the heaviest worker finishes what it has and is started anew on the same
profile. What that gave back is told. Tasks start again when memory is well below the limit, or no longer over it and
nothing more is to be gained. A worker that does not come back, or a round of restarts that all did not help, ends the
pool in order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from poolwright.domain.events import MemoryRelieved
from poolwright.domain.ids import WorkerRef
from poolwright.supervisor.policy.commands import Recycle, ReportMemoryRecycle, Resume, StopCause
from poolwright.supervisor.policy.events import MemorySampled, WorkerLost
from poolwright.supervisor.policy.pauses import PauseReason
from poolwright.supervisor.policy.retries import pause_until_resumed, stop
from poolwright.supervisor.policy.state import Decision, MemoryRecycle, PoolState, WorkerSlot

#: Holds during which a worker may be away: nobody waits for it, and it is in nobody's way.
_QUIET = frozenset({PauseReason.OPERATOR, PauseReason.MEMORY_SHORT})


def can_recycle(standing: PoolState, worker: WorkerRef) -> bool:
    """Whether this generation is at work, and no login depends on it."""
    slot = standing.slots[worker.slot]
    is_here = slot.generation == worker.generation and _is_working(slot)
    return is_here and not standing.login_recovery.is_under_way and not standing.is_stopping


def is_any_worker_down(standing: PoolState) -> bool:
    """Whether a worker is on its way out or back: never shall two be at the same time because of us."""
    return any(not slot.is_given_up and not _is_working(slot) for slot in standing.slots.values())


def recycle(standing: PoolState, worker: WorkerRef, cause: str) -> Decision:
    """Let a worker finish and come back."""
    slot = standing.slots[worker.slot]
    leaving = standing.with_slot(worker, replace(slot, is_being_recycled=True))
    return Decision(leaving, (Recycle(worker=worker, cause=cause),))


def on_restart_requested(standing: PoolState, number: int) -> Decision:
    """Start a worker anew because somebody asked for it, if it is at work."""
    worker = WorkerRef(number, standing.slots[number].generation)
    return (
        recycle(standing, worker, "requested by an operator") if can_recycle(standing, worker) else Decision(standing)
    )


def on_folder_recreated(standing: PoolState) -> PoolState:
    """What browsers live on was removed: every worker starts anew, one after another, also those that are coming up."""
    slots = {number: replace(slot, is_homeless=True) for number, slot in standing.slots.items()}
    return replace(standing, slots=slots)


def recycle_if_due(standing: PoolState, now_s: float) -> Decision:
    """Start a worker anew that has done enough, or lived long enough, unless another one is away."""
    if is_any_worker_down(standing) or standing.login_recovery.is_due or standing.pauses.active - _QUIET:
        return Decision(standing)
    for number, slot in sorted(standing.slots.items()):
        worker = WorkerRef(number, slot.generation)
        if (cause := _recycle_cause(standing, slot, now_s)) and can_recycle(standing, worker):
            return recycle(standing, worker, cause)
    return Decision(standing)


def _is_working(slot: WorkerSlot) -> bool:
    return slot.is_up and not (slot.is_given_up or slot.is_being_recycled or slot.is_being_killed)


def _recycle_cause(standing: PoolState, slot: WorkerSlot, now_s: float) -> str:
    """Why a worker is due; empty when it is not."""
    wear = standing.recycle_policy
    if slot.is_homeless:
        return "its profile was removed and is recreated"
    if standing.on_trial:
        return "an order that crashed workers gets its last attempt alone, in a fresh browser"
    if wear.tasks is not None and slot.done_count >= wear.tasks:
        return f"it has done {slot.done_count} orders"
    if wear.age_s is not None and now_s - slot.up_at_s >= wear.age_s:
        return f"its browser has run for {(now_s - slot.up_at_s) / 60:.0f} minutes"
    return ""


#: So far below the limit, as a part of all there is, memory is no longer short (design section 7).
HYSTERESIS = 0.05
#: From one restart for memory to the next (design section 7).
COOLDOWN_S = 60.0
#: A worker that gives back less than this part of what it used was not the cause.
HELP_SHARE = 0.1
_MB = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class _Watermarks:
    """Where memory stands between its limit and what there is."""

    used_bytes: int
    limit_bytes: int
    total_bytes: int

    @property
    def is_over(self) -> bool:
        return self.used_bytes > self.limit_bytes

    @property
    def is_well_below(self) -> bool:
        return self.used_bytes < self.limit_bytes - HYSTERESIS * self.total_bytes

    @property
    def summary(self) -> str:
        return f"{_mb(self.used_bytes)} of {_mb(self.limit_bytes)} allowed ({_mb(self.total_bytes)} in all)"


def on_memory_sample(standing: PoolState, fact: MemorySampled) -> Decision:
    """Decide about one memory sample of all workers."""
    if standing.is_stopping:
        return Decision(standing)
    limit_bytes = int(standing.memory.threshold * fact.total_bytes)
    marks = _Watermarks(used_bytes=fact.used_bytes, limit_bytes=limit_bytes, total_bytes=fact.total_bytes)
    seen = _report_recycle(standing, fact, marks)
    if marks.is_over:
        return seen.followed_by(_start_pressure(seen.standing, fact, marks))
    return seen.followed_by(_end_pressure(seen.standing, fact, marks))


def on_recycle_failed(standing: PoolState, slot: WorkerSlot, fact: WorkerLost) -> Decision | None:
    """Return what follows if a worker that was recycled for memory did not start again; ``None`` in any other case."""
    relief = standing.memory.recycle
    is_it = relief is not None and relief.worker.slot == fact.worker.slot and relief.worker != fact.worker
    if not is_it or slot.is_up or slot.is_portal_down or standing.is_stopping:
        return None
    detail = f"Memory ran short, and the worker that was recycled for it did not start again ({fact.cause})."
    return stop(standing, StopCause.MEMORY_SHORT, detail)


def _report_recycle(standing: PoolState, fact: MemorySampled, marks: _Watermarks) -> Decision:
    """Report how much memory recycling freed, once the worker is up again and was measured."""
    relief = standing.memory.recycle
    if relief is not None and standing.slots[relief.worker.slot].is_given_up:  # it died while it finished
        return Decision(replace(standing, memory=replace(standing.memory, recycle=None)))
    worker = relief and _generation_after(relief.worker, fact.by_worker)
    if relief is None or worker is None or not standing.slots[worker.slot].is_up or not fact.is_exact:
        return Decision(standing)
    after_bytes = fact.by_worker[worker]
    has_helped = not marks.is_over and after_bytes <= relief.before_bytes * (1 - HELP_SHARE)
    failed_count = standing.memory.failed_count + 1 if marks.is_over else 0
    relieved = MemoryRelieved(
        worker=worker,
        before_bytes=relief.before_bytes,
        after_bytes=after_bytes,
        total_before_bytes=relief.total_before_bytes,
        total_after_bytes=fact.used_bytes,
        limit_bytes=marks.limit_bytes,
        has_helped=has_helped,
    )
    known = replace(standing, memory=replace(standing.memory, recycle=None, failed_count=failed_count))
    return Decision(known, (ReportMemoryRecycle(relieved=relieved),))


def _generation_after(worker: WorkerRef, found: Mapping[WorkerRef, int]) -> WorkerRef | None:
    return next((one for one in found if one.slot == worker.slot and one.generation > worker.generation), None)


def _start_pressure(standing: PoolState, fact: MemorySampled, marks: _Watermarks) -> Decision:
    """Memory is over its limit: pause, and recycle the largest worker, one at a time."""
    held = pause_until_resumed(standing, PauseReason.MEMORY_SHORT, f"The workers use {marks.summary} of memory.")
    rest = held.standing
    if rest.memory.failed_count >= sum(not slot.is_given_up for slot in rest.slots.values()):
        vain = f"The workers use {marks.summary}, and recycling each of them did not help."
        detail = f"{vain} Use fewer workers or tabs, or give them more memory."
        return held.followed_by(stop(rest, StopCause.MEMORY_SHORT, detail))
    candidates = [] if is_any_worker_down(rest) else [one for one in fact.by_worker if can_recycle(rest, one)]
    if rest.memory.recycle is not None or _is_cooling(rest, fact.at_s) or not candidates or not fact.is_exact:
        return held
    worker = max(candidates, key=lambda one: fact.by_worker[one])
    before_bytes = fact.by_worker[worker]
    relief = MemoryRecycle(worker=worker, before_bytes=before_bytes, total_before_bytes=fact.used_bytes)
    begun = replace(rest, memory=replace(rest.memory, recycle=relief, recycled_at_s=fact.at_s))
    cause = f"memory is short: all workers use {marks.summary}, this one {_mb(before_bytes)}"
    return held.followed_by(recycle(begun, worker, cause))


def _end_pressure(standing: PoolState, fact: MemorySampled, marks: _Watermarks) -> Decision:
    """The limit is kept. Tasks start again once it is likely to stay so.

    Never before a restart was measured: what a new task uses then would count against the restart, as one in vain.
    """
    if PauseReason.MEMORY_SHORT not in standing.pauses.active or standing.memory.recycle is not None:
        return Decision(standing)
    if not marks.is_well_below and _is_cooling(standing, fact.at_s):
        return Decision(standing)
    over = replace(
        standing,
        pauses=standing.pauses.end(PauseReason.MEMORY_SHORT).forget(PauseReason.MEMORY_SHORT),
        memory=replace(standing.memory, failed_count=0),
    )
    return Decision(over, (Resume(cause=PauseReason.MEMORY_SHORT),))


def _is_cooling(standing: PoolState, now_s: float) -> bool:
    at_s = standing.memory.recycled_at_s
    return at_s is not None and now_s - at_s < COOLDOWN_S


def _mb(size_bytes: int) -> str:
    return f"{size_bytes / _MB:,.0f} MB"
