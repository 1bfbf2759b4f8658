"""SQL for lists: the account they belong to, the rows as they were given, and the reports of their tasks.

The first that asks is written down. In a journal of a time when nobody asked, the pages tell where its orders are from.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from json import dumps, loads
from sqlite3 import Connection
from typing import Any

from poolwright.domain.account import Account, origin_of
from poolwright.domain.ids import BatchId, TaskId
from poolwright.domain.outcomes import Reason
from poolwright.domain.states import TASK, TaskStatus
from poolwright.domain.tasks import FetchedFile, MissedFile, OrderList, OrderRow, POTask, Report, TaskRecord
from poolwright.journal import sql_tasks
from poolwright.journal.sql_tasks import from_text, to_text

_KNOWN = "SELECT address, profile FROM accounts WHERE portal = ?"
_SAVE_ACCOUNT = """
INSERT INTO accounts (portal, address, profile) VALUES (?, ?, ?)
ON CONFLICT (portal) DO UPDATE SET address = excluded.address, profile = excluded.profile
"""
#: The ids of one portal are neighbours. A host has few pages that are long over; each is read once.
_PAGES = """
SELECT page_url FROM reports WHERE task_id >= ? AND task_id < ? AND page_url <> '' AND outcome IN (
    'COMPLETED', 'PARTIAL', 'NO_ATTACHMENTS', 'NOT_FOUND', 'FORBIDDEN'
)
"""


def conflicting_owner(connection: Connection, account: Account) -> str:
    """Whose the orders of this portal are, in words, where they are not this account's; empty where they may be."""
    known = connection.execute(_KNOWN, (account.portal,)).fetchone()
    if known is not None:
        address, profile = known
        found = Account(portal=account.portal, address=address, profile=profile)
        return "" if found == account else str(found)
    return _owner_by_pages(connection, account)


def save_account(connection: Connection, account: Account) -> None:
    """Write down that the orders of this portal are this account's."""
    connection.execute(_SAVE_ACCOUNT, (account.portal, account.address, account.profile))


def _owner_by_pages(connection: Connection, account: Account) -> str:
    origin = ""
    after_last = f"{account.prefix[:-1]};"  # the character that follows a colon
    for (page_url,) in connection.execute(_PAGES, (account.prefix, after_last)):
        if account.may_show(page_url):
            return ""
        origin = origin or origin_of(page_url)
    return origin


_SAVE_LIST = """
INSERT INTO batches (batch_id, source, columns, notices, accepted_at, next_position) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (batch_id) DO UPDATE SET source = excluded.source, columns = excluded.columns, notices = excluded.notices,
accepted_at = excluded.accepted_at, next_position = excluded.next_position
"""
_DROP_ROWS = "DELETE FROM rows WHERE batch_id = ?"
_DROP_MEMBERS = "DELETE FROM batch_tasks WHERE batch_id = ?"
_SAVE_TASK = """
INSERT INTO tasks (task_id, po_number, portal_number, status, payload, timeout_s) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (task_id) DO NOTHING
"""
_SAVE_MEMBER = """
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
_SAVE_FURTHER_MEMBER = f"{_SAVE_MEMBER} ON CONFLICT (task_id, batch_id) DO NOTHING"
_SAVE_ROW = """
INSERT INTO rows (batch_id, position, row_no, cells, given, task_id, problem, detail, number_places)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_COUNTS = "SELECT status, count(*) FROM batch_tasks WHERE batch_id = ? GROUP BY status"


def save_list(connection: Connection, orders: OrderList, at: datetime) -> int:
    """Write a list, in place of an earlier one of the same id; returns how many of its tasks are new."""
    batch_id = orders.batch_id
    told = (orders.source, dumps(orders.columns), dumps(orders.notices))
    connection.execute(_SAVE_LIST, (batch_id, *told, to_text(at), len(orders.tasks)))
    connection.execute(_DROP_ROWS, (batch_id,))
    connection.execute(_DROP_MEMBERS, (batch_id,))
    new_count = _save_tasks(connection, orders.tasks)
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
                _places(row),
            )
            for position, row in enumerate(orders.rows)
        ),
    )
    return new_count


