"""Reads the tables of a web page into rows of cells, one table below the other, as Excel shows them.

Programs that name a web page ``.xls`` write the format of a cell into its style, which Excel applies and browsers
ignore: Excel shows ``0000123456`` where the page has ``123456``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import lxml.html
from lxml import etree

from poolwright.intake.errors import InputRefusedError
from poolwright.intake.grid import COLUMNS_MAX, Grid
from poolwright.intake.workbooks.cell import EMPTY, Cell, formula_cell, number_cell, struck
from poolwright.intake.workbooks.parts import Element
from poolwright.intake.workbooks.sheet_rows import SheetRows, cells_at

_RULE = re.compile(r"([.#][\w-]+)[^{}]*\{([^{}]*)\}")
_FORMAT = re.compile(r"mso-number-format\s*:\s*(\"[^\"]*\"|'[^']*'|[^;]*)", re.IGNORECASE)
#: A character by its number, or one that has a meaning of its own in a style.
_ESCAPE = re.compile(r"\\(?:00([0-9A-F]{2})|(.))", re.IGNORECASE)
#: A number without leading zeros: a format could only remove them.
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:E[+-]?\d+)?", re.IGNORECASE)
_HIDDEN = re.compile(r"display:none|visibility:(?:collapse|hidden)|mso-ignore:display", re.IGNORECASE)
_STRIKE = re.compile(r"text-decoration[\w-]*\s*:[^;]*line-through", re.IGNORECASE)
_STRUCK = frozenset({"s", "strike", "del"})
#: Formats by name; all others are written out.
_NAMED = {"Short Date": "yyyy-mm-dd", "Long Date": "yyyy-mm-dd", "Medium Date": "yyyy-mm-dd", "Text": "@"}


@dataclass(frozen=True, slots=True)
class PageStyles:
    """The styles of a page by class name or id, with the sign in front of it: ``.xl24``."""

    classes: dict[str, str]

    @classmethod
    def from_page(cls, page: Element) -> PageStyles:
        """Return the styles that are in the page itself."""
        sheets = "".join(str(style.text or "") for style in page.iter("style"))
        return cls(dict(_RULE.findall(sheets)))

    def is_hidden(self, element: Element) -> bool:
        """Return whether a browser hides a row or cell."""
        return element.get("hidden") is not None or bool(_HIDDEN.search(self._style_of(element).replace(" ", "")))

    def is_struck(self, element: Element) -> bool:
        """Return whether a cell, or digits in it, are crossed out by a style or an element."""
        if any(_STRIKE.search(self._style_of(item)) for item in (element, *element.iterancestors("tr"))):
            return True
        within = [_letters(item) for item in element.iterdescendants() if self.strikes(item)]
        return any(letters == _letters(element) or any(map(str.isdigit, letters)) for letters in within if letters)

    def strikes(self, element: Element) -> bool:
        """Return whether an element itself crosses out its content."""
        return element.tag in _STRUCK or (
            isinstance(element.tag, str) and bool(_STRIKE.search(self._style_of(element)))
        )

    def cell(self, text: str, element: Element) -> Cell:
        """Return a cell as a spreadsheet program shows it: a number by its format, all else unchanged."""
        cell = self._valued(text, element)
        formula = str(element.get("x:fmla") or "")
        return formula_cell(cell, formula.lstrip("=")) if formula else cell

    def _valued(self, text: str, element: Element) -> Cell:
        value = str(element.get("x:num") or "").strip() or text
        match = _FORMAT.search(self._style_of(element))
        if (not match and value == text) or not _NUMBER.fullmatch(value):
            return Cell(text)
        code = _unescaped(match[1].strip().strip("\"'")) if match else ""
        return number_cell(float(value), _NAMED.get(code, code))

    def _style_of(self, element: Element) -> str:
        """Return the element's own style, followed by those of its classes and its id."""
        names = [f".{name}" for name in str(element.get("class") or "").split()]
        if element.get("id"):
            names.append(f"#{element.get('id')}")
        return ";".join([str(element.get("style") or ""), *(self.classes.get(name, "") for name in names)])


