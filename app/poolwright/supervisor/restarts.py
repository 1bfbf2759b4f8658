"""How often a slot may come back, and how long it waits. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

#: The mission's rule: restart attempts of a worker are limited to 3 per session, here for one kind of loss in a window.
RESTART_LIMIT = 3
#: First pause before a restart; doubled with each further one (design section 4).
FIRST_BACKOFF_S = 0.5
#: A slot whose restarts are spent is left empty for so long while others work, and then tried again.
REST_S = 600.0


class LossKind(StrEnum):
    """What kind of loss a worker was. A slot has its restarts for each: one cause does not spend those of another."""

    #: Its process ended or was killed.
    DIED = "died"
    #: It stopped sending messages.
    SILENT = "silent"
    #: It did not start in time.
    SLOW_START = "slow_start"
    #: It sent invalid messages.
    GARBLED = "garbled"
    #: It reported that it cannot continue: its browser or its driver is gone.
    UNABLE = "unable"
    #: It could not be started, or its profile could not be prepared.
    NOT_STARTED = "not_started"
    #: It hung when it had nothing left to do.
    HUNG_AT_END = "hung_at_end"


@dataclass(frozen=True, slots=True)
class Restart:
    """One restart of a slot."""

    #: In seconds of a clock that only goes forward.
    at_s: float
    kind: LossKind = LossKind.DIED


@dataclass(frozen=True, slots=True)
class RestartBudget:
    """The restarts of a slot that count: those of a sliding window, or all where it has none."""

    #: How long a restart counts; ``None`` if it counts to the end of the session.
    window_s: float | None = None
    spent: tuple[Restart, ...] = ()

    def is_spent(self, now_s: float, kind: LossKind = LossKind.DIED) -> bool:
        """Whether the slot must not come back at once after a loss of this kind."""
        return self._count(now_s, kind) >= RESTART_LIMIT

    def delay_s(self, now_s: float, kind: LossKind = LossKind.DIED) -> float:
        """Pause before the next restart."""
        return FIRST_BACKOFF_S * 2.0 ** self._count(now_s, kind)

    def spend(self, now_s: float, kind: LossKind = LossKind.DIED) -> RestartBudget:
        """Return the budget with one restart spent."""
        return RestartBudget(window_s=self.window_s, spent=(*self._counting(now_s), Restart(now_s, kind)))

    def _count(self, now_s: float, kind: LossKind) -> int:
        return sum(one.kind is kind for one in self._counting(now_s))

    def _counting(self, now_s: float) -> tuple[Restart, ...]:
        if self.window_s is None:
            return self.spent
        return tuple(one for one in self.spent if now_s - one.at_s < self.window_s)
