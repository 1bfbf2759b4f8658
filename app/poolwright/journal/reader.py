"""Reads a list and its outcomes from one snapshot of the journal, row by row: a list may have a million rows.

``FiledOrderReader`` reads the orders with a folder of a journal that no run has open, also one of an earlier version.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from json import loads
from pathlib import Path
from sqlite3 import Connection

from poolwright.domain.ids import BatchId, TaskId
from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import FetchedFile, OrderRow, POTask, Report, TaskRecord
from poolwright.journal import sql_groups, sql_reports
from poolwright.journal.schema import detect_version
from poolwright.journal.sqlite_file import log_path, open_connection
from poolwright.journal.storage_errors import journal_error_from_os, journal_error_from_sqlite

_LIST = "SELECT source, columns, notices FROM batches WHERE batch_id = ?"
_ROWS = """
SELECT row_no, cells, given, task_id, problem, detail, number_places FROM rows WHERE batch_id = ? ORDER BY position
"""
_MEMBERS = "SELECT task_id FROM batch_tasks WHERE batch_id = ? ORDER BY position"
_FOLDERS_OF_LIST = """
SELECT task_id, folder FROM batch_tasks CROSS JOIN reports USING (task_id)
WHERE batch_id = ? AND status IN ('DONE', 'CANCELLED') AND folder <> '' ORDER BY position
"""
#: The next three name only columns that every version has.
_FILED = """
SELECT po_number, portal_number, status, attempt_count, reason, coalesce(folder, '')
FROM tasks LEFT JOIN reports USING (task_id) WHERE task_id = ?
"""
_FILED_FILES = """
SELECT name, label, size_bytes, sha256, media_type, source_url FROM files WHERE task_id = ? ORDER BY position
"""
_FOLDERS = """
SELECT task_id, folder FROM reports JOIN tasks USING (task_id)
WHERE folder <> '' AND status IN ('DONE', 'CANCELLED') ORDER BY task_id
"""
#: Longest wait for another program that has the file locked.
_BUSY_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class StoredRows:
    """The rows of a list in its order. Each iteration reads them again from the journal, one by one."""

    connection: Connection
    batch_id: BatchId

    def __iter__(self) -> Iterator[OrderRow]:
        """Read from the first row on."""
        cursor = self.connection.execute(_ROWS, (self.batch_id,))
        for row_no, cells, given, task_id, problem, detail, places in cursor:
            yield OrderRow(
                row_no=row_no,
                cells=tuple(loads(cells)),
                given=given,
                task_id=None if task_id is None else TaskId(task_id),
                problem=None if problem is None else Reason(problem),
                detail=detail,
                values=None if places is None else frozenset(loads(places)),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredList:
    """A list as it was accepted; its rows are read only when they are iterated."""

    batch_id: BatchId
    source: str
    columns: tuple[str, ...]
    rows: StoredRows
    notices: tuple[str, ...]


class JournalReader:
    """Reads one snapshot of the journal, unaffected by later changes. ``SqliteJournal.read`` provides it."""

    def __init__(self, connection: Connection) -> None:
        """Read through a connection with an open read transaction."""
        self._connection = connection

    def get(self, task_id: TaskId, /) -> TaskRecord | None:
        """Return one order with its outcome, or ``None`` if it is unknown."""
        return sql_reports.find_record(self._connection, task_id)

    def groups_set_aside(self) -> frozenset[tuple[str, str]]:
        """Return every group that is set aside, as its portal (with the colon that ends it in task ids) and name."""
        return sql_groups.read_all_groups(self._connection)

    def records(self, batch_id: BatchId) -> Iterator[TaskRecord]:
        """Read every order of a list in its order, one by one."""
        for (task_id,) in self._connection.execute(_MEMBERS, (batch_id,)):
            record = self.get(TaskId(task_id))
            if record is not None:
                yield record

    def folders(self, batch_id: BatchId) -> Iterator[tuple[TaskId, str]]:
        """Read every finished order of a list that has a folder, with that folder, one by one."""
        for task_id, folder in self._connection.execute(_FOLDERS_OF_LIST, (batch_id,)):
            yield TaskId(task_id), folder

    def order_list(self, batch_id: BatchId) -> StoredList | None:
        """Return a list, or ``None`` if it is unknown."""
        row = self._connection.execute(_LIST, (batch_id,)).fetchone()
        if row is None:
            return None
        source, columns, notices = row
        return StoredList(
            batch_id=batch_id,
            source=source,
            columns=tuple(loads(columns)),
            rows=StoredRows(self._connection, batch_id),
            notices=tuple(loads(notices)),
        )


class FiledOrderReader:
    """Reads the orders with a folder, each in its present state. ``open_filed_orders`` provides it."""

    def __init__(self, path: Path, connection: Connection) -> None:
        """Read through a connection to the journal at ``path``."""
        self._path = path
        self._connection = connection

    def find(self, task_id: TaskId, /) -> TaskRecord | None:
        """Return an order with the reason, folder and files of its report; ``None`` if it was never accepted.

        Raises:
            JournalError: The journal cannot be read.
        """
        try:
            row = self._connection.execute(_FILED, (task_id,)).fetchone()
            files = self._connection.execute(_FILED_FILES, (task_id,)).fetchall()
        except sqlite3.Error as error:
            raise journal_error_from_sqlite(self._path, error) from error
        if row is None:
            return None
        po_number, portal_number, status, attempt_count, reason, folder = row
        fetched = (
            FetchedFile(name=name, label=label, size_bytes=size, sha256=sha256, media_type=media, source_url=url)
            for name, label, size, sha256, media, url in files
        )
        return TaskRecord(
            task=POTask(task_id=task_id, po_number=po_number, portal_number=portal_number),
            status=status,
            attempt_count=attempt_count,
            report=None if reason is None else Report(reason=Reason(reason), files=tuple(fetched)),
            folder=folder,
        )

    def folders(self) -> Iterator[tuple[TaskId, str]]:
        """Yield every finished order that has a folder, with that folder.

        Raises:
            JournalError: The journal cannot be read.
        """
        try:
            for task_id, folder in self._connection.execute(_FOLDERS):
                yield TaskId(task_id), folder
        except sqlite3.Error as error:
            raise journal_error_from_sqlite(self._path, error) from error


@contextmanager
def open_filed_orders(path: Path) -> Generator[FiledOrderReader]:
    """Open the journal at ``path`` for reading alone; nothing is written, also if an earlier version wrote it.

    Raises:
        JournalError: It is damaged, written by a newer version, or cannot be read.
    """
    try:
        detect_version(path, _BUSY_TIMEOUT_S)
        connection = open_connection(path, "ro" if log_path(path).exists() else "ro&immutable=1", _BUSY_TIMEOUT_S)
    except OSError as error:
        raise journal_error_from_os(path, error) from error
    except sqlite3.Error as error:
        raise journal_error_from_sqlite(path, error) from error
    with closing(connection):
        yield FiledOrderReader(path, connection)
