"""Inspects a saved file: its content type, and whether it can be the file that was promised.

Reads the first and the last bytes, never the whole of a large file. Hashes are computed by the downloader; the worker
checks whether the session is still logged in after a page that asks for a password.
"""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from poolwright.files.api_reply import ERROR_MEDIA_TYPES
from poolwright.files.data_tree import is_data, parse_json, parse_xml
from poolwright.files.encoded_file import EncodedFile, find_encoded_file
from poolwright.files.file_format import ANY_BYTES, PROSE_TYPES, ContentType, FileFormat, format_of, format_of_type
from poolwright.files.media_type import (
    HEAD_BYTES,
    content_type_of,
    decode_text,
    media_type_by_magic,
    media_type_of,
    media_type_of_compound,
    media_type_of_package,
    promised_format,
)
from poolwright.files.soft_errors import (
    MESSAGE_MAX_BYTES,
    SoftError,
    WebPage,
    find_soft_error,
    is_generated_document,
    is_plain_sentence,
    is_short_text,
)

PAGES, TEXTUAL = (
    frozenset({ContentType.HTML, ContentType.OFFICE_HTML}),
    frozenset({ContentType.TEXT, ContentType.XML, ContentType.JSON}),
)
#: A larger page is a document.
_PAGE_MAX_BYTES = 1024 * 1024
#: A message in JSON or XML is shorter.
_NOTE_MAX_BYTES = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentScan:
    """The facts about a file's content."""

    kind: ContentType
    #: The kind of reply, if it is not a file.
    shape: SoftError | None
    #: Whether the bytes alone prove a document.
    is_document: bool
    #: Whether a text looks like the output of a program.
    is_written: bool
    #: Whether it is a sentence without data.
    is_words: bool
    #: The media type by the first bytes of binary data; empty if unknown.
    magic: str
    #: Whether it has no more content than a message.
    is_note: bool
    #: Whether it is a page that is certainly not a document.
    is_idle: bool
    #: Whether it is a page with parts that only its own server has.
    is_of_server: bool
    #: The encoded file that a text contains, if the portal may have forgotten to decode it.
    undecoded: EncodedFile | None


def scan_content(path: Path, head: bytes, size_bytes: int, declared: str) -> ContentScan:
    """Examine a file and return the facts about its content.

    Args:
        path: The file.
        head: Its beginning; all of it if it is no larger than ``MESSAGE_MAX_BYTES``.
        size_bytes: Its size.
        declared: The media type that the portal declared, in lower case and without parameters.

    Raises:
        OSError: The file cannot be read.
    """
    kind = content_type_of(head[:HEAD_BYTES])
    shape = find_soft_error(head, kind) if size_bytes <= MESSAGE_MAX_BYTES else None
    if declared in ERROR_MEDIA_TYPES and kind in TEXTUAL:
        shape = SoftError.ERROR
    magic = media_type_by_magic(head[:HEAD_BYTES]) if kind is ContentType.BINARY else ""
    is_document = bool(magic) or kind not in {*PAGES, *TEXTUAL, ContentType.BINARY}
    is_written = _is_written(head, size_bytes, kind)
    is_sentence = kind is ContentType.TEXT and size_bytes <= MESSAGE_MAX_BYTES and is_plain_sentence(head)
    return ContentScan(
        kind=kind,
        shape=shape,
        is_document=is_document,
        is_written=is_written,
        is_words=is_sentence,
        is_note=size_bytes <= MESSAGE_MAX_BYTES and not is_written and _is_note(head, kind),
        magic=magic,
        is_idle=kind in PAGES and _is_idle(path, head, size_bytes),
        is_of_server=kind in PAGES and WebPage(decode_text(head)).is_of_server,
        undecoded=find_encoded_file(head, kind, size_bytes),
    )


def _is_note(head: bytes, kind: ContentType) -> bool:
    """Whether data has only a few values, or a page or text only a few words."""
    if kind is ContentType.TEXT:
        return is_short_text(head)
    if kind in PAGES:
        return WebPage(decode_text(head)).is_note
    return kind in {ContentType.XML, ContentType.JSON} and len(head) <= _NOTE_MAX_BYTES


