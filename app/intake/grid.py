"""Rows of cells, before anyone knows which of them is the header."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from app.intake.errors import InputRefusedError

#: As many rows as a sheet of Excel can hold.
ROWS_MAX = 1_048_576


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row that is not blank."""

    #: As a person counts rows in the sheet, blank ones too; from 1.
    row_no: int
    #: Text of each cell, as it stands in the file.
    cells: tuple[str, ...]

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
        if row_no > ROWS_MAX:
            raise InputRefusedError(f"{source} has more than {ROWS_MAX:,} rows; split it into several lists.")
        if any(map(_is_filled, cells)):
            yield Row(row_no=row_no, cells=cells)


def _is_filled(cell: str) -> bool:
    return bool(cell) and not cell.isspace()
