"""Finds the header of a list, and removes titles, description rows, ruled lines and repeated headers. Pure.

A row is never taken for a header, and so lost as an order, when it looks like data: such a list has no header, and the
order column is then asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median_high

from poolwright.intake.column_names import VAGUE, fold_name, heads_other, is_numbering, name_rank
from poolwright.intake.grid import Grid, Row, can_be_order, is_data, named_rows

#: A header further down than this is none.
_TOP_ROWS = 60
_PROBE_ROWS = 100
#: Tables of the tagged kind name the tags of their rows in the first cell of the header: ``\P\``.
_TAG_NAME = re.compile(r"\\.*\\")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFrame:
    """How the rows of a file part into titles, header and data."""

    #: Nothing when the list has no header.
    header: Row | None
    rows: tuple[Row, ...]
    #: Numbers of the rows that held the header again.
    repeats: tuple[int, ...] = ()
    notices: tuple[str, ...] = ()


def find_frame(rows: Sequence[Row], wanted: str | None = None) -> TableFrame:
    """Find the header and the data below it.

    Args:
        rows: All rows that are not blank.
        wanted: The name of the order column, when the user told it.
    """
    top = rows[:_TOP_ROWS]
    usual_count = median_high(row.filled_count for row in rows[:_PROBE_ROWS])
    wide = [index for index, row in enumerate(top) if 2 * row.filled_count > usual_count]
    places = ((index, _named_place(rows, index, wanted)) for index in wide)
    header, place = next(((index, place) for index, place in places if place is not None), (None, None))
    is_named = header is not None
    if header is None:
        header = _plain_header(rows, wide)
    start = _first_row(top, wide) if header is None else header
    if place is not None and start and all(index in wide and _is_order(rows[index], place) for index in range(start)):
        return _sorted_in(rows, start)
    titles = [f"{_rows_stand(rows[:start])} above the table: not read as orders."] if start else []
    if header is None:
        return TableFrame(header=None, rows=tuple(rows[start:]), notices=tuple(titles))
    unknown = [] if is_named else [f"Row {rows[header].row_no} was taken as the header, not as an order."]
    names, below = rows[header], rows[header + 1 :]
    if place is not None and below and _goes_on(names, below[0], place):
        unknown.append(f"Row {below[0].row_no} continues the header: not read as an order.")
        names, below = _joined(names, below[0], fold_name(wanted or "")), below[1:]
    body, skipped = _without_descriptions(names, below)
    return TableFrame(header=names, rows=body, notices=(*titles, *unknown, *skipped))


def _is_order(row: Row, place: int) -> bool:
    cell = row.cells[place] if place < len(row.cells) else ""
    return is_data(cell) and can_be_order(cell)


def _sorted_in(rows: Sequence[Row], header: int) -> TableFrame:
    """A table whose header was sorted in among its rows, so that orders stand above it too."""
    notice = f"The header is in row {rows[header].row_no}, below orders; the rows above it were read too."
    return TableFrame(header=rows[header], rows=(*rows[:header], *rows[header + 1 :]), notices=(notice,))


def _named_place(rows: Sequence[Row], index: int, wanted: str | None) -> int | None:
    """Where a row names an order column, or the column that is wanted; nothing when it names none."""
    row = rows[index]
    told = fold_name(wanted or "")
    is_worded = not any(map(is_data, row.cells))
    for position, name in enumerate(row.cells):
        is_told = bool(told) and fold_name(name) == told
        if not is_told and not _is_order_name(name):
            continue
        below = _column(rows[index + 1 :], position)
        # A name stands once, above its column, or again above each part of it; a value such as ``PO`` in a column of
        # kinds comes again in the next row.
        is_name = name not in _column(rows[:index], position) + below or _are_orders(below[:1])
        if _are_orders(below) or (is_name and (is_told or is_worded)):
            return position
    return None


def _goes_on(header: Row, row: Row, place: int) -> bool:
    """Whether the row below names of groups names the columns in them: it has no data, and a name for the orders."""
    name = row.cells[place] if place < len(row.cells) else ""
    is_group = not is_numbering(header.cells[place])
    is_name = _is_order_name(name) or (is_group and (is_numbering(name) or heads_other(name)))
    has_more = any(map(_is_name_alone, row.cells)) and row.filled_count > 1
    has_digits = any(map(str.isdigit, "".join(row.cells)))
    return is_name and has_more and row.cells != header.cells and not has_digits and not row.doubts


def _is_name_alone(name: str) -> bool:
    return _is_order_name(name) or is_numbering(name)


def _joined(groups: Row, names: Row, told: str) -> Row:
    """Names of columns behind those of their groups; a group reaches to where the next one begins.

    The name that the user told, folded, stays as it is.
    """
    width = max(len(groups.cells), len(names.cells))
    group, joined = "", list[str]()
    for place in range(width):
        above = groups.cells[place].strip() if place < len(groups.cells) else ""
        name = names.cells[place].strip() if place < len(names.cells) else ""
        group = above or group
        wanted = next((text for text in (above, name) if told and fold_name(text) == told), "")
        joined.append(wanted or (f"{group} {name}".strip() if name else above))
    return replace(names, cells=tuple(joined))


def _column(rows: Sequence[Row], position: int) -> list[str]:
    """The cells of a column in the next rows."""
    return [row.cells[position] for row in rows[:_PROBE_ROWS] if position < len(row.cells)]


def _is_order_name(name: str) -> bool:
    rank = name_rank(name)
    return rank is not None and rank < VAGUE


def _are_orders(cells: Sequence[str]) -> bool:
    return 2 * sum(map(can_be_order, cells)) > len(cells)


def _plain_header(rows: Sequence[Row], wide: Sequence[int]) -> int | None:
    """The first row as wide as the table, when no cell of it looks like a value."""
    return wide[0] if wide and not any(map(is_data, rows[wide[0]].cells)) else None


def _first_row(top: Sequence[Row], wide: Sequence[int]) -> int:
    """Where data begin without a header: titles are narrow and hold no values."""
    return next((index for index, row in enumerate(top) if index in wide or any(map(is_data, row.cells))), 0)


def _without_descriptions(header: Row, body: Sequence[Row]) -> tuple[tuple[Row, ...], tuple[str, ...]]:
    """Without rows that tell types, keys and groups of the columns: in a tagged table, the tag of data comes last."""
    if not (body and _TAG_NAME.fullmatch(header.cells[0].strip())):
        return tuple(body), ()
    tags = [row.cells[0].strip() for row in body]
    described = [row for row, tag in zip(body, tags, strict=True) if tag != tags[-1]]
    if not described:
        return tuple(body), ()
    data = tuple(row for row, tag in zip(body, tags, strict=True) if tag == tags[-1])
    return data, (f"{_rows_stand(described)} under another tag than {tags[-1]!r}: not read as orders.",)


def _rows_stand(rows: Sequence[Row]) -> str:
    if len(rows) == 1:
        return f"Row {rows[0].row_no} stands"
    return f"Rows {rows[0].row_no} to {rows[-1].row_no} stand"


_RULE = re.compile(r"[-=_*~+|#.:\N{EM DASH}\N{EN DASH}\u2500-\u256c\s]{3,}")


def remove_ruled_lines(grid: Grid) -> Grid:
    """Rows without drawn lines, which are told. One below the header must not be taken for it."""
    rules = [row for row in grid.rows if _is_rule(row)]
    if not rules or len(rules) == len(grid.rows):
        return grid
    left_out = {row.row_no for row in rules}
    kept = tuple(row for row in grid.rows if row.row_no not in left_out)
    return replace(grid, rows=kept, notices=(*grid.notices, *_notice(rules, "a drawn line")))


def remove_repeated_headers(frame: TableFrame) -> TableFrame:
    """A table without its header among its rows, which is told."""
    header = _plain_cells(frame.header) if frame.header else ()
    names = {place: fold_name(name) for place, name in enumerate(header) if name_rank(name) is not None}
    repeats = [row for row in frame.rows if header and (_plain_cells(row) == header or _is_like(row, names))]
    if not repeats:
        return frame
    left_out = {row.row_no for row in repeats}
    kept = tuple(row for row in frame.rows if row.row_no not in left_out)
    notices = (*frame.notices, *_notice(repeats, "the header again"))
    return replace(frame, rows=kept, repeats=tuple(sorted(left_out)), notices=notices)


def _is_like(row: Row, names: Mapping[int, str]) -> bool:
    """Whether a row without data names the order column as the header does, whatever its other names are."""
    for place, name in names.items():
        cell = row.cells[place] if place < len(row.cells) else ""
        if cell and not any(map(str.isdigit, cell)) and fold_name(cell) == name:
            return not any(map(is_data, row.cells))
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
