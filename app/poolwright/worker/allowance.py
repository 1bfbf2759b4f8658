"""How much one order may bring: a limit for each file, one for all of them, and what the disk has room for.

A disk that is full holds everybody up until there is room again. So an order that alone would fill it makes room first:
it is refused what does not fit, and others go on.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Self

from poolwright.domain.options import SizeLimits
from poolwright.worker.received import RefusedError

_STEPS = ("bytes", "KB", "MB", "GB", "TB")
_STEP_BYTES = 1024
#: So much of the disk is left to others: the journal, manifests, and orders that need less than this.
FLOOR_BYTES = 64 * 1024 * 1024
#: What comes between two looks at the disk.
_LOOK_EACH_BYTES = 8 * 1024 * 1024


class Allowance:
    """What is left for one order. Its downloads, which run side by side, ask before they go on."""

    def __init__(self, limits: SizeLimits) -> None:
        """Begin with nothing used."""
        self._limits = limits
        self._used_bytes = 0
        self._folder: Path | None = None
        self._looked_bytes = 0

    def on(self, folder: Path) -> Self:
        """The same, with an eye on the disk of the folder in which files land."""
        self._folder = folder
        return self

    def expect(self, size_bytes: int) -> None:
        """See whether a file fits that is announced to have so many bytes, and of which none is on the disk yet.

        Raises:
            RefusedError: It does not.
        """
        self._check_limits(size_bytes)
        if size_bytes >= FLOOR_BYTES:
            self._check_room(size_bytes)

    def check(self, size_bytes: int) -> None:
        """See whether a file that has so many bytes by now still fits. Blocking, but of a local disk's memory.

        Raises:
            RefusedError: It does not.
        """
        self._check_limits(size_bytes)
        is_large = self._used_bytes + size_bytes >= FLOOR_BYTES
        if is_large and abs(size_bytes - self._looked_bytes) >= _LOOK_EACH_BYTES:
            self._looked_bytes = size_bytes
            self._check_room(0)

    def _check_room(self, coming_bytes: int) -> None:
        free = None if self._folder is None else free_bytes(self._folder)
        if free is not None and free - coming_bytes < FLOOR_BYTES:
            left = f"{in_words(free)} are free, of which {in_words(FLOOR_BYTES)} are reserved for other orders"
            msg = f"the disk has no room for it ({left}); free some space and run the list again"
            raise RefusedError(msg, is_retryable=True)

    def _check_limits(self, size_bytes: int) -> None:
        if size_bytes > self._limits.file_bytes:
            limit = in_words(self._limits.file_bytes)
            msg = f"it exceeds {limit}, the limit for one file (--file-max-mb)"
            raise RefusedError(msg, is_retryable=False)
        if self._used_bytes + size_bytes > self._limits.order_bytes:
            limit = in_words(self._limits.order_bytes)
            msg = f"with it the order would exceed {limit}, the limit for one order (--order-max-mb)"
            raise RefusedError(msg, is_retryable=False)

    def use(self, size_bytes: int) -> None:
        """Count a file that is kept.

        Raises:
            RefusedError: It does not fit beside those that came meanwhile.
        """
        self._check_limits(size_bytes)
        self._used_bytes += size_bytes


def free_bytes(folder: Path) -> int | None:
    """Free bytes on the disk of a folder; ``None`` if unknown. Blocking."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def in_words(size_bytes: int) -> str:
    """Format a size for people."""
    size, step = float(size_bytes), 0
    while size >= _STEP_BYTES and step + 1 < len(_STEPS):
        size, step = size / _STEP_BYTES, step + 1
    return f"{size:.1f}".removesuffix(".0") + f" {_STEPS[step]}"
