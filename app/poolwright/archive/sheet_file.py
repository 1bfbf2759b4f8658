"""Where the rows of a sheet are while a workbook is written: beside it, on the disk that has to take it anyway.

The library would put them where the system keeps small temporary files, which may be in memory, and would leave them
there when the writing is given up. What a full disk says to it would be no ``OSError`` either.
"""

from __future__ import annotations

import io
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, cast
from zipfile import ZipFile

from lxml import etree
from lxml.etree import LxmlError, xmlfile
from openpyxl.worksheet._writer import WorksheetWriter
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.xml.constants import PKG_REL_NS, REL_NS

#: The library has no public name for it.
Element = etree._Element  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
_ID = f"{{{REL_NS}}}id"
_TARGETS = "xl/worksheets/_rels/sheet{}.xml.rels"


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
        #: Cells and where they lead; the library makes three objects and an element for each.
        self.links: list[tuple[str, str]] = []
        self._ends = ExitStack()
        self._rows: Any = None

    def begin(self) -> None:
        """Write all that stands before rows."""
        self.write_top()
        self._rows = self._opened()
        self._ends.enter_context(self._rows.element("sheetData"))

    def _opened(self) -> Any:  # noqa: ANN401 - the library's own class has no types
        """The sheet, to be written into by hand until nothing is sent."""
        return self.xf.send(True)  # noqa: FBT003 - the library's word for that

    def write_row_element(self, row: Element) -> None:
        """Write a row."""
        self._rows.write(row)

    def write_rows(self) -> None:
        """End the rows; the library calls that where it would write its own."""
        self._ends.close()
        self.xf.send(None)

    def write_hyperlinks(self) -> None:
        """Write where cells lead, by the numbers that ``write_targets`` gives."""
        if not self.links:
            return
        out = self._opened()
        with out.element("hyperlinks"):
            for number, (place, _) in enumerate(self.links, 1):
                with out.element("hyperlink", {"ref": place, _ID: f"rId{number}"}, nsmap={"r": REL_NS}):
                    pass
        self.xf.send(None)

    def write_targets(self, archive: ZipFile, number: int) -> None:
        """Write the part of the workbook that says where the links of its sheet of this number lead."""
        if not self.links:
            return
        with (
            archive.open(_TARGETS.format(number), "w") as part,
            xmlfile(part, encoding="utf-8") as out,
            out.element("Relationships", xmlns=PKG_REL_NS),
        ):
            for link_no, (_, target) in enumerate(self.links, 1):
                kind = {"Type": f"{REL_NS}/hyperlink", "TargetMode": "External"}
                out.write(etree.Element("Relationship", {"Id": f"rId{link_no}", "Target": target, **kind}))

    def cleanup(self) -> None:
        """Remove the file."""
        self._place.unlink(missing_ok=True)


def begin_rows(sheet: Worksheet, place: Path) -> SheetFile:
    """Let the rows of a sheet go to ``place``. Widths and all else that stands before rows must be set by then."""
    writer = SheetFile(sheet, place)
    cast("Any", sheet)._writer = writer  # noqa: SLF001 - a sheet that is only written has no other door
    writer.begin()
    return writer


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
