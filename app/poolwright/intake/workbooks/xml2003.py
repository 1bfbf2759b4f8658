"""Reads workbooks that are a single XML file: the XML spreadsheet of Excel 2003."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from poolwright.intake.grid import Grid
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
from poolwright.intake.workbooks.parts import Element, attribute, elements, has, is_on, local_name
from poolwright.intake.workbooks.rich_text import has_digits
from poolwright.intake.workbooks.sheet_rows import Area, SheetPage, SheetRows, cells_at
from poolwright.intake.workbooks.strike_rules import StrikeRule, apply_strike_rules

ROOT = "{urn:schemas-microsoft-com:office:spreadsheet}Workbook"
#: Formats by name; all others are written out.
_NAMED_FORMATS = {
    "General Date": "yyyy-mm-dd hh:mm",
    "Long Date": "yyyy-mm-dd",
    "Medium Date": "yyyy-mm-dd",
    "Short Date": "yyyy-mm-dd",
    "Long Time": "hh:mm:ss",
    "Medium Time": "hh:mm",
    "Short Time": "hh:mm",
    "Fixed": "0.00",
    "Percent": "0.00%",
}


@dataclass(slots=True)
class _Workbook:
    source: str
    codes: dict[str, str] = field(default_factory=dict[str, str])
    #: Styles that cross out.
    struck: set[str] = field(default_factory=set[str])


def xml_pages(content: bytes, source: str) -> list[SheetPage]:
    """Return the sheets of an XML spreadsheet.

    Raises:
        ValueError, lxml.etree.LxmlError: It is not an XML spreadsheet, or is damaged.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=True, remove_comments=True, remove_pis=True
    )
    root = etree.parse(io.BytesIO(content), parser).getroot()
    workbook = _Workbook(source)
    for style in elements(root, "style"):
        # A style inherits from its parent, which is in front of it in the file.
        workbook.codes[attribute(style, "ID")] = workbook.codes.get(attribute(style, "Parent"), "")
        if attribute(style, "Parent") in workbook.struck:
            workbook.struck.add(attribute(style, "ID"))
        for font in elements(style, "font"):
            (workbook.struck.add if is_on(attribute(font, "StrikeThrough")) else workbook.struck.discard)(
                attribute(style, "ID")
            )
        for number_format in elements(style, "numberformat"):
            code = attribute(number_format, "Format")
            workbook.codes[attribute(style, "ID")] = _NAMED_FORMATS.get(code, code)
    return [_page(workbook, sheet) for sheet in elements(root, "worksheet")]


def _page(workbook: _Workbook, sheet: Element) -> SheetPage:
    state = next((element.text or "" for element in elements(sheet, "visible")), "")
    return SheetPage(
        title=attribute(sheet, "Name"),
        is_visible="hidden" not in state.casefold(),
        read=lambda: _Sheet(workbook, sheet).read(),
    )


class _Sheet:
    """Reads one sheet in one pass."""

    def __init__(self, workbook: _Workbook, sheet: Element) -> None:
        self._workbook = workbook
        self._sheet = sheet
        self._rows = SheetRows(source=workbook.source)
        self._areas: list[Area] = []
        self._column_styles: dict[int, str] = {}

    def read(self) -> Grid:
        for table in self._sheet.iterchildren("{*}Table"):
            self._take_columns(table)
            for row in table.iterchildren("{*}Row"):
                number = attribute(row, "Index")
                row_no = self._rows.next_row_no(int(number) if number else None)
                is_hidden = is_on(attribute(row, "Hidden")) or attribute(row, "Height").strip() == "0"
                self._rows.add(row_no, cells_at(self._cells(row, row_no)), is_hidden=is_hidden)
        self._rows.is_filtered = has(self._sheet, "autofiltercolumn")
        self._rows.merge(self._areas)
        apply_strike_rules(
            self._rows, [rule for block in elements(self._sheet, "conditionalformatting") for rule in _rules(block)]
        )
        return self._rows.grid()

    def _take_columns(self, table: Element) -> None:
        index = -1
        for column in table.iterchildren("{*}Column"):
            number = attribute(column, "Index")
            index = int(number) - 1 if number else index + 1
            span = min(int(attribute(column, "Span") or 0), 16_384)
            for covered in range(index, index + span + 1):
                self._column_styles[covered] = attribute(column, "StyleID")
                if is_on(attribute(column, "Hidden")):
                    self._rows.hidden_columns.add(covered)
            index += span

    def _cells(self, row: Element, row_no: int) -> Iterator[tuple[int, Cell]]:
        index = -1
        row_style = attribute(row, "StyleID")
        for element in row.iterchildren("{*}Cell"):
            number = attribute(element, "Index")
            index = int(number) - 1 if number else index + 1
            down = int(attribute(element, "MergeDown") or 0)
            if down:
                self._areas.append(Area(top=row_no, bottom=row_no + down, left=index, right=index))
            style = attribute(element, "StyleID") or row_style or self._column_styles.get(index, "")
            cell = self._cell(element, self._workbook.codes.get(style or "Default", ""))
            yield (
                index,
                struck(cell, is_struck=(style or "Default") in self._workbook.struck or _is_struck_out(element)),
            )
            index += int(attribute(element, "MergeAcross") or 0)

    def _cell(self, element: Element, code: str) -> Cell:
        formula = attribute(element, "Formula")
        data = next((child for child in element if isinstance(child.tag, str) and local_name(child) == "Data"), None)
        if data is None:
            return UNSAVED_FORMULA if formula else EMPTY
        cell = _valued(attribute(data, "Type"), "".join(map(str, data.itertext())), code)
        return formula_cell(cell, formula.lstrip("=")) if formula else cell


def _is_struck_out(cell: Element) -> bool:
    """Return whether the crossed-out pieces of a text are all of it, or contain digits."""
    words = "".join("".join(map(str, data.itertext())) for data in elements(cell, "data"))
    struck = ["".join(map(str, piece.itertext())) for piece in elements(cell, "s")]
    return bool(struck) and ("".join(struck) == words or any(map(has_digits, struck)))


def _rules(block: Element) -> Iterator[StrikeRule]:
    """Yield the rules of a sheet that cross out; they are not evaluated."""
    area = next((element.text or "" for element in elements(block, "range")), "")
    for rule in elements(block, "condition"):
        if any("line-through" in attribute(look, "Style") for look in elements(rule, "format")):
            written = ", ".join(element.text or "" for element in elements(rule, "value1"))
            yield StrikeRule(areas=(), written=f"{area.replace(',', ', ')}: {written}")


def _valued(kind: str, text: str, code: str) -> Cell:
    match kind:
        case "Number":
            return number_cell(float(text), code, written=text)
        case "DateTime":
            return moment_cell(text.partition("T")[0] if "T00:00:00" in text else text.replace("T", " "))
        case "Boolean":
            return Cell("TRUE" if is_on(text) else "FALSE")
        case "Error":
            return error_cell(text)
        case _:
            return text_cell(text, code)
