"""SQL for tasks: states, attempts and transitions. Each function runs within a transaction of its caller."""

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
from poolwright.domain.tasks import FetchedFile
from poolwright.journal.errors import UnknownTaskError
from poolwright.journal.task_rules import TaskMachine, TaskMove, TaskState


def to_text(moment: datetime) -> str:
    """Return an aware moment as the journal stores it: ISO 8601 in UTC, always of the same length."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def from_text(text: str) -> datetime:
    """Return the moment that ``to_text`` wrote."""
    return datetime.fromisoformat(text)


_INSERT = """
INSERT INTO transitions (machine, entity, origin, event, target, at, cause) VALUES (?, ?, ?, ?, ?, ?, ?)
"""
_LATEST = """
SELECT machine, entity, origin, event, target, at, cause FROM transitions
WHERE machine = ? AND entity = ? ORDER BY transition_id DESC LIMIT ?
"""


def append_transitions(connection: Connection, transitions: Iterable[Transition]) -> None:
    """Append transitions in their order."""
    connection.executemany(
        _INSERT,
        (
            (each.machine, each.entity, each.origin, each.event, each.target, to_text(each.at), each.cause)
            for each in transitions
        ),
    )


def read_history(connection: Connection, task_id: TaskId) -> tuple[Transition, ...]:
    """Return the latest transitions of a task, oldest first."""
    latest = [
        Transition(
            machine=machine, entity=entity, origin=origin, event=event, target=target, at=from_text(at), cause=cause
        )
        for machine, entity, origin, event, target, at, cause in connection.execute(
            _LATEST, (TASK.name, task_id, HISTORY_LENGTH)
        )
    ]
    return tuple(reversed(latest))


#: Result of an attempt whose run crashed, so that its end is unknown.
LOST_RESULT = "lost"

_OPEN_ATTEMPT = "INSERT INTO attempts (task_id, attempt, worker, started_at) VALUES (?, ?, ?, ?)"
_CLOSE_ATTEMPT = "UPDATE attempts SET ended_at = ?, result = ?, is_spent = ? WHERE task_id = ? AND ended_at IS NULL"


def begin_attempt(connection: Connection, task_id: TaskId, attempt: int, worker: WorkerRef, at: datetime) -> None:
    """Record that an attempt begins."""
    connection.execute(_OPEN_ATTEMPT, (task_id, attempt, str(worker), to_text(at)))


def end_attempt(
    connection: Connection, task_id: TaskId, result: Reason | ReturnReason | None, at: datetime, *, is_spent: bool
) -> None:
    """Close the open attempt of a task, if it has one.

    Args:
        connection: Within a transaction.
        task_id: The task.
        result: The reason of its end or return; ``None`` if its run crashed.
        at: Aware UTC now.
        is_spent: Whether the attempt is spent.
    """
    connection.execute(
        _CLOSE_ATTEMPT, (to_text(at), LOST_RESULT if result is None else result.value, is_spent, task_id)
    )


#: Columns of ``read_state``, in its order.
STATE_COLUMNS = """
tasks.task_id, po_number, portal_number, tasks.status, attempt_count, death_count, tasks.not_before, payload, timeout_s,
group_name, tasks.cells, (SELECT known FROM refreshes WHERE refreshes.task_id = tasks.task_id AND result IS NULL)
"""
_TASK = f"SELECT {STATE_COLUMNS} FROM tasks WHERE task_id = ?"
_CLAIMED = f"SELECT {STATE_COLUMNS} FROM tasks WHERE status IN ('ASSIGNED', 'RUNNING')"
_DUE = f"""
SELECT {STATE_COLUMNS} FROM batch_tasks CROSS JOIN tasks USING (task_id)
WHERE batch_id = ? AND batch_tasks.status = 'QUEUED' AND batch_tasks.not_before <= ? ORDER BY position LIMIT ?
"""
_FINISHED = f"""
SELECT {STATE_COLUMNS} FROM tasks
WHERE task_id IN (SELECT value FROM json_each(?)) AND status IN ('DONE', 'CANCELLED')
"""
_QUEUED = f"""
SELECT {STATE_COLUMNS} FROM tasks
WHERE task_id IN (SELECT value FROM json_each(?)) AND status = 'QUEUED' ORDER BY task_id
"""
_WAITING = f"""
SELECT {STATE_COLUMNS} FROM batch_tasks CROSS JOIN tasks USING (task_id)
WHERE batch_id = ? AND batch_tasks.status = 'QUEUED' ORDER BY position LIMIT ?
"""
_ANY_DUE = "SELECT 1 FROM batch_tasks WHERE batch_id = ? AND status = 'QUEUED' AND not_before <= ? LIMIT 1"
_NEXT_DUE = "SELECT min(not_before) FROM batch_tasks WHERE batch_id = ? AND status = 'QUEUED'"
_UPDATE = "UPDATE tasks SET status = ?, attempt_count = ?, death_count = ?, not_before = ? WHERE task_id = ?"
_SHORTEN = "UPDATE tasks SET not_before = :longest WHERE status = 'QUEUED' AND not_before > :longest"
_COUNT_DEATH = "UPDATE tasks SET death_count = death_count + 1 WHERE task_id = ? RETURNING death_count"


def load_machine(connection: Connection, task_id: TaskId, at: datetime) -> TaskMachine:
    """Return the state machine of a task.

    Raises:
        UnknownTaskError: The task was never accepted.
    """
    row = connection.execute(_TASK, (task_id,)).fetchone()
    if row is None:
        raise UnknownTaskError(task_id)
    return _machines(connection, [row], at)[0]


def find_due(connection: Connection, batch_id: BatchId, limit: int, *, by: datetime, at: datetime) -> list[TaskMachine]:
    """Return the first queued tasks of a list that are due.

    Args:
        connection: Within a transaction.
        batch_id: The list.
        limit: Most tasks to return.
        by: Now, as ``RetryClock`` measures it for due times.
        at: Aware UTC now.
    """
    return _machines(connection, connection.execute(_DUE, (batch_id, to_text(by), max(limit, 0))), at)


def find_waiting(connection: Connection, batch_id: BatchId, limit: int, at: datetime) -> list[TaskMachine]:
    """Return the first queued tasks of a list, also those that are not due yet."""
    return _machines(connection, connection.execute(_WAITING, (batch_id, max(limit, 0))), at)


def find_claimed(connection: Connection, at: datetime) -> list[TaskMachine]:
    """Return all tasks that this or an earlier run has claimed."""
    return _machines(connection, connection.execute(_CLAIMED), at)


def find_finished(connection: Connection, task_ids: Collection[TaskId], at: datetime) -> list[TaskMachine]:
    """Return those of these tasks that are finished."""
    return _machines(connection, connection.execute(_FINISHED, (dumps(list(task_ids)),)), at)


def find_queued(connection: Connection, task_ids: Collection[TaskId], at: datetime) -> list[TaskMachine]:
    """Return those of these tasks that are queued."""
    return _machines(connection, connection.execute(_QUEUED, (dumps(list(task_ids)),)), at)


def next_due_s(connection: Connection, batch_id: BatchId, by: datetime) -> float | None:
    """Return the seconds until a queued task of a list is due; ``None`` if none is queued."""
    if connection.execute(_ANY_DUE, (batch_id, to_text(by))).fetchone() is not None:
        return 0.0
    earliest = connection.execute(_NEXT_DUE, (batch_id,)).fetchone()[0]
    return None if earliest is None else (from_text(earliest) - by).total_seconds()


def cap_waits(connection: Connection, longest: datetime) -> None:
    """Shorten every wait that ends after a moment to that moment."""
    connection.execute(_SHORTEN, {"longest": to_text(longest)})


def save_move(connection: Connection, move: TaskMove) -> TaskState:
    """Store the new state of a task and its transition; return the state."""
    save_moves(connection, [move])
    return move.state


def save_moves(connection: Connection, moves: Sequence[TaskMove]) -> None:
    """Store the new states of different tasks and their transitions."""
    connection.executemany(_UPDATE, (_update_values(move.state) for move in moves))
    append_transitions(connection, [move.transition for move in moves])


def count_death(connection: Connection, task_id: TaskId) -> int:
    """Record that a worker crashed on a task; return how many did so far.

    Raises:
        UnknownTaskError: The task was never accepted.
    """
    row = connection.execute(_COUNT_DEATH, (task_id,)).fetchone()
    if row is None:
        raise UnknownTaskError(task_id)
    return int(row[0])


def read_state(row: tuple[Any, ...]) -> TaskState:
    """Return the state in a row of ``STATE_COLUMNS``."""
    task_id, po_number, portal_number, status, attempt_count, death_count, not_before, *rest = row
    payload, timeout_s, group, cells, known = rest
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
        group=group,
        cells=loads(cells),
        known_files=None if known is None else tuple(FetchedFile(**file) for file in loads(known)),
    )


def _update_values(state: TaskState) -> tuple[str, int, int, str, TaskId]:
    """Return the values for ``_UPDATE``."""
    not_before = "" if state.not_before is None else to_text(state.not_before)
    return state.status.name, state.attempt_count, state.death_count, not_before, state.task_id


def _machines(connection: Connection, rows: Iterable[tuple[Any, ...]], at: datetime) -> list[TaskMachine]:
    states = [read_state(row) for row in rows]
    return [TaskMachine(state=each, at=at, history=partial(read_history, connection, each.task_id)) for each in states]
