"""The real time."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class SystemClock:
    """``domain.ports.Clock`` of this machine."""

    def now(self) -> datetime:
        """Aware UTC."""
        return datetime.now(UTC)  # noqa: TID251 - this is the clock that others take as a parameter

    def monotonic(self) -> float:
        """Seconds that only go forward."""
        return time.monotonic()
