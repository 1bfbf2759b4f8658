"""Numbers, dates and texts of a workbook are such in its report too; of a list without types they are told by looks."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from openpyxl import Workbook, load_workbook

from poolwright.archive.report import write_reports
from poolwright.intake.orders import ReadOptions, orders_from_file
from poolwright.portal import pack as packs

DEMO = ReadOptions(portal_name="demo", rules=packs.load("demo").numbers)
NOON = datetime(2026, 5, 1, 12)  # noqa: DTZ001 - Excel has no zones
#: What a cell holds, its format, what the report's cell holds, and its format.
CELLS = [
    ("1.10", "General", "1.10", "@"),
    (1.1, "0.00", 1.1, "0.00"),
    ("2026-05-01", "General", "2026-05-01", "@"),
    (NOON, "yyyy-mm-dd hh:mm", NOON, "yyyy-mm-dd hh:mm:ss"),
    ("0042", "General", "0042", "@"),
    (42, "0000", 42, "0000"),
    ("7", "@", "7", "@"),
    (7, "General", 7, "0"),
    (0.25, "0%", 0.25, "0%"),
    ("4006381333931000001", "General", "4006381333931000001", "@"),
    ("=1+1", "General", "=1+1", "@"),
    ("soon", "General", "soon", "@"),
]


def workbook_at(path: Path) -> Path:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(["PO", "Value", "Supplier"])
    for number, (value, number_format, *_) in enumerate(CELLS):
        sheet.append([f"PO{4500000001 + number}", None, "Acme"])
        cell = sheet.cell(number + 2, 2, value)
        cell.number_format = number_format
        if isinstance(value, str):
            cell.data_type = "s"
    book.save(path)
    return path


def values_of(path: Path) -> list[tuple[object, str]]:
    files = write_reports(orders_from_file(path, DEMO), {}, path.parent / "out", "report")
    rows = load_workbook(files.xlsx)["Report"].iter_rows(min_row=2)
    return [(row[1].value, row[1].number_format) for row in rows]


def test_every_cell_of_a_workbook_keeps_its_type(tmp_path: Path) -> None:
    assert values_of(workbook_at(tmp_path / "list.xlsx")) == [(value, shown) for *_, value, shown in CELLS]


def test_cells_of_a_text_are_told_by_their_looks(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("PO,Value\nPO4500000001,1.10\nPO4500000002,soon\nPO4500000003,2026-05-01\n")

    assert [value for value, _ in values_of(tmp_path / "list.csv")] == [1.1, "soon", datetime(2026, 5, 1)]  # noqa: DTZ001


def test_the_number_of_an_order_is_text_whatever_it_was(tmp_path: Path) -> None:
    book = Workbook()
    for row in (["Name", "PO"], ["Acme", 4500000001], ["Acme", 4500000002]):
        book.worksheets[0].append(row)
    book.save(tmp_path / "list.xlsx")

    assert values_of(tmp_path / "list.xlsx") == [("4500000001", "@"), ("4500000002", "@")]
