"""Text lists of other programs: no row is swallowed by a quote mark, and what is odd about a file is told."""

from __future__ import annotations

import pytest

from tests.unit.intake.raw_books import A, B, C, read

HEAD = "PO Number,Supplier,Amount\n"


@pytest.mark.parametrize(
    "text",
    [
        f'{HEAD}{A},"Acme,1\n{B},Bolt",2\n{C},Cork,3\n',
        f'PO Number,Supplier\n{A},"Acme\n{B},Bolt"\n{C},Cork\n',
        f'Supplier,PO Number\n"Acme,{A}\nBolt",{B}\nCork,{C}\n',
        f'{HEAD}{A},"Acme,1\n{B},Bolt,2\n{C},"Cork,3\n',
    ],
)
def test_a_quote_mark_without_partner_swallows_no_row(text: str) -> None:
    orders, invalid, said = read(text, "orders.csv")

    assert (orders, invalid) == ([A, B, C], [])
    assert "Unpaired quotation marks in row" in said


@pytest.mark.parametrize(
    "address", ["1 Main Street, Suite 2\n12345 Town, Utah", "Tel. 030 123456, x\nFax 030 654321, y"]
)
def test_an_address_of_several_lines_stays_one_cell(address: str) -> None:
    assert read(f'{HEAD}{A},"{address}",1\n{B},Bolt,2\n', "orders.csv") == ([A, B], [], "")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"`PO Number`,`Supplier`\n`{A}`,`Acme, Inc`\n`{B}`,`b`\n", ""),
        (f'"PO Number,Supplier"\n"{A},Acme"\n"{B},""B, Ltd"""\n', "quotation marks as a whole"),
        (f"PO_NUMBER  SUPPLIER\n---------- --------\n{A} Acme\n{B} Bolt Ltd\n", "fixed width"),
        (f"{HEAD}{A},a,1\n\ufeffPO Number,Supplier,Amount\n{B},b,2\n", "Row 3 holds the header again"),
        (f"PO Number,Supplier\n{A},a\n{B},b\nPO Number,Vendor\n", "Row 4 holds the header again"),
        (f"{HEAD}{A},a,1\n{B},b,2\n" + "\0" * 600, "ends in zero bytes"),
        (f"{HEAD}{A},a,1\n{B}", "may be cut off"),
        (f"\ufeff\ufeffPO Number,x\n{A},a\n{B},b\n", ""),
    ],
)
def test_what_programs_make_of_a_list_is_read(text: str, told: str) -> None:
    orders, invalid, said = read(text, "orders.csv")

    assert (orders, invalid) == ([A, B], [])
    assert told in said


@pytest.mark.parametrize("mark", ["{})", "({})", "{}."])
def test_the_first_line_of_a_numbered_list_is_an_order(mark: str) -> None:
    text = "".join(f"{mark.format(place)} {number}\n" for place, number in enumerate((A, B, C), 1))

    assert read(text, "list.txt") == ([A, B, C], [], "")
