"""What a file's first bytes say it is, held against what its name lets one expect. Pure; shared with the worker."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

import filetype  # pyright: ignore[reportMissingTypeStubs]  # it ships no types; ``media_type_by_magic`` alone calls it

from poolwright.archive.formats import ANY_BYTES, Format, Kind, format_of, format_of_type

#: As many bytes as the library looks at.
HEAD_BYTES = 8192


_MAGICS = (
    (b"%PDF-", Kind.PDF),
    (b"PK\x03\x04", Kind.ZIP),
    (b"PK\x05\x06", Kind.ZIP),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind.COMPOUND),
    (b"{\\rtf", Kind.RTF),
    (b"%!PS-Adobe", Kind.BINARY),  # letters, but no text to be read
)
_GENERIC_TYPES: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.PDF: "application/pdf",
        Kind.ZIP: "application/zip",
        Kind.COMPOUND: "application/x-ole-storage",
        Kind.RTF: "application/rtf",
        Kind.HTML: "text/html",
        Kind.OFFICE_HTML: "text/html",
        Kind.XML: "application/xml",
        Kind.JSON: "application/json",
        Kind.TEXT: "text/plain",
    }
)
#: Acrobat takes a PDF whose mark stands anywhere in this many first bytes.
_PDF_MARK_WITHIN_BYTES = 1024
_WEB_PAGE = re.compile(
    # Each comment is taken once and for all: trying every way to join a thousand of them would never end.
    r"\s*(?:<\?xml[^>]*>\s*)?(?:(?><!--.*?-->)\s*)*+"
    r"<(?:!doctype\s+html|(?:html|head|body|title|meta|script|style|div|form|table|p|h1)\b)",
    re.IGNORECASE | re.DOTALL,
)
#: What a program of a server writes that breaks off; before a PDF, it is only in its way.
_WEB_FRAGMENT = re.compile(
    r"\s*<(?:br\b|b>|center\b|font\b|h[2-6]\b|pre\b|span\b|ul\b|ol\b|iframe\b|noscript\b|section\b|main\b|"
    r"(?:a|input|frameset|img|hr|strong|em|small|button|nav)[\s>])",
    re.IGNORECASE,
)
#: A table of an export, and not a login page that is laid out as a table.
_OFFICE_PAGE = re.compile(r"schemas-microsoft-com:office|^(?!.*password).*<table", re.IGNORECASE | re.DOTALL)
#: An object or a list of values; a text may begin with a bracket too.
_JSON = re.compile(r"\{\s*(?:\"|\})|\[\s*[{\[\"\]]")
_NOT_IN_TEXT = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def kind_of(head: bytes) -> Kind:
    """What a file that begins with ``head`` (at least its first 1024 bytes, if it has so many) holds."""
    for magic, kind in _MAGICS:
        if head.startswith(magic):
            return kind
    text = decoded(head)
    if _WEB_PAGE.match(text):
        return Kind.OFFICE_HTML if _OFFICE_PAGE.search(text) else Kind.HTML
    if b"%PDF-" in head[:_PDF_MARK_WITHIN_BYTES]:
        return Kind.PDF
    if _WEB_FRAGMENT.match(text):
        return Kind.HTML
    if not _NOT_IN_TEXT.search(text):
        return _kind_of_text(text.lstrip())
    return Kind.IMAGE if media_type_by_magic(head).startswith("image/") else Kind.BINARY


def _kind_of_text(text: str) -> Kind:
    if text.startswith("<"):
        return Kind.XML
    return Kind.JSON if _JSON.match(text) else Kind.TEXT


def promised_format(name: str, declared_type: str) -> Format | None:
    """What the name's extension promises; where it is not known, what the declared media type does; or nothing.

    ``declared_type`` is in lower case and without parameters, here and below.
    """
    return format_of(name) or format_of_type(declared_type)


def media_type_of(head: bytes, kind: Kind, promised: Format | None, declared_type: str) -> str:
    """The media type by content, in detail by the promise where that fits, and as declared where nothing tells."""
    if kind is Kind.IMAGE:
        return media_type_by_magic(head)
    if promised is not None and kind in promised.kinds:
        return promised.media_type
    if kind in {Kind.ZIP, Kind.BINARY} and (found := media_type_by_magic(head)):
        return found
    return _GENERIC_TYPES.get(kind) or declared_type or ANY_BYTES


def read_text(content: bytes) -> str:
    """A whole text in its letters: by its mark, as UTF-8 where it is, else as western programs write it."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return decoded(content)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def decoded(head: bytes) -> str:
    """``head`` as text to look at: UTF-16 by its mark, anything else byte by byte."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", "ignore")
    return head.removeprefix(b"\xef\xbb\xbf").decode("latin-1")


def media_type_by_magic(head: bytes) -> str:
    """What the library knows of the bytes; empty when nothing."""
    found = filetype.guess(head)  # pyright: ignore[reportUnknownMemberType]
    return found.mime if found is not None else ""
