"""A list of orders as users have them, with its journal: every kind of row, cell and outcome."""

from __future__ import annotations

from datetime import UTC, datetime

from poolwright.domain.ids import BatchId, TaskId
from poolwright.domain.outcomes import Reason
from poolwright.domain.states import TaskStatus
from poolwright.domain.tasks import OrderList, OrderRow, POTask, Report, TaskRecord
from tests.support.archive_orders import report_for, task_for

COLUMNS = ("PO", "Cost centre", "Outcome", "Folder ", "Note", "Note")
FINISHED = datetime(2026, 11, 23, 12, 30, 5, tzinfo=UTC)
FILES = {"Größe.pdf": b"12345", "=cmd|calc.xlsx": b"1234567"}


def row(row_no: int, number: str, *cells: str, problem: Reason | None = None) -> OrderRow:
    task_id = None if problem else TaskId(f"demo:{number}")
    detail = f"{number!r} is no order number." if problem else ""
    padded = (number, *cells, *[""] * (len(COLUMNS) - 1 - len(cells)))
    return OrderRow(row_no=row_no, cells=padded, given=number, task_id=task_id, problem=problem, detail=detail)


def record(
    number: str,
    report: Report | None,
    *,
    folder: str = "",
    status: TaskStatus = TaskStatus.DONE,
    finished_at: datetime | None = FINISHED,
) -> TaskRecord:
    return TaskRecord(
        task=task_for(number),
        status=status.name,
        attempt_count=2,
        report=report,
        folder=folder,
        finished_at=finished_at,
    )


ROWS = (
    row(2, "PO1", "0001234", "=1+1", "-", "+49 30", "a;b"),
    row(3, "PO2", "@SUM(A1)", "#N/A", "two\r\nlines"),
    row(4, "PO1", "1e5"),
    row(5, "?", "", problem=Reason.BAD_NUMBER),
    row(6, "PO3"),
    row(7, "PO4"),
    row(8, "PO5"),
    row(9, "PO6"),
    row(10, "PO7", "bell \x07 and half \ud83d"),
)
ORDERS = OrderList(
    batch_id=BatchId("batch-1"),
    source="orders.xlsx",
    columns=COLUMNS,
    rows=ROWS,
    tasks=tuple(task_for(f"PO{number}") for number in range(1, 8)),
    notices=("The column PO was taken.",),
)
RECORDS: dict[TaskId, TaskRecord] = {
    each.task.task_id: each
    for each in (
        record("PO1", report_for(FILES, supplier="=HYPERLINK(1)"), folder="Acme & Co #1 50%/PO1 Größe"),
        record("PO2", report_for(FILES, missed=("lost.pdf",)), folder="Acme/PO2"),
        record("PO3", Report(reason=Reason.PORTAL_ERROR, detail="-1 is what the portal said.")),
        record("PO4", None, status=TaskStatus.CANCELLED),
        record("PO6", report_for({})),
        record("PO5", report_for({"old.pdf": b"1"}), folder="Acme/PO5", status=TaskStatus.QUEUED),
    )
}


def long_list(row_count: int) -> tuple[OrderList, dict[TaskId, TaskRecord]]:
    """Many rows, all done."""
    tasks = tuple(task_for(f"PO{number}") for number in range(row_count))
    rows = tuple(row(number + 2, task.po_number, "0001234", "text") for number, task in enumerate(tasks))
    orders = OrderList(batch_id=BatchId("long"), source="long.csv", columns=COLUMNS, rows=rows, tasks=tasks)
    done = report_for(FILES)
    return orders, {task.task_id: _done(task, done) for task in tasks}


def _done(task: POTask, report: Report) -> TaskRecord:
    folder = f"Acme/{task.po_number}"
    return TaskRecord(
        task=task, status=TaskStatus.DONE.name, attempt_count=1, report=report, folder=folder, finished_at=FINISHED
    )
