"""How much a list may hold, counted cell by cell while it is read, so that no file can exhaust the memory.

A few kilobytes can ask for millions of cells: a packed sheet, a far column in every row, one text that all cells share.
Each limit is far above honest lists and named in the sentence that refuses the file.
"""

from __future__ import annotations

from collections.abc import Sequence

from poolwright.intake.errors import InputRefusedError

#: A hundred thousand orders with fifty columns each, or a full sheet of Excel with four: about 400 MB of memory.
CELLS_MAX = 5_000_000
#: As many columns as a sheet of Excel can hold.
COLUMNS_MAX = 16_384
#: Thirty times what a cell of Excel can hold; notes of databases are long.
CELL_LENGTH_MAX = 1_000_000
#: As many as a text list of the largest size has; a workbook may let every cell show the same long text.
CHARACTERS_MAX = 200_000_000


class Budget:
    """Counts what one list holds."""

    def __init__(self, source: str) -> None:
        """Begin to count for the list of this name."""
        self._source = source
        self._row_count = 0
        self._cell_count = 0
        self._character_count = 0

    def spent(self, cells: Sequence[str]) -> tuple[str, ...]:
        """Count the cells of the next row, blank ones too, and hand them back.

        Raises:
            InputRefusedError: The list holds more than it may.
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


def check_table(width: int, row_count: int, source: str) -> None:
    """Refuse a table that would grow too large when its short rows are filled up to its widest one.

    Raises:
        InputRefusedError: It has more cells than a list may have.
    """
    if width * row_count > CELLS_MAX:
        raise InputRefusedError(
            f"{source} has {row_count:,} rows and extends to column {width:,}, which is more than {CELLS_MAX:,} "
            "cells; delete what is far to the right, or split it into several lists."
        )
