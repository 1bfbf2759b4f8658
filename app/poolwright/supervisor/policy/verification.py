"""Holds back results that a lost login could have caused, until a login check confirms the session.

A portal may answer a lost session with the same page as for a missing order, a forbidden one or one without files, and
no rule of a pack may distinguish them. So such an outcome is held back until the same session loads an order that it
began later, or passes a login check. The check is made when ``STREAK_LIMIT`` outcomes are held back, when they would
set a group of orders aside, when no other order is left, or when no success has come for ``VERIFICATION_WAIT_S``. If
the session is logged out, all of them return to the queue without a spent attempt. When the pool ends, no check is
requested: a worker with unverified results checks its login itself before it exits. Pure.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import assert_never

from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.outcomes import LOOKS_LOGGED_OUT, LoginCheck, Outcome, Reason, ReturnReason
from poolwright.domain.tasks import POTask, Report
from poolwright.ipc.messages import Finished, LoginChecked, LoginRefreshed, Returned
from poolwright.supervisor.policy.commands import RequestLoginCheck, ScheduleVerification
from poolwright.supervisor.policy.draft import Draft
from poolwright.supervisor.policy.events import MessageReceived, TaskStuck, VerificationDue
from poolwright.supervisor.policy.group_breaker import count_access, suspected_groups
from poolwright.supervisor.policy.pauses import PauseReason
from poolwright.supervisor.policy.recycling import recycle_if_worn
from poolwright.supervisor.policy.retries import file_best, record_answer, settle_report
from poolwright.supervisor.policy.state import PoolState, UnverifiedResult

#: Number of unverified results at which the login is checked at once (design section 5).
STREAK_LIMIT = 10
#: Time to wait for an order that succeeds: an order takes one to three seconds, and a login check as long as an order.
VERIFICATION_WAIT_S = 2.0
_UNPROVEN = "not found, refused or empty in a session that was not verified to be logged in"
#: Outcomes that only the page of an order with files can lead to.
_PROOF_OUTCOMES = frozenset({Outcome.COMPLETED, Outcome.PARTIAL})


def on_finished(draft: Draft, event: MessageReceived[Finished]) -> None:
    """Count a finished attempt and settle its report; recycle a worker that has done its number of tasks."""
    draft.slot(event.worker.slot).done_count += 1
    _settle_report(draft, event.worker, event.message, at_s=event.at_s)
    recycle_if_worn(draft, event.worker)


def on_task_stuck(draft: Draft, event: TaskStuck) -> None:
    """Settle a task that cannot be stopped. Its worker is killed, so its other tasks return unspent."""
    report = Report(reason=Reason.TASK_TIMEOUT, detail="The task could not be stopped; its worker was ended.")
    worker = event.worker
    finished = Finished(slot=worker.slot, generation=worker.generation, task_id=event.task_id, report=report)
    _settle_report(draft, worker, finished)
    draft.slot(worker.slot).is_being_killed = True


def on_returned(draft: Draft, event: MessageReceived[Returned]) -> None:
    """Requeue a task that a worker returned; after a lost session also the unverified results of that worker."""
    returned = event.message
    task = draft.release_task(event.worker, returned.task_id)
    is_session_lost = returned.why is ReturnReason.SESSION_LOST
    if is_session_lost:
        requeue_unverified(draft, event.worker, returned.why)
    if task is None:
        return
    if not is_session_lost or draft.is_stopping:
        draft.requeue_unspent(event.worker, task, returned.why, returned.detail)
        return
    draft.logouts = draft.logouts.record(task.task_id, draft.held_task_ids)
    if draft.logouts.is_own(task.task_id):
        file_best(draft, event.worker, task, Report(reason=Reason.ASKS_FOR_LOGIN, detail=returned.detail))
    else:
        draft.requeue_unspent(event.worker, task, returned.why, returned.detail, draft.logouts.wait_s(task.task_id))


def on_verification_due(draft: Draft, event: VerificationDue) -> None:
    """Check the login, if results are still unverified and no check runs."""
    unverified = draft.slots[event.worker.slot].unverified
    if unverified.row and not unverified.is_checking and not draft.is_stopping:
        _begin_check(draft, event.worker)


def vain_waits(state: PoolState, unfinished_count: int) -> tuple[WorkerRef, ...]:
    """Return the workers whose results wait for an order that succeeds, although no other order is left.

    Args:
        state: The state of the pool. Nothing is verified by it while it is paused or ends.
        unfinished_count: Number of orders of the list that have no outcome yet, with those whose results are held back.
    """
    held_back_count = sum(len(slot.unverified.row) for slot in state.slots.values())
    if state.is_stopping or state.pauses.active or held_back_count < unfinished_count:
        return ()
    return tuple(
        WorkerRef(number, slot.generation)
        for number, slot in state.slots.items()
        if slot.unverified.row and not slot.unverified.is_checking
    )


def on_login_checked(draft: Draft, event: MessageReceived[LoginChecked]) -> None:
    """File the results if the session is logged in, requeue them if it is not, or check again later."""
    slot = draft.slot(event.worker.slot)
    checked = slot.unverified
    slot.unverified = checked.end_check()
    match event.message.result:
        case LoginCheck.LOGGED_IN:
            _mark_verified(draft)
            _file_verified(
                draft, event.worker, checked.task_ids if event.message.is_last else checked.checked_task_ids or ()
            )
            _schedule_check(draft, event.worker)
        case LoginCheck.LOGGED_OUT:
            requeue_unverified(draft, event.worker, ReturnReason.SESSION_LOST)
        case LoginCheck.UNCLEAR:
            if checked.row and not draft.is_stopping:
                detail = "The portal did not show whether the session is logged in."
                delay_s = draft.pause(PauseReason.PORTAL_BUSY, detail, at_s=event.at_s)
                draft.emit(ScheduleVerification(worker=event.worker, delay_s=delay_s))
        case _:
            assert_never(event.message.result)


def on_login_refreshed(draft: Draft, event: MessageReceived[LoginRefreshed]) -> None:
    """Requeue the results that the session may have loaded without a login."""
    requeue_unverified(draft, event.worker, ReturnReason.SESSION_LOST)


def requeue_unverified(draft: Draft, worker: WorkerRef, why: ReturnReason) -> None:
    """Requeue the unverified results of a session that can no longer be verified."""
    slot = draft.slot(worker.slot)
    for result in slot.unverified.row:
        draft.requeue_unspent(worker, result.task, why, _UNPROVEN)
    slot.unverified = slot.unverified.without_results(slot.held)


def _settle_report(draft: Draft, worker: WorkerRef, finished: Finished, *, at_s: float = 0.0) -> None:
    """Hold a report back if it must be verified; else settle it, and file the results that it verifies.

    A report about a task that the worker does not hold is ignored.
    """
    slot, task_id, report = draft.slots[worker.slot], finished.task_id, finished.report
    task = slot.held.get(task_id)
    if task is None:
        return
    if report.outcome in LOOKS_LOGGED_OUT:
        draft.release_task(worker, task_id)
        record_answer(draft, worker, report)
        _hold_back(draft, worker, task, report)
        return
    settle_report(draft, worker, finished, task, at_s=at_s)
    if report.outcome in _PROOF_OUTCOMES:
        _mark_verified(draft)
        proven = [result.task_id for result in slot.unverified.row if task_id not in result.concurrent_tasks]
        _file_verified(draft, worker, proven)
        count_access(draft, task, report)  # the refusals that it verified were before it


def _mark_verified(draft: Draft) -> None:
    """Reset the count of logins after which no order was done."""
    draft.login_recovery = draft.login_recovery.mark_verified()


def _hold_back(draft: Draft, worker: WorkerRef, task: POTask, report: Report) -> None:
    """Hold a result back until it is verified; requeue it at once if it was perhaps loaded without a login."""
    slot = draft.slot(worker.slot)
    if task.task_id in slot.unverified.tainted:
        slot.unverified = slot.unverified.mark_clean(task.task_id)
        draft.requeue_unspent(worker, task, ReturnReason.SESSION_LOST, _UNPROVEN)
        return
    is_first = not slot.unverified.row
    slot.unverified = slot.unverified.add(
        UnverifiedResult(task=task, report=report, concurrent_tasks=frozenset(slot.held))
    )
    if is_first or _is_check_urgent(draft, worker):
        _schedule_check(draft, worker)


def _file_verified(draft: Draft, worker: WorkerRef, proven: Collection[TaskId]) -> None:
    slot = draft.slot(worker.slot)
    for result in slot.unverified.row:
        if result.task_id in proven:
            file_best(draft, worker, result.task, result.report)
    slot.unverified = slot.unverified.discard(proven)


def _schedule_check(draft: Draft, worker: WorkerRef) -> None:
    """Check the login now if many results are held back, else after a time in which an order may succeed."""
    unverified = draft.slots[worker.slot].unverified
    if not unverified.row or unverified.is_checking or draft.is_stopping:
        return
    if _is_check_urgent(draft, worker):
        _begin_check(draft, worker)
    else:
        draft.emit(ScheduleVerification(worker=worker, delay_s=VERIFICATION_WAIT_S))


def _is_check_urgent(draft: Draft, worker: WorkerRef) -> bool:
    """Whether many results are held back, or orders of one of their groups wait for the check."""
    row = draft.slots[worker.slot].unverified.row
    return len(row) >= STREAK_LIMIT or not suspected_groups(draft).isdisjoint(result.task.group for result in row)


def _begin_check(draft: Draft, worker: WorkerRef) -> None:
    slot = draft.slot(worker.slot)
    slot.unverified = slot.unverified.begin_check()
    draft.emit(RequestLoginCheck(worker=worker))