def _is_idle(path: Path, head: bytes, size_bytes: int) -> bool:
    """Whether a page is certainly not a document; read whole, as a self-submitting form may have long hidden fields."""
    if size_bytes > _PAGE_MAX_BYTES:
        return False
    return WebPage(decode_text(head if size_bytes <= len(head) else path.read_bytes())).is_interstitial


def _is_written(head: bytes, size_bytes: int, kind: ContentType) -> bool:
    """Whether a text has the form of a document; a few values of JSON or XML may as well be a reply."""
    match kind:
        case ContentType.XML | ContentType.JSON if size_bytes > MESSAGE_MAX_BYTES:
            return True
        case ContentType.XML:
            return is_data(parse_xml(decode_text(head)))
        case ContentType.JSON:
            return is_data(parse_json(decode_text(head)))
        case _:
            return kind is ContentType.TEXT and is_generated_document(head[:HEAD_BYTES])


#: Acrobat looks for the end mark in the last 1024 bytes; others write a little behind it.
_TAIL_BYTES = 2048
#: Padding that some systems append to a document.
_PADDING = b"\x00\r\n\t "
#: Longest padding or text of a server behind the end of a document.
_BEHIND_MAX_BYTES = 65_536
#: PDF syntax behind an end mark in the middle: the PDF was saved twice, or made for page-wise reading.
_MORE_PDF = re.compile(rb"\d\s+\d\s+obj\b|\bendobj\b|\bxref\b|\btrailer\b")
#: How an answer of SHOUTcast, an old protocol for radio, begins: browsers take it for a file without a header.
_ICY = re.compile(rb"ICY \d{3}[ \r\n]")
_DOCUMENTS = frozenset({ContentType.PDF, ContentType.ZIP, ContentType.COMPOUND, ContentType.RTF})
#: Kinds whose end is recognizable.
_ENDING = frozenset({ContentType.PDF, ContentType.ZIP})
_WEB_TYPES = frozenset({"text/html", "application/xhtml+xml"})


class FileOrigin(Enum):
    """Who gave a file."""

    #: A portal, which may have sent something else in its place.
    PORTAL = auto()
    #: An archive: no portal packs a message, so a short text in it is a file.
    ARCHIVE = auto()
    #: A processor, which made it: only its name is checked.
    PROCESSOR = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class SniffResult:
    """The result of inspecting a saved file."""

    #: By content, refined by the name if that matches.
    media_type: str
    size_bytes: int
    #: One sentence for each reason to reject the file; empty if it is good.
    problems: tuple[str, ...] = ()
    #: One sentence for each thing that a person should check in an accepted file.
    notes: tuple[str, ...] = ()
    #: Whether the portal sent an HTML page.
    is_page: bool = False
    #: Whether it is text, so that the portal may have sent it in place of a file.
    is_text: bool = False
    #: Whether the end of such a file is recognizable, so that a truncated one is detected.
    shows_end: bool = False
    #: The kind of reply, if it is not a file.
    shape: SoftError | None = None


