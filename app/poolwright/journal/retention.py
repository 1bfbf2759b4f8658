"""Deletes old history: transitions and attempts of orders that ended long ago, and lists of only such orders.

Tasks and reports are never deleted: with them a later run skips finished orders. The rest is deleted in many small
transactions, so a running pool waits for one of them at most; a program that is killed between two leaves a consistent
journal, and the next pruning continues. A list has fewer rows while it is deleted; accepting it again restores it.
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

#: Rows that one transaction reads or deletes: some hundredths of a second.
STEP_ROWS = 2_000

_ENDED_BEFORE = """
EXISTS (
    SELECT 1 FROM tasks JOIN reports USING (task_id)
    WHERE task_id = {task_id} AND status IN ('DONE', 'CANCELLED') AND finished_at < :before
)
"""
#: An order that ended after a step had passed its first moves keeps the others too: the next pruning deletes them all.
_HAS_KEPT_MOVES = """
EXISTS (
    SELECT 1 FROM transitions AS earlier
    WHERE earlier.machine = 'task' AND earlier.entity = transitions.entity AND earlier.transition_id <= :after
)
"""
_OLDEST_TRANSITIONS = (
    "SELECT max(id), min(at) FROM (SELECT transition_id AS id, at FROM transitions WHERE id > ? ORDER BY id LIMIT ?)"
)
_DELETE_TRANSITIONS = f"""
DELETE FROM transitions WHERE transition_id > :after AND transition_id <= :last AND at < :before
AND (machine <> 'task' OR ({_ENDED_BEFORE.format(task_id="transitions.entity")} AND NOT {_HAS_KEPT_MOVES}))
"""
_OLDEST_ATTEMPTS = """
SELECT max(id), min(at) FROM (SELECT attempt_id AS id, started_at AS at FROM attempts WHERE id > ? ORDER BY id LIMIT ?)
"""
_DELETE_ATTEMPTS = f"""
DELETE FROM attempts WHERE attempt_id > :after AND attempt_id <= :last AND ended_at < :before
AND {_ENDED_BEFORE.format(task_id="attempts.task_id")}
"""
_OLD_LISTS = """
SELECT batch_id FROM batches WHERE accepted_at < ? AND batch_id NOT IN (SELECT value FROM json_each(?))
ORDER BY batch_id
"""
_IS_ACTIVE = """
SELECT 1 FROM batch_tasks WHERE batch_id = ? AND status IN ('QUEUED', 'ASSIGNED', 'RUNNING')
UNION ALL SELECT 1 FROM batches WHERE batch_id = ? AND accepted_at >= ? LIMIT 1
"""
_HAS_RECENT_REPORT = """
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
    """Counts of what a pruning, or one step of it, deleted."""

    #: Transitions of tasks and of all other state machines.
    move_count: int = 0
    attempt_count: int = 0
    list_count: int = 0

    def __add__(self, other: PruneResult) -> PruneResult:
        """Return the sum of both."""
        return PruneResult(
            move_count=self.move_count + other.move_count,
            attempt_count=self.attempt_count + other.attempt_count,
            list_count=self.list_count + other.list_count,
        )


def prune(database: Database, before: datetime, spared: Collection[BatchId]) -> Iterator[PruneResult]:
    """Delete old history step by step; each step is one transaction, committed when its result is yielded.

    Args:
        database: An open journal.
        before: Only what ended before this moment is deleted.
        spared: Lists that are kept whatever their age.

    Raises:
        JournalError: A step failed; earlier steps are committed.
    """
    moment = to_text(before)
    for count in _delete_old(database, _OLDEST_TRANSITIONS, _DELETE_TRANSITIONS, moment):
        yield PruneResult(move_count=count)
    for count in _delete_old(database, _OLDEST_ATTEMPTS, _DELETE_ATTEMPTS, moment):
        yield PruneResult(attempt_count=count)
    with database.read_snapshot() as connection:
        old_lists = connection.execute(_OLD_LISTS, (moment, dumps(list(spared)))).fetchall()
    for (batch_id,) in old_lists:
        yield from _delete_list(database, batch_id, moment)


def _delete_old(database: Database, select: str, delete: str, before: str) -> Iterator[int]:
    """Delete from a history table, from its oldest rows to the first step that has only recent ones; yield counts."""
    after = 0
    while True:
        with database.transaction() as connection:
            last, oldest = connection.execute(select, (after, STEP_ROWS)).fetchone()
            if last is None or oldest >= before:
                return
            count = connection.execute(delete, {"after": after, "last": last, "before": before}).rowcount
        yield count
        after = last


def _delete_list(database: Database, batch_id: str, before: str) -> Iterator[PruneResult]:
    """Delete one list, unless it is active or has an order that ended recently; each step checks the activity again."""
    with database.read() as connection:
        is_kept = connection.execute(_HAS_RECENT_REPORT, (batch_id, before)).fetchone() is not None
    is_deleted = False
    while not (is_kept or is_deleted):
        with database.transaction() as connection:
            is_kept = connection.execute(_IS_ACTIVE, (batch_id, batch_id, before)).fetchone() is not None
            is_deleted = not is_kept and _delete_rows(connection, batch_id)
        yield PruneResult(list_count=is_deleted)


def _delete_rows(connection: Connection, batch_id: str) -> bool:
    """Delete the next rows of a list, and the list after its last ones; return whether the list is deleted."""
    row_count = connection.execute(_DELETE_ROWS, (batch_id, STEP_ROWS)).rowcount
    member_count = connection.execute(_DELETE_MEMBERS, (batch_id, STEP_ROWS)).rowcount
    if max(row_count, member_count) == STEP_ROWS:
        return False
    connection.execute(_DELETE_LIST, (batch_id,))
    return True
