"""Turns a list from a file, from standard input or from typed numbers into orders.

Every row is kept, every valid number becomes a task, and every repeat and invalid number is reported. All functions
block, for seconds with a list of 100,000 rows, so a caller with other work runs them in a thread.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from poolwright.domain.ids import BatchId, TaskId, task_prefix
from poolwright.domain.outcomes import Reason
from poolwright.domain.packed_list import ItemCodec, ListPacker, find_repeated
from poolwright.domain.packed_orders import ROW_CODEC, TASK_CODEC
from poolwright.domain.tasks import OrderList, OrderRow, POTask
from poolwright.intake.errors import InputRefusedError
from poolwright.intake.excluded_rows import find_other_tables, find_totals, side_column_notices
from poolwright.intake.grid import SHOWN_ROWS, Row, named_rows
from poolwright.intake.order_column import Confidence, column_label, find_column, guess_notice
from poolwright.intake.table import Table, parse_table, read_table
from poolwright.portal.number_text import plain_text
from poolwright.portal.numbers import InvalidNumber, NumberRules, OrderNumber, parse_number

#: Number of kinds that the sentence names.
_SHOWN_KINDS = 4


@dataclass(slots=True)
class _Kind:
    """The orders whose numbers are of one kind."""

    count: int = 0
    #: The first of their rows.
    row_nos: list[int] = field(default_factory=list[int])

    def add(self, row_no: int) -> None:
        self.count += 1
        if len(self.row_nos) < SHOWN_ROWS:
            self.row_nos.append(row_no)


@dataclass(slots=True)
class NumberKinds:
    """The kinds of the order numbers of a list, each with its orders."""

    _kinds: dict[str, _Kind] = field(default_factory=dict[str, _Kind])

    def add(self, number: str, row_no: int) -> None:
        """Count an order by the portal's number, with its first row."""
        self._kinds.setdefault(_shape(number), _Kind()).add(row_no)

    def notices(self) -> Iterator[str]:
        """Yield one sentence if the numbers are of different kinds or lengths."""
        if len(self._kinds) < 2:  # noqa: PLR2004  # all of one kind
            return
        by_count = sorted(self._kinds.items(), key=lambda item: -item[1].count)
        parts = [f"{kind.count} of {shape}" for shape, kind in by_count[:1]]
        parts += [
            f"{kind.count} of {shape} ({named_rows(kind.row_nos, kind.count)})"
            for shape, kind in by_count[1:_SHOWN_KINDS]
        ]
        more = len(by_count) - _SHOWN_KINDS
        tail = f" and {more} more kinds" if more > 0 else ""
        yield f"The order numbers are of different kinds: {', '.join(parts)}{tail}; check that all of them are orders."


def _shape(number: str) -> str:
    """Return the shape of a number in words, such as ``10 digits``."""
    if number.isdigit():
        return f"{len(number)} digits"
    has_digits = any(map(str.isdigit, number))
    has_letters = any(map(str.isalpha, number))
    words = {(True, True): "letters and digits", (False, True): "letters", (True, False): "digits and signs"}
    return f"{len(number)} {words.get((has_digits, has_letters), 'signs')}"


def changed_numbers(orders: OrderList) -> dict[int, str]:
    """Return the numbers that the portal is asked for in another form than the list has, by row.

    A prefix that is left out is no change; letters in another case, and characters that are taken out, are.
    """
    numbers = {task.task_id: task.portal_number for task in orders.tasks}
    rows = ((row, numbers[row.task_id]) for row in orders.rows if row.task_id is not None)
    return {row.row_no: number for row, number in rows if number not in plain_text(row.given)}


#: Used in place of a file name in reports and messages.
STDIN_SOURCE = "-"
TYPED_SOURCE = "command line"
_STDIN_NAME = "standard input"
_TYPED_COLUMN = "PO_NUMBER"
_BATCH_ID_LENGTH = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """Options for reading a list."""

    #: First part of every task id.
    portal_name: str
    rules: NumberRules
    #: Name of the order column, or its position as ``#3``; ``None`` to detect it.
    column: str | None = None
    #: Sheet of a workbook; ``None`` for ``PO_Data`` or the first one that is not empty.
    sheet_name: str | None = None


def orders_from_file(path: Path, reading: ReadOptions) -> OrderList:
    """Read a CSV or Excel file.

    Raises:
        InputRefusedError: The file is refused; the text is one sentence with the reason.
    """
    name = _writable(path.name)
    return _orders(read_table(path, sheet_name=reading.sheet_name, column=reading.column), name, reading)


def orders_from_stdin(content: bytes, reading: ReadOptions) -> OrderList:
    """Read piped or pasted content: one number a line, or a whole CSV or Excel file.

    Raises:
        InputRefusedError: The content is refused; the text is one sentence with the reason.
    """
    sheet = parse_table(content, _STDIN_NAME, sheet_name=reading.sheet_name, column=reading.column)
    return _orders(sheet, STDIN_SOURCE, reading)


