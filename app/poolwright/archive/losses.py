"""What a report cannot show: so that nothing is lost without a word, neither in a workbook nor on the disk."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from poolwright.archive.excel import COLUMNS_MAX, ROWS_MAX, TEXT_MAX, length, shortened

#: At the end of a text that a cell cannot hold.
CUT = " ... [cut]"


@dataclass(slots=True)
class Losses:
    """Counts what did not fit into a workbook while it is written."""

    #: Where the whole of it is.
    elsewhere: str
    cut_count: int = 0
    first_cut: str = ""
    column_count: int = 0
    row_count: int = 0
    unlinked_count: int = 0

    def cut(self, text: str, row_no: int, column: str) -> str:
        """As much of a text as a cell holds."""
        kept = shortened(text, CUT)
        if kept is not text:
            self.cut_count += 1
            where = f"row {row_no}, {column}: {length(text):,} characters"
            self.first_cut = self.first_cut or where
        return kept

    def sentences(self) -> Iterator[str]:
        """Them, for people."""
        if self.cut_count:
            also = f", and {self.cut_count - 1:,} more" if self.cut_count > 1 else ""
            told = f"an Excel cell holds at most {TEXT_MAX:,} characters"
            yield f"Shortened ({self.first_cut}{also}): {told}; the full text is in {self.elsewhere}."
        if self.column_count:
            told = f"A sheet holds {COLUMNS_MAX:,} columns; the last {self.column_count:,} of the list"
            yield f"{told} are only in {self.elsewhere}."
        if self.row_count:
            yield f"A sheet holds {ROWS_MAX:,} rows; the other {self.row_count:,} rows are only in {self.elsewhere}."
        if self.unlinked_count:
            yield f"{self.unlinked_count:,} folders have no link: Excel limits the number and the length of links."


@dataclass(slots=True)
class Gone:
    """Counts the folders of orders that were removed or moved since they were filed."""

    #: The output folder; nothing where nobody knows it.
    out: Path | None
    count: int = 0
    first: str = ""

    def look_for(self, folder: str) -> None:
        """Count a folder if it is missing. A disk that does not answer proves nothing. Blocking."""
        if self.out is None:
            return
        with contextlib.suppress(OSError):
            try:
                (self.out / folder).stat()
            except (FileNotFoundError, NotADirectoryError):
                self.count += 1
                self.first = self.first or folder

    def sentences(self) -> Iterator[str]:
        """Them, for people."""
        if self.count:
            also = f" and {self.count - 1:,} more" if self.count > 1 else ""
            told = f"{self.first}{also}: no longer in {self.out}, where the files were put"
            yield f"{told}. Move them back, or run the list again to download the missing files again."
