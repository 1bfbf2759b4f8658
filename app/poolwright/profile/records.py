"""The records of a LevelDB log or manifest: how they are laid out in blocks, and that each fits its checksum."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import cast

import google_crc32c

#: CRC-32C; the package doesn't say what it takes.
_crc32c = cast("Callable[[bytes], int]", google_crc32c.value)  # pyright: ignore[reportUnknownMemberType]

_BLOCK_BYTES = 32 * 1024
#: Checksum of what follows the length, length, kind.
_HEADER = struct.Struct("<IHB")
_KIND_OFFSET = 6
_FILLING, _WHOLE, _FIRST, _LAST = 0, 1, 2, 4


def read_records(content: bytes) -> Iterator[tuple[bytes, int]]:
    """Each whole record with the place behind it. One that the end cuts off was never promised to anyone.

    Raises:
        ValueError: A record begins as none does, or does not fit its checksum.
    """
    position = 0
    parts: list[bytes] = []
    while position + _HEADER.size <= len(content):
        left = _BLOCK_BYTES - position % _BLOCK_BYTES
        checksum, length, kind = _HEADER.unpack_from(content, position) if left >= _HEADER.size else (0, 0, _FILLING)
        if kind == _FILLING and not length:
            position += left
            continue
        end = position + _HEADER.size + length
        if kind > _LAST or length > left - _HEADER.size:
            msg = "no record begins so"
            raise ValueError(msg)
        if end > len(content):
            return
        if _masked(_crc32c(content[position + _KIND_OFFSET : end])) != checksum:
            msg = "wrong checksum"
            raise ValueError(msg)
        part = content[position + _HEADER.size : end]
        parts = [part] if kind in {_WHOLE, _FIRST} else [*parts, part]
        position = end
        if kind in {_WHOLE, _LAST}:
            yield b"".join(parts), end


def _masked(checksum: int) -> int:
    """As LevelDB stores checksums, so that a checksum of checksums stays one."""
    return ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF
