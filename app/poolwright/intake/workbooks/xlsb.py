"""Reads binary workbooks of Excel (.xlsb): a packed workbook with parts of binary records instead of XML."""

from __future__ import annotations

import posixpath
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from openpyxl.styles.numbers import BUILTIN_FORMATS

from poolwright.intake.errors import InputRefusedError
from poolwright.intake.grid import CELLS_MAX, COLUMNS_MAX, Grid
from poolwright.intake.workbooks.cell import Cell, error_cell, number_cell, struck
from poolwright.intake.workbooks.parts import PackageParts
from poolwright.intake.workbooks.rich_text import join_runs, split_runs
from poolwright.intake.workbooks.sheet_rows import Area, SheetPage, SheetRows, cells_at
from poolwright.intake.workbooks.strike_rules import StrikeRule, apply_strike_rules

T = TypeVar("T")

WORKBOOK = "xl/workbook.bin"
#: Kinds of records that are read.
_ROW, _TEXT_ITEM, _FONT, _FORMAT, _STYLE, _BOOK_PROPERTIES, _SHEET, _MERGED = 0, 19, 43, 44, 47, 153, 156, 176
_STYLES_BEGIN, _STYLES_END, _FILTER_COLUMN, _COLUMNS, _TABLE, _RICH = 617, 618, 163, 60, 343, 62
#: Kinds of cells: a small number, and all cells with a value or with the result of a formula.
_SMALL = 2
_CELLS = frozenset({*range(2, 12), _RICH})
#: Conditional formats of a sheet, and the differential styles that they apply.
_RULE, _LOOK = 463, 507
_ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}
#: A cell begins with its column, its style in three bytes, and a flag.
_CELL_HEAD = 8
_HIDDEN_ROW, _HIDDEN_COLUMN, _DATES_OF_1904 = 0x10, 0x01, 0x01
#: Offset of the flags of a font, the flag that crosses out, and the offset of the font in a style.
_FONT_FLAGS_AT, _STRIKES, _STYLE_FONT_AT = 2, 0x08, 4
#: Offset of the differential style in a rule; offset, head size and kind of the property that crosses out.
_RULE_LOOK_AT, _PROPERTIES_AT, _PROPERTY_HEAD, _STRIKE_PROPERTY = 8, 4, 4, 0x1D
#: Offset of the number of total rows in a table.
_TOTALS_AT = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class _Workbook:
    parts: PackageParts
    source: str
    #: Shared texts, each with a flag whether it is crossed out.
    texts: list[tuple[str, bool]]
    styles: _Styles
    is_1904: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Styles:
    """Number formats, and the styles, fonts and differential styles that cross out."""

    codes: list[str] = field(default_factory=list[str])
    #: Whether each style of a cell, each font and each differential style crosses out.
    strikes: list[bool] = field(default_factory=list[bool])
    fonts: list[bool] = field(default_factory=list[bool])
    of_rules: list[bool] = field(default_factory=list[bool])


def xlsb_pages(parts: PackageParts, source: str) -> list[SheetPage]:
    """Return the sheets of a workbook.

    Raises:
        ValueError, KeyError, struct.error: It is damaged.
    """
    relations = parts.relations(WORKBOOK)
    shared = {relation.kind: relation.target for relation in relations.values()}
    records = list(_records(parts, WORKBOOK))
    styles = _read_styles(parts, shared.get("styles", ""))
    workbook = _Workbook(
        parts=parts,
        source=source,
        texts=_texts(parts, shared.get("sharedstrings", ""), styles.fonts),
        styles=styles,
        is_1904=any(kind == _BOOK_PROPERTIES and data[0] & _DATES_OF_1904 for kind, data in records),
    )
    pages: list[SheetPage] = []
    for kind, data in records:
        if kind != _SHEET:
            continue
        (state,) = struct.unpack_from("<I", data)
        relation_id, end = _wide_text(data, 8)
        title, _ = _wide_text(data, end)
        relation = relations.get(relation_id)
        if relation is not None and relation.kind == "worksheet":
            pages.append(
                SheetPage(title=title, is_visible=not state, read=_Sheet(workbook, title, relation.target).read)
            )
    if not pages:
        raise ValueError(WORKBOOK)
    return pages


