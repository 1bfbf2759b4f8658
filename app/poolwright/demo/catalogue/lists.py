"""The order lists that a user of the portal would bring: a clean one, and one as people really type them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from poolwright.demo.catalogue.order import Order
from poolwright.demo.catalogue.orders import Catalogue

INVALID_NUMBER = "PO12AB"
"""Stands in every messy list; no order can have it."""

_WRITTEN = ("{}", "PO{}", " {} ", "PO {}", "po{}", "\N{NO-BREAK SPACE}{}", "PM{}")


class Columns(NamedTuple):
    """The header of the lists."""

    number: str = "PO_NUMBER"
    supplier: str = "Supplier"
    company: str = "Company"
    year: str = "Year"
    comment: str = "Comment"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedOrder:
    """One row, every cell as text."""

    number: str
    supplier: str
    company: str
    year: str
    comment: str


def clean_list(catalogue: Catalogue, count: int) -> list[ListedOrder]:
    """The first ``count`` listed orders, each once, its number as the portal writes it."""
    return [_row(order, order.number) for order in catalogue.first_orders(count)]


def messy_list(catalogue: Catalogue, count: int) -> list[ListedOrder]:
    """The same orders with prefixes and blanks, then the first one again, then a number that none can have."""
    orders = catalogue.first_orders(count)
    rows = [_row(order, _WRITTEN[place % len(_WRITTEN)].format(order.number)) for place, order in enumerate(orders)]
    again = [_row(order, f"PO{order.number}") for order in orders[:1]]
    wrong = ListedOrder(number=INVALID_NUMBER, supplier="", company="", year="", comment="number to be checked")
    return [*rows, *again, wrong]


def _row(order: Order, written: str) -> ListedOrder:
    return ListedOrder(
        number=written,
        supplier=order.supplier.name,
        company=order.company_code,
        year=str(order.ordered_on.year),
        comment=f"requested by {order.requester}",
    )