def _letters(element: Element) -> str:
    return "".join("".join(map(str, element.itertext())).split())


def _unescaped(code: str) -> str:
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)) if match[1] else match[2], code)


#: A tag takes a hundred times its size in the file.
TAGS_MAX = 3_000_000
_BREAKS = frozenset({
    "br", "hr", "p", "div", "li", "ul", "ol", "dl", "dt", "dd", "h1", "h2", "h3", "h4", "h5", "h6", "center", "pre",
    "blockquote", "article", "section", "form", "fieldset", "address",
})  # fmt: skip
#: Elements separate from the text around them; a raised ``o`` belongs to its ``N``, a raised digit does not.
_APART = frozenset({
    "a", "del", "s", "strike", "ins", "option", "button", "img", "input", "select", "textarea", "svg", "object",
    "iframe", "video", "canvas", "label",
})  # fmt: skip
_RAISED = frozenset({"sup", "sub"})
#: Tags without content that the library takes for open ones: invisible positions where a line may break.
_VOID = re.compile(r"</?(?:wbr|source|track)\b[^>]*>", re.IGNORECASE)
#: Ends of the page: browsers show what follows, as programs that join several pages into one file expect.
_END = re.compile(r"</\s*(?:html|body)\b[^>]*>", re.IGNORECASE)
#: A cell, and whatever may enclose text that looks like one.
_CELL_MARK = re.compile(r"(<!--)(-?>)?|(-->)|<(/?)(script|style|template|textarea|t[dh])\b", re.IGNORECASE)
#: Where an element begins or ends, it stays invisible between digits as long as order numbers; no text contains it.
_EDGE, _LONG_EDGE = "\0", re.compile(r"(\d{4})\0+(?=\d{4})")
_UNSEEN = frozenset({"script", "style", "template", "noscript", "table"})
_AS_NEW = "save the list as .xlsx or as CSV UTF-8"


def read_html(text: str, source: str) -> Grid:
    """Read the rows of all tables, without rows that only contain other tables.

    Raises:
        InputRefusedError: It has no table, or is above a limit.
    """
    if text.count("<") > TAGS_MAX:
        raise InputRefusedError(f"{source} is a web page of more than {TAGS_MAX:,} tags; {_AS_NEW}.")
    rows = SheetRows(source=source, knows_types=False)
    plain = _END.sub("", _VOID.sub("\N{ZERO WIDTH SPACE}", text)).encode()
    try:
        page = lxml.html.document_fromstring(plain, parser=lxml.html.HTMLParser(encoding="utf-8", huge_tree=True))
        found_count = sum(1 for row in page.iter("tr") for _ in row.iterchildren("td", "th"))
        _read(page, rows)
    except etree.LxmlError as error:
        raise InputRefusedError(f"{source} is a web page that cannot be read; {_AS_NEW}.") from error
    if not rows.rows:
        raise InputRefusedError(f"{source} is a web page without a table, perhaps a login or error page; {_AS_NEW}.")
    rows.notices.insert(0, f"{source} is a web page despite its name; the rows of its tables were read.")
    cell_count = _cell_count(text)
    if found_count < cell_count:
        rows.notices.append(
            f"{cell_count - found_count} of the {cell_count} cells of {source} were not read, since its tags are "
            "broken or nested too deeply; check that no row is missing."
        )
    return rows.grid()


def _cell_count(text: str) -> int:
    """Return the number of cells that a page has by its tags, without those in comments and scripts."""
    count = 0
    within = ""
    for mark in _CELL_MARK.finditer(text):
        opens, closes_at_once, closes, slash, name = mark.groups()
        name = (name or "").casefold()
        if within:
            within = "" if (closes and within == "<!--") or (slash and name == within) else within
        elif opens:
            within = "" if closes_at_once else opens
        elif name in {"td", "th"}:
            count += not slash
        elif name and not slash:
            within = name
    return count


