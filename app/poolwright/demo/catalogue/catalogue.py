"""The catalogue of all demo orders, computed from their numbers, and the order lists that users would bring.

Numbers increase with gaps, as in a real portal. Nothing is stored, so thousands of orders cost no more than forty.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from poolwright.demo.catalogue import seeded_random
from poolwright.demo.catalogue.cases import BLOCK_SIZE, ODD_CASES, FilePlan, OrderCase, block_cases
from poolwright.demo.catalogue.order import Attachment, LinkForm, Naming, Order, OrderLine, Supplier
from poolwright.demo.catalogue.seeded_random import SeededRandom
from poolwright.demo.documents import MAXIMUM_BYTES, MINIMUM_BYTES, DocumentKind

_FIRST_NUMBER = 15_800_000
_STRIDE = 37
_FIRST_DAY = date(2025, 1, 2)
_FILES_PER_ORDER = 10
_DRAWN_FILES_MAX = 6
#: Upper end of drawn sizes on the logarithmic scale from smallest to largest; only ``EXTREMES`` is larger.
_REACH = 0.9
#: A higher value makes more files small: 1.2 gives a median of 28 KB and an average of 240 KB.
_SKEW = 1.2
_COMMON_FORMS = (LinkForm.ANCHOR, LinkForm.ANCHOR, LinkForm.DOWNLOAD_ANCHOR, LinkForm.DATA_URL)
_COMMON_NAMINGS = (Naming.EXTENDED, Naming.EXTENDED, Naming.QUOTED, Naming.RAW_UTF8)
_COMMON_KINDS = (*[DocumentKind.PDF] * 5, *DocumentKind)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All orders of one portal: ``order_count`` listed orders and the odd orders."""

    seed: int
    order_count: int

    def listed_numbers(self) -> list[str]:
        """Return the numbers of the list in increasing order."""
        return [self._number_at(index) for index in range(self.order_count)]

    def odd_numbers(self) -> list[str]:
        """Return the numbers of the orders outside the list."""
        return list(ODD_CASES)

    def first_orders(self, count: int) -> list[Order]:
        """Return the first orders of the list."""
        listed = (self.order(self._number_at(index)) for index in range(min(count, self.order_count)))
        return [order for order in listed if order is not None]

    def order(self, number: str) -> Order | None:
        """Return the order of this number, or ``None``."""
        case = ODD_CASES.get(number)
        if case is not None:
            return _build(self.seed, number, case, is_listed=False)
        index = self._index_of(number)
        if index is None:
            return None
        case = block_cases(self.seed, index // BLOCK_SIZE)[index % BLOCK_SIZE]
        return _build(self.seed, number, case, is_listed=True)

    def attachment(self, attachment_id: int) -> Attachment | None:
        """Return the attachment of this id, or ``None``."""
        number, slot = divmod(attachment_id, _FILES_PER_ORDER)
        order = self.order(str(number))
        if order is None or slot >= len(order.attachments):
            return None
        return order.attachments[slot]

    def _number_at(self, index: int) -> str:
        return str(_FIRST_NUMBER + index * _STRIDE + SeededRandom(self.seed, "number").randbelow(_STRIDE, index))

    def _index_of(self, number: str) -> int | None:
        if not (number.isascii() and number.isdecimal()):
            return None
        index = (int(number) - _FIRST_NUMBER) // _STRIDE
        exists = 0 <= index < self.order_count and self._number_at(index) == number
        return index if exists else None


@functools.lru_cache(maxsize=4096)
def _build(seed: int, number: str, case: OrderCase, *, is_listed: bool) -> Order:
    random = SeededRandom(seed, "order", number)
    company_code, company = random.choice(seeded_random.COMPANIES, "company")
    return Order(
        number=number,
        answer=case.answer,
        is_listed=is_listed,
        supplier=_supplier(random),
        company_code=company_code,
        company=company,
        status=random.choice(seeded_random.STATUSES, "status"),
        requester=random.choice(seeded_random.REQUESTERS, "requester"),
        department=random.choice(seeded_random.DEPARTMENTS, "department"),
        payment_term=random.choice(seeded_random.PAYMENT_TERMS, "payment term"),
        ordered_on=_FIRST_DAY + timedelta(days=random.randbelow(600, "day")),
        currency=random.choice(seeded_random.CURRENCIES, "currency"),
        lines=tuple(_line(random.child("line", line_no)) for line_no in range(2 + random.randbelow(9, "lines"))),
        attachments=_attachments(random, number, case),
    )


def _supplier(random: SeededRandom) -> Supplier:
    name = random.choice(seeded_random.SUPPLIERS, "supplier")
    account = 100_000 + seeded_random.SUPPLIERS.index(name) * 137
    has_suffix = random.fraction("supplier suffix") < 1 / 3
    return Supplier(name=name, shown=f"{name} ({account})" if has_suffix else name)


def _line(random: SeededRandom) -> OrderLine:
    index = random.randbelow(len(seeded_random.GOODS), "goods")
    return OrderLine(
        goods=seeded_random.GOODS[index],
        quantity=1 + random.randbelow(40, "quantity"),
        price_cents=150 + random.randbelow(90_000, "price"),
        commodity=seeded_random.COMMODITIES[index % len(seeded_random.COMMODITIES)],
        account=f"{4000 + random.randbelow(900, 'account')}-CC{100 + random.randbelow(80, 'cost centre')}",
    )


def _attachments(random: SeededRandom, number: str, case: OrderCase) -> tuple[Attachment, ...]:
    plans = case.files
    if plans is None:
        plans = (FilePlan(),) * (1 + random.randbelow(_DRAWN_FILES_MAX, "files"))
    stems = random.shuffled(seeded_random.FILE_STEMS, "stems")
    form = random.choice(_COMMON_FORMS, "link form")
    files: list[Attachment] = []
    for slot, plan in enumerate(plans):
        drawn = random.child("file", slot)
        kind = plan.kind or drawn.choice(_COMMON_KINDS, "kind")
        name = plan.name if plan.name is not None else f"{stems[slot].format(number=number)}.{kind}"
        chunked = plan.is_chunked if plan.is_chunked is not None else drawn.fraction("chunked") < 1 / 8
        attachment = Attachment(
            attachment_id=int(number) * _FILES_PER_ORDER + slot,
            order_number=number,
            name=name,
            kind=kind,
            size_bytes=plan.size_bytes or _size_bytes(drawn, kind),
            link_form=plan.link_form or form,
            naming=plan.naming or _naming(drawn, name),
            is_chunked=chunked and plan.defect is None,
            defect=plan.defect,
        )
        files.append(attachment)
    return tuple(files)


def _size_bytes(random: SeededRandom, kind: DocumentKind) -> int:
    """Draw a size on a logarithmic scale: small files are common, large ones rare."""
    span = MAXIMUM_BYTES / MINIMUM_BYTES
    return max(kind.minimum_bytes, int(MINIMUM_BYTES * span ** (_REACH * random.fraction("size") ** _SKEW)))


def _naming(random: SeededRandom, name: str) -> Naming:
    naming = random.choice(_COMMON_NAMINGS, "naming")
    return Naming.EXTENDED if naming is Naming.QUOTED and not name.isascii() else naming


INVALID_NUMBER = "PO12AB"
"""An invalid number that every messy list contains."""

_NUMBER_FORMATS = ("{}", "PO{}", " {} ", "PO {}", "po{}", "\N{NO-BREAK SPACE}{}", "PM{}")


class Columns(NamedTuple):
    """The column names of the lists."""

    number: str = "PO_NUMBER"
    supplier: str = "Supplier"
    company: str = "Company"
    year: str = "Year"
    comment: str = "Comment"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedOrder:
    """One row of a list, every cell as text."""

    number: str
    supplier: str
    company: str
    year: str
    comment: str


def clean_list(catalogue: Catalogue, count: int) -> list[ListedOrder]:
    """Return the first ``count`` listed orders, each once, with their numbers as in the portal."""
    return [_row(order, order.number) for order in catalogue.first_orders(count)]


def messy_list(catalogue: Catalogue, count: int) -> list[ListedOrder]:
    """Return the same orders with prefixes and blanks, then the first order again, then an invalid number."""
    orders = catalogue.first_orders(count)
    rows = [
        _row(order, _NUMBER_FORMATS[index % len(_NUMBER_FORMATS)].format(order.number))
        for index, order in enumerate(orders)
    ]
    repeated = [_row(order, f"PO{order.number}") for order in orders[:1]]
    invalid = ListedOrder(number=INVALID_NUMBER, supplier="", company="", year="", comment="number to be checked")
    return [*rows, *repeated, invalid]


def _row(order: Order, written: str) -> ListedOrder:
    return ListedOrder(
        number=written,
        supplier=order.supplier.name,
        company=order.company_code,
        year=str(order.ordered_on.year),
        comment=f"requested by {order.requester}",
    )
