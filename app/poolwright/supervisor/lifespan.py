"""How long a login of this portal lasts, measured while the pool runs. Pure; seconds of a clock that only goes forward.

The shortest of the last measured lives counts: a portal may end sessions for more than one cause, and to renew a
little too early costs one login, to renew too late costs the pages that were under way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

#: So many measured lives are remembered.
LIVES_MAX = 3
#: A login that ended sooner was ended by something else than its age; nothing can be foretold of it.
LEAST_LIFE_S = 60.0
#: Share of its life after which a login is renewed: the orders in flight are finished before.
EARLY_SHARE = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifespan:
    """What is known of one login and of those before it."""

    #: When the current login was made; ``None`` if it came with the profile.
    begun_at_s: float | None = None
    lives_s: tuple[float, ...] = ()
    #: Counts logins, so that a plan for an old one can be told from one for the present.
    number: int = 0

    @property
    def expected_s(self) -> float | None:
        """Expected lifetime of a login; ``None`` before one was measured."""
        return min(self.lives_s, default=None)

    @property
    def renewal_s(self) -> float | None:
        """Age at which a login should be renewed; ``None`` before a lifetime was measured."""
        return None if self.expected_s is None else self.expected_s * EARLY_SHARE

    def begin(self, at_s: float) -> Lifespan:
        """A login was made."""
        return replace(self, begun_at_s=at_s, number=self.number + 1)

    def end(self, at_s: float) -> Lifespan:
        """It ended by itself; only the first notice of it counts."""
        if self.begun_at_s is None:
            return self
        lived_s = at_s - self.begun_at_s
        measured = (*self.lives_s, lived_s)[-LIVES_MAX:] if lived_s >= LEAST_LIFE_S else self.lives_s
        return replace(self, begun_at_s=None, lives_s=measured)
