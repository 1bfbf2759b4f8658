"""Decides where a list shows the names of its files, if the links themselves say only "Download". Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lxml.html import HtmlElement

from poolwright.files.names import has_ending
from poolwright.learn.examples import NAMING_ATTRIBUTES, SeenPage, row_of
from poolwright.learn.file_links import FileSelectors, found_files
from poolwright.learn.page_tree import is_shown, text_of
from poolwright.learn.selectors import candidates


@dataclass(frozen=True, slots=True, kw_only=True)
class NameCell:
    """The cell of a row that has the name of the row's file; without selectors if the links have names themselves."""

    closest: str = ""
    selector: str = ""

    @property
    def is_needed(self) -> bool:
        """Return whether names are in a cell."""
        return bool(self.closest)


def name_cell(orders: Sequence[SeenPage], selectors: FileSelectors) -> NameCell:
    """Return the cell that has the names of all files, if no link has a name itself and there is such a cell."""
    files = [item for seen in orders for item in found_files(seen, selectors)]
    if not files or any(_names_itself(item) for item in files):
        return NameCell()
    rows = [row_of(item) for item in files]
    first = rows[0]
    if first is None or any(row is None for row in rows):
        return NameCell()
    closest = str(first.tag) if not first.get("role") else f"[role='{first.get('role')}']"
    for cell in _named_cells(first, files[0]):
        for candidate in candidates(cell):
            if all(row is not None and _is_name(row, candidate.css) for row in rows):
                return NameCell(closest=closest, selector=candidate.css)
    return NameCell()


def _names_itself(element: HtmlElement) -> bool:
    return any(has_ending(text.strip()) for text in (text_of(element), *map(element.get, NAMING_ATTRIBUTES)) if text)


def _named_cells(row: HtmlElement, file: HtmlElement) -> Iterator[HtmlElement]:
    """Yield the elements of a row whose whole text is the name of a file, the outermost first."""
    own = {file, *file.iterancestors(), *file.iterdescendants()}
    for item in row.iterdescendants():
        if isinstance(item.tag, str) and item not in own and is_shown(item) and has_ending(text_of(item)):
            yield item


def _is_name(row: HtmlElement, css: str) -> bool:
    """Return whether the first match within a row is the name of a file, as a worker reads it."""
    found = row.cssselect(css)
    return bool(found) and found[0] is not row and has_ending(text_of(found[0]))
