"""Sheets and rows as other programs write them: nothing is left out without a word."""

from __future__ import annotations

import io
import zipfile

import pytest

from poolwright.intake.errors import InputRefusedError
from tests.unit.intake.raw_books import HEAD, A, B, book, number, open_book, open_number, open_row, read, row

ROWS = HEAD + row(number(A), "x") + row(number(B), "y")
ROWS_PART = (
    "<worksheet xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'>"
    f"<sheetData>{ROWS}</sheetData></worksheet>"
)
SHEET = "xl/worksheets/sheet1.xml"


@pytest.mark.parametrize(
    "change",
    [
        {"xl/styles.xml": ""},
        {"xl/styles.xml": "<styleSheet"},
        {"docProps/core.xml": "<broken"},
    ],
)
def test_what_is_beside_the_cells_may_be_broken(change: dict[str, str]) -> None:
    assert read(book(ROWS, change=change))[:2] == ([A, B], [])


@pytest.mark.parametrize(
    "columns", ["<col min='x' max='y' hidden='1'/>", "<col min='1' max='99999999'/>", "<col hidden='1'/>"]
)
def test_columns_that_make_no_sense_do_no_harm(columns: str) -> None:
    assert read(book(ROWS, before=f"<cols>{columns}</cols>"))[:2] == ([A, B], [])


def test_a_column_without_width_is_hidden() -> None:
    assert "Hidden columns" in read(book(ROWS, before="<cols><col min='1' max='1' width='0'/></cols>"))[2]


def test_a_part_is_found_by_its_address() -> None:
    content = book(ROWS)
    arrows = (
        "<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'><Relationship Id='s1' "
        "Type='http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet' "
        "Target='worksheets/my%20sheet.xml'/></Relationships>"
    )
    moved = book(
        ROWS, change={"xl/_rels/workbook.xml.rels": arrows, SHEET: "", "xl/worksheets/my sheet.xml": ROWS_PART}
    )

    assert read(moved)[0] == read(content)[0]


def test_a_workbook_of_hidden_sheets_says_so() -> None:
    change = {
        "xl/workbook.xml": (
            "<workbook xmlns:r='http://schemas.openxmlformats.org/officeDocument/2006/relationships'><sheets>"
            "<sheet name='Old' state='veryHidden' r:id='s1'/></sheets></workbook>"
        )
    }

    with pytest.raises(InputRefusedError, match=r"All sheets .* are hidden; name one with --sheet: 'Old'\."):
        read(book(ROWS, change=change))


def test_open_document_in_one_file_is_read() -> None:
    with zipfile.ZipFile(io.BytesIO(open_book(open_row(open_number(A, A))))) as packed:
        content = packed.read("content.xml").decode()
    flat = content.replace("<office:body>", "<office:meta>opendocument.spreadsheet</office:meta><office:body>")

    assert read(flat, "orders.fods")[:2] == ([A], [])
