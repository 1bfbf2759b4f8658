"""Rows that are no orders, cells that stand for several rows, and numbers that do not look alike."""

from __future__ import annotations

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.table import Table

from poolwright.domain.tasks import OrderList
from poolwright.intake.orders import ReadOptions, orders_from_content
from poolwright.intake.workbook_reader import read_workbook
from tests.support.order_files import DIGITS, saved
from tests.unit.intake.xlsx_bombs import SHEET, sheet_of, workbook_with


def listed(text: str) -> OrderList:
    return orders_from_content(text.encode(), "orders.csv", ReadOptions(portal_name="any", rules=DIGITS))


def numbers(orders: OrderList) -> list[str]:
    return [task.portal_number for task in orders.tasks]


@pytest.mark.parametrize("name", ["Total", "TOTAL:", "Gesamtergebnis", "Grand Total", "Total (3 orders)", "合計"])
def test_a_line_that_is_named_a_total_is_left_out_and_told(name: str) -> None:
    orders = listed(f"PO;Amount\n450001;1\n450002;2\n{name};3,00 EUR\n")

    assert numbers(orders) == ["450001", "450002"]
    assert not any(row.problem for row in orders.rows)
    assert "Row 4 holds a total: not read as an order." in orders.notices


def test_the_sum_of_the_numbers_is_a_question() -> None:
    orders = listed("PO;Amount\n450001;1\n450002;2\n900003;3\n")

    assert numbers(orders) == ["450001", "450002"]
    assert "900003 is the sum of the numbers above it" in orders.rows[2].detail


def test_sums_of_groups_are_questions_too() -> None:
    orders = listed("PO;A\n450001;1\n450002;2\n900003;3\n450004;4\n450005;5\n900009;9\n")

    assert numbers(orders) == ["450001", "450002", "450004", "450005"]


def test_numbers_that_follow_one_another_are_no_sums() -> None:
    def read(*values: int) -> list[int]:
        return [int(number) for number in numbers(listed("\n".join(["PO", *(f"{value:06}" for value in values)])))]

    assert read(1, 2, 3, 4) == [1, 2, 3, 4]
    assert read(1, 3, 4) == [1, 3, 4]
    assert read(1, 3, 4, 8) == [1, 3, 4], "a sum that does not follow is a question"
    assert read(1, 3, 9, 4) == [1, 3, 9, 4]
    assert read(4, 1, 5) == [4, 1]


def test_a_supplier_called_total_keeps_his_orders() -> None:
    orders = listed("PO;Supplier\n450001;Total\n450002;Total\n")

    assert numbers(orders) == ["450001", "450002"]
    assert orders.notices == ()


def test_a_number_of_another_length_in_a_line_named_total_is_a_question() -> None:
    orders = listed("PO;Supplier\n450001;Acme\n450002;Bolt\n9000031;Total\n")

    assert numbers(orders) == ["450001", "450002"]
    assert "labelled as a total" in orders.rows[2].detail


def test_drawn_lines_and_repeated_headers_are_left_out_and_told() -> None:
    orders = listed("PO;A\n------;---\n450001;1\n PO ;A\n450002;2\n======;\n")

    assert numbers(orders) == ["450001", "450002"]
    assert orders.notices == (
        "Rows 2, 6 hold a drawn line: not read as orders.",
        "Row 4 holds the header again: not read as orders.",
    )


def test_numbers_of_different_kinds_are_told_with_their_rows() -> None:
    (notice,) = listed("PO;A\n450001;1\n450002;2\n45000003;3\n").notices

    assert notice.startswith(
        "The order numbers are of different kinds: 2 of 6 digits, 1 of 8 digits (row 4); check that"
    )
    assert not listed("PO;A\n450001;1\n450002;2\n").notices


def test_a_merged_number_stands_in_all_rows_that_it_reaches_over() -> None:
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    for row in (["PO", "Line"], ["450001", 1], [None, 2], ["450002", 1], [None, 2], [None, None]):
        sheet.append(row)
    sheet.merge_cells("A2:A3")
    sheet.merge_cells("A4:A6")
    grid = read_workbook(saved(workbook), "orders.xlsx")

    assert [row.cells[0] for row in grid.rows] == ["PO", "450001", "450001", "450002", "450002"]
    assert grid.notices == ("Merged cells of orders.xlsx were read in rows 3, 5 too.",)


