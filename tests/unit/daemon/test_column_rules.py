"""A daemon takes a list only if it has the columns that its folders and groups need, and says what it makes of them."""

from __future__ import annotations

import pytest

from poolwright.domain.tasks import OrderList
from poolwright.intake.errors import InputRefusedError
from poolwright.intake.orders import ReadOptions, orders_from_content, orders_from_numbers
from poolwright.portal import pack as packs
from poolwright.service.batch import ListOptions, RedoPolicy
from poolwright.service.daemon.column_rules import ColumnRules, folder_columns_notice

READING = ReadOptions(portal_name="demo", rules=packs.load("demo").numbers)
ROWS = ("PO,Buyer,Company", "PO15000001,Ann,1000", "PO15000002,Bob,2000", "PO15000002,Cy,2000")
NO_WISH = ListOptions()


def listed(*rows: str) -> OrderList:
    return orders_from_content("\n".join(rows).encode(), "orders.csv", READING)


def rules(template: str = "{supplier}/{number}", group_by: str = "") -> ColumnRules:
    return ColumnRules(template=template, page_fields=("supplier", "currency"), group_by=group_by)


def added_notices(prepared: OrderList) -> tuple[str, ...]:
    """What was said beside what the reading of the list said."""
    return tuple(notice for notice in prepared.notices if "repeats an order" not in notice)


def groups_of(orders: OrderList) -> list[str]:
    return [task.group for task in orders.tasks]


def test_a_daemon_without_groups_and_columns_leaves_a_list_as_it_is() -> None:
    orders = listed(*ROWS)

    assert rules().prepare(orders, NO_WISH) == orders


def test_columns_that_the_template_names_are_given_to_the_orders() -> None:
    prepared = rules("{Buyer}/{supplier}/{Company}/{number}").prepare(listed(*ROWS), NO_WISH)

    assert [task.cells for task in prepared.tasks] == [
        {"Buyer": "Ann", "Company": "1000"},
        {"Buyer": "Bob", "Company": "2000"},
    ]
    assert added_notices(prepared) == ("1 order is in rows that differ in Buyer; the folder is that of the first row.",)


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (("PO,Buyer", "PO15000001,Ann"), "no such column for {Plant}; its columns are PO, Buyer."),
        (
            ("PO,Buyer,Plant,Plant", "PO15000001,Ann,1,2"),
            "more than one column of such a name for {Plant}; its columns are PO, Buyer, Plant, Plant.",
        ),
    ],
)
def test_a_list_without_a_column_of_the_template_is_refused_with_cause_and_next_step(
    rows: tuple[str, ...], problem: str
) -> None:
    with pytest.raises(InputRefusedError) as refused:
        rules("{Buyer}/{Plant}/{number}").prepare(listed(*rows), NO_WISH)

    assert str(refused.value) == (
        f"The daemon names the folders of orders '{{Buyer}}/{{Plant}}/{{number}}', and the list has {problem} Send a "
        "list with the column, or start the daemon with another --folder-template (fields of the portal: currency, "
        "supplier)."
    )


def test_a_message_names_the_first_columns_of_a_wide_list_and_every_field_that_is_missing() -> None:
    orders = listed("PO," + ",".join(f"C{number}" for number in range(1, 15)), "PO15000001" + ",x" * 14)

    with pytest.raises(InputRefusedError) as refused:
        ColumnRules(template="{Plant}/{Buyer}/{number}", page_fields=()).prepare(orders, NO_WISH)

    assert str(refused.value) == (
        "The daemon names the folders of orders '{Plant}/{Buyer}/{number}', and the list has no such column for "
        "{Buyer}, {Plant}; its columns are PO, C1, C2, C3, C4, C5, C6, C7, C8, C9, C10, C11, .... Send a list with the "
        "column, or start the daemon with another --folder-template."
    )


def test_typed_numbers_are_refused_if_the_template_needs_a_column() -> None:
    with pytest.raises(InputRefusedError, match=r"no such column for \{Buyer\}"):
        rules("{Buyer}/{number}").prepare(orders_from_numbers(["PO15000001"], READING), NO_WISH)


def test_orders_are_grouped_by_the_column_of_the_daemon_or_that_of_the_sender() -> None:
    orders = listed(*ROWS)

    assert groups_of(rules(group_by="company").prepare(orders, NO_WISH)) == ["1000", "2000"]
    by_buyer = rules(group_by="company").prepare(orders, ListOptions(group_by="#2"))
    assert groups_of(by_buyer) == ["Ann", "Bob"]
    assert added_notices(by_buyer) == ("1 order has rows that differ in Buyer; the first row gives their group.",)
    assert groups_of(rules(group_by="company").prepare(orders, ListOptions(group_by=""))) == ["", ""]


def test_a_list_without_the_column_of_the_daemon_is_taken_without_groups_and_says_so() -> None:
    prepared = rules(group_by="Plant").prepare(listed(*ROWS), NO_WISH)

    assert groups_of(prepared) == ["", ""]
    (notice,) = added_notices(prepared)
    assert notice == (
        "The orders have no groups. The list has no column 'Plant' to group its orders by. Its columns are PO, Buyer, "
        "Company; '#3' names the third."
    )


def test_numbers_alone_have_no_groups_and_need_no_word_about_it() -> None:
    orders = orders_from_numbers(["PO15000001"], READING)

    assert rules(group_by="Plant").prepare(orders, NO_WISH) == orders


def test_a_column_that_the_sender_names_must_be_there() -> None:
    with pytest.raises(InputRefusedError, match="The list has no column 'Plant' to group its orders by"):
        rules().prepare(listed(*ROWS), ListOptions(group_by="Plant"))


@pytest.mark.parametrize("redo", [RedoPolicy.ALL, RedoPolicy.NOTHING])
def test_looking_again_and_redoing_all_or_nothing_contradict_each_other(redo: RedoPolicy) -> None:
    with pytest.raises(InputRefusedError, match=f"--re.*--re.*{'choose one' if redo is RedoPolicy.ALL else 'default'}"):
        rules().prepare(listed(*ROWS), ListOptions(redo=redo, is_refresh=True))

    assert rules().prepare(listed(*ROWS), ListOptions(redo=redo)) == listed(*ROWS)
    assert rules().prepare(listed(*ROWS), ListOptions(is_refresh=True)) == listed(*ROWS)


def test_what_lists_must_have_is_told_at_the_start() -> None:
    assert folder_columns_notice(rules("{supplier}/{year}/{number}")) == ""
    assert folder_columns_notice(rules("{Buyer}/{number}")) == (
        "{Buyer} of the folder template '{Buyer}/{number}' is no field of the portal, so each list must have a column "
        "of that name; lists without it, and typed numbers, are refused."
    )
    assert "{Buyer}, {Plant} of the folder template '{Plant}/{Buyer}/{number}' are no fields" in folder_columns_notice(
        rules("{Plant}/{Buyer}/{number}")
    )
