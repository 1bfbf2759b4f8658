"""Lists in the journal: the user's rows as they were given, which tasks they ask for, and how far these are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from json import dumps
from sqlite3 import Connection

from poolwright.domain.ids import BatchId, TaskId
from poolwright.domain.states import TASK, TaskStatus
from poolwright.domain.tasks import OrderList, OrderRow, POTask
from poolwright.store.times import to_text

_KEEP_BATCH = """
INSERT INTO batches (batch_id, source, columns, notices, accepted_at, next_position) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (batch_id) DO UPDATE SET source = excluded.source, columns = excluded.columns, notices = excluded.notices,
accepted_at = excluded.accepted_at, next_position = excluded.next_position
"""
_DROP_ROWS = "DELETE FROM rows WHERE batch_id = ?"
_DROP_MEMBERS = "DELETE FROM batch_tasks WHERE batch_id = ?"
_KEEP_TASK = """
INSERT INTO tasks (task_id, po_number, portal_number, status, payload, timeout_s) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (task_id) DO NOTHING
"""
_KEEP_MEMBER = """
INSERT INTO batch_tasks (task_id, batch_id, position, status, not_before)
SELECT task_id, ?, ?, status, not_before FROM tasks WHERE task_id = ?
"""
_MAKE_ROOM = """
INSERT INTO batches (batch_id, source, columns, notices, accepted_at, next_position) VALUES (?, '', '[]', '[]', ?, ?)
ON CONFLICT (batch_id) DO UPDATE SET next_position = next_position + excluded.next_position
RETURNING next_position
"""
#: What stands from a place on: it takes as long as there is of it, however long the list is.
_OPEN_FROM = """
SELECT count(*) FROM batch_tasks
WHERE batch_id = ? AND status IN ('QUEUED', 'ASSIGNED', 'RUNNING') AND position >= ?
"""
_MEMBERS = "SELECT task_id FROM batch_tasks WHERE task_id IN (SELECT value FROM json_each(?)) AND batch_id = ?"
_KEEP_FURTHER_MEMBER = f"{_KEEP_MEMBER} ON CONFLICT (task_id, batch_id) DO NOTHING"
_KEEP_ROW = """
INSERT INTO rows (batch_id, position, row_no, cells, given, task_id, problem, detail, number_places)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_COUNTS = "SELECT status, count(*) FROM batch_tasks WHERE batch_id = ? GROUP BY status"


def keep(connection: Connection, orders: OrderList, at: datetime) -> int:
    """Write a list, in place of an earlier one of the same id; returns how many of its tasks are new."""
    batch_id = orders.batch_id
    told = (orders.source, dumps(orders.columns), dumps(orders.notices))
    connection.execute(_KEEP_BATCH, (batch_id, *told, to_text(at), len(orders.tasks)))
    connection.execute(_DROP_ROWS, (batch_id,))
    connection.execute(_DROP_MEMBERS, (batch_id,))
    new_count = _keep_tasks(connection, orders.tasks)
    connection.executemany(
        _KEEP_MEMBER, ((batch_id, position, task.task_id) for position, task in enumerate(orders.tasks))
    )
    connection.executemany(
        _KEEP_ROW,
        (
            (
                batch_id,
                position,
                row.row_no,
                dumps(row.cells),
                row.given,
                row.task_id,
                row.problem,
                row.detail,
                _places(row),
            )
            for position, row in enumerate(orders.rows)
        ),
    )
    return new_count


def _places(row: OrderRow) -> str | None:
    return None if row.values is None else dumps(sorted(row.values))


def extend(connection: Connection, batch_id: BatchId, tasks: Sequence[POTask], at: datetime) -> int:
    """Put tasks at the end of a list, which is made when there is none; returns how many more are open in it."""
    (end,) = connection.execute(_MAKE_ROOM, (batch_id, to_text(at), len(tasks))).fetchone()
    _keep_tasks(connection, tasks)
    connection.executemany(
        _KEEP_FURTHER_MEMBER,
        ((batch_id, position, task.task_id) for position, task in enumerate(tasks, end - len(tasks))),
    )
    (open_count,) = connection.execute(_OPEN_FROM, (batch_id, end - len(tasks))).fetchone()
    return int(open_count)


def members(connection: Connection, batch_id: BatchId, task_ids: Collection[TaskId]) -> list[TaskId]:
    """Which of these tasks a list has."""
    return [TaskId(task_id) for (task_id,) in connection.execute(_MEMBERS, (dumps(list(task_ids)), batch_id))]


def _keep_tasks(connection: Connection, tasks: Sequence[POTask]) -> int:
    """Queue those that are not known; returns how many these are."""
    start = TASK.start.name
    new = connection.executemany(
        _KEEP_TASK,
        (
            (task.task_id, task.po_number, task.portal_number, start, dumps(task.payload), task.timeout_s)
            for task in tasks
        ),
    )
    return max(new.rowcount, 0)


def counts(connection: Connection, batch_id: BatchId) -> Mapping[str, int]:
    """How many tasks of a list are in each status, by its name; every status is told."""
    found = dict[str, int](connection.execute(_COUNTS, (batch_id,)).fetchall())
    return {status.name: found.get(status.name, 0) for status in TaskStatus}
