"""What one slot's processes use: now, and at the most since the slot was made."""

from __future__ import annotations

from collections.abc import Callable, Collection

from poolwright.memory.usage import Meter, Usage


class Gauge:
    """Reads the memory of one generation after the other."""

    def __init__(self) -> None:
        """Start without a process."""
        self.now_bytes = 0
        self.peak_bytes = 0
        self._meter: Meter | None = None

    def begin(self, find: Callable[[], Collection[int]]) -> None:
        """A generation has a process; ``find`` gives all that belong to it."""
        self._meter = Meter(find)

    def end(self) -> None:
        """It is gone."""
        self._meter = None
        self.now_bytes = 0

    def read(self, *, is_exact: bool) -> Usage | None:
        """Measure or estimate; nothing when no generation lives. Blocking: 1 ms, or 20 to 230 ms for a measure."""
        meter = self._meter
        if meter is None:
            return None
        usage = meter.measure() if is_exact else meter.estimate()
        if self._meter is meter:  # else it ended meanwhile
            self.now_bytes = usage.memory_bytes
            self.peak_bytes = max(self.peak_bytes, usage.memory_bytes)
        return usage
