"""Pauses of the whole pool: why no order starts, and how long a pause lasts. Pure.

A hold that has a time ends by itself; what it waited for is then simply tried again. Each one in a row is longer, until
a success says that it is over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from poolwright.domain.outcomes import Reason
from poolwright.domain.storage import STORAGE_REASONS, StorageTrouble

#: The first hold for a cause, and the longest: doubled from one to the other.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 5.0, 60.0
#: The longest pause a portal may ask for with Retry-After before it is asked again all the same.
RETRY_AFTER_LIMIT_S = 300.0


class PauseReason(StrEnum):
    """What the pool waits for."""

    #: A person said pause; only a person ends it.
    OPERATOR = "operator"
    PORTAL_DOWN = "portal_down"
    PORTAL_BUSY = "portal_busy"
    DISK_FULL = "disk_full"
    #: The output folder, the journal or the folder for runs does not answer.
    DISK_AWAY = "disk_away"
    #: We may not write there.
    DISK_FORBIDDEN = "disk_forbidden"
    #: A folder of this run is no longer where it was; it is over when the same one is back.
    PLACE_GONE = "place_gone"
    #: Another program keeps the journal locked; it is over when the journal can be used again.
    JOURNAL_LOCKED = "journal_locked"
    #: The workers use more memory than they may; it is over when they no longer do.
    MEMORY_SHORT = "memory_short"
    #: The portal logged us out; one worker brings the login back.
    LOGIN_LOST = "login_lost"
    #: No worker can bring it back; a person logs in, and then says resume.
    LOGIN_REQUIRED = "login_required"


#: What the pool waits for when it cannot store anything.
STORAGE_PAUSES: Mapping[StorageTrouble, PauseReason] = MappingProxyType(
    {
        StorageTrouble.FULL: PauseReason.DISK_FULL,
        StorageTrouble.AWAY: PauseReason.DISK_AWAY,
        StorageTrouble.FORBIDDEN: PauseReason.DISK_FORBIDDEN,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """Which holds are on, and how often each came in a row."""

    active: frozenset[PauseReason] = frozenset()
    row_counts: Mapping[PauseReason, int] = field(default_factory=dict[PauseReason, int])
    #: How often the portal was found to be gone since the pool began.
    outage_count: int = 0

    @property
    def storage(self) -> PauseReason | None:
        """The active pause because of storage, or ``None``."""
        return next(
            (cause for cause in (*STORAGE_PAUSES.values(), PauseReason.PLACE_GONE) if cause in self.active), None
        )

    @property
    def storage_reason(self) -> Reason | None:
        """Why an order that fails now returns to the queue without a spent attempt; ``None`` if storage works."""
        if self.storage is None:
            return None
        troubles = {cause: trouble for trouble, cause in STORAGE_PAUSES.items()}
        return STORAGE_REASONS[troubles.get(self.storage, StorageTrouble.AWAY)]

    def delay_s(self, cause: PauseReason, wish_s: float = 0.0) -> float:
        """Return how long a pause that begins now lasts; the portal may ask for a longer one, up to a limit."""
        grown = FIRST_PAUSE_S * 2.0 ** min(self.row_counts.get(cause, 0), 10)
        return max(min(grown, LONGEST_PAUSE_S), min(wish_s, RETRY_AFTER_LIMIT_S))

    def begin(self, cause: PauseReason) -> Pauses:
        """The hold is on."""
        counts = {**self.row_counts, cause: self.row_counts.get(cause, 0) + 1}
        outages = self.outage_count + (cause is PauseReason.PORTAL_DOWN)
        return Pauses(active=self.active | {cause}, row_counts=counts, outage_count=outages)

    def end(self, cause: PauseReason) -> Pauses:
        """The hold is off; whether that helped shows later."""
        return replace(self, active=self.active - {cause})

    def forget(self, *causes: PauseReason) -> Pauses:
        """It went well: the next hold for one of these causes is a short one again."""
        return replace(
            self, row_counts={cause: count for cause, count in self.row_counts.items() if cause not in causes}
        )
