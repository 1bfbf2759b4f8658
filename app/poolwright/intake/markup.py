"""Walks through one XML part of a workbook before a library builds anything of it: what it holds is counted, not kept.

A part of a few bytes a tag becomes hundreds of bytes a tag in memory, and a document type may define texts that
multiply. Both are met here, with a parser that keeps nothing and is stopped at the first thing that is too much.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.parsers import expat

from poolwright.intake.budget import CELL_LENGTH_MAX, CELLS_MAX, COLUMNS_MAX
from poolwright.intake.grid import ROWS_MAX

#: Deeper than any part of a workbook, whose extensions nest about a dozen tags.
DEPTH_MAX = 100
#: Tags in one row of a sheet or one shared text: every column filled, each cell with a formula, a text and its format.
GROUP_MAX = 10 * COLUMNS_MAX
#: Tags outside rows and shared texts: styles, links, merged cells. Excel allows 65,530 links in a sheet.
OTHERS_MAX = 500_000
#: A character may take four bytes, or be written as a reference such as ``&#x1F600;``.
_GAP_BYTES_MAX = 12 * CELL_LENGTH_MAX
#: What holds the rows of a sheet, or the texts that its cells share, by depth and name, in each kind of workbook.
_ROWS_PARENTS = frozenset({(2, "sheetdata"), (3, "table"), (4, "table")})
_TEXTS_PARENTS = frozenset({(1, "sst")})
#: Cells stand in rows, so this deep below what holds the rows.
_CELLS_BELOW = 2


class TooMuchError(Exception):
    """A part holds more than it may. Its text goes on after "a part of it ..."."""


def check_part(chunks: Iterable[bytes]) -> None:
    """Count what an XML part holds. One that is no XML, or broken, ends at the place that the library will refuse too.

    Args:
        chunks: Its bytes, in pieces of any size.

    Raises:
        TooMuchError: It holds more than a workbook may, or defines a document type of its own.
    """
    walk = _Walk()
    try:
        for chunk in chunks:
            walk.feed(chunk)
    except expat.ExpatError:
        return


class _Walk:
    """One pass over one part."""

    def __init__(self) -> None:
        self._depth = 0
        #: Tags that have groups below them, while one is open: all rows of a sheet, all texts of a workbook.
        self._groups_depth = 0
        self._has_rows = False
        self._group_tags = self._group_count = self._other_count = self._cell_count = 0
        self._fed_bytes = self._last_tag_byte = 0
        self._parser = expat.ParserCreate()
        self._parser.StartDoctypeDeclHandler = self._refuse_doctype
        self._parser.StartElementHandler = self._open
        self._parser.EndElementHandler = self._close

    def feed(self, chunk: bytes) -> None:
        self._parser.Parse(chunk)
        self._fed_bytes += len(chunk)
        if self._fed_bytes - self._last_tag_byte > _GAP_BYTES_MAX:
            raise TooMuchError(f"has a text of more than {CELL_LENGTH_MAX:,} characters")

    def _refuse_doctype(self, *_: object) -> None:
        raise TooMuchError("defines its own document type, which no spreadsheet program does")

    def _open(self, name: str, _: object) -> None:
        self._last_tag_byte = self._parser.CurrentByteIndex
        self._depth += 1
        if self._groups_depth:
            self._count_in_groups()
            return
        place = (self._depth, name.rpartition(":")[2].casefold())
        if place in _ROWS_PARENTS or place in _TEXTS_PARENTS:
            self._groups_depth = self._depth
            self._has_rows = place in _ROWS_PARENTS
            self._group_count = 0
            return
        self._other_count += 1
        if self._other_count > OTHERS_MAX or self._depth > DEPTH_MAX:
            raise TooMuchError(f"holds more than {OTHERS_MAX:,} tags beside its rows, or nests them too deep")

    def _count_in_groups(self) -> None:
        """A row or text begins, or something within one."""
        below = self._depth - self._groups_depth
        if below == 1:
            self._group_count += 1
            self._group_tags = 0
            if self._group_count > (ROWS_MAX if self._has_rows else CELLS_MAX):
                raise TooMuchError(f"holds more than {ROWS_MAX:,} rows or {CELLS_MAX:,} texts")
            return
        self._group_tags += 1
        self._cell_count += self._has_rows and below == _CELLS_BELOW
        if self._cell_count > CELLS_MAX:
            raise TooMuchError(f"holds more than {CELLS_MAX:,} cells")
        if self._group_tags > GROUP_MAX or below > DEPTH_MAX:
            raise TooMuchError(f"has a row or a text of more than {GROUP_MAX:,} tags, or nested too deep")

    def _close(self, _: str) -> None:
        if self._depth == self._groups_depth:
            self._groups_depth = 0
        self._depth -= 1
