"""Defines rows of cells before the header is known, classifies the text of cells, and limits the size of a list.

A few kilobytes can expand to millions of cells: a packed sheet, a far column in every row, one text that all cells
share. Each limit is far above real lists, and the sentence that refuses a file names it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from poolwright.domain.packed_list import ItemCodec
from poolwright.intake.errors import InputRefusedError

_AMOUNT = re.compile(r"[^\w\s]?\s?[+-]?\d[\d.,' \N{NO-BREAK SPACE}]*\s?(?:%|[^\w\s]|[A-Z]{3})?")
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[ T].*)?|\d{1,2}[- ]?[A-Za-z]{3,9}[- ]?\d{2,4}")
_FRACTION = re.compile(r".*\d[.,](?!0{1,2}$)\d{1,2}")
#: A long number behind a bullet, the number of its line or a few short words: ``2) PO No. 4500012345``. A date such as
#: 20240501 may be in a title.
_MARKED = re.compile(r"\W{0,4}(?:[1-9]\d{0,2}\W{1,3} ?)?(?:[^\W\d]{1,4}\W{1,3}){0,3}(?!(?:19|20)\d{6}\b)\d{6,}\W{0,4}")
#: A word with this number or this share of digits is a code rather than a name.
_CODE_DIGITS, _CODE_SHARE = 3, 1 / 3
#: No order number is longer.
_ORDER_LENGTH_MAX = 60


def is_value_cell(cell: str) -> bool:
    """Return whether a cell is a value and not a column name: an amount, a date, or a code such as ``PO-4471``."""
    text = cell.strip()
    return _is_code(text) or any(form.fullmatch(text) for form in (_AMOUNT, _DATE, _MARKED)) if text else False


def can_be_order(cell: str) -> bool:
    """Return whether a cell could be an order number of some portal: it has a digit, and is neither date nor amount."""
    text = cell.strip()
    if not text or len(text) > _ORDER_LENGTH_MAX or not any(map(str.isdigit, text)):
        return False
    return not _DATE.fullmatch(text) and not _FRACTION.fullmatch(text)


def _is_code(text: str) -> bool:
    digit_count = sum(map(str.isdigit, text))
    return " " not in text and digit_count >= min(_CODE_DIGITS, max(1, len(text) * _CODE_SHARE))


#: 100,000 orders with fifty columns each, or a full sheet of Excel with four: about 400 MB of memory.
CELLS_MAX = 5_000_000
#: As many columns as a sheet of Excel can hold.
COLUMNS_MAX = 16_384
#: Thirty times the limit of a cell in Excel; notes of databases are long.
CELL_LENGTH_MAX = 1_000_000
#: As many as a text list of the largest size has; a workbook may let every cell show the same long text.
CHARACTERS_MAX = 200_000_000


class Budget:
    """Counts rows, cells and characters of one list, and refuses it above the limits."""

    def __init__(self, source: str) -> None:
        """Start at zero for the list of this name."""
        self._source = source
        self._row_count = 0
        self._cell_count = 0
        self._character_count = 0

    def count(self, cells: Sequence[str]) -> tuple[str, ...]:
        """Count the cells of the next row, blank ones too, and return them.

        Raises:
            InputRefusedError: The list is above a limit.
        """
        self._row_count += 1
        self._cell_count += len(cells)
        if len(cells) > COLUMNS_MAX:
            raise self._refusal(
                f"has more than {COLUMNS_MAX:,} columns in row {self._row_count}; keep only those that are needed"
            )
        if self._cell_count > CELLS_MAX:
            raise self._refusal(f"has more than {CELLS_MAX:,} cells; split it into several lists")
        lengths = list(map(len, cells))
        self._character_count += sum(lengths)
        if lengths and max(lengths) > CELL_LENGTH_MAX:
            raise self._refusal(
                f"has a cell of more than {CELL_LENGTH_MAX:,} characters in row {self._row_count}; shorten it"
            )
        if self._character_count > CHARACTERS_MAX:
            raise self._refusal(f"has more than {CHARACTERS_MAX:,} characters; split it into several lists")
        return tuple(cells)

    def _refusal(self, what: str) -> InputRefusedError:
        return InputRefusedError(f"{self._source} {what}.")


def check_table_size(width: int, row_count: int, source: str) -> None:
    """Refuse a table that would be too large after its short rows are filled up to the widest one.

    Raises:
        InputRefusedError: It has more cells than a list may have.
    """
    if width * row_count > CELLS_MAX:
        raise InputRefusedError(
            f"{source} has {row_count:,} rows and extends to column {width:,}, which is more than {CELLS_MAX:,} "
            "cells; delete the cells far to the right, or split it into several lists."
        )


#: As many rows as a sheet of Excel can hold.
ROWS_MAX = 1_048_576
#: Rows that a sentence names.
SHOWN_ROWS = 5
#: Shared by all rows without a doubt.
NO_DOUBTS: Mapping[int, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row that is not blank."""

    #: Row number in the sheet, from 1; blank rows count too.
    row_no: int
    #: Text of each cell, as it is in the file.
    cells: tuple[str, ...]
    #: Columns whose cell is not an order number although it looks like one, each with the reason in one sentence.
    doubts: Mapping[int, str] = field(default_factory=lambda: NO_DOUBTS)
    #: Columns whose cell is a single number, so that signs between its digits do not split it.
    one_numbers: frozenset[int] = frozenset()
    #: Columns whose cell is crossed out.
    struck: frozenset[int] = frozenset()
    #: Columns whose cell is a number, a date or a time; ``None`` if the file has no types.
    values: frozenset[int] | None = None

    @property
    def filled_count(self) -> int:
        """Return the number of cells that are not blank."""
        return sum(map(_is_filled, self.cells))


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """All rows of a file that are not blank."""

    rows: Sequence[Row]
    #: Sentences for the user about how it was read.
    notices: tuple[str, ...] = ()
    #: The workbook's sheet that was read; empty for a file without sheets.
    sheet: str = ""


