"""Lines that add up a list are no orders: they are known by a word, or by the sum that they hold. Pure.

A line that is named a total and holds amounts alone is left out; a number that may be a sum is a question, since an
order could have it too. Either is told.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.domain.failures import Reason
from app.intake.grid import Row, named_rows
from app.portal.numbers import BadNumber, Number

_WORDS = (
    "total totals subtotal subtotals sum sums",
    "summe gesamt gesamtsumme zwischensumme endsumme ergebnis gesamtergebnis teilergebnis",
    "somme totale subtotale totaal subtotaal eindtotaal suma razem celkem součet mezisoučet toplam yhteensä summa",
    "итого всего 合计 合計 総計 总计 總計 小计 小計 합계 총계 소계",
)
_PHRASES = (
    "grand total",
    "sub total",
    "sub-total",
    "total general",
    "total général",
    "total geral",
    "suma total",
    "suma końcowa",
    "totale complessivo",
    "totale generale",
    "общий итог",
    "i alt",
)
_ANY_NAME = "|".join(map(re.escape, (*_PHRASES, *" ".join(_WORDS).split())))
#: ``Total``, ``Total:``, ``Total (3 orders)``.
_NAMED = re.compile(
    rf"(?:{_ANY_NAME})\s*[:=]?\s*(?:\(?\d[\d.,\s]*(?:[^\W\d_]+)?\)?)?",
    re.IGNORECASE,
)
#: Amounts, counts and placeholders; a total line holds nothing else beside its name.
_AMOUNT = re.compile(r"[^\w\s]{0,2}\s*(?:[A-Z]{3}\s*)?[+-]?[\d.,'\s]*(?:\s*(?:%|[^\w\s]|[A-Z]{3}))?")
_ADDED_MIN = 2


@dataclass(slots=True)
class Totals:
    """What was found in one list."""

    #: Numbers of the rows that are no orders.
    lines: list[int] = field(default_factory=list[int])
    #: Rows whose number may be a sum.
    doubted: dict[int, BadNumber] = field(default_factory=dict[int, BadNumber])

    def notices(self) -> tuple[str, ...]:
        """What the user should know of the rows that were left out."""
        if not self.lines:
            return ()
        is_one = len(self.lines) == 1
        what = "holds a total" if is_one else "hold totals"
        return (f"{named_rows(self.lines).capitalize()} {what}: not read as {'an order' if is_one else 'orders'}.",)


def find_totals(rows: Sequence[Row], index: int, numbers: Sequence[Number | BadNumber]) -> Totals:
    """Look for totals.

    Args:
        rows: The data rows of the list.
        index: The order column.
        numbers: What each row has in it.
    """
    found = Totals()
    usual = _usual_length(numbers)
    above: list[int] = []
    since: list[int] = []
    for row, number in zip(rows, numbers, strict=True):
        is_named = any(map(_is_named, row.cells))
        if not isinstance(number, Number):
            if is_named and _is_total_line(row, index, number):
                found.lines.append(row.row_no)
            continue
        value = int(number.portal_number) if number.portal_number.isdecimal() else None
        if value is None:
            continue
        is_sum = any(len(addends) >= _ADDED_MIN and sum(addends) == value for addends in (above, since))
        if is_sum or (is_named and len(number.portal_number) != usual):
            found.doubted[row.row_no] = _doubt(number, is_sum=is_sum)
            since = []
            continue
        above.append(value)
        since.append(value)
    return found


def _doubt(number: Number, *, is_sum: bool) -> BadNumber:
    why = "is the sum of the numbers above it" if is_sum else "stands in a line that is named a total"
    return BadNumber(
        reason=Reason.BAD_NUMBER,
        detail=f"{number.po_number} {why}, so it is a total or an order: delete the line, or give the order by itself.",
    )


def _usual_length(numbers: Sequence[Number | BadNumber]) -> int:
    lengths = Counter(len(number.portal_number) for number in numbers if isinstance(number, Number))
    return max(lengths.items(), key=lambda item: item[1], default=(0, 0))[0]


def _is_total_line(row: Row, index: int, number: BadNumber) -> bool:
    """Whether amounts stand beside the name alone, and no number that somebody meant in the order column."""
    is_meant = number.reason is Reason.BAD_NUMBER and not _is_named(row.cells[index]) and index not in row.doubts
    return not is_meant and all(_is_named(cell) or _AMOUNT.fullmatch(cell.strip()) for cell in row.cells)


def _is_named(cell: str) -> bool:
    return bool(_NAMED.fullmatch(cell.strip()))
