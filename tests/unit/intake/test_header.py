"""The table is found between titles, headers, descriptions and data."""

from __future__ import annotations

from dataclasses import replace

import pytest

from poolwright.intake.grid import can_be_order, is_value_cell
from poolwright.intake.header import find_frame
from tests.support.order_files import rows_of


@pytest.mark.parametrize("cell", ["1", "4500012345", "1.234,50", "€ 12", "12 %", "99,00 EUR", "2026-03-18", "08/13/11"])
@pytest.mark.parametrize("around", ["{}", " {} "])
def test_values_look_like_data(cell: str, around: str) -> None:
    assert is_value_cell(around.format(cell))


@pytest.mark.parametrize("cell", ["PO-4471", "PO1", "INV001", "Aug11001", "OC-2026-0001", "18 Mar 2026", "18-MAR-26"])
def test_codes_look_like_data(cell: str) -> None:
    assert is_value_cell(cell)


@pytest.mark.parametrize("cell", ["1) 4500012345", "(2) 4500012345", "3.) PO No. 4500012345", "[12] 4500012345"])
def test_a_number_behind_that_of_its_line_looks_like_data(cell: str) -> None:
    assert is_value_cell(cell)


@pytest.mark.parametrize(
    "cell", ["", " ", "PO", "Order No.", "VendorAddr_Line1", "ZBD1T", "INCO1", "PO#", "Zeile 1", "-"]
)
def test_names_do_not(cell: str) -> None:
    assert not is_value_cell(cell)


@pytest.mark.parametrize(
    "cell", ["4500012345", "PO-4471", "Aug11001", "4500012345.0", "41398c46-2d89-4ba0-bc9d", "٤٥٠٠"]
)
def test_an_order_number_has_digits(cell: str) -> None:
    assert can_be_order(cell)


@pytest.mark.parametrize("cell", ["", "Acme", "2026-03-18", "08/13/11", "12.50", "1.234,50", "x1" * 40])
def test_dates_amounts_and_long_text_are_no_order_numbers(cell: str) -> None:
    assert not can_be_order(cell)


def test_the_first_row_with_a_known_name_is_the_header() -> None:
    frame = find_frame(rows_of(("Supplier", "Order No."), ("Acme", "1001"), ("Bolt", "1002")))

    assert frame.header is not None
    assert frame.header.row_no == 1
    assert [row.row_no for row in frame.rows] == [2, 3]
    assert not frame.notices


def test_titles_above_the_header_are_told() -> None:
    rows = rows_of(
        ("Open orders",),
        ("Printed:", "2026-03-18"),
        ("PO", "Supplier", "Amount"),
        ("1001", "Acme", "5"),
        ("1002", "B", "6"),
    )
    frame = find_frame(rows)

    assert frame.header == rows[2]
    assert frame.rows == tuple(rows[3:])
    assert frame.notices == ("Rows 1 to 2 are above the table: not read as orders.",)


def test_a_title_that_is_a_known_name_is_no_header() -> None:
    rows = rows_of(
        ("Purchase Order",), ("PO Number", "Supplier", "City"), ("1001", "Acme", "Rome"), ("1002", "B", "Oslo")
    )

    assert find_frame(rows).header == rows[1]


def test_a_list_without_header_loses_no_row() -> None:
    rows = rows_of(("# Purchase Orders",), ("PO001", "IC101", "50"), ("PO002", "IC102", "20"), ("PO003", "IC103", "10"))
    frame = find_frame(rows)

    assert frame.header is None
    assert frame.rows == tuple(rows[1:])
    assert frame.notices == ("Row 1 is above the table: not read as orders.",)


def test_a_narrow_first_row_with_a_value_is_no_title() -> None:
    rows = rows_of(("PO001", "", ""), ("PO002", "a", "b"), ("PO003", "a", "b"))

    assert find_frame(rows).rows == tuple(rows)


def test_a_kind_that_recurs_below_is_a_value_and_no_header() -> None:
    rows = rows_of(("PO", "Acme", "Berlin", "4500012345"), ("PO", "Bolt", "Rome", "4500012346"))

    assert find_frame(rows).header is None


def test_a_kind_that_recurs_in_the_next_row_is_no_known_name() -> None:
    rows = rows_of(("PO", "a", "b"), ("PO", "c", "d"), ("SO", "e", "f"), ("SO", "g", "h"))

    assert find_frame(rows).notices == ("Row 1 was taken as the header, not as an order.",)


