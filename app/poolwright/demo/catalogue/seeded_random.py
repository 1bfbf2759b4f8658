"""Random values derived from a seed and a name, and the made-up words that they choose from.

A draw is a hash of names, never the next number of a stream: asking for one value more shifts no other value, and
nothing needs to be drawn in order. Not for secrets.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class SeededRandom:
    """Draws under one name; ``Dice(7, "supplier")`` and ``Dice(7).under("supplier")`` draw the same."""

    __slots__ = ("_name",)

    def __init__(self, *names: object) -> None:
        self._name = "/".join(str(name) for name in names)

    def child(self, *names: object) -> SeededRandom:
        """Draws of their own below this name."""
        return SeededRandom(self._name, *names)

    def randbelow(self, limit: int, *names: object) -> int:
        """A whole number from 0 to ``limit - 1``."""
        text = "/".join((self._name, *(str(name) for name in names)))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % limit

    def fraction(self, *names: object) -> float:
        """A number from 0 up to, not including, 1."""
        return self.randbelow(1 << 53, *names) / (1 << 53)

    def choice(self, choices: Sequence[T], *names: object) -> T:
        """One of the choices."""
        return choices[self.randbelow(len(choices), *names)]

    def shuffled(self, choices: Sequence[T], *names: object) -> list[T]:
        """All choices in a drawn order."""
        ranks = {place: self.fraction(*names, place) for place in range(len(choices))}
        return [choices[place] for place in sorted(ranks, key=ranks.__getitem__)]


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
