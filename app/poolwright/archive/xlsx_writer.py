"""Writes the rows of a worksheet to disk one by one, with their styles and links.

openpyxl would write them to the system's temporary folder, which may be in memory, would leave them there after a
cancellation, and would not raise ``OSError`` for a full disk. It also makes an object for each cell and compares its
style with all others, which takes ten times as long as the writing. Here a style is made once, by openpyxl, and every
cell refers to its number. Text stays text: no cell is a formula, and a text that an edit would turn into one is marked.
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
    """A new file that stores the disk's error, as the library raises another one."""

    refusal: OSError | None = None

    def write(self, content: Any, /) -> int:  # noqa: ANN401 - any bytes-like object
        try:
            return super().write(content)
        except OSError as error:
            self.refusal = self.refusal or error
            raise


class SheetFile(WorksheetWriter):
    """The file of one sheet; the library closes it, packs it into the workbook and removes it."""

    def __init__(self, sheet: Worksheet, path: Path) -> None:
        """Create a new file at ``path``."""
        self._path = path
        self.disk = _Disk(path, "w")
        super().__init__(sheet, self.disk)
        self.out = str(path)  # the library packs it by its name
        #: Linked cells and their targets; the library would make three objects and an element for each.
        self.links: list[tuple[str, str]] = []
        self._ends = ExitStack()
        self._rows: Any = None

    def begin(self) -> None:
        """Write all elements before the rows."""
        self.write_top()
        self._rows = self._opened()
        self._ends.enter_context(self._rows.element("sheetData"))

    def _opened(self) -> Any:  # noqa: ANN401 - the library's own class has no types
        """Return the library's writer of the sheet, which is used directly until ``None`` is sent."""
        return self.xf.send(True)  # noqa: FBT003 - the library's protocol

    def write_row_element(self, row: SheetElement) -> None:
        """Write a row."""
        self._rows.write(row)

    def write_rows(self) -> None:
        """End the rows; the library calls this to write its own."""
        self._ends.close()
        self.xf.send(None)

    def write_hyperlinks(self) -> None:
        """Write the linked cells, with the numbers of ``write_targets``."""
        if not self.links:
            return
        out = self._opened()
        with out.element("hyperlinks"):
            for number, (cell, _) in enumerate(self.links, 1):
                with out.element("hyperlink", {"ref": cell, _ID: f"rId{number}"}, nsmap={"r": REL_NS}):
                    pass
        self.xf.send(None)

    def write_targets(self, archive: ZipFile, number: int) -> None:
        """Write the part of the workbook with the link targets of the sheet of this number."""
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
        self._path.unlink(missing_ok=True)


def start_rows(sheet: Worksheet, path: Path) -> SheetFile:
    """Write the rows of a sheet to ``path``. Widths and everything else before the rows must be set by then."""
    writer = SheetFile(sheet, path)
    cast("Any", sheet)._writer = writer  # noqa: SLF001 - a write-only sheet has no public way to replace it
    writer.begin()
    return writer


def _stop_if_refused(open_sheet: Any) -> None:  # noqa: ANN401 - the library's own class has no types
    writer = open_sheet._writer  # noqa: SLF001 - as above
    if isinstance(writer, SheetFile) and writer.disk.refusal is not None:
        raise writer.disk.refusal


@contextmanager
def closing_sheet(sheet: Worksheet) -> Generator[Worksheet]:
    """Close a sheet after the block, also after an error.

    Raises:
        OSError: The disk failed.
    """
    open_sheet, is_closed = cast("Any", sheet), False
    try:
        yield sheet
        open_sheet.close()
        is_closed = True
        _stop_if_refused(open_sheet)  # the library ignores an error at the very end
    except LxmlError:
        _stop_if_refused(open_sheet)
        raise
    finally:
        writer = open_sheet._writer  # noqa: SLF001 - as above
        if isinstance(writer, SheetFile):
            if not is_closed:
                with suppress(LxmlError, OSError, StopIteration):  # the library closes its own elements
                    open_sheet.close()
            writer.disk.close()


CellValue: TypeAlias = str | int | float | date | datetime | time | None

#: The height of a line of text in points, and the most lines for which a row has room.
_LINE_HEIGHT_PT, _LINES_MAX = 15, 25
_FONTS = {"head": Font(bold=True), "link": Font(color="0563C1", underline="single")}
_TOP, _TOP_WRAPPED = Alignment(vertical="top"), Alignment(vertical="top", wrap_text=True)
#: Beginnings of texts that an edit would turn into a formula.
_FORMULA_STARTS = ("=", "+", "-", "@")
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_letters = lru_cache(maxsize=COLUMNS_MAX)(get_column_letter)


class CellStyle(NamedTuple):
    """The style of a cell."""

    number_format: str = TEXT_FORMAT
    is_wrapped: bool = False
    #: The background colour; empty for none.
    fill: str = ""
    #: ``head``, ``link``, or empty.
    font: str = ""
    #: Whether it stays text, also after an edit.
    is_quoted: bool = False


class StyledCell(NamedTuple):
    """The content of a cell with its style."""

    value: CellValue
    style: CellStyle = CellStyle()
    #: The target of its link; empty for none.
    link: str = ""


class RowWriter:
    """Writes the rows of one sheet, from its first one on."""

    def __init__(self, sheet: Worksheet, file: SheetFile) -> None:
        """Write into the file of a sheet."""
        self._sheet = sheet
        self._file = file
        self._row_no = 0
        self._numbers: dict[CellStyle, str] = {}

    def append(self, cells: Iterable[StyledCell], line_count: int = 1) -> None:
        """Write the next row.

        Args:
            cells: Its cells.
            line_count: The lines of its tallest cell. Excel finds the height of a row by itself, other programs do not.

        Raises:
            OSError, lxml.etree.LxmlError: The disk failed.
        """
        self._row_no += 1
        row = Element("row", r=str(self._row_no))
        if line_count > 1:
            row.set("ht", str(min(line_count, _LINES_MAX) * _LINE_HEIGHT_PT))
        for column, (value, style, link) in enumerate(cells, 1):
            cell_name = f"{_letters(column)}{self._row_no}"
            if isinstance(value, str):
                text_style = style._replace(is_quoted=True) if value.startswith(_FORMULA_STARTS) else style
                cell = SubElement(row, "c", r=cell_name, s=self._number_of(text_style))
                _write_text(cell, value)
            else:
                cell = SubElement(row, "c", r=cell_name, s=self._number_of(style))
                if value is not None:
                    SubElement(cell, "v").text = _number(value)
            if link:
                self._file.links.append((cell_name, link))
        self._file.write_row_element(row)

    def _number_of(self, style: CellStyle) -> str:
        number = self._numbers.get(style)
        if number is None:
            number = self._numbers[style] = str(self._styled_cell(style).style_id)
        return number

    def _styled_cell(self, style: CellStyle) -> Cell:
        cell = WriteOnlyCell(self._sheet)
        cell.number_format = style.number_format
        cell.alignment = _TOP_WRAPPED if style.is_wrapped else _TOP
        if style.fill:
            cell.fill = PatternFill("solid", fgColor=style.fill)
        if style.font:
            cell.font = _FONTS[style.font]
        if style.is_quoted:
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
    """Return a number as a cell holds it: dates are numbers of days, binary fractions are rounded to 16 digits."""
    return f"{to_excel(value) if isinstance(value, date | time) else value:.16g}"
