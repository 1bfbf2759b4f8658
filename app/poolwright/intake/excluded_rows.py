"""Finds rows that are not orders: totals, and other tables below or beside the list. Pure.

A row that is labelled as a total and has only amounts is left out. A number that may be a sum could be an order too, so
its row is reported as invalid. A notice names the rows in both cases.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from poolwright.domain.outcomes import Reason
from poolwright.intake.column_names import fold_name, heads_other, is_numbering, name_rank
from poolwright.intake.grid import Row, can_be_order, is_value_cell, named_rows
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
#: A value of the list followed by the word, as Excel writes it below each group: ``4500012345 Total``.
_OF_ONE = re.compile(rf"(.*\S)\s+(?:{_ANY_NAME})", re.IGNORECASE)
#: Amounts, counts and placeholders; a total has nothing else beside its label.
_AMOUNT = re.compile(r"[^\w\s]{0,2}\s*+(?:[A-Z]{3}\s*+)?[+-]?[\d.,'\s]*+(?:%|[^\w\s]|[A-Z]{3})?")
_ADDED_MIN = 2
#: Labels of other values below a list. A number beside one is doubted whatever its length.
_COUNTED = (
    "pos|orders|purchase orders|rows|lines|records|items|amount|value|cost|net|gross|spend|bestellungen|zeilen"
    "|positionen|commandes|lignes|pedidos|filas|ordini|zamówień"
)
_AGGREGATE = re.compile(
    r"(?:(?:(?:grand |overall )?(?:count|average|avg\.?|median|maximum|minimum)|(?:gesamt)?anzahl(?: der)?"
    rf"|durchschnitt|mittelwert|moyenne|promedio|recuento|conteggio|liczba|średnia)(?: (?:{_COUNTED}))?"
    r"|(?:(?:grand )?total|(?:total )?(?:number|no\.|count) of|nombre (?:total )?de|total de|cantidad de)"
    rf" (?:{_COUNTED})|件数|平均|计数)\s*[:=]?",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Totals:
    """The totals of one list."""

    #: Numbers of the rows that are totals.
    lines: list[int] = field(default_factory=list[int])
    #: Rows whose number may be a sum.
    doubted: dict[int, InvalidNumber] = field(default_factory=dict[int, InvalidNumber])

    def notices(self) -> tuple[str, ...]:
        """Return what the user should know of the rows that were left out."""
        if not self.lines:
            return ()
        is_one = len(self.lines) == 1
        what = "holds a total" if is_one else "hold totals"
        return (f"{named_rows(self.lines).capitalize()} {what}: not read as {'an order' if is_one else 'orders'}.",)


@dataclass(slots=True)
class _Added:
    """The sum and the count of the numbers above a row."""

    total: int = 0
    count: int = 0

    def add(self, number: int) -> None:
        self.total += number
        self.count += 1

    def make(self, number: int) -> bool:
        """Return whether two or more numbers add up to a number."""
        return self.count >= _ADDED_MIN and self.total == number


def find_totals(rows: Sequence[Row], index: int, numbers: Sequence[OrderNumber | InvalidNumber]) -> Totals:
    """Find the totals of a list.

    Args:
        rows: The data rows of the list.
        index: The order column.
        numbers: The parsed order number of each row.
    """
    totals = Totals()
    figures = _NumberFigures.from_numbers(numbers)
    given = _given_of_subtotals(rows, index, numbers)
    above, since = _Added(), _Added()
    previous: int | None = None
    for row, number in zip(rows, numbers, strict=True):
        is_named = any(map(_is_named, row.cells))
        is_aggregate = _is_aggregate(row, index)
        if not isinstance(number, OrderNumber):
            if (is_named and _is_total_line(row, index, number)) or _is_subtotal(row, index, given):
                totals.lines.append(row.row_no)
            continue
        value = _value(number)
        if not value:
            continue
        is_next = previous is not None and value == previous + 1  # 1, 2, 3 are numbered one after the other
        is_sum = not is_next and (above.make(value) or since.make(value))
        is_of_all = (
            not is_next and figures.count > _ADDED_MIN and 2 * value == figures.whole
        )  # a total may be above the list too
        previous = value
        is_labelled = is_aggregate or (is_named and len(number.portal_number) != figures.usual_length)
        if is_sum or is_of_all or is_labelled:
            of_what = "the numbers above it" if is_sum else ("all other numbers" if is_of_all else "")
            totals.doubted[row.row_no] = _doubt(number, of_what)
            since = _Added()
            continue
        above.add(value)
        since.add(value)
    return totals


def _given_of_subtotals(
    rows: Sequence[Row], index: int, numbers: Sequence[OrderNumber | InvalidNumber]
) -> frozenset[str]:
    """Return the texts of which a row may be the subtotal, as far as they are orders of the list.

    Most lists have no such row, so that the texts of a million orders need not be kept.
    """
    matches = (
        _OF_ONE.fullmatch(rows[position].cells[index].strip())
        for position, number in enumerate(numbers)
        if isinstance(number, InvalidNumber)
    )
    wanted = {match[1] for match in matches if match is not None}
    if not wanted:
        return frozenset()
    cells = (
        row.cells[index].strip() for row, number in zip(rows, numbers, strict=True) if isinstance(number, OrderNumber)
    )
    return frozenset(cell for cell in cells if cell in wanted)


def _value(number: OrderNumber | InvalidNumber) -> int:
    """Return the value of an order number of digits; 0 for any other."""
    if isinstance(number, InvalidNumber) or not number.portal_number.isdecimal():
        return 0
    return int(number.portal_number)


def _doubt(number: OrderNumber, of_what: str) -> InvalidNumber:
    reason = f"is the sum of {of_what}" if of_what else "is in a line that is labelled as a total"
    return InvalidNumber(
        reason=Reason.BAD_NUMBER,
        detail=f"{number.po_number} {reason}, so it is a total or an order: delete the line, or list the order alone.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _NumberFigures:
    """What all numbers of a list have in common."""

    #: Most frequent length of an order number; 0 without one.
    usual_length: int
    #: Sum and count of the numbers of digits.
    whole: int
    count: int

    @classmethod
    def from_numbers(cls, numbers: Iterable[OrderNumber | InvalidNumber]) -> _NumberFigures:
        lengths = Counter[int]()
        whole = count = 0
        for number in numbers:
            if isinstance(number, OrderNumber):
                lengths[len(number.portal_number)] += 1
                value = _value(number)
                whole += value
                count += value > 0
        usual_length = max(lengths.items(), key=lambda item: item[1], default=(0, 0))[0]
        return cls(usual_length=usual_length, whole=whole, count=count)


def _is_total_line(row: Row, index: int, number: InvalidNumber) -> bool:
    """Return whether a row has only amounts beside its label, and no mistyped number in the order column."""
    is_meant = number.reason is Reason.BAD_NUMBER and not _is_named(row.cells[index]) and index not in row.doubts
    return not is_meant and all(_is_named(cell) or _AMOUNT.fullmatch(cell.strip()) for cell in row.cells)


def _is_aggregate(row: Row, index: int) -> bool:
    """Return whether a row has a label of an aggregated value, and only amounts beside it."""
    others = [cell.strip() for position, cell in enumerate(row.cells) if position != index]
    labels = list(filter(_AGGREGATE.fullmatch, others))
    return bool(labels) and all(_AMOUNT.fullmatch(cell) for cell in others if cell not in labels)


def _is_subtotal(row: Row, index: int, given: Collection[str]) -> bool:
    """Return whether a row adds up the rows of one order, which has rows of its own too."""
    of_one = _OF_ONE.fullmatch(row.cells[index].strip())
    others = (cell for position, cell in enumerate(row.cells) if position != index)
    return of_one is not None and of_one[1] in given and all(_AMOUNT.fullmatch(cell.strip()) for cell in others)


def _is_named(cell: str) -> bool:
    text = cell.strip()
    return not text[:1].isdecimal() and bool(_NAMED.fullmatch(text))  # no name begins with a digit


@dataclass(slots=True)
class OtherTables:
    """The tables below the list that have other columns."""

    #: Numbers of the rows that name the columns of another table.
    heads: list[int] = field(default_factory=list[int])
    #: Rows below them with a number that may be an order or anything else.
    doubted: dict[int, InvalidNumber] = field(default_factory=dict[int, InvalidNumber])

    def notices(self) -> tuple[str, ...]:
        """Return what the user should know of the rows that were left out."""
        if not self.heads:
            return ()
        where = named_rows(self.heads).capitalize()
        is_one = len(self.heads) == 1
        return (f"{where} {'begins another table' if is_one else 'begin other tables'}: what follows is uncertain.",)


def find_other_tables(
    sheet: Table, index: int, numbers: Sequence[OrderNumber | InvalidNumber], totals: Collection[int] = ()
) -> OtherTables:
    """Find tables below the list whose numbers mean something else.

    Args:
        sheet: The list.
        index: The order column.
        numbers: The parsed order number of each row.
        totals: Numbers of the rows that are totals, so not headers.
    """
    tables = OtherTables()
    head: Row | None = None
    for position, number in enumerate(numbers):
        if isinstance(number, OrderNumber) and head is None:
            continue
        row = sheet.rows[position]
        if isinstance(number, InvalidNumber):
            if row.row_no not in totals and _heads_another(row, index):
                head = row
                tables.heads.append(row.row_no)
        elif head is not None and not any(head.row_no < repeat < row.row_no for repeat in sheet.repeats):
            tables.doubted[row.row_no] = InvalidNumber(
                reason=Reason.BAD_NUMBER,
                detail=f"{number.po_number} is below {head.cells[index].strip()!r} in row {head.row_no}, so it may not "
                "be an order: list the order separately, or remove the other table.",
            )
    return tables


def side_column_notices(sheet: Table, index: int, rules: NumberRules, orders: Iterable[str]) -> Iterator[str]:
    """Yield a notice for each unread column with orders that is named like the order column, or has no name.

    Args:
        sheet: The list.
        index: The order column.
        rules: What order numbers look like.
        orders: The portal's numbers of the orders that were read; only taken if there is such a column.
    """
    own = fold_name(sheet.columns[index])
    known: frozenset[str] | None = None
    for position, name in enumerate(sheet.columns):
        is_nameless = not name.strip() or name == f"#{position + 1}"
        if position == index or not (is_nameless or fold_name(name) == own):
            continue
        known = frozenset(orders) if known is None else known
        missed = _missed(sheet.rows, position, rules, known)
        if missed:
            number, row_no = next(iter(missed.items()))
            what = f"order {number} in row {row_no}" if len(missed) == 1 else f"{len(missed)} orders from {number} on"
            label = column_label(sheet, position)
            yield f"Column {label} holds {what}, not read: name it with --column, or move its cells below the others."


def _heads_another(row: Row, index: int) -> bool:
    cell = row.cells[index]
    if row.doubts or not heads_other(cell) or any(map(is_value_cell, row.cells)):
        return False
    others = [name for position, name in enumerate(row.cells) if position != index and name.strip()]
    return any(heads_other(name) or name_rank(name) is not None for name in others) if others else is_numbering(cell)


def _missed(rows: Sequence[Row], position: int, rules: NumberRules, known: Collection[str]) -> dict[str, int]:
    missed: dict[str, int] = {}
    for row in rows:
        number = parse_number(row.cells[position], rules) if can_be_order(row.cells[position]) else None
        if isinstance(number, OrderNumber) and number.portal_number not in known:
            missed.setdefault(number.portal_number, row.row_no)
    return missed
