"""Inspects a saved file: its content type, and whether it can be the file that was promised.

Reads the first bytes and the last, never a whole file that is large. Hashes are the downloader's work; whether the
session behind a page that asks for a password is still alive is the worker's.
"""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
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
)

PAGES, TEXTUAL = (
    frozenset({ContentType.HTML, ContentType.OFFICE_HTML}),
    frozenset({ContentType.TEXT, ContentType.XML, ContentType.JSON}),
)
#: A page that is larger is a document.
_PAGE_MAX_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentScan:
    """What one look found."""

    kind: ContentType
    #: What the answer is where it is no file.
    shape: SoftError | None
    #: Whether the bytes alone say that they are a document of some kind.
    is_document: bool
    #: Whether a program wrote it, as far as a text can show that.
    is_written: bool
    #: Whether it is a sentence, and no data.
    is_words: bool
    #: The media type that the first bytes of binary data tell; empty where they tell nothing.
    magic: str
    #: Whether it is a page that surely is no document, whoever calls it one.
    is_idle: bool
    #: What file it stands for, where a portal may have forgotten to decode it.
    undecoded: EncodedFile | None


def scan_content(path: Path, head: bytes, size_bytes: int, declared: str) -> ContentScan:
    """Look at a file.

    Args:
        path: It.
        head: Its beginning, and all of it where it is no larger than a message.
        size_bytes: How large it is.
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
        magic=magic,
        is_idle=kind in PAGES and _is_idle(path, head, size_bytes),
        undecoded=find_encoded_file(head, kind, size_bytes),
    )


def _is_idle(path: Path, head: bytes, size_bytes: int) -> bool:
    """Forms that send themselves may carry much that nobody sees."""
    if size_bytes > _PAGE_MAX_BYTES:
        return False
    return WebPage(decode_text(head if size_bytes <= len(head) else path.read_bytes())).is_interstitial


def _is_written(head: bytes, size_bytes: int, kind: ContentType) -> bool:
    """Whether a text has the form of a document; a few values of JSON or XML are as likely an answer."""
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
#: Padding that some systems put behind a document.
_PADDING = b"\x00\r\n\t "
#: How far back the end of a document may be that has padding or a server's own words behind it.
_BEHIND_MAX_BYTES = 65_536
#: What stands behind an end mark in the middle of a PDF: one that was saved twice, or made for reading page by page.
_MORE_PDF = re.compile(rb"\d\s+\d\s+obj\b|\bendobj\b|\bxref\b|\btrailer\b")
_DOCUMENTS = frozenset({ContentType.PDF, ContentType.ZIP, ContentType.COMPOUND, ContentType.RTF})
#: Kinds whose last bytes say that they are the last.
_ENDING = frozenset({ContentType.PDF, ContentType.ZIP})
_WEB_TYPES = frozenset({"text/html", "application/xhtml+xml"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SniffResult:
    """The result of inspecting a saved file."""

    #: By content, in detail by the name where that fits.
    media_type: str
    size_bytes: int
    #: One sentence for each reason not to take the file; empty when it is good.
    problems: tuple[str, ...] = ()
    #: One sentence for each thing that a person should know of a file that is taken all the same.
    notes: tuple[str, ...] = ()
    #: Whether a page of HTML came.
    is_page: bool = False
    #: Whether it can be read as text, so that a portal may have written it in the place of a file.
    is_text: bool = False
    #: Whether the end of such a file shows itself, so that one that was cut off is known.
    shows_end: bool = False
    #: What the answer is where it is no file.
    shape: SoftError | None = None


def sniff(
    path: Path,
    label: str,
    declared_type: str = "",
    *,
    declared_size_bytes: int | None = None,
    is_vouched: bool = False,
    is_own: bool = False,
) -> SniffResult:
    """Inspect a saved file: its media type, and whether it can be the promised file.

    Args:
        path: The file, complete.
        label: How the portal calls it; its ending says what to expect. Unknown endings pass.
        declared_type: Media type that the portal declared; says what to expect where the label does not.
        declared_size_bytes: Size that the portal declared for the file itself, not for a compressed transfer of it.
        is_vouched: Whether the portal said, in the header of the answer itself, that this is an attachment.
        is_own: Whether a processor made it and no portal sent it: nothing counts then but what its name says.

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
    look = scan_content(path, head, size_bytes, declared)
    wrong = _broken_promise(look, label) if is_own else _wrong_kind(look, label, declared, is_vouched=is_vouched)
    problems = (
        *_wrong_size(size_bytes, declared_size_bytes),
        *([wrong] if wrong else []),
        *(() if is_own else _blank(path, head, size_bytes)),
        # A length that was announced and kept is better proof than how the portal's own file ends.
        *(() if declared_size_bytes == size_bytes else _cut_short(path, size_bytes, look.kind)),
    )
    return SniffResult(
        media_type=_media_type(path, head[:HEAD_BYTES], look.kind, label, declared),
        size_bytes=size_bytes,
        problems=problems,
        notes=tuple(_notes(look, label)),
        is_page=look.kind in PAGES,
        is_text=look.kind in TEXTUAL | PAGES,
        shows_end=look.kind in _ENDING,
        shape=look.shape or (SoftError.WAITING if look.is_idle else None),
    )


def is_document_type(media_type: str) -> bool:
    """Whether a declared media type can only be a document: neither a web page nor data for scripts."""
    known = format_of_type(media_type)
    return media_type == ANY_BYTES or (known is not None and bool(known.kinds & _DOCUMENTS))