def _read(page: Element, rows: SheetRows) -> None:
    styles = PageStyles.from_page(page)
    spans: dict[Element | None, dict[int, tuple[int, Cell]]] = {}
    for row in page.iter("tr"):
        table = next(row.iterancestors("table"), None)
        placed = list(_cells(row, spans.setdefault(table, {}), styles))
        if _is_layout(row, styles):
            continue
        is_hidden = any(map(styles.is_hidden, (row, *row.iterancestors("tbody", "thead", "tfoot", "table"))))
        rows.hidden_columns.update(column for column, _, element in placed if styles.is_hidden(element))
        rows.add(rows.next_row_no(None), cells_at((column, cell) for column, cell, _ in placed), is_hidden=is_hidden)


def _is_layout(row: Element, styles: PageStyles) -> bool:
    """Return whether a row only contains other tables, without text in cells beside them."""
    if next(row.iterdescendants("table"), None) is None:
        return False
    plain = (cell for cell in row.iterchildren("td", "th") if next(cell.iterdescendants("table"), None) is None)
    return not any(_text(cell, styles) for cell in plain)


def _cells(row: Element, spans: dict[int, tuple[int, Cell]], styles: PageStyles) -> Iterator[tuple[int, Cell, Element]]:
    """Yield cells with their columns; a cell that spans several rows is in each of them."""
    above = dict(spans)
    spans.clear()
    column = 0
    for element in row.iterchildren("td", "th"):
        while column in above:
            yield column, _spanned(column, above, spans), row
            column += 1
        cell = styles.cell(_text(element, styles), element)
        cell = struck(cell, is_struck=styles.is_struck(element))
        yield column, cell, element
        width, height = _count(element, "colspan"), _count(element, "rowspan")
        if height > 1:
            spans[column] = (height - 1, cell)
            spans.update((covered, (height - 1, EMPTY)) for covered in range(column + 1, column + width))
        column += width
    for left in sorted(spanned for spanned in above if spanned >= column):
        yield left, _spanned(left, above, spans), row


def _spanned(column: int, above: dict[int, tuple[int, Cell]], spans: dict[int, tuple[int, Cell]]) -> Cell:
    height, cell = above[column]
    if height > 1:
        spans[column] = (height - 1, cell)
    return cell


def _count(element: Element, name: str) -> int:
    """Return the number of rows or columns that a cell spans; a rowspan of 0 means all rows that follow."""
    text = (element.get(name) or "1").strip()
    if not (text.isascii() and text.isdigit()):
        return 1
    return min(int(text), COLUMNS_MAX) or (COLUMNS_MAX if name == "rowspan" else 1)


def _text(cell: Element, styles: PageStyles) -> str:
    """Return the visible text of a cell, line by line, without tables in it, whose rows are read separately."""
    pieces: list[str] = []
    walk = etree.iterwalk(cell, events=("start", "end", "comment", "pi"))
    for event, element in walk:
        if event == "start":
            if element.tag in _BREAKS:
                pieces.append("\n")
            if element.tag in _UNSEEN or (element is not cell and styles.is_hidden(element)):
                walk.skip_subtree()
            else:
                pieces.append(_beside(element, styles) + _in_one_line(element.text))
        elif element is not cell:
            end = "\n" if element.tag in _BREAKS else _beside(element, styles)
            pieces.append(end + _in_one_line(element.tail))
    text = _LONG_EDGE.sub("\\1\N{ZERO WIDTH SPACE}", "".join(pieces)).replace(_EDGE, "")
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(filter(None, lines))


def _beside(element: Element, styles: PageStyles) -> str:
    """Return a blank beside a note's number or crossed-out text, which is separate from the text around it.

    Other elements are invisible: two numbers side by side are seen as one, but may be two.
    """
    if not isinstance(element.tag, str):
        return ""
    is_note = element.tag in _RAISED and any(map(str.isdigit, element.text or ""))
    return " " if is_note or element.tag in _APART or styles.strikes(element) else _EDGE


def _in_one_line(text: str | None) -> str:
    return (text or "").replace("\n", " ").replace("\r", " ")
