"""Rows that only dress a table: lines drawn with signs, and its header again at the top of each page. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from poolwright.intake.cells import is_data
from poolwright.intake.grid import Grid, Row, named_rows
from poolwright.intake.header import Frame
from poolwright.intake.names import fold_name, name_rank

_RULE = re.compile(r"[-=_*~+|#.:\N{EM DASH}\N{EN DASH}\u2500-\u256c\s]{3,}")


def without_rules(grid: Grid) -> Grid:
    """Rows without drawn lines, which are told. One below the header must not be taken for it."""
    rules = [row for row in grid.rows if _is_rule(row)]
    if not rules or len(rules) == len(grid.rows):
        return grid
    left_out = {row.row_no for row in rules}
    kept = tuple(row for row in grid.rows if row.row_no not in left_out)
    return replace(grid, rows=kept, notices=(*grid.notices, *_told(rules, "a drawn line")))


def without_repeats(frame: Frame) -> Frame:
    """A table without its header among its rows, which is told."""
    header = _plain_cells(frame.header) if frame.header else ()
    names = {place: fold_name(name) for place, name in enumerate(header) if name_rank(name) is not None}
    repeats = [row for row in frame.rows if header and (_plain_cells(row) == header or _is_like(row, names))]
    if not repeats:
        return frame
    left_out = {row.row_no for row in repeats}
    kept = tuple(row for row in frame.rows if row.row_no not in left_out)
    notices = (*frame.notices, *_told(repeats, "the header again"))
    return replace(frame, rows=kept, repeats=tuple(sorted(left_out)), notices=notices)


def _is_like(row: Row, names: Mapping[int, str]) -> bool:
    """Whether a row without data names the order column as the header does, whatever its other names are."""
    for place, name in names.items():
        cell = row.cells[place] if place < len(row.cells) else ""
        if cell and not any(map(str.isdigit, cell)) and fold_name(cell) == name:
            return not any(map(is_data, row.cells))
    return False


def _told(rows: Sequence[Row], what: str) -> tuple[str, ...]:
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
