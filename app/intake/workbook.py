"""An Excel workbook (.xlsx, .xlsm) becomes rows of cells, each as the text that a person sees in it.

Values only, never formulas or macros. Numbers come without ``.0`` and with the leading zeros of their format, dates as
ISO 8601. Hidden sheets are read only when they are named.
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from typing import Protocol, cast
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.workbook import Workbook

from app.intake.budget import Budget
from app.intake.errors import InputRefusedError
from app.intake.grid import Grid, Row, number_rows
from app.intake.package import check_package

#: The sheet that is meant when a workbook has it and none is named.
PREFERRED_SHEET = "PO_Data"
#: A format of leading zeros only, with or without a fixed text before them: ``0000000000``, ``"PO"0000000000``.
_PADDED = re.compile(r'(?:"([^"]*)")?(0+)')
#: Excel keeps 15 digits of a number and makes the rest zeros.
_EXACT_BELOW = 10**15
#: What workbooks that were broken in thousands of ways made the libraries raise.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    ParseError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    EOFError,
    RuntimeError,
    OSError,
)


class _CellToRead(Protocol):
    """What is wanted of a cell."""

    @property
    def value(self) -> object: ...
    @property
    def number_format(self) -> str | None: ...


class _SheetToRead(Protocol):
    """What is wanted of a sheet in the library's reading mode."""

    @property
    def title(self) -> str: ...
    @property
    def sheet_state(self) -> str: ...
    @property
    def rows(self) -> Iterable[Iterable[_CellToRead]]: ...
    def reset_dimensions(self) -> None: ...


def read_workbook(content: bytes, source: str, sheet_name: str | None = None) -> Grid:
    """Read one sheet: the named one, else ``PO_Data``, else the first visible one that holds anything.

    Raises:
        InputRefusedError: It is no workbook, damaged, too much, without such a sheet, or without data.
    """
    with warnings.catch_warnings():
        # The library warns of styles and extensions that a reader of values does not need.
        warnings.simplefilter("ignore", UserWarning)
        try:
            check_package(content, source)
            workbook = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
            return _first_grid(workbook, source, sheet_name)
        except _DAMAGE as error:
            raise InputRefusedError(
                f"{source} cannot be read as an Excel workbook: it is damaged. Open it in Excel and save it anew."
            ) from error


def _first_grid(workbook: Workbook, source: str, sheet_name: str | None) -> Grid:
    # The library's types describe sheets of the editing mode.
    sheets = cast("list[_SheetToRead]", workbook.worksheets)
    for sheet in _named(sheets, sheet_name, source) if sheet_name else _by_preference(sheets):
        rows = tuple(_rows(sheet, source))
        if rows:
            return Grid(rows=rows, notices=tuple(_notices(sheet, sheets)) if not sheet_name else ())
    where = f"sheet {sheet_name!r} of {source}" if sheet_name else source
    raise InputRefusedError(f"{where} is empty; give a list with an order number in each row.")


def _named(sheets: Sequence[_SheetToRead], name: str, source: str) -> list[_SheetToRead]:
    found = [sheet for sheet in sheets if sheet.title.strip().casefold() == name.strip().casefold()]
    if not found:
        titles = ", ".join(repr(sheet.title) for sheet in sheets)
        raise InputRefusedError(f"{source} has no sheet {name!r}; its sheets are: {titles}.")
    return found


def _by_preference(sheets: Sequence[_SheetToRead]) -> list[_SheetToRead]:
    visible = [sheet for sheet in sheets if sheet.sheet_state == "visible"]
    return sorted(visible, key=lambda sheet: sheet.title.casefold() != PREFERRED_SHEET.casefold())


def _notices(taken: _SheetToRead, sheets: Sequence[_SheetToRead]) -> Iterator[str]:
    others = ", ".join(repr(sheet.title) for sheet in sheets if sheet is not taken)
    if others:
        yield f"The orders were read from sheet {taken.title!r}; name another with --sheet: {others}."


def _rows(sheet: _SheetToRead, source: str) -> Iterator[Row]:
    # Some programs write a wrong size into the sheet; without it every row is read.
    sheet.reset_dimensions()
    budget = Budget(source)
    records = (budget.spent(tuple(map(_text, cells))) for cells in sheet.rows)
    return number_rows(records, source)


def _text(cell: _CellToRead) -> str:
    """What a person sees in a cell, as far as it matters to a list."""
    match cell.value:
        case None:
            return ""
        case bool() as flag:
            return str(flag).upper()
        case int() | float() as number:
            return _number_text(number, cell.number_format or "")
        case date() | time() as moment:
            return _moment_text(moment)
        case other:
            return str(other)


def _moment_text(moment: date | time) -> str:
    """ISO 8601; a day without a time of day is a day."""
    if isinstance(moment, datetime):
        return moment.date().isoformat() if moment.time() == time.min else moment.isoformat(sep=" ")
    return moment.isoformat()


def _number_text(number: float, number_format: str) -> str:
    """Whole numbers without a fraction, with the zeros that their format puts in front.

    A number of more digits than Excel keeps is written in its scientific notation, which nobody takes for an order.
    """
    if abs(number) >= _EXACT_BELOW:
        return f"{number:.15G}"
    if isinstance(number, float) and not number.is_integer():
        return repr(number)
    padded = _PADDED.fullmatch(number_format)
    if not padded:
        return str(int(number))
    return (padded[1] or "") + str(int(number)).zfill(len(padded[2]))
