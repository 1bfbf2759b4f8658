"""SQL for reports: the outcome of a task with its files, and the records of tasks.

Each function runs within a transaction of its caller.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from json import dumps, loads
from sqlite3 import Connection
from typing import Any

from poolwright.domain.ids import BatchId, TaskId
from poolwright.domain.outcomes import Reason
from poolwright.domain.refresh import RefreshResult
from poolwright.domain.tasks import FetchedFile, MissedFile, POTask, Report, TaskRecord, refresh_of
from poolwright.journal.sql_tasks import STATE_COLUMNS, from_text, read_state, save_move, to_text
from poolwright.journal.task_rules import TaskMachine

_DELETE_REPORT = "DELETE FROM reports WHERE task_id = ?"
_SAVE_REPORT = """
INSERT INTO reports (task_id, outcome, reason, detail, fields, evidence, page_url, retry_after_s, duration_s, folder,
finished_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_SAVE_FILE = """
INSERT INTO files (task_id, position, name, label, size_bytes, sha256, media_type, source_url, etag, last_modified)
VALUES (:task_id, :position, :name, :label, :size_bytes, :sha256, :media_type, :source_url, :etag, :last_modified)
"""
_SAVE_MISSED = """
INSERT INTO missed (task_id, position, label, source_url, problem, is_retryable) VALUES (?, ?, ?, ?, ?, ?)
"""
#: Columns of ``_record``, in its order; those of the report are NULL for a task without one.
_COLUMNS = f"""
{STATE_COLUMNS}, reason, detail, fields, evidence, page_url, retry_after_s, duration_s, folder, finished_at
"""
_RECORDS = f"""
SELECT {_COLUMNS}
FROM batch_tasks JOIN tasks USING (task_id) LEFT JOIN reports USING (task_id)
WHERE batch_tasks.batch_id = ? ORDER BY batch_tasks.position
"""
_RECORD = f"SELECT {_COLUMNS} FROM tasks LEFT JOIN reports USING (task_id) WHERE tasks.task_id = ?"
_FILE_COLUMNS = "task_id, name, label, size_bytes, sha256, media_type, source_url, etag, last_modified"
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
_BEGIN_REFRESH = "INSERT OR REPLACE INTO refreshes (task_id, known) VALUES (?, ?)"
_END_REFRESH = "UPDATE refreshes SET result = ?, ended_at = ? WHERE task_id = ?"
_DELETE_REFRESH = "DELETE FROM refreshes WHERE task_id = ?"
_REFRESH_OF = "SELECT result, ended_at FROM refreshes WHERE task_id = ? AND result IS NOT NULL"
#: Number of ``STATE_COLUMNS``.
_STATE_WIDTH = 12

_FilesByTask = dict[TaskId, list[FetchedFile]]
_MissedByTask = dict[TaskId, list[MissedFile]]


def save_report(connection: Connection, task_id: TaskId, report: Report, folder: str, at: datetime) -> None:
    """Store the report of a task with its files, in place of an earlier one."""
    connection.execute(_DELETE_REPORT, (task_id,))
    outcome = (report.outcome.value, report.reason.value, report.detail, dumps(dict(report.fields)))
    page = (dumps(report.evidence), report.page_url, report.retry_after_s, report.duration_s)
    connection.execute(_SAVE_REPORT, (task_id, *outcome, *page, folder, to_text(at)))
    connection.executemany(
        _SAVE_FILE,
        ({"task_id": task_id, "position": position, **asdict(file)} for position, file in enumerate(report.files)),
    )
    connection.executemany(
        _SAVE_MISSED,
        (
            (task_id, position, file.label, file.source_url, file.problem, file.is_retryable)
            for position, file in enumerate(report.missed)
        ),
    )


def begin_refresh(connection: Connection, known: Mapping[TaskId, Sequence[FetchedFile]]) -> None:
    """Note that tasks, which are queued again, keep their reports unless they are found to have changed.

    Args:
        connection: Within a transaction.
        known: The files of each task.
    """
    connection.executemany(
        _BEGIN_REFRESH, ((task_id, dumps([asdict(file) for file in files])) for task_id, files in known.items())
    )


def save_outcome(connection: Connection, task: POTask, report: Report, folder: str, at: datetime) -> None:
    """Store the end of a task: its report, and the result of its refresh if it was looked at again.

    A refresh that failed or found nothing new leaves the earlier report as it is.
    """
    result = refresh_of(task, report, at)
    if result is None:
        connection.execute(_DELETE_REFRESH, (task.task_id,))
    else:
        connection.execute(_END_REFRESH, (dumps(result.to_json()), to_text(at), task.task_id))
    if result is None or not result.keeps_earlier:
        save_report(connection, task.task_id, report, folder, at)


def cancel(connection: Connection, machine: TaskMachine, report: Report, at: datetime) -> None:
    """Cancel a waiting task for the reason of a report; one that was to be looked at again keeps its outcome."""
    is_refresh = machine.state.known_files is not None
    save_move(connection, machine.finish(report.reason) if is_refresh else machine.cancel(report.reason))
    save_outcome(connection, machine.state.task, report, "", at)


def read_records(connection: Connection, batch_id: BatchId) -> Sequence[TaskRecord]:
    """Return every task of a list in its order, with its report, without the results of refreshes."""
    files = _read_files(connection.execute(_FILES, (batch_id,)))
    missed = _read_missed(connection.execute(_MISSED, (batch_id,)))
    return tuple(_record(row, files, missed) for row in connection.execute(_RECORDS, (batch_id,)))


def find_record(connection: Connection, task_id: TaskId) -> TaskRecord | None:
    """Return a task with its report; ``None`` if it was never accepted."""
    row = connection.execute(_RECORD, (task_id,)).fetchone()
    if row is None:
        return None
    files = _read_files(connection.execute(_FILES_OF, (task_id,)))
    missed = _read_missed(connection.execute(_MISSED_OF, (task_id,)))
    refresh = connection.execute(_REFRESH_OF, (task_id,)).fetchone()
    result = None if refresh is None else RefreshResult.from_json(loads(refresh[0]), from_text(refresh[1]))
    return replace(_record(row, files, missed), refresh=result)


def _read_files(rows: Iterable[tuple[Any, ...]]) -> _FilesByTask:
    files: _FilesByTask = defaultdict(list)
    for task_id, name, label, size_bytes, sha256, media_type, source_url, etag, last_modified in rows:
        files[TaskId(task_id)].append(
            FetchedFile(
                name=name,
                label=label,
                size_bytes=size_bytes,
                sha256=sha256,
                media_type=media_type,
                source_url=source_url,
                etag=etag,
                last_modified=last_modified,
            )
        )
    return files


def _read_missed(rows: Iterable[tuple[Any, ...]]) -> _MissedByTask:
    missed: _MissedByTask = defaultdict(list)
    for task_id, label, source_url, problem, is_retryable in rows:
        missed[TaskId(task_id)].append(
            MissedFile(label=label, source_url=source_url, problem=problem, is_retryable=bool(is_retryable))
        )
    return missed


def _record(row: tuple[Any, ...], files: _FilesByTask, missed: _MissedByTask) -> TaskRecord:
    state = read_state(row[:_STATE_WIDTH])
    *values, folder, finished_at = row[_STATE_WIDTH:]
    is_reported = finished_at is not None
    return TaskRecord(
        task=state.task,
        status=state.status.name,
        attempt_count=state.attempt_count,
        report=_report(values, files.get(state.task_id, []), missed.get(state.task_id, [])) if is_reported else None,
        folder=folder if is_reported else "",
        finished_at=from_text(finished_at) if is_reported else None,
    )


def _report(values: Sequence[Any], files: Sequence[FetchedFile], missed: Sequence[MissedFile]) -> Report:
    reason, detail, fields, evidence, page_url, retry_after_s, duration_s = values
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
