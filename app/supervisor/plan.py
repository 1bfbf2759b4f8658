"""What the pool does about what happened: facts in, commands out. Pure; nothing here acts or waits.

``react`` is the whole of the pool's policy (design section 4). The pool performs the commands and brings what comes of
them back as facts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from app.domain.failures import GivenBack, Reason
from app.domain.ids import TaskId, WorkerRef
from app.domain.task import POTask, Report
from app.supervisor.commands import Command, FailRest, File, GiveUp, Requeue, Spawn, Stop
from app.supervisor.facts import (
    Fact,
    FilingFailed,
    StopCause,
    StopNeeded,
    TaskReported,
    TaskReturned,
    TaskTaken,
    WorkerEnded,
    WorkerFact,
    WorkerLost,
    WorkerReady,
)
from app.supervisor.restarts import RestartBudget

#: A task that takes down its second worker does not get a third.
DEATH_LIMIT = 2
#: Pause before a task's second attempt; doubled with each further one.
FIRST_RETRY_S = 1.0
#: The longest pause a portal may ask for with Retry-After before we ask again all the same.
RETRY_LIMIT_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One slot: which generation lives in it and what it has in hand."""

    generation: int = 1
    budget: RestartBudget = field(default_factory=RestartBudget)
    held: Mapping[TaskId, POTask] = field(default_factory=dict[TaskId, POTask])
    is_given_up: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Everything that a decision depends on."""

    slots: Mapping[int, Slot]
    max_attempts: int = 3
    is_stopping: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What is known now, and what is to be done."""

    standing: Standing
    commands: tuple[Command, ...] = ()


def react(standing: Standing, fact: Fact) -> Decision:
    """Decide about one fact. Facts of a generation that is gone change nothing."""
    if isinstance(fact, StopNeeded):
        return _stop(standing, fact.cause, fact.detail)
    slot = standing.slots[fact.worker.slot]
    if fact.worker.generation != slot.generation and not isinstance(fact, FilingFailed):
        return Decision(standing)
    return _react_to_worker(standing, slot, fact)


def _react_to_worker(standing: Standing, slot: Slot, fact: WorkerFact) -> Decision:
    decision = Decision(standing)
    match fact:
        case WorkerReady():
            pass
        case TaskTaken():
            held = {**slot.held, fact.task.task_id: fact.task}
            decision = Decision(_with_slot(standing, fact.worker, replace(slot, held=held)))
        case TaskReported():
            task, rest = _release(standing, slot, fact.worker, fact.task_id)
            decision = Decision(rest, _judge(standing, fact.worker, task, fact.report) if task else ())
        case TaskReturned():
            task, rest = _release(standing, slot, fact.worker, fact.task_id)
            decision = Decision(rest, (_returned(fact, task),) if task else ())
        case FilingFailed():
            report = replace(fact.report, reason=Reason.FILING_FAILED, detail=fact.problem, files=(), missed=())
            decision = Decision(standing, _judge(standing, fact.worker, fact.task, report))
        case WorkerLost():
            decision = _lose(standing, slot, fact)
        case WorkerEnded():
            decision = _end(standing, slot, fact.worker)
        case _:
            assert_never(fact)
    return decision


def _judge(standing: Standing, worker: WorkerRef, task: POTask, report: Report) -> tuple[Command, ...]:
    """Another attempt, if it can help and one is left; else the outcome."""
    if not report.meaning.is_retryable or task.attempt >= standing.max_attempts:
        return (File(worker=worker, task=task, report=report),)
    delay_s = max(FIRST_RETRY_S * 2.0 ** (task.attempt - 1), min(report.retry_after_s or 0.0, RETRY_LIMIT_S))
    return (
        Requeue(
            worker=worker,
            task=task,
            why=report.reason,
            detail=report.detail,
            delay_s=delay_s,
            is_attempt_spent=True,
        ),
    )


def _returned(fact: TaskReturned, task: POTask) -> Requeue:
    return Requeue(worker=fact.worker, task=task, why=fact.why, detail=fact.detail, delay_s=0.0, is_attempt_spent=False)


def _end(standing: Standing, slot: Slot, worker: WorkerRef) -> Decision:
    """A task that was assigned just as its worker began to drain was never looked at."""
    tasks = tuple(_undone(worker, task, "its worker was drained") for task in slot.held.values())
    return Decision(_with_slot(standing, worker, replace(slot, held={}, is_given_up=True)), tasks)


def _lose(standing: Standing, slot: Slot, fact: WorkerLost) -> Decision:
    """A worker died: its tasks go back or are judged, then its slot restarts or is given up."""
    tasks = [_after_death(standing, fact, task) for task in slot.held.values()]
    emptied = replace(slot, held={})
    if standing.is_stopping:
        return Decision(_with_slot(standing, fact.worker, replace(emptied, is_given_up=True)), tuple(tasks))
    if not slot.budget.is_spent:
        following = replace(emptied, generation=slot.generation + 1, budget=slot.budget.spend())
        spawn = Spawn(worker=WorkerRef(fact.worker.slot, following.generation), delay_s=slot.budget.delay_s)
        return Decision(_with_slot(standing, fact.worker, following), (*tasks, spawn))
    left = _with_slot(standing, fact.worker, replace(emptied, is_given_up=True))
    give_up = GiveUp(worker=fact.worker, cause=fact.cause)
    if not all(other.is_given_up for other in left.slots.values()):
        return Decision(left, (*tasks, give_up))
    ended = _stop(left, StopCause.NO_WORKERS, fact.cause)
    return Decision(ended.standing, (*tasks, give_up, *ended.commands, FailRest(reason=Reason.NO_WORKERS)))


def _after_death(standing: Standing, fact: WorkerLost, task: POTask) -> Command:
    if standing.is_stopping:  # we ended it ourselves, or it died while it was drained: no fault of the task's
        return _undone(fact.worker, task, fact.cause)
    if task.death_count + 1 >= DEATH_LIMIT:
        report = Report(reason=Reason.KILLS_WORKERS, detail=f"{DEATH_LIMIT} workers died on it, last: {fact.cause}.")
        return File(worker=fact.worker, task=task, report=report)
    if task.attempt >= standing.max_attempts:
        return File(worker=fact.worker, task=task, report=Report(reason=Reason.WORKER_LOST, detail=fact.cause))
    return Requeue(
        worker=fact.worker,
        task=task,
        why=Reason.WORKER_LOST,
        detail=fact.cause,
        delay_s=0.0,
        is_attempt_spent=True,
        is_death=True,
    )


def _undone(worker: WorkerRef, task: POTask, detail: str) -> Requeue:
    return Requeue(worker=worker, task=task, why=GivenBack.DRAINING, detail=detail, delay_s=0.0, is_attempt_spent=False)


def _stop(standing: Standing, cause: StopCause, detail: str) -> Decision:
    if standing.is_stopping:
        return Decision(standing)
    return Decision(replace(standing, is_stopping=True), (Stop(cause=cause, detail=detail),))


def _release(standing: Standing, slot: Slot, worker: WorkerRef, task_id: TaskId) -> tuple[POTask | None, Standing]:
    """Take a task out of a worker's hand. A worker that names a task it does not hold is not believed."""
    task = slot.held.get(task_id)
    held = {one: kept for one, kept in slot.held.items() if one != task_id}
    return task, _with_slot(standing, worker, replace(slot, held=held))


def _with_slot(standing: Standing, worker: WorkerRef, slot: Slot) -> Standing:
    return replace(standing, slots={**standing.slots, worker.slot: slot})
