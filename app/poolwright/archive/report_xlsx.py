"""The report as an Excel workbook: the sheet ``Report`` with every row, and the sheet ``Summary`` with counts.

Rows are written one by one, so that a longer list needs no more memory. Every text is written as text: no text of a
list or a portal becomes a formula, and order numbers keep their leading zeros. Other numbers and dates of the list are
numbers and dates. Content that Excel cannot hold is left out, with a notice.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.writer.excel import ExcelWriter

from poolwright.archive.excel_limits import (
    COLUMNS_MAX,
    CUT_MARK,
    LINK_LENGTH_MAX,
    LINKS_MAX,
    ROWS_MAX,
    Omissions,
    TypedValue,
    parse_typed,
    shorten_text,
)
from poolwright.archive.report_table import RESULT_COLUMNS, ReportRow, Summary, Value, result_headers
from poolwright.archive.xlsx_writer import CellStyle, RowWriter, StyledCell, closing_sheet, start_rows
from poolwright.domain.outcomes import Outcome
from poolwright.domain.tasks import OrderRow
from poolwright.files.disk import CancelCheck, never_cancel

#: Column widths in letters, measured by the first rows.
_WIDTH_MIN, _WIDTH_MAX, _MEASURED_ROWS = 8, 60, 200
#: Letters of room beside a text; a header is bold and has the button of its filter beside it.
_TEXT_ROOM, _HEADER_ROOM = 2, 5
_WRAPPED = frozenset({"What to do", "Detail", "File names"})
#: How much longer a text gets because its words are not divided.
_WRAP_LOSS = 1.1
_TIME_FORMAT = "yyyy-mm-dd hh:mm:ss"
#: Letters of a column's name in a notice.
_NAME_LENGTH = 40
_GREEN, _YELLOW, _ORANGE, _RED, _GREY = "E2F0D9", "FFF2CC", "FCE4D6", "F8D7DA", "EDEDED"
_HEAD, _PLAIN = CellStyle(fill=_GREY, font="head"), CellStyle()
_NUMBER, _TIME = CellStyle(number_format="General"), CellStyle(number_format=_TIME_FORMAT)
_FILLS: Mapping[str, str] = MappingProxyType(
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
_OUTCOMES: Mapping[str, CellStyle] = MappingProxyType(
    {outcome: CellStyle(fill=fill) for outcome, fill in _FILLS.items()}
)
_WRAPPED_STYLE, _LINK = CellStyle(is_wrapped=True), CellStyle(font="link")
#: Characters that have a meaning in a link; letters of every language may stay.
_NOT_IN_LINK = re.compile(r"[%#?\s\"<>^`{}|]")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkbookLayout:
    """The layout of a report's workbook."""

    #: The user's own columns.
    columns: tuple[str, ...]
    #: Indexes of the columns that stay text, even if they look like numbers.
    columns_of_text: frozenset[int] = field(default=frozenset())
    #: The path from the workbook to the output folder, for links: empty, or ``../`` and the like.
    link_prefix: str
    #: Name of the file with the content that a workbook cannot hold.
    full_report: str


def write_workbook(
    path: Path,
    layout: WorkbookLayout,
    lines: Iterable[ReportRow],
    summary: Summary,
    cancel_check: CancelCheck = never_cancel,
) -> tuple[str, ...]:
    """Write the whole workbook to ``path``; return a sentence for each kind of content that it could not hold.

    Args:
        path: The file to write.
        layout: The layout of the workbook.
        lines: Every row of the list, in order.
        summary: The counts for the second sheet.
        cancel_check: Called regularly; an error of it ends the writing.

    Raises:
        OSError: The file cannot be written.
    """
    workbook = Workbook(write_only=True)
    sheet_paths = [path.with_name(f"{path.name}.{number}") for number in (1, 2)]
    try:
        with closing_sheet(workbook.create_sheet("Report")) as sheet:
            table = _ReportSheet(sheet, layout, sheet_paths[0])
            table.write(lines, summary.row_count)
        omissions = tuple(table.losses.sentences())
        with closing_sheet(workbook.create_sheet("Summary")) as sheet:
            _write_summary(sheet, summary, omissions, sheet_paths[1])
        with (
            io.BufferedWriter(_CancellableFile(path, cancel_check)) as file,
            ZipFile(file, "w", ZIP_DEFLATED) as archive,
        ):
            table.file.write_targets(archive, 1)
            ExcelWriter(workbook, archive).write_data()
    finally:
        for sheet_path in sheet_paths:
            sheet_path.unlink(missing_ok=True)
    return omissions


class _CancellableFile(io.FileIO):
    """A new file with a cancellation check before each piece; after a cancellation the rest is written without it."""

    def __init__(self, path: Path, cancel_check: CancelCheck) -> None:
        super().__init__(path, "w")
        self._cancel_check = cancel_check

    def write(self, content: Any, /) -> int:  # noqa: ANN401 - any bytes-like object
        cancel_check, self._cancel_check = self._cancel_check, never_cancel
        cancel_check()
        self._cancel_check = cancel_check
        return super().write(content)


