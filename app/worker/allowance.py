"""How much one order may bring: a limit for each file and one for all of them. Pure."""

from __future__ import annotations

from app.domain.options import SizeLimits
from app.worker.received import RefusedError

_STEPS = ("bytes", "KB", "MB", "GB", "TB")
_STEP_BYTES = 1024


class Allowance:
    """What is left for one order. Its downloads, which run side by side, ask before they go on."""

    def __init__(self, limits: SizeLimits) -> None:
        """Begin with nothing used."""
        self._limits = limits
        self._used_bytes = 0

    def check(self, size_bytes: int) -> None:
        """See whether a file that has so many bytes by now, or will have them, still fits.

        Raises:
            RefusedError: It does not.
        """
        if size_bytes > self._limits.file_bytes:
            limit = in_words(self._limits.file_bytes)
            msg = f"it has more than {limit}, the limit for one file (--file-max-mb)"
            raise RefusedError(msg, is_retryable=False)
        if self._used_bytes + size_bytes > self._limits.order_bytes:
            limit = in_words(self._limits.order_bytes)
            msg = f"with it the order would have more than {limit}, the limit for one order (--order-max-mb)"
            raise RefusedError(msg, is_retryable=False)

    def use(self, size_bytes: int) -> None:
        """Count a file that is kept.

        Raises:
            RefusedError: It does not fit beside those that came meanwhile.
        """
        self.check(size_bytes)
        self._used_bytes += size_bytes


def in_words(size_bytes: int) -> str:
    """A size for people."""
    size, step = float(size_bytes), 0
    while size >= _STEP_BYTES and step + 1 < len(_STEPS):
        size, step = size / _STEP_BYTES, step + 1
    return f"{size:.1f}".removesuffix(".0") + f" {_STEPS[step]}"
