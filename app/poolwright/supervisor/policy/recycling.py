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
from poolwright.supervisor.policy.commands import Recycle, ReportMemoryRecycle, StopCause
from poolwright.supervisor.policy.draft import Draft, SlotDraft
from poolwright.supervisor.policy.events import FolderRecreated, MemorySampled, RestartRequested, WorkerLost
from poolwright.supervisor.policy.pauses import PauseReason
from poolwright.supervisor.policy.state import MemoryRecycle, WorkerSlot

#: Pauses during which a worker may be away: nobody waits for it, and it is in nobody's way.
_QUIET = frozenset({PauseReason.OPERATOR, PauseReason.MEMORY_SHORT})


def on_restart_requested(draft: Draft, event: RestartRequested) -> None:
    """Start a worker anew because somebody asked for it, if it is at work."""
    worker = draft.worker(event.slot)
    if _can_recycle(draft, worker):
        _recycle(draft, worker, "requested by an operator")


def on_folder_recreated(draft: Draft, _event: FolderRecreated) -> None:
    """Let every worker start anew, one after another, also those that are coming up: what browsers live on is gone."""
    for number in draft.slots:
        draft.slot(number).is_homeless = True


def on_memory_sampled(draft: Draft, event: MemorySampled) -> None:
    """Decide about memory, and about what is due: a sample comes every few seconds, so it is the clock of that too."""
    if not draft.is_stopping:
        _check_memory(draft, event)
        _recycle_if_due(draft, event.at_s)


def _recycle_if_due(draft: Draft, now_s: float) -> None:
    """Start a worker anew that has done enough, or lived long enough, unless another one is away."""
    if _is_any_worker_down(draft) or draft.login_recovery.is_due or draft.pauses.active - _QUIET:
        return
    for number, slot in sorted(draft.slots.items()):
        worker = draft.worker(number)
        if (cause := _recycle_cause(draft, slot, now_s)) and _can_recycle(draft, worker):
            _recycle(draft, worker, cause)
            return


def _can_recycle(draft: Draft, worker: WorkerRef) -> bool:
    """Whether this generation is at work, and no login depends on it."""
    slot = draft.slots[worker.slot]
    is_here = slot.generation == worker.generation and _is_working(slot)
    return is_here and not draft.login_recovery.is_under_way and not draft.is_stopping


def _is_any_worker_down(draft: Draft) -> bool:
    """Whether a worker is on its way out or back: never shall two be at the same time because of us."""
    return any(not slot.is_given_up and not _is_working(slot) for slot in draft.slots.values())


def _is_working(slot: WorkerSlot | SlotDraft) -> bool:
    return slot.is_up and not (slot.is_given_up or slot.is_being_recycled or slot.is_being_killed)


def _recycle(draft: Draft, worker: WorkerRef, cause: str) -> None:
    """Let a worker finish and come back."""
    draft.slot(worker.slot).is_being_recycled = True
    draft.emit(Recycle(worker=worker, cause=cause))


def _recycle_cause(draft: Draft, slot: WorkerSlot | SlotDraft, now_s: float) -> str:
    """Return why a worker is due; empty when it is not."""
    limits = draft.recycle_policy
    if slot.is_homeless:
        return "its profile was removed and is recreated"
    if draft.on_trial:
        return "an order that crashed workers gets its last attempt alone, in a fresh browser"
    if limits.tasks is not None and slot.done_count >= limits.tasks:
        return f"it has done {slot.done_count} orders"
    if limits.age_s is not None and now_s - slot.up_at_s >= limits.age_s:
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


def on_recycle_failed(draft: Draft, event: WorkerLost, *, was_ready: bool) -> bool:
    """End the pool if a worker that was recycled for memory did not start again; return whether it was that."""
    recycle = draft.memory.recycle
    if recycle is None or recycle.worker.slot != event.worker.slot or recycle.worker == event.worker:
        return False
    if was_ready or draft.slots[event.worker.slot].is_portal_down:
        return False
    detail = f"Memory ran short, and the worker that was recycled for it did not start again ({event.cause})."
    draft.stop(StopCause.MEMORY_SHORT, detail)
    return True


