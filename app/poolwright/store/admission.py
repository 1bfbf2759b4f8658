"""What a list must be before a journal takes it, and how the journal answers. Pure, shared by both journals."""

from __future__ import annotations

from collections.abc import Mapping

from poolwright.domain.ports import Accepted
from poolwright.domain.states import open_count
from poolwright.domain.tasks import OrderList
from poolwright.store.errors import JournalError


def check_orders(orders: OrderList) -> None:
    """Refuse a list that does not hold each of its tasks exactly once.

    Raises:
        JournalError: A task stands twice among the tasks, or a row names a task that is not among them.
    """
    task_ids = [task.task_id for task in orders.tasks]
    known = set(task_ids)
    if len(known) < len(task_ids):
        raise JournalError(f"The list {orders.source} was refused: it contains a task twice.")
    strays = {row.task_id for row in orders.rows if row.task_id is not None} - known
    if strays:
        raise JournalError(f"The list {orders.source} was refused: it lacks the task {min(strays)} of one of its rows.")


def accepted(new_count: int, counts: Mapping[str, int]) -> Accepted:
    """Tell what became of a list.

    Args:
        new_count: How many of its tasks were not known before.
        counts: How many of its tasks are in each status now.
    """
    still_open = open_count(counts)
    return Accepted(
        new_count=new_count, waiting_count=still_open - new_count, done_count=sum(counts.values()) - still_open
    )
