"""How a list was read, shown before anything is started."""

from __future__ import annotations

import json

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from poolwright.cli import words
from poolwright.cli.console import console
from poolwright.domain.tasks import OrderList

#: So many rows show whether the right column was taken.
ROWS_SHOWN = 5


def order_column(orders: OrderList) -> int | None:
    """The column that the order numbers were taken from; nothing when no column holds them as they were given."""
    for index in range(len(orders.columns)):
        if all(len(row.cells) > index and row.cells[index] == row.given for row in orders.rows):
            return index
    return None


def as_json(orders: OrderList) -> str:
    """The reading of a list for programs, in one line."""
    index = order_column(orders)
    told = {
        "type": "list",
        "source": orders.source,
        "batch_id": orders.batch_id,
        "column": None if index is None else orders.columns[index],
        "column_position": None if index is None else index + 1,
        "row_count": len(orders.rows),
        "orders": [task.po_number for task in orders.tasks],
        "invalid": [
            {"row_no": row.row_no, "given": row.given, "problem": row.problem.value, "detail": row.detail}
            for row in orders.rows
            if row.problem is not None
        ],
        "notices": list(orders.notices),
    }
    return json.dumps(told, ensure_ascii=False)


def show_orders(orders: OrderList, *, is_json: bool) -> None:
    """Print how a list was read."""
    screen = console()
    if is_json:
        screen.out(as_json(orders), highlight=False)
        return
    _show(orders, screen)


def _show(orders: OrderList, screen: Console) -> None:
    index = order_column(orders)
    column = "" if index is None else f", order numbers from column #{index + 1} {orders.columns[index]!r}"
    counts = f"{words.count(len(orders.rows), 'row')}, {words.count(len(orders.tasks), 'order')}"
    screen.print(Text.assemble((orders.source, "bold"), f": {counts}{column}"), soft_wrap=True)
    for notice in orders.notices:
        screen.print(Text(f"  {notice}", "yellow"), soft_wrap=True)
    screen.print()
    screen.print(_rows(orders))
    if len(orders.rows) > ROWS_SHOWN:
        screen.print(Text(f"... and {words.count(len(orders.rows) - ROWS_SHOWN, 'more row', 'more rows')}", "dim"))
    screen.print(Text("Dry run: nothing was started.", "dim"))


def _rows(orders: OrderList) -> Table:
    table = Table(
        Column("row", justify="right"), "as given", "order", Column("", ratio=1), box=None, header_style="dim"
    )
    names = {task.task_id: task.po_number for task in orders.tasks}
    for row in orders.rows[:ROWS_SHOWN]:
        order = Text(names[row.task_id]) if row.task_id else Text("INVALID", "yellow")
        table.add_row(str(row.row_no), Text(row.given), order, Text(row.detail))
    return table
