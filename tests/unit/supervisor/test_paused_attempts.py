"""Orders that a suspension of the machine cut through: done again for free, unless they were judged all the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.domain.tasks import POTask, Report
from poolwright.ipc.messages import Finished, StartupFailed, StartupFailure
from poolwright.supervisor.policy.commands import FileReport, Requeue, Spawn, Stop, StopCause
from poolwright.supervisor.policy.decide import Decision, decide
from poolwright.supervisor.policy.events import TaskAssigned, WorkerLost
from poolwright.supervisor.policy.retries import FREE_RETURNS_MAX
from poolwright.supervisor.policy.state import (
    RESTART_LIMIT,
    PoolState,
    Restart,
    RestartBudget,
    WorkerSlot,
)
from tests.support.worker_messages import received

ONE = WorkerRef(1, 1)
TASK = POTask(task_id=TaskId("demo:1"), po_number="PO1", portal_number="1")
START = PoolState(slots={1: WorkerSlot(is_up=True)})


def attempt(standing: PoolState, report: Report, *, paused_s: float = 0.0, task: POTask = TASK) -> Decision:
    """An attempt that ended so, after the machine had stood still for so long meanwhile."""
    taken = decide(standing, TaskAssigned(worker=ONE, task=task)).state
    return decide(taken, received(Finished, worker=ONE, task_id=task.task_id, report=report, paused_s=paused_s))


@pytest.mark.parametrize(
    "reason", [Reason.TASK_TIMEOUT, Reason.PAGE_TOO_SLOW, Reason.DOWNLOAD_FAILED, Reason.SOME_FILES_FAILED]
)
@pytest.mark.parametrize("number", [1, 3])
def test_what_failed_over_a_pause_is_done_again_for_free(reason: Reason, number: int) -> None:
    task = replace(TASK, attempt=number)

    decision = attempt(START, Report(reason=reason, detail="It took too long."), paused_s=20.4, task=task)

    assert decision.commands == (
        Requeue(
            worker=ONE,
            task=task,
            why=ReturnReason.PAUSED,
            detail="The machine was suspended for 20 s meanwhile. It took too long.",
            delay_s=0.0,
            is_attempt_spent=False,
        ),
    )
    assert decision.state.slots[1].failure_count == 0


@pytest.mark.parametrize("reason", [Reason.ALL_SAVED, Reason.NONE_LISTED, Reason.GIVEN_UP, Reason.RETRY_ASKED])
def test_what_was_judged_all_the_same_counts(reason: Reason) -> None:
    report = Report(reason=reason)

    assert attempt(START, report, paused_s=20.0) == attempt(START, report)


def test_a_machine_that_stands_still_all_the_time_lets_orders_come_to_an_end() -> None:
    late = Report(reason=Reason.TASK_TIMEOUT)
    decision = Decision(START)
    for _ in range(FREE_RETURNS_MAX):
        decision = attempt(decision.state, late, paused_s=9.0)

    last = attempt(decision.state, late, paused_s=9.0, task=replace(TASK, attempt=3))

    assert [type(command) for command in last.commands] == [FileReport]


def test_the_shortest_pause_and_the_last_free_return_count_too() -> None:
    report = Report(reason=Reason.TASK_TIMEOUT)
    nearly = replace(START, free_returns={TASK.task_id: FREE_RETURNS_MAX - 1})

    (again,) = attempt(nearly, report, paused_s=0.5).commands

    assert isinstance(again, Requeue)
    assert (again.is_attempt_spent, again.detail) == (False, "The machine was suspended for 0 s meanwhile.")


def failed_start(state: PoolState, kind: StartupFailure, paused_s: float, at_s: float = 0.0) -> Decision:
    """What is decided when a worker could not start."""
    failure = received(StartupFailed, worker=ONE, kind=kind, detail="It timed out.", paused_s=paused_s)
    return decide(decide(state, failure).state, WorkerLost(worker=ONE, cause="It timed out.", at_s=at_s))


@pytest.mark.parametrize("kind", [StartupFailure.BROWSER, StartupFailure.PORTAL])
@pytest.mark.parametrize("was_ready", [True, False])
def test_a_start_during_which_the_machine_slept_spends_no_restart_and_blames_nobody(
    kind: StartupFailure, *, was_ready: bool
) -> None:
    spent = RestartBudget(spent=(Restart(0.0),) * RESTART_LIMIT)
    state = PoolState(slots={1: WorkerSlot(budget=spent)}, was_ready=was_ready)

    decision = failed_start(state, kind, 60.0)

    assert decision.commands == (Spawn(worker=WorkerRef(1, 2), delay_s=0.0),)
    assert decision.state == PoolState(slots={1: WorkerSlot(generation=2, budget=spent)}, was_ready=was_ready)


def test_a_worker_that_was_up_or_did_not_sleep_or_lacks_a_login_is_judged_as_ever() -> None:
    starting = PoolState(slots={1: WorkerSlot(), 2: WorkerSlot(is_up=True)})

    for state, kind, paused_s in (
        (starting, StartupFailure.BROWSER, 0.0),
        (replace(starting, slots={1: WorkerSlot(is_up=True), 2: WorkerSlot()}), StartupFailure.BROWSER, 60.0),
    ):
        lost = failed_start(state, kind, paused_s)
        assert [type(command) for command in lost.commands] == [Spawn]
        assert lost.state.slots[1].budget.spent == (Restart(0.0),)
    failure = received(StartupFailed, worker=ONE, kind=StartupFailure.LOGIN, detail="No login.", paused_s=60.0)
    assert decide(starting, failure).commands == (Stop(cause=StopCause.LOGIN_REQUIRED, detail="No login."),)
