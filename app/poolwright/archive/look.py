"""What a saved file shows of itself: its kind, and what it may be that is no file. Shared with the worker."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from poolwright.archive.answers import MESSAGE_MAX_BYTES, Shape, is_words, is_written_document, shape_of
from poolwright.archive.faults import FAULT_TYPES
from poolwright.archive.formats import Kind
from poolwright.archive.kinds import HEAD_BYTES, kind_of, media_type_by_magic, read_text
from poolwright.archive.replies import is_data, read_json, read_xml
from poolwright.archive.undecoded import Undecoded, undecoded
from poolwright.archive.web_page import WebPage

PAGES, WRITTEN = frozenset({Kind.HTML, Kind.OFFICE_HTML}), frozenset({Kind.TEXT, Kind.XML, Kind.JSON})
#: A page that is larger is a document.
_PAGE_MAX_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look found."""

    kind: Kind
    #: What the answer is where it is no file.
    shape: Shape | None
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
    undecoded: Undecoded | None


def look_at(path: Path, head: bytes, size_bytes: int, declared: str) -> Look:
    """Look at a file.

    Args:
        path: It.
        head: Its beginning, and all of it where it is no larger than a message.
        size_bytes: How large it is.
        declared: The media type that the portal declared, in lower case and without parameters.

    Raises:
        OSError: The file cannot be read.
    """
    kind = kind_of(head[:HEAD_BYTES])
    shape = shape_of(head, kind) if size_bytes <= MESSAGE_MAX_BYTES else None
    if declared in FAULT_TYPES and kind in WRITTEN:
        shape = Shape.ERROR
    magic = media_type_by_magic(head[:HEAD_BYTES]) if kind is Kind.BINARY else ""
    is_document = bool(magic) or kind not in {*PAGES, *WRITTEN, Kind.BINARY}
    is_written = _is_written(head, size_bytes, kind)
    is_sentence = kind is Kind.TEXT and size_bytes <= MESSAGE_MAX_BYTES and is_words(head)
    return Look(
        kind=kind,
        shape=shape,
        is_document=is_document,
        is_written=is_written,
        is_words=is_sentence,
        magic=magic,
        is_idle=kind in PAGES and _is_idle(path, head, size_bytes),
        undecoded=undecoded(head, kind, size_bytes),
    )


def _is_idle(path: Path, head: bytes, size_bytes: int) -> bool:
    """Forms that send themselves may carry much that nobody sees."""
    if size_bytes > _PAGE_MAX_BYTES:
        return False
    return WebPage(read_text(head if size_bytes <= len(head) else path.read_bytes())).is_idle


def _is_written(head: bytes, size_bytes: int, kind: Kind) -> bool:
    """Whether a text has the form of a document; a few values of JSON or XML are as likely an answer."""
    match kind:
        case Kind.XML | Kind.JSON if size_bytes > MESSAGE_MAX_BYTES:
            return True
        case Kind.XML:
            return is_data(read_xml(read_text(head)))
        case Kind.JSON:
            return is_data(read_json(read_text(head)))
        case _:
            return kind is Kind.TEXT and is_written_document(head[:HEAD_BYTES])
