"""The report as an Excel workbook: the sheet ``Report`` with every row, and the sheet ``Summary`` with counts.

Written row by row, so that a list of any length needs no more memory. Every text is written as text: nothing that a
list or a portal holds becomes a formula, and numbers of orders keep their leading zeros. Other numbers and dates of the
list are numbers and dates. What Excel cannot hold is left out, and said.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping
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

#: Width in letters; columns are measured by their first rows.
_WIDTH_MIN, _WIDTH_MAX, _MEASURED_ROWS = 8, 60, 200
_WRAPPED = frozenset({"What to do", "Detail", "File names"})
_TIME_FORMAT = "yyyy-mm-dd hh:mm:ss"
#: As much of a column's name as is told.
_NAMED = 40
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
_WRAPPED_LOOK, _LINK = CellStyle(is_wrapped=True), CellStyle(font="link")
#: What a link to a folder means otherwise; letters of every language may stay.
_NOT_IN_LINK = re.compile(r"[%#?\s\"<>^`{}|]")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkbookLayout:
    """What of a list goes where."""

    #: The user's own.
    columns: tuple[str, ...]
    #: The places of those that hold names and no numbers, whatever they look like.
    columns_of_text: frozenset[int] = field(default=frozenset())
    #: What leads from the workbook to the output folder, for links: nothing, or ``../`` and the like.
    link_prefix: str
    #: Name of the file that holds what a workbook cannot.
    full_report: str


def write_workbook(
    path: Path,
    layout: WorkbookLayout,
    lines: Iterable[ReportRow],
    summary: Summary,
    cancel_check: CancelCheck = never_cancel,
) -> tuple[str, ...]:
    """Write the whole workbook to ``path``; returns what it could not take, a sentence each.

    Args:
        path: The file to write.
        layout: What goes where.
        lines: Every row of the list, in order.
        summary: What the second sheet tells.
        cancel_check: Called now and then; what it raises ends the writing.

    Raises:
        OSError: The file cannot be written.
    """
    workbook = Workbook(write_only=True)
    places = [path.with_name(f"{path.name}.{number}") for number in (1, 2)]
    try:
        with closing_sheet(workbook.create_sheet("Report")) as sheet:
            table = _ReportSheet(sheet, layout, places[0])
            table.write(lines, summary.row_count)
        losses = tuple(table.losses.sentences())
        with closing_sheet(workbook.create_sheet("Summary")) as sheet:
            _write_summary(sheet, summary, losses, places[1])
        with (
            io.BufferedWriter(_CancellableFile(path, cancel_check)) as file,
            ZipFile(file, "w", ZIP_DEFLATED) as archive,
        ):
            table.file.write_targets(archive, 1)
            ExcelWriter(workbook, archive).write_data()
    finally:
        for place in places:
            place.unlink(missing_ok=True)
    return losses


class _CancellableFile(io.FileIO):
    """A new file that asks before each piece whether anybody wants it; after a no it takes the rest unasked."""

    def __init__(self, path: Path, cancel_check: CancelCheck) -> None:
        super().__init__(path, "w")
        self._cancel_check = cancel_check

    def write(self, content: Any, /) -> int:  # noqa: ANN401 - whatever a file takes
        cancel_check, self._cancel_check = self._cancel_check, never_cancel
        cancel_check()
        self._cancel_check = cancel_check
        return super().write(content)


class _ReportSheet:
    """The sheet with every row of the list."""

    def __init__(self, sheet: Worksheet, layout: WorkbookLayout, place: Path) -> None:
        self._place = place
        self.losses = Omissions(layout.full_report)
        self._sheet = sheet
        self._layout = layout
        #: The columns of results come first where there is no room for all.
        self._own_columns = layout.columns[: COLUMNS_MAX - len(RESULT_COLUMNS)]
        self.losses.column_count = len(layout.columns) - len(self._own_columns)

    def write(self, lines: Iterable[ReportRow], row_count: int) -> None:
        """Write the headers and all rows that a sheet holds."""
        self.losses.row_count = max(0, row_count + 1 - ROWS_MAX)
        shown = islice(lines, ROWS_MAX - 1)
        first = list(islice(shown, _MEASURED_ROWS))
        headers = (*self._own_columns, *result_headers(self._layout.columns))
        self._lay_out(headers, first, row_count)
        link_count = 0
        for line in chain(first, shown):
            link = self._link(line, link_count)
            link_count += bool(link)
            self._rows.append(chain(self._own(line), self._results(line, link)))

    def _lay_out(self, headers: tuple[str, ...], first: list[ReportRow], row_count: int) -> None:
        """Widths, filter and the row of headers, all of which a sheet takes before its rows alone."""
        for number, header in enumerate(headers):
            values = ((*self._cells(line), *line.results())[number] for line in first)
            self._sheet.column_dimensions[get_column_letter(number + 1)].width = _width(header, values)
        self._sheet.freeze_panes = "A2"
        self._sheet.auto_filter.ref = f"A1:{get_column_letter(len(headers))}{min(row_count + 1, ROWS_MAX)}"
        self.file = start_rows(self._sheet, self._place)
        self._rows = RowWriter(self._sheet, self.file)
        kept = (self.losses.shorten(header, 1, f"column {number}") for number, header in enumerate(headers, 1))
        self._rows.append(StyledCell(header, _HEAD) for header in kept)

    def _cells(self, line: ReportRow) -> tuple[str, ...]:
        return line.row.cells[: len(self._own_columns)]

    def _own(self, line: ReportRow) -> Iterator[StyledCell]:
        """The user's cells as they were given: numbers and dates where their text can be nothing else."""
        for place, text in enumerate(self._cells(line)):
            found = self._typed(line.row, place, text)
            if found is None:
                column = self._own_columns[place][:_NAMED] or f"column {place + 1}"
                yield StyledCell(self.losses.shorten(text, line.row.row_no, column))
            else:
                yield StyledCell(found.value, CellStyle(number_format=found.number_format))

    def _typed(self, row: OrderRow, place: int, text: str) -> TypedValue | None:
        """What a cell is more than its text: as the list tells, or else as it looks."""
        if place in self._layout.columns_of_text or not row.may_be_value(place):
            return None
        return parse_typed(text, is_value=row.values is not None)

    def _results(self, line: ReportRow, link: str) -> Iterator[StyledCell]:
        for column, value in zip(RESULT_COLUMNS, line.results(), strict=True):
            kept = self.losses.shorten(value, line.row.row_no, column) if isinstance(value, str) else value
            shown = _shown(kept)
            if column in _WRAPPED:
                shown = shown._replace(look=_WRAPPED_LOOK)
            elif column == "Outcome":
                shown = shown._replace(look=_OUTCOMES.get(str(value), _PLAIN))
            elif column == "Folder" and link:
                shown = StyledCell(shown.value, _LINK, link)
            yield shown

    def _link(self, line: ReportRow, link_count: int) -> str:
        """The address of an order's folder; empty where it has none, or Excel would not take it."""
        if not line.folder:
            return ""
        link = _NOT_IN_LINK.sub(lambda found: quote(found[0]), f"{self._layout.link_prefix}{line.folder}")
        if link_count < LINKS_MAX and len(link) <= LINK_LENGTH_MAX:
            return link
        self.losses.unlinked_count += 1
        return ""


