"""A clock that stands still until it is told to go on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2031, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)


class ManualClock:
    """``domain.ports.Clock`` for tests."""

    def __init__(self) -> None:
        self._passed_s = 0.0
        self._jumped_s = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self._passed_s + self._jumped_s)

    def monotonic(self) -> float:
        return self._passed_s

    def advance(self, seconds: float) -> None:
        self._passed_s += seconds

    def jump(self, seconds: float) -> None:
        """Somebody sets the clock on the wall: no time passes."""
        self._jumped_s += seconds
