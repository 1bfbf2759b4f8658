"""Pauses of the whole pool: why no order starts, and how long a pause lasts. Pure.

A pause with a time limit ends by itself, and what it waited for is tried again. A portal that asks for more time during
a pause gets it. Consecutive pauses for one cause grow
longer, until a success shows that it is gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from poolwright.domain.outcomes import Reason
from poolwright.domain.storage import STORAGE_REASONS, StorageTrouble

#: The first pause for a cause, and the longest: each one is twice as long as the one before.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 5.0, 60.0
#: The longest pause that a portal can request with Retry-After.
RETRY_AFTER_LIMIT_S = 300.0


class PauseReason(StrEnum):
    """Reasons of a pause."""

    #: A person paused the pool, and a person ends it.
    OPERATOR = "operator"
    PORTAL_DOWN = "portal_down"
    PORTAL_BUSY = "portal_busy"
    #: It is outside the portal's working hours; the orders in hand are finished.
    OUTSIDE_HOURS = "outside_hours"
    DISK_FULL = "disk_full"
    #: The output folder, the journal or the folder for runs does not answer.
    DISK_AWAY = "disk_away"
    #: Writing to the folder is not permitted.
    DISK_FORBIDDEN = "disk_forbidden"
    #: A folder of this run was moved or removed; it ends when the same folder is back.
    PLACE_GONE = "place_gone"
    #: Another program has locked the journal; it ends when the journal can be used again.
    JOURNAL_LOCKED = "journal_locked"
    #: The workers use more memory than they may; it ends when they no longer do.
    MEMORY_SHORT = "memory_short"
    #: The session was logged out; one worker logs in again.
    LOGIN_LOST = "login_lost"
    #: No worker can log in; a person logs in and then resumes the pool.
    LOGIN_REQUIRED = "login_required"


#: The pause for each kind of storage trouble.
STORAGE_PAUSES: Mapping[StorageTrouble, PauseReason] = MappingProxyType(
    {
        StorageTrouble.FULL: PauseReason.DISK_FULL,
        StorageTrouble.AWAY: PauseReason.DISK_AWAY,
        StorageTrouble.FORBIDDEN: PauseReason.DISK_FORBIDDEN,
    }
)


def capped_wish_s(wish_s: float) -> float:
    """Return the seconds of a pause that a portal gets if it asks for so many."""
    return min(wish_s, RETRY_AFTER_LIMIT_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseEnd:
    """The end of a pause with a time limit."""

    #: In seconds of a monotonic clock.
    until_s: float
    #: How many times the portal asked for more time.
    extension_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """The active pauses, and the number of consecutive pauses for each cause."""

    active: frozenset[PauseReason] = frozenset()
    row_counts: Mapping[PauseReason, int] = field(default_factory=dict[PauseReason, int])
    #: The end of each active pause with a time limit.
    ends: Mapping[PauseReason, PauseEnd] = field(default_factory=dict[PauseReason, PauseEnd])
    #: Number of outages of the portal since the pool began.
    outage_count: int = 0

    @property
    def storage(self) -> PauseReason | None:
        """The active pause because of storage, or ``None``."""
        return next(
            (cause for cause in (*STORAGE_PAUSES.values(), PauseReason.PLACE_GONE) if cause in self.active), None
        )

    @property
    def storage_reason(self) -> Reason | None:
        """The reason with which an order that fails now returns unspent to the queue; ``None`` if storage works."""
        if self.storage is None:
            return None
        troubles = {cause: trouble for trouble, cause in STORAGE_PAUSES.items()}
        return STORAGE_REASONS[troubles.get(self.storage, StorageTrouble.AWAY)]

    def delay_s(self, cause: PauseReason, wish_s: float = 0.0) -> float:
        """Return the length of a pause that begins now; the portal may request a longer one, up to a limit."""
        grown = FIRST_PAUSE_S * 2.0 ** min(self.row_counts.get(cause, 0), 10)
        return max(min(grown, LONGEST_PAUSE_S), capped_wish_s(wish_s))

    def begin(self, cause: PauseReason, until_s: float | None = None) -> Pauses:
        """Return the state after a pause began; ``until_s`` is ``None`` if it has no time limit."""
        counts = {**self.row_counts, cause: self.row_counts.get(cause, 0) + 1}
        outages = self.outage_count + (cause is PauseReason.PORTAL_DOWN)
        ends = self.ends if until_s is None else {**self.ends, cause: PauseEnd(until_s=until_s)}
        return replace(self, active=self.active | {cause}, row_counts=counts, outage_count=outages, ends=ends)

    def extend(self, cause: PauseReason, until_s: float) -> Pauses | None:
        """Return the state after an active pause was extended; ``None`` if it is as long already, or has no limit."""
        end = self.ends.get(cause)
        if end is None or until_s <= end.until_s:
            return None
        later = PauseEnd(until_s=until_s, extension_count=end.extension_count + 1)
        return replace(self, ends={**self.ends, cause: later})

    def extension_count(self, cause: PauseReason) -> int:
        """Return how many times an active pause was extended."""
        end = self.ends.get(cause)
        return 0 if end is None else end.extension_count

    def end(self, cause: PauseReason) -> Pauses:
        """Return the state after a pause ended; the count of consecutive pauses stays until a success."""
        ends = {other: end for other, end in self.ends.items() if other is not cause}
        return replace(self, active=self.active - {cause}, ends=ends)

    def forget(self, *causes: PauseReason) -> Pauses:
        """Return the state after a success: the next pause for one of these causes is short again."""
        return replace(
            self, row_counts={cause: count for cause, count in self.row_counts.items() if cause not in causes}
        )