def orders_from_content(content: bytes, name: str, reading: ReadOptions) -> OrderList:
    """Read the content of a CSV or Excel file that was sent under this name.

    Raises:
        InputRefusedError: The content is refused; the text is one sentence with the reason.
    """
    sheet = parse_table(content, name, sheet_name=reading.sheet_name, column=reading.column)
    return _orders(sheet, name, reading)


def orders_from_numbers(numbers: Sequence[str], reading: ReadOptions, source: str = TYPED_SOURCE) -> OrderList:
    """Read typed numbers, one order each. Column and sheet of ``reading`` are ignored.

    Args:
        numbers: The numbers.
        reading: Portal name and number rules.
        source: Their source, for reports and messages.

    Raises:
        InputRefusedError: There is none, or none is valid.
    """
    if not numbers:
        raise InputRefusedError("No order number was given; name a list or at least one number.")
    rows = tuple(Row(row_no=row_no, cells=(_writable(number),)) for row_no, number in enumerate(numbers, start=1))
    sheet = Table(source=f"the {source}", columns=(_TYPED_COLUMN,), rows=rows, has_header=True)
    return _collect(sheet, 0, source, reading)


def _writable(text: str) -> str:
    """Return a text of the system as valid UTF-8: file names and arguments may contain bytes that are no characters."""
    return text.encode("utf-8", "replace").decode()


def _orders(sheet: Table, source: str, reading: ReadOptions) -> OrderList:
    choice = find_column(sheet, reading.column, reading.rules)
    if choice.confidence is Confidence.LIKELY:
        sheet = replace(sheet, notices=(*sheet.notices, guess_notice(sheet, choice)))
    return _collect(sheet, choice.index, source, reading)


def _collect(sheet: Table, index: int, source: str, reading: ReadOptions) -> OrderList:
    """Return the order list with rows and tasks by the numbers in one column.

    Rows and tasks are packed one by one, so that a list of a million rows is never in memory as objects.
    """
    packer = ListPacker(_NUMBER_CODEC)
    repeated = find_repeated(_portal_numbers(sheet.rows, index, reading.rules, packer), len(sheet.rows))
    numbers = packer.packed()
    totals = find_totals(sheet.rows, index, numbers)
    others = find_other_tables(sheet, index, numbers, totals.lines)
    left_out = frozenset({*totals.lines, *others.heads})
    doubted = {**totals.doubted, **others.doubted}
    orders = _ListedOrders(reading.portal_name, repeated)
    rows = _ListedRows(reading.portal_name, sheet.columns, index)
    for row, parsed in zip(sheet.rows, numbers, strict=True):
        if row.row_no in left_out:
            continue
        number = doubted.get(row.row_no, parsed)
        if isinstance(number, OrderNumber):
            rows.add(_good_row(row, index, orders.add(number, row.row_no)), row)
        else:
            rows.add(_bad_row(row, index, number), row)
    listed, tasks = rows.rows.packed(), orders.tasks.packed()
    if not tasks:
        raise InputRefusedError(_no_order(sheet, index, listed, (*totals.notices(), *others.notices())))
    return OrderList(
        batch_id=rows.batch_id,
        source=source,
        columns=sheet.columns,
        rows=listed,
        tasks=tasks,
        notices=(
            *sheet.notices,
            *totals.notices(),
            *others.notices(),
            *_struck_notices(rows.struck),
            *side_column_notices(sheet, index, reading.rules, (task.portal_number for task in tasks)),
            *_count_notices(len(listed) - len(rows.wrong) - len(tasks), rows.wrong, rows.first_wrong),
            *orders.kinds.notices(),
        ),
        sheet=sheet.sheet,
        header_row_no=sheet.header_row_no,
    )


class _ListedRows:
    """The rows of a list, and what is told of all of them."""

    def __init__(self, portal_name: str, columns: Sequence[str], index: int) -> None:
        """Start without a row; ``index`` is the order column."""
        self.rows = ListPacker(ROW_CODEC)
        #: Numbers of the rows that are crossed out, and of those without a valid number.
        self.struck = array("L")
        self.wrong = array("L")
        #: The problem of the first row without a valid number.
        self.first_wrong = ""
        self._index = index
        # Depends on the content of a list alone, not on the name or the format of its file.
        self._digest = hashlib.sha256(json.dumps([portal_name, columns]).encode())

    def add(self, row: OrderRow, read: Row) -> None:
        """Add a row of the list, as it was read."""
        self.rows.append(row)
        self._digest.update(json.dumps([row.cells, row.task_id]).encode())
        if _is_struck(read, self._index):
            self.struck.append(row.row_no)
        if row.task_id is None:
            self.first_wrong = self.first_wrong or row.detail
            self.wrong.append(row.row_no)

    @property
    def batch_id(self) -> BatchId:
        """The id of the list of all rows so far."""
        return BatchId(self._digest.hexdigest()[:_BATCH_ID_LENGTH])


