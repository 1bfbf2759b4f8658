"""History in the journal: every move of every machine, and the story of one task."""

from __future__ import annotations

from collections.abc import Iterable
from sqlite3 import Connection

from poolwright.domain.ids import TaskId
from poolwright.domain.state_machine import STORY_LENGTH, Transition
from poolwright.domain.states import TASK
from poolwright.store.times import from_text, to_text

_INSERT = """
INSERT INTO transitions (machine, entity, origin, event, target, at, cause) VALUES (?, ?, ?, ?, ?, ?, ?)
"""
_LATEST = """
SELECT machine, entity, origin, event, target, at, cause FROM transitions
WHERE machine = ? AND entity = ? ORDER BY transition_id DESC LIMIT ?
"""


def write(connection: Connection, moves: Iterable[Transition]) -> None:
    """Append moves in their order."""
    connection.executemany(
        _INSERT,
        (
            (move.machine, move.entity, move.origin, move.event, move.target, to_text(move.at), move.cause)
            for move in moves
        ),
    )


def story(connection: Connection, task_id: TaskId) -> tuple[Transition, ...]:
    """The latest moves of one task, oldest first."""
    latest = [
        Transition(
            machine=machine, entity=entity, origin=origin, event=event, target=target, at=from_text(at), cause=cause
        )
        for machine, entity, origin, event, target, at, cause in connection.execute(
            _LATEST, (TASK.name, task_id, STORY_LENGTH)
        )
    ]
    return tuple(reversed(latest))
