"""Bytes that look like a scan: they do not compress, and cost no more than a copy."""

from __future__ import annotations

import base64
import functools
import hashlib

_BLOCK_BYTES = 1 << 20


@functools.cache
def _block() -> bytes:
    return hashlib.shake_128(b"poolwright demo filler").digest(_BLOCK_BYTES)


def noise(title: str, size_bytes: int) -> bytes:
    """Exactly ``size_bytes``; the title decides where in the block they begin."""
    block = _block()
    start = int.from_bytes(hashlib.sha256(title.encode()).digest()[:4], "big") % _BLOCK_BYTES
    copies = (start + size_bytes) // _BLOCK_BYTES + 1
    return (block * copies)[start : start + size_bytes]


def printable_noise(title: str, size_bytes: int) -> bytes:
    """The same as letters and digits, for files that are text."""
    return base64.b64encode(noise(title, size_bytes), altchars=b"AB")[:size_bytes]
