"""Cells of a sheet that is written row by row, as the elements that a workbook has for them.

The library makes an object for each cell and compares its looks with all others, which takes ten times as long as the
writing. Here a kind of look is made once, by the library, and every cell that has it tells its number. Text is text:
no cell is a formula, and what somebody's edit would turn into one is marked.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from lxml.etree import Element, SubElement
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import to_excel  # pyright: ignore[reportUnknownVariableType]
from openpyxl.worksheet.worksheet import Worksheet

from poolwright.archive.excel import COLUMNS_MAX, TEXT_FORMAT, escaped
from poolwright.archive.sheet_file import SheetFile

Shown: TypeAlias = str | int | float | date | datetime | time | None

_FONTS = {"head": Font(bold=True), "link": Font(color="0563C1", underline="single")}
_TOP, _TOP_WRAPPED = Alignment(vertical="top"), Alignment(vertical="top", wrap_text=True)
#: What somebody's edit would turn into a formula.
_FORMULA_STARTS = ("=", "+", "-", "@")
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_letters = lru_cache(maxsize=COLUMNS_MAX)(get_column_letter)


class Look(NamedTuple):
    """How a cell looks."""

    number_format: str = TEXT_FORMAT
    is_wrapped: bool = False
    #: The colour behind it; empty for none.
    fill: str = ""
    #: ``head``, ``link``, or nothing.
    font: str = ""
    #: Whether it stays text, also when somebody edits it.
    is_quoted: bool = False


class ShownCell(NamedTuple):
    """What a cell is to show."""

    value: Shown
    look: Look = Look()
    #: Where a click leads; empty for nowhere.
    link: str = ""


class Cells:
    """The rows of one sheet, from its first one on."""

    def __init__(self, sheet: Worksheet, file: SheetFile) -> None:
        """Write into the file of a sheet."""
        self._sheet = sheet
        self._file = file
        self._row_no = 0
        self._numbers: dict[Look, str] = {}

    def append(self, cells: Iterable[ShownCell]) -> None:
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

    def _number_of(self, look: Look) -> str:
        number = self._numbers.get(look)
        if number is None:
            number = self._numbers[look] = str(self._made(look).style_id)
        return number

    def _made(self, look: Look) -> Cell:
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
    text = escaped(value)
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
