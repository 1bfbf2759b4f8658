"""Whatever a list holds, its workbook shows the same texts: read back by Poolwright's own reader, cell by cell."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openpyxl import load_workbook

from poolwright.archive.excel_limits import CUT_MARK, TEXT_MAX, escape_text, excel_length, parse_typed, shorten_text
from poolwright.archive.report import write_reports
from poolwright.domain.ids import BatchId, TaskId
from poolwright.domain.tasks import OrderList, OrderRow
from poolwright.intake.workbooks.number_format import NumberFormat
from tests.support.pace import UNHURRIED

pytestmark = pytest.mark.timeout(600)  # the deep profile writes hundreds of workbooks

_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
#: What hurts most: signs of numbers, dates and formulas, what looks like Excel's own letters, half letters.
ODD = st.text("0123456789.-+eE%: T", max_size=22) | st.text("_x0041FG_5", max_size=24)
ANY_TEXT = st.text(st.characters(codec=None), max_size=40) | ODD
NUMBERS = st.integers().map(str) | st.decimals(allow_nan=False, allow_infinity=False).map(str) | st.floats().map(repr)


def as_excel_reads(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def as_told(text: str) -> str:
    """What XML cannot hold is seen to be missing, and a line ends in one way."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return re.sub("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", lines)


@UNHURRIED
@given(ANY_TEXT)
@example("_x0041_x0042_")
@example("__x005F_x0041_")
def test_excel_reads_every_text_as_it_was(text: str) -> None:
    assert as_excel_reads(escape_text(text)) == as_told(text)


@UNHURRIED
@given(ODD | NUMBERS)
@example("-0.00")
@example("0.1234567890123456789")
@example("1e-999")
def test_a_number_in_a_cell_shows_the_text_that_it_was(text: str) -> None:
    found = parse_typed(text)
    if found is None or not isinstance(found.value, int | float):
        return

    if found.number_format == "General":
        assert repr(found.value) == text
    else:
        shown = NumberFormat.parse(found.number_format).format_number(found.value)
        assert shown == text


@UNHURRIED
@given(st.text("x_0041\U0001f600", max_size=8), st.integers(TEXT_MAX // 8 - 40, TEXT_MAX // 2))
def test_no_cell_takes_more_than_it_can_and_what_is_cut_says_so(piece: str, count: int) -> None:
    text = piece * count

    kept = shorten_text(text, CUT_MARK)

    assert excel_length(escape_text(kept)) <= TEXT_MAX
    assert kept == text or (kept.endswith(CUT_MARK) and text.startswith(kept.removesuffix(CUT_MARK)))
    assert kept != text or excel_length(escape_text(text)) <= TEXT_MAX


@UNHURRIED
@given(st.lists(st.lists(ANY_TEXT | NUMBERS, min_size=3, max_size=3), min_size=1, max_size=8))
def test_a_workbook_has_every_cell_of_the_list(cells: list[list[str]]) -> None:
    rows = tuple(
        OrderRow(row_no=no, cells=(f"PO{no}", *row), given=f"PO{no}", task_id=TaskId(f"demo:{no}"))
        for no, row in enumerate(cells, 2)
    )
    orders = OrderList(batch_id=BatchId("b"), source="list.csv", columns=("PO", "a", "b", "c"), rows=rows, tasks=())

    with tempfile.TemporaryDirectory() as folder:
        files = write_reports(orders, {}, Path(folder), "report")
        sheet = load_workbook(files.xlsx)["Report"]
        found = [[sheet.cell(row.row_no, place + 1) for place in range(4)] for row in rows]

    assert files.notices == ()
    for row, shown in zip(rows, found, strict=True):
        for text, cell in zip(row.cells, shown, strict=True):
            if isinstance(cell.value, str):
                assert as_excel_reads(cell.value) == as_told(text)
                assert cell.data_type == "s"
            elif cell.value is None:
                assert text == ""
            else:
                value = parse_typed(text)
                assert value is not None
                assert cell.number_format == value.number_format
