from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from poolwright.domain.state_machine import IllegalTransitionError, StateMachine, Transition
from poolwright.domain.states import CLAIMED, OPEN, OVER, TABLES, ended_count, open_count
from tests.support.legal_moves import (
    ADDED,
    ALL_TABLES,
    ENDS,
    MISSION,
    STARTS,
    AnyTable,
    Move,
    event_kind,
    legal_moves,
    moves,
    state_kind,
)

NOON = datetime(2031, 5, 6, 12, tzinfo=UTC)
BY_NAME = {table.name: table for table in ALL_TABLES}

each_table = pytest.mark.parametrize("table", ALL_TABLES, ids=lambda table: table.name)


def every_move(pages: dict[str, str]) -> list[tuple[str, Move]]:
    return [(machine, move) for machine, page in pages.items() for move in moves(page)]


def name_of(one: object) -> str:
    return one if isinstance(one, str) else "-".join(map(str, one)) if isinstance(one, tuple) else ""


def test_the_documentation_is_given_every_machine_once() -> None:
    assert [table.name for table in TABLES] == list(BY_NAME) == list(MISSION) == list(ADDED)


@each_table
def test_every_state_has_a_row_and_every_target_is_a_row(table: AnyTable) -> None:
    states = set(state_kind(table))

    assert set(table.rows) == states
    assert {target for row in table.rows.values() for target in row.values()} <= states


@each_table
def test_every_event_moves_something(table: AnyTable) -> None:
    assert {event for row in table.rows.values() for event in row} == set(event_kind(table))


@each_table
def test_a_life_starts_where_the_mission_says_and_ends_only_there(table: AnyTable) -> None:
    assert table.start.name == STARTS[table.name]
    assert {state.name for state in table.terminal_states} == ENDS[table.name]


@each_table
def test_every_state_can_be_reached_and_every_end_from_everywhere(table: AnyTable) -> None:
    """No state is a trap: from wherever a life stands, some way leads to its end."""
    follows = {state: set(row.values()) for state, row in table.rows.items()}

    def reachable(state: object) -> set[object]:
        seen, waiting = {state}, [state]
        while waiting:
            fresh = follows[waiting.pop()] - seen
            seen |= fresh
            waiting.extend(fresh)
        return seen

    assert reachable(table.start) == set(table.rows)
    assert all(reachable(state) & table.terminal_states for state in table.rows) or not table.terminal_states


@pytest.mark.parametrize(("machine", "move"), every_move(MISSION) + every_move(ADDED), ids=name_of)
def test_a_move_of_the_mission_or_the_design_is_legal(machine: str, move: Move) -> None:
    origin, event, target = move
    table = BY_NAME[machine]
    states, told = state_kind(table), list[Transition]()
    living: StateMachine[Any, Any] = StateMachine(
        table, "one", clock=lambda: NOON, observe=told.append, state=states[origin]
    )

    assert living.can(event_kind(table)[event])
    assert living.fire(event_kind(table)[event], cause="a test") is living.state is states[target]
    assert told == [
        Transition(machine=machine, entity="one", origin=origin, event=event, target=target, at=NOON, cause="a test")
    ]


@each_table
def test_no_other_move_is_legal(table: AnyTable) -> None:
    legal = legal_moves(table.name)
    for state in table.rows:
        for event in event_kind(table):
            if (state.name, event.name) in legal:
                continue
            told = list[Transition]()
            living: StateMachine[Any, Any] = StateMachine(
                table, "one", clock=lambda: NOON, observe=told.append, state=state
            )

            assert not living.can(event)
            with pytest.raises(
                IllegalTransitionError, match=f"{table.name} one: no transition for {event.name} in state"
            ):
                living.fire(event)
            assert (living.state, told) == (state, [])


@each_table
def test_a_move_is_written_down_once(table: AnyTable) -> None:
    """The pages of the mission and of the design do not contradict each other."""
    written = moves(MISSION[table.name]) + moves(ADDED[table.name])

    assert len(written) == len(legal_moves(table.name))


def test_a_task_is_open_or_over_and_only_an_open_one_is_in_somebodys_hands() -> None:
    assert {status.name for status in OVER} == {"DONE", "CANCELLED"}
    assert {status.name for status in OPEN} == {"QUEUED", "ASSIGNED", "RUNNING"}
    assert {status.name for status in CLAIMED} == {"ASSIGNED", "RUNNING"}


def test_open_tasks_are_counted_by_the_names_of_their_states() -> None:
    assert open_count({"QUEUED": 3, "RUNNING": 2, "DONE": 40, "CANCELLED": 50}) == 5


def test_cancelled_tasks_have_ended_like_those_with_another_outcome() -> None:
    assert ended_count({"QUEUED": 3, "RUNNING": 2, "DONE": 39, "CANCELLED": 1}) == 40
    assert ended_count({}) == 0
