"""What the daemon refuses. Each message names the cause and the next step."""

from __future__ import annotations

from poolwright.domain.errors import PoolError


class NothingThereError(PoolError):
    """What was asked for is not there."""


class NotPossibleNowError(PoolError):
    """What was asked for is there, and cannot be done as things are."""


class DrainingError(PoolError):
    """The daemon takes nothing new: it is being drained, or its pool has come to its end."""