def _places(row: OrderRow) -> str | None:
    return None if row.values is None else dumps(sorted(row.values))


def extend_list(connection: Connection, batch_id: BatchId, tasks: Sequence[POTask], at: datetime) -> int:
    """Put tasks at the end of a list, which is made when there is none; returns how many more are open in it."""
    (end,) = connection.execute(_MAKE_ROOM, (batch_id, to_text(at), len(tasks))).fetchone()
    _save_tasks(connection, tasks)
    connection.executemany(
        _SAVE_FURTHER_MEMBER,
        ((batch_id, position, task.task_id) for position, task in enumerate(tasks, end - len(tasks))),
    )
    (open_count,) = connection.execute(_OPEN_FROM, (batch_id, end - len(tasks))).fetchone()
    return int(open_count)


def find_members(connection: Connection, batch_id: BatchId, task_ids: Collection[TaskId]) -> list[TaskId]:
    """Which of these tasks a list has."""
    return [TaskId(task_id) for (task_id,) in connection.execute(_MEMBERS, (dumps(list(task_ids)), batch_id))]


def _save_tasks(connection: Connection, tasks: Sequence[POTask]) -> int:
    """Queue those that are not known; returns how many these are."""
    start = TASK.start.name
    new = connection.executemany(
        _SAVE_TASK,
        (
            (task.task_id, task.po_number, task.portal_number, start, dumps(task.payload), task.timeout_s)
            for task in tasks
        ),
    )
    return max(new.rowcount, 0)


def count_by_status(connection: Connection, batch_id: BatchId) -> Mapping[str, int]:
    """How many tasks of a list are in each status, by its name; every status is told."""
    found = dict[str, int](connection.execute(_COUNTS, (batch_id,)).fetchall())
    return {status.name: found.get(status.name, 0) for status in TaskStatus}


_DROP = "DELETE FROM reports WHERE task_id = ?"
_SAVE_REPORT = """
INSERT INTO reports (task_id, outcome, reason, detail, fields, evidence, page_url, retry_after_s, duration_s, folder,
finished_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_SAVE_FILE = """
INSERT INTO files (task_id, position, name, label, size_bytes, sha256, media_type, source_url)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_SAVE_MISSED = """
INSERT INTO missed (task_id, position, label, source_url, problem, is_retryable) VALUES (?, ?, ?, ?, ?, ?)
"""
_COLUMNS = """
tasks.task_id, po_number, portal_number, tasks.status, attempt_count, death_count, tasks.not_before,
payload, timeout_s, reason, detail, fields, evidence, page_url, retry_after_s, duration_s, folder, finished_at
"""
_RECORDS = f"""
SELECT {_COLUMNS}
FROM batch_tasks JOIN tasks USING (task_id) LEFT JOIN reports USING (task_id)
WHERE batch_tasks.batch_id = ? ORDER BY batch_tasks.position
"""
_RECORD = f"SELECT {_COLUMNS} FROM tasks LEFT JOIN reports USING (task_id) WHERE tasks.task_id = ?"
_FILE_COLUMNS = "task_id, name, label, size_bytes, sha256, media_type, source_url"
_FILES = f"""
SELECT {_FILE_COLUMNS} FROM batch_tasks JOIN files USING (task_id) WHERE batch_id = ? ORDER BY task_id, files.position
"""
_FILES_OF = f"SELECT {_FILE_COLUMNS} FROM files WHERE task_id = ? ORDER BY position"
_MISSED_COLUMNS = "task_id, label, source_url, problem, is_retryable"
_MISSED = f"""
SELECT {_MISSED_COLUMNS} FROM batch_tasks JOIN missed USING (task_id)
WHERE batch_id = ? ORDER BY task_id, missed.position
"""
_MISSED_OF = f"SELECT {_MISSED_COLUMNS} FROM missed WHERE task_id = ? ORDER BY position"
#: Columns of ``_RECORDS`` that belong to the task.
_STATE_WIDTH = 9

