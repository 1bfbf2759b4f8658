"""Rows, tasks and notices of a list."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from poolwright.domain.errors import PoolError
from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import OrderList
from poolwright.intake.errors import InputRefusedError
from poolwright.intake.orders import (
    ReadOptions,
    changed_numbers,
    orders_from_content,
    orders_from_file,
    orders_from_numbers,
    orders_from_stdin,
)
from poolwright.portal.numbers import LetterCase, NumberRules
from tests.support.order_files import DIGITS, xlsx

READING = ReadOptions(portal_name="demo", rules=DIGITS)
LIST = (
    "Supplier,PO Number,Note\n"
    "Acme,PO4500012345,first\n"
    "Bolt,4500012346,\n"
    "Acme,4500012345,second line\n"
    "Core, ,no number\n"
    "Dash,45000l2347,typo\n"
    "Acme,PO-4500012345,third line\n"
)


def listed(text: str, reading: ReadOptions = READING) -> OrderList:
    return orders_from_stdin(text.encode(), reading)


def test_every_row_is_kept_and_every_valid_number_is_one_task() -> None:
    orders = listed(LIST)

    assert orders.columns == ("Supplier", "PO Number", "Note")
    assert [row.row_no for row in orders.rows] == [2, 3, 4, 5, 6, 7]
    assert orders.rows[3].cells == ("Core", " ", "no number")
    assert [(task.task_id, task.po_number, task.portal_number) for task in orders.tasks] == [
        ("demo:4500012345", "PO4500012345", "4500012345"),
        ("demo:4500012346", "4500012346", "4500012346"),
    ]


def test_rows_of_one_order_share_its_task() -> None:
    rows = listed(LIST).rows

    assert [row.task_id for row in rows] == [
        "demo:4500012345",
        "demo:4500012346",
        "demo:4500012345",
        None,
        None,
        "demo:4500012345",
    ]
    assert rows[5].given == "PO-4500012345"


def test_a_wrong_number_is_a_row_with_its_reason() -> None:
    blank, typo = listed(LIST).rows[3:5]

    assert (blank.problem, blank.given) == (Reason.BLANK_NUMBER, " ")
    assert typo.problem is Reason.BAD_NUMBER
    assert "'45000l2347'" in typo.detail


def test_repeats_and_wrong_numbers_are_told_with_counts() -> None:
    assert listed(LIST).notices == (
        "2 rows repeat an order that is already in the list; each order is fetched once.",
        "2 rows have no valid order number and are reported INVALID: rows 5, 6; row 5: The cell has no order number.",
    )


def test_a_single_one_is_told_in_the_singular_with_its_reason() -> None:
    notices = listed("PO\n4500012345\n4500012345\nx\n").notices

    assert notices[0].startswith("1 row repeats")
    assert notices[1].startswith("Row 4 has no valid order number and is reported INVALID: 'x' is not an order number")


def test_many_wrong_rows_are_told_short() -> None:
    assert (
        listed("PO\n4500012345\n" + "x\n" * 9)
        .notices[-1]
        .startswith(
            "9 rows have no valid order number and are reported INVALID: rows 3, 4, 5, 6, 7 and 4 more; row 3: 'x' is"
        )
    )


def test_a_guessed_column_is_told_and_a_named_one_is_not() -> None:
    text = "name,order_id\na,4500012345\nb,4500012346\n"

    assert "which is a guess" in listed(text).notices[0]
    assert not listed(text, replace(READING, column="order_id")).notices
    assert not listed(text, replace(READING, column="#2")).notices


def test_a_workbook_is_read_from_the_named_sheet(tmp_path: Path) -> None:
    path = tmp_path / "orders.xlsx"
    path.write_bytes(xlsx({"A": [["PO"], [4500012345]], "B": [["PO"], [4500012346.0]]}))

    orders = orders_from_file(path, replace(READING, sheet_name="b"))

    assert orders.source == "orders.xlsx"
    assert [task.portal_number for task in orders.tasks] == ["4500012346"]


def test_a_piped_workbook_is_read_too() -> None:
    orders = orders_from_stdin(xlsx({"A": [["PO"], [4500012345]]}), READING)

    assert orders.source == "-"
    assert len(orders.tasks) == 1


def test_piped_numbers_need_no_header() -> None:
    orders = listed("4500012345\nPO4500012346\n\n4500012347")

    assert orders.source == "-"
    assert [row.row_no for row in orders.rows] == [1, 2, 4]
    assert [task.po_number for task in orders.tasks] == ["4500012345", "PO4500012346", "4500012347"]


def test_typed_numbers_are_orders_in_their_order() -> None:
    orders = orders_from_numbers(["PO4500012346", "x", "4500012345"], READING)

    assert orders.source == "command line"
    assert orders.columns == ("PO_NUMBER",)
    assert [row.cells for row in orders.rows] == [("PO4500012346",), ("x",), ("4500012345",)]
    assert [row.row_no for row in orders.rows] == [1, 2, 3]
    assert [task.portal_number for task in orders.tasks] == ["4500012346", "4500012345"]


def test_the_same_list_has_the_same_id_whatever_its_file_is_called(tmp_path: Path) -> None:
    one, other, book = tmp_path / "march.csv", tmp_path / "copy.txt", tmp_path / "march.xlsx"
    one.write_text("PO Number,Name\n4500012345,Acme\n", encoding="utf-8")
    other.write_text("PO Number;Name\r\n\r\n4500012345;Acme\r\n", encoding="utf-16")
    book.write_bytes(xlsx({"A": [["PO Number", "Name"], [4500012345, "Acme"]]}))

    assert len({orders_from_file(path, READING).batch_id for path in (one, other, book)}) == 1


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        (LIST.replace("first", "First"), READING),
        (LIST.replace("Supplier", "Vendor"), READING),
        (LIST + "New,4500012399,\n", READING),
        (LIST, replace(READING, portal_name="coupa")),
    ],
    ids=["cell", "column", "row", "portal"],
)
def test_another_list_has_another_id(text: str, reading: ReadOptions) -> None:
    assert listed(text, reading).batch_id != listed(LIST).batch_id


def test_the_id_depends_on_the_column_that_was_read() -> None:
    text = "A,B\n4500012345,4500012346\n"

    first, second = (listed(text, replace(READING, column=column)) for column in ("#1", "#2"))

    assert first.batch_id != second.batch_id


def test_cells_that_join_alike_do_not_make_lists_alike() -> None:
    assert listed("PO,A,B\n4500012345,xy,z\n").batch_id != listed("PO,A,B\n4500012345,x,yz\n").batch_id


def test_a_list_without_any_valid_number_is_refused_with_the_first_reason() -> None:
    with pytest.raises(
        InputRefusedError, match=r"standard input has no valid .* column #1 'PO', .*--column; row 2: 'a'"
    ):
        listed("PO,Name\na,b\nc,d\n")
    with pytest.raises(InputRefusedError, match=r"the command line has no valid order number; row 1: 'abc'"):
        orders_from_numbers(["abc"], READING)


def test_no_numbers_at_all_are_refused() -> None:
    with pytest.raises(InputRefusedError, match="No order number was given"):
        orders_from_numbers([], READING)
    with pytest.raises(InputRefusedError, match="standard input is empty"):
        listed("")


def test_a_refusal_is_an_error_that_the_pool_knows() -> None:
    assert issubclass(InputRefusedError, PoolError)


def test_bytes_that_are_no_characters_can_be_written_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "b\udce4r.csv"
    path.write_text("PO Number,Supplier\n4500012345,a\nPO,b\n", encoding="utf-8")
    from_file = orders_from_file(path, READING)
    typed = orders_from_numbers(["4500012345", "\udcff"], READING)

    assert repr(from_file).encode()
    assert from_file.source == "b?r.csv"
    assert [row.given for row in typed.rows] == ["4500012345", "?"]
    assert "".join(typed.notices).encode()


def test_numbers_that_the_portal_is_asked_for_in_another_form_are_named() -> None:
    rules = NumberRules(pattern=r"[A-Z0-9]+", prefixes=("PO",), describe="letters", example="A1")
    reading = ReadOptions(portal_name="acme", rules=rules)

    orders = orders_from_numbers(["A1", "PO-A2", "a3", "A5 ", "?"], reading)

    assert changed_numbers(orders) == {3: "A3"}
    kept = replace(reading, rules=rules.model_copy(update={"case": LetterCase.KEEP, "pattern": r"\w+"}))
    assert changed_numbers(orders_from_numbers(["a3"], kept)) == {}


def test_a_list_of_a_workbook_knows_its_sheet_and_the_row_of_its_names() -> None:
    rows = [["Our orders", "", ""], ["", "", ""], ["PO", "Name", "Note"], ["4500012345", "a", "b"]]
    content = xlsx({"Notes": [], "Second": rows})

    orders = orders_from_content(content, "orders.xlsx", READING)

    assert (orders.sheet, orders.header_row_no, orders.rows[0].row_no) == ("Second", 3, 4)


def test_a_list_of_text_has_no_sheet() -> None:
    named = orders_from_content(b"PO,Name\n4500012345,a\n", "orders.csv", READING)
    bare = orders_from_content(b"4500012345\n4500012346\n", "orders.csv", READING)

    assert (named.sheet, named.header_row_no) == ("", 1)
    assert (bare.sheet, bare.header_row_no) == ("", None)