def test_a_kind_that_stands_once_among_values_is_no_header_either() -> None:
    rows = rows_of(("PO", "Acme", "Berlin", "4500012345"), ("SO", "Bolt", "Rome", "4500012346"))

    assert find_frame(rows).header is None


def test_a_header_printed_again_on_every_page_is_still_the_header() -> None:
    rows = rows_of(("PO", "Name"), ("1001", "a"), ("1002", "b"), ("PO", "Name"), ("1003", "c"), ("1004", "d"))

    assert find_frame(rows).header == rows[0]


@pytest.mark.parametrize("others", [("2024", "2025", "2026"), ("c1", "c2", "c3")])
def test_names_of_columns_may_be_numbers_when_the_order_column_is_clear(others: tuple[str, ...]) -> None:
    rows = rows_of(("PO Number", *others), ("1001", "1", "2", "3"), ("1002", "4", "5", "6"))

    assert find_frame(rows).header == rows[0]


def test_a_name_that_the_user_told_finds_the_header() -> None:
    rows = rows_of(("Vorgang", "2024", "2025"), ("1001", "1", "2"), ("1002", "3", "4"))

    assert find_frame(rows).header is None
    assert find_frame(rows, "vorgang").header == rows[0]


def test_a_name_that_the_user_told_needs_no_numbers_below() -> None:
    rows = rows_of(("Vorgang", "2024"), ("abc", "1"), ("def", "2"))

    assert find_frame(rows, "Vorgang").header == rows[0]


def test_a_name_that_the_user_told_is_found_below_a_wide_title() -> None:
    rows = rows_of(("Report", "May"), ("Vorgang", "2024"), ("abc", "1"), ("def", "2"))

    assert find_frame(rows, "Vorgang").header == rows[1]


def test_a_vague_name_above_does_not_hide_the_known_one() -> None:
    rows = rows_of(("List of PO Number", "May"), ("PO", "Name"), ("1001", "a"), ("1002", "b"))

    assert find_frame(rows).header == rows[1]


def test_short_rows_below_do_not_hide_the_header() -> None:
    rows = rows_of(("A", "PO"), ("x",), ("y", "1001"), ("z", "1002"))

    assert find_frame(rows).header == rows[0]


def test_words_above_values_are_a_header_and_that_is_told() -> None:
    rows = rows_of(("Vorgang",), ("1001",))
    frame = find_frame(rows)

    assert frame.header == rows[0]
    assert frame.notices == ("Row 1 was taken as the header, not as an order.",)


def test_numbers_alone_have_no_header() -> None:
    rows = rows_of(("4500012345",), ("4500012346",))

    assert find_frame(rows).header is None
    assert find_frame(rows).rows == tuple(rows)


def test_rows_that_describe_the_columns_of_a_tagged_table_are_told() -> None:
    rows = rows_of(
        ("\\P\\", "order_id", "name\\"), ("T", "5", "$"), ("K", "1", "0"), ("V", "10248", "a"), ("V", "10249", "b")
    )
    frame = find_frame(rows)

    assert frame.header == rows[0]
    assert frame.rows == tuple(rows[3:])
    assert frame.notices == ("Rows 2 to 3 are under a tag other than 'V': not read as orders.",)


def test_the_last_row_has_the_tag_of_data() -> None:
    rows = rows_of(("\\P\\", "order_id"), ("T", "5"), ("K", "1"), (" V", "10248"))

    assert find_frame(rows).rows == (rows[3],)


def test_blanks_around_a_tag_do_not_matter() -> None:
    rows = rows_of((" \\P\\ ", "order_id"), ("V ", "10247"), ("V", "10248"))

    assert find_frame(rows).rows == tuple(rows[1:])


def test_tagged_rows_of_one_kind_are_all_data() -> None:
    rows = rows_of(("\\P\\", "order_id"), ("V", "10248"), ("V", "10249"))

    assert find_frame(rows).rows == tuple(rows[1:])


def test_rows_under_an_ordinary_header_are_never_taken_for_descriptions() -> None:
    rows = rows_of(("Kind", "order_id"), ("T", "10247"), ("V", "10248"))

    assert find_frame(rows).rows == tuple(rows[1:])


