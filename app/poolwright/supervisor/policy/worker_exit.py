"""Handles the end of a worker: decides about its tasks, and whether its slot restarts. Pure.

A slot has three restarts for each kind of loss in a sliding window. When they are spent, the slot is suspended for a
time if another one is left; else the pool ends. No restart is spent if the pool itself ended the worker, if the portal
does not answer, if a disk cannot be written, or if the machine was suspended while the worker started.
"""

from __future__ import annotations

from poolwright.domain.ids import WorkerRef
from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.domain.storage import STORAGE_REASONS
from poolwright.domain.tasks import DEATH_LIMIT, POTask, Report
from poolwright.ipc.messages import StartupFailed, StartupFailure
from poolwright.supervisor.policy.commands import FailQueued, GiveUp, Requeue, Spawn, StopCause, SuspendSlot
from poolwright.supervisor.policy.draft import Draft, SlotDraft
from poolwright.supervisor.policy.events import MessageReceived, WorkerEnded, WorkerFolderFailed, WorkerLost
from poolwright.supervisor.policy.login_recovery import on_worker_gone
from poolwright.supervisor.policy.pauses import LONGEST_PAUSE_S, STORAGE_PAUSES, PauseReason
from poolwright.supervisor.policy.recycling import on_recycle_failed
from poolwright.supervisor.policy.retries import file_best
from poolwright.supervisor.policy.state import BROWSER_PATIENCE_S, SUSPENSION_S, WorkerSlot
from poolwright.supervisor.policy.verification import requeue_unverified

#: Failures that a time limit can cause, which runs out while the machine is suspended.
_TIMED = frozenset({StartupFailure.BROWSER, StartupFailure.PORTAL})


def on_startup_failed(draft: Draft, event: MessageReceived[StartupFailed]) -> None:
    """Note the cause of the loss that follows, or end the pool if no other worker could start either."""
    failure, slot = event.message, draft.slot(event.worker.slot)
    if failure.paused_s and failure.kind in _TIMED and not slot.is_up:
        slot.is_being_killed = True  # its time limits ran out while the machine slept: nobody is at fault
        return
    match failure.kind:
        case StartupFailure.BROWSER:
            slot.is_browser_unfit = True
        case StartupFailure.PORTAL:
            slot.is_portal_down = True
        case StartupFailure.LOGIN:
            draft.stop(StopCause.LOGIN_REQUIRED, failure.detail)
        case StartupFailure.PROCESSOR:
            draft.stop(StopCause.SETUP_FAILED, failure.detail)
        case StartupFailure.PROFILE:
            draft.stop(StopCause.PROFILE_DAMAGED, failure.detail)


def on_worker_folder_failed(draft: Draft, event: WorkerFolderFailed) -> None:
    """Note the cause of the loss that follows: the folder of the worker cannot be written."""
    draft.slot(event.worker.slot).folder_trouble = event.trouble


def on_worker_ended(draft: Draft, event: WorkerEnded) -> None:
    """Leave the slot of a worker that ended in order empty, or start its next generation when it was recycled."""
    worker, slot = event.worker, draft.slot(event.worker.slot)
    was_recycled = slot.is_being_recycled
    requeue_unverified(draft, worker, ReturnReason.UNPROVEN)
    for task in slot.held.values():  # assigned when the worker began to drain, and never started
        draft.requeue_unspent(worker, task, ReturnReason.DRAINING, "its worker ended")
    slot.clear()
    if was_recycled and not draft.is_stopping:
        _spawn(draft, worker.slot, 0.0)
    else:
        slot.is_given_up = True
        if was_recycled:  # its next generation is no longer needed
            draft.emit(GiveUp(worker=worker, cause="the pool ends", is_expected=True))
    on_worker_gone(draft, worker, is_restarting=False)


def on_worker_lost(draft: Draft, event: WorkerLost) -> None:
    """Requeue or fail the tasks of a lost worker, then restart its slot or give it up."""
    slot = draft.slot(event.worker.slot)
    requeue_unverified(draft, event.worker, ReturnReason.UNPROVEN)
    for task in slot.held.values():
        _requeue_or_fail(draft, event, task)
    last = slot.freeze()
    slot.clear()
    if draft.is_stopping:
        slot.is_given_up = True
        draft.emit(GiveUp(worker=event.worker, cause=event.cause, is_expected=True))
    elif not on_recycle_failed(draft, event, was_ready=last.is_up or last.is_being_killed):
        _restart_or_give_up(draft, last, event)
    if draft.is_stopping and not slot.is_given_up:  # the pool ends because of it
        slot.is_given_up = True
        draft.emit(GiveUp(worker=event.worker, cause=event.cause))
    on_worker_gone(draft, event.worker, is_restarting=last.is_being_killed)


def _requeue_or_fail(draft: Draft, event: WorkerLost, task: POTask) -> None:
    """Requeue or fail a task of a lost worker."""
    worker = event.worker
    if (why := _blameless_reason(draft, draft.slots[worker.slot])) is not None:
        draft.requeue_unspent(worker, task, why, event.cause)
        return
    if task.is_on_trial:
        detail = f"{DEATH_LIMIT + 1} workers crashed on it, the last one with no other task: {event.cause}."
        file_best(draft, worker, task, Report(reason=Reason.KILLS_WORKERS, detail=detail))
        return
    is_last_attempt, comes_on_trial = task.attempt >= draft.max_attempts, task.death_count + 1 >= DEATH_LIMIT
    if is_last_attempt and not comes_on_trial:
        file_best(draft, worker, task, Report(reason=Reason.WORKER_LOST, detail=event.cause))
        return
    draft.emit(
        Requeue(
            worker=worker,
            task=task,
            why=Reason.WORKER_LOST,
            detail=event.cause,
            delay_s=0.0,
            is_attempt_spent=not is_last_attempt,
            is_death=True,
        )
    )


