"""The group of an order is the cell of its first row in one column of the list."""

from __future__ import annotations

from dataclasses import replace

import pytest

from poolwright.domain.errors import OptionsError
from poolwright.domain.order_groups import GroupSetAside, group_orders, quoted_group
from poolwright.domain.tasks import OrderList, OrderRow
from tests.support.manual_clock import START
from tests.support.tasks import orders, task_id

COLUMNS = ("PO", "Company Code", "Plant", "Plant")


def listed(*rows: tuple[int | None, str]) -> OrderList:
    """A list with the order and the company code of each row."""
    numbers = dict.fromkeys(number for number, _ in rows if number is not None)
    lines = tuple(
        OrderRow(
            row_no=place,
            cells=(str(number), code, "a", "b"),
            given=str(number),
            task_id=None if number is None else task_id(number),
        )
        for place, (number, code) in enumerate(rows, start=2)
    )
    return replace(orders(*numbers), columns=COLUMNS, rows=lines)


def groups(given: OrderList, column: str = "Company Code") -> list[str]:
    return [task.group for task in group_orders(given, column).orders.tasks]


@pytest.mark.parametrize("column", ["Company Code", "company code", " Company  Code ", "#2"])
def test_a_column_is_named_or_counted(column: str) -> None:
    given = listed((1, "2000"), (2, " 30 00 "))

    assert groups(given, column) == ["2000", "30 00"]
    assert group_orders(given, column).notices == ()


def test_an_empty_cell_gives_no_group_and_a_notice() -> None:
    one, two = group_orders(listed((1, ""), (2, "X")), "#2"), group_orders(listed((1, ""), (2, " ")), "#2")

    assert one.notices == ("1 order has an empty cell in Company Code, which is no group.",)
    assert two.notices == ("2 orders have an empty cell in Company Code, which is no group.",)


def test_the_first_of_several_rows_counts() -> None:
    given = listed((1, "A"), (1, "B"), (2, "C"), (2, "C"), (None, "D"))

    assert groups(given) == ["A", "C"]
    assert group_orders(given, "#2").notices == (
        "1 order has rows that differ in Company Code; the first row gives their group.",
    )


def test_each_order_whose_rows_differ_is_counted_once() -> None:
    given = listed((None, "D"), (1, "A"), (1, "B"), (1, "C"), (2, "C"), (2, "A"), (3, "A"))

    assert groups(given) == ["A", "C", "A"]
    assert group_orders(given, "#2").notices == (
        "2 orders have rows that differ in Company Code; the first row gives their group.",
    )


def test_an_order_without_a_row_has_no_group() -> None:
    given = listed((1, "A"), (2, "B"))

    assert groups(replace(given, rows=given.rows[:1])) == ["A", ""]


def test_a_row_that_is_too_short_has_no_group() -> None:
    given = listed((1, "A"))
    given = replace(given, rows=(replace(given.rows[0], cells=("1",)),))

    assert groups(given) == [""]


@pytest.mark.parametrize(
    ("column", "problem"),
    [
        ("Branch", "has no column 'Branch'"),
        ("Plant", "has 2 columns 'Plant'"),
        ("#5", "has no column '#5'"),
        ("#0", "has no column '#0'"),
        ("#x", "has no column '#x'"),
    ],
)
def test_a_column_that_is_not_there_is_refused_with_those_that_are(column: str, problem: str) -> None:
    with pytest.raises(OptionsError) as caught:
        group_orders(listed((1, "A")), column)

    assert str(caught.value) == (
        f"The list {problem} to group its orders by. Its columns are PO, Company Code, Plant, Plant; '#3' names the "
        "third."
    )


def test_of_many_columns_the_first_are_shown() -> None:
    given = replace(listed((1, "A")), columns=tuple(f"c{number}" for number in range(13)))

    with pytest.raises(OptionsError, match=r"are c0, .*, c11, \.\.\.; '#3'"):
        group_orders(given, "Branch")
    with pytest.raises(OptionsError, match=r"c10, c11; '#3'"):
        group_orders(replace(given, columns=given.columns[:12]), "Branch")


def test_a_group_that_is_set_aside_says_why_and_by_which_command_it_is_resumed() -> None:
    def aside(name: str, cause: str) -> GroupSetAside:
        return GroupSetAside(name=name, cause=cause, set_aside_at=START, order_count=2)

    group = aside("North 1", "The group North 1 was set aside: why. When the access is there, do it.")
    assert group.why == "The group North 1 was set aside: why."
    assert group.resume_command == 'poolwright resume-group "North 1"'
    assert aside("2000", "Why.").why == "Why."
    assert aside("2000", "Why.").resume_command == "poolwright resume-group 2000"


@pytest.mark.parametrize(("name", "word"), [("2000", "2000"), ("A-1", '"A-1"'), ("A B", '"A B"')])
def test_the_name_of_a_group_is_one_word_of_a_command(name: str, word: str) -> None:
    assert quoted_group(name) == word
