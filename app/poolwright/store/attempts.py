"""Attempts in the journal: each is written before its work begins and closed when it is known how it went."""

from __future__ import annotations

from datetime import datetime
from sqlite3 import Connection

from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.store.times import to_text

#: Result of an attempt whose whole run died: nobody can say how it went.
LOST = "lost"

_OPEN = "INSERT INTO attempts (task_id, attempt, worker, started_at) VALUES (?, ?, ?, ?)"
_CLOSE = "UPDATE attempts SET ended_at = ?, result = ?, is_spent = ? WHERE task_id = ? AND ended_at IS NULL"


def begin(connection: Connection, task_id: TaskId, attempt: int, worker: WorkerRef, at: datetime) -> None:
    """Write down that an attempt begins."""
    connection.execute(_OPEN, (task_id, attempt, str(worker), to_text(at)))


def end(
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
    connection.execute(_CLOSE, (to_text(at), LOST if result is None else result.value, is_spent, task_id))
