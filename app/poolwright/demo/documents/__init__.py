"""Small valid documents of an exact size, the same bytes for the same title on every machine.

``make_document`` is the one door; each kind of file has a module of its own below it. Nothing here does I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType

from poolwright.demo.documents.msg import make_msg
from poolwright.demo.documents.writers import make_html, make_pdf, make_xlsx, make_zip

MINIMUM_BYTES = 1024
"""The smallest document that exists in the portal, of a kind that can be that small."""

MAXIMUM_BYTES = 5_000_000
"""The largest one."""


class DocumentKind(StrEnum):
    """What kind of file; the value is its extension."""

    PDF = "pdf"
    XLSX = "xlsx"
    MSG = "msg"
    ZIP = "zip"
    HTML = "html"

    @property
    def media_type(self) -> str:
        """As servers declare it."""
        return _MEDIA_TYPES[self]

    @property
    def minimum_bytes(self) -> int:
        """No valid file of this kind is made smaller than this."""
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
