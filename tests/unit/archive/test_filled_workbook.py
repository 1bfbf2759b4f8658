"""The copy of the user's workbook with the results: everything that was there is there, read back cell by cell."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.chart import BarChart, Reference
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.table import Table
from openpyxl.worksheet.worksheet import Worksheet

from poolwright.archive.report_table import Value
from poolwright.archive.workbooks import filled_workbook
from poolwright.archive.workbooks.filled_workbook import fill_workbook
from poolwright.archive.workbooks.list_workbook import ListWorkbook, NotFillableError

HEADERS = ("Outcome", "Files saved", "Detail", "Finished at (UTC)")
SHEET = "xl/worksheets/sheet1.xml"
DONE: tuple[Value, ...] = ("COMPLETED", 3, "=1+1 & <b>", datetime(2026, 11, 23, 10, 0, tzinfo=UTC))


def example() -> Workbook:
    """A workbook as people have them."""
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "Orders"
    sheet.append(["Our orders"])
    sheet.merge_cells("A1:E1")
    sheet.append(["PO Number", "Due", "Amount", "Code", "Double"])
    for number in (4500001, 4500002):
        sheet.append([number, date(2026, 3, 1), 1234.5, "007", None])
        row = sheet.max_row
        sheet.cell(row, 2).number_format = "dd.mm.yyyy"
        sheet.cell(row, 3).number_format = '#,##0.00 "EUR"'
        sheet[f"E{row}"] = f"=C{row}*2"
    sheet["A2"].font = Font(bold=True)
    for cell in sheet[2]:
        cell.fill = PatternFill("solid", fgColor="FFFF00")
    sheet.column_dimensions["A"].width = 33
    sheet.column_dimensions["D"].hidden = True
    sheet.freeze_panes = "A3"
    sheet.auto_filter.ref = "A2:E4"
    sheet.add_table(Table(displayName="Orders", ref="A2:E4"))
    chart = BarChart()
    chart.add_data(Reference(sheet, min_col=3, min_row=3, max_row=4))
    chart.anchor = "A10"
    sheet.add_chart(chart)
    other = book.create_sheet("Notes")
    other["B2"] = "=Orders!C3"
    other.sheet_state = "hidden"
    return book


def packed(book: Workbook) -> bytes:
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def edited(content: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """The same package with another content of one part."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as package, zipfile.ZipFile(target, "w") as other:
        for info in package.infolist():
            text = package.read(info)
            other.writestr(info.filename, change(text) if info.filename == part else text)
    return target.getvalue()


def parts_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        return {name: package.read(name) for name in package.namelist()}


def book_at(path: Path, content: bytes, *, sheet: str = "Orders", header_row_no: int | None = 2) -> ListWorkbook:
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    return ListWorkbook(path=path, sha256=digest, sheet=sheet, header_row_no=header_row_no)


def filled(
    folder: Path,
    content: bytes,
    results: Mapping[int, Sequence[Value]] | None = None,
    *,
    sheet: str = "Orders",
    header_row_no: int | None = 2,
) -> bytes:
    book = book_at(folder / "list.xlsx", content, sheet=sheet, header_row_no=header_row_no)
    target = folder / "filled.xlsx"
    wanted = {3: DONE, 4: ("FAILED", None, "", None)} if results is None else results
    fill_workbook(book, target, HEADERS, wanted)
    return target.read_bytes()


def sheet_of(content: bytes, title: str = "Orders") -> Worksheet:
    sheet = load_workbook(io.BytesIO(content))[title]
    assert isinstance(sheet, Worksheet)
    return sheet


def test_the_results_are_behind_the_columns_of_the_list(tmp_path: Path) -> None:
    sheet = sheet_of(filled(tmp_path, packed(example())))

    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=1, max_row=4, min_col=6, max_col=9)]
    assert rows == [
        [None, None, None, None],
        list(HEADERS),
        ["COMPLETED", 3, "=1+1 & <b>", "2026-11-23 10:00:00"],
        ["FAILED", None, None, None],
    ]
    assert sheet["H3"].data_type == "s", "a text that looks like a formula is a text"
    assert sheet["G3"].data_type == "n"


