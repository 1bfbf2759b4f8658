"""The groups of the orders of a list: the values of one of its columns, such as the company code."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from poolwright.domain.errors import OptionsError
from poolwright.domain.ids import TaskId
from poolwright.domain.tasks import OrderList

#: Columns that the message about an unknown one names.
_COLUMNS_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderGroups:
    """A list whose orders have their groups, and what a person should know about them."""

    orders: OrderList
    #: Whole sentences.
    notices: tuple[str, ...] = ()


#: The words in the cause of a group that is set aside with which the next step begins.
NEXT_STEP = "When the access is there"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSetAside:
    """A group whose orders are not processed until a person resumes it."""

    name: str
    #: Why and what to do, in whole sentences.
    cause: str
    #: Aware UTC.
    set_aside_at: datetime
    #: Its orders that ended without an attempt.
    order_count: int

    @property
    def why(self) -> str:
        """Why it was set aside, without what to do."""
        return self.cause.partition(f" {NEXT_STEP}")[0]

    @property
    def resume_command(self) -> str:
        """The command that resumes it while a daemon runs."""
        return f"poolwright resume-group {quoted_group(self.name)}"


def quoted_group(name: str) -> str:
    """Return the name of a group as a word of a command line."""
    return name if name.isalnum() else f'"{name}"'


def group_orders(orders: OrderList, column: str) -> OrderGroups:
    """Return the list with the group of each order, which is the cell of its first row in a column.

    Args:
        orders: The list.
        column: Name of the column, in upper or lower case, or its position as ``#3``.

    Raises:
        OptionsError: The list has no such column, or several of this name.
    """
    index = _index_of(orders, column)
    groups: dict[TaskId, str] = {}
    differing: set[TaskId] = set()
    for row in orders.rows:
        if row.task_id is None:
            continue
        group = _plain(row.cells[index] if index < len(row.cells) else "")
        if groups.setdefault(row.task_id, group) != group:
            differing.add(row.task_id)
    tasks = tuple(replace(task, group=groups.get(task.task_id, "")) for task in orders.tasks)
    blank_count = sum(not task.group for task in tasks)
    return OrderGroups(
        orders=replace(orders, tasks=tasks),
        notices=(
            *_notice(blank_count, f"an empty cell in {orders.columns[index]}, which is no group"),
            *_notice(len(differing), f"rows that differ in {orders.columns[index]}; the first row gives their group"),
        ),
    )


def _index_of(orders: OrderList, column: str) -> int:
    wanted = _plain(column).casefold()
    named = [index for index, name in enumerate(orders.columns) if _plain(name).casefold() == wanted]
    if not named and wanted.startswith("#") and wanted[1:].isdecimal():
        named = [index for index in range(len(orders.columns)) if index + 1 == int(wanted[1:])]
    if len(named) == 1:
        return named[0]
    shown = ", ".join(orders.columns[:_COLUMNS_SHOWN]) + (", ..." if len(orders.columns) > _COLUMNS_SHOWN else "")
    problem = f"has {len(named)} columns" if named else "has no column"
    raise OptionsError(
        f"The list {problem} {column!r} to group its orders by. Its columns are {shown}; '#3' names the third."
    )


def _plain(text: str) -> str:
    """Return a text without space around it and with single spaces in it."""
    return " ".join(text.split())


def _notice(count: int, rest: str) -> tuple[str, ...]:
    return (f"{count:,} {'order has' if count == 1 else 'orders have'} {rest}.",) if count else ()
