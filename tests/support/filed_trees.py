"""Output trees with a journal, as a finished run leaves them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import anyio

from poolwright.archive.output_tree import PRIVATE_NAME, OutputTree
from poolwright.domain.ids import BatchId
from poolwright.domain.tasks import OrderList, OrderRow, Report
from poolwright.journal.sqlite_journal import SqliteJournal
from poolwright.service.output_folder import JOURNAL_NAME
from tests.support.archive_orders import StoppedClock, report_for, stage, task_for
from tests.support.manual_clock import ManualClock
from tests.support.tasks import WORKER

#: The files of each order, by its number.
Orders = Mapping[str, Mapping[str, bytes]]


def journal_path(out: Path) -> Path:
    return out / PRIVATE_NAME / JOURNAL_NAME


def list_of(orders: Orders) -> OrderList:
    tasks = tuple(task_for(number) for number in orders)
    rows = tuple(
        OrderRow(row_no=number, cells=(task.po_number,), given=task.po_number, task_id=task.task_id)
        for number, task in enumerate(tasks, 2)
    )
    return OrderList(batch_id=BatchId("filed"), source="orders.csv", columns=("PO",), rows=rows, tasks=tasks)


def file_orders(out: Path, orders: Orders, *, reports: Mapping[str, Report] | None = None, template: str = "") -> None:
    """File each order and record it in the journal. An order that was filed before is filed again."""

    async def work() -> None:
        tree = OutputTree(out, template or "{supplier}/{number}", clock=StoppedClock())
        async with SqliteJournal(journal_path(out), ManualClock()) as journal:
            listed = list_of(orders)
            await journal.accept(listed)
            await journal.reopen([task.task_id for task in listed.tasks])
            for task in await journal.fetch(listed.batch_id, len(orders)):
                files = orders[task.po_number]
                report = (reports or {}).get(task.po_number) or report_for(files)
                await journal.start(task.task_id, WORKER)
                staged = stage(out / PRIVATE_NAME / "staging" / task.po_number, files)
                filed = tree.file(task, report, staged)
                tree.discard(staged)
                await journal.finish(task.task_id, report, filed.folder)

    anyio.run(work)
