"""How often a slot may come back, and how long it waits. Pure."""

from __future__ import annotations

from dataclasses import dataclass

#: The mission's rule: restart attempts of a worker are limited to 3 per session.
RESTART_LIMIT = 3
#: First pause before a restart; doubled with each further one (design section 4).
FIRST_BACKOFF_S = 0.5


@dataclass(frozen=True, slots=True)
class RestartBudget:
    """What is left of a slot's restarts in this session."""

    spent_count: int = 0

    @property
    def is_spent(self) -> bool:
        """Whether the slot must be given up."""
        return self.spent_count >= RESTART_LIMIT

    @property
    def delay_s(self) -> float:
        """Pause before the next restart."""
        return FIRST_BACKOFF_S * 2.0**self.spent_count

    def spend(self) -> RestartBudget:
        """One restart less."""
        return RestartBudget(self.spent_count + 1)
