"""Reads one sheet of a workbook of any kind into rows of cells, each as the text that a person sees.

Only values are read, never formulas or macros. Numbers are formatted as their cell shows them, dates as ISO 8601. A
hidden sheet is read only when it is named.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

from lxml import etree
from xlrd.biffh import XLRDError
from xlrd.compdoc import CompDocError

from poolwright.intake.errors import InputRefusedError
from poolwright.intake.grid import Grid
from poolwright.intake.workbook_guard import TooMuchError, check_package, check_xml_part
from poolwright.intake.workbooks.ods import CONTENT, is_flat_ods, ods_pages
from poolwright.intake.workbooks.ooxml import ooxml_pages
from poolwright.intake.workbooks.parts import PackageParts
from poolwright.intake.workbooks.sheet_rows import SheetPage
from poolwright.intake.workbooks.xls import xls_pages
from poolwright.intake.workbooks.xlsb import WORKBOOK, xlsb_pages
from poolwright.intake.workbooks.xml2003 import xml_pages

#: The sheet that is read when none is named.
PREFERRED_SHEET = "PO_Data"
#: Errors that the libraries raised for workbooks broken in thousands of ways.
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    etree.LxmlError,
    struct.error,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    EOFError,
    RuntimeError,
    OSError,
)


def read_workbook(content: bytes, source: str, sheet_name: str | None = None) -> Grid:
    """Read one sheet of a packed workbook: the named one, else ``PO_Data``, else the first visible one with data.

    Raises:
        InputRefusedError: It is no workbook, is damaged or above a limit, or has no such sheet or no data.
    """
    try:
        check_package(content, source)
        parts = PackageParts(content)
        return _first_grid(_packed_pages(parts, source), source, sheet_name)
    except DAMAGE as error:
        raise _damaged(source) from error


def read_xls_workbook(content: bytes, source: str, sheet_name: str | None = None) -> Grid:
    """Read one sheet of a workbook of Excel until 2003, as ``read_workbook`` does.

    Raises:
        InputRefusedError: It is damaged, has a password, is above a limit, or has no such sheet or no data.
    """
    try:
        return _first_grid(xls_pages(content, source), source, sheet_name)
    except (*DAMAGE, XLRDError, CompDocError, AssertionError) as error:
        raise _damaged(source, "an old Excel workbook (.xls)") from error


def read_xml_workbook(content: bytes, source: str, sheet_name: str | None = None) -> Grid:
    """Read one sheet of a workbook that is a single XML file, as ``read_workbook`` does.

    Raises:
        InputRefusedError: It is other XML, is damaged or above a limit, or has no such sheet or no data.
    """
    try:
        check_xml_part([content])
        pages = (
            ods_pages(PackageParts.from_file(CONTENT, content), source)
            if is_flat_ods(content)
            else xml_pages(content, source)
        )
    except TooMuchError as error:
        raise InputRefusedError(f"{source} is refused: a part of it {error}; save the list as CSV.") from error
    except DAMAGE as error:
        raise _damaged(source, "an XML file") from error
    if not pages:
        raise InputRefusedError(
            f"{source} is an XML file, not a spreadsheet; open it in the program that made it and save it as .xlsx or "
            "as CSV UTF-8."
        )
    grid = _first_grid(pages, source, sheet_name)
    return replace(grid, notices=(f"{source} is an XML spreadsheet; its cells were read.", *grid.notices))


def _packed_pages(parts: PackageParts, source: str) -> list[SheetPage]:
    if CONTENT in parts:
        return ods_pages(parts, source)
    return xlsb_pages(parts, source) if WORKBOOK in parts else ooxml_pages(parts, source)


def _damaged(source: str, what: str = "an Excel workbook") -> InputRefusedError:
    return InputRefusedError(f"{source} cannot be read as {what}: it is damaged. Open it in Excel and save it again.")


def _first_grid(pages: Sequence[SheetPage], source: str, sheet_name: str | None) -> Grid:
    for page in _named(pages, sheet_name, source) if sheet_name else _by_preference(pages):
        grid = page.read()
        if grid.rows:
            others = tuple(_notices(page, pages)) if not sheet_name else ()
            return Grid(rows=grid.rows, notices=(*others, *grid.notices), sheet=page.title)
    hidden = [repr(page.title) for page in pages if not page.is_visible]
    if hidden and not sheet_name and len(hidden) == len(pages):
        raise InputRefusedError(f"All sheets of {source} are hidden; name one with --sheet: {', '.join(hidden)}.")
    where = f"sheet {sheet_name!r} of {source}" if sheet_name else source
    raise InputRefusedError(f"{where} is empty; give a list with an order number in each row.")


def _named(pages: Sequence[SheetPage], name: str, source: str) -> list[SheetPage]:
    matches = [page for page in pages if page.title.strip().casefold() == name.strip().casefold()]
    if not matches:
        titles = ", ".join(repr(page.title) for page in pages)
        raise InputRefusedError(f"{source} has no sheet {name!r}; its sheets are: {titles}.")
    return matches


def _by_preference(pages: Sequence[SheetPage]) -> list[SheetPage]:
    visible = [page for page in pages if page.is_visible]
    return sorted(visible, key=lambda page: page.title.casefold() != PREFERRED_SHEET.casefold())


def _notices(taken: SheetPage, pages: Sequence[SheetPage]) -> Iterator[str]:
    others = ", ".join(repr(page.title) for page in pages if page is not taken)
    if others:
        yield f"The orders were read from sheet {taken.title!r}; name another with --sheet: {others}."
