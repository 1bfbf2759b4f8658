"""The orders of a command line: reads them, shows how they were read, and creates the batch job."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text
from rich.tree import Tree

from poolwright.archive.folder_template import (
    FolderTemplate,
    ambiguity_notices,
    ambiguous_orders,
    cells_by_task,
    list_columns,
)
from poolwright.archive.output_tree import PRIVATE_NAME
from poolwright.archive.workbooks.list_workbook import FILLABLE_SUFFIXES, ListWorkbook
from poolwright.cli import terminal
from poolwright.cli.terminal import FittingTable, console
from poolwright.domain.errors import OptionsError
from poolwright.domain.ids import TaskId
from poolwright.domain.order_groups import OrderGroups, group_orders
from poolwright.domain.tasks import OrderList
from poolwright.files.names import folder_variants, name_key, safe_name
from poolwright.intake.content_kind import LIST_SUFFIXES
from poolwright.intake.errors import InputRefusedError
from poolwright.intake.orders import (
    TYPED_SOURCE,
    ReadOptions,
    changed_numbers,
    orders_from_file,
    orders_from_numbers,
    orders_from_stdin,
)
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


def grouped_orders(settings: Settings, orders: OrderList) -> OrderGroups:
    """Return the list with the groups of its orders, if they are to be grouped by a column.

    Numbers of the command line have no columns, so they have no groups.

    Raises:
        OptionsError: The list has no such column.
    """
    if not settings.group_by or orders.source == TYPED_SOURCE:
        return OrderGroups(orders=orders)
    return group_orders(orders, settings.group_by)


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
    group_limit = settings.group_limit if settings.group_by else None
    return BatchJob(
        orders=orders,
        pool=replace(pool_options(settings, workers, base, worker_count), group_limit=group_limit),
        out=settings.out,
        template=settings.folder_template,
        journal_path=settings.out / PRIVATE_NAME / JOURNAL_NAME,
        report_stem=report_stem(orders),
        redo=redo,
    )


def list_workbook(sources: OrderSources, orders: OrderList) -> ListWorkbook | None:
    """Return the workbook that a list was just read from; ``None`` if it is in no file of that kind."""
    match sources.names:
        case (name,) if name != STDIN and is_list_file(name):
            return ListWorkbook.find(Path(name).absolute(), orders.sheet, orders.header_row_no)
        case _:
            return None


def copy_notice(sources: OrderSources, orders: OrderList) -> str:
    """Return why no copy of a workbook with the results is made; empty if there is one, or if the list is in none."""
    if not orders.sheet or list_workbook(sources, orders) is not None:
        return ""
    kinds = " and ".join(sorted(FILLABLE_SUFFIXES))
    return (
        f"A copy of your workbook with the results is made of {kinds} alone; save {orders.source} as .xlsx to get one. "
        "The report has all columns of its list."
    )


def order_folders(template: str, pack: Pack, orders: OrderList) -> OrderFolders:
    """Return the folders that a template gives to the orders of a list.

    Args:
        template: The template, which may name fields of the pack and columns of the list.
        pack: The portal pack.
        orders: The list.

    Raises:
        OptionsError: The template is not valid, or names an unknown field.
    """
    parsed = FolderTemplate.parse(template, {*pack.fields, *list_columns(orders, pack.fields)})
    return OrderFolders(
        cells=cells_by_task(orders, parsed, pack.fields),
        ambiguous=ambiguous_orders(orders, parsed, pack.fields),
        template=parsed,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFolders:
    """The folders of the orders of a list, as far as they are known before a run."""

    template: FolderTemplate
    #: The cells of the list that the template uses, by order and column.
    cells: Mapping[TaskId, Mapping[str, str]]
    #: Orders whose rows differ in such a column, with these columns.
    ambiguous: Mapping[TaskId, tuple[str, ...]]

    @property
    def notices(self) -> tuple[str, ...]:
        """Return a sentence about orders whose rows name different folders."""
        return ambiguity_notices(self.ambiguous)

    def paths_of(self, orders: OrderList) -> dict[TaskId, str]:
        """Return the folder of each order below the output folder; what only its page tells is in braces."""
        taken: set[str] = set()
        folders: dict[TaskId, str] = {}
        for task in orders.tasks:
            *parents, name = self.template.preview(task, self.cells.get(task.task_id, {}))
            paths = ("/".join((*parents, variant)) for variant in folder_variants(name))
            folders[task.task_id] = next(path for path in paths if name_key(path) not in taken)
            taken.add(name_key(folders[task.task_id]))
        return folders


def report_stem(orders: OrderList) -> str:
    """Return the name of the reports: that of the list with a suffix, so that they never replace the list."""
    path = Path(orders.source)
    stem = safe_name(path.stem) if path.suffix.lower() in LIST_SUFFIXES else DEFAULT_STEM
    return f"{stem}-report"


#: Rows to show, enough to see whether the column is right.
ROWS_SHOWN = 5
#: Orders whose folders are shown.
FOLDERS_SHOWN = 40


def order_column(orders: OrderList) -> int | None:
    """Return the index of the column of order numbers; ``None`` if no column contains them as given."""
    for index in range(len(orders.columns)):
        if all(len(row.cells) > index and row.cells[index] == row.given for row in orders.rows):
            return index
    return None


def orders_json(orders: OrderList, folders: OrderFolders) -> str:
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
        "folders": list(folders.paths_of(orders).values()),
        "invalid": [
            {"row_no": row.row_no, "given": row.given, "problem": row.problem.value, "detail": row.detail}
            for row in orders.rows
            if row.problem is not None
        ],
        "changed": [{"row_no": row_no, "portal_number": number} for row_no, number in changed_numbers(orders).items()],
        "notices": [*orders.notices, *folders.notices],
    }
    return json.dumps(content, ensure_ascii=False)


def print_orders(orders: OrderList, folders: OrderFolders, *, is_json: bool) -> None:
    """Print how a list was read, and the folders that its orders will have."""
    screen = console()
    if is_json:
        screen.out(orders_json(orders, folders), highlight=False)
        return
    _print_preview(orders, folders, screen)


def _print_preview(orders: OrderList, folders: OrderFolders, screen: Console) -> None:
    index = order_column(orders)
    column = "" if index is None else f", order numbers from column #{index + 1} {orders.columns[index]!r}"
    counts = f"{terminal.format_count(len(orders.rows), 'row')}, {terminal.format_count(len(orders.tasks), 'order')}"
    screen.print(Text.assemble((orders.source, "bold"), f": {counts}{column}"), soft_wrap=True)
    for notice in (*orders.notices, *folders.notices, *_change_notices(orders)):
        screen.print(Text(f"  {notice}", "yellow"), soft_wrap=True)
    screen.print()
    screen.print(FittingTable(_preview_table(orders)), soft_wrap=True)
    if len(orders.rows) > ROWS_SHOWN:
        screen.print(
            Text(f"... and {terminal.format_count(len(orders.rows) - ROWS_SHOWN, 'more row', 'more rows')}", "dim")
        )
    screen.print()
    screen.print(_folder_tree(folders.paths_of(orders), len(orders.tasks)), soft_wrap=True)
    screen.print(Text("Dry run: nothing was started.", "dim"))


def _folder_tree(folders: Mapping[TaskId, str], order_count: int) -> Tree:
    """Return the tree of the output folder, with the first orders of the list."""
    tree = Tree("folders of the orders", style="dim", hide_root=False)
    branches: dict[str, Tree] = {}
    for folder in list(folders.values())[:FOLDERS_SHOWN]:
        parent, path = tree, ""
        for name in folder.split("/"):
            path = f"{path}/{name}"
            parent = branches[path] if path in branches else branches.setdefault(path, parent.add(Text(name)))
    if order_count > FOLDERS_SHOWN:
        more = terminal.format_count(order_count - FOLDERS_SHOWN, "more order", "more orders")
        tree.add(Text(f"... and {more}", "dim"))
    return tree


def _change_notices(orders: OrderList) -> Iterator[str]:
    """Yield one sentence if the portal is asked for numbers in another form than the list has."""
    given = {row.row_no: row.given for row in orders.rows}
    changed = changed_numbers(orders)
    if not changed:
        return
    shown = [f"{given[row_no]!r} as {number!r} (row {row_no})" for row_no, number in changed.items()]
    more = f" and {len(shown) - ROWS_SHOWN:,} more" if len(shown) > ROWS_SHOWN else ""
    verb = "number is" if len(shown) == 1 else "numbers are"
    yield (
        f"{len(shown):,} {verb} asked for in another form than in the list: {', '.join(shown[:ROWS_SHOWN])}{more}; "
        "numbers.case and numbers.separators of the portal pack decide that."
    )


def _preview_table(orders: OrderList) -> Table:
    table = Table(
        Column("row", justify="right"), "as given", "order", Column("", ratio=1), box=None, header_style="dim"
    )
    names = {task.task_id: task.po_number for task in orders.tasks}
    for row in orders.rows[:ROWS_SHOWN]:
        order = Text(names[row.task_id]) if row.task_id else Text("INVALID", "yellow")
        table.add_row(str(row.row_no), Text(row.given), order, Text(row.detail))
    return table
