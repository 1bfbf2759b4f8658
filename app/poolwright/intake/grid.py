"""Rows of cells, before anyone knows which of them is the header."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from poolwright.intake.errors import InputRefusedError

#: As many rows as a sheet of Excel can hold.
ROWS_MAX = 1_048_576
_SHOWN_ROWS = 5
#: All rows without a doubt share it.
NO_DOUBTS: Mapping[int, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row that is not blank."""

    #: As a person counts rows in the sheet, blank ones too; from 1.
    row_no: int
    #: Text of each cell, as it stands in the file.
    cells: tuple[str, ...]
    #: Columns whose cell is no number whatever its text looks like, each with one sentence: why.
    doubts: Mapping[int, str] = field(default_factory=lambda: NO_DOUBTS)
    #: Columns whose cell holds a single number, so that signs between its digits part nothing.
    one_numbers: frozenset[int] = frozenset()
    #: Columns whose cell is crossed out.
    struck: frozenset[int] = frozenset()
    #: Columns whose cell holds a number, a date or a time; nothing where the file tells no types.
    values: frozenset[int] | None = None

    @property
    def filled_count(self) -> int:
        """How many cells hold anything."""
        return sum(map(_is_filled, self.cells))


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Everything that a file holds."""

    rows: tuple[Row, ...]
    #: What the user should know about how it was read.
    notices: tuple[str, ...] = ()


def number_rows(records: Iterable[tuple[str, ...]], source: str) -> Iterator[Row]:
    """Count all rows, keep those that hold anything.

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


def named_rows(numbers: Sequence[int]) -> str:
    """``row 3`` or ``rows 3, 5 and 4 more``."""
    if len(numbers) == 1:
        return f"row {numbers[0]}"
    more = len(numbers) - _SHOWN_ROWS
    tail = f" and {more} more" if more > 0 else ""
    return f"rows {', '.join(map(str, numbers[:_SHOWN_ROWS]))}{tail}"


def _is_filled(cell: str) -> bool:
    return bool(cell) and not cell.isspace()
