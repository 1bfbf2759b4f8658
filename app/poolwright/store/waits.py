"""When a task that has to wait may start: in time that only goes forward, whatever happens to the clock on the wall.

A wait is written down as a moment, for the next run of the program. Within one run that moment is reckoned from the
run's beginning: a clock that is set back does not make anybody wait, and one that jumps ahead lets nobody start early.
The next run knows nothing of what happened to the clock between, so it lets no task wait longer than any wait can be.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from poolwright.domain.ports import Clock

#: No task is told to wait longer: a portal that asks for more is asked again all the same.
WAIT_MAX_S = 300.0


class Waits:
    """A clock for retries within one run, unaffected by changes of the wall clock."""

    def __init__(self, clock: Clock) -> None:
        """The run begins now."""
        self._clock = clock
        self._begun_at, self._begun_s = clock.now(), clock.monotonic()

    def now(self) -> datetime:
        """What the clock on the wall would show, had nobody touched it since the run began."""
        return self._begun_at + timedelta(seconds=self._clock.monotonic() - self._begun_s)

    def until(self, delay_s: float) -> datetime | None:
        """When a delay that begins now ends; ``None`` if there is no delay."""
        return self.now() + timedelta(seconds=delay_s) if delay_s > 0 else None

    def longest(self) -> datetime:
        """The end of the longest wait that could begin now."""
        return self.now() + timedelta(seconds=WAIT_MAX_S)
