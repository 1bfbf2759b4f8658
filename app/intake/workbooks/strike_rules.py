"""Rules by which a workbook crosses cells out (conditional formats): which cells they meet, as far as that is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from app.intake.grid import Row
from app.intake.workbooks.formula import Place, UnknownError, Value, compared, holds, text_of, value_of
from app.intake.workbooks.sheet_rows import Area, SheetRows, column_letters

#: Whether a cell with this value, at this place, is crossed out.
Condition = Callable[[Value, Place], bool]
_SHOWN_LENGTH = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class StrikeRule:
    """One rule that crosses out."""

    #: Where it acts; its references are those of the first cell of the first one.
    areas: Sequence[Area]
    #: When; nothing where that is not known.
    condition: Condition | None = None
    #: How the file says that, for a sentence.
    written: str = ""


def by_formula(formula: str) -> Condition:
    """A rule that is a formula."""
    return lambda _, place: holds(formula, place)


def by_comparison(sign: str, operands: Sequence[str]) -> Condition | None:
    """A rule that compares the cell itself: with one value, or with the two ends of a range."""
    match sign, operands:
        case (("=" | "<>" | "<" | ">" | "<=" | ">="), [operand]):
            return lambda value, place: compared(value, sign, value_of(operand, place))
        case (("between" | "outside"), [low, high]):
            return lambda value, place: (
                (compared(value, ">=", value_of(low, place)) and compared(value, "<=", value_of(high, place)))
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


def cross_out(rows: SheetRows, rules: Sequence[StrikeRule]) -> None:
    """Cross out what the rules cross out, and tell of those of which nobody knows."""
    unknown = [rule for rule in rules if not _is_applied(rows, rule)]
    if not unknown:
        return
    first = unknown[0]
    area = first.areas[0] if first.areas else None
    where = f" in {_cell_name(area.top, area.left)}:{_cell_name(area.bottom, area.right)}" if area else ""
    written = f" ({first.written[:_SHOWN_LENGTH]})" if first.written.strip() else ""
    more = f", and {len(unknown) - 1} more," if len(unknown) > 1 else ""
    rows.notices.append(
        f"A rule of {rows.source} (conditional format) crosses cells out{where}{written}{more} and which was not found "
        "out; look whether orders are among them, all were read."
    )


def _is_applied(rows: SheetRows, rule: StrikeRule) -> bool:
    """Cross out what a rule meets; tells whether all of it is known. One that meets no row is."""
    met: list[tuple[int, int]] = []
    for area in rule.areas:
        for row_no, row in _within(rows, area):
            for column in range(area.left, min(area.right + 1, len(row.cells))):
                if not row.cells[column].strip():
                    continue
                if rule.condition is None or not _add(met, rule, rows, row_no, column):
                    return False
    for row_no, column in met:
        row = rows.rows[row_no]
        rows.rows[row_no] = replace(row, struck=row.struck | {column})
    return bool(rule.areas)


def _add(met: list[tuple[int, int]], rule: StrikeRule, rows: SheetRows, row_no: int, column: int) -> bool:
    first = rule.areas[0]
    place = Place(
        cell_at=lambda at_row, at_column: _value(rows.rows.get(at_row), at_column),
        down=row_no - first.top,
        right=column - first.left,
    )
    try:
        if rule.condition is not None and rule.condition(_value(rows.rows[row_no], column), place):
            met.append((row_no, column))
    except UnknownError:
        return False
    return True


def _within(rows: SheetRows, area: Area) -> Iterator[tuple[int, Row]]:
    return ((row_no, row) for row_no, row in sorted(rows.rows.items()) if area.top <= row_no <= area.bottom)


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
