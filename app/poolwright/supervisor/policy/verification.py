"""Holds back results that a lost login could have caused, until a login check confirms the session.

A portal may answer a lost session with the very page of a missing order, of one that others may see, or of one without
files, and no rule of a pack may know it. So such an outcome is kept back until the same session shows an order that it
began later, or passes a probe of its login. A probe is asked for when a row of them has grown to ``STREAK_LIMIT``, or
when no success has come for ``PROOF_WAIT_S``. Logged out, they all go back with no attempt spent. When the pool ends
nobody is asked: a worker that has any probes its login itself before it says goodbye. Pure.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import assert_never

from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.outcomes import LOOKS_LOGGED_OUT, LoginCheck, Outcome, Reason, ReturnReason
from poolwright.domain.tasks import POTask, Report
from poolwright.supervisor.policy.commands import CheckLogin, Requeue, ScheduleVerification
from poolwright.supervisor.policy.events import (
    LoginChecked,
    SessionRenewed,
    TaskReleased,
    TaskReported,
    VerificationDue,
)
from poolwright.supervisor.policy.pauses import PauseReason
from poolwright.supervisor.policy.retries import file_best, on_report, pause, requeue_unspent
from poolwright.supervisor.policy.state import Decision, PoolState, UnverifiedResult, WorkerSlot

#: So many in a row are reason enough to ask at once (design section 5).
STREAK_LIMIT = 10
#: How long a success may take to come by itself: orders take one to three seconds each, a probe as long as one of them.
VERIFICATION_WAIT_S = 2.0
_UNPROVEN = "not found, refused or empty in a session that was not verified to be logged in"
#: Outcomes that only an order's own page can lead to, and only with files on it.
_PROOF_OUTCOMES = frozenset({Outcome.COMPLETED, Outcome.PARTIAL})


def on_session_event(
    standing: PoolState,
    slot: WorkerSlot,
    fact: TaskReported | TaskReleased | VerificationDue | LoginChecked | SessionRenewed,
) -> Decision:
    """Decide about what a worker says of its tasks, and what that tells about its session."""
    match fact:
        case TaskReported():
            return _on_report(standing, slot, fact)
        case TaskReleased():
            return _on_task_released(standing, slot, fact)
        case VerificationDue():
            is_open = bool(slot.unverified.row) and not slot.unverified.is_checking and not standing.is_stopping
            return _begin_check(Decision(standing), fact.worker) if is_open else Decision(standing)
        case LoginChecked():
            return _on_login_checked(standing, slot, fact)
        case SessionRenewed():
            return Decision(*requeue_unverified(standing, fact.worker, ReturnReason.SESSION_LOST))
        case _:
            assert_never(fact)


def requeue_unverified(
    standing: PoolState, worker: WorkerRef, why: ReturnReason
) -> tuple[PoolState, tuple[Requeue, ...]]:
    """Requeue the unverified results of a session that can no longer be verified."""
    slot = standing.slots[worker.slot]
    back = tuple(requeue_unspent(worker, one.task, why, _UNPROVEN) for one in slot.unverified.row)
    return standing.with_slot(worker, replace(slot, unverified=slot.unverified.cleared(slot.held))), back


def _on_report(standing: PoolState, slot: WorkerSlot, fact: TaskReported) -> Decision:
    """Judge a finished attempt; keep it back if it must be proven, and file what it proves."""
    decision = on_report(standing, slot, fact)
    if fact.task_id not in slot.held:
        return decision
    if fact.report.outcome in LOOKS_LOGGED_OUT:
        # An earlier attempt that brought files is not forgotten before this outcome is believed.
        known = replace(decision.standing, best=standing.best)
        return _hold_back(known, fact.worker, slot.held[fact.task_id], fact.report)
    if fact.report.outcome in _PROOF_OUTCOMES:
        decision = replace(decision, standing=_mark_verified(decision.standing))
        proven = [one.task_id for one in slot.unverified.row if fact.task_id not in one.beside]
        return _file_verified(decision, fact.worker, proven)
    return decision


def _on_task_released(standing: PoolState, slot: WorkerSlot, fact: TaskReleased) -> Decision:
    """A task comes back undone. A session that was lost takes with it what it did not find."""
    task, rest = standing.release_task(slot, fact.worker, fact.task_id)
    unproven: tuple[Requeue, ...] = ()
    if fact.why is ReturnReason.SESSION_LOST:
        rest, unproven = requeue_unverified(rest, fact.worker, fact.why)
    if task is None:
        return Decision(rest, unproven)
    if fact.why is not ReturnReason.SESSION_LOST or rest.is_stopping:
        return Decision(rest, (*unproven, requeue_unspent(fact.worker, task, fact.why, fact.detail)))
    known = rest.logouts.record(task.task_id, rest.in_hand)
    met = replace(rest, logouts=known)
    if known.is_own(task.task_id):
        report = Report(reason=Reason.ASKS_FOR_LOGIN, detail=fact.detail)
        ended = file_best(met, fact.worker, task, report)
        return Decision(ended.standing, (*unproven, *ended.commands))
    back = replace(requeue_unspent(fact.worker, task, fact.why, fact.detail), delay_s=known.wait_s(task.task_id))
    return Decision(met, (*unproven, back))


def _on_login_checked(standing: PoolState, slot: WorkerSlot, fact: LoginChecked) -> Decision:
    known = standing.with_slot(fact.worker, replace(slot, unverified=slot.unverified.end_check()))
    match fact.proof:
        case LoginCheck.LOGGED_IN:
            proven = slot.unverified.task_ids if fact.is_last else slot.unverified.probed or ()
            filed = _file_verified(Decision(_mark_verified(known)), fact.worker, proven)
            return _schedule_check(filed, fact.worker)
        case LoginCheck.LOGGED_OUT:
            rest, back = requeue_unverified(known, fact.worker, ReturnReason.SESSION_LOST)
            return Decision(rest, back)
        case LoginCheck.UNCLEAR:
            if not slot.unverified.row or standing.is_stopping:
                return Decision(known)
            detail = "The portal did not show whether the session is logged in."
            decision, delay_s = pause(known, PauseReason.PORTAL_BUSY, detail)
            return decision.then(ScheduleVerification(worker=fact.worker, delay_s=delay_s))
        case _:
            assert_never(fact.proof)


def _mark_verified(standing: PoolState) -> PoolState:
    """The login is worth something."""
    return replace(standing, login_recovery=standing.login_recovery.mark_verified())


def _hold_back(standing: PoolState, worker: WorkerRef, task: POTask, report: Report) -> Decision:
    slot = standing.slots[worker.slot]
    doubt = slot.unverified
    if task.task_id in doubt.tainted:
        again = standing.with_slot(worker, replace(slot, unverified=doubt.mark_clean(task.task_id)))
        return Decision(again, (requeue_unspent(worker, task, ReturnReason.SESSION_LOST, _UNPROVEN),))
    longer = doubt.add(UnverifiedResult(task=task, report=report, beside=frozenset(slot.held)))
    kept = Decision(standing.with_slot(worker, replace(slot, unverified=longer)))
    return kept if doubt.row and len(longer.row) < STREAK_LIMIT else _schedule_check(kept, worker)


def _file_verified(decision: Decision, worker: WorkerRef, proven: Collection[TaskId]) -> Decision:
    slot = decision.standing.slots[worker.slot]
    for one in slot.unverified.row:
        if one.task_id in proven:
            decision = decision.followed_by(file_best(decision.standing, worker, one.task, one.report))
    rest = replace(slot, unverified=slot.unverified.discard(proven))
    return replace(decision, standing=decision.standing.with_slot(worker, rest))


def _schedule_check(decision: Decision, worker: WorkerRef) -> Decision:
    """See to it that what is kept back is proven some time: now when it is a streak, else when a success had time."""
    doubt = decision.standing.slots[worker.slot].unverified
    if not doubt.row or doubt.is_checking or decision.standing.is_stopping:
        return decision
    if len(doubt.row) >= STREAK_LIMIT:
        return _begin_check(decision, worker)
    return decision.then(ScheduleVerification(worker=worker, delay_s=VERIFICATION_WAIT_S))


def _begin_check(decision: Decision, worker: WorkerRef) -> Decision:
    slot = decision.standing.slots[worker.slot]
    asked = decision.standing.with_slot(worker, replace(slot, unverified=slot.unverified.begin_check()))
    return Decision(asked, (*decision.commands, CheckLogin(worker=worker)))
