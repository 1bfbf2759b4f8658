"""The pace at which a portal is asked: a token bucket that all workers of a pool share. Pure: the time is given.

Each page of an order and each file is one request. That of the page is taken before the order starts. How many files an
order has is known only at its end; they are charged then, and the next orders wait until they are paid for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

_MINUTE_S = 60.0
#: Requests that may follow each other at once after a rest: those of so many seconds, and at least one.
BURST_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The bucket at one time.

    It never changes: each request gives another one.
    """

    #: Requests a minute; ``None`` for any number.
    rate_per_min: float | None
    #: Requests that may be made now; below 0 while more were made than the rate allows.
    tokens: float
    #: The time of ``tokens``, in seconds of a monotonic clock.
    at_s: float

    @classmethod
    def full(cls, rate_per_min: float | None, now_s: float) -> Pace:
        """Return a bucket after a rest.

        Args:
            rate_per_min: Requests a minute; ``None`` for any number.
            now_s: The time, in seconds of a monotonic clock.
        """
        return cls(rate_per_min=rate_per_min, tokens=_capacity(rate_per_min), at_s=now_s)

    def wait_s(self, now_s: float) -> float:
        """Return the seconds until an order may start; 0 if it may start now."""
        if self.rate_per_min is None:
            return 0.0
        missing = 1.0 - self._refilled(now_s).tokens
        return max(0.0, missing * _MINUTE_S / self.rate_per_min)

    def charge(self, count: int, now_s: float) -> Pace:
        """Return the bucket after so many requests.

        Args:
            count: The number of requests; a negative one gives them back.
            now_s: The time, in seconds of a monotonic clock.
        """
        refilled = self._refilled(now_s)
        return replace(refilled, tokens=min(refilled.tokens - count, _capacity(self.rate_per_min)))

    def _refilled(self, now_s: float) -> Pace:
        if self.rate_per_min is None:
            return replace(self, at_s=now_s)
        come = max(0.0, now_s - self.at_s) * self.rate_per_min / _MINUTE_S
        return replace(self, tokens=min(self.tokens + come, _capacity(self.rate_per_min)), at_s=now_s)


def _capacity(rate_per_min: float | None) -> float:
    return 0.0 if rate_per_min is None else max(1.0, rate_per_min * BURST_S / _MINUTE_S)
