"""What the plan does when the workers use more memory than they may. Pure (design section 7).

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
from poolwright.supervisor.commands import Release, TellRelief
from poolwright.supervisor.facts import WorkerLost
from poolwright.supervisor.holds import HoldCause
from poolwright.supervisor.judging import hold_open, stop
from poolwright.supervisor.pool_facts import MemorySeen
from poolwright.supervisor.retiring import can_retire, is_anybody_away, retire
from poolwright.supervisor.standing import Decision, Relief, Slot, Standing
from poolwright.supervisor.stops import StopCause

#: So far below the limit, as a part of all there is, memory is no longer short (design section 7).
HYSTERESIS = 0.05
#: From one restart for memory to the next (design section 7).
COOLDOWN_S = 60.0
#: A worker that gives back less than this part of what it used was not the cause.
HELP_PART = 0.1
_MB = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class _Marks:
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
    def told(self) -> str:
        return f"{_mb(self.used_bytes)} of {_mb(self.limit_bytes)} allowed ({_mb(self.total_bytes)} in all)"


def weigh_memory(standing: Standing, fact: MemorySeen) -> Decision:
    """Decide about one memory sample of all workers."""
    if standing.is_stopping:
        return Decision(standing)
    limit_bytes = int(standing.memory.threshold * fact.total_bytes)
    marks = _Marks(used_bytes=fact.used_bytes, limit_bytes=limit_bytes, total_bytes=fact.total_bytes)
    seen = _see_relief(standing, fact, marks)
    if marks.is_over:
        return seen.followed_by(_press(seen.standing, fact, marks))
    return seen.followed_by(_ease(seen.standing, fact, marks))


def fail_relief(standing: Standing, slot: Slot, fact: WorkerLost) -> Decision | None:
    """Return what follows if a worker that was recycled for memory did not start again; ``None`` in any other case."""
    relief = standing.memory.relief
    is_it = relief is not None and relief.worker.slot == fact.worker.slot and relief.worker != fact.worker
    if not is_it or slot.is_up or slot.is_portal_down or standing.is_stopping:
        return None
    detail = f"Memory ran short, and the worker that was recycled for it did not start again ({fact.cause})."
    return stop(standing, StopCause.MEMORY_SHORT, detail)


def _see_relief(standing: Standing, fact: MemorySeen, marks: _Marks) -> Decision:
    """Report how much memory recycling freed, once the worker is up again and was measured."""
    relief = standing.memory.relief
    if relief is not None and standing.slots[relief.worker.slot].is_given_up:  # it died while it finished
        return Decision(replace(standing, memory=replace(standing.memory, relief=None)))
    worker = relief and _generation_after(relief.worker, fact.by_worker)
    if relief is None or worker is None or not standing.slots[worker.slot].is_up or not fact.is_exact:
        return Decision(standing)
    after_bytes = fact.by_worker[worker]
    has_helped = not marks.is_over and after_bytes <= relief.before_bytes * (1 - HELP_PART)
    vain_count = standing.memory.vain_count + 1 if marks.is_over else 0
    relieved = MemoryRelieved(
        worker=worker,
        before_bytes=relief.before_bytes,
        after_bytes=after_bytes,
        total_before_bytes=relief.total_before_bytes,
        total_after_bytes=fact.used_bytes,
        limit_bytes=marks.limit_bytes,
        has_helped=has_helped,
    )
    known = replace(standing, memory=replace(standing.memory, relief=None, vain_count=vain_count))
    return Decision(known, (TellRelief(relieved=relieved),))


def _generation_after(worker: WorkerRef, found: Mapping[WorkerRef, int]) -> WorkerRef | None:
    return next((one for one in found if one.slot == worker.slot and one.generation > worker.generation), None)


def _press(standing: Standing, fact: MemorySeen, marks: _Marks) -> Decision:
    """Memory is over its limit: pause, and recycle the largest worker, one at a time."""
    held = hold_open(standing, HoldCause.MEMORY_SHORT, f"The workers use {marks.told} of memory.")
    rest = held.standing
    if rest.memory.vain_count >= sum(not slot.is_given_up for slot in rest.slots.values()):
        vain = f"The workers use {marks.told}, and recycling each of them did not help."
        detail = f"{vain} Use fewer workers or tabs, or give them more memory."
        return held.followed_by(stop(rest, StopCause.MEMORY_SHORT, detail))
    candidates = [] if is_anybody_away(rest) else [one for one in fact.by_worker if can_retire(rest, one)]
    if rest.memory.relief is not None or _is_cooling(rest, fact.at_s) or not candidates or not fact.is_exact:
        return held
    worker = max(candidates, key=lambda one: fact.by_worker[one])
    before_bytes = fact.by_worker[worker]
    relief = Relief(worker=worker, before_bytes=before_bytes, total_before_bytes=fact.used_bytes)
    begun = replace(rest, memory=replace(rest.memory, relief=relief, relieved_at_s=fact.at_s))
    cause = f"memory is short: all workers use {marks.told}, this one {_mb(before_bytes)}"
    return held.followed_by(retire(begun, worker, cause))


def _ease(standing: Standing, fact: MemorySeen, marks: _Marks) -> Decision:
    """The limit is kept. Tasks start again once it is likely to stay so.

    Never before a restart was measured: what a new task uses then would count against the restart, as one in vain.
    """
    if HoldCause.MEMORY_SHORT not in standing.holds.active or standing.memory.relief is not None:
        return Decision(standing)
    if not marks.is_well_below and _is_cooling(standing, fact.at_s):
        return Decision(standing)
    over = replace(
        standing,
        holds=standing.holds.end(HoldCause.MEMORY_SHORT).forget(HoldCause.MEMORY_SHORT),
        memory=replace(standing.memory, vain_count=0),
    )
    return Decision(over, (Release(cause=HoldCause.MEMORY_SHORT),))


def _is_cooling(standing: Standing, now_s: float) -> bool:
    at_s = standing.memory.relieved_at_s
    return at_s is not None and now_s - at_s < COOLDOWN_S


def _mb(size_bytes: int) -> str:
    return f"{size_bytes / _MB:,.0f} MB"