class _Sheet:
    """Reads the part of one sheet in one pass."""

    def __init__(self, workbook: _Workbook, title: str, name: str) -> None:
        self._workbook = workbook
        self._title = title
        self._name = name
        self._rows = SheetRows(source=workbook.source)

    def read(self) -> Grid:
        if self._name not in self._workbook.parts:
            raise InputRefusedError(
                f"Sheet {self._title!r} is missing in {self._workbook.source}: it is damaged. Open it in Excel and "
                "save it again."
            )
        areas: list[Area] = []
        rules: list[StrikeRule] = []
        row_no, is_hidden = 0, False
        cells: list[tuple[int, Cell]] = []
        for kind, data in _records(self._workbook.parts, self._name):
            if kind == _ROW:
                self._take(row_no, cells, is_hidden=is_hidden)
                row_no, is_hidden, cells = struct.unpack_from("<I", data)[0] + 1, bool(data[11] & _HIDDEN_ROW), []
            elif kind in _CELLS:
                is_struck = _style(data, self._workbook.styles.strikes, default=False)
                cell = struck(self._cell(kind, data), is_struck=is_struck)
                cells.append((struct.unpack_from("<I", data)[0], cell))
            elif kind == _MERGED:
                areas.append(_area(data))
            elif kind == _COLUMNS and data[16] & _HIDDEN_COLUMN:
                first, last = struct.unpack_from("<2I", data)
                self._rows.hidden_columns.update(range(first, min(last, COLUMNS_MAX) + 1))
            else:
                self._rows.is_filtered = self._rows.is_filtered or kind == _FILTER_COLUMN
                rules.extend(_rules(kind, data, self._workbook.styles.of_rules))
        self._take(row_no, cells, is_hidden=is_hidden)
        self._take_tables()
        self._rows.merge([area for area in areas if area.bottom > area.top])
        apply_strike_rules(self._rows, rules)
        return self._rows.grid()

    def _take_tables(self) -> None:
        parts = self._workbook.parts
        for relation in parts.relations(self._name.lstrip("/")).values():
            if relation.kind != "table" or relation.target not in parts:
                continue
            for kind, data in _records(parts, relation.target):
                total_count = struct.unpack_from("<I", data, _TOTALS_AT)[0] if kind == _TABLE else 0
                if total_count:
                    area = _area(data)
                    name = posixpath.basename(relation.target)
                    self._rows.drop_totals(replace(area, top=max(area.top, area.bottom + 1 - total_count)), name)

    def _take(self, row_no: int, cells: list[tuple[int, Cell]], *, is_hidden: bool) -> None:
        if row_no and cells:
            self._rows.add(self._rows.next_row_no(row_no), cells_at(iter(cells)), is_hidden=is_hidden)

    def _cell(self, kind: int, data: bytes) -> Cell:
        match kind:
            case 2 | 5 | 9:
                number = _small_number(data) if kind == _SMALL else struct.unpack_from("<d", data, _CELL_HEAD)[0]
                return self._number(number, data)
            case 4 | 10:
                return Cell("TRUE" if data[_CELL_HEAD] else "FALSE")
            case 3 | 11:
                return error_cell(_ERRORS.get(data[_CELL_HEAD], "#ERROR"))
            case 7:
                text, is_struck = self._workbook.texts[struct.unpack_from("<I", data, _CELL_HEAD)[0]]
                return struck(Cell(text), is_struck=is_struck)
            case _:
                return Cell(_wide_text(data, _CELL_HEAD + (kind == _RICH))[0])

    def _number(self, number: float, data: bytes) -> Cell:
        code = _style(data, self._workbook.styles.codes, default="General")
        return number_cell(number, code, is_1904=self._workbook.is_1904)


def _area(data: bytes) -> Area:
    top, bottom, left, right = struct.unpack_from("<4I", data)
    return Area(top=top + 1, bottom=bottom + 1, left=left, right=right)


def _texts(parts: PackageParts, name: str, fonts: Sequence[bool]) -> list[tuple[str, bool]]:
    if not name:
        return []
    texts: list[tuple[str, bool]] = []
    for kind, data in _records(parts, name):
        if kind == _TEXT_ITEM:
            texts.append(_text_item(data, fonts))
            if len(texts) > CELLS_MAX:
                raise ValueError(name)
    return texts