def _write_summary(sheet: Worksheet, summary: Summary, losses: tuple[str, ...], place: Path) -> None:
    sheet.column_dimensions["A"].width = 28
    sheet.column_dimensions["B"].width = 40
    rows = RowWriter(sheet, start_rows(sheet, place))
    for name, value in _facts(summary):
        rows.append([StyledCell(name), _shown(value)])
    for title, counts in (("Outcome", summary.outcomes), ("What they need", summary.actions)):
        rows.append([])
        rows.append([StyledCell(title, _HEAD), StyledCell("Count", _HEAD)])
        for name, count in counts.items():
            rows.append([StyledCell(name.value, _OUTCOMES.get(name, _PLAIN)), _shown(count)])
    notices = (*summary.notices, *losses)
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


def _shown(value: Value) -> StyledCell:
    if isinstance(value, str):
        return StyledCell(value)
    return StyledCell(_without_zone(value), _TIME if isinstance(value, datetime) else _NUMBER)


def _without_zone(value: Value) -> Value:
    """Excel knows no time zones; the column's name says which one it is."""
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def _width(header: str, values: Iterable[Value]) -> int:
    texts = chain([header], (text for value in values for text in str(_without_zone(value)).split("\n")))
    return min(max(_WIDTH_MIN, *(len(text) + 2 for text in texts)), _WIDTH_MAX)
