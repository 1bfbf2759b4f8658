"""The report as an Excel workbook: the sheet ``Report`` with every row of the list, the sheet ``Summary`` with counts.

Written row by row, so that a list of any length needs no more memory. Every text is written as text: nothing that a
list or a portal holds becomes a formula, and numbers of orders keep their leading zeros.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from app.archive.table import RESULT_COLUMNS, Line, Summary, Value, result_headers
from app.domain.failures import Outcome

#: Excel's own limits, of rows on a sheet and of links on a sheet (a workbook with more is taken for damaged).
ROWS_MAX = 1_048_576
LINKS_MAX = 65_530

#: Width in letters; columns are measured by their first rows.
_WIDTH_MIN, _WIDTH_MAX, _MEASURED_ROWS = 8, 60, 200
_WRAPPED = frozenset({"What to do", "Detail", "File names"})
_TEXT_FORMAT, _TIME_FORMAT = "@", "yyyy-mm-dd hh:mm:ss"
_HEAD_FONT, _LINK_FONT = Font(bold=True), Font(color="0563C1", underline="single")
_TOP, _TOP_WRAPPED = Alignment(vertical="top"), Alignment(vertical="top", wrap_text=True)
_GREEN, _YELLOW, _ORANGE, _RED, _GREY = (
    PatternFill("solid", fgColor=color) for color in ("E2F0D9", "FFF2CC", "FCE4D6", "F8D7DA", "EDEDED")
)
_NO_FILL = PatternFill()
_FILLS: Mapping[str, PatternFill] = MappingProxyType(
    {
        Outcome.COMPLETED: _GREEN,
        Outcome.NO_ATTACHMENTS: _GREEN,
        Outcome.PARTIAL: _YELLOW,
        Outcome.NOT_FOUND: _ORANGE,
        Outcome.FORBIDDEN: _ORANGE,
        Outcome.INVALID: _ORANGE,
        Outcome.FAILED: _RED,
        Outcome.QUARANTINED: _RED,
        Outcome.CANCELLED: _GREY,
    }
)
#: What XML cannot hold.
_NOT_IN_XML = re.compile(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: What a link to a folder means otherwise; letters of every language may stay.
_NOT_IN_LINK = re.compile(r"[%#?\s\"<>^`{}|]")
#: What somebody's edit would turn into a formula.
_FORMULA_STARTS = ("=", "+", "-", "@")


def write_workbook(
    path: Path, columns: tuple[str, ...], lines: Iterable[Line], summary: Summary, *, way_to_out: str
) -> None:
    """Write the whole workbook to ``path``.

    Rows beyond Excel's limit are left out; the other forms of the report have them.

    Args:
        path: The file to write.
        columns: The user's own.
        lines: Every row of the list, in order.
        summary: What the second sheet tells.
        way_to_out: What leads from the workbook to the output folder, for links: nothing, or ``../`` and the like.

    Raises:
        OSError: The file cannot be written.
    """
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("Report")
    shown = islice(lines, ROWS_MAX - 1)
    first = list(islice(shown, _MEASURED_ROWS))
    _lay_out(sheet, (*columns, *result_headers(columns)), first, summary.row_count)
    for number, line in enumerate(chain(first, shown)):
        link = f"{way_to_out}{line.folder}" if line.folder and number < LINKS_MAX else ""
        sheet.append([*(_text(sheet, cell) for cell in line.row.cells), *_results(sheet, line, link)])
    _write_summary(workbook.create_sheet("Summary"), summary)
    workbook.save(path)


def _lay_out(sheet: Worksheet, headers: tuple[str, ...], first: list[Line], row_count: int) -> None:
    """Widths, filter and the row of headers, all of which a sheet takes before its rows alone."""
    for number, header in enumerate(headers):
        values = ((*line.row.cells, *line.results())[number] for line in first)
        sheet.column_dimensions[get_column_letter(number + 1)].width = _width(header, values)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(headers))}{min(row_count + 1, ROWS_MAX)}"
    sheet.append([_head(sheet, header) for header in headers])


def _results(sheet: Worksheet, line: Line, link: str) -> Iterator[Cell]:
    for column, value in zip(RESULT_COLUMNS, line.results(), strict=True):
        cell = _cell(sheet, value)
        if column in _WRAPPED:
            cell.alignment = _TOP_WRAPPED
        if column == "Outcome":
            cell.fill = _FILLS.get(str(value), _NO_FILL)
        if column == "Folder" and link:
            cell.hyperlink = _NOT_IN_LINK.sub(lambda found: quote(found[0]), link)
            cell.font = _LINK_FONT
        yield cell


def _write_summary(sheet: Worksheet, summary: Summary) -> None:
    sheet.column_dimensions["A"].width = 28
    sheet.column_dimensions["B"].width = 40
    for name, value in _facts(summary):
        sheet.append([_text(sheet, name), _cell(sheet, value)])
    for title, counts in (("Outcome", summary.outcomes), ("What they need", summary.actions)):
        sheet.append([])
        sheet.append([_head(sheet, title), _head(sheet, "Count")])
        for name, count in counts.items():
            cell = _text(sheet, name)
            cell.fill = _FILLS.get(name, _NO_FILL)
            sheet.append([cell, _cell(sheet, count)])
    if summary.notices:
        sheet.append([])
        sheet.append([_head(sheet, "Notices")])
    for notice in summary.notices:
        sheet.append([_text(sheet, notice)])


def _facts(summary: Summary) -> Iterator[tuple[str, Value]]:
    yield "List", summary.source
    yield "Rows", summary.row_count
    yield "Orders", summary.order_count
    yield "Rows that repeat an order", summary.repeated_row_count
    yield "Orders not done yet", summary.not_done_count
    yield "Files saved", summary.saved_file_count
    yield "Bytes saved", summary.saved_bytes
    yield "Files missing", summary.missed_file_count
    yield "First finished (UTC)", summary.first_finished_at
    yield "Last finished (UTC)", summary.last_finished_at


def _cell(sheet: Worksheet, value: Value) -> Cell:
    if isinstance(value, str):
        return _text(sheet, value)
    cell = WriteOnlyCell(sheet, _without_zone(value))
    cell.alignment = _TOP
    if isinstance(value, datetime):
        cell.number_format = _TIME_FORMAT
    return cell


def _text(sheet: Worksheet, text: str) -> Cell:
    """A cell that holds text and stays text, also when somebody edits it."""
    cell = WriteOnlyCell(sheet, _NOT_IN_XML.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n")) or None)
    if text:
        cell.data_type = "s"
    cell.number_format = _TEXT_FORMAT
    cell.alignment = _TOP
    if text.startswith(_FORMULA_STARTS):
        cell.quotePrefix = True
    return cell


def _without_zone(value: Value) -> Value:
    """Excel knows no time zones; the column's name says which one it is."""
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def _head(sheet: Worksheet, text: str) -> Cell:
    cell = _text(sheet, text)
    cell.font = _HEAD_FONT
    cell.fill = _GREY
    return cell


def _width(header: str, values: Iterable[Value]) -> int:
    texts = chain([header], (text for value in values for text in str(_without_zone(value)).split("\n")))
    return min(max(_WIDTH_MIN, *(len(text) + 2 for text in texts)), _WIDTH_MAX)
