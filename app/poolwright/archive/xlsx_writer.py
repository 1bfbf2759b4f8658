"""Writes the rows of a worksheet to disk one by one, with their styles and links.

The library would put them where the system keeps small temporary files, which may be in memory, and would leave them
there when the writing is given up. What a full disk says to it would be no ``OSError`` either.

The library makes an object for each cell and compares its looks with all others, which takes ten times as long as the
writing. Here a kind of look is made once, by the library, and every cell that has it tells its number. Text is text:
no cell is a formula, and what somebody's edit would turn into one is marked.
"""

from __future__ import annotations

import io
from collections.abc import Generator, Iterable
from contextlib import ExitStack, contextmanager, suppress
from datetime import date, datetime, time
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, cast
from zipfile import ZipFile

from lxml import etree
from lxml.etree import Element, LxmlError, SubElement, xmlfile
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import to_excel  # pyright: ignore[reportUnknownVariableType]
from openpyxl.worksheet._writer import WorksheetWriter
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.xml.constants import PKG_REL_NS, REL_NS

from poolwright.archive.excel_limits import COLUMNS_MAX, TEXT_FORMAT, escape_text

#: The library has no public name for it.
SheetElement = etree._Element  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
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

    def write_row_element(self, row: SheetElement) -> None:
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


def start_rows(sheet: Worksheet, place: Path) -> SheetFile:
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
def closing_sheet(sheet: Worksheet) -> Generator[Worksheet]:
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


CellValue: TypeAlias = str | int | float | date | datetime | time | None

_FONTS = {"head": Font(bold=True), "link": Font(color="0563C1", underline="single")}
_TOP, _TOP_WRAPPED = Alignment(vertical="top"), Alignment(vertical="top", wrap_text=True)
#: What somebody's edit would turn into a formula.
_FORMULA_STARTS = ("=", "+", "-", "@")
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_letters = lru_cache(maxsize=COLUMNS_MAX)(get_column_letter)


class CellStyle(NamedTuple):
    """How a cell looks."""

    number_format: str = TEXT_FORMAT
    is_wrapped: bool = False
    #: The colour behind it; empty for none.
    fill: str = ""
    #: ``head``, ``link``, or nothing.
    font: str = ""
    #: Whether it stays text, also when somebody edits it.
    is_quoted: bool = False


class StyledCell(NamedTuple):
    """What a cell is to show."""

    value: CellValue
    look: CellStyle = CellStyle()
    #: Where a click leads; empty for nowhere.
    link: str = ""


class RowWriter:
    """The rows of one sheet, from its first one on."""

    def __init__(self, sheet: Worksheet, file: SheetFile) -> None:
        """Write into the file of a sheet."""
        self._sheet = sheet
        self._file = file
        self._row_no = 0
        self._numbers: dict[CellStyle, str] = {}

    def append(self, cells: Iterable[StyledCell]) -> None:
        """Write the next row.

        Raises:
            OSError, lxml.etree.LxmlError: The disk does not take it.
        """
        self._row_no += 1
        row = Element("row", r=str(self._row_no))
        for column, (value, look, link) in enumerate(cells, 1):
            place = f"{_letters(column)}{self._row_no}"
            if isinstance(value, str):
                kept = look._replace(is_quoted=True) if value.startswith(_FORMULA_STARTS) else look
                cell = SubElement(row, "c", r=place, s=self._number_of(kept))
                _write_text(cell, value)
            else:
                cell = SubElement(row, "c", r=place, s=self._number_of(look))
                if value is not None:
                    SubElement(cell, "v").text = _number(value)
            if link:
                self._file.links.append((place, link))
        self._file.write_row_element(row)

    def _number_of(self, look: CellStyle) -> str:
        number = self._numbers.get(look)
        if number is None:
            number = self._numbers[look] = str(self._styled_cell(look).style_id)
        return number

    def _styled_cell(self, look: CellStyle) -> Cell:
        cell = WriteOnlyCell(self._sheet)
        cell.number_format = look.number_format
        cell.alignment = _TOP_WRAPPED if look.is_wrapped else _TOP
        if look.fill:
            cell.fill = PatternFill("solid", fgColor=look.fill)
        if look.font:
            cell.font = _FONTS[look.font]
        if look.is_quoted:
            cell.quotePrefix = True
        return cell


def _write_text(cell: Element, value: str) -> None:
    text = escape_text(value)
    if not text:
        return
    cell.set("t", "inlineStr")
    inner = SubElement(SubElement(cell, "is"), "t")
    inner.text = text
    if text != text.strip():
        inner.set(_SPACE, "preserve")


def _number(value: float | date | datetime | time) -> str:
    """As a cell holds it: a moment is a number of days, and noise of binary fractions is none."""
    return f"{to_excel(value) if isinstance(value, date | time) else value:.16g}"
