"""Deletes old history: moves and attempts of orders that ended long ago, and lists that hold only such orders.

Tasks and their reports stay for ever: they are what lets a later run skip what is done. Everything else goes in small
transactions, one after another, so that a pool at work waits for one of them at most; a program that dies between two
leaves a whole journal, and the next sweep goes on. A list that is being removed has fewer rows meanwhile; accepted
again, it is as it was given.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from json import dumps
from sqlite3 import Connection

from poolwright.domain.ids import BatchId
from poolwright.journal.database import Database
from poolwright.journal.sql_tasks import to_text

#: So many rows are looked at, or removed, in one transaction: some hundredths of a second.
STEP_ROWS = 2_000

_IS_LONG_OVER = """
EXISTS (
    SELECT 1 FROM tasks JOIN reports USING (task_id)
    WHERE task_id = {task_id} AND status IN ('DONE', 'CANCELLED') AND finished_at < :before
)
"""
_MOVES = (
    "SELECT max(id), min(at) FROM (SELECT transition_id AS id, at FROM transitions WHERE id > ? ORDER BY id LIMIT ?)"
)
_DELETE_MOVES = f"""
DELETE FROM transitions WHERE transition_id > :after AND transition_id <= :last AND at < :before
AND (machine <> 'task' OR {_IS_LONG_OVER.format(task_id="transitions.entity")})
"""
_ATTEMPTS = """
SELECT max(id), min(at) FROM (SELECT attempt_id AS id, started_at AS at FROM attempts WHERE id > ? ORDER BY id LIMIT ?)
"""
_DELETE_ATTEMPTS = f"""
DELETE FROM attempts WHERE attempt_id > :after AND attempt_id <= :last AND ended_at < :before
AND {_IS_LONG_OVER.format(task_id="attempts.task_id")}
"""
_OLD_LISTS = """
SELECT batch_id FROM batches WHERE accepted_at < ? AND batch_id NOT IN (SELECT value FROM json_each(?))
ORDER BY batch_id
"""
_IS_AT_WORK = """
SELECT 1 FROM batch_tasks WHERE batch_id = ? AND status IN ('QUEUED', 'ASSIGNED', 'RUNNING')
UNION ALL SELECT 1 FROM batches WHERE batch_id = ? AND accepted_at >= ? LIMIT 1
"""
_IS_YOUNG = """
SELECT 1 FROM batch_tasks JOIN reports USING (task_id) WHERE batch_id = ? AND finished_at >= ? LIMIT 1
"""
_DELETE_ROWS = """
DELETE FROM rows WHERE batch_id = ?1 AND position IN (SELECT position FROM rows WHERE batch_id = ?1 LIMIT ?2)
"""
_DELETE_MEMBERS = """
DELETE FROM batch_tasks WHERE batch_id = ?1
AND task_id IN (SELECT task_id FROM batch_tasks WHERE batch_id = ?1 LIMIT ?2)
"""
_DELETE_LIST = "DELETE FROM batches WHERE batch_id = ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneResult:
    """Counts of what a pruning, or one step of it, removed."""

    #: Moves of tasks and of all other machines.
    move_count: int = 0
    attempt_count: int = 0
    list_count: int = 0

    def __add__(self, other: PruneResult) -> PruneResult:
        """Both together."""
        return PruneResult(
            move_count=self.move_count + other.move_count,
            attempt_count=self.attempt_count + other.attempt_count,
            list_count=self.list_count + other.list_count,
        )


def prune(database: Database, before: datetime, spared: Collection[BatchId]) -> Iterator[PruneResult]:
    """Forget step by step; each step is one transaction, done when its count is handed out.

    Args:
        database: An open journal.
        before: Only what ended before this moment may go.
        spared: Lists that stay whatever their age.

    Raises:
        JournalError: A step failed; those before it hold.
    """
    moment = to_text(before)
    for count in _passes(database, _MOVES, _DELETE_MOVES, moment):
        yield PruneResult(move_count=count)
    for count in _passes(database, _ATTEMPTS, _DELETE_ATTEMPTS, moment):
        yield PruneResult(attempt_count=count)
    with database.read_snapshot() as connection:
        old = connection.execute(_OLD_LISTS, (moment, dumps(list(spared)))).fetchall()
    for (batch_id,) in old:
        yield from _without_list(database, batch_id, moment)


def _passes(database: Database, look: str, forget: str, before: str) -> Iterator[int]:
    """Walk through a table of history from its oldest row to the first stretch that is all young."""
    after = 0
    while True:
        with database.transaction() as connection:
            last, oldest = connection.execute(look, (after, STEP_ROWS)).fetchone()
            if last is None or oldest >= before:
                return
            count = connection.execute(forget, {"after": after, "last": last, "before": before}).rowcount
        yield count
        after = last


def _without_list(database: Database, batch_id: str, before: str) -> Iterator[PruneResult]:
    """Remove one list, unless it is at work or has an order that ended lately; each step looks again."""
    with database.read() as connection:
        is_kept = connection.execute(_IS_YOUNG, (batch_id, before)).fetchone() is not None
    is_gone = False
    while not (is_kept or is_gone):
        with database.transaction() as connection:
            is_kept = connection.execute(_IS_AT_WORK, (batch_id, batch_id, before)).fetchone() is not None
            is_gone = not is_kept and _is_last_part(connection, batch_id)
        yield PruneResult(list_count=is_gone)


def _is_last_part(connection: Connection, batch_id: str) -> bool:
    """Remove the next rows of a list, and the list with its last ones."""
    row_count = connection.execute(_DELETE_ROWS, (batch_id, STEP_ROWS)).rowcount
    member_count = connection.execute(_DELETE_MEMBERS, (batch_id, STEP_ROWS)).rowcount
    if max(row_count, member_count) == STEP_ROWS:
        return False
    connection.execute(_DELETE_LIST, (batch_id,))
    return True
