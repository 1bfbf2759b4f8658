"""A part of a list: which orders and rows it has, and that it is another list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from poolwright.cli.order_sample import sampled_orders
from poolwright.domain.errors import OptionsError
from poolwright.domain.ids import BatchId, TaskId
from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import OrderList, OrderRow
from tests.support.tasks import po_task

TASKS = tuple(po_task(number) for number in range(1, 5))


def row(row_no: int, task_id: TaskId | None) -> OrderRow:
    problem = None if task_id else Reason.BAD_NUMBER
    return OrderRow(row_no=row_no, cells=("x",), given="x", task_id=task_id, problem=problem)


ROWS = (*(row(number, task.task_id) for number, task in enumerate(TASKS, 2)), row(6, None), row(7, TASKS[0].task_id))
LIST = OrderList(
    batch_id=BatchId("0123456789abcdefghij"), source="l.csv", columns=("PO",), rows=ROWS, tasks=TASKS, notices=("n",)
)


def last(names: Sequence[TaskId], count: int) -> list[TaskId]:
    return list(names[-count:])


def test_the_first_orders_have_all_their_rows() -> None:
    part = sampled_orders(LIST, draw=last, first_count=2)

    assert part.tasks == TASKS[:2]
    assert [row.row_no for row in part.rows] == [2, 3, 7]
    assert part.notices[0] == "n"
    assert part.notices[1] == (
        "Only 2 of 4 orders of the list are processed (the first); rows without a valid number are left out of the "
        "report."
    )
    assert (part.source, part.columns) == (LIST.source, LIST.columns)


def test_orders_that_are_drawn_keep_their_order() -> None:
    valid = replace(LIST, rows=tuple(row for row in ROWS if row.task_id))

    part = sampled_orders(valid, draw=lambda names, count: last(names, count)[::-1], random_count=3)

    assert part.tasks == TASKS[1:]
    assert part.notices[-1] == "Only 3 of 4 orders of the list are processed (drawn at random)."


def test_a_part_is_another_list_and_each_part_its_own() -> None:
    ids = {sampled_orders(LIST, draw=last, first_count=count).batch_id for count in (1, 2, 3)}

    assert len(ids | {LIST.batch_id}) == 4
    assert {len(one) for one in ids} == {20}
    assert sampled_orders(LIST, draw=last, first_count=2).batch_id in ids


@pytest.mark.parametrize("counts", [{}, {"first_count": 4}, {"first_count": 9}, {"random_count": 4}])
def test_a_part_that_is_the_whole_is_the_list(counts: dict[str, int]) -> None:
    assert sampled_orders(LIST, draw=last, **counts) is LIST


def test_both_are_refused() -> None:
    with pytest.raises(OptionsError, match="either --limit or --sample"):
        sampled_orders(LIST, draw=last, first_count=1, random_count=1)
