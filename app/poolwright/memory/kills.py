"""Whether the system has ended processes for want of memory lately. Reads counters; blocking, a few milliseconds."""

from __future__ import annotations

from collections.abc import Callable

from poolwright.memory.limit import oom_kill_count


class Kills:
    """Counts kills for lack of memory since its creation, in our control group or else on the whole machine."""

    def __init__(self, count: Callable[[], int | None] = oom_kill_count) -> None:
        """Begin to count; ``count`` gives all kills so far, nothing where the system does not tell."""
        self._count = count
        self._before = count()

    @property
    def number(self) -> int:
        """How many there were; 0 where the system does not tell."""
        now = self._count()
        return 0 if now is None or self._before is None else max(0, now - self._before)
