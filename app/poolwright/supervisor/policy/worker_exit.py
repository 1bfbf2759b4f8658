"""Decides what follows when a worker has ended: what happens to its tasks, and whether its slot restarts. Pure.

A slot has three restarts for each kind of loss in a sliding window. When they are spent it rests for a while, as long
as others work; when nobody is left the pool ends. Restarts that we want, a portal that does not answer and a disk that
takes nothing spend none.
"""

from __future__ import annotations

from dataclasses import replace

from poolwright.domain.ids import WorkerRef
from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.domain.storage import STORAGE_REASONS
from poolwright.domain.tasks import DEATH_LIMIT, POTask, Report
from poolwright.supervisor.policy.commands import (
    Command,
    FailQueued,
    GiveUp,
    Requeue,
    Spawn,
    Stop,
    StopCause,
    SuspendSlot,
)
from poolwright.supervisor.policy.events import WorkerEnded, WorkerLost
from poolwright.supervisor.policy.login_recovery import on_worker_gone
from poolwright.supervisor.policy.pauses import LONGEST_PAUSE_S, STORAGE_PAUSES, PauseReason
from poolwright.supervisor.policy.recycling import on_recycle_failed
from poolwright.supervisor.policy.retries import file_best, pause, requeue_unspent, stop
from poolwright.supervisor.policy.state import SUSPENSION_S, Decision, PoolState, UnverifiedResults, WorkerSlot
from poolwright.supervisor.policy.verification import requeue_unverified


def on_worker_exit(standing: PoolState, slot: WorkerSlot, fact: WorkerLost | WorkerEnded) -> Decision:
    """A worker is gone, and with it whatever login it was to bring."""
    if isinstance(fact, WorkerEnded):
        return _on_clean_exit(standing, slot, fact)
    lost = _on_crash(standing, slot, fact)
    return lost.followed_by(on_worker_gone(lost.standing, fact.worker, is_restarting=slot.is_being_killed))


def _on_clean_exit(standing: PoolState, slot: WorkerSlot, fact: WorkerEnded) -> Decision:
    """A worker ended in order: its slot stays empty, or has its next generation when it was to be started anew."""
    rest, unproven = requeue_unverified(standing, fact.worker, ReturnReason.UNPROVEN)
    # A task that was assigned just as its worker began to drain was never looked at.
    unseen = tuple(
        requeue_unspent(fact.worker, one, ReturnReason.DRAINING, "its worker ended") for one in slot.held.values()
    )
    emptied = _reset_slot(rest.slots[fact.worker.slot])
    if slot.is_being_recycled and not standing.is_stopping:
        gone = _spawn(rest, emptied, fact, 0.0)
    else:
        gone = Decision(rest.with_slot(fact.worker, replace(emptied, is_given_up=True)))
        if slot.is_being_recycled:  # it was on its way to a next generation that nobody needs any more
            gone = gone.then(GiveUp(worker=fact.worker, cause="the pool ends", is_expected=True))
    left = gone.led_by(*unproven, *unseen)
    return left.followed_by(on_worker_gone(left.standing, fact.worker, is_restarting=False))


def _reset_slot(slot: WorkerSlot) -> WorkerSlot:
    """The same with nothing of the generation that is gone."""
    return replace(
        slot,
        held={},
        outages_before={},
        shown_before={},
        unverified=UnverifiedResults(),
        done_count=0,
        is_being_killed=False,
        is_being_recycled=False,
        is_up=False,
    )


def _on_crash(standing: PoolState, slot: WorkerSlot, fact: WorkerLost) -> Decision:
    """A worker is gone: its tasks go back or are judged, then its slot restarts or is given up."""
    rest, unproven = requeue_unverified(standing, fact.worker, ReturnReason.UNPROVEN)
    tasks = Decision(rest, unproven)
    for task in slot.held.values():
        tasks = tasks.followed_by(_requeue_or_fail(tasks.standing, slot, fact, task))
    emptied = _reset_slot(tasks.standing.slots[fact.worker.slot])
    left = tasks.standing.with_slot(fact.worker, emptied)
    if standing.is_stopping:
        gone = left.with_slot(fact.worker, replace(emptied, is_given_up=True))
        return Decision(gone, (*tasks.commands, GiveUp(worker=fact.worker, cause=fact.cause, is_expected=True)))
    if (failed := on_recycle_failed(left, slot, fact)) is not None:
        return tasks.followed_by(failed)
    return tasks.followed_by(_restart_or_give_up(left, slot, fact))


def _restart_or_give_up(standing: PoolState, slot: WorkerSlot, fact: WorkerLost) -> Decision:
    """Start a slot's next generation, or leave it empty. ``slot`` is as it was, the standing has it emptied."""
    emptied = standing.slots[fact.worker.slot]
    if slot.home_trouble is not None or standing.pauses.storage is not None:
        return _wait_for_storage(standing, slot, fact)
    if slot.is_portal_down or PauseReason.PORTAL_DOWN in standing.pauses.active:
        return _wait_for_portal(standing, emptied, fact)
    if slot.is_being_killed or (slot.is_being_recycled and not slot.held):  # one that was done and hung at its end is no crash
        return _spawn(standing, emptied, fact, 0.0)
    if not slot.budget.is_spent(fact.at_s, fact.kind):
        return _spend_restart(standing, emptied, fact)
    return _give_up(standing, emptied, fact)


