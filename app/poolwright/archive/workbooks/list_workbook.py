"""The workbook from which a list was read, as the user has it on the disk.

It is read once more at the end of a run, for its copy with the results. Whoever has changed it meanwhile gets no copy:
the rows may be others by then, and results beside other rows would be wrong without a sign of it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from poolwright.files.disk import sha256_of

#: Endings of workbooks of which a copy can be made.
FILLABLE_SUFFIXES = frozenset({".xlsx", ".xlsm"})


class NotFillableError(Exception):
    """A workbook cannot be filled. The message is a part of a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListWorkbook:
    """The user's workbook, as it was when its list was read."""

    path: Path
    #: That of its content then.
    sha256: str
    #: Name of the sheet with the list.
    sheet: str
    #: Row with the names of the columns; ``None`` if the list has none.
    header_row_no: int | None

    @classmethod
    def find(cls, path: Path, sheet: str, header_row_no: int | None) -> Self | None:
        """Return the workbook of a list that was just read; ``None`` if its file is none of which a copy can be made.

        Args:
            path: The file of the list.
            sheet: The sheet with the list; empty for a file without sheets.
            header_row_no: Row with the names of the columns; ``None`` if the list has none.
        """
        if not sheet or path.suffix.lower() not in FILLABLE_SUFFIXES:
            return None
        try:
            sha256 = sha256_of(path)
        except OSError:
            sha256 = ""  # it is gone already, and its absence is told at the end
        return cls(path=path, sha256=sha256, sheet=sheet, header_row_no=header_row_no)

    def content(self) -> bytes:
        """Return the whole workbook.

        Raises:
            NotFillableError: It is gone, or is no longer what the list was read from.
        """
        try:
            content = self.path.read_bytes()
        except OSError as error:
            msg = f"{self.path} cannot be read ({error.strerror})"
            raise NotFillableError(msg) from error
        if hashlib.sha256(content).hexdigest() != self.sha256:
            msg = f"{self.path} was changed after the list was read"
            raise NotFillableError(msg)
        return content
