"""The copy of a workbook that a daemon's list was read from: of the very list, or none."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from poolwright.archive.report import write_reports
from poolwright.archive.workbooks.list_workbook import NotFillableError
from poolwright.cli.order_input import OrderSources, read_orders
from poolwright.cli.remote.workbook_copy import WorkbookCopy, results_by_row
from poolwright.domain.errors import OptionsError
from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import OrderList, Report, TaskRecord
from poolwright.portal import pack as packs

DEMO = packs.load("demo")
FINISHED = datetime(2026, 11, 23, 12, 30, 5, tzinfo=UTC)


def saved(path: Path, *rows: tuple[str, ...]) -> Path:
    book = Workbook()
    assert isinstance(book.active, Worksheet)
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    return saved(tmp_path / "mine.xlsx", ("PO", "Buyer"), ("PO15000001", "Ann"), ("PO15000002", "Bo"))


def sources(path: Path) -> OrderSources:
    return OrderSources(names=(str(path),))


def report_of(orders: OrderList, folder: Path) -> bytes:
    """The report of a list whose first order is done."""
    task = orders.tasks[0]
    done = Report(reason=Reason.NONE_LISTED, detail="first\nsecond")
    record = TaskRecord(task=task, status="DONE", attempt_count=2, report=done, finished_at=FINISHED)
    return write_reports(orders, {task.task_id: record}, folder, "report").xlsx.read_bytes()


def test_the_results_are_in_a_copy_and_the_workbook_stays(workbook: Path, tmp_path: Path) -> None:
    own, orders = workbook.read_bytes(), read_orders(sources(workbook), DEMO)
    copy = WorkbookCopy(sources(workbook), DEMO, orders.batch_id)
    target = tmp_path / "filled.xlsx"

    copy.write(report_of(orders, tmp_path), target)

    assert copy.default_path == Path("mine-with-results.xlsx")
    sheet = load_workbook(target).active
    assert isinstance(sheet, Worksheet)
    names = [cell.value for cell in sheet[1]]
    first, second = (dict(zip(names, [cell.value for cell in sheet[row]], strict=False)) for row in (2, 3))
    assert (first["PO"], first["Outcome"], first["Detail"]) == ("PO15000001", "NO_ATTACHMENTS", "first; second")
    assert (first["Attempts"], first["Finished at (UTC)"]) == (2, "2026-11-23 12:30:05")
    assert (second["Buyer"], second.get("Finished at (UTC)")) == ("Bo", None)
    assert workbook.read_bytes() == own


def test_another_list_gets_no_results(workbook: Path) -> None:
    list_id = read_orders(sources(workbook), DEMO).batch_id
    saved(workbook, ("PO", "Buyer"), ("PO15000001", "Ann"), ("PO15000002", "Bea"))

    with pytest.raises(OptionsError, match=f"is not the list {list_id}, or it was changed"):
        WorkbookCopy(sources(workbook), DEMO, list_id)


def test_a_list_that_is_no_workbook_is_told(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("PO\nPO15000001\n", encoding="utf-8")

    with pytest.raises(OptionsError, match="no workbook of Excel since 2007"):
        WorkbookCopy(sources(path), DEMO, "x")


def test_the_own_workbook_is_never_the_target(workbook: Path, tmp_path: Path) -> None:
    orders = read_orders(sources(workbook), DEMO)
    copy = WorkbookCopy(sources(workbook), DEMO, orders.batch_id)
    report = report_of(orders, tmp_path)

    with pytest.raises(OptionsError, match="never changed"):
        copy.write(report, workbook)
    with pytest.raises(OptionsError, match="cannot be written"):
        copy.write(report, tmp_path / "missing" / "x.xlsx")
    workbook.write_bytes(b"changed")
    with pytest.raises(OptionsError, match="was changed after the list was read"):
        copy.write(report, tmp_path / "x.xlsx")


def test_a_report_with_other_rows_is_refused(workbook: Path, tmp_path: Path) -> None:
    orders = read_orders(sources(workbook), DEMO)
    longer = saved(tmp_path / "longer.xlsx", ("PO",), *((f"PO1500000{digit}",) for digit in range(1, 5)))
    report = report_of(read_orders(sources(longer), DEMO), tmp_path)

    with pytest.raises(NotFillableError, match="4 rows, and the list 2"):
        results_by_row(orders, report)
