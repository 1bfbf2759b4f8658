"""Law: whatever a list holds, each of its rows is an order, INVALID, or counted among those that were left out."""

from __future__ import annotations

import contextlib
import csv
import io
import re
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from poolwright.domain.tasks import OrderList
from poolwright.intake import grid
from poolwright.intake.errors import InputRefusedError
from poolwright.intake.orders import ReadOptions, orders_from_content
from tests.support.order_files import xlsx
from tests.support.pace import UNHURRIED
from tests.unit.intake.raw_books import RULES

#: What stands in number columns, and what should not.
NUMBERS = st.one_of(
    st.integers(min_value=4500010000, max_value=4500010009).map(str),
    st.integers(min_value=100000, max_value=999999999).map("PO{}".format),
    st.sampled_from(
        [
            "4500010001 4500010002", "4500010001\n4500010002", "4500010001-10", "4.5E+09", "2024-05-01", "Total", "",
            "Grand Total", "4500010001 Total", "-----", "=====", "PO Number", "Invoice Number", "Supplier", "n/a", "PO",
            "9000020003", "4500010001²", "45OOO10001", "\u200b4500010001", "(3 rows)", "Page 1 of 2", '"', 'x"y', "'",
            "#REF!", "0", " ", "Open orders",
        ]
    ),
    st.text(max_size=12),
)  # fmt: skip
OTHERS = st.sampled_from(["Acme", "", "Total", "10,00", "x;y", "Supplier", "---", 'Acme "The"', "1\n2", "2024-05-01"])
ROWS = st.lists(st.tuples(NUMBERS, OTHERS, OTHERS), min_size=1, max_size=25)
LEFT_OUT = re.compile(r"Rows? ([\d, ]+?) (?:(?:holds?|begins?) (?:a|the|hold|drawn|totals|other)|continues the header)")
ABOVE = re.compile(r"Rows? (\d+)(?: to (\d+))? (?:is|are) above the table")
TAKEN = re.compile(r"Row (\d+) was taken as the header")


def read(content: bytes, name: str) -> OrderList:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grid, "SHOWN_ROWS", 1000)  # sentences name all rows, and not "2, 3 and 4 more"
        return orders_from_content(content, name, ReadOptions(portal_name="any", rules=RULES, column="#1"))


def left_out(orders: OrderList) -> set[int]:
    """The rows that the notices tell as left out."""
    told: set[int] = set()
    for notice in orders.notices:
        told.update(int(row_no) for named in LEFT_OUT.findall(notice) for row_no in named.split(","))
        for first, last in ABOVE.findall(notice):
            told.update(range(int(first), int(last or first) + 1))
    return told


def check(orders: OrderList, filled: Sequence[int]) -> None:
    numbers = [row.row_no for row in orders.rows]
    rest = set(filled) - left_out(orders) - set(numbers)
    has_header = orders.columns[0] != "#1"

    assert len(set(numbers)) == len(numbers)
    assert set(numbers) <= set(filled) - left_out(orders)
    assert len(rest) == has_header, orders.notices
    assert all((row.task_id is None) == (row.problem is not None) for row in orders.rows)


@UNHURRIED
@given(rows=ROWS, has_header=st.booleans())
@example(rows=[("PO", "Acme", "Acme"), ("4500010001", "Acme", "")], has_header=True)
def test_every_row_of_a_workbook_is_accounted_for_once(rows: list[tuple[str, str, str]], has_header: bool) -> None:
    table = [("PO Number", "Supplier", "Amount")] * has_header + [
        tuple(re.sub(r"[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff\r]", "", cell) for cell in row) for row in rows
    ]
    with contextlib.suppress(InputRefusedError):
        orders = read(xlsx({"Orders": [[cell or None for cell in row] for row in table]}), "orders.xlsx")
        check(orders, [row_no for row_no, row in enumerate(table, start=1) if any(cell.strip() for cell in row)])


@UNHURRIED
@given(rows=ROWS, delimiter=st.sampled_from(",;\t|"))
@example(
    rows=[("PO", "Acme", ""), ("-----", "---", "---"), ("PO", "Acme", "Acme"), ("4500010001", "Acme", "")],
    delimiter=",",
)
def test_every_row_of_a_text_is_accounted_for_once(rows: list[tuple[str, str, str]], delimiter: str) -> None:
    file = io.StringIO(newline="")
    plain = [tuple(re.sub(r"[\x00\x1a\r\ufeff]|[\ud800-\udfff]", "", cell) for cell in row) for row in rows]
    writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([("PO Number", "Supplier", "Amount"), *plain])
    with contextlib.suppress(InputRefusedError):
        orders = read(file.getvalue().encode(), "orders.csv")
        table = [("PO Number",), *plain]
        if any("Unpaired quotation marks" in notice or "fixed width" in notice for notice in orders.notices):
            return
        check(orders, [row_no for row_no, row in enumerate(table, start=1) if any(cell.strip() for cell in row)])
