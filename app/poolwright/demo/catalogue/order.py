"""The words of the catalogue: an order, its lines, its attachments, and how the portal hands them out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from poolwright.demo.documents import DocumentKind


class OrderAnswer(StrEnum):
    """How the portal answers a logged-in user who opens the order; the number is the HTTP status."""

    SHOWN = "shown"
    MISSING_404 = "missing_404"
    MISSING_200 = "missing_200"
    FORBIDDEN_403 = "forbidden_403"
    FORBIDDEN_200 = "forbidden_200"


class LinkForm(StrEnum):
    """How the page offers the file."""

    #: ``a[href]`` to ``/attachment/{id}/download``.
    ANCHOR = "anchor"
    #: ``a[download]`` to ``/documents/{id}``, an address without any telling word.
    DOWNLOAD_ANCHOR = "download_anchor"
    #: ``span[data-url]`` without href.
    DATA_URL = "data_url"
    #: ``a[href]`` inside an iframe of the same origin.
    FRAME = "frame"
    #: A button without any address; its script builds one, with a ticket, when it is clicked.
    CLICK = "click"


class Naming(StrEnum):
    """What the response says about the name of the file."""

    #: ``attachment; filename="..."``, ASCII with escaped quotes.
    QUOTED = "quoted"
    #: ``attachment`` with an ASCII ``filename`` and the true one in ``filename*``.
    EXTENDED = "extended"
    #: ``attachment; filename="..."`` with the bytes of UTF-8 as they are.
    RAW_UTF8 = "raw_utf8"
    #: ``attachment`` and no name.
    NAMELESS = "nameless"
    #: ``inline`` with a name in ``filename*``.
    INLINE = "inline"
    #: No such header at all.
    BARE = "bare"


class Defect(StrEnum):
    """What is wrong with a listed file that no downloader can save as it should be."""

    #: The download answers 404, always.
    MISSING = "missing"
    #: The transfer breaks off in the middle, always.
    TRUNCATED = "truncated"
    #: Zero bytes arrive, properly.
    EMPTY = "empty"
    #: A web page arrives under the name of another kind.
    DISGUISED = "disguised"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """One file that an order page lists."""

    attachment_id: int
    order_number: str
    #: As the portal means it, with whatever letters it has.
    name: str
    kind: DocumentKind
    size_bytes: int
    link_form: LinkForm
    naming: Naming
    #: Without Content-Length.
    is_chunked: bool
    defect: Defect | None

    @property
    def needs_ticket(self) -> bool:
        """Whether its address works only with the ticket that the page's script adds."""
        return self.link_form is LinkForm.CLICK


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplier:
    """Who delivers. Pages show the name with the supplier's number behind it for some of them."""

    name: str
    shown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """One position; the price is in hundredths of the order's currency."""

    goods: str
    quantity: int
    price_cents: int
    commodity: str
    account: str

    @property
    def total_cents(self) -> int:
        """Quantity times price."""
        return self.quantity * self.price_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One purchase order, whether the user may see it or not."""

    number: str
    answer: OrderAnswer
    #: Whether it belongs to the portal's list; odd orders don't.
    is_listed: bool
    supplier: Supplier
    company_code: str
    company: str
    status: str
    requester: str
    department: str
    payment_term: str
    ordered_on: date
    currency: str
    lines: tuple[OrderLine, ...]
    attachments: tuple[Attachment, ...]

    @property
    def total_cents(self) -> int:
        """The sum of all lines."""
        return sum(line.total_cents for line in self.lines)
