"""Reads a list and its outcomes from one snapshot of the journal, row by row: a list may have a million rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from json import loads
from sqlite3 import Connection

from poolwright.domain.ids import BatchId, TaskId
from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import OrderRow, TaskRecord
from poolwright.journal import sql_groups, sql_reports

_LIST = "SELECT source, columns, notices FROM batches WHERE batch_id = ?"
_ROWS = """
SELECT row_no, cells, given, task_id, problem, detail, number_places FROM rows WHERE batch_id = ? ORDER BY position
"""
_MEMBERS = "SELECT task_id FROM batch_tasks WHERE batch_id = ? ORDER BY position"


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
