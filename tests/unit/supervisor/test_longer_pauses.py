"""A portal that asks for more time during a pause gets it; one that asks for less does not shorten the pause."""

from __future__ import annotations

from dataclasses import replace

import pytest

from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.outcomes import LoginCheck, Reason
from poolwright.domain.tasks import POTask, Report
from poolwright.ipc.messages import Finished, LoginChecked
from poolwright.supervisor.policy.commands import Command, ExtendPause, Pause, Resume
from poolwright.supervisor.policy.decide import Decision, decide
from poolwright.supervisor.policy.events import HoursEnded, PauseEnded, TaskAssigned, VerificationDue
from poolwright.supervisor.policy.pauses import FIRST_PAUSE_S, RETRY_AFTER_LIMIT_S, PauseEnd, PauseReason, Pauses
from poolwright.supervisor.policy.state import PoolState, WorkerSlot
from tests.support.worker_messages import received

ONE = WorkerRef(1, 1)
TASKS = tuple(POTask(task_id=TaskId(f"demo:{number}"), po_number="PO", portal_number="1") for number in range(4))
BUSY = PauseReason.PORTAL_BUSY


def holding() -> PoolState:
    state = PoolState(slots={1: WorkerSlot(is_up=True)})
    for task in TASKS:
        state = decide(state, TaskAssigned(worker=ONE, task=task)).state
    return state


def refused(state: PoolState, number: int, wish_s: float | None, at_s: float) -> Decision:
    report = Report(reason=Reason.PORTAL_BUSY, detail="Busy.", retry_after_s=wish_s)
    return decide(state, received(Finished, worker=ONE, at_s=at_s, task_id=TASKS[number].task_id, report=report))


def pauses(decision: Decision) -> list[Command]:
    return [command for command in decision.commands if isinstance(command, Pause | ExtendPause | Resume)]


def extension(delay_s: float, count: int = 1) -> ExtendPause:
    return ExtendPause(cause=BUSY, detail="Busy.", delay_s=delay_s, extension_count=count)


def test_a_longer_wish_during_a_pause_extends_it_and_the_first_end_is_ignored() -> None:
    first = refused(holding(), 0, 10.0, at_s=100.0)
    second = refused(first.state, 1, 120.0, at_s=104.0)
    early = decide(second.state, PauseEnded(cause=BUSY))
    over = decide(early.state, PauseEnded(cause=BUSY, extension_count=1))

    assert pauses(first) == [Pause(cause=BUSY, detail="Busy.", delay_s=10.0)]
    assert pauses(second) == [extension(120.0)]
    assert (early.commands, early.state.pauses.active) == ((), {BUSY})
    assert pauses(over) == [Resume(cause=BUSY)]
    assert over.state.pauses.active == frozenset()


@pytest.mark.parametrize(("wish_s", "at_s"), [(1.0, 101.0), (9.0, 101.0), (None, 104.0), (0.0, 109.0)])
def test_a_wish_that_ends_no_later_changes_nothing(wish_s: float | None, at_s: float) -> None:
    first = refused(holding(), 0, 10.0, at_s=100.0)
    second = refused(first.state, 1, wish_s, at_s=at_s)
    over = decide(second.state, PauseEnded(cause=BUSY))

    assert pauses(second) == []
    assert second.state.pauses == first.state.pauses
    assert pauses(over) == [Resume(cause=BUSY)]


def test_a_wish_that_ends_just_after_the_pause_counts() -> None:
    first = refused(holding(), 0, 10.0, at_s=100.0)

    assert pauses(refused(first.state, 1, 9.5, at_s=101.0)) == [extension(9.5)]


def test_a_pause_can_be_extended_again_and_each_time_up_to_the_limit() -> None:
    first = refused(holding(), 0, 10.0, at_s=100.0)
    second = refused(first.state, 1, 60.0, at_s=100.0)
    third = refused(second.state, 2, 86_400.0, at_s=150.0)
    fourth = refused(third.state, 3, 200.0, at_s=151.0)

    assert pauses(third) == [extension(RETRY_AFTER_LIMIT_S, count=2)]
    assert pauses(fourth) == []
    assert fourth.state.pauses.ends == {BUSY: PauseEnd(until_s=150.0 + RETRY_AFTER_LIMIT_S, extension_count=2)}
    for count in (0, 1):
        assert decide(fourth.state, PauseEnded(cause=BUSY, extension_count=count)) == Decision(fourth.state)
    assert pauses(decide(fourth.state, PauseEnded(cause=BUSY, extension_count=2))) == [Resume(cause=BUSY)]


def test_the_next_pause_begins_anew() -> None:
    first = refused(holding(), 0, 10.0, at_s=100.0)
    extended = refused(first.state, 1, 60.0, at_s=101.0)
    over = decide(extended.state, PauseEnded(cause=BUSY, extension_count=1))
    again = refused(over.state, 2, 30.0, at_s=170.0)

    assert pauses(again) == [Pause(cause=BUSY, detail="Busy.", delay_s=30.0)]
    assert again.state.pauses.ends == {BUSY: PauseEnd(until_s=200.0)}
    assert again.state.pauses.row_counts == {BUSY: 2}, "an extension is no further pause"
    assert pauses(decide(again.state, PauseEnded(cause=BUSY))) == [Resume(cause=BUSY)]


def test_the_pause_of_an_unclear_login_check_begins_with_its_message() -> None:
    missing = Report(reason=Reason.PORTAL_SAYS_MISSING)
    doubted = decide(holding(), received(Finished, worker=ONE, at_s=100.0, task_id=TASKS[0].task_id, report=missing))
    asked = decide(doubted.state, VerificationDue(worker=ONE))
    paused = decide(asked.state, received(LoginChecked, worker=ONE, at_s=100.0, result=LoginCheck.UNCLEAR))

    assert paused.state.pauses.ends == {BUSY: PauseEnd(until_s=100.0 + FIRST_PAUSE_S)}
    assert pauses(refused(paused.state, 1, 1.0, at_s=101.0)) == []
    assert pauses(refused(paused.state, 1, FIRST_PAUSE_S, at_s=101.0)) == [extension(FIRST_PAUSE_S)]


def test_a_pause_without_a_time_limit_cannot_be_extended() -> None:
    begun = Pauses().begin(PauseReason.OPERATOR)

    assert begun.ends == {}
    assert begun.extend(PauseReason.OPERATOR, 1e9) is None
    assert begun.extension_count(PauseReason.OPERATOR) == 0


def test_pauses_for_several_reasons_keep_their_ends_apart() -> None:
    state = replace(holding(), pauses=Pauses().begin(PauseReason.PORTAL_DOWN, 7.0).begin(BUSY, 9.0))
    outside = decide(state, HoursEnded(detail="Outside.", begin="Mon 07:00")).state
    left = decide(outside, PauseEnded(cause=PauseReason.PORTAL_DOWN)).state

    assert outside.pauses.ends == {PauseReason.PORTAL_DOWN: PauseEnd(until_s=7.0), BUSY: PauseEnd(until_s=9.0)}
    assert left.pauses.ends == {BUSY: PauseEnd(until_s=9.0)}
