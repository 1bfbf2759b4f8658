"""Other tables on the sheet of a list, below it and beside it: what they hold is never taken for its orders. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from poolwright.domain.outcomes import Reason
from poolwright.intake.cells import can_be_order, is_data
from poolwright.intake.column import column_shown
from poolwright.intake.grid import Row, named_rows
from poolwright.intake.names import fold_name, heads_other, is_numbering, name_rank
from poolwright.intake.sheet import Sheet
from poolwright.portal.numbers import BadNumber, Number, NumberRules, parse_number


@dataclass(slots=True)
class OtherTables:
    """What stands below names of other columns."""

    #: Numbers of the rows that name the columns of another table.
    heads: list[int] = field(default_factory=list[int])
    #: Rows below them with a number that may be an order or anything else.
    doubted: dict[int, BadNumber] = field(default_factory=dict[int, BadNumber])

    def notices(self) -> tuple[str, ...]:
        """What the user should know of the rows that were left out."""
        if not self.heads:
            return ()
        where = named_rows(self.heads).capitalize()
        is_one = len(self.heads) == 1
        return (f"{where} {'begins another table' if is_one else 'begin other tables'}: what follows is uncertain.",)


def find_tables(
    sheet: Sheet, index: int, numbers: Sequence[Number | BadNumber], totals: Collection[int] = ()
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
        if isinstance(number, BadNumber):
            if row.row_no not in totals and _heads_another(row, index):
                head = row
                found.heads.append(row.row_no)
        elif head is not None and not any(head.row_no < repeat < row.row_no for repeat in sheet.repeats):
            found.doubted[row.row_no] = BadNumber(
                reason=Reason.BAD_NUMBER,
                detail=f"{number.po_number} stands below {head.cells[index].strip()!r} in row {head.row_no}, so it may "
                "not be an order: list the order separately, or remove the other table.",
            )
    return found


def beside_notices(sheet: Sheet, index: int, rules: NumberRules, known: Collection[str]) -> Iterator[str]:
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
            shown = column_shown(sheet, place)
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
        if isinstance(number, Number) and number.portal_number not in known:
            found.setdefault(number.portal_number, row.row_no)
    return found
