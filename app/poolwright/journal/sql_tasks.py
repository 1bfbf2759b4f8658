"""SQL for tasks: their states, attempts and history."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from json import dumps, loads
from sqlite3 import Connection
from typing import Any

from poolwright.domain.ids import BatchId, TaskId, WorkerRef
from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.domain.state_machine import HISTORY_LENGTH, Transition
from poolwright.domain.states import TASK, TaskStatus
from poolwright.journal.errors import UnknownTaskError
from poolwright.journal.task_rules import TaskMachine, TaskMove, TaskState


def to_text(moment: datetime) -> str:
    """Write an aware moment."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def from_text(text: str) -> datetime:
    """Read back what ``to_text`` wrote."""
    return datetime.fromisoformat(text)


_INSERT = """
INSERT INTO transitions (machine, entity, origin, event, target, at, cause) VALUES (?, ?, ?, ?, ?, ?, ?)
"""
_LATEST = """
SELECT machine, entity, origin, event, target, at, cause FROM transitions
WHERE machine = ? AND entity = ? ORDER BY transition_id DESC LIMIT ?
"""


def append_transitions(connection: Connection, moves: Iterable[Transition]) -> None:
    """Append moves in their order."""
    connection.executemany(
        _INSERT,
        (
            (move.machine, move.entity, move.origin, move.event, move.target, to_text(move.at), move.cause)
            for move in moves
        ),
    )


def read_history(connection: Connection, task_id: TaskId) -> tuple[Transition, ...]:
    """The latest moves of one task, oldest first."""
    latest = [
        Transition(
            machine=machine, entity=entity, origin=origin, event=event, target=target, at=from_text(at), cause=cause
        )
        for machine, entity, origin, event, target, at, cause in connection.execute(
            _LATEST, (TASK.name, task_id, HISTORY_LENGTH)
        )
    ]
    return tuple(reversed(latest))


#: Result of an attempt whose whole run died: nobody can say how it went.
LOST_RESULT = "lost"

_OPEN_ATTEMPT = "INSERT INTO attempts (task_id, attempt, worker, started_at) VALUES (?, ?, ?, ?)"
_CLOSE_ATTEMPT = "UPDATE attempts SET ended_at = ?, result = ?, is_spent = ? WHERE task_id = ? AND ended_at IS NULL"


def begin_attempt(connection: Connection, task_id: TaskId, attempt: int, worker: WorkerRef, at: datetime) -> None:
    """Write down that an attempt begins."""
    connection.execute(_OPEN_ATTEMPT, (task_id, attempt, str(worker), to_text(at)))


def end_attempt(
    connection: Connection, task_id: TaskId, result: Reason | ReturnReason | None, at: datetime, *, is_spent: bool
) -> None:
    """Close the open attempt of a task, if it has one.

    Args:
        connection: Within a transaction.
        task_id: Whose attempt.
        result: How it went; nothing when its run died without a word.
        at: Aware UTC now.
        is_spent: Whether it counts; a task that is handed back undone keeps its attempt.
    """
    connection.execute(
        _CLOSE_ATTEMPT, (to_text(at), LOST_RESULT if result is None else result.value, is_spent, task_id)
    )


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


def load_machine(connection: Connection, task_id: TaskId, at: datetime) -> TaskMachine:
    """One task that is asked for a move.

    Raises:
        UnknownTaskError: It was never accepted.
    """
    row = connection.execute(_ONE, (task_id,)).fetchone()
    if row is None:
        raise UnknownTaskError(task_id)
    return _machines(connection, [row], at)[0]


def find_due(connection: Connection, batch_id: BatchId, limit: int, *, by: datetime, at: datetime) -> list[TaskMachine]:
    """The first queued tasks of a list that need not wait any more.

    Args:
        connection: Within a transaction.
        batch_id: The list.
        limit: At most so many.
        by: Now, for those who wait.
        at: Aware UTC now.
    """
    return _machines(connection, connection.execute(_DUE, (batch_id, to_text(by), max(limit, 0))), at)


def find_waiting(connection: Connection, batch_id: BatchId, limit: int, at: datetime) -> list[TaskMachine]:
    """The first queued tasks of a list, also those that must wait."""
    return _machines(connection, connection.execute(_WAITING, (batch_id, max(limit, 0))), at)


def find_claimed(connection: Connection, at: datetime) -> list[TaskMachine]:
    """All tasks that some run has, or had, in its hands."""
    return _machines(connection, connection.execute(_CLAIMED), at)


def find_finished(connection: Connection, task_ids: Collection[TaskId], at: datetime) -> list[TaskMachine]:
    """Those of these tasks that are over."""
    return _machines(connection, connection.execute(_OVER, (dumps(list(task_ids)),)), at)


def find_queued(connection: Connection, task_ids: Collection[TaskId], at: datetime) -> list[TaskMachine]:
    """Those of these tasks that wait and that no run has claimed."""
    return _machines(connection, connection.execute(_QUEUED, (dumps(list(task_ids)),)), at)


def next_due_s(connection: Connection, batch_id: BatchId, by: datetime) -> float | None:
    """Seconds until a queued task of a list is due; nothing when none is queued."""
    if connection.execute(_ANY_DUE, (batch_id, to_text(by))).fetchone() is not None:
        return 0.0
    earliest = connection.execute(_NEXT_DUE, (batch_id,)).fetchone()[0]
    return None if earliest is None else (from_text(earliest) - by).total_seconds()


def cap_waits(connection: Connection, longest: datetime) -> None:
    """Let no task wait beyond a moment."""
    connection.execute(_SHORTEN, {"longest": to_text(longest)})


def save_move(connection: Connection, step: TaskMove) -> TaskState:
    """Write a step: the new standing and its line of history."""
    save_moves(connection, [step])
    return step.state


def save_moves(connection: Connection, steps: Sequence[TaskMove]) -> None:
    """Write steps of different tasks: each new standing and its line of history."""
    connection.executemany(_UPDATE, (_row(step.state) for step in steps))
    append_transitions(connection, [step.transition for step in steps])


def count_death(connection: Connection, task_id: TaskId) -> int:
    """Add one dead worker to a task; returns how many it has now.

    Raises:
        UnknownTaskError: It was never accepted.
    """
    row = connection.execute(_COUNT_DEATH, (task_id,)).fetchone()
    if row is None:
        raise UnknownTaskError(task_id)
    return int(row[0])


def read_state(row: tuple[Any, ...]) -> TaskState:
    """Read one row of the columns of ``tasks``."""
    task_id, po_number, portal_number, status, attempt_count, death_count, not_before, payload, timeout_s = row
    return TaskState(
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


def _row(after: TaskState) -> tuple[str, int, int, str, TaskId]:
    """A standing as its statement takes it."""
    not_before = "" if after.not_before is None else to_text(after.not_before)
    return after.status.name, after.attempt_count, after.death_count, not_before, after.task_id


def _machines(connection: Connection, rows: Iterable[tuple[Any, ...]], at: datetime) -> list[TaskMachine]:
    found = [read_state(row) for row in rows]
    return [TaskMachine(state=each, at=at, history=partial(read_history, connection, each.task_id)) for each in found]
