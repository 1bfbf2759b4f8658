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

#: The number of bytes that the library examines.
HEAD_BYTES = 8192


_MAGICS = (
    (b"%PDF-", ContentType.PDF),
    (b"PK\x03\x04", ContentType.ZIP),
    (b"PK\x05\x06", ContentType.ZIP),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ContentType.COMPOUND),
    (b"{\\rtf", ContentType.RTF),
    (b"%!PS-Adobe", ContentType.BINARY),  # printable, but no readable text
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
#: Acrobat accepts a PDF whose mark is anywhere in this many first bytes.
_PDF_MARK_WITHIN_BYTES = 1024
_WEB_PAGE = re.compile(
    # Possessive groups: trying every combination of a thousand comments would never end.
    r"\s*(?:<\?xml[^>]*>\s*)?(?:(?><!--.*?-->)\s*)*+"
    r"<(?:!doctype\s+html|(?:html|head|body|title|meta|script|style|div|form|table|p|h1)(?![\w:.-]))",
    re.IGNORECASE | re.DOTALL,
)
#: Output of a server program that failed; before a PDF it is ignored.
_WEB_FRAGMENT = re.compile(
    r"\s*<(?:b>|(?:br|center|font|h[2-6]|pre|span|ul|ol|iframe|noscript|section|main)(?![\w:.-])|"
    r"(?:a|input|frameset|img|hr|strong|em|small|button|nav)[\s>])",
    re.IGNORECASE,
)
#: An exported table, but no login page with a table layout.
_OFFICE_PAGE = re.compile(r"schemas-microsoft-com:office|^(?!.*password).*<table", re.IGNORECASE | re.DOTALL)
#: The beginning of an object or of a list of values; plain text may begin with a bracket too.
_JSON = re.compile(r"\{\s*(?:\"|\})|\[\s*[{\[\"\]]")
_NOT_IN_TEXT = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def content_type_of(head: bytes) -> ContentType:
    """Return the kind of content of a file that begins with ``head`` (its first 1024 bytes or more, if it has them)."""
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
    """Return the format that the name's ending promises, else that of the declared media type; ``None`` if unknown.

    ``declared_type`` is in lower case and without parameters, here and below.
    """
    return format_of(name) or format_of_type(declared_type)


def media_type_of(head: bytes, kind: ContentType, promised: FileFormat | None, declared_type: str) -> str:
    """Return the media type by content, refined by a matching promise, else as declared."""
    if kind is ContentType.IMAGE:
        return media_type_by_magic(head)
    if promised is not None and kind in promised.kinds:
        return promised.media_type
    if kind in {ContentType.ZIP, ContentType.BINARY} and (detected := media_type_by_magic(head)):
        return detected
    return _GENERIC_TYPES.get(kind) or declared_type or ANY_BYTES


def decode_text(content: bytes) -> str:
    """Decode a whole text: UTF-16 by its mark, UTF-8 if valid, else Windows-1252."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return decode_head(content)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def decode_head(head: bytes) -> str:
    """Decode ``head`` for inspection: UTF-16 by its mark, anything else byte by byte."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", "ignore")
    return head.removeprefix(b"\xef\xbb\xbf").decode("latin-1")


def media_type_by_magic(head: bytes) -> str:
    """Return the media type that the library detects from the bytes; empty if none."""
    match = filetype.guess(head)  # pyright: ignore[reportUnknownMemberType]
    return match.mime if match is not None else ""


_SECTOR_SHIFT_AT, _DIRECTORY_AT = 0x1E, 0x30
_SHIFTS = frozenset({9, 12})
_HEADER_BYTES = 512
#: The relevant streams are at the beginning of a directory.
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
    """Return the media type of a compound file; empty if its directory does not show it.

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
#: Parts of packages and the ending of their format, the most certain first.
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
#: The part of other packages that has their media type.
_TYPE_PART = "mimetype"
_TYPE_MAX_BYTES = 200


def media_type_of_package(path: Path) -> str:
    """Return the media type of a document in a ZIP container; empty if its program is unknown.

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
        return ""  # truncated, or with an unsupported compression
    parts = {name.replace("\\", "/").lower() for name in names}
    if _TYPES_PART not in parts:
        return ""
    ending = next((ending for begin, ending in _PARTS if any(part.startswith(begin) for part in parts)), "")
    return FORMATS[ending].media_type if ending else ""


def _known(media_type: str) -> str:
    return media_type if any(known_format.media_type == media_type for known_format in FORMATS.values()) else ""
