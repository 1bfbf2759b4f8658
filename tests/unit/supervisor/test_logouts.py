"""A log-out of the portal is charged to no order; a page that asks for a login by itself is found out."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.domain.tasks import POTask
from poolwright.ipc.messages import LoginRequired, LoginResult, Returned
from poolwright.supervisor.policy.commands import Command, FileReport, Requeue
from poolwright.supervisor.policy.decide import decide
from poolwright.supervisor.policy.events import PoolInput, TaskAssigned, TaskFiled, WorkerReady
from poolwright.supervisor.policy.login_state import FIRST_WAIT_S, LONE_LOGOUTS_MAX, LONGEST_WAIT_S, Logout, Logouts
from poolwright.supervisor.policy.state import PoolState, WorkerSlot
from tests.support.worker_messages import received

ONE, TWO = WorkerRef(1, 1), WorkerRef(2, 1)
A, B, C = (TaskId(name) for name in "abc")


def test_the_figures_are_those_that_were_chosen() -> None:
    assert (LONE_LOGOUTS_MAX, FIRST_WAIT_S, LONGEST_WAIT_S) == (4, 10.0, 60.0)


def task(name: TaskId) -> POTask:
    return POTask(task_id=name, po_number=name, portal_number=name)


class Pool:
    """Two workers that are up."""

    def __init__(self) -> None:
        self.state = PoolState(slots={1: WorkerSlot(), 2: WorkerSlot()})
        self.tell(WorkerReady(worker=ONE), WorkerReady(worker=TWO))

    def tell(self, *facts: PoolInput) -> list[Command]:
        """What is to be done about the last of these."""
        commands: Sequence[Command] = ()
        for fact in facts:
            decision = decide(self.state, fact)
            self.state, commands = decision.state, decision.commands
        return list(commands)

    def log_out(self, *tasks: tuple[WorkerRef, TaskId]) -> list[Command]:
        """Orders are begun and the portal asks each of them for a login, which comes back; what follows for each."""
        self.tell(*(TaskAssigned(worker=worker, task=task(name)) for worker, name in tasks))
        follows = [
            command
            for worker, name in tasks
            for command in self.tell(
                received(Returned, worker=worker, task_id=name, why=ReturnReason.SESSION_LOST, detail="")
            )
        ]
        self.tell(received(LoginRequired, worker=ONE, detail=""), received(LoginRequired, worker=TWO, detail=""))
        self.tell(*(received(LoginResult, worker=worker, is_logged_in=True, detail="form") for worker in (ONE, TWO)))
        return follows


@pytest.mark.parametrize("is_first", [True, False])
def test_an_order_that_is_in_hand_at_every_log_out_of_the_portal_pays_for_none(*, is_first: bool) -> None:
    pool = Pool()
    both = ((ONE, A), (TWO, B)) if is_first else ((TWO, B), (ONE, A))

    for _ in range(LONE_LOGOUTS_MAX * 3):
        back = pool.log_out(*both)
        pool.tell(TaskFiled(worker=TWO, task=task(B)))  # it comes home in between

        assert [type(command) for command in back] == [Requeue, Requeue]


def test_a_page_that_asks_alone_is_found_out_whoever_is_beside_it() -> None:
    pool = Pool()
    pool.tell(TaskAssigned(worker=TWO, task=task(B)))

    back = [pool.log_out((ONE, A)) for _ in range(LONE_LOGOUTS_MAX)]

    assert [[type(command) for command in commands] for commands in back] == [[Requeue]] * 3 + [[FileReport]]
    (last,) = back[-1]
    assert isinstance(last, FileReport)
    assert last.report.reason is Reason.ASKS_FOR_LOGIN


def test_an_order_that_meets_a_log_out_first_again_and_again_lets_others_go_before_it() -> None:
    pool = Pool()

    waits = [
        command.delay_s
        for _ in range(4)
        for command in pool.log_out((ONE, A), (TWO, B))
        if isinstance(command, Requeue) and command.task.task_id == A
    ]

    assert waits == [0.0, FIRST_WAIT_S, 2 * FIRST_WAIT_S, 4 * FIRST_WAIT_S]
    assert Logouts(first_counts={A: 9}).record(A, {B}).wait_s(A) == LONGEST_WAIT_S
    assert Logouts(first_counts={A: 9}).record(A, {A}).wait_s(A) == 0.0, "there is nobody else"


def test_who_only_met_it_too_waits_for_nothing() -> None:
    known = Logouts().record(A, {B}).record(B, ())

    assert (known.wait_s(B), known.first_counts, known.alone_counts) == (0.0, {A: 1}, {A: 0})


def test_an_order_that_met_none_waits_for_nothing_and_is_blamed_for_nothing() -> None:
    assert (Logouts().wait_s(A), Logouts().is_own(A)) == (0.0, False)
    assert Logouts(first_counts={A: 3}).wait_s(A) == 0.0
    assert Logouts(first_counts={A: 3}).record(B, ()).wait_s(A) == 0.0


def test_who_met_it_too_and_meets_another_one_is_the_first_of_that() -> None:
    known = Logouts().record(A, {B, C}).record(B, ())

    assert known.last is not None
    assert (known.last.first_task_id, known.last.tasks_in_flight, known.last.is_shared) == (A, {C}, True)
    assert known.record(B, {A}).alone_counts == {A: 0, B: 1}


def test_a_log_out_that_two_more_met_is_taken_back_once() -> None:
    known = Logouts(alone_counts={A: 2}).record(A, {B, C}).record(B, {C}).record(C, ())

    assert known.alone_counts == {A: 2}
    assert known.last == Logout(first_task_id=A, is_shared=True)


def test_what_an_order_meets_when_it_was_begun_anew_is_another_log_out() -> None:
    begun = Logouts().record(A, {B, C}).begin(B)
    known = begun.record(B, {A})

    assert begun.last == Logout(first_task_id=A, tasks_in_flight=frozenset({C}))
    assert known.alone_counts == {A: 1, B: 1}
    assert known.last is not None
    assert known.last.first_task_id == B


def test_an_order_that_has_its_outcome_is_forgotten_whatever_is_told_later() -> None:
    known = Logouts().record(A, {B}).forget(A)

    assert (known.first_counts, known.alone_counts) == ({}, {})
    assert known.record(B, ()).alone_counts == {}
    assert known.forget(B).record(B, ()).alone_counts == {B: 1}
