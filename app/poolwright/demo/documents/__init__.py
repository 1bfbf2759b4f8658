"""Small valid documents of an exact size, the same bytes for the same title on every machine.

``make_document`` creates a document of any kind; this package does no I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType

from poolwright.demo.documents.msg import make_msg
from poolwright.demo.documents.writers import make_html, make_pdf, make_xlsx, make_zip

MINIMUM_BYTES = 1024
"""Size of the smallest document in the portal."""

MAXIMUM_BYTES = 5_000_000
"""Size of the largest document in the portal."""


class DocumentKind(StrEnum):
    """Kinds of documents; the value is the file extension."""

    PDF = "pdf"
    XLSX = "xlsx"
    MSG = "msg"
    ZIP = "zip"
    HTML = "html"

    @property
    def media_type(self) -> str:
        """The media type."""
        return _MEDIA_TYPES[self]

    @property
    def minimum_bytes(self) -> int:
        """The minimum size of a document of this kind."""
        return _MINIMA.get(self, MINIMUM_BYTES)


_MEDIA_TYPES: Mapping[DocumentKind, str] = MappingProxyType(
    {
        DocumentKind.PDF: "application/pdf",
        DocumentKind.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        DocumentKind.MSG: "application/vnd.ms-outlook",
        DocumentKind.ZIP: "application/zip",
        DocumentKind.HTML: "text/html; charset=utf-8",
    }
)

_MINIMA: Mapping[DocumentKind, int] = MappingProxyType({DocumentKind.XLSX: 3 * 1024, DocumentKind.MSG: 12 * 1024})

_MAKERS: Mapping[DocumentKind, Callable[[str, int], bytes]] = MappingProxyType(
    {
        DocumentKind.PDF: make_pdf,
        DocumentKind.XLSX: make_xlsx,
        DocumentKind.MSG: make_msg,
        DocumentKind.ZIP: make_zip,
        DocumentKind.HTML: make_html,
    }
)


def make_document(kind: DocumentKind, size_bytes: int, title: str) -> bytes:
    """Make a document of exactly ``size_bytes``; another title gives other bytes.

    Raises:
        ValueError: The size is below the minimum of the kind, or above ``MAXIMUM_BYTES``.
    """
    if not kind.minimum_bytes <= size_bytes <= MAXIMUM_BYTES:
        raise ValueError(f"A {kind} file has {kind.minimum_bytes} to {MAXIMUM_BYTES} bytes, not {size_bytes}.")
    return _MAKERS[kind](title, size_bytes)