def _media_type(path: Path, head: bytes, kind: ContentType, label: str, declared: str) -> str:
    """A container is opened where no name says what it is; what a server declares of one is often a guess."""
    named = format_of(label)
    within = ""
    if kind is ContentType.COMPOUND and (named is None or kind not in named.kinds):
        within = media_type_of_compound(path)
    if kind is ContentType.ZIP and (named is None or kind not in named.kinds):
        within = media_type_of_package(path)
    return within or media_type_of(head, kind, promised_format(label, declared), declared)


def _blank(path: Path, head: bytes, size_bytes: int) -> Iterator[str]:
    """A server that makes room for a file and then does not fill it sends nothing but zeros, or an empty line."""
    if any(head):
        if size_bytes <= MESSAGE_MAX_BYTES and not decode_text(head).strip():
            yield "The file contains only white space."
        return
    with path.open("rb") as file:
        while part := file.read(_BEHIND_MAX_BYTES):
            if any(part):
                return
    yield "The file contains only zero bytes."


def _wrong_size(size_bytes: int, declared_size_bytes: int | None) -> Iterator[str]:
    if declared_size_bytes is not None and declared_size_bytes != size_bytes:
        yield f"The portal announced {declared_size_bytes:,} bytes and sent {size_bytes:,}."


def _wrong_kind(look: ContentScan, label: str, declared: str, *, is_vouched: bool) -> str:
    """Explain why the received content cannot be the file; empty if it can.

    A document is one, whatever its name says. Anything that can be read may be an error message too: it must be what
    the name promises, or be vouched for, and have no shape of one.
    """
    name = label or "The file"
    if look.is_document:
        return ""
    if look.kind in PAGES:
        return _wrong_page(look, name, declared, is_vouched=is_vouched)
    if look.shape is not None:
        return f"{name} did not come, but {look.shape}."
    promised = promised_format(label, declared)
    if look.undecoded is not None and look.undecoded.is_no_file(label, declared):
        return f"The portal did not send {name} but {look.undecoded.what}: it did not decode the file."
    is_renamed = look.is_written and (is_vouched or format_of(label) is None)
    if promised is None or _keeps(promised, look) or is_renamed:
        return ""
    what = "a sentence" if look.is_words else look.kind
    return f"{name} should be {promised.media_type}, but the portal sent {what}."


def _keeps(promised: FileFormat, look: ContentScan) -> bool:
    """Whether what came is of the kind that was promised; a sentence is no table, drawing or message of programs."""
    is_prose = promised.media_type in {*PROSE_TYPES, ANY_BYTES}
    return look.kind in promised.kinds and (is_prose or not look.is_words)


def _broken_promise(look: ContentScan, label: str) -> str:
    """Explain why a processor's own file does not match its name; empty if it does."""
    promised = format_of(label)
    if promised is None or look.kind in promised.kinds:
        return ""
    return f"{label} should be {promised.media_type}, but it is {look.kind}."


def _wrong_page(look: ContentScan, name: str, declared: str, *, is_vouched: bool) -> str:
    """Why a page of HTML cannot be the file. Most are an error, a login or a viewer, whatever the file is called."""
    named = format_of(name)
    expected = named or format_of_type(declared)
    if expected is not None and look.kind not in expected.kinds:
        return f"{name} should be {expected.media_type}, but the portal sent a web page."
    if look.shape is SoftError.ERROR or (look.shape is not None and not is_vouched):
        return f"{name} did not come, but {look.shape}."
    if look.is_idle:
        return f"The portal did not send {name} but a page that only waits or redirects."
    is_web_by_name = named is not None and named.media_type in _WEB_TYPES
    is_export = expected is not None and declared not in _WEB_TYPES
    if is_vouched or is_web_by_name or is_export:
        return ""
    return f"The portal did not send {name} but one of its web pages."


def _notes(look: ContentScan, label: str) -> Iterator[str]:
    """What a person should know of a file that is taken."""
    if look.shape is SoftError.SCRIPT:
        yield f"{label} is {look.shape}: check whether it is the file."
    if look.undecoded is not None:
        yield from look.undecoded.notes(label)
    yield from _misnamed(look, label)


def _misnamed(look: ContentScan, label: str) -> Iterator[str]:
    """What to tell of a document that was given the name of another kind."""
    named = format_of(label)
    if named is None or look.kind in PAGES:
        return
    is_text_by_name = ContentType.TEXT in named.kinds and ContentType.ZIP not in named.kinds
    if look.kind not in named.kinds or (is_text_by_name and look.magic not in {"", named.media_type}):
        yield f"{label} is {look.magic or look.kind}, although its name says otherwise."


def _cut_short(path: Path, size_bytes: int, kind: ContentType) -> Iterator[str]:
    if kind is ContentType.ZIP and not zipfile.is_zipfile(path):
        yield "The ZIP container is truncated: its end record is missing."
    if kind is ContentType.PDF and not _has_end(_tail(path, size_bytes)):
        yield "The PDF is truncated: its end marker is missing."


def _has_end(tail: bytes) -> bool:
    """Whether a PDF ends in its mark, or in words of a server behind it that are no part of a PDF."""
    if b"%%EOF" in tail[-_TAIL_BYTES:]:
        return True
    _, mark, behind = tail.rpartition(b"%%EOF")
    return bool(mark) and not _MORE_PDF.search(behind)


def _tail(path: Path, size_bytes: int) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, size_bytes - _BEHIND_MAX_BYTES), os.SEEK_SET)
        return file.read().rstrip(_PADDING)
