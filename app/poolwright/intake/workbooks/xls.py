"""Workbooks of Excel until 2003 (.xls)."""

from __future__ import annotations

import io
from collections.abc import Sequence

import xlrd
from xlrd.biffh import XLRDError
from xlrd.book import Book
from xlrd.sheet import Cell as OldCell
from xlrd.sheet import Sheet

from poolwright.intake.errors import InputRefusedError
from poolwright.intake.grid import Grid
from poolwright.intake.workbooks.cell import EMPTY, SHOWS_NOTHING, Cell, error_cell, number_cell, struck, text_cell
from poolwright.intake.workbooks.page import Page
from poolwright.intake.workbooks.rich_text import cut, joined
from poolwright.intake.workbooks.sheet_rows import Area, SheetRows
from poolwright.intake.workbooks.strike_rules import StrikeRule, cross_out
from poolwright.intake.workbooks.styles import GENERAL
from poolwright.intake.workbooks.xls_rules import has_strike_rules


def xls_pages(content: bytes, source: str) -> list[Page]:
    """The sheets of a workbook.

    Raises:
        InputRefusedError: It has a password.
        xlrd.XLRDError and many more: It is damaged.
    """
    try:
        book = xlrd.open_workbook(
            file_contents=content, formatting_info=True, logfile=io.StringIO(), ignore_workbook_corruption=True
        )
    except XLRDError as error:
        if "encrypted" in str(error).casefold():
            raise InputRefusedError(
                f"{source} is protected by a password; open it in Excel, take the password off, and save it as .xlsx."
            ) from error
        raise
    rules = [StrikeRule(areas=())] if has_strike_rules(content) else []
    return [_page(book, sheet, source, rules) for sheet in book.sheets()]


def _page(book: Book, sheet: Sheet, source: str, rules: Sequence[StrikeRule]) -> Page:
    return Page(title=sheet.name, is_visible=not sheet.visibility, read=lambda: _read(book, sheet, source, rules))


def _read(book: Book, sheet: Sheet, source: str, rules: Sequence[StrikeRule]) -> Grid:
    rows = SheetRows(source=source)
    rows.hidden_columns = {index for index, info in sheet.colinfo_map.items() if info.hidden}
    for index in range(sheet.nrows):
        info = sheet.rowinfo_map.get(index)
        cells = [_cell(book, cell, _runs(sheet, index, column)) for column, cell in enumerate(sheet.row(index))]
        rows.add(rows.place(index + 1), cells, is_hidden=info is not None and bool(info.hidden))
    rows.merge(
        [
            Area(top=top + 1, bottom=bottom, left=left, right=right - 1)
            for top, bottom, left, right in sheet.merged_cells
            if bottom - top > 1
        ]
    )
    cross_out(rows, rules)
    return rows.grid()


def _runs(sheet: Sheet, row: int, column: int) -> list[tuple[int, int]]:
    """Where in a text each other font begins, and its number."""
    return list(sheet.rich_text_runlist_map.get((row, column)) or ())


def _cell(book: Book, cell: OldCell, runs: Sequence[tuple[int, int]]) -> Cell:
    is_struck = _is_struck(book, cell)
    if not runs or cell.ctype != xlrd.XL_CELL_TEXT:
        return struck(_valued(book, cell), is_struck=is_struck)
    begins = [(begin, _is_struck_font(book, font)) for begin, font in runs]
    text, is_struck = joined(cut(str(cell.value), begins, is_struck=is_struck))
    return struck(text_cell(text, _code(book, cell)), is_struck=is_struck)


def _is_struck(book: Book, cell: OldCell) -> bool:
    """By the style's own font, or by that of the named one that it says to take."""
    style = book.xf_list[cell.xf_index] if cell.xf_index is not None else None
    if style is None or _is_struck_font(book, style.font_index):
        return style is not None
    has_own = bool(getattr(style, "_font_flag", 1))  # whether the font counts that it tells; the types do not know it
    is_taken = not has_own and style.parent_style_index < len(book.xf_list)
    return is_taken and _is_struck_font(book, book.xf_list[style.parent_style_index].font_index)


def _is_struck_font(book: Book, number: int) -> bool:
    return number < len(book.font_list) and bool(book.font_list[number].struck_out)


def _valued(book: Book, cell: OldCell) -> Cell:
    match cell.ctype:
        case xlrd.XL_CELL_TEXT:
            # The library does not tell formulas; a text without a character is the value of one.
            return text_cell(str(cell.value), _code(book, cell)) if cell.value else SHOWS_NOTHING
        case xlrd.XL_CELL_NUMBER | xlrd.XL_CELL_DATE:
            return number_cell(float(cell.value), _code(book, cell), is_1904=bool(book.datemode))
        case xlrd.XL_CELL_BOOLEAN:
            return Cell("TRUE" if cell.value else "FALSE")
        case xlrd.XL_CELL_ERROR:
            return error_cell(xlrd.error_text_from_code.get(int(cell.value), "#ERROR"))
        case _:
            return EMPTY


def _code(book: Book, cell: OldCell) -> str:
    style = book.xf_list[cell.xf_index] if cell.xf_index is not None else None
    known = book.format_map.get(style.format_key) if style else None
    return known.format_str if known else GENERAL
