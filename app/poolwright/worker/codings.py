"""Undoes how an answer was packed for its way, and knows whether all of it came.

An HTTP client is content with what it can unpack of an answer that was cut off, and with the first of several parts; a
table or a drawing that lacks its end shows that to nobody.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

#: So much is unpacked at once, however little came.
_PIECE_MAX_BYTES = 1024 * 1024
_GZIP_BITS, _ZLIB_BITS, _RAW_BITS = 31, 15, -15
_GZIP_MARK = b"\x1f\x8b"
_NAMELESS = frozenset({"", "identity"})
#: What can be undone here.
CODINGS = frozenset({"gzip", "deflate", *_NAMELESS})


def codings_in(header: str) -> list[str]:
    """What a Content-Encoding header names, first to last; nothing for an answer that is as it is."""
    named = [coding.strip().lower() for coding in header.split(",")]
    return [coding for coding in named if coding not in _NAMELESS]


class Unpacking:
    """One answer on its way through all of its codings."""

    def __init__(self, codings: Sequence[str]) -> None:
        """Begin with nothing. All of them are in ``CODINGS``."""
        self._layers = [_Layer(coding) for coding in reversed(codings)]

    def pieces(self, packed: bytes) -> Iterator[bytes]:
        """Decode a chunk.

        Raises:
            zlib.error: It is not packed so.
        """
        return self._through(packed, 0)

    @property
    def is_whole(self) -> bool:
        """Whether everything ended as it should, if anything came."""
        return all(layer.is_whole for layer in self._layers)

    def _through(self, packed: bytes, number: int) -> Iterator[bytes]:
        if number == len(self._layers):
            yield packed
            return
        for piece in self._layers[number].pieces(packed):
            yield from self._through(piece, number + 1)


class _Layer:
    def __init__(self, coding: str) -> None:
        self._is_gzip = coding == "gzip"
        self._unpacker = zlib.decompressobj(_GZIP_BITS if self._is_gzip else _ZLIB_BITS)
        self._is_begun = False
        self._behind = b""

    @property
    def is_whole(self) -> bool:
        return not self._is_begun or self._unpacker.eof

    def pieces(self, packed: bytes) -> Iterator[bytes]:
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
