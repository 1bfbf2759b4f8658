"""A part of a list, to try it out: its first orders, or some that are drawn at random."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace

from poolwright.domain.errors import OptionsError
from poolwright.domain.ids import BatchId, TaskId
from poolwright.domain.tasks import OrderList

Draw = Callable[[Sequence[TaskId], int], list[TaskId]]


def sampled_orders(
    orders: OrderList, *, draw: Draw, first_count: int | None = None, random_count: int | None = None
) -> OrderList:
    """Return the list with a part of its orders, as another list of the same file.

    Every row of an order comes along, in its place; rows without a valid number do not. An order that the whole list
    has too is the same order: a run of that does not fetch it again.

    Args:
        orders: The whole list.
        draw: Draws that many different orders at random, such as ``random.sample``.
        first_count: How many orders from the beginning are kept; ``None`` for no limit.
        random_count: How many orders are drawn; ``None`` for no draw.

    Raises:
        OptionsError: Both counts are given.
    """
    if first_count is not None and random_count is not None:
        msg = "Give either --limit or --sample: the first orders of the list, or some that are drawn at random."
        raise OptionsError(msg)
    names = [task.task_id for task in orders.tasks]
    count = first_count if first_count is not None else random_count
    if count is None or count >= len(names):
        return orders
    kept = set(names[:count] if first_count is not None else draw(names, count))
    tasks = tuple(task for task in orders.tasks if task.task_id in kept)
    digest = hashlib.sha256("\n".join((orders.batch_id, *(task.task_id for task in tasks))).encode()).hexdigest()
    how = "the first" if first_count is not None else "drawn at random"
    notice = f"Only {count:,} of {len(names):,} orders of the list are processed ({how})"
    if any(row.task_id is None for row in orders.rows):  # a notice of the whole list says that they are reported
        notice += "; rows without a valid number are left out of the report"
    return replace(
        orders,
        batch_id=BatchId(digest[: len(orders.batch_id)]),
        rows=tuple(row for row in orders.rows if row.task_id in kept),
        tasks=tasks,
        notices=(*orders.notices, f"{notice}."),
    )
