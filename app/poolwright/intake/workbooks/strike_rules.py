"""Rules by which a workbook crosses cells out (conditional formats): which cells they meet, as far as that is known."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from poolwright.intake.grid import Row
from poolwright.intake.workbooks.formula import (
    FormulaPosition,
    UnknownError,
    Value,
    compare_values,
    evaluate,
    is_true,
    text_of,
)
from poolwright.intake.workbooks.sheet_rows import Area, SheetRows, column_letters

#: Whether a cell with this value, at this place, is crossed out.
Condition = Callable[[Value, FormulaPosition], bool]
_SHOWN_LENGTH = 60
#: Seconds of work: people have a rule or two, and those who mean harm as many as they like.
_ASKED_MAX = 1_000_000
#: What moves from column to column in a formula, words within quotes aside.
_MOVING = re.compile(r"(?<![$\w.])[A-Z]{1,3}\$?\d", re.IGNORECASE)
_QUOTED = re.compile(r"\"[^\"]*\"")


@dataclass(frozen=True, slots=True, kw_only=True)
class StrikeRule:
    """One rule that crosses out."""

    #: Where it acts; its references are those of the first cell of the first one.
    areas: Sequence[Area]
    #: When; nothing where that is not known.
    condition: Condition | None = None
    #: How the file says that, for a sentence.
    written: str = ""
    #: Whether it asks the same of all cells of a row.
    is_of_row: bool = False


def by_formula(formula: str) -> Condition:
    """A rule that is a formula."""
    return lambda _, place: is_true(formula, place)


def is_of_row(formula: str) -> bool:
    """Whether a formula names its columns for good, so that it says the same of all cells of a row."""
    return not _MOVING.search(_QUOTED.sub("", formula))


def by_comparison(sign: str, operands: Sequence[str]) -> Condition | None:
    """A rule that compares the cell itself: with one value, or with the two ends of a range."""
    match sign, operands:
        case (("=" | "<>" | "<" | ">" | "<=" | ">="), [operand]):
            return lambda value, place: compare_values(value, sign, evaluate(operand, place))
        case (("between" | "outside"), [low, high]):
            return lambda value, place: (
                (
                    compare_values(value, ">=", evaluate(low, place))
                    and compare_values(value, "<=", evaluate(high, place))
                )
                is (sign == "between")
            )
        case _:
            return None


def by_text(how: str, wanted: str) -> Condition | None:
    """A rule that looks for words in the cell itself."""
    words = wanted.casefold()
    tests: dict[str, Callable[[str], bool]] = {
        "contains": lambda text: words in text,
        "lacks": lambda text: words not in text,
        "begins": lambda text: text.startswith(words),
        "ends": lambda text: text.endswith(words),
        "blank": lambda text: not text.strip(),
        "filled": lambda text: bool(text.strip()),
    }
    test = tests.get(how)
    return None if test is None else lambda value, _: test(text_of(value).casefold())


def apply_strike_rules(rows: SheetRows, rules: Sequence[StrikeRule]) -> None:
    """Cross out what the rules cross out, and tell of those of which nobody knows."""
    asked = _Asked(rows)
    unknown = [rule for rule in rules if not asked.is_applied(rule)]
    if not unknown:
        return
    first = unknown[0]
    area = first.areas[0] if first.areas else None
    where = f" in {_cell_name(area.top, area.left)}:{_cell_name(area.bottom, area.right)}" if area else ""
    written = f" ({first.written[:_SHOWN_LENGTH]})" if first.written.strip() else ""
    more = f", and {len(unknown) - 1} more," if len(unknown) > 1 else ""
    rows.notices.append(
        f"A rule of {rows.source} (conditional format) crosses cells out{where}{written}{more} and which was not found "
        "out; check whether orders are among them, all were read."
    )


class _Asked:
    """Asks rules of the cells of one sheet, so many times at most."""

    def __init__(self, rows: SheetRows) -> None:
        self._rows = rows
        self._places = sorted(rows.rows)
        self._left = _ASKED_MAX

    def is_applied(self, rule: StrikeRule) -> bool:
        """Cross out what a rule meets; tells whether all of it is known. One that meets no row is."""
        met: dict[int, set[int]] = {}
        for row_no, columns in self._filled(rule.areas):
            self._left -= 1 if rule.is_of_row else 1 + len(columns)
            if self._left < 0 or (columns and rule.condition is None):
                return False
            if not columns or rule.condition is None:
                continue
            try:
                met.setdefault(row_no, set()).update(self._met(rule, rule.condition, row_no, columns))
            except UnknownError:
                return False
        for row_no, struck in met.items():
            row = self._rows.rows[row_no]
            self._rows.rows[row_no] = replace(row, struck=row.struck | struck)
        return bool(rule.areas)

    def _filled(self, areas: Sequence[Area]) -> Iterator[tuple[int, list[int]]]:
        """The rows within areas, each with its columns there that hold anything, if any does."""
        for area in areas:
            for row_no in self._places[bisect_left(self._places, area.top) : bisect_right(self._places, area.bottom)]:
                cells = self._rows.rows[row_no].cells
                columns = range(area.left, min(area.right + 1, len(cells)))
                yield row_no, [column for column in columns if cells[column].strip()]

    def _met(self, rule: StrikeRule, condition: Condition, row_no: int, columns: list[int]) -> list[int]:
        if rule.is_of_row:
            return columns if self._is_met(rule, condition, row_no, columns[0]) else []
        return [column for column in columns if self._is_met(rule, condition, row_no, column)]

    def _is_met(self, rule: StrikeRule, condition: Condition, row_no: int, column: int) -> bool:
        first = rule.areas[0]
        place = FormulaPosition(cell_at=self._value_at, down=row_no - first.top, right=column - first.left)
        return condition(self._value_at(row_no, column), place)

    def _value_at(self, row_no: int, column: int) -> Value:
        return _value(self._rows.rows.get(row_no), column)


def _value(row: Row | None, column: int) -> Value:
    """What a cell shows, as a formula has it.

    Raises:
        UnknownError: It holds a number or a date in a form that is not known here.
    """
    text = row.cells[column] if row is not None and column < len(row.cells) else ""
    if row is None or not text.strip():
        return None
    if row.values is None or column not in row.values:
        return {"TRUE": True, "FALSE": False}.get(text, text)
    try:
        return float(text)
    except ValueError as error:
        raise UnknownError(text) from error


def _cell_name(row_no: int, column: int) -> str:
    return f"{column_letters(column)}{row_no}"
