"""Where the rows of a sheet are while a workbook is written: beside it, on the disk that has to take it anyway.

The library would put them where the system keeps small temporary files, which may be in memory, and would leave them
there when the writing is given up. What a full disk says to it would be no ``OSError`` either.
"""

from __future__ import annotations

import io
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

from lxml.etree import LxmlError
from openpyxl.worksheet._writer import WorksheetWriter
from openpyxl.worksheet.worksheet import Worksheet


class _Disk(io.FileIO):
    """A new file that remembers what the disk said: the library tells it in words of its own."""

    refusal: OSError | None = None

    def write(self, content: Any, /) -> int:  # noqa: ANN401 - whatever a file takes
        try:
            return super().write(content)
        except OSError as error:
            self.refusal = self.refusal or error
            raise


class SheetFile(WorksheetWriter):
    """The file of one sheet; the library closes it, packs it into the workbook and removes it."""

    def __init__(self, sheet: Worksheet, place: Path) -> None:
        """Begin a new file at ``place``."""
        self._place = place
        self.disk = _Disk(place, "w")
        super().__init__(sheet, self.disk)
        self.out = str(place)  # is packed by its name

    def cleanup(self) -> None:
        """Remove the file."""
        self._place.unlink(missing_ok=True)


def begin_rows(sheet: Worksheet, place: Path) -> None:
    """Let the rows of a sheet go to ``place``. Widths and all else that stands before rows must be set by then."""
    writer = SheetFile(sheet, place)
    cast("Any", sheet)._writer = writer  # noqa: SLF001 - a sheet that is only written has no other door
    writer.write_top()


def _stop_if_refused(open_sheet: Any) -> None:  # noqa: ANN401 - the library's own class has no types
    writer = open_sheet._writer  # noqa: SLF001 - as above
    if isinstance(writer, SheetFile) and writer.disk.refusal is not None:
        raise writer.disk.refusal


@contextmanager
def closed(sheet: Worksheet) -> Generator[Worksheet]:
    """End a sheet after the block, also one that was given up.

    Raises:
        OSError: The disk did not take it.
    """
    open_sheet, is_whole = cast("Any", sheet), False
    try:
        yield sheet
        open_sheet.close()
        is_whole = True
        _stop_if_refused(open_sheet)  # what came at the very end, the library passes over
    except LxmlError:
        _stop_if_refused(open_sheet)
        raise
    finally:
        writer = open_sheet._writer  # noqa: SLF001 - as above
        if isinstance(writer, SheetFile):
            if not is_whole:
                with suppress(LxmlError, OSError, StopIteration):  # the library ends what it began
                    open_sheet.close()
            writer.disk.close()
