"""What comes after an attempt: another one, or the outcome, which is that of the best one and not of the last. Pure.

Each attempt begins with nothing. So the files of the one that brought the most wait where they are until the order has
its outcome, and are filed when no later attempt was better.
"""

from __future__ import annotations

from dataclasses import replace

from poolwright.domain.ids import WorkerRef
from poolwright.domain.outcomes import Outcome
from poolwright.domain.tasks import POTask, Report
from poolwright.supervisor.commands import Command, Discard, File, Requeue, Staged
from poolwright.supervisor.holds import RETRY_AFTER_LIMIT_S
from poolwright.supervisor.standing import Decision, Standing

#: Pause before a task's second attempt; doubled with each further one.
FIRST_RETRY_S = 1.0
#: Outcomes that an earlier attempt with more files is better than; any other is the portal's last word.
_SHORT = frozenset({Outcome.PARTIAL, Outcome.FAILED, Outcome.QUARANTINED})


def another_attempt(standing: Standing, worker: WorkerRef, task: POTask, report: Report) -> Decision:
    """One more attempt, if it can help and one is left; else the outcome. A wish to wait counts, within reason."""
    if not report.meaning.is_retryable or task.attempt >= standing.max_attempts:
        return end(standing, worker, task, report)
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
    better = Staged(worker=worker, task=task, report=report)
    kept = replace(standing, best={**standing.best, task.task_id: better})
    return Decision(kept, (replace(back, keeps_files=True), *_discard(best)))


def end(standing: Standing, worker: WorkerRef, task: POTask, report: Report) -> Decision:
    """File the last attempt, or an earlier one that brought more."""
    best, last = standing.best.get(task.task_id), Staged(worker=worker, task=task, report=report)
    known = standing.without_best(task.task_id)
    if best is None or report.outcome not in _SHORT or len(best.report.files) <= len(report.files):
        return Decision(known, (File(worker=worker, task=task, report=report), *_discard(best)))
    told = f"{best.report.detail} From attempt {best.task.attempt}; the last one ended as {report.reason}."
    earlier = replace(best.report, detail=told.strip())
    return Decision(known, (File(worker=worker, task=task, report=earlier, staged=best), Discard(staged=last)))


def _discard(staged: Staged | None) -> tuple[Command, ...]:
    return () if staged is None else (Discard(staged=staged),)
