"""The report as a table: every row of the user's list as it was given, and what came of it. Pure.

The user's columns come first, in order and unchanged; result columns follow under names that the list does not use.
A row that repeats an order gets the same result as its first row, and says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from app.archive.disk import Heed, go_on
from app.archive.names import folder_variants
from app.domain.failures import MEANINGS, ActionClass, Meaning, Outcome, Reason
from app.domain.ids import TaskId
from app.domain.states import TaskStatus
from app.domain.task import OrderList, OrderRow, Report, TaskRecord

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
_NOT_DONE = "Not done yet; run the list again."
#: Rows between two questions whether anybody still wants the report: some milliseconds.
_UNHEEDED_ROWS = 500

Value = str | int | datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of the list with its result."""

    row: OrderRow
    #: Nothing while the order has no outcome.
    reason: Reason | None = None
    detail: str = ""
    #: Of the last try that ended; nothing when none did.
    report: Report | None = None
    folder: str = ""
    attempt_count: int = 0
    finished_at: datetime | None = None
    #: The row that named this order first; nothing when this one does.
    same_as_row_no: int | None = None

    @property
    def meaning(self) -> Meaning | None:
        """What the outcome means to a person."""
        return None if self.reason is None else MEANINGS[self.reason]

    @property
    def supplier(self) -> str:
        """The supplier by the portal's page."""
        return "" if self.report is None else self.report.fields.get("supplier", "")

    @property
    def file_names(self) -> tuple[str, ...]:
        """Names of the saved files."""
        return () if self.report is None else tuple(file.name for file in self.report.files)

    @property
    def found_count(self) -> int | None:
        """How many files the portal lists; nothing when its list was not seen."""
        if self.report is None:
            return None
        count = len(self.report.files) + len(self.report.missed)
        return count if count or self.report.outcome is Outcome.NO_ATTACHMENTS else None

    @property
    def saved_count(self) -> int | None:
        """How many files are saved; nothing when the portal's list was not seen."""
        return None if self.found_count is None else len(self.file_names)

    @property
    def explanation(self) -> str:
        """All that there is to say, a sentence a line: the detail, each missing file, the row that it repeats."""
        missed = () if self.report is None or self.reason is None else self.report.missed
        sentences = [self.detail, *(f"Missing: {file.label} ({file.problem})" for file in missed)]
        if self.same_as_row_no is not None:
            sentences.append(f"Same order as row {self.same_as_row_no}.")
        return "\n".join(filter(None, sentences))

    def results(self) -> tuple[Value, ...]:
        """The values for ``RESULT_COLUMNS``; times are aware UTC."""
        meaning = self.meaning
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
    """A run in numbers. Each order counts once, however many rows name it."""

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
    """The names of the result columns: where the list has a column of that name, ``Name (2)`` and so on."""
    taken = {column.strip().casefold() for column in columns}
    return tuple(
        next(name for name in folder_variants(column) if name.casefold() not in taken) for column in RESULT_COLUMNS
    )


def lines(orders: OrderList, records: Mapping[TaskId, TaskRecord], heed: Heed = go_on) -> Iterator[Line]:
    """Every row of the list, in order, with its result; ``heed`` is called now and then, and may end it."""
    first_row_nos: dict[TaskId, int] = {}
    for number, row in enumerate(orders.rows):
        if number % _UNHEEDED_ROWS == 0:
            heed()
        line = _line(row, records)
        if row.task_id is not None:
            first_row_no = first_row_nos.setdefault(row.task_id, row.row_no)
            line = line if first_row_no == row.row_no else replace(line, same_as_row_no=first_row_no)
        yield line


def summarize(orders: OrderList, records: Mapping[TaskId, TaskRecord], heed: Heed = go_on) -> Summary:
    """Count what came of a list."""
    every = list(lines(orders, records, heed))
    once = [line for line in every if line.same_as_row_no is None]
    meanings = [line.meaning for line in once if line.meaning is not None]
    reports = [line.report for line in once if line.report is not None]
    outcomes = Counter(meaning.outcome for meaning in meanings)
    actions = Counter(meaning.action for meaning in meanings)
    times = [line.finished_at for line in once if line.finished_at is not None]
    return Summary(
        source=orders.source,
        row_count=len(every),
        order_count=sum(line.row.task_id is not None for line in once),
        repeated_row_count=len(every) - len(once),
        outcomes={outcome: count for outcome in Outcome if (count := outcomes[outcome])},
        actions={action: count for action in ActionClass if (count := actions[action])},
        not_done_count=len(once) - len(meanings),
        saved_file_count=sum(len(report.files) for report in reports),
        saved_bytes=sum(file.size_bytes for report in reports for file in report.files),
        missed_file_count=sum(len(report.missed) for report in reports),
        first_finished_at=min(times, default=None),
        last_finished_at=max(times, default=None),
        notices=orders.notices,
    )


def _line(row: OrderRow, records: Mapping[TaskId, TaskRecord]) -> Line:
    if row.task_id is None:
        return Line(row=row, reason=row.problem, detail=row.detail)
    record = records.get(row.task_id)
    if record is None:
        return Line(row=row)
    return Line(
        row=row,
        reason=_reason(record),
        detail=_detail(record),
        report=record.report,
        folder=record.folder,
        attempt_count=record.attempt_count,
        finished_at=record.finished_at if record.is_over else None,
    )


def _reason(record: TaskRecord) -> Reason | None:
    """Why the order ended as it did; one that waits for another try may still have the report of an earlier one."""
    if record.status == TaskStatus.CANCELLED.name:
        return Reason.BY_REQUEST
    return record.report.reason if record.report is not None and record.is_over else None


def _detail(record: TaskRecord) -> str:
    if record.report is None:
        return ""
    return record.report.detail if record.is_over else "What is shown is of an earlier try."
