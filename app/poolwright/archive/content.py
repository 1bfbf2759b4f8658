"""What a saved file truly is, and what is wrong with it. Shared with the worker, which asks before it keeps one.

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

from poolwright.archive.answers import MESSAGE_MAX_BYTES, Shape
from poolwright.archive.compound import media_type_of_compound
from poolwright.archive.formats import ANY_BYTES, PROSE_TYPES, Format, Kind, format_of, format_of_type
from poolwright.archive.kinds import (
    HEAD_BYTES,
    media_type_of,
    promised_format,
    read_text,
)
from poolwright.archive.look import PAGES, WRITTEN, Look, look_at
from poolwright.archive.packed import media_type_of_package

#: Acrobat looks for the end mark in the last 1024 bytes; others write a little behind it.
_TAIL_BYTES = 2048
#: Padding that some systems put behind a document.
_PADDING = b"\x00\r\n\t "
#: How far back the end of a document may be that has padding or a server's own words behind it.
_BEHIND_MAX_BYTES = 65_536
#: What stands behind an end mark in the middle of a PDF: one that was saved twice, or made for reading page by page.
_MORE_PDF = re.compile(rb"\d\s+\d\s+obj\b|\bendobj\b|\bxref\b|\btrailer\b")
_DOCUMENTS = frozenset({Kind.PDF, Kind.ZIP, Kind.COMPOUND, Kind.RTF})
#: Kinds whose last bytes say that they are the last.
_ENDING = frozenset({Kind.PDF, Kind.ZIP})
_WEB_TYPES = frozenset({"text/html", "application/xhtml+xml"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
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
    shape: Shape | None = None


def inspect(
    path: Path,
    label: str,
    declared_type: str = "",
    *,
    declared_size_bytes: int | None = None,
    is_vouched: bool = False,
    is_own: bool = False,
) -> Finding:
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
        return Finding(media_type=media_type, size_bytes=0, problems=("The file is empty.",))
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES if size_bytes > MESSAGE_MAX_BYTES else MESSAGE_MAX_BYTES)
    look = look_at(path, head, size_bytes, declared)
    wrong = _broken_promise(look, label) if is_own else _wrong_kind(look, label, declared, is_vouched=is_vouched)
    problems = (
        *_wrong_size(size_bytes, declared_size_bytes),
        *([wrong] if wrong else []),
        *(() if is_own else _blank(path, head, size_bytes)),
        # A length that was announced and kept is better proof than how the portal's own file ends.
        *(() if declared_size_bytes == size_bytes else _cut_short(path, size_bytes, look.kind)),
    )
    return Finding(
        media_type=_media_type(path, head[:HEAD_BYTES], look.kind, label, declared),
        size_bytes=size_bytes,
        problems=problems,
        notes=tuple(_notes(look, label)),
        is_page=look.kind in PAGES,
        is_text=look.kind in WRITTEN | PAGES,
        shows_end=look.kind in _ENDING,
        shape=look.shape or (Shape.WAITING if look.is_idle else None),
    )


def is_document_type(media_type: str) -> bool:
    """Whether a declared media type can only be a document: neither a web page nor data for scripts."""
    known = format_of_type(media_type)
    return media_type == ANY_BYTES or (known is not None and bool(known.kinds & _DOCUMENTS))


def _media_type(path: Path, head: bytes, kind: Kind, label: str, declared: str) -> str:
    """A container is opened where no name says what it is; what a server declares of one is often a guess."""
    named = format_of(label)
    within = ""
    if kind is Kind.COMPOUND and (named is None or kind not in named.kinds):
        within = media_type_of_compound(path)
    if kind is Kind.ZIP and (named is None or kind not in named.kinds):
        within = media_type_of_package(path)
    return within or media_type_of(head, kind, promised_format(label, declared), declared)


def _blank(path: Path, head: bytes, size_bytes: int) -> Iterator[str]:
    """A server that makes room for a file and then does not fill it sends nothing but zeros, or an empty line."""
    if any(head):
        if size_bytes <= MESSAGE_MAX_BYTES and not read_text(head).strip():
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


def _wrong_kind(look: Look, label: str, declared: str, *, is_vouched: bool) -> str:
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


def _keeps(promised: Format, look: Look) -> bool:
    """Whether what came is of the kind that was promised; a sentence is no table, drawing or message of programs."""
    is_prose = promised.media_type in {*PROSE_TYPES, ANY_BYTES}
    return look.kind in promised.kinds and (is_prose or not look.is_words)


def _broken_promise(look: Look, label: str) -> str:
    """Explain why a processor's own file does not match its name; empty if it does."""
    promised = format_of(label)
    if promised is None or look.kind in promised.kinds:
        return ""
    return f"{label} should be {promised.media_type}, but it is {look.kind}."


def _wrong_page(look: Look, name: str, declared: str, *, is_vouched: bool) -> str:
    """Why a page of HTML cannot be the file. Most are an error, a login or a viewer, whatever the file is called."""
    named = format_of(name)
    expected = named or format_of_type(declared)
    if expected is not None and look.kind not in expected.kinds:
        return f"{name} should be {expected.media_type}, but the portal sent a web page."
    if look.shape is Shape.ERROR or (look.shape is not None and not is_vouched):
        return f"{name} did not come, but {look.shape}."
    if look.is_idle:
        return f"The portal did not send {name} but a page that only waits or redirects."
    is_web_by_name = named is not None and named.media_type in _WEB_TYPES
    is_export = expected is not None and declared not in _WEB_TYPES
    if is_vouched or is_web_by_name or is_export:
        return ""
    return f"The portal did not send {name} but one of its web pages."


def _notes(look: Look, label: str) -> Iterator[str]:
    """What a person should know of a file that is taken."""
    if look.shape is Shape.SCRIPT:
        yield f"{label} is {look.shape}: check whether it is the file."
    if look.undecoded is not None:
        yield from look.undecoded.notes(label)
    yield from _misnamed(look, label)


def _misnamed(look: Look, label: str) -> Iterator[str]:
    """What to tell of a document that was given the name of another kind."""
    named = format_of(label)
    if named is None or look.kind in PAGES:
        return
    is_text_by_name = Kind.TEXT in named.kinds and Kind.ZIP not in named.kinds
    if look.kind not in named.kinds or (is_text_by_name and look.magic not in {"", named.media_type}):
        yield f"{label} is {look.magic or look.kind}, although its name says otherwise."


def _cut_short(path: Path, size_bytes: int, kind: Kind) -> Iterator[str]:
    if kind is Kind.ZIP and not zipfile.is_zipfile(path):
        yield "The ZIP container is truncated: its end record is missing."
    if kind is Kind.PDF and not _has_end(_tail(path, size_bytes)):
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
