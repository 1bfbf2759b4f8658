"""Reports in the journal: how each task ended, with its files, and all of a list read back as records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from json import dumps, loads
from sqlite3 import Connection
from typing import Any

from poolwright.domain.ids import BatchId, TaskId
from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import FetchedFile, MissedFile, Report, TaskRecord
from poolwright.store import tasks
from poolwright.store.times import from_text, to_text

_DROP = "DELETE FROM reports WHERE task_id = ?"
_KEEP = """
INSERT INTO reports (task_id, outcome, reason, detail, fields, evidence, page_url, retry_after_s, duration_s, folder,
finished_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_KEEP_FILE = """
INSERT INTO files (task_id, position, name, label, size_bytes, sha256, media_type, source_url)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_KEEP_MISSED = """
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
_STANDING_WIDTH = 9

_Files = dict[TaskId, list[FetchedFile]]
_Missed = dict[TaskId, list[MissedFile]]


def keep(connection: Connection, task_id: TaskId, report: Report, folder: str, at: datetime) -> None:
    """Write how a task ended, with its files, in place of what an earlier round brought."""
    connection.execute(_DROP, (task_id,))
    told = (report.outcome.value, report.reason.value, report.detail, dumps(dict(report.fields)))
    seen = (dumps(report.evidence), report.page_url, report.retry_after_s, report.duration_s)
    connection.execute(_KEEP, (task_id, *told, *seen, folder, to_text(at)))
    connection.executemany(
        _KEEP_FILE,
        (
            (task_id, position, file.name, file.label, file.size_bytes, file.sha256, file.media_type, file.source_url)
            for position, file in enumerate(report.files)
        ),
    )
    connection.executemany(
        _KEEP_MISSED,
        (
            (task_id, position, file.label, file.source_url, file.problem, file.is_retryable)
            for position, file in enumerate(report.missed)
        ),
    )


def records(connection: Connection, batch_id: BatchId) -> Sequence[TaskRecord]:
    """Every task of a list in its order, with how it ended."""
    files = _files(connection.execute(_FILES, (batch_id,)))
    missed = _missed(connection.execute(_MISSED, (batch_id,)))
    return tuple(_record(row, files, missed) for row in connection.execute(_RECORDS, (batch_id,)))


def find(connection: Connection, task_id: TaskId) -> TaskRecord | None:
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
    stands = tasks.standing(row[:_STANDING_WIDTH])
    *told, folder, finished_at = row[_STANDING_WIDTH:]
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