def test_a_text_of_several_lines_has_one_in_rows_that_keep_their_heights(tmp_path: Path) -> None:
    content = filled(tmp_path, packed(example()), {3: ("COMPLETED", 2, "a.pdf\nb.pdf \n c.pdf", None)})

    assert sheet_of(content)["H3"].value == "a.pdf; b.pdf; c.pdf"


def test_what_the_user_had_is_there_as_it_was(tmp_path: Path) -> None:
    before = packed(example())

    after = filled(tmp_path, before)

    old, new = sheet_of(before), sheet_of(after)
    for row in old.iter_rows(max_col=5):
        for cell in row:
            same = new[cell.coordinate]
            assert (same.value, same.data_type, same.number_format) == (cell.value, cell.data_type, cell.number_format)
            assert same.style_id == cell.style_id
    assert new["E3"].value == "=C3*2"
    assert new["D3"].value == "007"
    assert [str(area) for area in new.merged_cells.ranges] == ["A1:E1"]
    assert (new.column_dimensions["A"].width, new.column_dimensions["D"].hidden) == (33, True)
    assert (new.freeze_panes, new.auto_filter.ref, list(new.tables)) == ("A3", "A2:E4", ["Orders"])
    book = load_workbook(io.BytesIO(after))
    assert (book.sheetnames, book["Notes"].sheet_state, book["Notes"]["B2"].value) == (
        ["Orders", "Notes"],
        "hidden",
        "=Orders!C3",
    )


def test_every_other_part_is_the_same_byte_for_byte(tmp_path: Path) -> None:
    before = packed(example())

    after = parts_of(filled(tmp_path, before))

    assert list(after) == list(parts_of(before))
    assert {name for name, content in parts_of(before).items() if after[name] != content} == {SHEET}
    assert any("chart" in name for name in after)


def test_the_names_look_like_those_of_the_list_and_the_columns_have_widths(tmp_path: Path) -> None:
    after = filled(tmp_path, packed(example()))
    sheet = sheet_of(after)

    assert sheet["F2"].fill.fgColor.rgb == sheet["E2"].fill.fgColor.rgb
    widths = re.findall(rb'<col min="([6-9])" max="[6-9]" width="(\d+)"', parts_of(after)[SHEET])
    assert widths == [(b"6", b"16"), (b"7", b"16"), (b"8", b"40"), (b"9", b"40")]
    assert sheet.dimensions == "A1:I4"


def test_results_are_not_hidden_with_the_columns_behind_the_list(tmp_path: Path) -> None:
    hidden = (
        b'<cols><col min="1" max="1" width="33" customWidth="1"/><col min="4" max="16384" hidden="1" width="9"/></cols>'
    )
    content = edited(packed(example()), SHEET, lambda text: re.sub(rb"<cols>.*</cols>", hidden, text))

    text = parts_of(filled(tmp_path, content))[SHEET]

    ranges = re.findall(rb'<col min="(\d+)" max="(\d+)"( hidden="1")?', text)
    assert ranges == [
        (b"1", b"1", b""),
        (b"4", b"5", b' hidden="1"'),
        (b"6", b"6", b""),
        (b"7", b"7", b""),
        (b"8", b"8", b""),
        (b"9", b"9", b""),
        (b"10", b"16384", b' hidden="1"'),
    ]