class _ReportSheet:
    """The sheet with every row of the list."""

    def __init__(self, sheet: Worksheet, layout: WorkbookLayout, path: Path) -> None:
        self._path = path
        self.losses = Omissions(layout.full_report)
        self._sheet = sheet
        self._layout = layout
        #: If a sheet has too few columns for all, the result columns have priority.
        self._own_columns = layout.columns[: COLUMNS_MAX - len(RESULT_COLUMNS)]
        self.losses.column_count = len(layout.columns) - len(self._own_columns)

    def write(self, lines: Iterable[ReportRow], row_count: int) -> None:
        """Write the headers and all rows that fit into a sheet."""
        self.losses.row_count = max(0, row_count + 1 - ROWS_MAX)
        visible = islice(lines, ROWS_MAX - 1)
        first = list(islice(visible, _MEASURED_ROWS))
        headers = (*self._own_columns, *result_headers(self._layout.columns))
        self._lay_out(headers, first, row_count)
        link_count = 0
        for line in chain(first, visible):
            link = self._link(line, link_count)
            link_count += bool(link)
            results = list(self._results(line, link))
            self._rows.append(chain(self._own(line), results), self._line_count(results))

    def _line_count(self, results: Sequence[StyledCell]) -> int:
        """Return the lines of the tallest cell among those whose text is wrapped."""
        widths = self._widths[len(self._own_columns) :]
        counts = (
            wrapped_line_count(str(cell.value), width)
            for cell, width in zip(results, widths, strict=True)
            if cell.style.is_wrapped and cell.value is not None
        )
        return max(counts, default=1)

    def _lay_out(self, headers: tuple[str, ...], first: list[ReportRow], row_count: int) -> None:
        """Write the widths, the filter and the headers, which must come before the rows."""
        rows = [(*self._cells(line), *line.results()) for line in first]
        self._widths = [_width(header, (row[number] for row in rows)) for number, header in enumerate(headers)]
        for number, width in enumerate(self._widths, start=1):
            self._sheet.column_dimensions[get_column_letter(number)].width = width
        self._sheet.freeze_panes = "A2"
        self._sheet.auto_filter.ref = f"A1:{get_column_letter(len(headers))}{min(row_count + 1, ROWS_MAX)}"
        self.file = start_rows(self._sheet, self._path)
        self._rows = RowWriter(self._sheet, self.file)
        texts = (self.losses.shorten(header, 1, f"column {number}") for number, header in enumerate(headers, 1))
        self._rows.append(StyledCell(text, _HEAD) for text in texts)

    def _cells(self, line: ReportRow) -> tuple[str, ...]:
        return line.row.cells[: len(self._own_columns)]

    def _own(self, line: ReportRow) -> Iterator[StyledCell]:
        """Yield the user's cells unchanged: as numbers and dates only if Excel shows the same text."""
        for index, text in enumerate(self._cells(line)):
            typed = self._typed(line.row, index, text)
            if typed is None:
                column = self._own_columns[index][:_NAME_LENGTH] or f"column {index + 1}"
                yield StyledCell(self.losses.shorten(text, line.row.row_no, column))
            else:
                yield StyledCell(typed.value, CellStyle(number_format=typed.number_format))

    def _typed(self, row: OrderRow, index: int, text: str) -> TypedValue | None:
        """Return the typed value of a cell by the types of the list, else by its text; ``None`` if it is just text."""
        if index in self._layout.columns_of_text or not row.may_be_value(index):
            return None
        return parse_typed(text, is_value=row.values is not None)

    def _results(self, line: ReportRow, link: str) -> Iterator[StyledCell]:
        for column, value in zip(RESULT_COLUMNS, line.results(), strict=True):
            content = self.losses.shorten(value, line.row.row_no, column) if isinstance(value, str) else value
            cell = _styled(content)
            if column in _WRAPPED:
                cell = cell._replace(style=_WRAPPED_STYLE)
            elif column == "Outcome":
                cell = cell._replace(style=_OUTCOMES.get(str(value), _PLAIN))
            elif column == "Folder" and link:
                cell = StyledCell(cell.value, _LINK, link)
            yield cell

    def _link(self, line: ReportRow, link_count: int) -> str:
        """Return the link to an order's folder; empty if it has none, or if Excel would reject it."""
        if not line.folder:
            return ""
        link = _NOT_IN_LINK.sub(lambda match: quote(match[0]), f"{self._layout.link_prefix}{line.folder}")
        if link_count < LINKS_MAX and len(link) <= LINK_LENGTH_MAX:
            return link
        self.losses.unlinked_count += 1
        return ""


def _write_summary(sheet: Worksheet, summary: Summary, omissions: tuple[str, ...], path: Path) -> None:
    sheet.column_dimensions["A"].width = 28
    sheet.column_dimensions["B"].width = 40
    rows = RowWriter(sheet, start_rows(sheet, path))
    for name, value in _facts(summary):
        rows.append([StyledCell(name), _styled(value)])
    for title, counts in (("Outcome", summary.outcomes), ("What they need", summary.actions)):
        rows.append([])
        rows.append([StyledCell(title, _HEAD), StyledCell("Count", _HEAD)])
        for name, count in counts.items():
            rows.append([StyledCell(name.value, _OUTCOMES.get(name, _PLAIN)), _styled(count)])
    notices = (*summary.notices, *omissions)
    if notices:
        rows.append([])
        rows.append([StyledCell("Notices", _HEAD)])
    for notice in notices:
        rows.append([StyledCell(shorten_text(notice, CUT_MARK))])


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


def _styled(value: Value) -> StyledCell:
    if isinstance(value, str):
        return StyledCell(value)
    return StyledCell(_without_zone(value), _TIME if isinstance(value, datetime) else _NUMBER)


def _without_zone(value: Value) -> Value:
    """Remove the time zone: Excel has none, and the column's name has it."""
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def wrapped_line_count(text: str, width: int) -> int:
    """Return the lines of a wrapped text in a column; a word is not divided, so each line has a little less room."""
    return sum(max(1, math.ceil(len(line) * _WRAP_LOSS / width)) for line in text.split("\n"))


def _width(header: str, values: Iterable[Value]) -> int:
    lines = (line for value in values for line in str(_without_zone(value)).split("\n"))
    wanted = chain([len(header) + _HEADER_ROOM], (len(line) + _TEXT_ROOM for line in lines))
    return min(max(_WIDTH_MIN, *wanted), _WIDTH_MAX)