def _text_item(data: bytes, fonts: Sequence[bool]) -> tuple[str, bool]:
    """Return a text, and whether it is crossed out by the fonts of its pieces."""
    text, end = _wide_text(data, 1)
    if not data[0] & 1:
        return text, False
    (count,) = struct.unpack_from("<I", data, end)
    runs = [struct.unpack_from("<HH", data, end + 4 + 4 * number) for number in range(min(count, len(text)))]
    begins = [(begin, font < len(fonts) and fonts[font]) for begin, font in runs]
    return (
        join_runs(split_runs(text, begins, is_struck=False)) if any(strike for _, strike in begins) else (text, False)
    )


def _style(cell: bytes, styles: Sequence[T], *, default: T) -> T:
    """Return the property of a cell by its style."""
    number = int.from_bytes(cell[4:7], "little")
    return styles[number] if number < len(styles) else default


def _read_styles(parts: PackageParts, name: str) -> _Styles:
    own: dict[int, str] = {}
    styles = _Styles()
    is_within = False
    for kind, data in _records(parts, name) if name in parts else ():
        if kind == _FORMAT:
            own[struct.unpack_from("<H", data)[0]] = _wide_text(data, 2)[0]
        elif kind == _FONT:
            styles.fonts.append(bool(data[_FONT_FLAGS_AT] & _STRIKES))
        elif kind in {_STYLES_BEGIN, _STYLES_END}:
            is_within = kind == _STYLES_BEGIN
        elif kind == _STYLE and is_within:
            number = struct.unpack_from("<H", data, 2)[0]
            styles.codes.append(own.get(number) or BUILTIN_FORMATS.get(number, "General"))
            font = struct.unpack_from("<H", data, _STYLE_FONT_AT)[0]
            styles.strikes.append(font < len(styles.fonts) and styles.fonts[font])
        elif kind == _LOOK:
            styles.of_rules.append(_is_strike_look(data))
    return styles


def _is_strike_look(data: bytes) -> bool:
    """Return whether a differential style has the property that crosses out, and it is on."""
    offset = _PROPERTIES_AT + 2
    while offset + _PROPERTY_HEAD < len(data):
        kind, size = struct.unpack_from("<HH", data, offset)
        if kind == _STRIKE_PROPERTY:
            return bool(data[offset + _PROPERTY_HEAD])
        offset += max(size, _PROPERTY_HEAD)
    return False


def _rules(kind: int, data: bytes, struck_looks: Sequence[bool]) -> Iterator[StrikeRule]:
    """Yield the rule of a record if it crosses out; its condition is not read."""
    (number,) = struct.unpack_from("<I", data, _RULE_LOOK_AT) if kind == _RULE else (len(struck_looks),)
    if number < len(struck_looks) and struck_looks[number]:
        yield StrikeRule(areas=())


def _records(parts: PackageParts, name: str) -> Iterator[tuple[int, bytes]]:
    """Yield the records of a part: kind and size in a variable number of bytes, seven bits each, then the data."""
    with parts.open(name) as part:
        content = part.read()
    offset = 0
    while offset < len(content):
        kind, offset = _varying(content, offset, 2)
        size, offset = _varying(content, offset, 4)
        if offset + size > len(content):
            raise ValueError(name)
        yield kind, content[offset : offset + size]
        offset += size


def _varying(content: bytes, offset: int, bytes_max: int) -> tuple[int, int]:
    number = 0
    for shift in range(bytes_max):
        byte = content[offset]
        offset += 1
        number |= (byte & 0x7F) << (7 * shift)
        if byte < 0x80:  # noqa: PLR2004  # the highest bit means that another byte follows
            break
    return number, offset


def _wide_text(data: bytes, offset: int) -> tuple[str, int]:
    """Return a text, which has its length in front, and its end."""
    (length,) = struct.unpack_from("<I", data, offset)
    end = offset + 4 + 2 * length
    if length == 0xFFFFFFFF:  # noqa: PLR2004  # no text at all
        return "", offset + 4
    if end > len(data):
        raise ValueError(offset)
    return data[offset + 4 : end].decode("utf-16-le", errors="replace"), end


def _small_number(data: bytes) -> float:
    """Return a number of 30 bits: whole, or the upper half of a fraction; the lowest bit divides it by a hundred."""
    (packed,) = struct.unpack_from("<I", data, _CELL_HEAD)
    if packed & 2:
        number = float(struct.unpack_from("<i", data, _CELL_HEAD)[0] >> 2)
    else:
        number = float(struct.unpack("<d", struct.pack("<Q", (packed & 0xFFFFFFFC) << 32))[0])
    return number / 100 if packed & 1 else number
