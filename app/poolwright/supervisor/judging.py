"""What a report leads to: the outcome, another attempt, or a wait that costs the order nothing. Pure."""

from __future__ import annotations

from dataclasses import replace

from poolwright.domain.ids import WorkerRef
from poolwright.domain.outcomes import Outcome, Reason, ReturnReason
from poolwright.domain.storage import STORAGE_REASONS
from poolwright.domain.tasks import POTask, Report
from poolwright.supervisor.attempts import another_attempt
from poolwright.supervisor.commands import Hold, Recycle, Requeue, Stop
from poolwright.supervisor.facts import TaskReported
from poolwright.supervisor.holds import FIRST_HOLD_S, STORAGE_HOLDS, HoldCause
from poolwright.supervisor.standing import Decision, Slot, Standing
from poolwright.supervisor.stops import StopCause

#: So often a task goes back for free while others are done; a page that alone is always "busy" must come to an end too.
FREE_RETURNS_MAX = 10
#: And so often while nothing at all is done, which is no fault of the task's: two hours of the longest holds.
OUTAGE_RETURNS_MAX = 120
#: A worker that fails so often in a row may be the fault itself (design section 4, "black hole").
FAILURES_IN_A_ROW = 5

#: Failures that say nothing of the order: the pool waits, and the order pays nothing (design section 4).
_OUTSIDE = {
    Reason.PORTAL_UNREACHABLE: HoldCause.PORTAL_DOWN,
    Reason.PORTAL_BUSY: HoldCause.PORTAL_BUSY,
    **{STORAGE_REASONS[trouble]: cause for trouble, cause in STORAGE_HOLDS.items()},
}
#: What an outage of the portal looks like from an order that was in flight: its list never came, its files broke off,
#: and when it asked after the portal that was perhaps back already.
_CUT_OFF = frozenset(
    {
        Reason.PAGE_TOO_SLOW,
        Reason.PORTAL_ERROR,
        Reason.PORTAL_CHANGED,
        Reason.DOWNLOAD_FAILED,
        Reason.SOME_FILES_FAILED,
    }
)


def judge(standing: Standing, slot: Slot, fact: TaskReported) -> Decision:
    """Decide about a finished attempt."""
    task, rest = standing.release(slot, fact.worker, fact.task_id)
    if task is None:
        return Decision(rest)
    if (back := _back_for_free(standing, rest, slot, fact, task)) is not None:
        return back
    if fact.report.reason in _OUTSIDE and fact.report.files and fact.report.missed:
        # waiting did not help: what came is all there is of this order
        fact = replace(fact, report=replace(fact.report, reason=Reason.SOME_FILES_FAILED))
    if _may_be_the_worker(fact.report):
        return _count_failure(rest, fact, task)
    well = replace(rest.slots[fact.worker.slot], failure_count=0, was_recycled=False)
    calm = replace(
        rest,
        holds=rest.holds.forget(HoldCause.PORTAL_DOWN, HoldCause.PORTAL_BUSY),
        shown_count=rest.shown_count + (fact.report.outcome is not Outcome.FAILED),
    )
    return another_attempt(calm.with_slot(fact.worker, well), fact.worker, task, fact.report)


def _back_for_free(standing: Standing, rest: Standing, slot: Slot, fact: TaskReported, task: POTask) -> Decision | None:
    """Return what follows from a failure that the order did not cause; ``None`` if it may have caused it."""
    if _was_paused(standing, fact):
        why = f"The machine was suspended for {fact.paused_s:.0f} s meanwhile. {fact.report.detail}".strip()
        return Decision(_with_free_return(rest, task), (undone(fact.worker, task, ReturnReason.PAUSED, why),))
    if _was_cut_off(standing, slot, fact):
        back = undone(fact.worker, task, Reason.PORTAL_UNREACHABLE, fact.report.detail)
        return Decision(_with_free_return(rest, task), (back,))
    storage = standing.holds.storage
    if storage is not None and fact.report.meaning.is_retryable and not standing.is_stopping:
        # Nothing can be stored: whatever fails meanwhile failed for that, and waits as long as all the others.
        back = undone(fact.worker, task, standing.holds.storage_reason or Reason.DISK_FULL, fact.report.detail)
        return Decision(_with_free_return(rest, task), (replace(back, delay_s=standing.holds.delay_s(storage)),))
    cause = _OUTSIDE.get(fact.report.reason)
    if cause is HoldCause.PORTAL_DOWN and _was_answered(standing, slot, fact):
        return _doubt_order(rest, fact, task)
    if cause is not None and rest.free_returns.get(task.task_id, 0) < _free_returns_max(rest, cause):
        return _wait(rest, fact, task, cause)
    return None


