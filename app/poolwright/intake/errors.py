"""The error for a list that is refused."""

from __future__ import annotations

from poolwright.domain.errors import PoolError


class InputRefusedError(PoolError):
    """The list cannot be read, or contains no order. Its text is one sentence with cause and next step; exit code 3."""
