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
    #: Sentences about what is not sure.
    doubts: tuple[str, ...] = ()

    @property
    def is_needed(self) -> bool:
        """Return whether names are in a cell."""
        return bool(self.closest)


def name_cell(orders: Sequence[SeenPage], selectors: FileSelectors) -> NameCell:
    """Return the cell that has the names of all files, if no link has a name itself and there is such a cell."""
    files = [item for seen in orders for item in found_files(seen, selectors)]
    if not files or any(_names_itself(item) for item in files):
        return NameCell()
    rows = [row for item in files if (row := row_of(item)) is not None]
    if len(rows) < len(files):
        return NameCell()
    closest = str(rows[0].tag) if not rows[0].get("role") else f"[role='{rows[0].get('role')}']"
    for row, file in zip(rows, files, strict=True):
        for cell in _named_cells(row, file):
            usable = (one.css for one in candidates(cell) if _is_of_names(rows, one.css))
            if css := next(usable, ""):
                return NameCell(closest=closest, selector=css, doubts=_doubts(rows, css))
    return NameCell()


def _names_itself(element: HtmlElement) -> bool:
    return any(has_ending(text.strip()) for text in (text_of(element), *map(element.get, NAMING_ATTRIBUTES)) if text)


def _named_cells(row: HtmlElement, file: HtmlElement) -> Iterator[HtmlElement]:
    """Yield the elements of a row whose whole text is the name of a file, the outermost first."""
    own = {file, *file.iterancestors(), *file.iterdescendants()}
    for item in row.iterdescendants():
        if isinstance(item.tag, str) and item not in own and is_shown(item) and has_ending(text_of(item)):
            yield item


def _is_of_names(rows: Sequence[HtmlElement], css: str) -> bool:
    """Return whether a selector finds a name in each row, as a worker reads it; some names have no ending.

    A cell that says the same for all files, such as who attached them, is none of names.
    """
    texts = [_text_in(row, css) for row in rows]
    bare = [row for row, text in zip(rows, texts, strict=True) if not has_ending(text)]
    is_told_apart = not bare or len({_text_in(row, css) for row in bare}) * 2 > len(bare)
    is_best = not any(_has_ended_text(row) for row in bare)
    return all(texts) and is_told_apart and is_best and len(bare) * 2 <= len(texts)


def _has_ended_text(row: HtmlElement) -> bool:
    return any(has_ending(text_of(item)) for item in row.iterdescendants() if isinstance(item.tag, str))


def _doubts(rows: Sequence[HtmlElement], css: str) -> tuple[str, ...]:
    bare = dict.fromkeys(text for row in rows if not has_ending(text := _text_in(row, css)))
    if not bare:
        return ()
    names = ", ".join(map(repr, bare))
    return (
        f"The list shows names without an ending ({names}); such files have that name, unless the portal sends one.",
    )


def _text_in(row: HtmlElement, css: str) -> str:
    found = row.cssselect(css)
    return text_of(found[0]) if found and found[0] is not row else ""
