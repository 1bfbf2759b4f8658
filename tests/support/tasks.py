"""Lists, reports and moves in one line each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from poolwright.domain.ids import BatchId, TaskId, WorkerRef
from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import FetchedFile, MissedFile, OrderList, OrderRow, POTask, Report

BATCH = BatchId("list-1")
OTHER = BatchId("list-2")
WORKER = WorkerRef(1, 1)


def task_id(number: int | str) -> TaskId:
    return TaskId(f"demo:{number}")


def po_task(number: int | str, **changes: Any) -> POTask:  # noqa: ANN401 - fields by name
    return POTask(task_id=task_id(number), po_number=f"PO{number}", portal_number=str(number), **changes)


def orders(*numbers: int | str, batch_id: BatchId = BATCH, rows: Iterable[OrderRow] = ()) -> OrderList:
    """A list with one row for each number, and ``rows`` behind them."""
    own = [
        OrderRow(row_no=place + 2, cells=(f"PO{number}", "Acme"), given=f"PO{number}", task_id=task_id(number))
        for place, number in enumerate(numbers)
    ]
    return OrderList(
        batch_id=batch_id,
        source="orders.csv",
        columns=("PO", "Supplier"),
        rows=(*own, *rows),
        tasks=tuple(po_task(number) for number in numbers),
        notices=("The column PO holds the numbers.",),
    )


def fetched(name: str) -> FetchedFile:
    return FetchedFile(
        name=name,
        label=f"label of {name}",
        size_bytes=1234,
        sha256="ab" * 32,
        media_type="application/pdf",
        source_url=f"https://portal.example/{name}",
    )


def missed(label: str) -> MissedFile:
    return MissedFile(label=label, source_url="https://portal.example/x", problem="It was gone.", is_retryable=True)


def report(reason: Reason = Reason.ALL_SAVED, *names: str) -> Report:
    return Report(reason=reason, files=tuple(fetched(name) for name in names))
