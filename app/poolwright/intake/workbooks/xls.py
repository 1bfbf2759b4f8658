"""Reads workbooks of Excel until 2003 (.xls), with the conditional formats that the library does not report."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence

import xlrd
from xlrd.biffh import XLRDError
from xlrd.book import Book
from xlrd.compdoc import CompDoc, CompDocError
from xlrd.sheet import Cell as OldCell
from xlrd.sheet import Sheet

from poolwright.intake.errors import InputRefusedError
from poolwright.intake.grid import Grid
from poolwright.intake.workbooks.cell import EMPTY, SHOWS_NOTHING, Cell, error_cell, number_cell, struck, text_cell
from poolwright.intake.workbooks.ooxml_styles import GENERAL
from poolwright.intake.workbooks.rich_text import join_runs, split_runs
from poolwright.intake.workbooks.sheet_rows import Area, SheetPage, SheetRows
from poolwright.intake.workbooks.strike_rules import StrikeRule, apply_strike_rules

_RULE = 0x01B1
_HEAD = struct.Struct("<HH")
#: A rule begins with its kind and the sizes of its formulas; flags name the formats that follow.
_LOOKS_AT, _HAS_NUMBER, _HAS_FONT, _OWN_NUMBER = 6, 0x02000000, 0x04000000, 0x0001
_FONT_BYTES, _STRIKES_AT, _STRIKES, _LEFT_ALONE_AT = 118, 68, 0x80, 88


def has_strike_rules(content: bytes) -> bool:
    """Return whether any sheet has a conditional format that crosses out. A damaged one does not count."""
    stream = _stream(content)
    offset = 0
    while offset + _HEAD.size <= len(stream):
        kind, size = _HEAD.unpack_from(stream, offset)
        offset += _HEAD.size
        if kind == _RULE and _is_strike(stream[offset : offset + size]):
            return True
        offset += size
    return False


def _stream(content: bytes) -> bytes:
    try:
        package = CompDoc(content, logfile=io.StringIO(), ignore_workbook_corruption=True)
        for name in ("Workbook", "Book"):
            memory, base, size = package.locate_named_stream(name)
            if memory:
                return bytes(memory[base : base + size])
    except CompDocError:
        pass
    return b""


def _is_strike(rule: bytes) -> bool:
    try:
        flags, own = struct.unpack_from("<IH", rule, _LOOKS_AT)
        offset = _LOOKS_AT + 6
        if flags & _HAS_NUMBER:
            offset += struct.unpack_from("<H", rule, offset)[0] if own & _OWN_NUMBER else 2
        if not flags & _HAS_FONT or offset + _FONT_BYTES > len(rule):
            return False
        strikes, left_alone = (struct.unpack_from("<I", rule, offset + at)[0] for at in (_STRIKES_AT, _LEFT_ALONE_AT))
    except struct.error:
        return False
    return bool(strikes & _STRIKES) and not left_alone & _STRIKES


def xls_pages(content: bytes, source: str) -> list[SheetPage]:
    """Return the sheets of a workbook.

    Raises:
        InputRefusedError: It has a password.
        xlrd.XLRDError and many more: It is damaged.
    """
    try:
        workbook = xlrd.open_workbook(
            file_contents=content, formatting_info=True, logfile=io.StringIO(), ignore_workbook_corruption=True
        )
    except XLRDError as error:
        if "encrypted" in str(error).casefold():
            raise InputRefusedError(
                f"{source} is protected by a password; open it in Excel, remove the password, and save it as .xlsx."
            ) from error
        raise
    rules = [StrikeRule(areas=())] if has_strike_rules(content) else []
    return [_page(workbook, sheet, source, rules) for sheet in workbook.sheets()]


def _page(workbook: Book, sheet: Sheet, source: str, rules: Sequence[StrikeRule]) -> SheetPage:
    return SheetPage(
        title=sheet.name, is_visible=not sheet.visibility, read=lambda: _read(workbook, sheet, source, rules)
    )


def _read(workbook: Book, sheet: Sheet, source: str, rules: Sequence[StrikeRule]) -> Grid:
    rows = SheetRows(source=source)
    rows.hidden_columns = {index for index, info in sheet.colinfo_map.items() if info.hidden}
    for index in range(sheet.nrows):
        info = sheet.rowinfo_map.get(index)
        cells = [_cell(workbook, cell, _runs(sheet, index, column)) for column, cell in enumerate(sheet.row(index))]
        rows.add(rows.next_row_no(index + 1), cells, is_hidden=info is not None and bool(info.hidden))
    rows.merge(
        [
            Area(top=top + 1, bottom=bottom, left=left, right=right - 1)
            for top, bottom, left, right in sheet.merged_cells
            if bottom - top > 1
        ]
    )
    apply_strike_rules(rows, rules)
    return rows.grid()


def _runs(sheet: Sheet, row: int, column: int) -> list[tuple[int, int]]:
    """Return the position in a text where each further font begins, and the number of the font."""
    return list(sheet.rich_text_runlist_map.get((row, column)) or ())


def _cell(workbook: Book, cell: OldCell, runs: Sequence[tuple[int, int]]) -> Cell:
    is_struck = _is_struck(workbook, cell)
    if not runs or cell.ctype != xlrd.XL_CELL_TEXT:
        return struck(_valued(workbook, cell), is_struck=is_struck)
    begins = [(begin, _is_struck_font(workbook, font)) for begin, font in runs]
    text, is_struck = join_runs(split_runs(str(cell.value), begins, is_struck=is_struck))
    return struck(text_cell(text, _code(workbook, cell)), is_struck=is_struck)


def _is_struck(workbook: Book, cell: OldCell) -> bool:
    """Return whether a cell is crossed out by the font of its style, or of the named style that it inherits."""
    style = workbook.xf_list[cell.xf_index] if cell.xf_index is not None else None
    if style is None or _is_struck_font(workbook, style.font_index):
        return style is not None
    has_own = bool(getattr(style, "_font_flag", 1))  # whether its own font counts; not in the types of the library
    is_taken = not has_own and style.parent_style_index < len(workbook.xf_list)
    return is_taken and _is_struck_font(workbook, workbook.xf_list[style.parent_style_index].font_index)


def _is_struck_font(workbook: Book, number: int) -> bool:
    return number < len(workbook.font_list) and bool(workbook.font_list[number].struck_out)


def _valued(workbook: Book, cell: OldCell) -> Cell:
    match cell.ctype:
        case xlrd.XL_CELL_TEXT:
            # The library does not report formulas; an empty text is the value of one.
            return text_cell(str(cell.value), _code(workbook, cell)) if cell.value else SHOWS_NOTHING
        case xlrd.XL_CELL_NUMBER | xlrd.XL_CELL_DATE:
            return number_cell(float(cell.value), _code(workbook, cell), is_1904=bool(workbook.datemode))
        case xlrd.XL_CELL_BOOLEAN:
            return Cell("TRUE" if cell.value else "FALSE")
        case xlrd.XL_CELL_ERROR:
            return error_cell(xlrd.error_text_from_code.get(int(cell.value), "#ERROR"))
        case _:
            return EMPTY


def _code(workbook: Book, cell: OldCell) -> str:
    style = workbook.xf_list[cell.xf_index] if cell.xf_index is not None else None
    number_format = workbook.format_map.get(style.format_key) if style else None
    return number_format.format_str if number_format else GENERAL
