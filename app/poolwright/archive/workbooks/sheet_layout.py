"""Finds out what is where in the XML of a sheet, in bytes, so that cells can be added without another change. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from openpyxl.utils import column_index_from_string

from poolwright.files.disk import CancelCheck

_REFERENCE = re.compile(r"([A-Z]{1,3})\d+")


class SheetDamagedError(Exception):
    """The XML of a sheet is damaged."""


@dataclass(slots=True)
class SheetRow:
    """A row of the sheet: where its parts are in the bytes."""

    number: int
    #: Name of the element, with its prefix.
    name: str
    start: int
    #: Where its first tag ends, and where further cells belong.
    tag_end: int = 0
    end: int = 0
    last_column: int = 0
    #: Style of its last cell; empty for none.
    style: str = ""


@dataclass(slots=True)
class SheetLayout:
    """What is where in the part of a sheet, in bytes."""

    rows: list[SheetRow] = field(default_factory=list[SheetRow])
    #: The last column with a cell, or in a merged area.
    last_column: int = 0
    #: Each range of columns with its attributes.
    columns: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    #: The element with them: its prefix, and where it begins and ends; ``None`` if there is none.
    columns_at: tuple[int, int] | None = None
    prefix: str = ""
    data_at: int = 0
    dimension_at: int | None = None

    @property
    def next_row_no(self) -> int:
        """The number of a row that has none of its own."""
        return self.rows[-1].number + 1 if self.rows else 1

    def add_cell(self, attributes: Mapping[str, str]) -> None:
        """Add the next cell of the last row."""
        if not self.rows:
            raise SheetDamagedError("a cell is in no row of the sheet")
        row, reference = self.rows[-1], _REFERENCE.fullmatch(attributes.get("r", ""))
        row.last_column = column_index_from_string(reference[1]) if reference else row.last_column + 1
        row.style = attributes.get("s", "")
        self.last_column = max(self.last_column, row.last_column)


def sheet_layout(content: bytes, cancel_check: CancelCheck) -> SheetLayout:
    """Return what is where in the XML of a sheet.

    Raises:
        SheetDamagedError: It is no XML, or a number or reference in it is none.
    """
    return _SheetParser(content, cancel_check).parse()


class _SheetParser:
    """Parses the XML of one sheet."""

    def __init__(self, content: bytes, cancel_check: CancelCheck) -> None:
        self._content = content
        self._cancel_check = cancel_check
        self._layout = SheetLayout()
        self._above = [""]
        self._parser = expat.ParserCreate()
        #: An element counts only in its place: a form's control in a sheet has elements called row and col, too.
        self._starts: Mapping[tuple[str, str], Callable[[str, dict[str, str]], None]] = {
            ("sheetData", "row"): self._start_row,
            ("row", "c"): self._start_cell,
            ("mergeCells", "mergeCell"): self._start_area,
            ("worksheet", "cols"): self._start_columns,
            ("cols", "col"): self._start_column,
            ("worksheet", "sheetData"): self._start_data,
            ("worksheet", "dimension"): self._start_dimension,
        }

    def parse(self) -> SheetLayout:
        self._parser.StartElementHandler, self._parser.EndElementHandler = self._start, self._end
        try:
            self._parser.Parse(self._content, True)  # noqa: FBT003 - the library's own order of arguments
        except expat.ExpatError as error:
            raise SheetDamagedError(str(error)) from error
        return self._layout

    @property
    def _at(self) -> int:
        return self._parser.CurrentByteIndex

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if handler := self._starts.get((self._above[-1], local)):
            handler(name, attributes)
        self._above.append(local)

    def _start_row(self, name: str, attributes: dict[str, str]) -> None:
        self._cancel_check()
        number = _number(attributes, "r") if "r" in attributes else self._layout.next_row_no
        row = SheetRow(number=number, name=name, start=self._at, tag_end=tag_end(self._content, self._at))
        self._layout.rows.append(row)

    def _start_cell(self, _: str, attributes: dict[str, str]) -> None:
        self._layout.add_cell(attributes)

    def _start_area(self, _: str, attributes: dict[str, str]) -> None:
        ends = [column_index_from_string(found[1]) for found in _REFERENCE.finditer(attributes.get("ref", ""))]
        if not ends:
            raise SheetDamagedError("a merged area has no place")
        self._layout.last_column = max(self._layout.last_column, *ends)

    def _start_columns(self, _: str, __: dict[str, str]) -> None:
        self._layout.columns_at = (self._at, tag_end(self._content, self._at))

    def _start_column(self, _: str, attributes: dict[str, str]) -> None:
        for name in ("min", "max"):
            _number(attributes, name)
        self._layout.columns.append(attributes)

    def _start_data(self, name: str, _: dict[str, str]) -> None:
        self._layout.data_at, self._layout.prefix = self._at, name.removesuffix("sheetData")

    def _start_dimension(self, _: str, __: dict[str, str]) -> None:
        self._layout.dimension_at = self._at

    def _end(self, _: str) -> None:
        place = (self._above.pop(), self._above[-1])
        if place == ("row", "sheetData"):
            self._layout.rows[-1].end = self._at
        elif place == ("cols", "worksheet") and self._content.startswith(b"</", self._at):
            start, _end = self._layout.columns_at or (self._at, self._at)
            self._layout.columns_at = (start, tag_end(self._content, self._at))


def _number(attributes: Mapping[str, str], name: str) -> int:
    try:
        return int(attributes[name])
    except (KeyError, ValueError) as error:
        raise SheetDamagedError(f"{name} is no number") from error


def tag_end(content: bytes, start: int) -> int:
    """Return the place behind a tag; no attribute of a sheet's elements holds a bracket that is not escaped."""
    return content.index(b">", start) + 1
