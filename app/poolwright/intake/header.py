"""Finds the header of a list, and removes titles, description rows, ruled lines and repeated headers. Pure.

A row that looks like data is never taken as the header, since an order would be lost: such a list has no header, and
the user is asked for the order column.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from statistics import median_high

from poolwright.domain.packed_list import PackedList, pack
from poolwright.intake.column_names import VAGUE, fold_name, heads_other, is_numbering, name_rank
from poolwright.intake.grid import ROW_CODEC, Grid, Row, can_be_order, is_value_cell, named_rows

#: The header is within these rows.
_TOP_ROWS = 60
_PROBE_ROWS = 100
#: A table with tagged rows has the tag of its header in the first cell: ``\P\``.
_TAG_NAME = re.compile(r"\\.*\\")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFrame:
    """The header and the data rows of a file, without titles."""

    #: ``None`` when the list has no header.
    header: Row | None
    rows: Sequence[Row]
    #: Numbers of the rows that repeat the header.
    repeats: tuple[int, ...] = ()
    notices: tuple[str, ...] = ()


def find_frame(rows: Sequence[Row], wanted: str | None = None) -> TableFrame:
    """Find the header and the data below it.

    Args:
        rows: All rows that are not blank.
        wanted: The name of the order column, if the user gave it.
    """
    rows = rows if isinstance(rows, PackedList) else tuple(rows)
    top = rows[:_TOP_ROWS]
    usual_count = median_high(row.filled_count for row in rows[:_PROBE_ROWS])
    wide = [index for index, row in enumerate(top) if 2 * row.filled_count > usual_count]
    columns = ((index, _order_column(rows, index, wanted)) for index in wide)
    header, column = next(((index, column) for index, column in columns if column is not None), (None, None))
    is_named = header is not None
    if header is None:
        header = _plain_header(rows, wide)
    has_group = header is not None and not is_named and header > 0 and _is_group(rows[header - 1], rows[header])
    if has_group and header is not None:
        header -= 1
        column = next(index for index, name in enumerate(rows[header].cells) if name.strip())
    start = _first_row(top, wide) if header is None else header
    if column is not None and start and all(index in wide and _is_order(rows[index], column) for index in range(start)):
        return _sorted_in(rows, start)
    titles = [f"{_rows_are(rows[:start])} above the table: not read as orders."] if start else []
    if header is None:
        return TableFrame(header=None, rows=rows[start:], notices=tuple(titles))
    unknown = [] if is_named or has_group else [f"Row {rows[header].row_no} was taken as the header, not as an order."]
    names, below = rows[header], rows[header + 1 :]
    if column is not None and below and (has_group or _is_continued(names, below[0], column)):
        unknown.append(f"Row {below[0].row_no} continues the header: not read as an order.")
        names, below = _joined(names, below[0], fold_name(wanted or "")), below[1:]
    body, skipped = _without_descriptions(names, below)
    return TableFrame(header=names, rows=body, notices=(*titles, *unknown, *skipped))


def _is_order(row: Row, column: int) -> bool:
    cell = row.cells[column] if column < len(row.cells) else ""
    return is_value_cell(cell) and can_be_order(cell)


def _sorted_in(rows: Sequence[Row], header: int) -> TableFrame:
    """Return the frame of a table whose header was sorted in among its rows, so that orders are above it too."""
    notice = f"The header is in row {rows[header].row_no}, below orders; the rows above it were read too."
    others = pack(chain(rows[:header], rows[header + 1 :]), ROW_CODEC)
    return TableFrame(header=rows[header], rows=others, notices=(notice,))


def _order_column(rows: Sequence[Row], index: int, wanted: str | None) -> int | None:
    """Return the column that a row names as the order column, or as the wanted one; ``None`` if it names neither."""
    row = rows[index]
    folded = fold_name(wanted or "")
    is_worded = not any(map(is_value_cell, row.cells))
    for position, name in enumerate(row.cells):
        is_wanted = bool(folded) and fold_name(name) == folded
        if not is_wanted and not _is_order_name(name):
            continue
        below = _column(rows[index + 1 : index + 1 + _PROBE_ROWS], position)
        # A name is once above its column, or again above each part of it; a value such as ``PO`` in a column of kinds
        # is repeated in the next row.
        is_name = name not in _column(rows[:index], position) + below or _are_orders(below[:1])
        if _are_orders(below) or (is_name and (is_wanted or is_worded)):
            return position
    return None


def _is_continued(header: Row, row: Row, column: int) -> bool:
    """Return whether a row below names of groups names their columns: it has no data, and a name for the orders."""
    name = row.cells[column] if column < len(row.cells) else ""
    is_group = not is_numbering(header.cells[column])
    is_name = _is_order_name(name) or (is_group and (is_numbering(name) or heads_other(name)))
    has_more = any(map(_is_name_alone, row.cells)) and row.filled_count > 1
    has_digits = any(map(str.isdigit, "".join(row.cells)))
    return is_name and has_more and row.cells != header.cells and not has_digits and not row.doubts


def _is_group(row: Row, names: Row) -> bool:
    """Return whether a row with fewer cells than the names below it has a group for them that is called for the orders.

    A title is in the first column; a group that begins further to the right is none.
    """
    first = next((index for index, name in enumerate(row.cells) if name.strip()), 0)
    if not first or first >= len(names.cells) or names.row_no != row.row_no + 1:
        return False
    below = names.cells[first]
    has_values = bool(row.doubts) or any(map(is_value_cell, row.cells))
    return not has_values and _is_order_name(row.cells[first]) and is_numbering(below)


def _is_name_alone(name: str) -> bool:
    return _is_order_name(name) or is_numbering(name)


def _joined(groups: Row, names: Row, wanted: str) -> Row:
    """Return column names with the names of their groups in front; a group ends where the next one begins.

    The column that the user named, given as a folded name, keeps its name.
    """
    width = max(len(groups.cells), len(names.cells))
    group, joined = "", list[str]()
    for column in range(width):
        above = groups.cells[column].strip() if column < len(groups.cells) else ""
        name = names.cells[column].strip() if column < len(names.cells) else ""
        group = above or group
        given_name = next((text for text in (above, name) if wanted and fold_name(text) == wanted), "")
        joined.append(given_name or (f"{group} {name}".strip() if name else above))
    return replace(names, cells=tuple(joined))


def _column(rows: Sequence[Row], position: int) -> list[str]:
    """Return the cells of a column in the first of these rows."""
    return [row.cells[position] for row in rows[:_PROBE_ROWS] if position < len(row.cells)]


def _is_order_name(name: str) -> bool:
    rank = name_rank(name)
    return rank is not None and rank < VAGUE


def _are_orders(cells: Sequence[str]) -> bool:
    return 2 * sum(map(can_be_order, cells)) > len(cells)


def _plain_header(rows: Sequence[Row], wide: Sequence[int]) -> int | None:
    """Return the first row as wide as the table, if no cell of it looks like a value."""
    return wide[0] if wide and not any(map(is_value_cell, rows[wide[0]].cells)) else None


def _first_row(top: Sequence[Row], wide: Sequence[int]) -> int:
    """Return the first data row of a list without a header: titles are narrow and have no values."""
    return next((index for index, row in enumerate(top) if index in wide or any(map(is_value_cell, row.cells))), 0)


def _without_descriptions(header: Row, body: Sequence[Row]) -> tuple[Sequence[Row], tuple[str, ...]]:
    """Remove rows that describe the columns of a tagged table, and return the others with a notice.

    The tag of the last row is that of the data.
    """
    if not (body and _TAG_NAME.fullmatch(header.cells[0].strip())):
        return body, ()
    tags = [row.cells[0].strip() for row in body]
    described = [row for row, tag in zip(body, tags, strict=True) if tag != tags[-1]]
    if not described:
        return body, ()
    data = pack((row for row, tag in zip(body, tags, strict=True) if tag == tags[-1]), ROW_CODEC)
    return data, (f"{_rows_are(described)} under a tag other than {tags[-1]!r}: not read as orders.",)


def _rows_are(rows: Sequence[Row]) -> str:
    if len(rows) == 1:
        return f"Row {rows[0].row_no} is"
    return f"Rows {rows[0].row_no} to {rows[-1].row_no} are"


_RULE = re.compile(r"[-=_*~+|#.:\N{EM DASH}\N{EN DASH}\u2500-\u256c\s]{3,}")


def remove_ruled_lines(grid: Grid) -> Grid:
    """Remove rows that are drawn lines, and add a notice. One below the header must not be taken for the header."""
    rules = [row for row in grid.rows if _is_rule(row)]
    if not rules or len(rules) == len(grid.rows):
        return grid
    left_out = {row.row_no for row in rules}
    rows = pack((row for row in grid.rows if row.row_no not in left_out), ROW_CODEC)
    return replace(grid, rows=rows, notices=(*grid.notices, *_notice(rules, "a drawn line")))


def remove_repeated_headers(frame: TableFrame) -> TableFrame:
    """Remove rows that repeat the header, and add a notice."""
    header = _plain_cells(frame.header) if frame.header else ()
    names = {column: fold_name(name) for column, name in enumerate(header) if name_rank(name) is not None}
    repeats = [row for row in frame.rows if header and (_plain_cells(row) == header or _is_like(row, names))]
    if not repeats:
        return frame
    left_out = {row.row_no for row in repeats}
    rows = pack((row for row in frame.rows if row.row_no not in left_out), ROW_CODEC)
    notices = (*frame.notices, *_notice(repeats, "the header again"))
    return replace(frame, rows=rows, repeats=tuple(sorted(left_out)), notices=notices)


def _is_like(row: Row, names: Mapping[int, str]) -> bool:
    """Return whether a row without data names the order column as the header does."""
    for column, name in names.items():
        cell = row.cells[column] if column < len(row.cells) else ""
        if cell and not any(map(str.isdigit, cell)) and fold_name(cell) == name:
            return not any(map(is_value_cell, row.cells))
    return False


def _notice(rows: Sequence[Row], what: str) -> tuple[str, ...]:
    if not rows:
        return ()
    where = named_rows([row.row_no for row in rows])
    return (f"{where.capitalize()} {'holds' if len(rows) == 1 else 'hold'} {what}: not read as orders.",)


def _is_rule(row: Row) -> bool:
    filled = [cell for cell in row.cells if cell.strip()]
    return bool(filled) and not row.doubts and all(map(_RULE.fullmatch, filled))


def _plain_cells(row: Row) -> tuple[str, ...]:
    cells = [cell.strip() for cell in row.cells]
    while cells and not cells[-1]:
        cells.pop()
    return tuple(cells)