def test_a_sheet_without_widths_and_with_a_prefix_is_filled(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "Orders"
    sheet.append(["PO"])
    sheet.append([1])

    def prefixed(text: bytes) -> bytes:
        named = re.sub(rb"<(/?)(\w)", rb"<\1x:\2", text)
        return named.replace(b"xmlns=", b"xmlns:x=")

    content = edited(packed(book), SHEET, prefixed)
    after = sheet_of(filled(tmp_path, content, {2: DONE}, header_row_no=1))

    assert [cell.value for cell in after[1]] == ["PO", *HEADERS]
    assert after["B2"].value == "COMPLETED"


def test_rows_and_cells_without_numbers_are_counted(tmp_path: Path) -> None:
    content = edited(packed(example()), SHEET, lambda text: re.sub(rb'(<row|<c) r="\w+"', rb"\1", text))

    text = parts_of(filled(tmp_path, content))[SHEET]

    assert b'<c r="F3" t="inlineStr"' in text
    assert b'<c r="F4" t="inlineStr"' in text


def test_a_form_in_the_sheet_is_not_taken_for_rows(tmp_path: Path) -> None:
    form = b"<controls><anchor><from><col>0</col><row>99</row></from></anchor></controls></worksheet>"
    content = edited(packed(example()), SHEET, lambda text: text.replace(b"</worksheet>", form))

    text = parts_of(filled(tmp_path, content))[SHEET]

    assert text.endswith(form)
    assert b'<c r="F3"' in text


def test_hints_about_the_width_of_rows_are_removed_where_they_would_be_wrong(tmp_path: Path) -> None:
    content = edited(packed(example()), SHEET, lambda text: text.replace(b'<row r="3"', b'<row r="3" spans="1:5"'))

    assert b"spans=" not in parts_of(filled(tmp_path, content))[SHEET]


def test_a_list_without_names_gets_no_names(tmp_path: Path) -> None:
    sheet = sheet_of(filled(tmp_path, packed(example()), header_row_no=None))

    assert (sheet["F2"].value, sheet["F3"].value) == (None, "COMPLETED")


def test_letters_that_xml_cannot_hold_are_replaced_and_long_texts_are_cut(tmp_path: Path) -> None:
    results: dict[int, Sequence[Value]] = {3: ("a\x00b", 1, "x" * 40_000, None)}

    sheet = sheet_of(filled(tmp_path, packed(example()), results))

    assert sheet["F3"].value == "a\ufffdb"
    assert len(str(sheet["H3"].value)) <= 32_767


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda text: text[:200], "cannot be read as a workbook"),
        (lambda text: text.replace(b'r="C3"', b'r="XFB3"'), "no room for further columns"),
        (lambda text: text.replace(b'<row r="4"', b'<row r="44"'), "rows of the list are not where they were read"),
        (lambda text: b"\xff\xfe" + text.decode().encode("utf-16-le"), "unusual encoding"),
    ],
    ids=["damaged", "wide", "moved", "utf-16"],
)
def test_a_workbook_that_cannot_be_filled_is_left_alone(
    change: Callable[[bytes], bytes], problem: str, tmp_path: Path
) -> None:
    with pytest.raises(NotFillableError, match=problem):
        filled(tmp_path, edited(packed(example()), SHEET, change))


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "a row without a number": lambda text: text.replace(b'<row r="3"', b'<row r="x"'),
    "a column without an end": lambda text: text.replace(b"<sheetData>", b'<cols><col min="1"/></cols><sheetData>'),
    "a column with letters": lambda text: text.replace(
        b"<sheetData>", b'<cols><col min="a" max="2"/></cols><sheetData>'
    ),
    "a merged area without a place": lambda text: text.replace(b'ref="A1:E1"', b'ref="x"'),
    "a merged area without a reference": lambda text: text.replace(b'ref="A1:E1"', b""),
    "a cell outside the rows": lambda text: text.replace(b"<sheetData>", b"<row><c/></row><sheetData>"),
    "no end": lambda text: text[:-9],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_sheet_is_left_alone(damage: str, tmp_path: Path) -> None:
    with pytest.raises(NotFillableError, match="it cannot be read as a workbook of Excel since 2007"):
        filled(tmp_path, edited(packed(example()), SHEET, DAMAGES[damage]))


