"""Reads workbooks of OpenDocument (.ods, .fods), which store the text that a cell shows beside its value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from poolwright.intake.errors import InputRefusedError
from poolwright.intake.grid import COLUMNS_MAX, Grid, check_row_count
from poolwright.intake.workbooks.cell import (
    EMPTY,
    UNSAVED_FORMULA,
    Cell,
    error_cell,
    formula_cell,
    hidden_text_cell,
    is_long,
    long_number_cell,
    moment_cell,
    of_value,
    struck,
)
from poolwright.intake.workbooks.number_format import general_text, is_shown_whole
from poolwright.intake.workbooks.ods_styles import StruckStyles, add_named_styles, strike_rules
from poolwright.intake.workbooks.parts import Element, PackageParts, attribute, has, local_name
from poolwright.intake.workbooks.rich_text import has_digits
from poolwright.intake.workbooks.sheet_rows import Area, SheetPage, SheetRows, cells_at
from poolwright.intake.workbooks.strike_rules import StrikeRule, apply_strike_rules

CONTENT = "content.xml"
_ERROR = re.compile(r"#[A-Z/0]+[!?]?|Err:\d+|#N/A")
_MINUS = frozenset("-\N{MINUS SIGN}")
_PROBE_BYTES = 65_536
_UNSEEN = frozenset({"annotation", "shapes", "frame", "custom-shape", "ruby-text", "note-body", "detective"})


def is_flat_ods(content: bytes) -> bool:
    """Return whether an XML file is a flat OpenDocument workbook (.fods)."""
    return b"opendocument.spreadsheet" in content[:_PROBE_BYTES]


def ods_pages(parts: PackageParts, source: str) -> list[SheetPage]:
    """Return the sheets of a workbook.

    Raises:
        InputRefusedError: It has a password, or is no spreadsheet.
        ValueError, KeyError, lxml.etree.LxmlError: It is damaged.
    """
    if "META-INF/manifest.xml" in parts and has(parts.root("META-INF/manifest.xml"), "encryption-data"):
        raise InputRefusedError(
            f"{source} is protected by a password; open it in its program and save it without one, or as CSV."
        )
    titles, hidden, styles = _contents(parts)
    if not titles:
        raise InputRefusedError(f"{source} is an OpenDocument file, not a spreadsheet; save the list as .xlsx or CSV.")
    struck_styles, rules = styles.names(), styles.rules()
    return [
        SheetPage(
            title=title,
            is_visible=style not in hidden,
            read=_Sheet(parts, source, position, struck_styles, rules).read,
        )
        for position, (title, style) in enumerate(titles)
    ]


def _contents(parts: PackageParts) -> tuple[list[tuple[str, str]], set[str], StruckStyles]:
    """Return the names and styles of the sheets, the styles that hide a sheet, and those that cross out."""
    hidden: set[str] = set()
    styles = StruckStyles()
    add_named_styles(parts, styles)
    titles: list[tuple[str, str]] = []
    tags = ("{*}table-properties", "{*}style", "{*}table", "{*}table-row")
    for event, element in parts.walk(CONTENT, tags, ("start", "end")):
        match event, local_name(element):
            case "end", "style":
                styles.add(element)
            case "end", "table-properties":
                style = element.getparent()
                if attribute(element, "display") == "false" and style is not None:
                    hidden.add(attribute(style, "name"))
            case "start", "table" if _is_sheet(element):
                titles.append((attribute(element, "name"), attribute(element, "style-name")))
            case "end", "table-row":
                _forget_row(element)
            case _:
                pass
    return titles, hidden, styles


class _Sheet:
    """Reads one sheet in one pass."""

    def __init__(
        self,
        parts: PackageParts,
        source: str,
        position: int,
        struck_styles: frozenset[str],
        rules: Sequence[StrikeRule],
    ) -> None:
        self._parts = parts
        self._styles_rules = rules
        self._strikes: list[StrikeRule] = []
        #: The styles of cells without one of their own: those of columns, each with its end, and that of the row.
        self._column_styles: list[tuple[int, str]] = []
        self._row_style = ""
        self._struck_styles = struck_styles
        self._position = position
        self._rows = SheetRows(source=source)
        self._areas: list[Area] = []
        self._next_row = 1

    def read(self) -> Grid:
        position = -1
        column = 0
        tags = ("{*}table", "{*}table-row", "{*}table-column", "{*}conditional-format")
        for event, element in self._parts.walk(CONTENT, tags, ("start", "end")):
            match event, local_name(element):
                case "start", "table":
                    position += _is_sheet(element)
                case "end", "table-row":
                    if position == self._position and not _is_within_row(element):
                        self._take_row(element)
                    _forget_row(element)
                case "end", "table-column" if position == self._position and not _is_within_row(element):
                    column = self._take_column(element, column)
                case "end", "conditional-format" if position == self._position:
                    self._strikes.extend(strike_rules(element, self._struck_styles))
                case _:
                    pass
        self._rows.merge(self._areas)
        apply_strike_rules(
            self._rows, self._strikes or self._styles_rules
        )  # programs that write both write the same rules
        return self._rows.grid()

    def _take_column(self, element: Element, column: int) -> int:
        """Note the style and visibility of columns, and return where the next ones begin."""
        end = column + _count(element, "number-columns-repeated")
        if attribute(element, "visibility") in {"collapse", "filter"}:
            self._rows.hidden_columns.update(range(column, min(end, COLUMNS_MAX)))
        self._column_styles.append((end, attribute(element, "default-cell-style-name")))
        return end

    def _take_row(self, row: Element) -> None:
        """Add a row as often as it is repeated: blank rows below a table may be a million repetitions."""
        count = _count(row, "number-rows-repeated")
        visibility = attribute(row, "visibility")
        self._rows.is_filtered = self._rows.is_filtered or visibility == "filter"
        is_hidden = visibility in {"collapse", "filter"} or any(
            attribute(group, "display") == "false" for group in row.iterancestors("{*}table-row-group")
        )
        self._row_style = attribute(row, "default-cell-style-name")
        cells = cells_at(self._cells(row))
        if not any(cell.text.strip() or cell.doubt for cell in cells):
            self._next_row += count
            return
        check_row_count(self._next_row + count - 1, self._rows.source)
        for _ in range(count):
            row_no = self._rows.next_row_no(self._next_row)
            self._rows.add(row_no, cells, is_hidden=is_hidden)
            self._next_row += 1

    def _cells(self, row: Element) -> Iterator[tuple[int, Cell]]:
        column = 0
        for element in row:
            name = local_name(element) if isinstance(element.tag, str) else ""
            if name not in {"table-cell", "covered-table-cell"}:
                continue
            count = _count(element, "number-columns-repeated")
            is_struck = bool(self._struck_styles) and self._is_struck(element, column)
            cell = _cell(element) if name == "table-cell" else EMPTY
            if is_struck and cell is not EMPTY:
                cell = struck(cell)
            if cell is not EMPTY:
                yield from ((covered, cell) for covered in range(column, min(column + count, COLUMNS_MAX + 1)))
            height = _count(element, "number-rows-spanned")
            if height > 1:
                last = self._next_row + height - 1
                self._areas.append(Area(top=self._next_row, bottom=last, left=column, right=column))
            column += count

    def _is_struck(self, cell: Element, column: int) -> bool:
        """Return whether a cell is crossed out as a whole, in each of its pieces, or in one with digits.

        Such a piece is separated by blanks from the digits beside it.
        """
        of_columns = next((style for end, style in self._column_styles if column < end), "")
        if (attribute(cell, "style-name") or self._row_style or of_columns) in self._struck_styles:
            return True
        pieces = (piece for line in _lines(cell) for piece in line.iter("{*}p", "{*}h", "{*}span"))
        struck_pieces = [piece for piece in pieces if attribute(piece, "style-name") in self._struck_styles]
        texts = ["".join(map(str, piece.itertext())) for piece in struck_pieces]
        words = "".join(text for line in _lines(cell) for text in map(str, line.itertext()))
        if not texts or "".join(texts) == words:
            return bool(texts)
        for piece, text in zip(struck_pieces, texts, strict=True):
            if has_digits(text):
                piece.text, piece.tail = f" {piece.text or ''}", f" {piece.tail or ''}"
        return any(map(has_digits, texts))


def _is_sheet(table: Element) -> bool:
    """Return whether this is a sheet, not a table within a cell, a drawing or the record of changes."""
    above = table.getparent()
    return above is None or local_name(above) == "spreadsheet"


def _is_within_row(element: Element) -> bool:
    return next(element.iterancestors("{*}table-row"), None) is not None


def _forget_row(row: Element) -> None:
    """Free the memory of a row, unless it is in a cell that is not read yet."""
    if not _is_within_row(row):
        row.clear()


def _count(element: Element, name: str) -> int:
    text = attribute(element, name)
    return max(1, int(text)) if text.isascii() and text.isdigit() else 1


def _cell(element: Element) -> Cell:
    visible_text = "\n".join(map(_text, _lines(element)))
    formula = attribute(element, "formula")
    kind = attribute(element, "value-type")
    if formula and not kind and not visible_text:
        return UNSAVED_FORMULA
    if formula and (_ERROR.fullmatch(visible_text.strip()) or kind == "error"):
        return error_cell(visible_text.strip() or "#N/A")
    cell = _valued(element, kind, visible_text)
    return formula_cell(cell, formula.partition("=")[2]) if formula and cell is not EMPTY else cell


def _lines(cell: Element) -> Iterator[Element]:
    """Yield the paragraphs of a cell, also those in its lists and tables."""
    for child in cell:
        name = local_name(child) if isinstance(child.tag, str) else ""
        if name in {"p", "h"}:
            yield child
        elif name not in _UNSEEN:
            yield from _lines(child)


def _valued(element: Element, kind: str, visible_text: str) -> Cell:
    match kind:
        case "float" | "currency" | "percentage":
            return _number(attribute(element, "value"), visible_text)
        case "date":
            return moment_cell(attribute(element, "date-value").removesuffix("T00:00:00").replace("T", " "))
        case "time":
            return moment_cell(visible_text or attribute(element, "time-value"))
        case _:
            return _text_cell(element, visible_text)


def _text_cell(element: Element, visible_text: str) -> Cell:
    """Return the cell of a text, which some programs write as a value alone, without the text that is shown."""
    if visible_text:
        return Cell(visible_text)
    held = attribute(element, "string-value")
    if not held.strip():
        return EMPTY
    return Cell(held) if next(_lines(element), None) is None else hidden_text_cell(held)


@of_value
def _number(value: str, visible_text: str) -> Cell:
    """Return the cell as it is shown; it is doubted if that differs from the number that it holds."""
    if is_long(float(value)):
        return long_number_cell(float(value), value)
    held = general_text(float(value))
    digits = "".join(filter(str.isdigit, visible_text))
    if not visible_text or ("E" in visible_text.upper() and "E" not in held):
        return Cell(held)
    if "E" in held:
        return Cell(held)
    whole = held.lstrip("-").partition(".")[0]
    is_signed = not held.startswith("-") or not _MINUS.isdisjoint(visible_text)
    has_fraction = not is_shown_whole(float(value)) and bool(digits[len(whole) :].strip("0"))
    if is_signed and (held.lstrip("-") in digits or has_fraction):
        return Cell(visible_text, is_one=True)
    return Cell(visible_text, doubt=f"The cell shows {visible_text!r} and holds {held}: format the column as text.")


def _beside(before: str, link: str, after: str) -> str:
    """Return the text of a link with a blank where another link or text follows directly: they are separate."""
    return f"{' ' if before[-1:].isalnum() else ''}{link}{' ' if after[:1].isalnum() else ''}"


def _text(line: Element) -> str:
    """Return the text of a paragraph with its blanks and line breaks, without comments."""
    pieces = [line.text or ""]
    for child in line:
        name = local_name(child) if isinstance(child.tag, str) else ""
        match name:
            case "s":
                pieces.append(" " * min(_count(child, "c"), COLUMNS_MAX))
            case "tab":
                pieces.append("\t")
            case "note":
                pieces.append(f" {_text(child)} ")
            case "line-break":
                pieces.append("\n")
            case "a":
                pieces.append(_beside(next(filter(None, reversed(pieces)), ""), _text(child), child.tail or ""))
            case _ if name and name not in _UNSEEN:
                pieces.append(_text(child))
            case _:
                pass
        pieces.append(child.tail or "")
    return "".join(pieces)
