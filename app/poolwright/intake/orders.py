"""The user's list becomes orders: every row kept, every valid number a task, every repeat and every wrong number told.

Three sources: a file, standard input, numbers typed. All block; a list of 100,000 rows takes seconds, so the caller
works in a thread where something else has to go on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from poolwright.domain.ids import BatchId, TaskId, task_prefix
from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import OrderList, OrderRow, POTask
from poolwright.intake.column import Confidence, column_shown, find_column, guess_notice
from poolwright.intake.errors import InputRefusedError
from poolwright.intake.grid import Row, named_rows
from poolwright.intake.shapes import shape_notices
from poolwright.intake.sheet import Sheet, parse_sheet, read_sheet
from poolwright.intake.tables import beside_notices, find_tables
from poolwright.intake.totals import find_totals
from poolwright.portal.numbers import BadNumber, Number, NumberRules, parse_number

#: What stands for the file name in reports and messages.
STDIN_SOURCE = "-"
TYPED_SOURCE = "command line"
_STDIN_NAME = "standard input"
_TYPED_COLUMN = "PO_NUMBER"
_BATCH_ID_LENGTH = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Options for reading a list."""

    #: Begins every task id.
    portal_name: str
    rules: NumberRules
    #: Name of the order column, or its position as ``#3``; nothing to find it out.
    column: str | None = None
    #: Sheet of a workbook; nothing for ``PO_Data`` or the first one that holds anything.
    sheet_name: str | None = None


def orders_from_file(path: Path, reading: Reading) -> OrderList:
    """Read a CSV or Excel file.

    Raises:
        InputRefusedError: One sentence: why the file is not taken.
    """
    name = _writable(path.name)
    return _orders(read_sheet(path, sheet_name=reading.sheet_name, column=reading.column), name, reading)


def orders_from_stdin(content: bytes, reading: Reading) -> OrderList:
    """Read what was piped or pasted: one number a line, or a whole CSV or Excel file.

    Raises:
        InputRefusedError: One sentence: why it is not taken.
    """
    sheet = parse_sheet(content, _STDIN_NAME, sheet_name=reading.sheet_name, column=reading.column)
    return _orders(sheet, STDIN_SOURCE, reading)


def orders_from_content(content: bytes, name: str, reading: Reading) -> OrderList:
    """Read a CSV or Excel file that came without a path, by the name that it was sent under.

    Raises:
        InputRefusedError: One sentence: why it is not taken.
    """
    sheet = parse_sheet(content, name, sheet_name=reading.sheet_name, column=reading.column)
    return _orders(sheet, name, reading)


def orders_from_numbers(numbers: Sequence[str], reading: Reading, source: str = TYPED_SOURCE) -> OrderList:
    """Take numbers as they were typed, one order each. Column and sheet of ``reading`` mean nothing here.

    Args:
        numbers: The numbers.
        reading: How they are to be read.
        source: Where they come from, for reports and messages.

    Raises:
        InputRefusedError: There is none, or none is valid.
    """
    if not numbers:
        raise InputRefusedError("No order number was given; name a list or at least one number.")
    rows = tuple(Row(row_no=row_no, cells=(_writable(number),)) for row_no, number in enumerate(numbers, start=1))
    sheet = Sheet(source=f"the {source}", columns=(_TYPED_COLUMN,), rows=rows, has_header=True)
    return _collect(sheet, 0, source, reading)


def _writable(text: str) -> str:
    """Text of the system, which may hold bytes that are no characters, as it can be written anywhere."""
    return text.encode("utf-8", "replace").decode()


def _orders(sheet: Sheet, source: str, reading: Reading) -> OrderList:
    choice = find_column(sheet, reading.column, reading.rules)
    if choice.confidence is Confidence.LIKELY:
        sheet = replace(sheet, notices=(*sheet.notices, guess_notice(sheet, choice)))
    return _collect(sheet, choice.index, source, reading)


def _collect(sheet: Sheet, index: int, source: str, reading: Reading) -> OrderList:
    """Rows and tasks by the numbers in one column."""
    rows: list[OrderRow] = []
    tasks: dict[TaskId, POTask] = {}
    numbers = [_number_of(row, index, reading.rules) for row in sheet.rows]
    totals = find_totals(sheet.rows, index, numbers)
    others = find_tables(sheet, index, numbers, totals.lines)
    left_out = {*totals.lines, *others.heads}
    doubted = {**totals.doubted, **others.doubted}
    for row, told in zip(sheet.rows, numbers, strict=True):
        if row.row_no in left_out:
            continue
        number = doubted.get(row.row_no, told)
        if isinstance(number, Number):
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
            *beside_notices(sheet, index, reading.rules, {task.portal_number for task in tasks.values()}),
            *_count_notices(rows, len(tasks)),
            *shape_notices(rows, tasks),
        ),
    )


def _number_of(row: Row, index: int, rules: NumberRules) -> Number | BadNumber:
    """The number in a cell, unless the file itself makes the cell doubtful."""
    doubt = row.doubts.get(index)
    if doubt:
        return BadNumber(reason=Reason.BAD_NUMBER, detail=doubt)
    return parse_number(row.cells[index], rules, is_one=index in row.one_numbers)


def _good_row(row: Row, index: int, task_id: TaskId) -> OrderRow:
    return OrderRow(row_no=row.row_no, cells=row.cells, given=row.cells[index], task_id=task_id, values=row.values)


def _bad_row(row: Row, index: int, bad: BadNumber) -> OrderRow:
    return OrderRow(
        row_no=row.row_no,
        cells=row.cells,
        given=row.cells[index],
        problem=bad.reason,
        detail=bad.detail,
        values=row.values,
    )


def _batch_id(portal_name: str, columns: Sequence[str], rows: Iterable[OrderRow]) -> BatchId:
    """The same for the same list with the same orders in it, whatever its file is called and however it is written."""
    digest = hashlib.sha256(json.dumps([portal_name, columns]).encode())
    for row in rows:
        digest.update(json.dumps([row.cells, row.task_id]).encode())
    return BatchId(digest.hexdigest()[:_BATCH_ID_LENGTH])


def _struck_notices(rows: Sequence[Row], index: int, left_out: Collection[int]) -> Iterator[str]:
    """Rows whose order number, or most of what they hold, is crossed out: people mean that it is cancelled."""
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


def _no_order(sheet: Sheet, index: int, rows: Sequence[OrderRow], left_out: Sequence[str]) -> str:
    sentence = f"{sheet.source} has no valid order number"
    first = f"; row {rows[0].row_no}: {rows[0].detail}" if rows else "."
    if len(sheet.columns) > 1:
        sentence += f" in column {column_shown(sheet, index)}, name another with --column"
    return " ".join([f"{sentence}{first}", *left_out, *sheet.notices])
