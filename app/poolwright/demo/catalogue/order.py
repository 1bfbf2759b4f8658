"""The records of the catalogue: an order, its lines and attachments, and how the portal serves them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from poolwright.demo.documents import DocumentKind


class OrderAnswer(StrEnum):
    """The portal's response to a logged-in user who opens the order; the number is the HTTP status."""

    SHOWN = "shown"
    MISSING_404 = "missing_404"
    MISSING_200 = "missing_200"
    FORBIDDEN_403 = "forbidden_403"
    FORBIDDEN_200 = "forbidden_200"


class LinkForm(StrEnum):
    """How the order page links to a file."""

    #: ``a[href]`` to ``/attachment/{id}/download``.
    ANCHOR = "anchor"
    #: ``a[download]`` to ``/documents/{id}``, an address that does not contain "attachment".
    DOWNLOAD_ANCHOR = "download_anchor"
    #: ``span[data-url]`` without href.
    DATA_URL = "data_url"
    #: ``a[href]`` inside an iframe of the same origin.
    FRAME = "frame"
    #: A button without an address; on click, its script builds the address with a ticket.
    CLICK = "click"


class Naming(StrEnum):
    """How the response names the file (Content-Disposition)."""

    #: ``attachment; filename="..."``, ASCII with escaped quotes.
    QUOTED = "quoted"
    #: ``attachment`` with an ASCII ``filename`` and the full name in ``filename*``.
    EXTENDED = "extended"
    #: ``attachment; filename="..."`` with unescaped UTF-8 bytes.
    RAW_UTF8 = "raw_utf8"
    #: ``attachment`` without a name.
    NAMELESS = "nameless"
    #: ``inline`` with a name in ``filename*``.
    INLINE = "inline"
    #: No Content-Disposition header.
    BARE = "bare"


class Defect(StrEnum):
    """The defect of a listed file that therefore cannot be saved correctly."""

    #: The download always returns 404.
    MISSING = "missing"
    #: The connection always closes in the middle of the transfer.
    TRUNCATED = "truncated"
    #: The response is complete and has zero bytes.
    EMPTY = "empty"
    #: The content is a web page under the name of another kind.
    DISGUISED = "disguised"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """One file that an order page lists."""

    attachment_id: int
    order_number: str
    #: The name in the portal, with any characters.
    name: str
    kind: DocumentKind
    size_bytes: int
    link_form: LinkForm
    naming: Naming
    #: Whether it is sent without Content-Length.
    is_chunked: bool
    defect: Defect | None

    @property
    def needs_ticket(self) -> bool:
        """Whether its address works only with the ticket that the page's script adds."""
        return self.link_form is LinkForm.CLICK


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplier:
    """The supplier. For some suppliers, pages show the supplier's number after the name (``shown``)."""

    name: str
    shown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """One line of an order; the price is in hundredths of the order's currency."""

    goods: str
    quantity: int
    price_cents: int
    commodity: str
    account: str

    @property
    def total_cents(self) -> int:
        """The total of the line: quantity times price."""
        return self.quantity * self.price_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One purchase order, whether the user may see it or not."""

    number: str
    answer: OrderAnswer
    #: Whether it is in the portal's list; odd orders are not.
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
