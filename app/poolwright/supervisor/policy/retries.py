"""Decides what a report or a failed filing leads to.

The outcome, another attempt, or a wait that costs no attempt. Pure.

Each attempt begins with nothing. So the files of the one that brought the most wait where they are until the order has
its outcome, and are filed when no later attempt was better.

A place that takes nothing at all is waited for, by everybody and at no cost. What is about one order's own folder is
tried a few times more and then costs the order an attempt. When its last one is spent, the
outcome is written into the journal alone: the way through the output folder has been tried.
"""

from __future__ import annotations

from dataclasses import replace

from poolwright.domain.ids import WorkerRef
from poolwright.domain.outcomes import Outcome, Reason, ReturnReason
from poolwright.domain.storage import STORAGE_REASONS, StorageTrouble
from poolwright.domain.tasks import POTask, Report
from poolwright.supervisor.policy.commands import (
    Command,
    Discard,
    FileReport,
    KillAndRestart,
    Pause,
    RecordOutcome,
    Requeue,
    StagedAttempt,
    Stop,
    StopCause,
)
from poolwright.supervisor.policy.events import FilingFailed, TaskFiled, TaskReported
from poolwright.supervisor.policy.pauses import FIRST_PAUSE_S, RETRY_AFTER_LIMIT_S, STORAGE_PAUSES, PauseReason
from poolwright.supervisor.policy.state import Decision, PoolState, WorkerSlot

#: Pause before a task's second attempt; doubled with each further one.
FIRST_RETRY_S = 1.0
#: Outcomes that an earlier attempt with more files is better than; any other is the portal's last word.
_INCOMPLETE = frozenset({Outcome.PARTIAL, Outcome.FAILED, Outcome.QUARANTINED})


def retry_or_fail(standing: PoolState, worker: WorkerRef, task: POTask, report: Report) -> Decision:
    """One more attempt, if it can help and one is left; else the outcome. A wish to wait counts, within reason."""
    if not report.meaning.is_retryable or task.attempt >= standing.max_attempts:
        return file_best(standing, worker, task, report)
    wish_s = min(report.retry_after_s or 0.0, RETRY_AFTER_LIMIT_S)
    back = Requeue(
        worker=worker,
        task=task,
        why=report.reason,
        detail=report.detail,
        delay_s=max(FIRST_RETRY_S * 2.0 ** (task.attempt - 1), wish_s),
        is_attempt_spent=True,
    )
    best = standing.best.get(task.task_id)
    if len(report.files) <= (len(best.report.files) if best else 0):
        return Decision(standing, (back,))
    better = StagedAttempt(worker=worker, task=task, report=report)
    kept = replace(standing, best={**standing.best, task.task_id: better})
    return Decision(kept, (replace(back, keeps_files=True), *_discard(best)))


def file_best(standing: PoolState, worker: WorkerRef, task: POTask, report: Report) -> Decision:
    """File the last attempt, or an earlier one that brought more."""
    best, last = standing.best.get(task.task_id), StagedAttempt(worker=worker, task=task, report=report)
    known = standing.without_best(task.task_id)
    if best is None or report.outcome not in _INCOMPLETE or len(best.report.files) <= len(report.files):
        return Decision(known, (FileReport(worker=worker, task=task, report=report), *_discard(best)))
    told = (
        f"{best.report.detail} The files are from attempt {best.task.attempt}; the last one ended as {report.reason}."
    )
    earlier = replace(best.report, detail=told.strip())
    return Decision(known, (FileReport(worker=worker, task=task, report=earlier, staged=best), Discard(staged=last)))


def _discard(staged: StagedAttempt | None) -> tuple[Command, ...]:
    return () if staged is None else (Discard(staged=staged),)


#: So often a task goes back for free while others are done; a page that alone is always "busy" must come to an end too.
FREE_RETURNS_MAX = 10
#: And so often while nothing at all is done, which is no fault of the task's: two hours of the longest holds.
OUTAGE_RETURNS_MAX = 120
#: A worker that fails so often in a row may be the fault itself (design section 4, "black hole").
FAILURES_IN_A_ROW = 5

#: Failures that say nothing of the order: the pool waits, and the order pays nothing (design section 4).
_OUTAGE_PAUSES = {
    Reason.PORTAL_UNREACHABLE: PauseReason.PORTAL_DOWN,
    Reason.PORTAL_BUSY: PauseReason.PORTAL_BUSY,
    **{STORAGE_REASONS[trouble]: cause for trouble, cause in STORAGE_PAUSES.items()},
}
#: What an outage of the portal looks like from an order that was in flight: its list never came, its files broke off,
#: and when it asked after the portal that was perhaps back already.
_CUT_OFF_REASONS = frozenset(
    {
        Reason.PAGE_TOO_SLOW,
        Reason.PORTAL_ERROR,
        Reason.PORTAL_CHANGED,
        Reason.DOWNLOAD_FAILED,
        Reason.SOME_FILES_FAILED,
    }
)