def test_the_totals_of_a_table_leave_what_stands_beside_it() -> None:
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    for row in (["PO", "n", None, "Note"], [450001, 1, None, "a"], [900003, 3, None, "b"]):
        sheet.append(row)
    table = Table(displayName="Orders", ref="A1:B3")
    table.totalsRowCount = 1
    sheet.add_table(table)
    grid = read_workbook(saved(workbook), "orders.xlsx")

    assert grid.rows[2].cells == ("", "", "", "b")
    assert "total of table 'Orders' is in row 3" in grid.notices[0]


def test_hidden_columns_are_told_where_they_hold_anything() -> None:
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    sheet.append(["PO", "Old"])
    sheet.append(["450001", "x"])
    sheet.column_dimensions["B"].hidden = True
    sheet.column_dimensions["F"].hidden = True

    assert read_workbook(saved(workbook), "orders.xlsx").notices == ("Hidden columns of orders.xlsx were read too: B.",)


@pytest.mark.parametrize("row", ["<row r='2' hidden='1'>", "<row r='2' ht='0' customHeight='1'>"])
def test_rows_without_height_are_hidden(row: str) -> None:
    book = workbook_with(
        {SHEET: sheet_of([b"<row r='1'><c><v>1</v></c></row>", f"{row}<c><v>2</v></c></row>".encode()])}
    )

    assert "Row 2 of orders.xlsx is hidden in the sheet" in read_workbook(book, "orders.xlsx").notices[0]


@pytest.mark.parametrize(
    ("cell", "text", "doubt"),
    [
        ("<c><f>A1</f></c>", "", "value was not saved"),
        ("<c t='str'><f>A1</f></c>", "", "value was not saved"),
        ("<c t='str'><f>A1</f><v></v></c>", "", ""),
        ("<c><f>A1</f><v>0</v></c>", "0", "value 0, which programs save that do not calculate"),
        ("<c><f>A1+1</f><v>450001</v></c>", "450001", ""),
        ("<c><f>SUM(A1+1)</f><v>450001</v></c>", "450001", ""),
        ("<c><f>SUM(A1:A3)</f><v>450001</v></c>", "450001", "(=SUM): it is a total"),
        ("<c><f>_xlfn.AGGREGATE(9,5,T[PO])</f><v>450001</v></c>", "450001", "(=AGGREGATE): it is a total"),
        ("<c t='e'><v>#N/A</v></c>", "#N/A", "the error #N/A"),
        ("<c t='d'><v>2024-05-01T00:00:00</v></c>", "2024-05-01", "shows a date"),
        ("<c><v>PO450001</v></c>", "PO450001", ""),
        ("<c t='str'><v>a_x000D_b_x005F_</v></c>", "a\rb_", ""),
        ("<c s='99'><v>450001</v></c>", "450001", ""),
    ],
)
def test_a_cell_says_what_makes_it_doubtful(cell: str, text: str, doubt: str) -> None:
    book = workbook_with({SHEET: sheet_of([f"<row><c t='str'><v>x</v></c>{cell}</row>".encode()])})
    (row,) = read_workbook(book, "orders.xlsx").rows

    assert row.cells[1] == text
    assert doubt in row.doubts.get(1, "")
    assert bool(doubt) == (1 in row.doubts)


def test_a_style_that_is_missing_is_told() -> None:
    book = workbook_with({SHEET: sheet_of([b"<row><c s='99'><v>450001</v></c></row>"])})

    assert any("Number formats are missing" in notice for notice in read_workbook(book, "orders.xlsx").notices)


def test_two_values_at_one_place_keep_the_first_and_rows_count_on() -> None:
    rows = [b"<row r='1'><c r='A1'><v>1</v></c></row>", b"<row r='1'><c r='A1'><v>2</v></c></row>"]
    grid = read_workbook(workbook_with({SHEET: sheet_of(rows)}), "orders.xlsx")

    assert [(row.row_no, row.cells) for row in grid.rows] == [(1, ("1",)), (2, ("2",))]
    assert "restart or repeat" in grid.notices[0]
