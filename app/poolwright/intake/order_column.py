"""Finds the column of order numbers by its name, checked against its cells. Pure.

The name decides between columns whose cells can be order numbers. If no name is known, the cells decide, provided that
only one column fits the portal's rules. An uncertain choice is reported in a notice, or refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from poolwright.intake.column_names import SURE_RANK, fold_name, means_other, name_rank
from poolwright.intake.errors import InputRefusedError
from poolwright.intake.grid import Row, can_be_order
from poolwright.intake.table import Table, column_position
from poolwright.portal.numbers import NumberRules, OrderNumber, parse_number

#: Number of filled cells of a column that are checked.
_PROBE_CELLS = 200
#: Share of them that must be order numbers if the name is known.
_FITTING_SHARE_MIN = 0.5
#: Without a known name: the share that must be order numbers, and the share that must be different.
_TELLING_SHARE_MIN, _DISTINCT_SHARE_MIN = 0.9, 0.5
#: Number of columns, and length of a name, that a sentence shows.
_SHOWN_COLUMNS, _SHOWN_LENGTH = 30, 40


class Confidence(Enum):
    """Confidence in a choice."""

    SURE = auto()
    #: Taken, with a notice.
    LIKELY = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderColumn:
    """The column that was chosen."""

    #: From 0.
    index: int
    confidence: Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """A column whose name may mean the order number."""

    index: int
    rank: int
    is_filled: bool
    is_fitting: bool


def find_column(sheet: Table, wanted: str | None, rules: NumberRules) -> OrderColumn:
    """Return the wanted column, or the one that is most likely the order column.

    Args:
        sheet: The list.
        wanted: Name or ``#3`` as the user gave it; ``None`` to detect the column.
        rules: The portal's rules for order numbers.

    Raises:
        InputRefusedError: There is no such column, or none can be detected.
    """
    if wanted:
        return OrderColumn(index=wanted_column(sheet, wanted), confidence=Confidence.SURE)
    choice = guess_column(sheet.columns, sheet.rows, rules)
    if choice is None:
        raise InputRefusedError(" ".join([_no_column(sheet), *sheet.notices]))
    return choice


def wanted_column(sheet: Table, wanted: str) -> int:
    """Return the index of a column given by name (compared without case, accents and punctuation) or by position.

    Raises:
        InputRefusedError: No column, or more than one, has this name.
    """
    matches = [index for index, name in enumerate(sheet.columns) if name.strip() == wanted.strip()]
    if not matches:
        position = column_position(wanted)
        if position is not None and 1 <= position <= len(sheet.columns):
            return position - 1
        folded = fold_name(wanted)
        matches = [index for index, name in enumerate(sheet.columns) if folded and fold_name(name) == folded]
    if not matches:
        and_header = "" if sheet.has_header else " and no header"
        raise InputRefusedError(f"{sheet.source} has no column {wanted!r}{and_header}; {_columns_shown(sheet)}.")
    if len(matches) > 1:
        positions = " or ".join(f"--column '#{index + 1}'" for index in matches)
        raise InputRefusedError(f"{sheet.source} has {len(matches)} columns named {wanted!r}; say which: {positions}.")
    return matches[0]


def guess_column(columns: Sequence[str], rows: Sequence[Row], rules: NumberRules) -> OrderColumn | None:
    """Return the column that most likely has the order numbers; ``None`` if that is uncertain."""
    if len(columns) == 1:
        return OrderColumn(index=0, confidence=Confidence.SURE)
    candidates = list(_named(columns, rows, rules))
    if not candidates:
        return _only_fitting(columns, rows, rules)
    best = min(candidates, key=lambda item: (not item.is_filled, not item.is_fitting, item.rank, item.index))
    rival_count = sum(item.rank <= best.rank for item in candidates) - 1
    is_sure = best.rank <= SURE_RANK and best.is_fitting and not rival_count
    return OrderColumn(index=best.index, confidence=Confidence.SURE if is_sure else Confidence.LIKELY)


def column_label(sheet: Table, index: int) -> str:
    """Return a column in words: ``#2 'Order No.'``, or with its first cell if there are no names: ``#1 (PO001 …)``."""
    if sheet.has_header:
        return f"#{index + 1} {sheet.columns[index][:_SHOWN_LENGTH]!r}"
    return f"#{index + 1} ({sheet.rows[0].cells[index].strip()[:_SHOWN_LENGTH]} …)"


def guess_notice(sheet: Table, choice: OrderColumn) -> str:
    """Return the notice about an uncertain choice."""
    return (
        f"The order numbers were taken from column {column_label(sheet, choice.index)}, which is a guess; "
        "name another with --column NAME or --column '#3'."
    )


def _named(columns: Sequence[str], rows: Sequence[Row], rules: NumberRules) -> Iterator[_Candidate]:
    for index, name in enumerate(columns):
        rank = name_rank(name)
        if rank is not None:
            cells = _filled_cells(rows, index)
            is_fitting = _fitting_share(cells, rules) >= _FITTING_SHARE_MIN
            yield _Candidate(index=index, rank=rank, is_filled=bool(cells), is_fitting=is_fitting)


def _only_fitting(columns: Sequence[str], rows: Sequence[Row], rules: NumberRules) -> OrderColumn | None:
    """Return the only column whose cells look like order numbers and whose name means nothing else; else ``None``."""
    fitting = [index for index, name in enumerate(columns) if not means_other(name) and _is_telling(rows, index, rules)]
    return OrderColumn(index=fitting[0], confidence=Confidence.LIKELY) if len(fitting) == 1 else None


def _is_telling(rows: Sequence[Row], index: int, rules: NumberRules) -> bool:
    cells = _filled_cells(rows, index)
    if not cells or _fitting_share(cells, rules) < _TELLING_SHARE_MIN:
        return False
    return len({cell.strip() for cell in cells}) >= _DISTINCT_SHARE_MIN * len(cells)


def _filled_cells(rows: Sequence[Row], index: int) -> list[str]:
    cells: list[str] = []
    for row in rows:
        if row.cells[index].strip():
            cells.append(row.cells[index])
            if len(cells) == _PROBE_CELLS:
                break
    return cells


def _fitting_share(cells: Sequence[str], rules: NumberRules) -> float:
    """Return the share of cells that look like order numbers and are valid for the portal."""
    if not cells:
        return 0.0
    fitting_count = sum(can_be_order(cell) and isinstance(parse_number(cell, rules), OrderNumber) for cell in cells)
    return fitting_count / len(cells)


def _no_column(sheet: Table) -> str:
    if sheet.has_header:
        return f"{sheet.source} has no column that is recognised as order numbers; {_columns_shown(sheet)}."
    return f"{sheet.source} has no header, so the order column must be named by position; {_columns_shown(sheet)}."


def _columns_shown(sheet: Table) -> str:
    """Return every column with its position, and with its first cell in a list without a header."""
    labels = ", ".join(column_label(sheet, index) for index in range(min(len(sheet.columns), _SHOWN_COLUMNS)))
    more = len(sheet.columns) - _SHOWN_COLUMNS
    tail = f" and {more} more" if more > 0 else ""
    return f"name one with --column, such as --column '#1': {labels}{tail}"
