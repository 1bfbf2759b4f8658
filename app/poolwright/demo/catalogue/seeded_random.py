"""Random values derived from a seed and names, and the made-up words to choose from.

A value is a hash of its names, not the next number of a sequence: a further value changes no other value, and values
can be drawn in any order. Not suitable for secrets.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class SeededRandom:
    """Draws values for a name; ``SeededRandom(7, "a")`` and ``SeededRandom(7).child("a")`` draw the same."""

    __slots__ = ("_name",)

    def __init__(self, *names: object) -> None:
        self._name = "/".join(str(name) for name in names)

    def child(self, *names: object) -> SeededRandom:
        """Return a generator for a name below this one."""
        return SeededRandom(self._name, *names)

    def randbelow(self, limit: int, *names: object) -> int:
        """Return an integer from 0 to ``limit - 1``."""
        text = "/".join((self._name, *(str(name) for name in names)))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % limit

    def fraction(self, *names: object) -> float:
        """Return a number from 0 (included) to 1 (excluded)."""
        return self.randbelow(1 << 53, *names) / (1 << 53)

    def choice(self, choices: Sequence[T], *names: object) -> T:
        """Return one of the choices."""
        return choices[self.randbelow(len(choices), *names)]

    def shuffled(self, choices: Sequence[T], *names: object) -> list[T]:
        """Return all choices in a drawn order."""
        ranks = {index: self.fraction(*names, index) for index in range(len(choices))}
        return [choices[index] for index in sorted(ranks, key=ranks.__getitem__)]


SUPPLIERS = (
    "Nordwind Logistik GmbH",
    "Hélios Énergie S.A.",
    "O'Brien & Sons Ltd.",
    "Straßenbau Müller / Köhler KG",
    "Comercial Peñarol S.L.",
    "Blue Heron Supplies Inc.",
    "Łódzkie Zakłady Metalowe",
    "Kansai Parts 関西部品",
    "Tools: Cutting, Milling",
    "Orchid Packaging Pte Ltd",
    "Companhia São Jorge Lda",
    "Granite Office Interiors",
)

COMPANIES = (("1000", "Alder Holding"), ("1100", "Alder Deutschland"), ("2050", "Alder Ibérica"), ("3300", "Alder UK"))

REQUESTERS = ("Ana Souza", "Bjørn Dahl", "Chloé Martin", "David Okafor", "Emi Tanaka", "Frida Lindqvist", "Guy Roche")

DEPARTMENTS = ("Maintenance", "Facilities", "IT", "Production", "Quality", "Logistics")

STATUSES = ("Issued", "Closed", "Soft Closed", "Partially Received")

PAYMENT_TERMS = ("Net 30", "Net 45", "Net 60", "2% 10, Net 30")

CURRENCIES = ("EUR", "EUR", "USD", "GBP", "BRL", "JPY")

GOODS = (
    "Bearing 6204-2RS",
    "Hydraulic hose DN12",
    "Safety gloves, size 9",
    "Copy paper A4, 80 g",
    "Service visit, half day",
    "Laptop dock USB-C",
    "Pallet 1200 x 800",
    "Sensor M12, PNP",
    "Cleaning agent 10 l",
    "Cable gland M20",
)

COMMODITIES = ("31171504", "40142000", "46181504", "14111507", "81141804", "43211602", "24112700", "41111900")

FILE_STEMS = (
    "Invoice {number}",
    "Delivery note {number}",
    "Order confirmation {number}",
    "Quotation rev 2",
    "RE: Your order {number}",
    "Terms & conditions",
    "Goods receipt (signed)",
    "Scan_{number}_001",
    "Certificate of conformity",
    "Lieferschein Größe L",
    "Preisliste für Händler",
    "Facture n° {number}",
    "Orçamento revisão",
    "Счёт {number}",
    "請求書 {number}",
)
