"""SQL for lists: their rows and tasks, and the account to which the orders of a portal belong.

The first account that uses a journal is recorded. A journal from before accounts were recorded has none; the addresses
of the pages in its reports show its portal. Each function runs within a transaction of its caller.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from json import dumps
from sqlite3 import Connection

from poolwright.domain.account import Account, page_origin
from poolwright.domain.ids import BatchId, TaskId
from poolwright.domain.states import TASK, TaskStatus
from poolwright.domain.tasks import OrderList, OrderRow, POTask
from poolwright.journal.sql_tasks import to_text

_ACCOUNT = "SELECT address, profile FROM accounts WHERE portal = ?"
_SAVE_ACCOUNT = """
INSERT INTO accounts (portal, address, profile) VALUES (?, ?, ?)
ON CONFLICT (portal) DO UPDATE SET address = excluded.address, profile = excluded.profile
"""
#: Pages that show the portal: ids of one portal are consecutive. A failure may have ended on the page of another site.
_PAGES = """
SELECT page_url FROM reports WHERE task_id >= ? AND task_id < ? AND page_url <> '' AND outcome IN (
    'COMPLETED', 'PARTIAL', 'NO_ATTACHMENTS', 'NOT_FOUND', 'FORBIDDEN'
)
"""


def conflicting_owner(connection: Connection, account: Account) -> str:
    """Return the owner of a portal's orders, for a message, if it is another account; otherwise an empty text."""
    row = connection.execute(_ACCOUNT, (account.portal,)).fetchone()
    if row is not None:
        address, profile = row
        owner = Account(portal=account.portal, address=address, profile=profile)
        return "" if owner == account else str(owner)
    return _owner_by_pages(connection, account)


def save_account(connection: Connection, account: Account) -> None:
    """Record that the orders of a portal belong to an account."""
    connection.execute(_SAVE_ACCOUNT, (account.portal, account.address, account.profile))


def _owner_by_pages(connection: Connection, account: Account) -> str:
    origin = ""
    after_last = f"{account.prefix[:-1]};"  # the character that follows a colon
    for (page_url,) in connection.execute(_PAGES, (account.prefix, after_last)):
        if account.may_show(page_url):
            return ""
        origin = origin or page_origin(page_url)
    return origin


_SAVE_LIST = """
INSERT INTO batches (batch_id, source, columns, notices, accepted_at, next_position) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (batch_id) DO UPDATE SET source = excluded.source, columns = excluded.columns, notices = excluded.notices,
accepted_at = excluded.accepted_at, next_position = excluded.next_position
"""
_DELETE_ROWS = "DELETE FROM rows WHERE batch_id = ?"
_DELETE_MEMBERS = "DELETE FROM batch_tasks WHERE batch_id = ?"
_SAVE_TASK = """
INSERT INTO tasks (task_id, po_number, portal_number, status, payload, timeout_s, group_name, cells)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (task_id) DO NOTHING
"""
_SAVE_GROUP = "UPDATE tasks SET group_name = ? WHERE task_id = ?"
_SAVE_CELLS = "UPDATE tasks SET cells = ? WHERE task_id = ?"
_SAVE_MEMBER = """
INSERT INTO batch_tasks (task_id, batch_id, position, status, not_before)
SELECT task_id, ?, ?, status, not_before FROM tasks WHERE task_id = ?
"""
_EXTEND = """
INSERT INTO batches (batch_id, source, columns, notices, accepted_at, next_position) VALUES (?, '', '[]', '[]', ?, ?)
ON CONFLICT (batch_id) DO UPDATE SET next_position = next_position + excluded.next_position
RETURNING next_position
"""
#: Counts from a position on, so the time does not depend on the length of the list.
_OPEN_FROM = """
SELECT count(*) FROM batch_tasks
WHERE batch_id = ? AND status IN ('QUEUED', 'ASSIGNED', 'RUNNING') AND position >= ?
"""
_MEMBERS = "SELECT task_id FROM batch_tasks WHERE task_id IN (SELECT value FROM json_each(?)) AND batch_id = ?"
_SAVE_FURTHER_MEMBER = f"{_SAVE_MEMBER} ON CONFLICT (task_id, batch_id) DO NOTHING"
_SAVE_ROW = """
INSERT INTO rows (batch_id, position, row_no, cells, given, task_id, problem, detail, number_places)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
#: Stands for the whole journal in the tables of counts.
WHOLE_JOURNAL = BatchId("")
_COUNTS = "SELECT status, task_count FROM status_counts WHERE batch_id = ?"


#: The first task that a row names and the list does not contain.
_UNLISTED = """
SELECT min(task_id) FROM rows WHERE batch_id = ?1 AND task_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM batch_tasks WHERE batch_tasks.task_id = rows.task_id AND batch_tasks.batch_id = ?1
)
"""
#: Rows that name an unknown task are found by ``find_unlisted``, which says so in a sentence.
_DEFER = "PRAGMA defer_foreign_keys = ON"


def find_unlisted(connection: Connection, batch_id: BatchId) -> TaskId | None:
    """Return a task that a row of a list names and the list does not contain; ``None`` if there is none."""
    (task_id,) = connection.execute(_UNLISTED, (batch_id,)).fetchone()
    return None if task_id is None else TaskId(task_id)


def save_list(connection: Connection, orders: OrderList, at: datetime) -> int:
    """Store a list in place of an earlier one with its id; return how many of its tasks are new to the journal."""
    connection.execute(_DEFER)
    batch_id = orders.batch_id
    values = (orders.source, dumps(orders.columns), dumps(orders.notices))
    connection.execute(_SAVE_LIST, (batch_id, *values, to_text(at), len(orders.tasks)))
    connection.execute(_DELETE_ROWS, (batch_id,))
    connection.execute(_DELETE_MEMBERS, (batch_id,))
    new_count = _save_tasks(connection, orders.tasks)
    connection.executemany(_SAVE_GROUP, ((task.group, task.task_id) for task in orders.tasks if task.group))
    connection.executemany(_SAVE_CELLS, ((_cells(task), task.task_id) for task in orders.tasks if task.cells))
    connection.executemany(
        _SAVE_MEMBER, ((batch_id, position, task.task_id) for position, task in enumerate(orders.tasks))
    )
    connection.executemany(
        _SAVE_ROW,
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
                _number_places(row),
            )
            for position, row in enumerate(orders.rows)
        ),
    )
    return new_count


def _number_places(row: OrderRow) -> str | None:
    return None if row.values is None else dumps(sorted(row.values))


def extend_list(connection: Connection, batch_id: BatchId, tasks: Sequence[POTask], at: datetime) -> int:
    """Add tasks at the end of a list, which is created if missing; return how many more are open in it."""
    (end,) = connection.execute(_EXTEND, (batch_id, to_text(at), len(tasks))).fetchone()
    _save_tasks(connection, tasks)
    connection.executemany(
        _SAVE_FURTHER_MEMBER,
        ((batch_id, position, task.task_id) for position, task in enumerate(tasks, end - len(tasks))),
    )
    (open_count,) = connection.execute(_OPEN_FROM, (batch_id, end - len(tasks))).fetchone()
    return int(open_count)


def find_members(connection: Connection, batch_id: BatchId, task_ids: Collection[TaskId]) -> list[TaskId]:
    """Return those of these tasks that belong to a list."""
    return [TaskId(task_id) for (task_id,) in connection.execute(_MEMBERS, (dumps(list(task_ids)), batch_id))]


def _save_tasks(connection: Connection, tasks: Sequence[POTask]) -> int:
    """Queue those tasks that are new to the journal; return how many."""
    start = TASK.start.name
    cursor = connection.executemany(
        _SAVE_TASK,
        (
            (
                task.task_id,
                task.po_number,
                task.portal_number,
                start,
                dumps(task.payload),
                task.timeout_s,
                task.group,
                _cells(task),
            )
            for task in tasks
        ),
    )
    return max(cursor.rowcount, 0)


def _cells(task: POTask) -> str:
    return dumps(dict(task.cells))


def count_by_status(connection: Connection, batch_id: BatchId) -> dict[str, int]:
    """Return the number of a list's tasks in each status, by its name; every status is there."""
    counts = dict[str, int](connection.execute(_COUNTS, (batch_id,)).fetchall())
    return {status.name: counts.get(status.name, 0) for status in TaskStatus}