_Files = dict[TaskId, list[FetchedFile]]
_Missed = dict[TaskId, list[MissedFile]]


def save_report(connection: Connection, task_id: TaskId, report: Report, folder: str, at: datetime) -> None:
    """Write how a task ended, with its files, in place of what an earlier round brought."""
    connection.execute(_DROP, (task_id,))
    told = (report.outcome.value, report.reason.value, report.detail, dumps(dict(report.fields)))
    seen = (dumps(report.evidence), report.page_url, report.retry_after_s, report.duration_s)
    connection.execute(_SAVE_REPORT, (task_id, *told, *seen, folder, to_text(at)))
    connection.executemany(
        _SAVE_FILE,
        (
            (task_id, position, file.name, file.label, file.size_bytes, file.sha256, file.media_type, file.source_url)
            for position, file in enumerate(report.files)
        ),
    )
    connection.executemany(
        _SAVE_MISSED,
        (
            (task_id, position, file.label, file.source_url, file.problem, file.is_retryable)
            for position, file in enumerate(report.missed)
        ),
    )


def read_records(connection: Connection, batch_id: BatchId) -> Sequence[TaskRecord]:
    """Every task of a list in its order, with how it ended."""
    files = _files(connection.execute(_FILES, (batch_id,)))
    missed = _missed(connection.execute(_MISSED, (batch_id,)))
    return tuple(_record(row, files, missed) for row in connection.execute(_RECORDS, (batch_id,)))


def find_record(connection: Connection, task_id: TaskId) -> TaskRecord | None:
    """One task with how it ended; nothing when it is unknown."""
    row = connection.execute(_RECORD, (task_id,)).fetchone()
    if row is None:
        return None
    files = _files(connection.execute(_FILES_OF, (task_id,)))
    return _record(row, files, _missed(connection.execute(_MISSED_OF, (task_id,))))


def _files(rows: Iterable[tuple[Any, ...]]) -> _Files:
    found: _Files = defaultdict(list)
    for task_id, name, label, size_bytes, sha256, media_type, source_url in rows:
        found[TaskId(task_id)].append(
            FetchedFile(
                name=name,
                label=label,
                size_bytes=size_bytes,
                sha256=sha256,
                media_type=media_type,
                source_url=source_url,
            )
        )
    return found


def _missed(rows: Iterable[tuple[Any, ...]]) -> _Missed:
    found: _Missed = defaultdict(list)
    for task_id, label, source_url, problem, is_retryable in rows:
        found[TaskId(task_id)].append(
            MissedFile(label=label, source_url=source_url, problem=problem, is_retryable=bool(is_retryable))
        )
    return found


def _record(row: tuple[Any, ...], files: _Files, missed: _Missed) -> TaskRecord:
    stands = sql_tasks.read_state(row[:_STATE_WIDTH])
    *told, folder, finished_at = row[_STATE_WIDTH:]
    is_reported = finished_at is not None
    return TaskRecord(
        task=stands.task,
        status=stands.status.name,
        attempt_count=stands.attempt_count,
        report=_report(told, files.get(stands.task_id, []), missed.get(stands.task_id, [])) if is_reported else None,
        folder=folder if is_reported else "",
        finished_at=from_text(finished_at) if is_reported else None,
    )


def _report(told: Sequence[Any], files: Sequence[FetchedFile], missed: Sequence[MissedFile]) -> Report:
    reason, detail, fields, evidence, page_url, retry_after_s, duration_s = told
    return Report(
        reason=Reason(reason),
        detail=detail,
        fields=loads(fields),
        files=tuple(files),
        missed=tuple(missed),
        evidence=tuple(loads(evidence)),
        page_url=page_url,
        retry_after_s=retry_after_s,
        duration_s=duration_s,
    )
