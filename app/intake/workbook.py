"""A workbook becomes rows of cells, each as the text that a person sees in it.

Values only, never formulas or macros. Numbers come as their format shows them, dates as ISO 8601. Hidden sheets are
read only when they are named.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence

from lxml import etree

from app.intake.errors import InputRefusedError
from app.intake.grid import Grid
from app.intake.package import check_package
from app.intake.workbooks.ooxml import ooxml_pages
from app.intake.workbooks.page import Page

#: The sheet that is meant when a workbook has it and none is named.
PREFERRED_SHEET = "PO_Data"
#: What workbooks that were broken in thousands of ways made the libraries raise.
_DAMAGE = (
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
    """Read one sheet: the named one, else ``PO_Data``, else the first visible one that holds anything.

    Raises:
        InputRefusedError: It is no workbook, damaged, too much, without such a sheet, or without data.
    """
    try:
        check_package(content, source)
        return _first_grid(ooxml_pages(content, source), source, sheet_name)
    except _DAMAGE as error:
        raise InputRefusedError(
            f"{source} cannot be read as an Excel workbook: it is damaged. Open it in Excel and save it anew."
        ) from error


def _first_grid(pages: Sequence[Page], source: str, sheet_name: str | None) -> Grid:
    for page in _named(pages, sheet_name, source) if sheet_name else _by_preference(pages):
        grid = page.read()
        if grid.rows:
            others = tuple(_notices(page, pages)) if not sheet_name else ()
            return Grid(rows=grid.rows, notices=(*others, *grid.notices))
    where = f"sheet {sheet_name!r} of {source}" if sheet_name else source
    raise InputRefusedError(f"{where} is empty; give a list with an order number in each row.")


def _named(pages: Sequence[Page], name: str, source: str) -> list[Page]:
    found = [page for page in pages if page.title.strip().casefold() == name.strip().casefold()]
    if not found:
        titles = ", ".join(repr(page.title) for page in pages)
        raise InputRefusedError(f"{source} has no sheet {name!r}; its sheets are: {titles}.")
    return found


def _by_preference(pages: Sequence[Page]) -> list[Page]:
    visible = [page for page in pages if page.is_visible]
    return sorted(visible, key=lambda page: page.title.casefold() != PREFERRED_SHEET.casefold())


def _notices(taken: Page, pages: Sequence[Page]) -> Iterator[str]:
    others = ", ".join(repr(page.title) for page in pages if page is not taken)
    if others:
        yield f"The orders were read from sheet {taken.title!r}; name another with --sheet: {others}."