def test_a_workbook_with_a_damaged_packed_or_locked_part_is_left_alone(tmp_path: Path) -> None:
    content = packed(example())
    at = content.rindex(b"PK\x01\x02")
    damaged = {
        "unknown compression": content[: at + 10] + b"\x62\x00" + content[at + 12 :],
        "a password": content[: at + 8] + b"\x01\x00" + content[at + 10 :],
        "a part that is not what it was": content[: at + 16] + b"1234" + content[at + 20 :],
        "a relation that is no XML": edited(content, "_rels/.rels", lambda text: text[:60]),
    }
    for problem, changed in damaged.items():
        with pytest.raises(NotFillableError, match="cannot be read as a workbook"):
            filled(tmp_path, changed)
        assert problem


@pytest.mark.parametrize("kind", [ValueError, LookupError])
def test_a_fault_of_the_program_is_not_told_as_one_of_the_workbook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    def fail(*_: object) -> bytes:
        raise kind

    monkeypatch.setattr(filled_workbook, "_edited", fail)

    with pytest.raises(kind):
        filled(tmp_path, packed(example()))


def test_a_sheet_in_another_encoding_is_left_alone(tmp_path: Path) -> None:
    head = b'<?xml version="1.0" encoding="ISO-8859-1"?>'

    with pytest.raises(NotFillableError, match="its sheet has an unusual encoding"):
        filled(tmp_path, edited(packed(example()), SHEET, lambda text: head + text))


def test_a_signed_workbook_and_one_without_the_sheet_are_left_alone(tmp_path: Path) -> None:
    signed = io.BytesIO(packed(example()))
    with zipfile.ZipFile(signed, "a") as package:
        package.writestr("_xmlsignatures/origin.sigs", b"")

    with pytest.raises(NotFillableError, match="it is signed"):
        filled(tmp_path, signed.getvalue())
    with pytest.raises(NotFillableError, match="cannot be read as a workbook"):
        filled(tmp_path, packed(example()), sheet="Other")
    with pytest.raises(NotFillableError, match="cannot be read as a workbook"):
        filled(tmp_path, b"PO\n1\n")


def test_a_workbook_that_changed_or_is_gone_is_not_filled(tmp_path: Path) -> None:
    book = book_at(tmp_path / "list.xlsx", packed(example()))

    book.path.write_bytes(b"other")
    with pytest.raises(NotFillableError, match=r"list\.xlsx was changed after the list was read"):
        fill_workbook(book, tmp_path / "filled.xlsx", HEADERS, {})
    book.path.unlink()
    with pytest.raises(NotFillableError, match=r"list\.xlsx cannot be read \(No such file"):
        fill_workbook(book, tmp_path / "filled.xlsx", HEADERS, {})


@pytest.mark.parametrize(
    ("name", "sheet", "is_found"),
    [("a.xlsx", "S", True), ("a.XLSM", "S", True), ("a.xlsb", "S", False), ("a.csv", "", False), ("a.xlsx", "", False)],
)
def test_only_workbooks_of_excel_since_2007_are_filled(name: str, sheet: str, is_found: bool, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"x")

    book = ListWorkbook.find(tmp_path / name, sheet, 1)

    assert (book is not None) is is_found
    if book is not None:
        assert (book.content(), book.sheet, book.header_row_no) == (b"x", sheet, 1)


def test_a_workbook_that_is_gone_at_once_is_told_at_the_end(tmp_path: Path) -> None:
    book = ListWorkbook.find(tmp_path / "gone.xlsx", "S", None)

    assert book is not None
    with pytest.raises(NotFillableError, match="cannot be read"):
        book.content()


def test_a_cancellation_ends_the_writing(tmp_path: Path) -> None:
    class StopError(Exception):
        pass

    def stop() -> None:
        raise StopError

    book = book_at(tmp_path / "list.xlsx", packed(example()))
    with pytest.raises(StopError):
        fill_workbook(book, tmp_path / "filled.xlsx", HEADERS, {}, stop)
