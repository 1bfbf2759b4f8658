"""What a file's first bytes say it is, and what its name lets one expect. Pure; shared with the worker.

A name promises a kind, and sometimes several: a spreadsheet with a password is a compound file whatever its name, and
programs export tables of HTML as ``.xls``. Kinds are coarse for that reason: they tell a document from an error page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import filetype  # pyright: ignore[reportMissingTypeStubs]  # it ships no types; ``_media_type_by_magic`` alone calls it

#: As many bytes as the library looks at.
HEAD_BYTES = 8192
#: The media type of which nothing is known.
ANY_BYTES = "application/octet-stream"


class Kind(StrEnum):
    """What a file holds, in the words of a problem sentence."""

    PDF = "a PDF"
    ZIP = "a ZIP container"
    COMPOUND = "an Office compound file"
    RTF = "rich text"
    HTML = "a web page"
    OFFICE_HTML = "a web page made by an Office program"
    XML = "XML"
    TEXT = "text"
    IMAGE = "an image"
    BINARY = "binary data"


@dataclass(frozen=True, slots=True)
class Format:
    """What the extension of a name promises."""

    media_type: str
    kinds: frozenset[Kind]


_PACKED = frozenset({Kind.ZIP, Kind.COMPOUND})
_LOOSE_OFFICE = _PACKED | {Kind.RTF, Kind.OFFICE_HTML, Kind.XML, Kind.TEXT}
_PICTURE = frozenset({Kind.IMAGE, Kind.BINARY})
_BYTES = frozenset({Kind.BINARY, Kind.ZIP})
#: UTF-16 without a mark looks like binary data.
_WORDS = frozenset({Kind.TEXT, Kind.XML, Kind.BINARY})
_WEB = frozenset({Kind.HTML, Kind.OFFICE_HTML, Kind.XML, Kind.TEXT})
_OOXML = "application/vnd.openxmlformats-officedocument"
_ODF = "application/vnd.oasis.opendocument"

#: Extensions without their dot. What is not here is taken as it comes.
FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "pdf": Format("application/pdf", frozenset({Kind.PDF})),
        "xlsx": Format(f"{_OOXML}.spreadsheetml.sheet", _PACKED),
        "xlsm": Format("application/vnd.ms-excel.sheet.macroenabled.12", _PACKED),
        "xlsb": Format("application/vnd.ms-excel.sheet.binary.macroenabled.12", _PACKED),
        "docx": Format(f"{_OOXML}.wordprocessingml.document", _PACKED),
        "docm": Format("application/vnd.ms-word.document.macroenabled.12", _PACKED),
        "pptx": Format(f"{_OOXML}.presentationml.presentation", _PACKED),
        "odt": Format(f"{_ODF}.text", frozenset({Kind.ZIP})),
        "ods": Format(f"{_ODF}.spreadsheet", frozenset({Kind.ZIP})),
        "odp": Format(f"{_ODF}.presentation", frozenset({Kind.ZIP})),
        "zip": Format("application/zip", frozenset({Kind.ZIP})),
        "msg": Format("application/vnd.ms-outlook", frozenset({Kind.COMPOUND})),
        "xls": Format("application/vnd.ms-excel", _LOOSE_OFFICE),
        "doc": Format("application/msword", _LOOSE_OFFICE),
        "ppt": Format("application/vnd.ms-powerpoint", _PACKED),
        "rtf": Format("application/rtf", frozenset({Kind.RTF})),
        "7z": Format("application/x-7z-compressed", _BYTES),
        "rar": Format("application/vnd.rar", _BYTES),
        "gz": Format("application/gzip", _BYTES),
        "jpg": Format("image/jpeg", _PICTURE),
        "jpeg": Format("image/jpeg", _PICTURE),
        "png": Format("image/png", _PICTURE),
        "gif": Format("image/gif", _PICTURE),
        "bmp": Format("image/bmp", _PICTURE),
        "tif": Format("image/tiff", _PICTURE),
        "tiff": Format("image/tiff", _PICTURE),
        "heic": Format("image/heic", _PICTURE),
        "txt": Format("text/plain", _WORDS),
        "csv": Format("text/csv", _WORDS),
        "json": Format("application/json", _WORDS),
        "eml": Format("message/rfc822", _WORDS),
        "xml": Format("application/xml", _WORDS),
        "htm": Format("text/html", _WEB),
        "html": Format("text/html", _WEB),
    }
)

_MAGICS = (
    (b"%PDF-", Kind.PDF),
    (b"PK\x03\x04", Kind.ZIP),
    (b"PK\x05\x06", Kind.ZIP),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind.COMPOUND),
    (b"{\\rtf", Kind.RTF),
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
#: A table of an export, and not a login page that is laid out as a table.
_OFFICE_PAGE = re.compile(r"schemas-microsoft-com:office|^(?!.*password).*<table", re.IGNORECASE | re.DOTALL)
_NOT_IN_TEXT = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def kind_of(head: bytes) -> Kind:
    """What a file that begins with ``head`` (at least its first 1024 bytes, if it has so many) holds."""
    for magic, kind in _MAGICS:
        if head.startswith(magic):
            return kind
    text = _decoded(head)
    if _WEB_PAGE.match(text):
        return Kind.OFFICE_HTML if _OFFICE_PAGE.search(text) else Kind.HTML
    if b"%PDF-" in head[:_PDF_MARK_WITHIN_BYTES]:
        return Kind.PDF
    if not _NOT_IN_TEXT.search(text):
        return Kind.XML if text.lstrip().startswith("<") else Kind.TEXT
    return Kind.IMAGE if _media_type_by_magic(head).startswith("image/") else Kind.BINARY


def promised_format(name: str, declared_type: str) -> Format | None:
    """What the name's extension promises; where it is not known, what the declared media type does; or nothing.

    ``declared_type`` is in lower case and without parameters, here and below.
    """
    promised = FORMATS.get(name.rpartition(".")[2].lower()) if "." in name else None
    return promised or next((known for known in FORMATS.values() if known.media_type == declared_type), None)


def media_type_of(head: bytes, kind: Kind, promised: Format | None, declared_type: str) -> str:
    """The media type by content, in detail by the promise where that fits, and as declared where nothing tells."""
    if kind is Kind.IMAGE:
        return _media_type_by_magic(head)
    if promised is not None and kind in promised.kinds:
        return promised.media_type
    if kind in {Kind.ZIP, Kind.BINARY} and (found := _media_type_by_magic(head)):
        return found
    return _GENERIC_TYPES.get(kind) or declared_type or ANY_BYTES


def _decoded(head: bytes) -> str:
    """``head`` as text to look at: UTF-16 by its mark, anything else byte by byte."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", "ignore")
    return head.removeprefix(b"\xef\xbb\xbf").decode("latin-1")


def _media_type_by_magic(head: bytes) -> str:
    """What the library knows of the bytes; empty when nothing."""
    found = filetype.guess(head)  # pyright: ignore[reportUnknownMemberType]
    return found.mime if found is not None else ""
