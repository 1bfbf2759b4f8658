"""The property of moves: every line of history is a move of the tables, and each life is told without a gap.

What can be decided from outside: a task has one life for ever. Pool, workers and profiles live once in each start of
the program; a life may break off only where a start was killed. Sessions and tabs live many times, under the name of
their worker or task, and die with their process without a word. A new life always begins in the table's first state.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from poolwright.domain.state_machine import TransitionTable
from poolwright.domain.states import POOL, PROFILE, TABLES, TASK, WORKER
from tests.support.storm.scenario import Move

_BY_NAME: dict[str, TransitionTable[Any, Any]] = {table.name: table for table in TABLES}
_LEGAL = {
    (table.name, origin.name, event.name): target.name
    for table in TABLES
    for origin, row in table.rows.items()
    for event, target in row.items()
}
#: Those that live once in each start of the program.
_ONCE = frozenset({POOL.name, WORKER.name, PROFILE.name})


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycles:
    """What became of all that had the same name."""

    life_count: int
    #: Lives that broke off before their end, but for the last one.
    cut_count: int
    last_state: str


def move_breaches(moves: Iterable[Move], *, start_count: int, killed_count: int) -> Iterator[str]:
    """Every breach, one sentence each.

    Args:
        moves: In the order in which they were told.
        start_count: How often the program was started.
        killed_count: How many of these starts ended without a word. The last one must not.
    """
    by_entity: dict[tuple[str, str], list[Move]] = defaultdict(list)
    for move in moves:
        by_entity[move.machine, move.entity].append(move)
        if _LEGAL.get((move.machine, move.origin, move.event)) != move.target:
            yield f"{move.machine} {move.entity}: {move.origin} -{move.event}-> {move.target} is no move of its table"
    for (machine, entity), own in by_entity.items():
        if machine in _BY_NAME:
            yield from _gaps(machine, own)
            if machine in _ONCE:
                yield from _miscounts(entity, machine, _lives(machine, own), start_count, killed_count)


def _gaps(machine: str, moves: list[Move]) -> Iterator[str]:
    first = _BY_NAME[machine].start.name
    state = first
    for move in moves:
        is_birth = move.origin == first and machine != TASK.name
        if move.origin != state and not is_birth:
            yield f"{machine} {move.entity}: was {state}, and then {move.origin} -{move.event}-> {move.target}"
        state = move.target


def _lives(machine: str, moves: list[Move]) -> Lifecycles:
    table = _BY_NAME[machine]
    ends = {state.name for state in table.terminal_states}
    births = [place for place, move in enumerate(moves) if move.origin == table.start.name]
    cut_count = sum(place > 0 and moves[place - 1].target not in ends for place in births)
    return Lifecycles(life_count=len(births), cut_count=cut_count, last_state=moves[-1].target)


def _miscounts(entity: str, machine: str, lives: Lifecycles, start_count: int, killed_count: int) -> Iterator[str]:
    if lives.life_count > start_count:
        yield f"{machine} {entity}: {lives.life_count} lives in {start_count} starts"
    if lives.cut_count > killed_count:
        yield f"{machine} {entity}: {lives.cut_count} lives broke off, and {killed_count} starts were killed"
    if lives.last_state not in {state.name for state in _BY_NAME[machine].terminal_states}:
        yield f"{machine} {entity}: ended as {lives.last_state}"
