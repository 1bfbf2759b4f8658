"""Reads workbooks of Excel since 2007 (.xlsx, .xlsm), strict or transitional, and of compatible programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from poolwright.intake.errors import InputRefusedError
from poolwright.intake.grid import COLUMNS_MAX, Grid
from poolwright.intake.workbooks.cell import (
    EMPTY,
    UNSAVED_FORMULA,
    Cell,
    error_cell,
    formula_cell,
    moment_cell,
    number_cell,
    struck,
    text_cell,
)
from poolwright.intake.workbooks.ooxml_styles import Styles, read_styles, strike_rules
from poolwright.intake.workbooks.parts import (
    Element,
    PackageParts,
    Relation,
    attribute,
    elements,
    has,
    is_on,
    local_name,
)
from poolwright.intake.workbooks.rich_text import is_struck_out, rich_text, unescaped
from poolwright.intake.workbooks.sheet_rows import REFERENCE, Area, SheetPage, SheetRows, area_of, cells_at, column_of
from poolwright.intake.workbooks.strike_rules import StrikeRule, apply_strike_rules

_WORKBOOK = "xl/workbook.xml"
_ZERO_SIZE = frozenset({"0", "0.0"})
_SAVE_AGAIN = "Open it in Excel and save it again."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Workbook:
    """The data that all sheets of a workbook share."""

    parts: PackageParts
    source: str
    texts: list[str]
    #: Indexes of the texts that are crossed out as a whole.
    struck_texts: frozenset[int]
    styles: Styles
    is_1904: bool


def ooxml_pages(parts: PackageParts, source: str) -> list[SheetPage]:
    """Return the sheets of cells in their order; sheets of charts and macros are left out.

    Raises:
        ValueError, KeyError, zipfile.BadZipFile, lxml.etree.LxmlError: It is damaged.
    """
    name = next((item.target for item in parts.relations("").values() if item.kind == "officedocument"), _WORKBOOK)
    root = parts.root(name if name in parts else _WORKBOOK)
    relations = parts.relations(name)
    shared = {relation.kind: relation.target for relation in relations.values()}
    texts, struck_texts = _shared_texts(parts, shared.get("sharedstrings", ""))
    workbook = _Workbook(
        parts=parts,
        source=source,
        texts=texts,
        struck_texts=struck_texts,
        styles=read_styles(parts, shared.get("styles", "")),
        is_1904=any(is_on(attribute(properties, "date1904")) for properties in elements(root, "workbookpr")),
    )
    pages = [
        _page(workbook, sheet, relations) for sheets in elements(root, "sheets") for sheet in elements(sheets, "sheet")
    ]
    if not pages:
        raise ValueError(name)
    return [page for page in pages if page is not None]


def _page(workbook: _Workbook, sheet: Element, relations: dict[str, Relation]) -> SheetPage | None:
    relation = relations.get(attribute(sheet, "id"))
    if relation is not None and relation.kind != "worksheet":
        return None
    title = attribute(sheet, "name")
    target = relation.target if relation else ""

    def read() -> Grid:
        if target not in workbook.parts:
            raise InputRefusedError(f"Sheet {title!r} is missing in {workbook.source}: it is damaged. {_SAVE_AGAIN}")
        return _Sheet(workbook, target).read()

    return SheetPage(title=title, is_visible=attribute(sheet, "state").casefold() in {"", "visible"}, read=read)


def _shared_texts(parts: PackageParts, name: str) -> tuple[list[str], frozenset[int]]:
    if not name:
        return [], frozenset()
    if name not in parts:
        raise ValueError(name)
    texts: list[str] = []
    struck: set[int] = set()
    for _, element in parts.walk(name, ["{*}si"]):
        if is_struck_out(element):
            struck.add(len(texts))
        texts.append(rich_text(element))
        _forget(element)
    return texts, frozenset(struck)


class _Sheet:
    """Reads the part of one sheet in one pass."""

    _TAGS = ("row", "mergeCell", "col", "sheetFormatPr", "filterColumn", "conditionalFormatting")

    def __init__(self, workbook: _Workbook, name: str) -> None:
        self._workbook = workbook
        self._name = name
        self._rows = SheetRows(source=workbook.source)
        self._areas: list[Area] = []
        self._strikes: list[StrikeRule] = []
        self._is_zero_height = False

    def read(self) -> Grid:
        tags = [f"{{*}}{tag}" for tag in self._TAGS]
        for _, element in self._workbook.parts.walk(self._name, tags):
            self._take(element)
            _forget(element)
        self._take_tables()
        self._rows.merge(self._areas)
        apply_strike_rules(self._rows, self._strikes)
        if self._workbook.styles.is_lacking:
            self._rows.notices.append(
                f"Number formats are missing in {self._workbook.source}: leading zeros from a format are lost."
            )
        return self._rows.grid()

    def _take(self, element: Element) -> None:
        match local_name(element):
            case "row":
                self._take_row(element)
            case "mergeCell":
                area = area_of(attribute(element, "ref"))
                if area and area.bottom > area.top:
                    self._areas.append(area)
            case "col":
                ends = attribute(element, "min"), attribute(element, "max")
                is_flat = attribute(element, "width").strip() in _ZERO_SIZE
                if (is_on(attribute(element, "hidden")) or is_flat) and all(map(str.isdecimal, ends)):
                    first, last = map(int, ends)
                    self._rows.hidden_columns.update(range(first - 1, min(last, first + COLUMNS_MAX)))
            case "conditionalFormatting":
                self._strikes.extend(strike_rules(element, self._workbook.styles.struck_looks))
            case "sheetFormatPr":
                self._is_zero_height = is_on(attribute(element, "zeroHeight"))
            case _:
                self._rows.is_filtered = True

    def _take_row(self, element: Element) -> None:
        number = attribute(element, "r").strip()
        row_no = self._rows.next_row_no(int(number) if number else None)
        hidden = attribute(element, "hidden")
        is_flat = attribute(element, "ht").strip() in _ZERO_SIZE
        is_hidden = is_on(hidden) or is_flat or (self._is_zero_height and not hidden and not attribute(element, "ht"))
        self._rows.add(row_no, cells_at(self._cells(element)), is_hidden=is_hidden)

    def _cells(self, row: Element) -> Iterator[tuple[int, Cell]]:
        column = -1
        for element in row.iterchildren("{*}c"):
            reference = REFERENCE.fullmatch(element.get("r", ""))
            column = column_of(reference[1]) if reference else column + 1
            yield column, self._cell(element)

    def _cell(self, element: Element) -> Cell:
        kind = element.get("t", "n")
        value = formula = None
        for child in element:
            match local_name(child):
                case "v":
                    value = child.text or ("" if kind == "str" else None)
                case "f":
                    formula = child.text or ""
                case "is":
                    style = element.get("s")
                    cell = text_cell(rich_text(child), self._workbook.styles.text_code(style))
                    return struck(cell, is_struck=is_struck_out(child) or self._workbook.styles.is_struck(style))
                case _:
                    pass
        if not value:
            return UNSAVED_FORMULA if value is None and formula is not None else EMPTY
        cell = self._valued(kind, value, element.get("s"))
        if self._workbook.styles.is_struck(element.get("s")):
            cell = struck(cell)
        return cell if formula is None else formula_cell(cell, formula)

    def _valued(self, kind: str, value: str, style: str | None) -> Cell:
        match kind:
            case "s":
                cell = text_cell(self._workbook.texts[int(value)], self._workbook.styles.text_code(style))
                return struck(cell, is_struck=int(value) in self._workbook.struck_texts)
            case "b":
                return Cell("TRUE" if is_on(value) else "FALSE")
            case "e":
                return error_cell(value)
            case "d":
                return moment_cell(value.partition("T")[0] if value.endswith("T00:00:00") else value.replace("T", " "))
            case "n":
                return _number(value, self._workbook.styles.code(style), is_1904=self._workbook.is_1904)
            case _:
                return text_cell(unescaped(value), self._workbook.styles.text_code(style))

    def _take_tables(self) -> None:
        parts = self._workbook.parts
        for relation in parts.relations(self._name.lstrip("/")).values():
            if relation.kind != "table" or relation.target not in parts:
                continue
            root = parts.root(relation.target)
            area = area_of(attribute(root, "ref"))
            count = attribute(root, "totalsRowCount").strip()
            if area and count.isdigit() and int(count):
                totals = Area(
                    top=max(area.top, area.bottom + 1 - int(count)),
                    bottom=area.bottom,
                    left=area.left,
                    right=area.right,
                )
                self._rows.drop_totals(totals, attribute(root, "displayName"))
            self._rows.is_filtered = self._rows.is_filtered or has(root, "filtercolumn")


def _number(value: str, code: str, *, is_1904: bool) -> Cell:
    try:
        number = float(value)
    except ValueError:
        number = None
    if number is None or "_" in value:
        # Some programs write text in cells of numbers; Excel accepts it.
        return Cell(unescaped(value))
    return number_cell(number, code, is_1904=is_1904, written=value)


def _forget(element: Element) -> None:
    """Free the memory of elements that were read."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]