def sniff(
    path: Path,
    label: str,
    declared_type: str = "",
    *,
    declared_size_bytes: int | None = None,
    is_vouched: bool = False,
    origin: FileOrigin = FileOrigin.PORTAL,
) -> SniffResult:
    """Inspect a saved file: its media type, and whether it can be the promised file.

    Args:
        path: The complete file.
        label: The portal's name for it; a known ending promises its format.
        declared_type: The media type that the portal declared; promises the format if the label does not.
        declared_size_bytes: The size that the portal declared for the file itself, not for a compressed transfer.
        is_vouched: Whether a header of the reply declares it an attachment.
        origin: Who gave the file.

    Raises:
        OSError: The file cannot be read.
    """
    size_bytes = path.stat().st_size
    declared = declared_type.partition(";")[0].strip().lower()
    promised = promised_format(label, declared)
    if size_bytes == 0:
        media_type = promised.media_type if promised else declared or ANY_BYTES
        return SniffResult(media_type=media_type, size_bytes=0, problems=("The file is empty.",))
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES if size_bytes > MESSAGE_MAX_BYTES else MESSAGE_MAX_BYTES)
    scan, is_own = scan_content(path, head, size_bytes, declared), origin is FileOrigin.PROCESSOR
    cut_short = tuple(_cut_short(path, size_bytes, scan.kind))
    # A matching declared size is better proof than the end of the file, but a server may cut both.
    is_cut_as_declared = declared_size_bytes == size_bytes
    problem = _broken_promise(scan, label) if is_own else _wrong_kind(scan, label, declared, is_vouched=is_vouched)
    problems = (
        *_wrong_size(size_bytes, declared_size_bytes),
        *([problem] if problem else []),
        *(() if is_own else _not_http(head)),
        *(() if is_own else _blank(path, head, size_bytes)),
        *(() if is_cut_as_declared else cut_short),
    )
    return SniffResult(
        media_type=_media_type(path, head[:HEAD_BYTES], scan.kind, label, declared),
        size_bytes=size_bytes,
        problems=problems,
        notes=(
            *_notes(scan, label, may_be_message=origin is FileOrigin.PORTAL),
            *(f"{label}: {note.removesuffix('.')}: check it." for note in (cut_short if is_cut_as_declared else ())),
        ),
        is_page=scan.kind in PAGES,
        is_text=scan.kind in TEXTUAL | PAGES,
        shows_end=scan.kind in _ENDING,
        shape=scan.shape or (SoftError.WAITING if scan.is_idle else None),
    )


def is_document_type(media_type: str) -> bool:
    """Whether a declared media type can only be a document: neither a web page nor data for scripts."""
    promised = format_of_type(media_type)
    return media_type == ANY_BYTES or (promised is not None and bool(promised.kinds & _DOCUMENTS))


def _media_type(path: Path, head: bytes, kind: ContentType, label: str, declared: str) -> str:
    """Return the media type of a file; a container without a matching name is opened, as servers often guess."""
    named = format_of(label)
    inner = ""
    if kind is ContentType.COMPOUND and (named is None or kind not in named.kinds):
        inner = media_type_of_compound(path)
    if kind is ContentType.ZIP and (named is None or kind not in named.kinds):
        inner = media_type_of_package(path)
    return inner or media_type_of(head, kind, promised_format(label, declared), declared)


def _blank(path: Path, head: bytes, size_bytes: int) -> Iterator[str]:
    """Yield the problem of a file of only zeros or white space, which a server reserved but did not fill."""
    if any(head):
        if size_bytes <= MESSAGE_MAX_BYTES and not decode_text(head).strip():
            yield "The file contains only white space."
        return
    with path.open("rb") as file:
        while part := file.read(_BEHIND_MAX_BYTES):
            if any(part):
                return
    yield "The file contains only zero bytes."


def _not_http(head: bytes) -> Iterator[str]:
    """Yield the problem of an answer that a browser saves whole, with its header, because it is not HTTP."""
    if _ICY.match(head):
        yield "The portal answered in ICY, which is not HTTP: the header of its answer is in the file."


def _wrong_size(size_bytes: int, declared_size_bytes: int | None) -> Iterator[str]:
    if declared_size_bytes is not None and declared_size_bytes != size_bytes:
        yield f"The portal announced {declared_size_bytes:,} bytes and sent {size_bytes:,}."


def _wrong_kind(scan: ContentScan, label: str, declared: str, *, is_vouched: bool) -> str:
    """Explain why the received content cannot be the file; empty if it can.

    A document is accepted whatever its name is. Any text may be an error message: it must have the promised format, or
    be vouched for, and must not look like an error.
    """
    if scan.is_document:
        return ""
    if scan.kind in PAGES:
        return _wrong_page(scan, label, declared, is_vouched=is_vouched)
    if scan.shape is not None:
        return _sent_instead(scan.shape, label)
    promised = promised_format(label, declared)
    if scan.undecoded is not None and scan.undecoded.is_no_file(label, declared):
        return _sent_instead(f"{scan.undecoded.what}: it did not decode the file", label)
    is_renamed = scan.is_written and (is_vouched or format_of(label) is None)
    if promised is None or _keeps(promised, scan) or is_renamed:
        return ""
    what = "a sentence" if scan.is_words else scan.kind
    return f"{label or 'The file'} should be {promised.media_type}, but the portal sent {what}."


