"""Where the table of a list begins: titles above it, its header if it has one, rows that describe it. Pure.

A row is never taken for a header, and so lost as an order, when it looks like data: such a list has no header, and the
order column is then asked for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median_high

from app.intake.cells import can_be_order, is_data
from app.intake.grid import Row
from app.intake.names import VAGUE, fold_name, name_rank

#: A header further down than this is none.
_TOP_ROWS = 60
_PROBE_ROWS = 100
#: Tables of the tagged kind name the tags of their rows in the first cell of the header: ``\P\``.
_TAG_NAME = re.compile(r"\\.*\\")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """How the rows of a file part into titles, header and data."""

    #: Nothing when the list has no header.
    header: Row | None
    rows: tuple[Row, ...]
    #: Numbers of the rows that held the header again.
    repeats: tuple[int, ...] = ()
    notices: tuple[str, ...] = ()


def frame_rows(rows: Sequence[Row], wanted: str | None = None) -> Frame:
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
        return Frame(header=None, rows=tuple(rows[start:]), notices=tuple(titles))
    unknown = [] if is_named else [f"Row {rows[header].row_no} was taken as the header, not as an order."]
    body, skipped = _without_descriptions(rows[header], rows[header + 1 :])
    return Frame(header=rows[header], rows=body, notices=(*titles, *unknown, *skipped))


def _is_order(row: Row, place: int) -> bool:
    cell = row.cells[place] if place < len(row.cells) else ""
    return is_data(cell) and can_be_order(cell)


def _sorted_in(rows: Sequence[Row], header: int) -> Frame:
    """A table whose header was sorted in among its rows, so that orders stand above it too."""
    notice = f"The header stands in row {rows[header].row_no}, below orders: the rows above it were read too."
    return Frame(header=rows[header], rows=(*rows[:header], *rows[header + 1 :]), notices=(notice,))


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
