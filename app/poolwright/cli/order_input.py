"""The orders of a command line: reads them, shows how they were read, and creates the batch job."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from poolwright.archive.output_tree import PRIVATE_NAME
from poolwright.cli import terminal
from poolwright.cli.terminal import FittingTable, console
from poolwright.domain.errors import OptionsError
from poolwright.domain.tasks import OrderList
from poolwright.files.names import safe_name
from poolwright.intake.content_kind import LIST_SUFFIXES
from poolwright.intake.errors import InputRefusedError
from poolwright.intake.orders import ReadOptions, orders_from_file, orders_from_numbers, orders_from_stdin
from poolwright.portal.pack import Pack
from poolwright.service.batch import BatchJob, RedoPolicy
from poolwright.service.output_folder import JOURNAL_NAME
from poolwright.service.pool_config import WorkerConfig, pool_options
from poolwright.settings import Settings

STDIN = "-"
MIXED_SOURCES_MESSAGE = "Give one list file, or - for standard input, or order numbers; not several of them."
#: Name of reports for orders without a list file.
DEFAULT_STEM = "orders"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSources:
    """The sources of orders on the command line."""

    #: One list file, ``-`` for standard input, or order numbers.
    names: tuple[str, ...]
    column: str | None = None
    sheet: str | None = None


def read_orders(sources: OrderSources, pack: Pack) -> OrderList:
    """Read the orders from the sources.

    Raises:
        InputRefusedError: The list cannot be read or contains no order.
        OptionsError: The sources are several lists, or a list and numbers.
    """
    reading = ReadOptions(portal_name=pack.name, rules=pack.numbers, column=sources.column, sheet_name=sources.sheet)
    match sources.names:
        case (name,) if name == STDIN:
            return orders_from_stdin(read_standard_input(), reading)
        case (name,) if is_list_file(name):
            return orders_from_file(Path(name), reading)
        case names if any(name == STDIN or is_list_file(name) for name in names):
            raise OptionsError(MIXED_SOURCES_MESSAGE)
        case names:
            return orders_from_numbers(names, reading)


def read_standard_input() -> bytes:
    """Read standard input to its end.

    Raises:
        InputRefusedError: It is closed or cannot be read.
    """
    if sys.stdin is None:  # closed at the start
        raise InputRefusedError("Standard input is closed, so it contains no list. Name a file, or pipe a list to it.")
    try:
        return sys.stdin.buffer.read()
    except OSError as error:
        raise InputRefusedError(f"Standard input cannot be read ({error.strerror}); name a file instead.") from error


def is_list_file(name: str) -> bool:
    """Return whether a source is a list file, not an order number."""
    return Path(name).suffix.lower() in LIST_SUFFIXES or Path(name).is_file()


def make_job(
    settings: Settings, orders: OrderList, workers: WorkerConfig, base: Path, redo: RedoPolicy, *, worker_count: int
) -> BatchJob:
    """Create the batch job."""
    return BatchJob(
        orders=orders,
        pool=pool_options(settings, workers, base, worker_count),
        out=settings.out,
        template=settings.folder_template,
        journal_path=settings.out / PRIVATE_NAME / JOURNAL_NAME,
        report_stem=report_stem(orders),
        redo=redo,
    )


def report_stem(orders: OrderList) -> str:
    """Return the name of the reports: that of the list with a suffix, so that they never replace the list."""
    path = Path(orders.source)
    stem = safe_name(path.stem) if path.suffix.lower() in LIST_SUFFIXES else DEFAULT_STEM
    return f"{stem}-report"


#: Rows to show, enough to see whether the column is right.
ROWS_SHOWN = 5


def order_column(orders: OrderList) -> int | None:
    """Return the index of the column of order numbers; ``None`` if no column contains them as given."""
    for index in range(len(orders.columns)):
        if all(len(row.cells) > index and row.cells[index] == row.given for row in orders.rows):
            return index
    return None


def orders_json(orders: OrderList) -> str:
    """Return how a list was read, as one JSON line."""
    index = order_column(orders)
    content = {
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
    return json.dumps(content, ensure_ascii=False)


def print_orders(orders: OrderList, *, is_json: bool) -> None:
    """Print how a list was read."""
    screen = console()
    if is_json:
        screen.out(orders_json(orders), highlight=False)
        return
    _print_preview(orders, screen)


def _print_preview(orders: OrderList, screen: Console) -> None:
    index = order_column(orders)
    column = "" if index is None else f", order numbers from column #{index + 1} {orders.columns[index]!r}"
    counts = f"{terminal.format_count(len(orders.rows), 'row')}, {terminal.format_count(len(orders.tasks), 'order')}"
    screen.print(Text.assemble((orders.source, "bold"), f": {counts}{column}"), soft_wrap=True)
    for notice in orders.notices:
        screen.print(Text(f"  {notice}", "yellow"), soft_wrap=True)
    screen.print()
    screen.print(FittingTable(_preview_table(orders)), soft_wrap=True)
    if len(orders.rows) > ROWS_SHOWN:
        screen.print(
            Text(f"... and {terminal.format_count(len(orders.rows) - ROWS_SHOWN, 'more row', 'more rows')}", "dim")
        )
    screen.print(Text("Dry run: nothing was started.", "dim"))


def _preview_table(orders: OrderList) -> Table:
    table = Table(
        Column("row", justify="right"), "as given", "order", Column("", ratio=1), box=None, header_style="dim"
    )
    names = {task.task_id: task.po_number for task in orders.tasks}
    for row in orders.rows[:ROWS_SHOWN]:
        order = Text(names[row.task_id]) if row.task_id else Text("INVALID", "yellow")
        table.add_row(str(row.row_no), Text(row.given), order, Text(row.detail))
    return table
