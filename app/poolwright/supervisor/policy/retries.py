"""Decides whether a report or a failed filing leads to an outcome, another attempt or a return without a spent attempt.

Each attempt starts without files. The files of the attempt that has the most stay staged until the order has its
outcome, and are filed if no later attempt was better.

If the output folder as a whole refuses files, the pool pauses and no order spends an attempt. If only the folder of one
order refuses them, filing is tried a few times more and then spends an attempt of that order. After its last attempt
the outcome is recorded in the journal alone. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from poolwright.domain.ids import WorkerRef
from poolwright.domain.outcomes import Outcome, Reason, ReturnReason
from poolwright.domain.storage import STORAGE_REASONS, StorageTrouble
from poolwright.domain.tasks import POTask, Report
from poolwright.ipc.messages import Finished
from poolwright.supervisor.policy.commands import (
    Discard,
    FileReport,
    KillAndRestart,
    RecordOutcome,
    Requeue,
    StagedAttempt,
)
from poolwright.supervisor.policy.draft import Draft
from poolwright.supervisor.policy.events import FilingFailed, TaskAssigned, TaskFiled
from poolwright.supervisor.policy.group_breaker import count_access
from poolwright.supervisor.policy.pauses import FIRST_PAUSE_S, RETRY_AFTER_LIMIT_S, STORAGE_PAUSES, PauseReason

#: Delay before a task's second attempt; doubled with each further one.
FIRST_RETRY_S = 1.0
#: Outcomes that are replaced by an earlier attempt with more files; any other one is final.
_INCOMPLETE = frozenset({Outcome.PARTIAL, Outcome.FAILED, Outcome.QUARANTINED})


def retry_or_fail(draft: Draft, worker: WorkerRef, task: POTask, report: Report) -> None:
    """Requeue the order for another attempt, if that can help and one is left; else file the outcome."""
    if _can_retry(draft, task, report):
        _retry(draft, worker, task, report)
    else:
        file_best(draft, worker, task, report)


def file_best(draft: Draft, worker: WorkerRef, task: POTask, report: Report) -> None:
    """File the last attempt, or an earlier one with more files."""
    count_access(draft, task, report)
    best = draft.pop_best(task.task_id)
    if best is None or report.outcome not in _INCOMPLETE or len(best.report.files) <= len(report.files):
        draft.emit(FileReport(worker=worker, task=task, report=report))
        draft.discard(best)
        return
    detail = (
        f"{best.report.detail} The files are from attempt {best.task.attempt}; the last one ended as {report.reason}."
    )
    earlier = replace(best.report, detail=detail.strip())
    draft.emit(FileReport(worker=worker, task=task, report=earlier, staged=best))
    draft.emit(Discard(staged=StagedAttempt(worker=worker, task=task, report=report)))


def _can_retry(draft: Draft, task: POTask, report: Report) -> bool:
    return report.meaning.is_retryable and task.attempt < draft.max_attempts


def _retry(draft: Draft, worker: WorkerRef, task: POTask, report: Report) -> None:
    """Spend an attempt, and keep its files if no earlier one has as many. A requested delay counts up to a limit."""
    wish_s = min(report.retry_after_s or 0.0, RETRY_AFTER_LIMIT_S)
    best = draft.best.get(task.task_id)
    is_better = len(report.files) > (len(best.report.files) if best else 0)
    draft.emit(
        Requeue(
            worker=worker,
            task=task,
            why=report.reason,
            detail=report.detail,
            delay_s=max(FIRST_RETRY_S * 2.0 ** (task.attempt - 1), wish_s),
            is_attempt_spent=True,
            keeps_files=is_better,
        )
    )
    if is_better:
        draft.best = {**draft.best, task.task_id: StagedAttempt(worker=worker, task=task, report=report)}
        draft.discard(best)


#: Limit of unspent returns of a task while others are done, so that a page that is always "busy" has an end.
FREE_RETURNS_MAX = 10
#: Limit of unspent returns while no task is done, which is not the fault of the task: two hours of the longest pauses.
OUTAGE_RETURNS_MAX = 120
#: Number of consecutive failures that may be caused by the worker itself (design section 4, "black hole").
FAILURES_IN_A_ROW = 5

#: Failures that the order did not cause: the pool pauses, and the order spends no attempt (design section 4).
_OUTAGE_PAUSES = {
    Reason.PORTAL_UNREACHABLE: PauseReason.PORTAL_DOWN,
    Reason.PORTAL_BUSY: PauseReason.PORTAL_BUSY,
    **{STORAGE_REASONS[trouble]: cause for trouble, cause in STORAGE_PAUSES.items()},
}
#: Failures that an outage of the portal may cause for an order in flight: its page or its files broke off, and the
#: portal was perhaps back when the worker checked it.
_CUT_OFF_REASONS = frozenset(
    {
        Reason.PAGE_TOO_SLOW,
        Reason.PORTAL_ERROR,
        Reason.PORTAL_CHANGED,
        Reason.DOWNLOAD_FAILED,
        Reason.SOME_FILES_FAILED,
    }
)


def on_task_assigned(draft: Draft, event: TaskAssigned) -> None:
    """Note that the worker holds the task, and the counts of outages and of shown orders by then."""
    task_id = event.task.task_id
    slot = draft.slot(event.worker.slot)
    slot.held[task_id] = event.task
    slot.outages_before[task_id] = draft.pauses.outage_count
    slot.shown_before[task_id] = draft.shown_count
    draft.on_trial -= {task_id}
    draft.logouts = draft.logouts.begin(task_id)


def settle_report(draft: Draft, worker: WorkerRef, finished: Finished, task: POTask, *, at_s: float = 0.0) -> None:
    """Decide about a finished attempt whose report does not depend on the login.

    Args:
        draft: The working copy of the state.
        worker: The worker that made the attempt.
        finished: Its message.
        task: The task.
        at_s: When the message came, in seconds of a monotonic clock; 0 for a report that no worker made.
    """
    free_return = _free_return(draft, worker, finished)
    draft.release_task(worker, task.task_id)
    report = finished.report
    if free_return is not None:
        draft.count_free_return(task.task_id)
        draft.requeue_unspent(worker, task, free_return.why, free_return.detail, free_return.delay_s)
        if free_return.pause is not None:
            draft.pause(free_return.pause, report.detail, report.retry_after_s or 0.0, at_s=at_s)
        return
    if report.reason in _OUTAGE_PAUSES and report.files and report.missed:
        # waiting did not help, so the saved files are the result
        report = replace(report, reason=Reason.SOME_FILES_FAILED)
    if _may_be_the_worker(report):
        _count_failure(draft, worker, task, report)
    else:
        record_answer(draft, worker, report)
        retry_or_fail(draft, worker, task, report)


def record_answer(draft: Draft, worker: WorkerRef, report: Report) -> None:
    """Note that both the worker and the portal work, because an order was answered."""
    slot = draft.slot(worker.slot)
    slot.failure_count, slot.was_recycled = 0, False
    draft.pauses = draft.pauses.forget(PauseReason.PORTAL_DOWN, PauseReason.PORTAL_BUSY)
    draft.shown_count += report.outcome is not Outcome.FAILED


@dataclass(frozen=True, slots=True, kw_only=True)
class _FreeReturn:
    """The return of an order that did not cause its failure."""

    why: ReturnReason | Reason
    detail: str
    delay_s: float = 0.0
    #: The pause of all orders that begins with it; ``None`` if none does.
    pause: PauseReason | None = None


def _free_return(draft: Draft, worker: WorkerRef, finished: Finished) -> _FreeReturn | None:
    """Return the unspent return of an order that did not cause its failure; ``None`` if it may have caused it."""
    report, storage = finished.report, draft.pauses.storage
    if _was_paused(draft, finished):
        detail = f"The machine was suspended for {finished.paused_s:.0f} s meanwhile. {report.detail}".strip()
        return _FreeReturn(why=ReturnReason.PAUSED, detail=detail)
    if _was_cut_off(draft, worker, finished):
        return _FreeReturn(why=Reason.PORTAL_UNREACHABLE, detail=report.detail)
    if storage is not None and report.meaning.is_retryable and not draft.is_stopping:
        # Storage is unavailable: it may have caused any failure meanwhile, so the order waits as long as the others.
        why = draft.pauses.storage_reason or Reason.DISK_FULL
        return _FreeReturn(why=why, detail=report.detail, delay_s=draft.pauses.delay_s(storage))
    cause = _OUTAGE_PAUSES.get(report.reason)
    if cause is PauseReason.PORTAL_DOWN and _was_answered(draft, worker, finished):
        # Only this order fails. The first failure may be the beginning of an outage.
        once = _FreeReturn(why=Reason.PORTAL_UNREACHABLE, detail=report.detail, delay_s=FIRST_PAUSE_S)
        return once if finished.task_id not in draft.free_returns else None
    if cause is None or draft.free_returns.get(finished.task_id, 0) >= _free_returns_max(draft, cause):
        return None
    delay_s = draft.pauses.delay_s(cause, report.retry_after_s or 0.0)
    return _FreeReturn(why=report.reason, detail=report.detail, delay_s=delay_s, pause=cause)


def _was_paused(draft: Draft, finished: Finished) -> bool:
    """Whether a suspension of the machine may have caused a failure: time limits ran out, connections were closed."""
    is_within_limit = draft.free_returns.get(finished.task_id, 0) < FREE_RETURNS_MAX
    is_judged = not finished.report.meaning.is_retryable or finished.report.reason is Reason.RETRY_ASKED
    return finished.paused_s > 0 and not is_judged and is_within_limit


def _was_cut_off(draft: Draft, worker: WorkerRef, finished: Finished) -> bool:
    """Whether an attempt was in flight when an outage of the portal was found, which may have caused its failure."""
    outages_before = draft.slots[worker.slot].outages_before.get(finished.task_id, 0)
    is_within_limit = draft.free_returns.get(finished.task_id, 0) < FREE_RETURNS_MAX
    is_cut_off = finished.report.reason in _CUT_OFF_REASONS and draft.pauses.outage_count > outages_before
    return is_cut_off and is_within_limit


def _was_answered(draft: Draft, worker: WorkerRef, finished: Finished) -> bool:
    """Whether the portal showed another order after this one was taken, so that it was not down."""
    return draft.shown_count > draft.slots[worker.slot].shown_before[finished.task_id]


def _free_returns_max(draft: Draft, cause: PauseReason) -> int:
    """Return the limit of unspent returns, which is higher if no order was done between consecutive pauses."""
    return OUTAGE_RETURNS_MAX if draft.pauses.row_counts.get(cause, 0) > 1 else FREE_RETURNS_MAX


def _may_be_the_worker(report: Report) -> bool:
    """Whether the worker may have caused a failure. A processor that requests a retry shows that the worker works."""
    return report.outcome is Outcome.FAILED and report.meaning.is_retryable and report.reason is not Reason.RETRY_ASKED


def _count_failure(draft: Draft, worker: WorkerRef, task: POTask, report: Report) -> None:
    slot = draft.slot(worker.slot)
    slot.failure_count += 1
    if slot.failure_count < FAILURES_IN_A_ROW or slot.was_recycled or draft.is_stopping:
        retry_or_fail(draft, worker, task, report)
        return
    cause = f"{slot.failure_count} orders in a row failed on it, the last with {report.reason}"
    slot.failure_count, slot.was_recycled, slot.is_being_killed = 0, True, True
    draft.requeue_unspent(worker, task, ReturnReason.RECYCLED, report.detail)
    draft.emit(KillAndRestart(worker=worker, cause=cause))


#: Limit of unspent tries to file if only the folder of one order refuses files: a share may recover between two.
REFUSALS_MAX = 3


def on_task_filed(draft: Draft, event: TaskFiled) -> None:
    """Drop the state of a task that has its outcome, and note that storage works."""
    draft.pauses = draft.pauses.forget(*STORAGE_PAUSES.values())
    draft.forget(event.task.task_id)


def on_filing_failed(draft: Draft, event: FilingFailed) -> None:
    """File again later if waiting can help; else spend an attempt of the order."""
    file = event.file
    if not event.trouble.is_temporary:
        _spend_attempt(draft, event)
        return
    if draft.is_stopping:  # no time to wait: the next start does the order again
        draft.requeue_unspent(event.worker, file.task, ReturnReason.DRAINING, event.problem)
        return
    if event.is_place_fine and file.refusal_count >= REFUSALS_MAX:
        _spend_attempt(draft, event)
        return
    if event.is_place_fine and event.trouble is StorageTrouble.FORBIDDEN:  # only this order waits
        delay_s = FIRST_PAUSE_S * 2.0**file.refusal_count
    else:
        delay_s = draft.pause(STORAGE_PAUSES[event.trouble], event.problem)
    draft.emit(replace(file, refusal_count=file.refusal_count + event.is_place_fine, delay_s=delay_s))


def _spend_attempt(draft: Draft, event: FilingFailed) -> None:
    """Spend an attempt of the order; after its last one, record the outcome in the journal alone."""
    task = event.file.task
    report = replace(
        event.file.report,
        reason=Reason.FILING_FAILED,
        detail=event.problem,
        files=(),
        missed=(),
        evidence=(),
        page_evidence=None,
    )
    if _can_retry(draft, task, report):
        _retry(draft, event.worker, task, report)
    else:
        draft.pop_best(task.task_id)
        draft.emit(RecordOutcome(worker=event.worker, task=task, report=report))
