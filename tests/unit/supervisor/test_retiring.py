"""Planned fresh starts of workers: pure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.domain.failures import GivenBack, Reason
from app.domain.ids import TaskId, WorkerRef
from app.domain.task import POTask, Report
from app.supervisor.commands import Requeue, Retire, Spawn
from app.supervisor.facts import Fact, MemorySeen, TaskReported, TaskTaken, WorkerEnded, WorkerLost, WorkerReady
from app.supervisor.holds import HoldCause, Holds
from app.supervisor.plan import react
from app.supervisor.standing import Decision, Slot, Standing, Wear

ONE, TWO = WorkerRef(1, 1), WorkerRef(2, 1)
TASK = POTask(task_id=TaskId("demo:1"), po_number="PO1", portal_number="1")
OLD = Standing(slots={1: Slot(is_up=True), 2: Slot(is_up=True)}, was_ready=True, wear=Wear(age_s=100.0))


def look(at_s: float) -> MemorySeen:
    return MemorySeen(by_worker={ONE: 1, TWO: 1}, own_bytes=1, total_bytes=1000, is_exact=True, at_s=at_s)


def after(start: Standing, *facts: Fact) -> Decision:
    """The decision about the last fact."""
    decision = Decision(start)
    for fact in facts:
        decision = react(decision.standing, fact)
    return decision


def test_a_worker_that_has_done_enough_is_to_return() -> None:
    start = Standing(slots={1: Slot(is_up=True)}, wear=Wear(tasks=2))
    done = (
        TaskTaken(worker=ONE, task=TASK),
        TaskReported(worker=ONE, task_id=TASK.task_id, report=Report(reason=Reason.NONE_LISTED)),
    )

    assert after(start, *done, look(1.0)).commands == ()
    (retire,) = after(start, *done, *done, look(1.0)).commands
    assert isinstance(retire, Retire)
    assert "2 orders" in retire.cause


def test_a_worker_that_is_old_enough_is_to_return() -> None:
    assert after(OLD, look(99.0)).commands == ()
    (retire,) = after(OLD, look(100.0)).commands
    assert isinstance(retire, Retire)
    assert retire.worker == ONE


def test_age_counts_from_when_its_browser_was_ready() -> None:
    assert (
        after(OLD, WorkerReady(worker=ONE, at_s=90.0), WorkerReady(worker=TWO, at_s=90.0), look(150.0)).commands == ()
    )


def test_one_after_the_other_and_each_keeps_its_slot() -> None:
    gone = after(OLD, look(100.0), look(102.0), WorkerEnded(worker=ONE))
    away = react(gone.standing, look(104.0))
    back = after(away.standing, WorkerReady(worker=WorkerRef(1, 2), at_s=105.0), look(106.0))

    assert gone.commands == (Spawn(worker=WorkerRef(1, 2), delay_s=0.0),)
    assert away.commands == ()
    assert [command.worker for command in back.commands if isinstance(command, Retire)] == [TWO]


@pytest.mark.parametrize("cause", sorted(set(HoldCause) - {HoldCause.OPERATOR, HoldCause.MEMORY_SHORT}))
def test_nobody_goes_while_the_pool_waits_for_something(cause: HoldCause) -> None:
    held = replace(OLD, holds=Holds(active=frozenset({cause})))

    assert after(held, look(100.0)).commands == ()


def test_a_pause_by_a_person_is_a_good_time() -> None:
    held = replace(OLD, holds=Holds(active=frozenset({HoldCause.OPERATOR})))

    assert [type(command) for command in after(held, look(100.0)).commands] == [Retire]


def test_a_task_that_was_taken_just_then_and_never_begun_goes_back_unspent() -> None:
    decision = after(OLD, look(100.0), TaskTaken(worker=ONE, task=TASK), WorkerEnded(worker=ONE))

    back, spawn = decision.commands
    assert isinstance(back, Requeue)
    assert (back.why, back.is_attempt_spent) == (GivenBack.DRAINING, False)
    assert isinstance(spawn, Spawn)


def test_one_that_is_done_and_hangs_as_it_goes_costs_no_restart() -> None:
    decision = after(OLD, look(100.0), WorkerLost(worker=ONE, cause="it did not close its browser", at_s=160.0))

    assert decision.commands == (Spawn(worker=WorkerRef(1, 2), delay_s=0.0),)
    assert decision.standing.slots[1].budget == Slot().budget


def test_never_means_never() -> None:
    assert after(replace(OLD, wear=Wear()), look(1e9)).commands == ()
