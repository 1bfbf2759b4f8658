"""The report as a table: every row of the order list with its result, and a summary.

The user's columns come first, in order and unchanged; result columns follow, under names that the list does not use.
A row that repeats an order gets the same result as its first row, and a note.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from poolwright.domain.ids import BatchId, TaskId
from poolwright.domain.outcomes import REASONS, ActionClass, Outcome, Reason, ReasonInfo
from poolwright.domain.packed_list import find_repeated
from poolwright.domain.refresh import RefreshResult
from poolwright.domain.states import TaskStatus
from poolwright.domain.tasks import OrderRow, Report, TaskRecord
from poolwright.files.disk import CancelCheck, never_cancel
from poolwright.files.names import folder_variants

RESULT_COLUMNS = (
    "Outcome",
    "Reason",
    "What to do",
    "Detail",
    "Supplier (portal)",
    "Files found",
    "Files saved",
    "Folder",
    "File names",
    "Attempts",
    "Finished at (UTC)",
)
_NOT_REFRESHED = "It waits for being looked at again; run the list again."
_NOT_DONE = "Not done yet; run the list again."
#: Rows between two cancellation checks: some milliseconds.
_ROWS_BETWEEN_CHECKS = 500

#: Rows of a long list; those of one with ten times as many take a little more memory.
ROWS_EXPECTED = 100_000

Value = str | int | datetime | None


class ReportSource(Protocol):
    """A list of orders with every row, in memory or not."""

    @property
    def batch_id(self) -> BatchId:
        """The id of the list."""
        ...

    @property
    def source(self) -> str:
        """The name of the list's source."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """The user's own columns."""
        ...

    @property
    def rows(self) -> Iterable[OrderRow]:
        """The rows in order; read more than once."""
        ...

    @property
    def notices(self) -> tuple[str, ...]:
        """Notices for the user about the reading of the list."""
        ...


class TaskRecords(Protocol):
    """The records of tasks, in memory or not."""

    def get(self, task_id: TaskId, /) -> TaskRecord | None:
        """Return the record of a task; ``None`` if there is none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRow:
    """One row of the list with its result."""

    row: OrderRow
    #: ``None`` while the order has no outcome.
    reason: Reason | None = None
    detail: str = ""
    #: The report of the last finished attempt; ``None`` without one.
    report: Report | None = None
    folder: str = ""
    attempt_count: int = 0
    finished_at: datetime | None = None
    #: The last time that the finished order was looked at again; ``None`` if it was not.
    refresh: RefreshResult | None = None
    #: The first row with this order; ``None`` if it is this row.
    same_as_row_no: int | None = None

    @property
    def reason_info(self) -> ReasonInfo | None:
        """The outcome, action and next step of the reason; ``None`` without a reason."""
        return None if self.reason is None else REASONS[self.reason]

    @property
    def supplier(self) -> str:
        """The supplier on the portal's page."""
        return "" if self.report is None else self.report.fields.get("supplier", "")

    @property
    def file_names(self) -> tuple[str, ...]:
        """Names of the saved files."""
        return () if self.report is None else tuple(file.name for file in self.report.files)

    @property
    def found_count(self) -> int | None:
        """The number of files that the portal lists; ``None`` if its list was not read."""
        if self.report is None:
            return None
        count = len(self.report.files) + len(self.report.missed)
        return count if count or self.report.outcome is Outcome.NO_ATTACHMENTS else None

    @property
    def saved_count(self) -> int | None:
        """The number of saved files; ``None`` if the portal's list was not read."""
        return None if self.found_count is None else len(self.file_names)

    @property
    def explanation(self) -> str:
        """The explanation, a sentence a line: the detail, each missing file, the row that it repeats."""
        missed = () if self.report is None or self.reason is None else self.report.missed
        sentences = [self.detail, *(f"Missing: {file.label} ({file.problem})" for file in missed)]
        if self.refresh is not None:
            sentences.append(self.refresh.sentence)
        if self.same_as_row_no is not None:
            sentences.append(f"Same order as row {self.same_as_row_no}.")
        return "\n".join(filter(None, sentences))

    def results(self) -> tuple[Value, ...]:
        """Return the values for ``RESULT_COLUMNS``; times are aware UTC."""
        meaning = self.reason_info
        return (
            meaning.outcome.value if meaning else "",
            self.reason.value if self.reason else "",
            meaning.next_step if meaning else _NOT_DONE,
            self.explanation,
            self.supplier,
            self.found_count,
            self.saved_count,
            self.folder,
            "\n".join(self.file_names),
            self.attempt_count or None,
            self.finished_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The counts of a run. Each order counts once, however many rows name it."""

    source: str
    row_count: int
    order_count: int
    repeated_row_count: int
    #: Rows without a valid number count as INVALID, each.
    outcomes: Mapping[Outcome, int]
    actions: Mapping[ActionClass, int]
    not_done_count: int
    saved_file_count: int
    saved_bytes: int
    missed_file_count: int
    first_finished_at: datetime | None
    last_finished_at: datetime | None
    notices: tuple[str, ...]


def result_headers(columns: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the result columns; if the list has a column of that name, ``Name (2)`` and so on."""
    taken = {column.strip().casefold() for column in columns}
    return tuple(
        next(name for name in folder_variants(column) if name.casefold() not in taken) for column in RESULT_COLUMNS
    )


def with_cancel_check(rows: Iterable[OrderRow], cancel_check: CancelCheck) -> Iterator[OrderRow]:
    """Yield the same rows; ``cancel_check`` is called regularly, and an error of it ends them."""
    for number, row in enumerate(rows):
        if number % _ROWS_BETWEEN_CHECKS == 0:
            cancel_check()
        yield row


def report_rows(
    orders: ReportSource, records: TaskRecords, cancel_check: CancelCheck = never_cancel
) -> Iterator[ReportRow]:
    """Yield every row of the list, in order, with its result; an error of ``cancel_check`` ends the iteration."""
    ids = (row.task_id for row in with_cancel_check(orders.rows, cancel_check) if row.task_id is not None)
    repeated = find_repeated(ids, ROWS_EXPECTED)
    first_row_nos: dict[TaskId, int] = {}
    for row in with_cancel_check(orders.rows, cancel_check):
        line = _report_row(row, records)
        if row.task_id is not None and row.task_id in repeated:
            first_row_no = first_row_nos.setdefault(row.task_id, row.row_no)
            line = line if first_row_no == row.row_no else replace(line, same_as_row_no=first_row_no)
        yield line


@dataclass(slots=True)
class SummaryCounter:
    """Counts rows one by one, so that they need not be kept in memory."""

    _row_count: int = 0
    _order_count: int = 0
    _repeated_row_count: int = 0
    _not_done_count: int = 0
    _saved_file_count: int = 0
    _saved_bytes: int = 0
    _missed_file_count: int = 0
    _outcomes: Counter[Outcome] = field(default_factory=Counter[Outcome])
    _actions: Counter[ActionClass] = field(default_factory=Counter[ActionClass])
    _first_finished_at: datetime | None = None
    _last_finished_at: datetime | None = None

    def add(self, line: ReportRow) -> None:
        """Count a row; one that repeats an order counts only as a row."""
        self._row_count += 1
        if line.same_as_row_no is not None:
            self._repeated_row_count += 1
            return
        self._order_count += line.row.task_id is not None
        if line.reason_info is None:
            self._not_done_count += 1
        else:
            self._outcomes[line.reason_info.outcome] += 1
            self._actions[line.reason_info.action] += 1
        if line.report is not None:
            self._saved_file_count += len(line.report.files)
            self._saved_bytes += sum(file.size_bytes for file in line.report.files)
            self._missed_file_count += len(line.report.missed)
        if line.finished_at is not None:
            self._first_finished_at = min(self._first_finished_at or line.finished_at, line.finished_at)
            self._last_finished_at = max(self._last_finished_at or line.finished_at, line.finished_at)

    def summary(self, orders: ReportSource) -> Summary:
        """Return the summary of a list."""
        return Summary(
            source=orders.source,
            row_count=self._row_count,
            order_count=self._order_count,
            repeated_row_count=self._repeated_row_count,
            outcomes={outcome: count for outcome in Outcome if (count := self._outcomes[outcome])},
            actions={action: count for action in ActionClass if (count := self._actions[action])},
            not_done_count=self._not_done_count,
            saved_file_count=self._saved_file_count,
            saved_bytes=self._saved_bytes,
            missed_file_count=self._missed_file_count,
            first_finished_at=self._first_finished_at,
            last_finished_at=self._last_finished_at,
            notices=orders.notices,
        )


def _report_row(row: OrderRow, records: TaskRecords) -> ReportRow:
    if row.task_id is None:
        return ReportRow(row=row, reason=row.problem, detail=row.detail)
    record = records.get(row.task_id)
    if record is None:
        return ReportRow(row=row)
    return ReportRow(
        row=row,
        reason=_reason(record),
        detail=_detail(record),
        report=record.report,
        folder=record.folder,
        attempt_count=record.attempt_count,
        finished_at=record.finished_at if record.is_over or record.is_refreshing else None,
        refresh=record.refresh,
    )


def _reason(record: TaskRecord) -> Reason | None:
    """Return the reason of an order; ``None`` while it waits, even with the report of an earlier attempt."""
    if record.status == TaskStatus.CANCELLED.name:
        is_aside = record.report is not None and record.report.reason is Reason.GROUP_SET_ASIDE
        return Reason.GROUP_SET_ASIDE if is_aside else Reason.BY_REQUEST
    return record.report.reason if record.report is not None and (record.is_over or record.is_refreshing) else None


def _detail(record: TaskRecord) -> str:
    if record.report is None:
        return ""
    if record.is_refreshing:
        return f"{record.report.detail} {_NOT_REFRESHED}".strip()
    return record.report.detail if record.is_over else "The result shown is from an earlier attempt."
