"""Tasks in the journal: where each stands, which of a list are due, and every step with its line of history."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import partial
from json import dumps, loads
from sqlite3 import Connection
from typing import Any

from poolwright.domain.ids import BatchId, TaskId
from poolwright.domain.states import TaskStatus
from poolwright.store import transitions
from poolwright.store.errors import UnknownTaskError
from poolwright.store.moves import Case, Standing, Step
from poolwright.store.times import from_text, to_text

_ONE = """
SELECT task_id, po_number, portal_number, status, attempt_count, death_count, not_before, payload, timeout_s
FROM tasks WHERE task_id = ?
"""
_CLAIMED = """
SELECT task_id, po_number, portal_number, status, attempt_count, death_count, not_before, payload, timeout_s
FROM tasks WHERE status IN ('ASSIGNED', 'RUNNING')
"""
_DUE = """
SELECT task_id, po_number, portal_number, tasks.status, attempt_count, death_count, tasks.not_before, payload,
timeout_s
FROM batch_tasks CROSS JOIN tasks USING (task_id)
WHERE batch_id = ? AND batch_tasks.status = 'QUEUED' AND batch_tasks.not_before <= ? ORDER BY position LIMIT ?
"""
_OVER = """
SELECT task_id, po_number, portal_number, status, attempt_count, death_count, not_before, payload, timeout_s
FROM tasks WHERE task_id IN (SELECT value FROM json_each(?)) AND status IN ('DONE', 'CANCELLED')
"""
_QUEUED = """
SELECT task_id, po_number, portal_number, status, attempt_count, death_count, not_before, payload, timeout_s
FROM tasks WHERE task_id IN (SELECT value FROM json_each(?)) AND status = 'QUEUED' ORDER BY task_id
"""
_WAITING = """
SELECT task_id, po_number, portal_number, tasks.status, attempt_count, death_count, tasks.not_before, payload,
timeout_s
FROM batch_tasks CROSS JOIN tasks USING (task_id)
WHERE batch_id = ? AND batch_tasks.status = 'QUEUED' ORDER BY position LIMIT ?
"""
_ANY_DUE = "SELECT 1 FROM batch_tasks WHERE batch_id = ? AND status = 'QUEUED' AND not_before <= ? LIMIT 1"
_NEXT_DUE = "SELECT min(not_before) FROM batch_tasks WHERE batch_id = ? AND status = 'QUEUED'"
_UPDATE = "UPDATE tasks SET status = ?, attempt_count = ?, death_count = ?, not_before = ? WHERE task_id = ?"
_SHORTEN = "UPDATE tasks SET not_before = :longest WHERE status = 'QUEUED' AND not_before > :longest"
_COUNT_DEATH = "UPDATE tasks SET death_count = death_count + 1 WHERE task_id = ? RETURNING death_count"


def case(connection: Connection, task_id: TaskId, at: datetime) -> Case:
    """One task that is asked for a move.

    Raises:
        UnknownTaskError: It was never accepted.
    """
    row = connection.execute(_ONE, (task_id,)).fetchone()
    if row is None:
        raise UnknownTaskError(task_id)
    return _cases(connection, [row], at)[0]


def due(connection: Connection, batch_id: BatchId, limit: int, *, by: datetime, at: datetime) -> list[Case]:
    """The first queued tasks of a list that need not wait any more.

    Args:
        connection: Within a transaction.
        batch_id: The list.
        limit: At most so many.
        by: Now, for those who wait.
        at: Aware UTC now.
    """
    return _cases(connection, connection.execute(_DUE, (batch_id, to_text(by), max(limit, 0))), at)


def waiting(connection: Connection, batch_id: BatchId, limit: int, at: datetime) -> list[Case]:
    """The first queued tasks of a list, also those that must wait."""
    return _cases(connection, connection.execute(_WAITING, (batch_id, max(limit, 0))), at)


def claimed(connection: Connection, at: datetime) -> list[Case]:
    """All tasks that some run has, or had, in its hands."""
    return _cases(connection, connection.execute(_CLAIMED), at)


def over(connection: Connection, task_ids: Collection[TaskId], at: datetime) -> list[Case]:
    """Those of these tasks that are over."""
    return _cases(connection, connection.execute(_OVER, (dumps(list(task_ids)),)), at)


def queued(connection: Connection, task_ids: Collection[TaskId], at: datetime) -> list[Case]:
    """Those of these tasks that wait and that no run has claimed."""
    return _cases(connection, connection.execute(_QUEUED, (dumps(list(task_ids)),)), at)


def wait_s(connection: Connection, batch_id: BatchId, by: datetime) -> float | None:
    """Seconds until a queued task of a list is due; nothing when none is queued."""
    if connection.execute(_ANY_DUE, (batch_id, to_text(by))).fetchone() is not None:
        return 0.0
    earliest = connection.execute(_NEXT_DUE, (batch_id,)).fetchone()[0]
    return None if earliest is None else (from_text(earliest) - by).total_seconds()


def shorten_waits(connection: Connection, longest: datetime) -> None:
    """Let no task wait beyond a moment."""
    connection.execute(_SHORTEN, {"longest": to_text(longest)})


def write(connection: Connection, step: Step) -> Standing:
    """Write a step: the new standing and its line of history."""
    write_all(connection, [step])
    return step.standing


def write_all(connection: Connection, steps: Sequence[Step]) -> None:
    """Write steps of different tasks: each new standing and its line of history."""
    connection.executemany(_UPDATE, (_row(step.standing) for step in steps))
    transitions.write(connection, [step.transition for step in steps])


def count_death(connection: Connection, task_id: TaskId) -> int:
    """Add one dead worker to a task; returns how many it has now.

    Raises:
        UnknownTaskError: It was never accepted.
    """
    row = connection.execute(_COUNT_DEATH, (task_id,)).fetchone()
    if row is None:
        raise UnknownTaskError(task_id)
    return int(row[0])


def standing(row: tuple[Any, ...]) -> Standing:
    """Read one row of the columns of ``tasks``."""
    task_id, po_number, portal_number, status, attempt_count, death_count, not_before, payload, timeout_s = row
    return Standing(
        task_id=TaskId(task_id),
        po_number=po_number,
        portal_number=portal_number,
        status=TaskStatus[status],
        attempt_count=attempt_count,
        death_count=death_count,
        not_before=from_text(not_before) if not_before else None,
        payload=loads(payload),
        timeout_s=timeout_s,
    )


def _row(after: Standing) -> tuple[str, int, int, str, TaskId]:
    """A standing as its statement takes it."""
    not_before = "" if after.not_before is None else to_text(after.not_before)
    return after.status.name, after.attempt_count, after.death_count, not_before, after.task_id


def _cases(connection: Connection, rows: Iterable[tuple[Any, ...]], at: datetime) -> list[Case]:
    found = [standing(row) for row in rows]
    return [Case(standing=each, at=at, story=partial(transitions.story, connection, each.task_id)) for each in found]
