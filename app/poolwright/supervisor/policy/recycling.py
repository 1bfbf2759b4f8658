"""Graceful recycling: a healthy worker that is due, or uses too much memory, finishes its tasks and restarts.

The worker keeps its profile, its cookies and the restart budget of its slot. A long-lived browser grows, so each worker
is recycled after a number of tasks or after a time, whichever comes first, and never two workers at the same time.

While memory is over the limit, no further task starts, and the largest worker is recycled. The memory that this freed
is reported. Tasks start again when memory is well below the limit, or below it after the cooldown of a recycling. A
worker that does not start again, or a round of recycling that did not help, ends the pool in order. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from poolwright.domain.events import MemoryRelieved, megabytes
from poolwright.domain.ids import WorkerRef
from poolwright.supervisor.policy.commands import Recycle, ReportMemoryRecycle, StopCause
from poolwright.supervisor.policy.draft import Draft, SlotDraft
from poolwright.supervisor.policy.events import FolderRecreated, MemorySampled, RestartRequested, WorkerLost
from poolwright.supervisor.policy.pauses import PauseReason
from poolwright.supervisor.policy.state import MemoryRecycle, WorkerSlot

#: Pauses during which a worker may be recycled: it delays no task and no login.
_QUIET = frozenset({PauseReason.OPERATOR, PauseReason.MEMORY_SHORT})


def on_restart_requested(draft: Draft, event: RestartRequested) -> None:
    """Recycle a worker at the request of a person, if it is working."""
    worker = draft.worker(event.slot)
    if _can_recycle(draft, worker):
        _recycle(draft, worker, "requested by an operator")


def on_folder_recreated(draft: Draft, _event: FolderRecreated) -> None:
    """Note that every worker must restart, also those that are starting, because the clones are gone."""
    for number in draft.slots:
        draft.slot(number).is_clone_gone = True


def on_memory_sampled(draft: Draft, event: MemorySampled) -> None:
    """Check memory, and recycle a worker that is due: samples come every few seconds, so they serve as a clock."""
    if not draft.is_stopping:
        _check_memory(draft, event)
        _recycle_if_due(draft, event.at_s)


def recycle_if_worn(draft: Draft, worker: WorkerRef) -> None:
    """Recycle a worker that has just done its number of tasks: a short list may be over before the next sample."""
    slot = draft.slots[worker.slot]
    if (cause := _wear_cause(draft, slot)) and _can_recycle(draft, worker) and not _is_recycling_forbidden(draft):
        _recycle(draft, worker, cause)


def _recycle_if_due(draft: Draft, now_s: float) -> None:
    """Recycle the first worker that is due, unless another worker is down or a pause forbids it."""
    if _is_recycling_forbidden(draft):
        return
    for number, slot in sorted(draft.slots.items()):
        worker = draft.worker(number)
        if (cause := _recycle_cause(draft, slot, now_s)) and _can_recycle(draft, worker):
            _recycle(draft, worker, cause)
            return


def _can_recycle(draft: Draft, worker: WorkerRef) -> bool:
    """Whether this generation is working and no login depends on it."""
    slot = draft.slots[worker.slot]
    is_working = slot.generation == worker.generation and _is_working(slot)
    return is_working and not draft.login_recovery.is_active and not draft.is_stopping


def _is_recycling_forbidden(draft: Draft) -> bool:
    return _is_any_worker_down(draft) or draft.login_recovery.is_due or bool(draft.pauses.active - _QUIET)


def _is_any_worker_down(draft: Draft) -> bool:
    """Whether a worker is ending or starting: the policy never recycles two at the same time."""
    return any(not slot.is_given_up and not _is_working(slot) for slot in draft.slots.values())


def _is_working(slot: WorkerSlot | SlotDraft) -> bool:
    return slot.is_up and not (slot.is_given_up or slot.is_being_recycled or slot.is_being_killed)


def _recycle(draft: Draft, worker: WorkerRef, cause: str) -> None:
    """Let a worker finish its tasks and restart."""
    draft.slot(worker.slot).is_being_recycled = True
    draft.emit(Recycle(worker=worker, cause=cause))


def _recycle_cause(draft: Draft, slot: WorkerSlot | SlotDraft, now_s: float) -> str:
    """Return why a worker is due; empty if it is not."""
    limits = draft.recycle_policy
    if slot.is_clone_gone:
        return "its profile was removed and is recreated"
    if draft.on_trial:
        return "an order that crashed workers gets its last attempt alone, in a fresh browser"
    if cause := _wear_cause(draft, slot):
        return cause
    if limits.age_s is not None and now_s - slot.up_at_s >= limits.age_s:
        return f"its browser has run for {(now_s - slot.up_at_s) / 60:.0f} minutes"
    return ""


def _wear_cause(draft: Draft, slot: WorkerSlot | SlotDraft) -> str:
    """Return why a worker is worn; empty if it is not, or if tasks do not wear it."""
    limit = draft.recycle_policy.tasks
    return f"it has done {slot.done_count} orders" if limit is not None and slot.done_count >= limit else ""


#: Distance below the limit, as a share of all memory, at which memory is no longer short (design section 7).
HYSTERESIS = 0.05
#: Shortest time between two recyclings for memory (design section 7).
COOLDOWN_S = 60.0
#: Share of its memory that recycling must free to count as help.
HELP_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Watermarks:
    """Memory in use, its limit, and all memory."""

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
        used, limit, total = map(megabytes, (self.used_bytes, self.limit_bytes, self.total_bytes))
        return f"{used} of {limit} allowed ({total} in all)"


def on_recycle_failed(draft: Draft, event: WorkerLost, *, was_ready: bool) -> bool:
    """End the pool if a worker that was recycled for memory did not start again; return whether that is the case."""
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
    if draft.slots[recycle.worker.slot].is_given_up:  # it was lost before it ended in order
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


def _generation_after(worker: WorkerRef, by_worker: Mapping[WorkerRef, int]) -> WorkerRef | None:
    return next(
        (other for other in by_worker if other.slot == worker.slot and other.generation > worker.generation), None
    )


def _start_pressure(draft: Draft, event: MemorySampled, marks: _Watermarks) -> None:
    """Pause while memory is over its limit, and recycle the largest worker, one at a time."""
    draft.pause_until_resumed(PauseReason.MEMORY_SHORT, f"The workers use {marks.summary} of memory.")
    if draft.memory.failed_count >= sum(not slot.is_given_up for slot in draft.slots.values()):
        problem = f"The workers use {marks.summary}, and recycling each of them did not help."
        detail = f"{problem} Use fewer workers or tabs, or give them more memory."
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
    _recycle(draft, worker, f"memory is short: all workers use {marks.summary}, this one {megabytes(before_bytes)}")


def _end_pressure(draft: Draft, event: MemorySampled, marks: _Watermarks) -> None:
    """Let tasks start again once memory is likely to stay below its limit.

    That is never before recycling was measured: the memory of a new task would make it look like no help.
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
