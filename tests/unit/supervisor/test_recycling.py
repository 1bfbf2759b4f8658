"""Planned fresh starts of workers: pure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.options import BrowserOptions, Limits, PoolOptions, WorkerOptions
from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.domain.tasks import POTask, Report
from poolwright.ipc.messages import Finished
from poolwright.supervisor.policy.commands import Recycle, Requeue, Spawn
from poolwright.supervisor.policy.decide import Decision, decide
from poolwright.supervisor.policy.events import (
    FolderRecreated,
    LimitsChanged,
    MemorySampled,
    PoolInput,
    RestartRequested,
    TaskAssigned,
    WorkerEnded,
    WorkerLost,
    WorkerReady,
)
from poolwright.supervisor.policy.group_access import GroupAccess
from poolwright.supervisor.policy.pauses import PauseReason, Pauses
from poolwright.supervisor.policy.state import (
    MemoryPressure,
    PoolState,
    RecyclePolicy,
    RestartBudget,
    WorkerSlot,
    initial_state,
)
from tests.support.policy_states import with_slot
from tests.support.worker_messages import received

ONE, TWO = WorkerRef(1, 1), WorkerRef(2, 1)
TASK = POTask(task_id=TaskId("demo:1"), po_number="PO1", portal_number="1")
OLD = PoolState(
    slots={1: WorkerSlot(is_up=True), 2: WorkerSlot(is_up=True)},
    was_ready=True,
    recycle_policy=RecyclePolicy(age_s=100.0),
)


def look(at_s: float) -> MemorySampled:
    return MemorySampled(by_worker={ONE: 1, TWO: 1}, own_bytes=1, total_bytes=1000, is_exact=True, at_s=at_s)


def after(start: PoolState, *facts: PoolInput) -> Decision:
    """The decision about the last fact."""
    decision = Decision(start)
    for fact in facts:
        decision = decide(decision.state, fact)
    return decision


def test_a_worker_that_has_done_enough_is_to_return() -> None:
    start = PoolState(slots={1: WorkerSlot(is_up=True)}, recycle_policy=RecyclePolicy(tasks=2))
    done = (
        TaskAssigned(worker=ONE, task=TASK),
        received(Finished, worker=ONE, task_id=TASK.task_id, report=Report(reason=Reason.NONE_LISTED)),
    )

    assert not any(isinstance(command, Recycle) for command in after(start, *done).commands)
    retire = after(start, *done, *done).commands[-1]
    assert isinstance(retire, Recycle), "at once: a short list is over before the next look at the memory"
    assert "2 orders" in retire.cause


def test_one_that_has_done_enough_waits_for_another_that_is_away() -> None:
    done = (
        TaskAssigned(worker=ONE, task=TASK),
        received(Finished, worker=ONE, task_id=TASK.task_id, report=Report(reason=Reason.NONE_LISTED)),
    )
    slots = {1: WorkerSlot(is_up=True), 2: WorkerSlot()}
    waiting = after(PoolState(slots=slots, recycle_policy=RecyclePolicy(tasks=1)), *done)

    assert not any(isinstance(command, Recycle) for command in waiting.commands)
    back = after(waiting.state, WorkerReady(worker=TWO, at_s=1.0))
    assert after(back.state, look(2.0)).commands == (Recycle(worker=ONE, cause="it has done 1 orders"),)


def test_a_worker_that_is_old_enough_is_to_return() -> None:
    assert after(OLD, look(99.0)).commands == ()
    (retire,) = after(OLD, look(100.0)).commands
    assert isinstance(retire, Recycle)
    assert retire.worker == ONE


def test_age_counts_from_when_its_browser_was_ready() -> None:
    assert (
        after(OLD, WorkerReady(worker=ONE, at_s=90.0), WorkerReady(worker=TWO, at_s=90.0), look(150.0)).commands == ()
    )


def test_one_after_the_other_and_each_keeps_its_slot() -> None:
    gone = after(OLD, look(100.0), look(102.0), WorkerEnded(worker=ONE))
    away = decide(gone.state, look(104.0))
    back = after(away.state, WorkerReady(worker=WorkerRef(1, 2), at_s=105.0), look(106.0))

    assert gone.commands == (Spawn(worker=WorkerRef(1, 2), delay_s=0.0),)
    assert away.commands == ()
    assert [command.worker for command in back.commands if isinstance(command, Recycle)] == [TWO]


@pytest.mark.parametrize("cause", sorted(set(PauseReason) - {PauseReason.OPERATOR, PauseReason.MEMORY_SHORT}))
def test_nobody_goes_while_the_pool_waits_for_something(cause: PauseReason) -> None:
    held = replace(OLD, pauses=Pauses(active=frozenset({cause})))

    assert after(held, look(100.0)).commands == ()


def test_a_pause_by_a_person_is_a_good_time() -> None:
    held = replace(OLD, pauses=Pauses(active=frozenset({PauseReason.OPERATOR})))

    assert [type(command) for command in after(held, look(100.0)).commands] == [Recycle]


def test_while_memory_is_short_is_a_good_time_too() -> None:
    short = replace(
        OLD, pauses=Pauses(active=frozenset({PauseReason.MEMORY_SHORT})), memory=MemoryPressure(recycled_at_s=99.0)
    )
    still = replace(look(100.0), by_worker={ONE: 360, TWO: 360})

    decision = after(short, still)

    assert decision.state.pauses.active == {PauseReason.MEMORY_SHORT}
    assert [type(command) for command in decision.commands] == [Recycle]


def test_a_task_that_was_taken_just_then_and_never_begun_goes_back_unspent() -> None:
    decision = after(OLD, look(100.0), TaskAssigned(worker=ONE, task=TASK), WorkerEnded(worker=ONE))

    back, spawn = decision.commands
    assert isinstance(back, Requeue)
    assert (back.why, back.is_attempt_spent) == (ReturnReason.DRAINING, False)
    assert isinstance(spawn, Spawn)


def test_one_that_is_done_and_hangs_as_it_goes_costs_no_restart() -> None:
    decision = after(OLD, look(100.0), WorkerLost(worker=ONE, cause="it did not close its browser", at_s=160.0))

    assert decision.commands == (Spawn(worker=WorkerRef(1, 2), delay_s=0.0),)
    assert decision.state.slots[1].budget == WorkerSlot().budget


def test_never_means_never() -> None:
    assert after(replace(OLD, recycle_policy=RecyclePolicy()), look(1e9)).commands == ()


def test_while_one_worker_finishes_no_other_is_sent_away() -> None:
    assert after(OLD, look(100.0), look(102.0)).commands == ()


@pytest.mark.parametrize("away", [{"is_up": False}, {"is_being_killed": True}, {"is_being_recycled": True}])
def test_while_one_worker_is_away_no_other_is_sent_after_it(away: dict[str, bool]) -> None:
    start = replace(OLD, slots={1: WorkerSlot(is_up=True), 2: replace(WorkerSlot(is_up=True), **away)})

    assert after(start, look(100.0)).commands == ()


def test_a_slot_that_was_given_up_is_not_waited_for() -> None:
    start = replace(OLD, slots={1: WorkerSlot(is_up=True), 2: WorkerSlot(is_given_up=True)})

    assert [type(command) for command in after(start, look(100.0)).commands] == [Recycle]


def test_why_a_worker_is_to_return_is_told() -> None:
    busy = PoolState(slots={1: WorkerSlot(is_up=True, done_count=500)}, recycle_policy=RecyclePolicy(tasks=500))
    aged = PoolState(slots={1: WorkerSlot(is_up=True, up_at_s=600.0)}, recycle_policy=RecyclePolicy(age_s=14_400.0))

    assert after(busy, look(1.0)).commands == (Recycle(worker=ONE, cause="it has done 500 orders"),)
    assert after(aged, look(15_000.0)).commands == (Recycle(worker=ONE, cause="its browser has run for 240 minutes"),)


def test_a_person_may_have_a_worker_started_anew() -> None:
    start = replace(OLD, slots={1: WorkerSlot(is_up=True), 2: WorkerSlot(is_up=True, generation=4)})

    asked = decide(start, RestartRequested(slot=2))

    assert asked.commands == (Recycle(worker=WorkerRef(2, 4), cause="requested by an operator"),)
    assert asked.state == with_slot(start, TWO, replace(start.slots[2], is_being_recycled=True))
    assert decide(asked.state, RestartRequested(slot=2)) == Decision(asked.state)


def test_a_person_may_have_other_limits_while_the_pool_runs() -> None:
    limits = Limits(
        task_timeout_s=60.0, max_attempts=7, memory_threshold=0.6, recycle_after_tasks=9, recycle_after_s=90.0
    )

    decision = decide(OLD, LimitsChanged(limits=limits))

    assert decision == Decision(
        replace(
            OLD, max_attempts=7, memory=MemoryPressure(threshold=0.6), recycle_policy=RecyclePolicy(tasks=9, age_s=90.0)
        )
    )


def test_what_a_pool_is_told_is_what_its_plan_begins_with(tmp_path: Path) -> None:
    options = PoolOptions(
        worker=WorkerOptions(browser=BrowserOptions()),
        worker_count=3,
        base_profile_path=tmp_path,
        runs_root=tmp_path,
        staging_path=tmp_path,
        max_attempts=5,
        waits_for_login=True,
        keeps_queue=True,
        renews_early=True,
        restart_window_s=3600.0,
        memory_threshold=0.8,
        recycle_after_tasks=50,
        recycle_after_s=500.0,
        group_limit=4,
    )

    assert initial_state(options) == PoolState(
        slots={number: WorkerSlot(budget=RestartBudget(window_s=3600.0)) for number in (1, 2, 3)},
        max_attempts=5,
        waits_for_login=True,
        keeps_queue=True,
        renews_early=True,
        memory=MemoryPressure(threshold=0.8),
        recycle_policy=RecyclePolicy(tasks=50, age_s=500.0),
        groups=GroupAccess(limit=4),
    )


def test_what_browsers_live_on_is_gone_so_each_starts_anew_one_after_another() -> None:
    start = PoolState(slots={1: WorkerSlot(is_up=True), 2: WorkerSlot()}, was_ready=True)
    gone = after(start, FolderRecreated(name="the run folder"))

    assert after(gone.state, look(1.0)).commands == (), "one that comes up is waited for"
    up = after(gone.state, WorkerReady(worker=TWO, at_s=2.0)).state
    (first,) = after(up, look(3.0)).commands
    assert first == Recycle(worker=ONE, cause="its profile was removed and is recreated")
    back = after(up, look(3.0), WorkerEnded(worker=ONE), WorkerReady(worker=WorkerRef(1, 2), at_s=4.0)).state
    (second,) = after(back, look(5.0)).commands
    assert isinstance(second, Recycle)
    assert second.worker == TWO
    done = after(back, look(5.0), WorkerEnded(worker=TWO), WorkerReady(worker=WorkerRef(2, 2), at_s=6.0)).state
    assert after(done, look(7.0)).commands == ()
