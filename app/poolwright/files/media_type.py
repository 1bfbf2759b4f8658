"""Detects the media type of a file from its bytes, also within ZIP containers and Office compound files."""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import filetype  # pyright: ignore[reportMissingTypeStubs]  # it ships no types; ``media_type_by_magic`` alone calls it

from poolwright.files.file_format import ANY_BYTES, FORMATS, ContentType, FileFormat, format_of, format_of_type

#: As many bytes as the library looks at.
HEAD_BYTES = 8192


_MAGICS = (
    (b"%PDF-", ContentType.PDF),
    (b"PK\x03\x04", ContentType.ZIP),
    (b"PK\x05\x06", ContentType.ZIP),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ContentType.COMPOUND),
    (b"{\\rtf", ContentType.RTF),
    (b"%!PS-Adobe", ContentType.BINARY),  # letters, but no text to be read
)
_GENERIC_TYPES: Mapping[ContentType, str] = MappingProxyType(
    {
        ContentType.PDF: "application/pdf",
        ContentType.ZIP: "application/zip",
        ContentType.COMPOUND: "application/x-ole-storage",
        ContentType.RTF: "application/rtf",
        ContentType.HTML: "text/html",
        ContentType.OFFICE_HTML: "text/html",
        ContentType.XML: "application/xml",
        ContentType.JSON: "application/json",
        ContentType.TEXT: "text/plain",
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


def content_type_of(head: bytes) -> ContentType:
    """What a file that begins with ``head`` (at least its first 1024 bytes, if it has so many) holds."""
    for magic, kind in _MAGICS:
        if head.startswith(magic):
            return kind
    text = decode_head(head)
    if _WEB_PAGE.match(text):
        return ContentType.OFFICE_HTML if _OFFICE_PAGE.search(text) else ContentType.HTML
    if b"%PDF-" in head[:_PDF_MARK_WITHIN_BYTES]:
        return ContentType.PDF
    if _WEB_FRAGMENT.match(text):
        return ContentType.HTML
    if not _NOT_IN_TEXT.search(text):
        return _kind_of_text(text.lstrip())
    return ContentType.IMAGE if media_type_by_magic(head).startswith("image/") else ContentType.BINARY


def _kind_of_text(text: str) -> ContentType:
    if text.startswith("<"):
        return ContentType.XML
    return ContentType.JSON if _JSON.match(text) else ContentType.TEXT


def promised_format(name: str, declared_type: str) -> FileFormat | None:
    """What the name's extension promises; where it is not known, what the declared media type does; or nothing.

    ``declared_type`` is in lower case and without parameters, here and below.
    """
    return format_of(name) or format_of_type(declared_type)


def media_type_of(head: bytes, kind: ContentType, promised: FileFormat | None, declared_type: str) -> str:
    """The media type by content, in detail by the promise where that fits, and as declared where nothing tells."""
    if kind is ContentType.IMAGE:
        return media_type_by_magic(head)
    if promised is not None and kind in promised.kinds:
        return promised.media_type
    if kind in {ContentType.ZIP, ContentType.BINARY} and (found := media_type_by_magic(head)):
        return found
    return _GENERIC_TYPES.get(kind) or declared_type or ANY_BYTES


def decode_text(content: bytes) -> str:
    """A whole text in its letters: by its mark, as UTF-8 where it is, else as western programs write it."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return decode_head(content)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def decode_head(head: bytes) -> str:
    """``head`` as text to look at: UTF-16 by its mark, anything else byte by byte."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", "ignore")
    return head.removeprefix(b"\xef\xbb\xbf").decode("latin-1")


def media_type_by_magic(head: bytes) -> str:
    """What the library knows of the bytes; empty when nothing."""
    found = filetype.guess(head)  # pyright: ignore[reportUnknownMemberType]
    return found.mime if found is not None else ""


_SECTOR_SHIFT_AT, _DIRECTORY_AT = 0x1E, 0x30
_SHIFTS = frozenset({9, 12})
_HEADER_BYTES = 512
#: Directories begin with the streams that matter.
_DIRECTORY_BYTES = 8192
_STREAMS = (
    ("__substg1.0_", "application/vnd.ms-outlook"),
    ("__nameid_version1.0", "application/vnd.ms-outlook"),
    ("__properties_version1.0", "application/vnd.ms-outlook"),
    ("WordDocument", "application/msword"),
    ("PowerPoint Document", "application/vnd.ms-powerpoint"),
    ("VisioDocument", "application/vnd.visio"),
    ("Workbook", "application/vnd.ms-excel"),
    ("Book", "application/vnd.ms-excel"),
)


def media_type_of_compound(path: Path) -> str:
    """The media type of a compound file; empty where its directory does not tell.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
        if len(header) < _HEADER_BYTES:
            return ""
        (shift,) = struct.unpack_from("<H", header, _SECTOR_SHIFT_AT)
        (sector,) = struct.unpack_from("<I", header, _DIRECTORY_AT)
        if shift not in _SHIFTS:
            return ""
        file.seek((sector + 1) << shift)
        directory = file.read(_DIRECTORY_BYTES)
    return next((kind for stream, kind in _STREAMS if stream.encode("utf-16-le") in directory), "")


#: Every package of Office has this part.
_TYPES_PART = "[content_types].xml"
#: Parts and the endings of what has them, the surest first.
_PARTS = (
    ("xl/workbook.bin", "xlsb"),
    ("xl/vbaproject.bin", "xlsm"),
    ("word/vbaproject.bin", "docm"),
    ("ppt/vbaproject.bin", "pptm"),
    ("word/", "docx"),
    ("xl/", "xlsx"),
    ("ppt/", "pptx"),
    ("visio/", "vsdx"),
    ("3d/", "3mf"),
    ("fixeddocumentsequence.fdseq", "xps"),
)
#: A part of other packages that says what they are.
_TYPE_PART = "mimetype"
_TYPE_MAX_BYTES = 200


def media_type_of_package(path: Path) -> str:
    """The media type of a document that is a ZIP container; empty where it is of no program that is known.

    Raises:
        OSError: The file cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as package:
            names = package.namelist()
            if _TYPE_PART in names:
                with package.open(_TYPE_PART) as part:
                    return _known(part.read(_TYPE_MAX_BYTES).decode("ascii", "replace").strip())
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError):
        return ""  # cut short, or packed in a way that is not known here
    parts = {name.replace("\\", "/").lower() for name in names}
    if _TYPES_PART not in parts:
        return ""
    ending = next((ending for begin, ending in _PARTS if any(part.startswith(begin) for part in parts)), "")
    return FORMATS[ending].media_type if ending else ""


def _known(media_type: str) -> str:
    return media_type if any(known.media_type == media_type for known in FORMATS.values()) else ""
