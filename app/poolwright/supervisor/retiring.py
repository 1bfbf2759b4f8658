"""How a worker that is well is started anew: it finishes what it has, closes its browser, and comes back. Pure.

Its profile, its cookies and its slot's count of restarts stay as they are. A long-lived browser grows, so each worker
gets such a fresh start after so many tasks, or after so long a time, whichever comes first; never two at a time.
"""

from __future__ import annotations

from dataclasses import replace

from poolwright.domain.ids import WorkerRef
from poolwright.supervisor.commands import Retire
from poolwright.supervisor.holds import HoldCause
from poolwright.supervisor.standing import Decision, Slot, Standing

#: Holds during which a worker may be away: nobody waits for it, and it is in nobody's way.
_QUIET = frozenset({HoldCause.OPERATOR, HoldCause.MEMORY_SHORT})


def can_retire(standing: Standing, worker: WorkerRef) -> bool:
    """Whether this generation is at work, and no login depends on it."""
    slot = standing.slots[worker.slot]
    is_here = slot.generation == worker.generation and _is_at_work(slot)
    return is_here and not standing.renewal.is_under_way and not standing.is_stopping


def is_anybody_away(standing: Standing) -> bool:
    """Whether a worker is on its way out or back: never shall two be at the same time because of us."""
    return any(not slot.is_given_up and not _is_at_work(slot) for slot in standing.slots.values())


def retire(standing: Standing, worker: WorkerRef, cause: str) -> Decision:
    """Let a worker finish and come back."""
    slot = standing.slots[worker.slot]
    leaving = standing.with_slot(worker, replace(slot, is_retiring=True))
    return Decision(leaving, (Retire(worker=worker, cause=cause),))


def restart(standing: Standing, number: int) -> Decision:
    """Start a worker anew because somebody asked for it, if it is at work."""
    worker = WorkerRef(number, standing.slots[number].generation)
    return retire(standing, worker, "requested by an operator") if can_retire(standing, worker) else Decision(standing)


def note_homeless(standing: Standing) -> Standing:
    """What browsers live on was removed: every worker starts anew, one after another, also those that are coming up."""
    slots = {number: replace(slot, is_homeless=True) for number, slot in standing.slots.items()}
    return replace(standing, slots=slots)


def recycle_if_due(standing: Standing, now_s: float) -> Decision:
    """Start a worker anew that has done enough, or lived long enough, unless another one is away."""
    if is_anybody_away(standing) or standing.renewal.is_due or standing.holds.active - _QUIET:
        return Decision(standing)
    for number, slot in sorted(standing.slots.items()):
        worker = WorkerRef(number, slot.generation)
        if (cause := _cause(standing, slot, now_s)) and can_retire(standing, worker):
            return retire(standing, worker, cause)
    return Decision(standing)


def _is_at_work(slot: Slot) -> bool:
    return slot.is_up and not (slot.is_given_up or slot.is_retiring or slot.is_recycling)


def _cause(standing: Standing, slot: Slot, now_s: float) -> str:
    """Why a worker is due; empty when it is not."""
    wear = standing.wear
    if slot.is_homeless:
        return "its profile was removed and is recreated"
    if standing.on_trial:
        return "an order that crashed workers gets its last attempt alone, in a fresh browser"
    if wear.tasks is not None and slot.done_count >= wear.tasks:
        return f"it has done {slot.done_count} orders"
    if wear.age_s is not None and now_s - slot.up_at_s >= wear.age_s:
        return f"its browser has run for {(now_s - slot.up_at_s) / 60:.0f} minutes"
    return ""
