"""Reads a list as a table: its columns, its rows of text, and notices about how it was read.

Cells and names are kept as they are in the file; only blank rows, titles and rows that describe columns are removed.
Short rows are filled up with empty cells, and cells beyond the header get columns of their own.

The readers of workbooks and web pages are imported when they are needed: their libraries are a third of all that a run
loads, and plain text needs none of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from poolwright.domain.packed_list import pack
from poolwright.intake.content_kind import (
    CONTENT_BYTES_MAX,
    ContentKind,
    TextKind,
    detect_content_kind,
    detect_text_kind,
)
from poolwright.intake.csv_reader import read_csv
from poolwright.intake.encoding import decode
from poolwright.intake.errors import InputRefusedError
from poolwright.intake.grid import ROW_CODEC, Grid, Row, check_table_size
from poolwright.intake.header import TableFrame, find_frame, remove_repeated_headers, remove_ruled_lines

_POSITION = re.compile(r"#(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A list as a table."""

    #: File name, or the text used in its place.
    source: str
    #: Names as they are in the file, repeated ones too; ``#1``, ``#2`` … where there are none.
    columns: tuple[str, ...]
    rows: Sequence[Row]
    has_header: bool
    #: Numbers of the rows that repeat the header.
    repeats: tuple[int, ...] = ()
    notices: tuple[str, ...] = ()
    #: The workbook's sheet that was read; empty for a file without sheets.
    sheet: str = ""
    #: Number of the row with the names; ``None`` without a header.
    header_row_no: int | None = None


def column_position(name: str) -> int | None:
    """Return the position in ``#3``, from 1; ``None`` for a name."""
    match = _POSITION.fullmatch(name.strip())
    return int(match[1]) if match else None


def read_table(path: Path, *, sheet_name: str | None = None, column: str | None = None) -> Table:
    """Read a list from a file; its content decides the format, not its name.

    Args:
        path: CSV or other delimited text, or an Excel workbook.
        sheet_name: Sheet of the workbook, compared without case.
        column: Name of the order column if the user gave it; helps to find the header.

    Raises:
        InputRefusedError: The file cannot be read or contains no table.
    """
    source = path.name.encode("utf-8", "replace").decode()
    return parse_table(_content_of(path), source, sheet_name=sheet_name, column=column)


def parse_table(content: bytes, source: str, *, sheet_name: str | None = None, column: str | None = None) -> Table:
    """Read a list from bytes.

    Raises:
        InputRefusedError: The bytes contain no table.
    """
    grid = remove_ruled_lines(_grid_of(content, source, sheet_name))
    if not grid.rows:
        raise InputRefusedError(f"{source} is empty; give a list with an order number in each row.")
    frame = remove_repeated_headers(
        find_frame(grid.rows, column if column and column_position(column) is None else None)
    )
    if not frame.rows:
        raise InputRefusedError(f"{source} has a header but no rows below it; give a list with at least one order.")
    return _table_of(frame, grid, source)


def _content_of(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise InputRefusedError(f"{path} is a folder; give the list inside it.")
        with path.open("rb") as file:
            return file.read(CONTENT_BYTES_MAX + 1)
    except FileNotFoundError as error:
        raise InputRefusedError(f"There is no file {path}; check its name and folder.") from error
    except OSError as error:
        raise InputRefusedError(
            f"{path} cannot be read ({error.strerror}); check its permissions and close it in other programs."
        ) from error


def _grid_of(content: bytes, source: str, sheet_name: str | None) -> Grid:
    kind = detect_content_kind(content, source)
    if kind is ContentKind.TEXT:
        return _text_grid(content, source, sheet_name)

    from poolwright.intake.workbook_reader import read_workbook, read_xls_workbook  # noqa: PLC0415 - see the module's docstring

    return (read_workbook if kind is ContentKind.WORKBOOK else read_xls_workbook)(content, source, sheet_name)


def _text_grid(content: bytes, source: str, sheet_name: str | None) -> Grid:
    decoded = decode(content, source)
    match detect_text_kind(decoded.text, source):
        case TextKind.XML:
            from poolwright.intake.workbook_reader import read_xml_workbook  # noqa: PLC0415 - see the module's docstring

            return read_xml_workbook(content, source, sheet_name)
        case TextKind.WEB_PAGE:
            from poolwright.intake.html_reader import read_html  # noqa: PLC0415 - see the module's docstring

            grid = read_html(decoded.text, source)
        case TextKind.LIST:
            grid = read_csv(decoded.text, source)
    notices = [decoded.notice] if decoded.notice else []
    if sheet_name:
        notices.append(f"{source} is text and has no sheets; --sheet {sheet_name} was not needed.")
    return Grid(rows=grid.rows, notices=(*notices, *grid.notices))


def _table_of(frame: TableFrame, grid: Grid, source: str) -> Table:
    names = frame.header.cells if frame.header else ()
    lengths, width = set[int](), _filled_width(names)
    for row in frame.rows:
        lengths.add(len(row.cells))
        width = max(width, _filled_width(row.cells))
    check_table_size(width, len(frame.rows), source)
    columns = tuple(names[position] if position < len(names) else f"#{position + 1}" for position in range(width))
    return Table(
        source=source,
        columns=columns,
        rows=frame.rows if lengths == {width} else pack((_fitted(row, width) for row in frame.rows), ROW_CODEC),
        has_header=frame.header is not None,
        repeats=frame.repeats,
        notices=(*grid.notices, *frame.notices),
        sheet=grid.sheet,
        header_row_no=frame.header.row_no if frame.header is not None else None,
    )


def _filled_width(cells: Sequence[str]) -> int:
    """Return the number of cells up to the last one that is not blank."""
    return next((width for width in range(len(cells), 0, -1) if cells[width - 1].strip()), 0)


def _fitted(row: Row, width: int) -> Row:
    if len(row.cells) == width:
        return row
    return replace(row, cells=(*row.cells, *[""] * (width - len(row.cells)))[:width])
