"""Turns a list from a file, from standard input or from typed numbers into orders.

Every row is kept, every valid number becomes a task, and every repeat and invalid number is reported. All functions
block, for seconds with a list of 100,000 rows, so a caller with other work runs them in a thread.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from poolwright.domain.ids import BatchId, TaskId, task_prefix
from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import OrderList, OrderRow, POTask
from poolwright.intake.errors import InputRefusedError
from poolwright.intake.excluded_rows import find_other_tables, find_totals, side_column_notices
from poolwright.intake.grid import Row, named_rows
from poolwright.intake.order_column import Confidence, column_label, find_column, guess_notice
from poolwright.intake.table import Table, parse_table, read_table
from poolwright.portal.number_text import plain_text
from poolwright.portal.numbers import InvalidNumber, NumberRules, OrderNumber, parse_number

#: Number of kinds that the sentence names.
_SHOWN_KINDS = 4


def shape_notices(rows: Sequence[OrderRow], tasks: Mapping[TaskId, POTask]) -> Iterator[str]:
    """Yield one sentence if the order numbers are of different kinds or lengths."""
    kinds: dict[str, dict[TaskId, int]] = {}
    for row in rows:
        if row.task_id is not None:
            kinds.setdefault(_shape(tasks[row.task_id].portal_number), {}).setdefault(row.task_id, row.row_no)
    if len(kinds) < 2:  # noqa: PLR2004  # all of one kind
        return
    by_count = sorted(kinds.items(), key=lambda item: -len(item[1]))
    parts = [f"{len(row_numbers)} of {shape}" for shape, row_numbers in by_count[:1]]
    parts += [
        f"{len(row_numbers)} of {shape} ({named_rows(list(row_numbers.values()))})"
        for shape, row_numbers in by_count[1:_SHOWN_KINDS]
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
    """Return the order list with rows and tasks by the numbers in one column."""
    rows: list[OrderRow] = []
    tasks: dict[TaskId, POTask] = {}
    numbers = [_number_of(row, index, reading.rules) for row in sheet.rows]
    totals = find_totals(sheet.rows, index, numbers)
    others = find_other_tables(sheet, index, numbers, totals.lines)
    left_out = {*totals.lines, *others.heads}
    doubted = {**totals.doubted, **others.doubted}
    for row, parsed in zip(sheet.rows, numbers, strict=True):
        if row.row_no in left_out:
            continue
        number = doubted.get(row.row_no, parsed)
        if isinstance(number, OrderNumber):
            task_id = TaskId(f"{task_prefix(reading.portal_name)}{number.portal_number}")
            task = POTask(task_id=task_id, po_number=number.po_number, portal_number=number.portal_number)
            tasks.setdefault(task_id, task)
            rows.append(_good_row(row, index, task_id))
        else:
            rows.append(_bad_row(row, index, number))
    if not tasks:
        raise InputRefusedError(_no_order(sheet, index, rows, (*totals.notices(), *others.notices())))
    return OrderList(
        batch_id=_batch_id(reading.portal_name, sheet.columns, rows),
        source=source,
        columns=sheet.columns,
        rows=tuple(rows),
        tasks=tuple(tasks.values()),
        notices=(
            *sheet.notices,
            *totals.notices(),
            *others.notices(),
            *_struck_notices(sheet.rows, index, left_out),
            *side_column_notices(sheet, index, reading.rules, {task.portal_number for task in tasks.values()}),
            *_count_notices(rows, len(tasks)),
            *shape_notices(rows, tasks),
        ),
        sheet=sheet.sheet,
        header_row_no=sheet.header_row_no,
    )


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


def _batch_id(portal_name: str, columns: Sequence[str], rows: Iterable[OrderRow]) -> BatchId:
    """Return an id that depends on the content of a list alone, not on the name or the format of its file."""
    digest = hashlib.sha256(json.dumps([portal_name, columns]).encode())
    for row in rows:
        digest.update(json.dumps([row.cells, row.task_id]).encode())
    return BatchId(digest.hexdigest()[:_BATCH_ID_LENGTH])


def _struck_notices(rows: Sequence[Row], index: int, left_out: Collection[int]) -> Iterator[str]:
    """Yield a notice about rows whose order number, or most of their cells, are crossed out, so perhaps cancelled."""
    struck = [
        row.row_no
        for row in rows
        if row.struck and row.row_no not in left_out and (index in row.struck or 2 * len(row.struck) > row.filled_count)
    ]
    if struck:
        yield (
            f"{named_rows(struck).capitalize()} {'is' if len(struck) == 1 else 'are'} crossed out in the list and read "
            "anyway; delete those that you do not want."
        )


def _count_notices(rows: Sequence[OrderRow], task_count: int) -> Iterator[str]:
    wrong = [row for row in rows if row.task_id is None]
    repeat_count = len(rows) - len(wrong) - task_count
    if repeat_count == 1:
        yield "1 row repeats an order that is already in the list; each order is fetched once."
    elif repeat_count:
        yield f"{repeat_count} rows repeat an order that is already in the list; each order is fetched once."
    if len(wrong) == 1:
        yield f"Row {wrong[0].row_no} has no valid order number and is reported INVALID: {wrong[0].detail}"
    elif wrong:
        yield (
            f"{len(wrong)} rows have no valid order number and are reported INVALID: "
            f"{named_rows([row.row_no for row in wrong])}; row {wrong[0].row_no}: {wrong[0].detail}"
        )


def _no_order(sheet: Table, index: int, rows: Sequence[OrderRow], left_out: Sequence[str]) -> str:
    sentence = f"{sheet.source} has no valid order number"
    first = f"; row {rows[0].row_no}: {rows[0].detail}" if rows else "."
    if len(sheet.columns) > 1:
        sentence += f" in column {column_label(sheet, index)}, name another with --column"
    return " ".join([f"{sentence}{first}", *left_out, *sheet.notices])