def _was_paused(standing: Standing, fact: TaskReported) -> bool:
    """Whether an attempt failed over a pause of the machine: its limits ran out, and lines that waited were closed."""
    is_within_reason = standing.free_returns.get(fact.task_id, 0) < FREE_RETURNS_MAX
    is_judged = not fact.report.meaning.is_retryable or fact.report.reason is Reason.RETRY_ASKED
    return fact.paused_s > 0 and not is_judged and is_within_reason


def _was_cut_off(standing: Standing, slot: Slot, fact: TaskReported) -> bool:
    """Whether an attempt failed that was under way when the portal was found to be gone."""
    outages_seen = standing.holds.outage_count - slot.outages_before.get(fact.task_id, 0)
    is_within_reason = standing.free_returns.get(fact.task_id, 0) < FREE_RETURNS_MAX
    return fact.report.reason in _CUT_OFF and outages_seen > 0 and is_within_reason


def _was_answered(standing: Standing, slot: Slot, fact: TaskReported) -> bool:
    """Whether the portal showed another order after this one was taken: then it is there, for all that is known."""
    return standing.shown_count > slot.shown_before[fact.task_id]


def _doubt_order(standing: Standing, fact: TaskReported, task: POTask) -> Decision | None:
    """One order's own address fails. Once that may be the portal going away just now, and costs it nothing."""
    if task.task_id in standing.free_returns:
        return None
    back = undone(fact.worker, task, Reason.PORTAL_UNREACHABLE, fact.report.detail)
    return Decision(_with_free_return(standing, task), (replace(back, delay_s=FIRST_HOLD_S),))


def _with_free_return(standing: Standing, task: POTask) -> Standing:
    counts = {**standing.free_returns, task.task_id: standing.free_returns.get(task.task_id, 0) + 1}
    return replace(standing, free_returns=counts)


def _may_be_the_worker(report: Report) -> bool:
    """Whether a failure may lie in the worker. A processor that asks for another try has done its work on it."""
    return report.outcome is Outcome.FAILED and report.meaning.is_retryable and report.reason is not Reason.RETRY_ASKED


def _free_returns_max(standing: Standing, cause: HoldCause) -> int:
    """Holds in a row say that nothing was done since the first of them."""
    return OUTAGE_RETURNS_MAX if standing.holds.row_counts.get(cause, 0) > 1 else FREE_RETURNS_MAX


def undone(worker: WorkerRef, task: POTask, why: ReturnReason | Reason, detail: str) -> Requeue:
    """Return a task to the queue without a spent attempt."""
    return Requeue(worker=worker, task=task, why=why, detail=detail, delay_s=0.0, is_attempt_spent=False)


def hold(standing: Standing, cause: HoldCause, detail: str, wish_s: float = 0.0) -> tuple[Decision, float]:
    """Begin a pause that ends by itself, unless it is active already; return its length too."""
    delay_s = standing.holds.delay_s(cause, wish_s)
    if cause in standing.holds.active:
        return Decision(standing), delay_s
    held = replace(standing, holds=standing.holds.begin(cause))
    return Decision(held, (Hold(cause=cause, detail=detail, delay_s=delay_s),)), delay_s


def hold_open(standing: Standing, cause: HoldCause, detail: str) -> Decision:
    """Begin a pause without an end of its own, unless it is active already."""
    if cause in standing.holds.active:
        return Decision(standing)
    held = replace(standing, holds=standing.holds.begin(cause))
    return Decision(held, (Hold(cause=cause, detail=detail, delay_s=None),))


def stop(standing: Standing, cause: StopCause, detail: str) -> Decision:
    """End the pool, unless it is ending already."""
    if standing.is_stopping:
        return Decision(standing)
    return Decision(replace(standing, is_stopping=True), (Stop(cause=cause, detail=detail),))


def _wait(standing: Standing, fact: TaskReported, task: POTask, cause: HoldCause) -> Decision:
    wish_s = fact.report.retry_after_s or 0.0
    decision, delay_s = hold(_with_free_return(standing, task), cause, fact.report.detail, wish_s)
    back = Requeue(
        worker=fact.worker,
        task=task,
        why=fact.report.reason,
        detail=fact.report.detail,
        delay_s=delay_s,
        is_attempt_spent=False,
    )
    return Decision(decision.standing, (back, *decision.commands))


def _count_failure(standing: Standing, fact: TaskReported, task: POTask) -> Decision:
    slot = standing.slots[fact.worker.slot]
    count = slot.failure_count + 1
    if count < FAILURES_IN_A_ROW or slot.was_recycled or standing.is_stopping:
        counted = standing.with_slot(fact.worker, replace(slot, failure_count=count))
        return another_attempt(counted, fact.worker, task, fact.report)
    ended = replace(slot, failure_count=0, was_recycled=True, is_recycling=True)
    cause = f"{count} orders in a row failed on it, the last with {fact.report.reason}"
    return Decision(
        standing.with_slot(fact.worker, ended),
        (
            undone(fact.worker, task, ReturnReason.RECYCLED, fact.report.detail),
            Recycle(worker=fact.worker, cause=cause),
        ),
    )
