"""How often a slot may come back, and how long it waits. Pure."""

from __future__ import annotations

from dataclasses import dataclass

#: The mission's rule: restart attempts of a worker are limited to 3 per session.
RESTART_LIMIT = 3
#: First pause before a restart; doubled with each further one (design section 4).
FIRST_BACKOFF_S = 0.5


@dataclass(frozen=True, slots=True)
class RestartBudget:
    """The restarts of a slot that count: all of the session, or those of a sliding window where it has no end."""

    #: How long a restart counts; nothing where it counts to the end of the session.
    window_s: float | None = None
    #: When the restarts were, in seconds of a clock that only goes forward.
    spent_at_s: tuple[float, ...] = ()

    def is_spent(self, now_s: float) -> bool:
        """Whether the slot must be given up."""
        return len(self._counting(now_s)) >= RESTART_LIMIT

    def delay_s(self, now_s: float) -> float:
        """Pause before the next restart."""
        return FIRST_BACKOFF_S * 2.0 ** len(self._counting(now_s))

    def spend(self, now_s: float) -> RestartBudget:
        """One restart less."""
        return RestartBudget(window_s=self.window_s, spent_at_s=(*self._counting(now_s), now_s))

    def _counting(self, now_s: float) -> tuple[float, ...]:
        if self.window_s is None:
            return self.spent_at_s
        return tuple(at_s for at_s in self.spent_at_s if now_s - at_s < self.window_s)
