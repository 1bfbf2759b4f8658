"""The order column is found, decoys are not, and doubt is told."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from poolwright.intake.errors import InputRefusedError
from poolwright.intake.order_column import Confidence, find_column, guess_column, guess_notice
from poolwright.intake.table import Table
from poolwright.portal.numbers import NumberRules
from tests.support.order_files import ANYTHING, DIGITS, rows_of


def sheet_of(columns: Sequence[str], *cells: Sequence[str], has_header: bool = True) -> Table:
    return Table(source="orders.csv", columns=tuple(columns), rows=tuple(rows_of(*cells)), has_header=has_header)


def guessed(sheet: Table, rules: NumberRules = DIGITS) -> tuple[str, Confidence] | None:
    choice = guess_column(sheet.columns, sheet.rows, rules)
    return (sheet.columns[choice.index], choice.confidence) if choice else None


def test_a_known_name_with_fitting_cells_is_sure() -> None:
    sheet = sheet_of(["Supplier", "Order No."], ["Acme", "4500012345"])

    assert guessed(sheet) == ("Order No.", Confidence.SURE)


def test_the_better_name_wins_wherever_it_stands() -> None:
    sheet = sheet_of(
        ["po_id", "Order Date", "po_number", "parent_po_id"], ["PO100001", "2026-03-18", "PO202400001", ""]
    )

    assert guessed(sheet) == ("po_number", Confidence.SURE)


def test_a_known_name_without_any_number_loses_to_the_next_one_and_that_is_told() -> None:
    sheet = sheet_of(["PO", "Order No."], ["yes", "4500012345"], ["no", "4500012346"])

    assert guessed(sheet) == ("Order No.", Confidence.LIKELY)


def test_an_empty_column_loses_to_a_filled_one_and_that_is_told() -> None:
    sheet = sheet_of(["PO Number", "Order No."], ["", "4500012345"])

    assert guessed(sheet) == ("Order No.", Confidence.LIKELY)


def test_two_equally_good_names_are_a_guess() -> None:
    sheet = sheet_of(["PO#", "PO Number"], ["4500012345", "4500012399"])

    assert guessed(sheet) == ("PO#", Confidence.LIKELY)


@pytest.mark.parametrize("name", ["order_id", "DocNumber", "Coupa PO Number"])
def test_a_weak_name_is_a_guess(name: str) -> None:
    assert guessed(sheet_of(["Supplier", name], ["Acme", "4500012345"])) == (name, Confidence.LIKELY)


def test_a_known_name_is_kept_when_the_portal_would_refuse_its_cells() -> None:
    sheet = sheet_of(["PO Number", "Phone"], ["INT-1", "4912345678"])

    assert guessed(sheet) == ("PO Number", Confidence.LIKELY)


def test_cells_decide_where_no_name_is_known() -> None:
    sheet = sheet_of(["Supplier", "Vorgang", "Amount"], ["Acme", "4500012345", "12.50"], ["Bolt", "4500012346", "1.20"])

    assert guessed(sheet) == ("Vorgang", Confidence.LIKELY)


@pytest.mark.parametrize("name", ["Invoice No", "Phone", "Customer Number", "EAN"])
def test_cells_do_not_decide_against_the_name(name: str) -> None:
    assert guessed(sheet_of([name, "Text"], ["4500012345", "a"], ["4500012346", "b"])) is None


def test_cells_do_not_decide_between_two_columns() -> None:
    assert guessed(sheet_of(["A", "B"], ["4500012345", "5600000001"], ["4500012346", "5600000002"])) is None


def test_a_number_that_repeats_in_every_row_is_no_order_number() -> None:
    rows = [["4500012345", f"{number}"] for number in range(5)]

    assert guessed(sheet_of(["Plant", "Text"], *rows)) is None


def test_a_single_column_is_sure_whatever_its_name() -> None:
    assert guessed(sheet_of(["Foo"], ["4500012345"])) == ("Foo", Confidence.SURE)


def test_without_a_header_only_the_obvious_is_taken() -> None:
    obvious = sheet_of(["#1", "#2"], ["4500012345", "Acme"], ["4500012346", "Bolt"], has_header=False)
    unclear = sheet_of(["#1", "#2"], ["PO001", "IC101"], ["PO002", "IC102"], has_header=False)

    assert guessed(obvious) == ("#1", Confidence.LIKELY)
    assert guessed(unclear, ANYTHING) is None


def test_a_guess_names_its_column_and_how_to_name_another() -> None:
    sheet = sheet_of(["Supplier", "order_id"], ["Acme", "4500012345"])
    notice = guess_notice(sheet, find_column(sheet, None, DIGITS))

    assert "#2 'order_id'" in notice
    assert "--column NAME" in notice
    assert "--column '#3'" in notice


@pytest.mark.parametrize(
    ("wanted", "index"),
    [("Número do Pedido", 1), ("numero do pedido", 1), ("NUMERO-DO-PEDIDO", 1), ("#2", 1), ("Cliente", 0), (" #1 ", 0)],
)
def test_a_column_is_named_freely_or_by_position(wanted: str, index: int) -> None:
    sheet = sheet_of(["Cliente", "Número do Pedido"], ["Acme", "PED1"])

    choice = find_column(sheet, wanted, DIGITS)

    assert (choice.index, choice.confidence) == (index, Confidence.SURE)


def test_an_exact_name_wins_over_one_that_folds_to_it() -> None:
    sheet = sheet_of(["PO#", "po no", "#1"], ["1", "2", "3"])

    assert find_column(sheet, " po no ", DIGITS).index == 1
    assert find_column(sheet, "#1", DIGITS).index == 2


@pytest.mark.parametrize("wanted", ["Pedido", "#3", "#0", "#", "?"])
def test_an_unknown_column_is_refused_with_those_that_there_are(wanted: str) -> None:
    with pytest.raises(InputRefusedError, match=r"orders\.csv has no column .*#1 'Order', #2 'Supplier'"):
        find_column(sheet_of(["Order", "Supplier"], ["1", "a"]), wanted, DIGITS)


def test_a_name_that_two_columns_have_is_refused_with_their_positions() -> None:
    sheet = sheet_of(["PO", "Status", "Status"], ["1", "a", "b"])

    with pytest.raises(InputRefusedError, match=r"2 columns named 'Status'; say which: --column '#2' or --column '#3'"):
        find_column(sheet, "Status", DIGITS)


def test_no_column_to_be_found_is_refused_with_all_of_them() -> None:
    with pytest.raises(InputRefusedError, match=r"no column that is recognised .*--column .*#1 'Name', #2 'Town'"):
        find_column(sheet_of(["Name", "Town"], ["a", "b"]), None, DIGITS)


def test_without_a_header_the_first_row_is_shown() -> None:
    sheet = sheet_of(["#1", "#2"], ["PO001", "IC101"], has_header=False)

    with pytest.raises(InputRefusedError, match=r"no header, .*by position; .*#1 \(PO001 …\), #2 \(IC101 …\)"):
        find_column(sheet, None, ANYTHING)
    with pytest.raises(InputRefusedError, match=r"no column 'PO' and no header; .*#1 \(PO001 …\)"):
        find_column(sheet, "PO", ANYTHING)


def test_very_many_columns_are_told_short() -> None:
    sheet = sheet_of([f"Column {letter} " + "x" * 90 for letter in "ab" * 40], ["y"] * 80)

    with pytest.raises(InputRefusedError) as refused:
        find_column(sheet, None, DIGITS)
    assert "and 50 more" in str(refused.value)
    assert len(str(refused.value)) < 2000


def test_as_many_columns_as_fit_are_told_whole() -> None:
    sheet = sheet_of(["Name", "Town"] * 15, ["y"] * 30)

    with pytest.raises(InputRefusedError, match=r"#30 'Town'\.$"):
        find_column(sheet, None, DIGITS)
