"""Rows that are not orders: totals, and other tables below or beside the list. Pure.

A line that is named a total and holds amounts alone is left out; a number that may be a sum is a question, since an
order could have it too. Either is told.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from poolwright.domain.outcomes import Reason
from poolwright.intake.column_names import fold_name, heads_other, is_numbering, name_rank
from poolwright.intake.grid import Row, can_be_order, is_data, named_rows
from poolwright.intake.order_column import column_label
from poolwright.intake.table import Table
from poolwright.portal.numbers import InvalidNumber, NumberRules, OrderNumber, parse_number

_WORDS = (
    "total totals subtotal subtotals sum sums",
    "summe gesamt gesamtsumme zwischensumme endsumme ergebnis gesamtergebnis teilergebnis",
    "somme sous-total totale subtotale totaal subtotaal eindtotaal suma razem celkem součet mezisoučet toplam yhteensä",
    "summa totalt delsumma összesen részösszeg ukupno skupaj spolu medzisúčet kokku kopā jumlah",
    'итого всего подытог разом усього общо σύνολο المجموع الإجمالي סה״כ סה"כ รวม',
    "合計 合计 総計 总计 總計 小计 小計 합계 총계 총합계 소계",
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
    "suma częściowa",
    "overall result",
    "genel toplam",
    "ara toplam",
    "iš viso",
    "tổng cộng",
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
#: A value of the list with the word behind it, as Excel writes below each group: ``4500012345 Total``.
_OF_ONE = re.compile(rf"(.*\S)\s+(?:{_ANY_NAME})", re.IGNORECASE)
#: Amounts, counts and placeholders; a total line holds nothing else beside its name.
_AMOUNT = re.compile(r"[^\w\s]{0,2}\s*(?:[A-Z]{3}\s*)?[+-]?[\d.,'\s]*(?:\s*(?:%|[^\w\s]|[A-Z]{3}))?")
_ADDED_MIN = 2


@dataclass(slots=True)
class Totals:
    """What was found in one list."""

    #: Numbers of the rows that are no orders.
    lines: list[int] = field(default_factory=list[int])
    #: Rows whose number may be a sum.
    doubted: dict[int, InvalidNumber] = field(default_factory=dict[int, InvalidNumber])

    def notices(self) -> tuple[str, ...]:
        """What the user should know of the rows that were left out."""
        if not self.lines:
            return ()
        is_one = len(self.lines) == 1
        what = "holds a total" if is_one else "hold totals"
        return (f"{named_rows(self.lines).capitalize()} {what}: not read as {'an order' if is_one else 'orders'}.",)


@dataclass(slots=True)
class _Added:
    """Numbers that stand above a line, added up."""

    total: int = 0
    count: int = 0

    def add(self, number: int) -> None:
        self.total += number
        self.count += 1

    def make(self, number: int) -> bool:
        """Whether they make a number together; a single one makes nothing."""
        return self.count >= _ADDED_MIN and self.total == number


def find_totals(rows: Sequence[Row], index: int, numbers: Sequence[OrderNumber | InvalidNumber]) -> Totals:
    """Look for totals.

    Args:
        rows: The data rows of the list.
        index: The order column.
        numbers: What each row has in it.
    """
    found = Totals()
    usual = _usual_length(numbers)
    given = {
        row.cells[index].strip() for row, number in zip(rows, numbers, strict=True) if isinstance(number, OrderNumber)
    }
    above, since = _Added(), _Added()
    for row, number in zip(rows, numbers, strict=True):
        is_named = any(map(_is_named, row.cells))
        if not isinstance(number, OrderNumber):
            if (is_named and _is_total_line(row, index, number)) or _is_subtotal(row, index, given):
                found.lines.append(row.row_no)
            continue
        value = int(number.portal_number) if number.portal_number.isdecimal() else None
        if value is None:
            continue
        is_sum = above.make(value) or since.make(value)
        if is_sum or (is_named and len(number.portal_number) != usual):
            found.doubted[row.row_no] = _doubt(number, is_sum=is_sum)
            since = _Added()
            continue
        above.add(value)
        since.add(value)
    return found


def _doubt(number: OrderNumber, *, is_sum: bool) -> InvalidNumber:
    why = "is the sum of the numbers above it" if is_sum else "is in a line that is labelled as a total"
    return InvalidNumber(
        reason=Reason.BAD_NUMBER,
        detail=f"{number.po_number} {why}, so it is a total or an order: delete the line, or list the order alone.",
    )


def _usual_length(numbers: Sequence[OrderNumber | InvalidNumber]) -> int:
    lengths = Counter(len(number.portal_number) for number in numbers if isinstance(number, OrderNumber))
    return max(lengths.items(), key=lambda item: item[1], default=(0, 0))[0]


def _is_total_line(row: Row, index: int, number: InvalidNumber) -> bool:
    """Whether amounts stand beside the name alone, and no number that somebody meant in the order column."""
    is_meant = number.reason is Reason.BAD_NUMBER and not _is_named(row.cells[index]) and index not in row.doubts
    return not is_meant and all(_is_named(cell) or _AMOUNT.fullmatch(cell.strip()) for cell in row.cells)


def _is_subtotal(row: Row, index: int, given: Collection[str]) -> bool:
    """Whether a line adds up the rows of one order, which stands in rows of its own too."""
    of_one = _OF_ONE.fullmatch(row.cells[index].strip())
    others = (cell for place, cell in enumerate(row.cells) if place != index)
    return of_one is not None and of_one[1] in given and all(_AMOUNT.fullmatch(cell.strip()) for cell in others)


def _is_named(cell: str) -> bool:
    return bool(_NAMED.fullmatch(cell.strip()))


@dataclass(slots=True)
class OtherTables:
    """What stands below names of other columns."""

    #: Numbers of the rows that name the columns of another table.
    heads: list[int] = field(default_factory=list[int])
    #: Rows below them with a number that may be an order or anything else.
    doubted: dict[int, InvalidNumber] = field(default_factory=dict[int, InvalidNumber])

    def notices(self) -> tuple[str, ...]:
        """What the user should know of the rows that were left out."""
        if not self.heads:
            return ()
        where = named_rows(self.heads).capitalize()
        is_one = len(self.heads) == 1
        return (f"{where} {'begins another table' if is_one else 'begin other tables'}: what follows is uncertain.",)


def find_other_tables(
    sheet: Table, index: int, numbers: Sequence[OrderNumber | InvalidNumber], totals: Collection[int] = ()
) -> OtherTables:
    """Look for tables below the list whose numbers are those of something else.

    Args:
        sheet: The list.
        index: The order column.
        numbers: What each row has in it.
        totals: Numbers of the rows that are totals, and so no names.
    """
    found = OtherTables()
    head: Row | None = None
    for row, number in zip(sheet.rows, numbers, strict=True):
        if isinstance(number, InvalidNumber):
            if row.row_no not in totals and _heads_another(row, index):
                head = row
                found.heads.append(row.row_no)
        elif head is not None and not any(head.row_no < repeat < row.row_no for repeat in sheet.repeats):
            found.doubted[row.row_no] = InvalidNumber(
                reason=Reason.BAD_NUMBER,
                detail=f"{number.po_number} stands below {head.cells[index].strip()!r} in row {head.row_no}, so it may "
                "not be an order: list the order separately, or remove the other table.",
            )
    return found


def side_column_notices(sheet: Table, index: int, rules: NumberRules, known: Collection[str]) -> Iterator[str]:
    """Orders in columns that are named like the order column, or not at all, and were not read.

    Args:
        sheet: The list.
        index: The order column.
        rules: What order numbers look like.
        known: The portal's numbers of the orders that were read.
    """
    own = fold_name(sheet.columns[index])
    for place, name in enumerate(sheet.columns if sheet.has_header else ()):
        is_nameless = not name.strip() or name == f"#{place + 1}"
        if place == index or not (is_nameless or fold_name(name) == own):
            continue
        missed = _missed(sheet.rows, place, rules, known)
        if missed:
            number, row_no = next(iter(missed.items()))
            what = f"order {number} in row {row_no}" if len(missed) == 1 else f"{len(missed)} orders from {number} on"
            shown = column_label(sheet, place)
            yield f"Column {shown} holds {what}, not read: name it with --column, or move its cells below the others."


def _heads_another(row: Row, index: int) -> bool:
    cell = row.cells[index]
    if row.doubts or not heads_other(cell) or any(map(is_data, row.cells)):
        return False
    others = [name for place, name in enumerate(row.cells) if place != index and name.strip()]
    return any(heads_other(name) or name_rank(name) is not None for name in others) if others else is_numbering(cell)


def _missed(rows: Sequence[Row], place: int, rules: NumberRules, known: Collection[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in rows:
        number = parse_number(row.cells[place], rules) if can_be_order(row.cells[place]) else None
        if isinstance(number, OrderNumber) and number.portal_number not in known:
            found.setdefault(number.portal_number, row.row_no)
    return found
