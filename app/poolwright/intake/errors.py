"""Why a list is not taken."""

from __future__ import annotations

from poolwright.domain.errors import PoolError


class InputRefusedError(PoolError):
    """The list cannot be read, or holds no order. One sentence: the cause and the next step; exit code 3."""
