"""Long lists are read as short ones are, without all of their rows as objects in memory."""

from __future__ import annotations

import tracemalloc

import pytest

from poolwright.domain import packed_list
from poolwright.domain.packed_list import PackedList
from poolwright.domain.tasks import OrderList
from poolwright.intake.orders import ReadOptions, orders_from_content
from poolwright.portal import pack as packs

RULES = packs.load("coupa").numbers
LISTS = {
    "repeats and invalid numbers": "PO;Buyer\n4500000001;A\n4500000001;B\nx;C\n;D\n4500000002;E\nPO4500000001;F\n",
    "titles and repeated headers": "Orders\n\nPO;Amount\n4500000001;1\nPO;Amount\n4500000002;2\nTotal;3\n",
    "ruled lines": "PO | Buyer\n---|---\n4500000001 | A\n4500000002 | B\n4500000003 | C\n",
    "subtotals": "PO,Amount\n4500000001,1\n4500000001,2\n4500000001 Total,3\n4500000002,4\n4500000002 Total,4\n",
    "another table": "PO,Buyer\n4500000001,A\n4500000002,B\nInvoice Number,Supplier\n4500000003,C\n",
    "short and long rows": "PO,Buyer\n4500000001\n4500000002,B,more\n4500000003,C\n",
    "broken quotes": 'PO,Buyer\n4500000001,"A\n4500000002,B\n4500000003,"C"\n4500000004,D\n',
    "header among the rows": "4500000003,A\nPO Number,Buyer\n4500000001,B\n4500000002,C\n",
    "kinds of numbers": "PO\n4500000001\n450000\n4500001\n45000002\n450000003\n4500000002\n",
    "unread column": "PO,Buyer,PO\n4500000001,A,4500000009\n4500000002,B,4500000001\n",
    "fixed width": "PO          Buyer\n4500000001  Adam Smith\n4500000002  Eve\n4500000003  Zoe\n",
    "tags": "\\P\\,PO Number\n\\D\\,the number\n\\R\\,4500000001\n\\R\\,4500000002\n",
    "no header": "4500000001\n4500000002\n4500000001\n",
}


def read(text: str) -> OrderList:
    return orders_from_content(text.encode(), "list.csv", ReadOptions(portal_name="any", rules=RULES, column=None))


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("chunk", [1, 2, 3])
def test_a_packed_list_is_read_as_it_is_otherwise(monkeypatch: pytest.MonkeyPatch, name: str, chunk: int) -> None:
    plain = read(LISTS[name])

    monkeypatch.setattr(packed_list, "CHUNK_ITEMS", chunk)

    packed = read(LISTS[name])
    assert isinstance(packed.rows, PackedList)
    assert packed == plain


def peak_of(row_count: int) -> int:
    text = "PO,Buyer,Company\n" + "".join(f"{4500000000 + number},B{number % 9},C1\n" for number in range(row_count))
    tracemalloc.start()
    try:
        assert len(read(text).tasks) == row_count
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.timeout(120)
def test_a_row_needs_little_more_memory_than_its_text() -> None:
    """A million rows of this list are 24 MB, and fit into 300 MB with the program."""
    short, long = peak_of(3_000), peak_of(8_000)

    assert (long - short) / 5_000 < 250