def on_report(standing: PoolState, slot: WorkerSlot, fact: TaskReported) -> Decision:
    """Decide about a finished attempt."""
    task, rest = standing.release_task(slot, fact.worker, fact.task_id)
    if task is None:
        return Decision(rest)
    if (back := _requeue_if_innocent(standing, rest, slot, fact, task)) is not None:
        return back
    if fact.report.reason in _OUTAGE_PAUSES and fact.report.files and fact.report.missed:
        # waiting did not help: what came is all there is of this order
        fact = replace(fact, report=replace(fact.report, reason=Reason.SOME_FILES_FAILED))
    if _may_be_the_worker(fact.report):
        return _count_failure(rest, fact, task)
    well = replace(rest.slots[fact.worker.slot], failure_count=0, was_recycled=False)
    calm = replace(
        rest,
        pauses=rest.pauses.forget(PauseReason.PORTAL_DOWN, PauseReason.PORTAL_BUSY),
        shown_count=rest.shown_count + (fact.report.outcome is not Outcome.FAILED),
    )
    return retry_or_fail(calm.with_slot(fact.worker, well), fact.worker, task, fact.report)


def _requeue_if_innocent(
    standing: PoolState, rest: PoolState, slot: WorkerSlot, fact: TaskReported, task: POTask
) -> Decision | None:
    """Return what follows from a failure that the order did not cause; ``None`` if it may have caused it."""
    if _was_paused(standing, fact):
        why = f"The machine was suspended for {fact.paused_s:.0f} s meanwhile. {fact.report.detail}".strip()
        return Decision(_with_free_return(rest, task), (requeue_unspent(fact.worker, task, ReturnReason.PAUSED, why),))
    if _was_cut_off(standing, slot, fact):
        back = requeue_unspent(fact.worker, task, Reason.PORTAL_UNREACHABLE, fact.report.detail)
        return Decision(_with_free_return(rest, task), (back,))
    storage = standing.pauses.storage
    if storage is not None and fact.report.meaning.is_retryable and not standing.is_stopping:
        # Nothing can be stored: whatever fails meanwhile failed for that, and waits as long as all the others.
        back = requeue_unspent(
            fact.worker, task, standing.pauses.storage_reason or Reason.DISK_FULL, fact.report.detail
        )
        return Decision(_with_free_return(rest, task), (replace(back, delay_s=standing.pauses.delay_s(storage)),))
    cause = _OUTAGE_PAUSES.get(fact.report.reason)
    if cause is PauseReason.PORTAL_DOWN and _was_answered(standing, slot, fact):
        return _requeue_once(rest, fact, task)
    if cause is not None and rest.free_returns.get(task.task_id, 0) < _free_returns_max(rest, cause):
        return _pause_and_requeue(rest, fact, task, cause)
    return None


def _was_paused(standing: PoolState, fact: TaskReported) -> bool:
    """Whether an attempt failed over a pause of the machine: its limits ran out, and lines that waited were closed."""
    is_within_reason = standing.free_returns.get(fact.task_id, 0) < FREE_RETURNS_MAX
    is_judged = not fact.report.meaning.is_retryable or fact.report.reason is Reason.RETRY_ASKED
    return fact.paused_s > 0 and not is_judged and is_within_reason


def _was_cut_off(standing: PoolState, slot: WorkerSlot, fact: TaskReported) -> bool:
    """Whether an attempt failed that was under way when the portal was found to be gone."""
    outages_seen = standing.pauses.outage_count - slot.outages_before.get(fact.task_id, 0)
    is_within_reason = standing.free_returns.get(fact.task_id, 0) < FREE_RETURNS_MAX
    return fact.report.reason in _CUT_OFF_REASONS and outages_seen > 0 and is_within_reason


def _was_answered(standing: PoolState, slot: WorkerSlot, fact: TaskReported) -> bool:
    """Whether the portal showed another order after this one was taken: then it is there, for all that is known."""
    return standing.shown_count > slot.shown_before[fact.task_id]


def _requeue_once(standing: PoolState, fact: TaskReported, task: POTask) -> Decision | None:
    """One order's own address fails. Once that may be the portal going away just now, and costs it nothing."""
    if task.task_id in standing.free_returns:
        return None
    back = requeue_unspent(fact.worker, task, Reason.PORTAL_UNREACHABLE, fact.report.detail)
    return Decision(_with_free_return(standing, task), (replace(back, delay_s=FIRST_PAUSE_S),))


def _with_free_return(standing: PoolState, task: POTask) -> PoolState:
    counts = {**standing.free_returns, task.task_id: standing.free_returns.get(task.task_id, 0) + 1}
    return replace(standing, free_returns=counts)


def _may_be_the_worker(report: Report) -> bool:
    """Whether a failure may lie in the worker. A processor that asks for another try has done its work on it."""
    return report.outcome is Outcome.FAILED and report.meaning.is_retryable and report.reason is not Reason.RETRY_ASKED


