"""A file as it was received: its content coding, type and length, and the errors for a file that was refused.

An HTTP client is content with what it can unpack of an answer that was cut off, and with the first of several parts; a
table or a drawing that lacks its end shows that to nobody.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from poolwright.worker.transfer.content_disposition import NO_DISPOSITION, ContentDisposition

#: So much is unpacked at once, however little came.
_PIECE_MAX_BYTES = 1024 * 1024
_GZIP_BITS, _ZLIB_BITS, _RAW_BITS = 31, 15, -15
_GZIP_MARK = b"\x1f\x8b"
_NAMELESS = frozenset({"", "identity"})
#: What can be undone here.
SUPPORTED_CODINGS = frozenset({"gzip", "deflate", *_NAMELESS})


def parse_content_encoding(header: str) -> list[str]:
    """What a Content-Encoding header names, first to last; nothing for an answer that is as it is."""
    named = [coding.strip().lower() for coding in header.split(",")]
    return [coding for coding in named if coding not in _NAMELESS]


class ContentDecoder:
    """One answer on its way through all of its codings."""

    def __init__(self, codings: Sequence[str]) -> None:
        """Begin with nothing. All of them are in ``CODINGS``."""
        self._layers = [_Layer(coding) for coding in reversed(codings)]

    def decode(self, packed: bytes) -> Iterator[bytes]:
        """Decode a chunk.

        Raises:
            zlib.error: It is not packed so.
        """
        return self._through(packed, 0)

    @property
    def is_complete(self) -> bool:
        """Whether everything ended as it should, if anything came."""
        return all(layer.is_complete for layer in self._layers)

    def _through(self, packed: bytes, number: int) -> Iterator[bytes]:
        if number == len(self._layers):
            yield packed
            return
        for piece in self._layers[number].decode(packed):
            yield from self._through(piece, number + 1)


class _Layer:
    def __init__(self, coding: str) -> None:
        self._is_gzip = coding == "gzip"
        self._unpacker = zlib.decompressobj(_GZIP_BITS if self._is_gzip else _ZLIB_BITS)
        self._is_begun = False
        self._behind = b""

    @property
    def is_complete(self) -> bool:
        return not self._is_begun or self._unpacker.eof

    def decode(self, packed: bytes) -> Iterator[bytes]:
        while packed and (packed := self._next_part(packed)):
            yield from self._unpacked(packed)
            packed = self._unpacker.unused_data

    def _next_part(self, packed: bytes) -> bytes:
        """What is to be unpacked now. Behind an end stands another part, or padding, or what belongs to nobody."""
        if not self._unpacker.eof:
            return packed
        packed = (self._behind + packed).lstrip(b"\x00")
        if not self._is_gzip or not packed.startswith(_GZIP_MARK[: len(packed)]):
            self._is_gzip = False  # nothing more of it is looked at
            return b""
        if len(packed) < len(_GZIP_MARK):
            self._behind = packed
            return b""
        self._behind = b""
        self._unpacker = zlib.decompressobj(_GZIP_BITS)
        return packed

    def _unpacked(self, packed: bytes) -> Iterator[bytes]:
        try:
            piece = self._unpacker.decompress(packed, _PIECE_MAX_BYTES)
        except zlib.error:
            if self._is_gzip or self._is_begun:
                raise
            self._unpacker = zlib.decompressobj(_RAW_BITS)  # some servers take the name of the coding at its word
            piece = self._unpacker.decompress(packed, _PIECE_MAX_BYTES)
        self._is_begun = True
        if piece:
            yield piece
        while self._unpacker.unconsumed_tail or len(piece) == _PIECE_MAX_BYTES:
            piece = self._unpacker.decompress(self._unpacker.unconsumed_tail, _PIECE_MAX_BYTES)
            yield piece


#: A part that is all there is; some servers answer so whatever they are asked.
_ALL_BYTES = re.compile(r"bytes\s+0-(\d{1,18})/(\d{1,18})", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedFile:
    """A file on disk, not looked at yet."""

    path: Path
    #: What the answer's own header says.
    disposition: ContentDisposition = NO_DISPOSITION
    #: Media type in lower case, without parameters; empty where nothing is declared.
    declared_type: str = ""
    #: Length that the answer announced for the file itself.
    declared_bytes: int | None = None
    #: Whether a browser unpacked it, which takes what is cut off within its packing for the whole.
    is_unpacked: bool = False
    #: Whether it may be asked for once more: what a form sends may do more than answer.
    can_ask_again: bool = False
    #: Where the page said that it is.
    source_url: str = ""
    #: Where it was in the end.
    final_url: str = ""


class DownloadRefusedError(Exception):
    """A file was not handed out."""

    def __init__(
        self, problem: str, *, is_retryable: bool, is_for_browser: bool = False, is_session_in_doubt: bool = False
    ) -> None:
        """Keep what a report needs to know, and what may be done about it.

        Args:
            problem: One sentence without a capital letter: what happened.
            is_retryable: Whether another try can help.
            is_for_browser: Whether it may be only that a program asked and not a browser.
            is_session_in_doubt: Whether a portal answers so, too, to somebody who is no longer logged in.
        """
        super().__init__(problem)
        self.is_retryable = is_retryable
        self.is_for_browser = is_for_browser
        self.is_session_in_doubt = is_session_in_doubt


class IncompleteDownloadError(DownloadRefusedError):
    """The end of it did not come."""

    def __init__(self, problem: str) -> None:
        """Another try may bring it."""
        super().__init__(problem, is_retryable=True)


def media_type(header: str) -> str:
    """The media type of a Content-Type header, in lower case and without parameters."""
    return header.partition(";")[0].partition(",")[0].strip().lower()


def announced_size(status: int, headers: Mapping[str, str]) -> int | None:
    """The size of a file as its answer announces it, and nothing where it does not: packed, in chunks, or a part of it.

    Args:
        status: Of the answer.
        headers: Its own, by names in lower case.
    """
    if parse_content_encoding(headers.get("content-encoding", "")):
        return None
    if status == HTTPStatus.PARTIAL_CONTENT:
        found = _ALL_BYTES.fullmatch(headers.get("content-range", "").strip())
        return int(found[2]) if found and int(found[1]) + 1 == int(found[2]) else None
    return None if "transfer-encoding" in headers else content_length(headers.get("content-length", ""))


def content_length(header: str) -> int | None:
    """The length of a Content-Length header; nothing where it is none, and where it comes twice and differs."""
    told = {part.strip() for part in header.split(",")}
    first = told.pop() if len(told) == 1 else ""
    return int(first) if first.isascii() and first.isdigit() else None
