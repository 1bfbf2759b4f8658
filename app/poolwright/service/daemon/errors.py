"""Errors of the daemon's operations. Each message names the cause and the next step."""

from __future__ import annotations

from poolwright.domain.errors import PoolError


class NotFoundError(PoolError):
    """The requested object does not exist."""


class ConflictError(PoolError):
    """The request cannot be carried out in the current state."""


class DrainingError(PoolError):
    """The daemon accepts no new orders: it is draining, or its pool has ended."""
