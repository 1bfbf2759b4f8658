"""The laws of a journal file, whatever happened to it: read from outside, with nothing but SQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import Any

from poolwright.domain.states import TASK, TaskEvent, TaskStatus

#: Each finds nothing in a journal that is right.
_BREACHES = {
    "an attempt is open exactly while its task runs": """
        SELECT task_id FROM tasks
        WHERE (status = 'RUNNING') <> (task_id IN (SELECT task_id FROM attempts WHERE ended_at IS NULL))
    """,
    "what is over has its report": """
        SELECT task_id FROM tasks
        WHERE status IN ('DONE', 'CANCELLED') AND task_id NOT IN (SELECT task_id FROM reports)
    """,
    "what is cancelled says so": """
        SELECT task_id FROM tasks JOIN reports USING (task_id)
        WHERE (status = 'CANCELLED') AND (outcome <> 'CANCELLED' OR folder <> '')
    """,
    "every task of a list has a place of its own, and the next one has one too": """
        SELECT batch_id FROM batch_tasks JOIN batches USING (batch_id) GROUP BY batch_id
        HAVING count(DISTINCT position) < count(*) OR max(position) >= next_position
    """,
    "a list mirrors its tasks": """
        SELECT task_id FROM batch_tasks JOIN tasks USING (task_id)
        WHERE (batch_tasks.status, batch_tasks.not_before) <> (tasks.status, tasks.not_before)
    """,
}
#: Tables of counts, each with what it must be.
_COUNTS = {
    "SELECT batch_id, status, task_count FROM status_counts WHERE task_count <> 0": """
        SELECT batch_id, status, count(*) FROM batch_tasks GROUP BY batch_id, status
        UNION ALL SELECT '', status, count(*) FROM tasks GROUP BY status
    """,
    "SELECT batch_id, outcome, reason, task_count FROM reason_counts WHERE task_count <> 0": """
        SELECT batch_id, outcome, reason, count(*) FROM batch_tasks JOIN reports USING (task_id)
        WHERE status IN ('DONE', 'CANCELLED') GROUP BY batch_id, outcome, reason
        UNION ALL SELECT '', outcome, reason, count(*) FROM tasks JOIN reports USING (task_id)
        WHERE status IN ('DONE', 'CANCELLED') GROUP BY outcome, reason
    """,
}
_MOVES = "SELECT entity, origin, event, target FROM transitions WHERE machine = 'task' ORDER BY entity, transition_id"


def query(path: Path, sql: str) -> list[tuple[Any, ...]]:
    """Read a journal that may be open elsewhere."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute(sql).fetchall()


def check_laws(path: Path, *, is_swept: bool = False) -> None:
    """Assert that the file is whole and that no change is without its history, nor the other way round.

    Args:
        path: The journal.
        is_swept: Whether history of what is over may be missing, from its beginning on.
    """
    assert query(path, "PRAGMA integrity_check") == [("ok",)]
    assert query(path, "PRAGMA foreign_key_check") == []
    for law, breach in _BREACHES.items():
        assert query(path, breach) == [], law
    for kept, counted in _COUNTS.items():
        assert sorted(query(path, kept)) == sorted(query(path, counted)), "what is counted is what is there"
    told = {
        entity: _follow(moves, is_swept=is_swept)
        for entity, moves in groupby(query(path, _MOVES), key=lambda row: row[0])
    }
    stands = dict(query(path, "SELECT task_id, status FROM tasks"))
    silent = {task_id: status for task_id, status in stands.items() if is_swept and status in {"DONE", "CANCELLED"}}
    assert {task_id: told.get(task_id, silent.get(task_id, TASK.start.name)) for task_id in stands} == stands


def _follow(moves: Iterable[tuple[Any, ...]], *, is_swept: bool) -> str:
    """Walk the moves of one task through the table; returns the state in which they end."""
    state = TASK.start
    for place, (_, origin, event, target) in enumerate(moves):
        if is_swept and place == 0:
            state = TaskStatus[origin]
        assert origin == state.name
        found = TASK.target(state, TaskEvent[event])
        assert found is not None
        assert target == found.name
        state = found
    return state.name
