from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolwright.domain.state_machine import HISTORY_LENGTH, IllegalTransitionError, StateMachine, Transition
from poolwright.domain.states import TAB, WORKER, PoolEvent, TabEvent, TabStatus, WorkerEvent, WorkerStatus
from tests.support.legal_moves import ALL_TABLES, AnyTable, event_kind, legal_moves
from tests.support.pace import UNHURRIED

NOON = datetime(2031, 5, 6, 12, tzinfo=UTC)
#: Five moves that bring a worker back to where it was.
ROUND = [
    WorkerEvent.ASSIGN,
    WorkerEvent.FREE,
    WorkerEvent.LOSE,
    WorkerEvent.RESTART,
    WorkerEvent.REPORT_READY,
]


def worker_machine(told: list[Transition]) -> StateMachine[WorkerStatus, WorkerEvent]:
    """A worker whose clock goes on by a second with every move."""
    seconds = count()
    return StateMachine(WORKER, "worker-1", clock=lambda: NOON + timedelta(seconds=next(seconds)), observe=told.append)


@st.composite
def walks(draw: st.DrawFn) -> tuple[AnyTable, Sequence[Any]]:
    """A machine and any events for it, legal or not."""
    table = draw(st.sampled_from(ALL_TABLES))
    return table, draw(st.lists(st.sampled_from(list(event_kind(table))), max_size=60))


@UNHURRIED
@given(walk=walks())
def test_whatever_happens_a_machine_only_makes_legal_moves(walk: tuple[AnyTable, Sequence[Any]]) -> None:
    table, events = walk
    legal, told = legal_moves(table.name), list[Transition]()
    living: StateMachine[Any, Any] = StateMachine(table, "one", clock=lambda: NOON, observe=told.append)
    where = table.start.name
    for event in events:
        target, moves_before = legal.get((where, event.name)), list(told)
        assert living.can(event) == (target is not None)
        if target is None:
            with pytest.raises(IllegalTransitionError) as caught:
                living.fire(event)
            assert (caught.value.state, caught.value.event) == (where, event.name)
            assert caught.value.history == tuple(moves_before[-HISTORY_LENGTH:])
            assert told == moves_before
        else:
            living.fire(event)
            assert (told[-1].origin, told[-1].event, told[-1].target) == (where, event.name, target)
            where = target
        assert living.state.name == where
        assert living.is_over == (where not in {origin for origin, _ in legal})


def test_a_refusal_tells_who_what_and_how_it_came_to_this() -> None:
    living = worker_machine([])
    living.fire(WorkerEvent.REPORT_READY)
    living.fire(WorkerEvent.LOSE)

    with pytest.raises(IllegalTransitionError) as caught:
        living.fire(WorkerEvent.ASSIGN)

    assert str(caught.value) == (
        "worker worker-1: no transition for ASSIGN in state CRASHED "
        "(so far: STARTING -REPORT_READY-> READY -> READY -LOSE-> CRASHED)"
    )
    assert (caught.value.machine, caught.value.entity) == ("worker", "worker-1")


def test_a_refusal_before_any_move_says_so() -> None:
    with pytest.raises(
        IllegalTransitionError, match=r"no transition for FREE in state STARTING \(so far: no transition\)"
    ):
        worker_machine([]).fire(WorkerEvent.FREE)


def test_the_story_keeps_the_last_moves() -> None:
    told: list[Transition] = []
    living = worker_machine(told)
    for event in [WorkerEvent.REPORT_READY, *ROUND, *ROUND, *ROUND]:
        living.fire(event)

    with pytest.raises(IllegalTransitionError) as caught:
        living.fire(WorkerEvent.EXIT)

    assert len(told) == 16
    assert caught.value.history == tuple(told[-10:])


def test_a_move_has_the_time_and_the_cause_of_its_moment() -> None:
    told: list[Transition] = []
    living = worker_machine(told)

    living.fire(WorkerEvent.REPORT_READY)
    living.fire(WorkerEvent.LOSE, cause="killed by signal 9")

    assert [(move.at, move.cause) for move in told] == [
        (NOON, ""),
        (NOON + timedelta(seconds=1), "killed by signal 9"),
    ]


def test_the_observer_sees_the_machine_where_it_is_now() -> None:
    seen: list[TabStatus] = []
    living: StateMachine[TabStatus, TabEvent] = StateMachine(
        TAB, "one", clock=lambda: NOON, observe=lambda _: seen.append(living.state)
    )

    living.fire(TabEvent.OPENED)

    assert seen == [TabStatus.LOADING]


def test_a_machine_takes_up_a_life_where_it_was_left() -> None:
    living = StateMachine(TAB, "one", clock=lambda: NOON, observe=lambda _: None, state=TabStatus.CLOSED)

    assert living.state is TabStatus.CLOSED
    assert living.is_over


def test_the_event_of_another_machine_is_no_move() -> None:
    living: StateMachine[Any, Any] = StateMachine(WORKER, "worker-1", clock=lambda: NOON, observe=lambda _: None)

    with pytest.raises(IllegalTransitionError):
        living.fire(PoolEvent.STAFF)


def test_nobody_sets_a_state() -> None:
    living: Any = worker_machine([])

    with pytest.raises(AttributeError):
        living.state = WorkerStatus.READY
    with pytest.raises(AttributeError):
        living.status = WorkerStatus.READY