def _free_returns_max(standing: PoolState, cause: PauseReason) -> int:
    """Holds in a row say that nothing was done since the first of them."""
    return OUTAGE_RETURNS_MAX if standing.pauses.row_counts.get(cause, 0) > 1 else FREE_RETURNS_MAX


def requeue_unspent(worker: WorkerRef, task: POTask, why: ReturnReason | Reason, detail: str) -> Requeue:
    """Return a task to the queue without a spent attempt."""
    return Requeue(worker=worker, task=task, why=why, detail=detail, delay_s=0.0, is_attempt_spent=False)


def pause(standing: PoolState, cause: PauseReason, detail: str, wish_s: float = 0.0) -> tuple[Decision, float]:
    """Begin a pause that ends by itself, unless it is active already; return its length too."""
    delay_s = standing.pauses.delay_s(cause, wish_s)
    if cause in standing.pauses.active:
        return Decision(standing), delay_s
    held = replace(standing, pauses=standing.pauses.begin(cause))
    return Decision(held, (Pause(cause=cause, detail=detail, delay_s=delay_s),)), delay_s


def pause_until_resumed(standing: PoolState, cause: PauseReason, detail: str) -> Decision:
    """Begin a pause without an end of its own, unless it is active already."""
    if cause in standing.pauses.active:
        return Decision(standing)
    held = replace(standing, pauses=standing.pauses.begin(cause))
    return Decision(held, (Pause(cause=cause, detail=detail, delay_s=None),))


def stop(standing: PoolState, cause: StopCause, detail: str) -> Decision:
    """End the pool, unless it is ending already."""
    if standing.is_stopping:
        return Decision(standing)
    return Decision(replace(standing, is_stopping=True), (Stop(cause=cause, detail=detail),))


def _pause_and_requeue(standing: PoolState, fact: TaskReported, task: POTask, cause: PauseReason) -> Decision:
    wish_s = fact.report.retry_after_s or 0.0
    decision, delay_s = pause(_with_free_return(standing, task), cause, fact.report.detail, wish_s)
    back = Requeue(
        worker=fact.worker,
        task=task,
        why=fact.report.reason,
        detail=fact.report.detail,
        delay_s=delay_s,
        is_attempt_spent=False,
    )
    return Decision(decision.standing, (back, *decision.commands))


def _count_failure(standing: PoolState, fact: TaskReported, task: POTask) -> Decision:
    slot = standing.slots[fact.worker.slot]
    count = slot.failure_count + 1
    if count < FAILURES_IN_A_ROW or slot.was_recycled or standing.is_stopping:
        counted = standing.with_slot(fact.worker, replace(slot, failure_count=count))
        return retry_or_fail(counted, fact.worker, task, fact.report)
    ended = replace(slot, failure_count=0, was_recycled=True, is_being_killed=True)
    cause = f"{count} orders in a row failed on it, the last with {fact.report.reason}"
    return Decision(
        standing.with_slot(fact.worker, ended),
        (
            requeue_unspent(fact.worker, task, ReturnReason.RECYCLED, fact.report.detail),
            KillAndRestart(worker=fact.worker, cause=cause),
        ),
    )


#: So often a folder that is refused alone is tried again, at no cost: a share may come back between two looks.
REFUSALS_MAX = 3


def on_filing_result(standing: PoolState, fact: TaskFiled | FilingFailed) -> Decision:
    """Decide about a filing that is over."""
    if isinstance(fact, TaskFiled):
        calm = replace(standing, pauses=standing.pauses.forget(*STORAGE_PAUSES.values()))
        return Decision(calm.forget(fact.task.task_id))
    file = fact.file
    if not fact.trouble.may_pass:
        return _spend_attempt(standing, fact)
    if standing.is_stopping:  # no time to wait: the whole order is done again later
        return Decision(standing, (requeue_unspent(fact.worker, file.task, ReturnReason.DRAINING, fact.problem),))
    if fact.is_place_fine and file.refusal_count >= REFUSALS_MAX:
        return _spend_attempt(standing, fact)
    again = replace(file, refusal_count=file.refusal_count + fact.is_place_fine)
    if fact.is_place_fine and fact.trouble is StorageTrouble.FORBIDDEN:  # this order's own folder: it waits alone
        return Decision(standing, (replace(again, delay_s=FIRST_PAUSE_S * 2.0**file.refusal_count),))
    decision, delay_s = pause(standing, STORAGE_PAUSES[fact.trouble], fact.problem)
    return decision.then(replace(again, delay_s=delay_s))


def _spend_attempt(standing: PoolState, fact: FilingFailed) -> Decision:
    """The order pays with an attempt; after its last one nothing is asked of the output folder any more."""
    file = fact.file
    report = replace(file.report, reason=Reason.FILING_FAILED, detail=fact.problem, files=(), missed=(), evidence=())
    decision = retry_or_fail(standing, fact.worker, file.task, report)
    if any(isinstance(command, Requeue) for command in decision.commands):
        return decision
    return Decision(decision.standing, (RecordOutcome(worker=fact.worker, task=file.task, report=report),))