def _blameless_reason(draft: Draft, slot: WorkerSlot | SlotDraft) -> ReturnReason | Reason | None:
    """Return why the worker's tasks did not cause its loss; ``None`` if they may have."""
    if draft.is_stopping:  # the pool ended it, or it died while it was drained
        return ReturnReason.DRAINING
    if slot.is_being_killed:
        return ReturnReason.RECYCLED
    # This worker noticed it during a login while orders were in flight, or another worker did.
    if slot.is_portal_down or PauseReason.PORTAL_DOWN in draft.pauses.active:
        return Reason.PORTAL_UNREACHABLE
    return draft.pauses.storage_reason if slot.folder_trouble is None else STORAGE_REASONS[slot.folder_trouble]


def _restart_or_give_up(draft: Draft, last: WorkerSlot, event: WorkerLost) -> None:
    """Start the next generation of a slot, or give it up. ``last`` is the slot before it was cleared."""
    number = event.worker.slot
    # A recycled worker that hung after its last task did not crash.
    is_intended = last.is_being_killed or (last.is_being_recycled and not last.held)
    if last.folder_trouble is not None or draft.pauses.storage is not None:
        _wait_for_storage(draft, last, event)
    elif last.is_portal_down or PauseReason.PORTAL_DOWN in draft.pauses.active:
        _wait_for_portal(draft, event)
    elif is_intended:
        _spawn(draft, number, 0.0)
    elif not last.budget.is_spent(event.at_s, event.kind) and not _is_browser_hung(draft, last, event):
        _spend_restart(draft, event, event.cause if last.is_browser_unfit else "")
    else:
        _give_up(draft, event)


def _is_browser_hung(draft: Draft, last: WorkerSlot, event: WorkerLost) -> bool:
    """Return whether a browser took all its time again, and none ever started: further tries only take more time."""
    spent_s = last.budget.age_s(event.at_s, event.kind)
    return last.is_browser_unfit and not draft.was_ready and spent_s >= BROWSER_PATIENCE_S


def _wait_for_storage(draft: Draft, last: WorkerSlot, event: WorkerLost) -> None:
    """Restart the slot after a pause for storage, without spending a restart: no browser can run on such a disk."""
    if PauseReason.PLACE_GONE in draft.pauses.active:
        delay_s = LONGEST_PAUSE_S
    else:
        cause = draft.pauses.storage if last.folder_trouble is None else STORAGE_PAUSES[last.folder_trouble]
        delay_s = draft.pause(cause or PauseReason.DISK_FULL, event.cause)
    _spawn(draft, event.worker.slot, delay_s)


def _wait_for_portal(draft: Draft, event: WorkerLost) -> None:
    """Restart the slot after a pause for the portal, without spending a restart, if any worker was ever ready."""
    number = event.worker.slot
    if draft.was_ready:
        _spawn(draft, number, draft.pause(PauseReason.PORTAL_DOWN, event.cause, at_s=event.at_s))
    elif not draft.slots[number].budget.is_spent(event.at_s, event.kind):
        _spend_restart(draft, event)
    else:
        draft.stop(StopCause.SETUP_FAILED, event.cause)


def _spend_restart(draft: Draft, event: WorkerLost, browser_problem: str = "") -> None:
    slot = draft.slot(event.worker.slot)
    delay_s = slot.budget.delay_s(event.at_s, event.kind)
    slot.budget = slot.budget.spend(event.at_s, event.kind)
    _spawn(draft, event.worker.slot, delay_s, browser_problem)


def _spawn(draft: Draft, number: int, delay_s: float, browser_problem: str = "") -> None:
    slot = draft.slot(number)
    slot.generation += 1
    slot.is_portal_down = slot.is_browser_unfit = slot.is_clone_gone = False
    slot.folder_trouble = None
    worker = WorkerRef(number, slot.generation)
    draft.emit(Spawn(worker=worker, delay_s=delay_s, browser_problem=browser_problem))


def _give_up(draft: Draft, event: WorkerLost) -> None:
    """Leave a slot empty: for a time, or for good if no other worker is left."""
    slot = draft.slot(event.worker.slot)
    slot.is_given_up = True
    if any(not other.is_given_up for other in draft.slots.values()):
        draft.emit(SuspendSlot(worker=event.worker, cause=event.cause, rest_s=SUSPENSION_S))
        _spawn(draft, event.worker.slot, SUSPENSION_S)
        return
    draft.emit(GiveUp(worker=event.worker, cause=event.cause))
    if slot.is_browser_unfit and not draft.was_ready:  # no order was tried, so all stay queued for a browser that works
        draft.stop(StopCause.SETUP_FAILED, event.cause)
        return
    draft.stop(StopCause.NO_WORKERS, event.cause, keeps_queue=draft.keeps_queue)
    if not draft.keeps_queue:
        draft.emit(FailQueued(reason=Reason.NO_WORKERS))