def _encode_row(row: Row) -> list[Any]:
    """Return a row for ``ROW_CODEC``; those of text have cells alone."""
    if row.doubts or row.one_numbers or row.struck or row.values is not None:
        values = None if row.values is None else sorted(row.values)
        doubts = list(row.doubts.items())
        return [row.row_no, row.cells, doubts, sorted(row.one_numbers), sorted(row.struck), values]
    return [row.row_no, row.cells]


def _decode_row(value: list[Any]) -> Row:
    row_no, cells, *rest = value
    if not rest:
        return Row(row_no=row_no, cells=tuple(cells))
    doubts, one_numbers, struck, values = rest
    return Row(
        row_no=row_no,
        cells=tuple(cells),
        doubts=dict(doubts),
        one_numbers=frozenset(one_numbers),
        struck=frozenset(struck),
        values=None if values is None else frozenset(values),
    )


#: How rows are packed.
ROW_CODEC = ItemCodec(_encode_row, _decode_row)
#: How the cells of a record are packed.
RECORD_CODEC: ItemCodec[tuple[str, ...]] = ItemCodec(list, tuple)


def number_rows(records: Iterable[tuple[str, ...]], source: str) -> Iterator[Row]:
    """Number all rows and yield those that are not blank.

    Raises:
        InputRefusedError: There are more rows than a sheet can have.
    """
    for row_no, cells in enumerate(records, start=1):
        check_row_count(row_no, source)
        if any(map(_is_filled, cells)):
            yield Row(row_no=row_no, cells=cells)


def check_row_count(count: int, source: str) -> None:
    """Refuse more rows than a sheet can have.

    Raises:
        InputRefusedError: There are more.
    """
    if count > ROWS_MAX:
        raise InputRefusedError(f"{source} has more than {ROWS_MAX:,} rows; split it into several lists.")


def named_rows(numbers: Sequence[int], count: int | None = None) -> str:
    """Return the rows in words: ``row 3`` or ``rows 3, 5 and 4 more``.

    Args:
        numbers: Their numbers, or the first ``SHOWN_ROWS`` of them.
        count: How many rows there are; ``None`` if all of them are named.
    """
    count = len(numbers) if count is None else count
    if count == 1:
        return f"row {numbers[0]}"
    more = count - SHOWN_ROWS
    tail = f" and {more} more" if more > 0 else ""
    return f"rows {', '.join(map(str, numbers[:SHOWN_ROWS]))}{tail}"


def _is_filled(cell: str) -> bool:
    return bool(cell) and not cell.isspace()
