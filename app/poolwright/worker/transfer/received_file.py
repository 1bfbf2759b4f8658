"""A file as it was received: its content coding, type and length, and the errors for a file that was refused.

HTTP clients accept a compressed response that was cut short, and the first of several gzip members, without an error,
and not every type of file shows a missing end. So the decoder here detects it.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from poolwright.worker.transfer.content_disposition import NO_DISPOSITION, ContentDisposition
from poolwright.worker.transfer.validators import NO_VALIDATORS, Validators

#: Most bytes of one decoded piece, however small its chunk was.
_PIECE_MAX_BYTES = 1024 * 1024
_GZIP_BITS, _ZLIB_BITS, _RAW_BITS = 31, 15, -15
_GZIP_MAGIC = b"\x1f\x8b"
_NO_CODING = frozenset({"", "identity"})
#: The content codings that ``ContentDecoder`` can decode.
SUPPORTED_CODINGS = frozenset({"gzip", "deflate", *_NO_CODING})


def parse_content_encoding(header: str) -> list[str]:
    """Return the codings of a Content-Encoding header, first to last; empty for a response without one."""
    named = [coding.strip().lower() for coding in header.split(",")]
    return [coding for coding in named if coding not in _NO_CODING]


class ContentDecoder:
    """Decodes one response by all of its codings."""

    def __init__(self, codings: Sequence[str]) -> None:
        """Decode ``codings``, which are all in ``SUPPORTED_CODINGS``."""
        self._layers = [_Layer(coding) for coding in reversed(codings)]

    def decode(self, encoded: bytes) -> Iterator[bytes]:
        """Decode a chunk and yield its pieces.

        Raises:
            zlib.error: The chunk is not encoded in this way.
        """
        return self._decode_from(encoded, 0)

    @property
    def is_complete(self) -> bool:
        """Return whether every coding has reached its end; also true if no bytes came."""
        return all(layer.is_complete for layer in self._layers)

    def _decode_from(self, encoded: bytes, number: int) -> Iterator[bytes]:
        if number == len(self._layers):
            yield encoded
            return
        for piece in self._layers[number].decode(encoded):
            yield from self._decode_from(piece, number + 1)


class _Layer:
    def __init__(self, coding: str) -> None:
        self._is_gzip = coding == "gzip"
        self._decompressor = zlib.decompressobj(_GZIP_BITS if self._is_gzip else _ZLIB_BITS)
        self._has_begun = False
        self._trailing = b""

    @property
    def is_complete(self) -> bool:
        return not self._has_begun or self._decompressor.eof

    def decode(self, encoded: bytes) -> Iterator[bytes]:
        while encoded and (encoded := self._next_part(encoded)):
            yield from self._decompressed(encoded)
            encoded = self._decompressor.unused_data

    def _next_part(self, encoded: bytes) -> bytes:
        """Return the bytes to decode now: after an end follows another gzip member, padding, or bytes to ignore."""
        if not self._decompressor.eof:
            return encoded
        encoded = (self._trailing + encoded).lstrip(b"\x00")
        if not self._is_gzip or not encoded.startswith(_GZIP_MAGIC[: len(encoded)]):
            self._is_gzip = False  # the rest is ignored
            return b""
        if len(encoded) < len(_GZIP_MAGIC):
            self._trailing = encoded
            return b""
        self._trailing = b""
        self._decompressor = zlib.decompressobj(_GZIP_BITS)
        return encoded

    def _decompressed(self, encoded: bytes) -> Iterator[bytes]:
        try:
            piece = self._decompressor.decompress(encoded, _PIECE_MAX_BYTES)
        except zlib.error:
            if self._is_gzip or self._has_begun:
                raise
            self._decompressor = zlib.decompressobj(_RAW_BITS)  # some servers send "deflate" without the zlib header
            piece = self._decompressor.decompress(encoded, _PIECE_MAX_BYTES)
        self._has_begun = True
        if piece:
            yield piece
        while self._decompressor.unconsumed_tail or len(piece) == _PIECE_MAX_BYTES:
            piece = self._decompressor.decompress(self._decompressor.unconsumed_tail, _PIECE_MAX_BYTES)
            yield piece


#: Media types of a web page.
PAGE_TYPES = frozenset({"text/html", "application/xhtml+xml"})
#: A Content-Range of the whole file; some servers answer every request with one.
_ALL_BYTES = re.compile(r"bytes\s+0-(\d{1,18})/(\d{1,18})", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedFile:
    """A file on disk, before its check."""

    path: Path
    #: The Content-Disposition of the response.
    disposition: ContentDisposition = NO_DISPOSITION
    #: Media type in lower case, without parameters; empty if none is declared.
    declared_type: str = ""
    #: Length of the file that the response announced; ``None`` if it announced none.
    declared_bytes: int | None = None
    #: Whether a browser decoded it, which does not detect a missing end.
    is_unpacked: bool = False
    #: Whether it may be requested again: the request of a form may have side effects.
    can_ask_again: bool = False
    #: The address on the page.
    source_url: str = ""
    #: The address after all redirects.
    final_url: str = ""
    #: What a person should check, beside its content.
    notes: tuple[str, ...] = ()
    validators: Validators = NO_VALIDATORS
    #: Whether the portal answered that it is the file that we have; nothing was written then.
    is_unchanged: bool = False


class DownloadRefusedError(Exception):
    """A file could not be downloaded, or was refused by a check."""

    def __init__(
        self,
        problem: str,
        *,
        is_retryable: bool,
        is_for_browser: bool = False,
        is_session_in_doubt: bool = False,
        asks_for_login: bool = False,
    ) -> None:
        """Keep the problem for the report, and the next tries that may help.

        Args:
            problem: One sentence without a capital letter: what happened.
            is_retryable: Whether another try can help.
            is_for_browser: Whether a browser may get the file although our HTTP client did not.
            is_session_in_doubt: Whether a lost login may be the cause.
            asks_for_login: Whether a page came instead that asks for a login by the pack's marks.
        """
        super().__init__(problem)
        self.is_retryable = is_retryable
        self.is_for_browser = is_for_browser
        self.is_session_in_doubt = is_session_in_doubt or asks_for_login
        self.asks_for_login = asks_for_login
        #: The name that the file would have had; empty if only the page names it.
        self.label = ""

    def add_doubts(self, other: DownloadRefusedError) -> None:
        """Doubt the session if another refusal of the same file does."""
        self.is_session_in_doubt |= other.is_session_in_doubt
        self.asks_for_login |= other.asks_for_login


class IncompleteDownloadError(DownloadRefusedError):
    """The end of a file is missing."""

    def __init__(self, problem: str) -> None:
        """Create the error; another try may help."""
        super().__init__(problem, is_retryable=True)


def media_type(header: str) -> str:
    """Return the media type of a Content-Type header, in lower case and without parameters."""
    return header.partition(";")[0].partition(",")[0].strip().lower()


def announced_size(status: int, headers: Mapping[str, str]) -> int | None:
    """Return the size of a file that its response announces; ``None`` if it is encoded, chunked, or only a part.

    Args:
        status: The HTTP status of the response.
        headers: Its headers, with names in lower case.
    """
    if parse_content_encoding(headers.get("content-encoding", "")):
        return None
    if status == HTTPStatus.PARTIAL_CONTENT:
        match = _ALL_BYTES.fullmatch(headers.get("content-range", "").strip())
        return int(match[2]) if match and int(match[1]) + 1 == int(match[2]) else None
    return None if "transfer-encoding" in headers else content_length(headers.get("content-length", ""))


def content_length(header: str) -> int | None:
    """Return the length in a Content-Length header; ``None`` if it is invalid, or comes twice with different values."""
    values = {part.strip() for part in header.split(",")}
    first = values.pop() if len(values) == 1 else ""
    return int(first) if first.isascii() and first.isdigit() else None