class _ListedOrders:
    """The orders of a list, each once, with the first row of each."""

    def __init__(self, portal_name: str, repeated: Collection[str]) -> None:
        """Start without an order; only the ``repeated`` ones can come again, so only these are remembered."""
        self._prefix = task_prefix(portal_name)
        self.tasks = ListPacker(TASK_CODEC)
        self.kinds = NumberKinds()
        self._repeated = repeated
        self._seen: set[str] = set()

    def add(self, number: OrderNumber, row_no: int) -> TaskId:
        """Add the order of a row, unless an earlier row has it, and return its id."""
        task_id = TaskId(f"{self._prefix}{number.portal_number}")
        if number.portal_number in self._repeated:
            if number.portal_number in self._seen:
                return task_id
            self._seen.add(number.portal_number)
        self.tasks.append(POTask(task_id=task_id, po_number=number.po_number, portal_number=number.portal_number))
        self.kinds.add(number.portal_number, row_no)
        return task_id


def _encode_number(number: OrderNumber | InvalidNumber) -> list[str]:
    if isinstance(number, InvalidNumber):
        return [number.reason, number.detail, ""]
    return (
        [number.portal_number] if number.po_number == number.portal_number else [number.portal_number, number.po_number]
    )


def _decode_number(value: list[str]) -> OrderNumber | InvalidNumber:
    if len(value) == _INVALID_WIDTH:
        return InvalidNumber(reason=Reason(value[0]), detail=value[1])
    return OrderNumber(portal_number=value[0], po_number=value[-1])


#: Values of an invalid number, as ``_encode_number`` packs it.
_INVALID_WIDTH = 3
_NUMBER_CODEC = ItemCodec(_encode_number, _decode_number)


def _portal_numbers(
    rows: Iterable[Row], index: int, rules: NumberRules, packer: ListPacker[OrderNumber | InvalidNumber]
) -> Iterator[str]:
    """Yield the portal's number of each valid row; the number of every row goes to the packer."""
    for row in rows:
        number = _number_of(row, index, rules)
        packer.append(number)
        if isinstance(number, OrderNumber):
            yield number.portal_number


def _number_of(row: Row, index: int, rules: NumberRules) -> OrderNumber | InvalidNumber:
    """Return the order number in a cell; an invalid one if the file gives a reason to doubt the cell."""
    doubt = row.doubts.get(index)
    if doubt:
        return InvalidNumber(reason=Reason.BAD_NUMBER, detail=doubt)
    return parse_number(row.cells[index], rules, is_one=index in row.one_numbers)


def _good_row(row: Row, index: int, task_id: TaskId) -> OrderRow:
    return OrderRow(row_no=row.row_no, cells=row.cells, given=row.cells[index], task_id=task_id, values=row.values)


def _bad_row(row: Row, index: int, bad: InvalidNumber) -> OrderRow:
    return OrderRow(
        row_no=row.row_no,
        cells=row.cells,
        given=row.cells[index],
        problem=bad.reason,
        detail=bad.detail,
        values=row.values,
    )


def _is_struck(row: Row, index: int) -> bool:
    """Return whether the order number of a row, or most of its cells, are crossed out, so perhaps cancelled."""
    return bool(row.struck) and (index in row.struck or 2 * len(row.struck) > row.filled_count)


def _struck_notices(struck: Sequence[int]) -> Iterator[str]:
    """Yield a notice about rows that are crossed out."""
    if struck:
        yield (
            f"{named_rows(struck).capitalize()} {'is' if len(struck) == 1 else 'are'} crossed out in the list and read "
            "anyway; delete those that you do not want."
        )


def _count_notices(repeat_count: int, wrong: Sequence[int], first_wrong: str) -> Iterator[str]:
    """Yield notices about rows that repeat an order, and about those without a valid number."""
    if repeat_count == 1:
        yield "1 row repeats an order that is already in the list; each order is fetched once."
    elif repeat_count:
        yield f"{repeat_count} rows repeat an order that is already in the list; each order is fetched once."
    if len(wrong) == 1:
        yield f"Row {wrong[0]} has no valid order number and is reported INVALID: {first_wrong}"
    elif wrong:
        yield (
            f"{len(wrong)} rows have no valid order number and are reported INVALID: {named_rows(wrong)}; "
            f"row {wrong[0]}: {first_wrong}"
        )


def _no_order(sheet: Table, index: int, rows: Sequence[OrderRow], left_out: Sequence[str]) -> str:
    sentence = f"{sheet.source} has no valid order number"
    first = f"; row {rows[0].row_no}: {rows[0].detail}" if rows else "."
    if len(sheet.columns) > 1:
        sentence += f" in column {column_label(sheet, index)}, name another with --column"
    return " ".join([f"{sentence}{first}", *left_out, *sheet.notices])
