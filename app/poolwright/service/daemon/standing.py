"""How the daemon stands at one moment, for those who ask."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from poolwright.domain.states import PoolStatus
from poolwright.supervisor.observation import PoolSnapshot
from poolwright.supervisor.policy.commands import Stop
from poolwright.supervisor.policy.pauses import PauseReason

#: Holds that only a login ends: nothing is done meanwhile, perhaps for long.
_WITHOUT_LOGIN = frozenset({PauseReason.LOGIN_REQUIRED.value, PauseReason.LOGIN_LOST.value})


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Snapshot of the daemon."""

    started_at: datetime
    pool: PoolSnapshot
    #: All orders of the journal by the name of their ``TaskStatus``.
    counts: dict[str, int]
    #: Those that are over, by outcome: each once, in however many lists it stands.
    outcomes: dict[str, int]
    rate_per_s: float
    #: Estimated seconds until all open orders finish; ``None`` if none finishes now.
    left_s: float | None
    is_draining: bool
    #: Why the pool has come to its end, while the daemon lives on; nothing as long as it works.
    end: Stop | None

    @property
    def unready(self) -> tuple[str, ...]:
        """Why it takes no work or does none, a sentence each; empty when it does."""
        return why_unready(self.pool, self.end, is_draining=self.is_draining)


def why_unready(pool: PoolSnapshot, end: Stop | None, *, is_draining: bool) -> tuple[str, ...]:
    """See ``Standing.unready``. Needs no look into the journal: whoever may ask this may ask it all the time."""
    told = ["The daemon is draining."] if is_draining else []
    if end is not None:
        told.append(f"The pool has ended ({end.cause}): {end.detail or 'stopped on request'}")
    if pool.status is PoolStatus.INITIALIZING:
        told.append("No worker is ready yet.")
    held = [cause for cause in pool.holds if cause in _WITHOUT_LOGIN]
    return (*told, *(f"The pool is paused: {cause}." for cause in held))