def _check_memory(draft: Draft, event: MemorySampled) -> None:
    limit_bytes = int(draft.memory.threshold * event.total_bytes)
    marks = _Watermarks(used_bytes=event.used_bytes, limit_bytes=limit_bytes, total_bytes=event.total_bytes)
    _report_recycle(draft, event, marks)
    if marks.is_over:
        _start_pressure(draft, event, marks)
    else:
        _end_pressure(draft, event, marks)


def _report_recycle(draft: Draft, event: MemorySampled, marks: _Watermarks) -> None:
    """Report how much memory recycling freed, once the worker is up again and was measured."""
    recycle = draft.memory.recycle
    if recycle is None:
        return
    if draft.slots[recycle.worker.slot].is_given_up:  # it died while it finished
        draft.memory = replace(draft.memory, recycle=None)
        return
    worker = _generation_after(recycle.worker, event.by_worker)
    if worker is None or not draft.slots[worker.slot].is_up or not event.is_exact:
        return
    after_bytes = event.by_worker[worker]
    failed_count = draft.memory.failed_count + 1 if marks.is_over else 0
    draft.memory = replace(draft.memory, recycle=None, failed_count=failed_count)
    relieved = MemoryRelieved(
        worker=worker,
        before_bytes=recycle.before_bytes,
        after_bytes=after_bytes,
        total_before_bytes=recycle.total_before_bytes,
        total_after_bytes=event.used_bytes,
        limit_bytes=marks.limit_bytes,
        has_helped=not marks.is_over and after_bytes <= recycle.before_bytes * (1 - HELP_SHARE),
    )
    draft.emit(ReportMemoryRecycle(relieved=relieved))


def _generation_after(worker: WorkerRef, found: Mapping[WorkerRef, int]) -> WorkerRef | None:
    return next((other for other in found if other.slot == worker.slot and other.generation > worker.generation), None)


def _start_pressure(draft: Draft, event: MemorySampled, marks: _Watermarks) -> None:
    """Pause while memory is over its limit, and recycle the largest worker, one at a time."""
    draft.pause_until_resumed(PauseReason.MEMORY_SHORT, f"The workers use {marks.summary} of memory.")
    if draft.memory.failed_count >= sum(not slot.is_given_up for slot in draft.slots.values()):
        in_vain = f"The workers use {marks.summary}, and recycling each of them did not help."
        detail = f"{in_vain} Use fewer workers or tabs, or give them more memory."
        draft.stop(StopCause.MEMORY_SHORT, detail)
        return
    if draft.memory.recycle is not None or _is_cooling(draft, event.at_s) or not event.is_exact:
        return
    candidates = [worker for worker in event.by_worker if _can_recycle(draft, worker)]
    if not candidates or _is_any_worker_down(draft):
        return
    worker = max(candidates, key=lambda candidate: event.by_worker[candidate])
    before_bytes = event.by_worker[worker]
    recycle = MemoryRecycle(worker=worker, before_bytes=before_bytes, total_before_bytes=event.used_bytes)
    draft.memory = replace(draft.memory, recycle=recycle, recycled_at_s=event.at_s)
    _recycle(draft, worker, f"memory is short: all workers use {marks.summary}, this one {_mb(before_bytes)}")


def _end_pressure(draft: Draft, event: MemorySampled, marks: _Watermarks) -> None:
    """Let tasks start again once the limit is likely to be kept.

    Never before a restart was measured: what a new task uses then would count against the restart, as one in vain.
    """
    if PauseReason.MEMORY_SHORT not in draft.pauses.active or draft.memory.recycle is not None:
        return
    if not marks.is_well_below and _is_cooling(draft, event.at_s):
        return
    draft.memory = replace(draft.memory, failed_count=0)
    draft.resume(PauseReason.MEMORY_SHORT)
    draft.pauses = draft.pauses.forget(PauseReason.MEMORY_SHORT)


def _is_cooling(draft: Draft, now_s: float) -> bool:
    at_s = draft.memory.recycled_at_s
    return at_s is not None and now_s - at_s < COOLDOWN_S


def _mb(size_bytes: int) -> str:
    return f"{size_bytes / _MB:,.0f} MB"
