"""From a number to its order: arithmetic finds its place in the list, named draws fill in the rest.

Numbers rise with gaps, as a portal's do. Nothing is stored, so a list of thousands costs no more than one of forty.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import date, timedelta

from poolwright.demo.catalogue import words
from poolwright.demo.catalogue.cases import BLOCK_SIZE, ODD_CASES, Case, FilePlan, block_cases
from poolwright.demo.catalogue.order import Attachment, LinkForm, Naming, Order, OrderLine, Supplier
from poolwright.demo.dice import Dice
from poolwright.demo.documents import MAXIMUM_BYTES, MINIMUM_BYTES, DocumentKind

_FIRST_NUMBER = 15_800_000
_STRIDE = 37
_FIRST_DAY = date(2025, 1, 2)
_FILES_PER_ORDER = 10
_DRAWN_FILES_MAX = 6
#: Drawn files reach up to this part of the scale from the smallest to the largest; only the extremes go on to its end.
_REACH = 0.9
#: The higher, the more of them are small: 1.2 gives 28 KB at the middle and 240 KB on average.
_SKEW = 1.2
_COMMON_FORMS = (LinkForm.ANCHOR, LinkForm.ANCHOR, LinkForm.DOWNLOAD_ANCHOR, LinkForm.DATA_URL)
_COMMON_NAMINGS = (Naming.EXTENDED, Naming.EXTENDED, Naming.QUOTED, Naming.RAW_UTF8)
_COMMON_KINDS = (*[DocumentKind.PDF] * 5, *DocumentKind)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All orders of one portal: ``order_count`` listed ones and the odd ones."""

    seed: int
    order_count: int

    def listed_numbers(self) -> list[str]:
        """The numbers of the list, rising."""
        return [self._number_at(index) for index in range(self.order_count)]

    def odd_numbers(self) -> list[str]:
        """The numbers of the orders outside the list."""
        return list(ODD_CASES)

    def first_orders(self, count: int) -> list[Order]:
        """The first orders of the list."""
        listed = (self.order(self._number_at(index)) for index in range(min(count, self.order_count)))
        return [order for order in listed if order is not None]

    def order(self, number: str) -> Order | None:
        """The order of that number; nothing when the portal never heard of it."""
        case = ODD_CASES.get(number)
        if case is not None:
            return _build(self.seed, number, case, is_listed=False)
        index = self._index_of(number)
        if index is None:
            return None
        case = block_cases(self.seed, index // BLOCK_SIZE)[index % BLOCK_SIZE]
        return _build(self.seed, number, case, is_listed=True)

    def attachment(self, attachment_id: int) -> Attachment | None:
        """The attachment of that id; nothing when no order lists it."""
        number, slot = divmod(attachment_id, _FILES_PER_ORDER)
        order = self.order(str(number))
        if order is None or slot >= len(order.attachments):
            return None
        return order.attachments[slot]

    def _number_at(self, index: int) -> str:
        return str(_FIRST_NUMBER + index * _STRIDE + Dice(self.seed, "number").below(_STRIDE, index))

    def _index_of(self, number: str) -> int | None:
        if not (number.isascii() and number.isdecimal()):
            return None
        index = (int(number) - _FIRST_NUMBER) // _STRIDE
        is_known = 0 <= index < self.order_count and self._number_at(index) == number
        return index if is_known else None


@functools.lru_cache(maxsize=4096)
def _build(seed: int, number: str, case: Case, *, is_listed: bool) -> Order:
    dice = Dice(seed, "order", number)
    company_code, company = dice.pick(words.COMPANIES, "company")
    return Order(
        number=number,
        answer=case.answer,
        is_listed=is_listed,
        supplier=_supplier(dice),
        company_code=company_code,
        company=company,
        status=dice.pick(words.STATUSES, "status"),
        requester=dice.pick(words.REQUESTERS, "requester"),
        department=dice.pick(words.DEPARTMENTS, "department"),
        payment_term=dice.pick(words.PAYMENT_TERMS, "payment term"),
        ordered_on=_FIRST_DAY + timedelta(days=dice.below(600, "day")),
        currency=dice.pick(words.CURRENCIES, "currency"),
        lines=tuple(_line(dice.under("line", place)) for place in range(2 + dice.below(9, "lines"))),
        attachments=_attachments(dice, number, case),
    )


def _supplier(dice: Dice) -> Supplier:
    name = dice.pick(words.SUPPLIERS, "supplier")
    account = 100_000 + words.SUPPLIERS.index(name) * 137
    has_suffix = dice.fraction("supplier suffix") < 1 / 3
    return Supplier(name=name, shown=f"{name} ({account})" if has_suffix else name)


def _line(dice: Dice) -> OrderLine:
    place = dice.below(len(words.GOODS), "goods")
    return OrderLine(
        goods=words.GOODS[place],
        quantity=1 + dice.below(40, "quantity"),
        price_cents=150 + dice.below(90_000, "price"),
        commodity=words.COMMODITIES[place % len(words.COMMODITIES)],
        account=f"{4000 + dice.below(900, 'account')}-CC{100 + dice.below(80, 'cost centre')}",
    )


def _attachments(dice: Dice, number: str, case: Case) -> tuple[Attachment, ...]:
    plans = case.files
    if plans is None:
        plans = (FilePlan(),) * (1 + dice.below(_DRAWN_FILES_MAX, "files"))
    stems = dice.shuffled(words.FILE_STEMS, "stems")
    form = dice.pick(_COMMON_FORMS, "link form")
    files: list[Attachment] = []
    for slot, plan in enumerate(plans):
        drawn = dice.under("file", slot)
        kind = plan.kind or drawn.pick(_COMMON_KINDS, "kind")
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


def _size_bytes(dice: Dice, kind: DocumentKind) -> int:
    """Small files are common, large ones rare; the scale is logarithmic."""
    span = MAXIMUM_BYTES / MINIMUM_BYTES
    return max(kind.minimum_bytes, int(MINIMUM_BYTES * span ** (_REACH * dice.fraction("size") ** _SKEW)))


def _naming(dice: Dice, name: str) -> Naming:
    naming = dice.pick(_COMMON_NAMINGS, "naming")
    return Naming.EXTENDED if naming is Naming.QUOTED and not name.isascii() else naming