@pytest.mark.parametrize(
    ("groups", "names", "joined"),
    [
        (("Order", "", "Supplier"), ("Number", "Date", "Name"), "Order Number|Order Date|Supplier Name"),
        (("PO", "Amount"), ("No.", "EUR"), "PO No.|Amount EUR"),
        (("Bestellnummer", "Lieferant"), ("PO Number", "Supplier"), "Bestellnummer PO Number|Lieferant Supplier"),
        (("Bestellung", "", "Kreditor"), ("Nummer", "Datum", ""), "Bestellung Nummer|Bestellung Datum|Kreditor"),
    ],
)
def test_names_of_columns_below_those_of_their_groups_are_a_header_too(
    groups: tuple[str, ...], names: tuple[str, ...], joined: str
) -> None:
    rows = rows_of(groups, names, *((f"450001000{number}", "a", "b", "c")[: len(names)] for number in range(3)))
    frame = find_frame(rows)

    assert frame.header is not None
    assert "|".join(frame.header.cells) == joined
    assert frame.rows == tuple(rows[2:])
    assert frame.notices == ("Row 2 continues the header: not read as an order.",)


GROUPED = (("A", "700001", "4500010001", "5"), ("B", "700002", "4500010002", "6"))


@pytest.mark.parametrize(
    ("groups", "names", "joined"),
    [
        (("", "", "Order", ""), ("Name", "Number", "Number", "Qty"), "Name|Number|Order Number|Order Qty"),
        (("", "", "PO"), ("Name", "ID", "No.", "Qty"), "Name|ID|PO No.|PO Qty"),
        (("", "", "Order", "Invoice"), ("Name", "ID", "Number", "Number"), "Name|ID|Order Number|Invoice Number"),
    ],
)
def test_a_single_group_above_the_names_belongs_to_them(
    groups: tuple[str, ...], names: tuple[str, ...], joined: str
) -> None:
    rows = rows_of(("Our list",), groups, names, *GROUPED)
    frame = find_frame(rows)

    assert frame.header is not None
    assert "|".join(frame.header.cells) == joined
    assert frame.rows == tuple(rows[3:])
    assert frame.notices == (
        "Row 1 is above the table: not read as orders.",
        "Row 3 continues the header: not read as an order.",
    )


@pytest.mark.parametrize(
    ("groups", "names"),
    [
        (("Order",), ("Number", "ID", "Number", "Qty")),
        (("", "", "Prices"), ("Name", "ID", "Number", "Qty")),
        (("", "", "Order"), ("Name", "ID", "Weight", "Qty")),
        (("", "", "Order", "7"), ("Name", "ID", "Number", "Qty")),
        (("", "", "", "", "Order"), ("Name", "ID", "Number", "Qty")),
    ],
)
def test_a_title_above_the_names_is_no_group_of_them(groups: tuple[str, ...], names: tuple[str, ...]) -> None:
    frame = find_frame(rows_of(groups, names, *GROUPED))

    assert frame.header is None or frame.header.cells == names


def test_a_group_that_is_apart_from_the_names_is_none() -> None:
    apart = [replace(row, row_no=row.row_no + 1) for row in rows_of(("Name", "ID", "Number", "Qty"), *GROUPED)]
    frame = find_frame([*rows_of(("", "", "Order")), *(replace(row, row_no=row.row_no + 1) for row in apart)])

    assert frame.header is not None
    assert frame.header.cells == ("Name", "ID", "Number", "Qty")


@pytest.mark.parametrize("wanted", ["Order", "Number"])
def test_a_name_that_the_user_told_stays_as_it_is_in_a_header_of_two_rows(wanted: str) -> None:
    frame = find_frame(
        rows_of(("Order", "Supplier"), ("Number", "Name"), ("4500010001", "a"), ("4500010002", "b")), wanted
    )

    assert frame.header is not None
    assert frame.header.cells[0] == wanted


def test_a_row_below_whole_names_is_data_though_a_word_of_it_could_be_one() -> None:
    rows = rows_of(("PO Number", "Supplier"), ("No", "x"), ("4500010001", "a"), ("4500010002", "b"))

    assert find_frame(rows).rows[0] == rows[1]


@pytest.mark.parametrize("first", [("tbd", "Acme"), ("Number", "1"), ("", "Name"), ("Order", "Supplier")])
def test_a_first_row_that_names_no_columns_is_data(first: tuple[str, str]) -> None:
    rows = rows_of(("Order", "Supplier"), first, ("4500010001", "a"), ("4500010002", "b"))

    assert find_frame(rows).rows[0] == rows[1]
