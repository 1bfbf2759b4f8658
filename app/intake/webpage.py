"""The tables of a web page become rows of cells, one table below the other, as Excel shows them."""

from __future__ import annotations

from collections.abc import Iterator

import lxml.html
from lxml import etree

from app.intake.budget import COLUMNS_MAX
from app.intake.errors import InputRefusedError
from app.intake.grid import Grid
from app.intake.workbooks.cell import Cell
from app.intake.workbooks.parts import Element
from app.intake.workbooks.sheet_rows import SheetRows, cells_at

#: A tag costs a hundred times what it takes in the file.
TAGS_MAX = 3_000_000
_BREAKS = frozenset({"br", "p", "div", "li", "tr", "h1", "h2", "h3"})
_UNSEEN = frozenset({"script", "style", "template", "noscript"})
_AS_NEW = "save the list as .xlsx or as CSV UTF-8"


def read_web_page(text: str, source: str) -> Grid:
    """Read the rows of all tables; rows that only hold other tables are none.

    Raises:
        InputRefusedError: It has no table, or holds more than a list may.
    """
    if text.count("<") > TAGS_MAX:
        raise InputRefusedError(f"{source} is a web page of more than {TAGS_MAX:,} tags; {_AS_NEW}.")
    rows = SheetRows(source=source, knows_types=False)
    try:
        _read(lxml.html.document_fromstring(text.encode(), parser=lxml.html.HTMLParser(encoding="utf-8")), rows)
    except etree.LxmlError as error:
        raise InputRefusedError(f"{source} is a web page that cannot be read; {_AS_NEW}.") from error
    if not rows.rows:
        raise InputRefusedError(f"{source} is a web page without a table, perhaps a login or error page; {_AS_NEW}.")
    rows.notices.insert(0, f"{source} is a web page, whatever its name says; the rows of its tables were read.")
    return rows.grid()


def _read(page: Element, rows: SheetRows) -> None:
    table = None
    spans: dict[int, tuple[int, Cell]] = {}
    for row in page.iter("tr"):
        if next(row.iterdescendants("table"), None) is not None:
            continue
        own = next(row.iterancestors("table"), None)
        if own is not table:
            table, spans = own, {}
        rows.add(rows.place(None), cells_at(_cells(row, spans)), is_hidden=_is_hidden(row))


def _cells(row: Element, spans: dict[int, tuple[int, Cell]]) -> Iterator[tuple[int, Cell]]:
    """Cells with their columns; one that reaches over several rows stands in each of them."""
    above = dict(spans)
    spans.clear()
    column = 0
    for element in row.iterchildren("td", "th"):
        while column in above:
            yield _spanned(column, above, spans)
            column += 1
        cell = Cell(_text(element))
        yield column, cell
        height = _count(element, "rowspan")
        if height > 1:
            spans[column] = (height - 1, cell)
        column += _count(element, "colspan")
    for left in sorted(place for place in above if place >= column):
        yield _spanned(left, above, spans)


def _spanned(column: int, above: dict[int, tuple[int, Cell]], spans: dict[int, tuple[int, Cell]]) -> tuple[int, Cell]:
    height, cell = above[column]
    if height > 1:
        spans[column] = (height - 1, cell)
    return column, cell


def _count(element: Element, name: str) -> int:
    text = (element.get(name) or "1").strip()
    return max(1, min(int(text), COLUMNS_MAX)) if text.isascii() and text.isdigit() else 1


def _text(cell: Element) -> str:
    """What a person reads in a cell, line by line."""
    pieces: list[str] = []
    for event, element in etree.iterwalk(cell, events=("start", "end", "comment", "pi")):
        if event == "start":
            if element.tag in _BREAKS:
                pieces.append("\n")
            if element.tag not in _UNSEEN:
                pieces.append(_in_one_line(element.text))
        elif element is not cell:
            pieces.append(_in_one_line(element.tail))
    lines = (" ".join(line.split()) for line in "".join(pieces).split("\n"))
    return "\n".join(filter(None, lines))


def _in_one_line(text: str | None) -> str:
    return (text or "").replace("\n", " ").replace("\r", " ")


def _is_hidden(row: Element) -> bool:
    style = (row.get("style") or "").replace(" ", "").casefold()
    return "display:none" in style or "mso-ignore:display" in style or row.get("hidden") is not None
