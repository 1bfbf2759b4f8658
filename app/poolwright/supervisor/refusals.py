"""What follows when files of an order cannot be put in place. Pure.

A place that takes nothing at all is waited for, by everybody and at no cost. What is about one order's own folder is
tried a few times more and then costs the order an attempt. When its last one is spent, the
outcome is written into the journal alone: the way through the output folder has been tried.
"""

from __future__ import annotations

from dataclasses import replace

from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.domain.storage import StorageTrouble
from poolwright.supervisor.attempts import another_attempt
from poolwright.supervisor.commands import Finish, Requeue
from poolwright.supervisor.facts import FilingFailed, TaskFiled
from poolwright.supervisor.holds import FIRST_HOLD_S, STORAGE_HOLDS
from poolwright.supervisor.judging import hold, undone
from poolwright.supervisor.standing import Decision, Standing

#: So often a folder that is refused alone is tried again, at no cost: a share may come back between two looks.
REFUSALS_MAX = 3


def settle_filing(standing: Standing, fact: TaskFiled | FilingFailed) -> Decision:
    """Decide about a filing that is over."""
    if isinstance(fact, TaskFiled):
        calm = replace(standing, holds=standing.holds.forget(*STORAGE_HOLDS.values()))
        return Decision(calm.forget(fact.task.task_id))
    file = fact.file
    if not fact.trouble.may_pass:
        return _spend(standing, fact)
    if standing.is_stopping:  # no time to wait: the whole order is done again later
        return Decision(standing, (undone(fact.worker, file.task, ReturnReason.DRAINING, fact.problem),))
    if fact.is_place_fine and file.refusal_count >= REFUSALS_MAX:
        return _spend(standing, fact)
    again = replace(file, refusal_count=file.refusal_count + fact.is_place_fine)
    if fact.is_place_fine and fact.trouble is StorageTrouble.FORBIDDEN:  # this order's own folder: it waits alone
        return Decision(standing, (replace(again, delay_s=FIRST_HOLD_S * 2.0**file.refusal_count),))
    decision, delay_s = hold(standing, STORAGE_HOLDS[fact.trouble], fact.problem)
    return decision.then(replace(again, delay_s=delay_s))


def _spend(standing: Standing, fact: FilingFailed) -> Decision:
    """The order pays with an attempt; after its last one nothing is asked of the output folder any more."""
    file = fact.file
    report = replace(file.report, reason=Reason.FILING_FAILED, detail=fact.problem, files=(), missed=(), evidence=())
    decision = another_attempt(standing, fact.worker, file.task, report)
    if any(isinstance(command, Requeue) for command in decision.commands):
        return decision
    return Decision(decision.standing, (Finish(worker=fact.worker, task=file.task, report=report),))