def _keeps(promised: FileFormat, scan: ContentScan) -> bool:
    """Whether the content is of a promised kind; a single sentence is only free text, no table or data."""
    is_prose = promised.media_type in {*PROSE_TYPES, ANY_BYTES}
    return scan.kind in promised.kinds and (is_prose or not scan.is_words)


def _broken_promise(scan: ContentScan, label: str) -> str:
    """Explain why a processor's own file does not match its name; empty if it does."""
    promised = format_of(label)
    if promised is None or scan.kind in promised.kinds:
        return ""
    return f"{label} should be {promised.media_type}, but it is {scan.kind}."


def _wrong_page(scan: ContentScan, label: str, declared: str, *, is_vouched: bool) -> str:
    """Explain why an HTML page cannot be the file; empty if it can. Most pages are an error, a login or a viewer."""
    named = format_of(label)
    expected = named or format_of_type(declared)
    if expected is not None and scan.kind not in expected.kinds:
        return f"{label or 'The file'} should be {expected.media_type}, but the portal sent a web page."
    is_web_by_name = named is not None and named.media_type in _WEB_TYPES
    # Browsers save such a page and do not show it: no login page is sent so, but an encrypted message with its form is.
    is_saved_form = scan.shape is SoftError.LOGIN and is_web_by_name and declared == ANY_BYTES
    if scan.shape is SoftError.ERROR or (scan.shape is not None and not (is_vouched or is_saved_form)):
        return _sent_instead(scan.shape, label)
    if scan.is_idle:
        return _sent_instead("a page that only waits or redirects", label)
    # Such as the page that shows a file with a link to it: it may be named as the file, which is then a page too.
    if is_web_by_name and scan.is_of_server and declared in _WEB_TYPES and not is_vouched:
        return _sent_instead("one of its web pages", label)
    is_export = expected is not None and declared not in _WEB_TYPES
    if is_vouched or is_web_by_name or is_export:
        return ""
    return _sent_instead("one of its web pages", label)


def _sent_instead(what: str, label: str) -> str:
    return f"Instead of {label or 'the file'}, the portal sent {what}."


def _notes(scan: ContentScan, label: str, *, may_be_message: bool) -> Iterator[str]:
    """Yield what a person should check in an accepted file.

    A header that declares an attachment says nothing of what is in it: many portals send it before they
    look for the file.
    """
    if scan.shape is SoftError.SCRIPT:
        yield f"{label} is {scan.shape}: check whether it is the file."
    elif scan.is_note and may_be_message and scan.undecoded is None:
        yield f"{label} has no more content than a message: check whether it is the file."
    if scan.undecoded is not None:
        yield from scan.undecoded.notes(label)
    yield from _misnamed(scan, label)


def _misnamed(scan: ContentScan, label: str) -> Iterator[str]:
    """Yield the notice for a document whose name is that of another format."""
    named = format_of(label)
    if named is None or scan.kind in PAGES:
        return
    is_text_by_name = ContentType.TEXT in named.kinds and ContentType.ZIP not in named.kinds
    if scan.kind not in named.kinds or (is_text_by_name and scan.magic not in {"", named.media_type}):
        yield f"{label} is {scan.magic or scan.kind}, although its name says otherwise."


def _cut_short(path: Path, size_bytes: int, kind: ContentType) -> Iterator[str]:
    if kind is ContentType.ZIP and not zipfile.is_zipfile(path):
        yield "The ZIP container is truncated: its end record is missing."
    if kind is ContentType.PDF and not _has_end(_tail(path, size_bytes)):
        yield "The PDF is truncated: its end marker is missing."


def _has_end(tail: bytes) -> bool:
    """Whether a PDF ends with its mark, or with text of a server behind it."""
    if b"%%EOF" in tail[-_TAIL_BYTES:]:
        return True
    _, mark, behind = tail.rpartition(b"%%EOF")
    return bool(mark) and not _MORE_PDF.search(behind)


def _tail(path: Path, size_bytes: int) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, size_bytes - _BEHIND_MAX_BYTES), os.SEEK_SET)
        return file.read().rstrip(_PADDING)