def _spend_restart(standing: PoolState, slot: WorkerSlot, fact: WorkerLost) -> Decision:
    spent = replace(slot, budget=slot.budget.spend(fact.at_s, fact.kind))
    return _spawn(standing, spent, fact, slot.budget.delay_s(fact.at_s, fact.kind))


def _requeue_or_fail(standing: PoolState, slot: WorkerSlot, fact: WorkerLost, task: POTask) -> Decision:
    """What becomes of a task that its worker had in hand."""
    worker = fact.worker
    if (why := _blameless_reason(standing, slot)) is not None:
        return Decision(standing, (requeue_unspent(worker, task, why, fact.cause),))
    if task.is_on_trial:
        told = f"{DEATH_LIMIT + 1} workers crashed on it, the last one with no other task: {fact.cause}."
        return file_best(standing, worker, task, Report(reason=Reason.KILLS_WORKERS, detail=told))
    is_last_attempt, comes_on_trial = task.attempt >= standing.max_attempts, task.death_count + 1 >= DEATH_LIMIT
    if is_last_attempt and not comes_on_trial:
        return file_best(standing, worker, task, Report(reason=Reason.WORKER_LOST, detail=fact.cause))
    back = Requeue(
        worker=worker,
        task=task,
        why=Reason.WORKER_LOST,
        detail=fact.cause,
        delay_s=0.0,
        is_attempt_spent=not is_last_attempt,
        is_death=True,
    )
    return Decision(standing, (back,))


def _blameless_reason(standing: PoolState, slot: WorkerSlot) -> ReturnReason | Reason | None:
    """Return why the worker's tasks did not cause its loss; ``None`` if they may have."""
    if standing.is_stopping:  # we ended it ourselves, or it died while it was drained
        return ReturnReason.DRAINING
    if slot.is_being_killed:
        return ReturnReason.RECYCLED
    # Found out while it brought its login back, with orders in flight beside, or by another worker.
    if slot.is_portal_down or PauseReason.PORTAL_DOWN in standing.pauses.active:
        return Reason.PORTAL_UNREACHABLE
    return standing.pauses.storage_reason if slot.home_trouble is None else STORAGE_REASONS[slot.home_trouble]


def _wait_for_storage(standing: PoolState, slot: WorkerSlot, fact: WorkerLost) -> Decision:
    """No restart is spent on a disk that takes nothing: a browser cannot live on it."""
    if PauseReason.PLACE_GONE in standing.pauses.active:
        return _spawn(standing, standing.slots[fact.worker.slot], fact, LONGEST_PAUSE_S)
    cause = standing.pauses.storage if slot.home_trouble is None else STORAGE_PAUSES[slot.home_trouble]
    decision, delay_s = pause(standing, cause or PauseReason.DISK_FULL, fact.cause)
    return decision.followed_by(_spawn(decision.standing, decision.standing.slots[fact.worker.slot], fact, delay_s))


def _wait_for_portal(standing: PoolState, slot: WorkerSlot, fact: WorkerLost) -> Decision:
    """No restart is spent on a portal that is down; before the first worker came up it may be a matter of set-up."""
    if not standing.was_ready:
        if not slot.budget.is_spent(fact.at_s, fact.kind):
            return _spend_restart(standing, slot, fact)
        return stop(standing.with_slot(fact.worker, slot), StopCause.SETUP_FAILED, fact.cause)
    decision, delay_s = pause(standing, PauseReason.PORTAL_DOWN, fact.cause)
    return decision.followed_by(_spawn(decision.standing, slot, fact, delay_s))


def _spawn(standing: PoolState, slot: WorkerSlot, fact: WorkerLost | WorkerEnded, delay_s: float) -> Decision:
    following = replace(slot, generation=slot.generation + 1, is_portal_down=False, is_browser_unfit=False)
    following = replace(following, home_trouble=None, is_homeless=False)
    spawn: Command = Spawn(worker=WorkerRef(fact.worker.slot, following.generation), delay_s=delay_s)
    return Decision(standing.with_slot(fact.worker, following), (spawn,))


def _give_up(standing: PoolState, slot: WorkerSlot, fact: WorkerLost) -> Decision:
    """Leave a slot empty: for a while, or for good where nobody is left who could work."""
    empty = replace(slot, is_given_up=True)
    left = standing.with_slot(fact.worker, empty)
    if any(not other.is_given_up for other in left.slots.values()):
        rest = SuspendSlot(worker=fact.worker, cause=fact.cause, rest_s=SUSPENSION_S)
        return _spawn(left, empty, fact, SUSPENSION_S).led_by(rest)
    given_up = GiveUp(worker=fact.worker, cause=fact.cause)
    if slot.is_browser_unfit and not standing.was_ready:  # nothing was tried: the list waits for a browser that works
        return stop(left, StopCause.SETUP_FAILED, fact.cause).led_by(given_up)
    if standing.keeps_queue:
        kept = Stop(cause=StopCause.NO_WORKERS, detail=fact.cause, keeps_queue=True)
        return Decision(replace(left, is_stopping=True), (given_up, kept))
    return stop(left, StopCause.NO_WORKERS, fact.cause).led_by(given_up).then(FailQueued(reason=Reason.NO_WORKERS))
