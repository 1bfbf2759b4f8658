"""Applies the conditional formats of a workbook that cross out cells, as far as they are supported."""

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

#: Returns whether a cell with this value, at this position, is crossed out.
Condition = Callable[[Value, FormulaPosition], bool]
_SHOWN_LENGTH = 60
#: Maximum evaluations, which take seconds: real sheets have one or two rules, a harmful one may have any number.
_EVALUATIONS_MAX = 1_000_000
#: A relative column in a formula, outside quotation marks.
_MOVING = re.compile(r"(?<![$\w.])[A-Z]{1,3}\$?\d", re.IGNORECASE)
_QUOTED = re.compile(r"\"[^\"]*\"")


@dataclass(frozen=True, slots=True, kw_only=True)
class StrikeRule:
    """A conditional format that crosses out."""

    #: Areas of the rule; its references are relative to the first cell of the first one.
    areas: Sequence[Area]
    #: The condition; ``None`` if it is not supported.
    condition: Condition | None = None
    #: The condition as it is written in the file, for notices.
    written: str = ""
    #: Whether the condition is the same for all cells of a row.
    is_of_row: bool = False


def by_formula(formula: str) -> Condition:
    """Return the condition of a formula."""
    return lambda _, position: is_true(formula, position)


def is_of_row(formula: str) -> bool:
    """Return whether all columns of a formula are absolute, so that it is the same for all cells of a row."""
    return not _MOVING.search(_QUOTED.sub("", formula))


def by_comparison(sign: str, operands: Sequence[str]) -> Condition | None:
    """Return the condition that compares the cell with one value, or with both ends of a range."""
    match sign, operands:
        case (("=" | "<>" | "<" | ">" | "<=" | ">="), [operand]):
            return lambda value, position: compare_values(value, sign, evaluate(operand, position))
        case (("between" | "outside"), [low, high]):
            return lambda value, position: (
                (
                    compare_values(value, ">=", evaluate(low, position))
                    and compare_values(value, "<=", evaluate(high, position))
                )
                is (sign == "between")
            )
        case _:
            return None


def by_text(test_name: str, wanted: str) -> Condition | None:
    """Return the condition that tests the text of the cell; ``None`` for an unknown test."""
    words = wanted.casefold()
    tests: dict[str, Callable[[str], bool]] = {
        "contains": lambda text: words in text,
        "lacks": lambda text: words not in text,
        "begins": lambda text: text.startswith(words),
        "ends": lambda text: text.endswith(words),
        "blank": lambda text: not text.strip(),
        "filled": lambda text: bool(text.strip()),
    }
    test = tests.get(test_name)
    return None if test is None else lambda value, _: test(text_of(value).casefold())


def apply_strike_rules(rows: SheetRows, rules: Sequence[StrikeRule]) -> None:
    """Cross out the cells that meet the rules, and add a notice about rules that are not supported."""
    evaluator = _Evaluator(rows)
    unknown = [rule for rule in rules if not evaluator.is_applied(rule)]
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


class _Evaluator:
    """Evaluates rules for the cells of one sheet, up to a limit of evaluations."""

    def __init__(self, rows: SheetRows) -> None:
        self._rows = rows
        self._row_numbers = sorted(rows.rows)
        self._remaining = _EVALUATIONS_MAX

    def is_applied(self, rule: StrikeRule) -> bool:
        """Cross out the cells that meet a rule, and return whether the whole rule is supported.

        A rule that meets no row counts as supported.
        """
        met: dict[int, set[int]] = {}
        for row_no, columns in self._filled(rule.areas):
            self._remaining -= 1 if rule.is_of_row else 1 + len(columns)
            if self._remaining < 0 or (columns and rule.condition is None):
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
        """Yield the rows within areas, each with its columns there that are not blank."""
        for area in areas:
            first = bisect_left(self._row_numbers, area.top)
            last = bisect_right(self._row_numbers, area.bottom)
            for row_no in self._row_numbers[first:last]:
                cells = self._rows.rows[row_no].cells
                columns = range(area.left, min(area.right + 1, len(cells)))
                yield row_no, [column for column in columns if cells[column].strip()]

    def _met(self, rule: StrikeRule, condition: Condition, row_no: int, columns: list[int]) -> list[int]:
        if rule.is_of_row:
            return columns if self._is_met(rule, condition, row_no, columns[0]) else []
        return [column for column in columns if self._is_met(rule, condition, row_no, column)]

    def _is_met(self, rule: StrikeRule, condition: Condition, row_no: int, column: int) -> bool:
        first = rule.areas[0]
        position = FormulaPosition(cell_at=self._value_at, down=row_no - first.top, right=column - first.left)
        return condition(self._value_at(row_no, column), position)

    def _value_at(self, row_no: int, column: int) -> Value:
        return _value(self._rows.rows.get(row_no), column)


def _value(row: Row | None, column: int) -> Value:
    """Return the value of a cell for a formula.

    Raises:
        UnknownError: It is a number or a date in an unsupported form.
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