#: Open tasks of another portal or of scripts, which this pool cannot do.
_REMOVE_FOREIGN = """
DELETE FROM batch_tasks
WHERE batch_id = ? AND status IN ('QUEUED', 'ASSIGNED', 'RUNNING') AND substr(task_id, 1, ?) <> ?
"""
_COLLECT = """
INSERT INTO batch_tasks (task_id, batch_id, position, status, not_before)
SELECT task_id, ?, ? + row_number() OVER (ORDER BY first.accepted_at, first.position), tasks.status, tasks.not_before
FROM tasks JOIN (
    SELECT task_id, min(accepted_at) AS accepted_at, min(position) AS position
    FROM batch_tasks JOIN batches USING (batch_id) GROUP BY task_id
) AS first USING (task_id)
WHERE tasks.status IN ('QUEUED', 'ASSIGNED', 'RUNNING') AND substr(task_id, 1, ?) = ?
ON CONFLICT (task_id, batch_id) DO NOTHING
"""
_NEXT_POSITION = "SELECT next_position FROM batches WHERE batch_id = ?"
_CREATE_LIST = """
INSERT INTO batches (batch_id, source, columns, notices, accepted_at, next_position) VALUES (?, '', '[]', '[]', ?, 0)
ON CONFLICT (batch_id) DO NOTHING
"""
_UPDATE_NEXT_POSITION = """
UPDATE batches SET next_position = (SELECT coalesce(max(position) + 1, 0) FROM batch_tasks WHERE batch_id = ?)
WHERE batch_id = ?
"""


def collect_open(connection: Connection, batch_id: BatchId, prefix: str, at: datetime) -> int:
    """Add the open tasks of all lists to the end of one list, which is created if missing; return how many were added.

    Only tasks whose ids begin with ``prefix`` are added. Other open tasks are removed from this list only.
    """
    connection.execute(_CREATE_LIST, (batch_id, to_text(at)))
    (end,) = connection.execute(_NEXT_POSITION, (batch_id,)).fetchone()
    connection.execute(_REMOVE_FOREIGN, (batch_id, len(prefix), prefix))
    count = connection.execute(_COLLECT, (batch_id, end, len(prefix), prefix)).rowcount
    connection.execute(_UPDATE_NEXT_POSITION, (batch_id, batch_id))
    return count
