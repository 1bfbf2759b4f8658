"""The cases that orders of the demo portal show.

Each forty listed orders show one block of cases, in an order that depends on the seed. So every list contains every
kind of problem in the same proportion. The odd orders are not listed and have their own numbers; some of their files
cannot be downloaded completely.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from poolwright.demo.catalogue.order import Defect, LinkForm, Naming, OrderAnswer
from poolwright.demo.catalogue.seeded_random import SeededRandom
from poolwright.demo.documents import MAXIMUM_BYTES, MINIMUM_BYTES, DocumentKind

PDF, XLSX, MSG, ZIP, HTML = DocumentKind


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePlan:
    """One planned attachment; fields that are ``None`` are drawn."""

    name: str | None = None
    kind: DocumentKind | None = None
    size_bytes: int | None = None
    link_form: LinkForm | None = None
    naming: Naming | None = None
    is_chunked: bool | None = None
    defect: Defect | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCase:
    """The case that one order shows."""

    answer: OrderAnswer = OrderAnswer.SHOWN
    #: Its files; ``None`` for one to six drawn files.
    files: tuple[FilePlan, ...] | None = None


def _named(*names: str) -> OrderCase:
    """Return a case with files of these names, whose extensions, without trailing dots and blanks, are their kinds."""
    endings = [name.rstrip(". ").rpartition(".")[2].lower() for name in names]
    return OrderCase(files=tuple(FilePlan(name=n, kind=DocumentKind(e)) for n, e in zip(names, endings, strict=True)))


ORDINARY = OrderCase()
NO_FILES = OrderCase(files=())
EXTREMES = OrderCase(files=(FilePlan(kind=PDF, size_bytes=MAXIMUM_BYTES), FilePlan(kind=ZIP, size_bytes=MINIMUM_BYTES)))

_LONG_STEM = (
    "Protocol of the acceptance of all parts of the delivery, with remarks of the site manager and photographs "
)

LINK_CASES = (
    OrderCase(files=(FilePlan(link_form=LinkForm.FRAME), FilePlan(link_form=LinkForm.FRAME))),
    OrderCase(files=(FilePlan(link_form=LinkForm.CLICK, naming=Naming.EXTENDED),)),
    OrderCase(files=tuple(FilePlan(link_form=form, naming=Naming.EXTENDED) for form in LinkForm)),
)

NAME_CASES = (
    _named('Offer "final" v2.pdf', "O'Brien's contract.msg", "a;b, c=d.zip", "50% off & <b>bold</b>.html"),
    _named("R\u00e9sum\u00e9.pdf", "Re\u0301sume\u0301.pdf", "Übergrößenträger №7.xlsx", "Цена и срок.zip"),
    _named("Scan.pdf", "Scan.pdf", "scan.PDF"),
    _named(f"{_LONG_STEM * 3}"[:296] + ".pdf", "Ä" * 296 + ".zip"),
    _named("../../x.pdf", "..\\..\\y.pdf", "/etc/z.zip", "C:\\Windows\\w.html"),
    _named("CON.pdf", "nul.zip", "COM1.prices.xlsx"),
    _named("Final offer.pdf...", "Price list.xlsx ", ".hidden.pdf"),
)

RESPONSE_CASES = (
    OrderCase(files=(FilePlan(kind=PDF, naming=Naming.INLINE), FilePlan(kind=PDF, naming=Naming.BARE))),
    OrderCase(files=(FilePlan(naming=Naming.NAMELESS), FilePlan(kind=PDF, naming=Naming.NAMELESS))),
    OrderCase(files=(FilePlan(is_chunked=True), FilePlan(is_chunked=True, naming=Naming.RAW_UTF8))),
    OrderCase(files=tuple(FilePlan(kind=kind) for kind in DocumentKind)),
)

REFUSAL_CASES = (
    *(OrderCase(answer=answer) for answer in OrderAnswer if answer is not OrderAnswer.SHOWN),
    OrderCase(answer=OrderAnswer.MISSING_404),
    OrderCase(files=(FilePlan(), FilePlan(kind=PDF, defect=Defect.MISSING), FilePlan())),
)

_SPECIAL_CASES = (*LINK_CASES, *NAME_CASES, *RESPONSE_CASES, *REFUSAL_CASES, *[NO_FILES] * 5)

BLOCK_SIZE = 40


def _odd(defect: Defect) -> OrderCase:
    return OrderCase(files=(FilePlan(kind=PDF), FilePlan(kind=PDF, size_bytes=200_000, defect=defect)))


ODD_CASES: Mapping[str, OrderCase] = MappingProxyType(
    {
        "90000001": _odd(Defect.TRUNCATED),
        "90000002": _odd(Defect.EMPTY),
        "90000003": _odd(Defect.DISGUISED),
        "90000004": _odd(Defect.MISSING),
        "90000005": OrderCase(files=(FilePlan(defect=Defect.MISSING), FilePlan(defect=Defect.MISSING))),
        "90000006": OrderCase(
            files=tuple(FilePlan(link_form=LinkForm.CLICK, naming=Naming.EXTENDED) for _ in range(6))
        ),
    }
)


@functools.lru_cache(maxsize=256)
def block_cases(seed: int, block: int) -> tuple[OrderCase, ...]:
    """Return the forty cases of one block in drawn order; only the first block has the largest file."""
    first = EXTREMES if block == 0 else ORDINARY
    ordinary = [ORDINARY] * (BLOCK_SIZE - len(_SPECIAL_CASES) - 1)
    return tuple(SeededRandom(seed, "block", block).shuffled((first, *ordinary, *_SPECIAL_CASES)))
