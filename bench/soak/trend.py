"""How a figure goes after the warm-up. Pure.

The first fifth of the time is warm-up. The median of the last fifth is compared with that of the fifth after the
warm-up: medians do not care about the one sample that met two fat pages at once. The slope of a straight line through
everything after the warm-up is told beside it.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

#: Part of the time that is warm-up, and that each of the two compared stretches takes.
FIFTH = 0.2
_SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """A figure soon after the warm-up and at the end."""

    early: float
    late: float
    #: Change in an hour if it went on like this.
    slope_per_h: float

    @property
    def growth(self) -> float:
        """Part by which it grew: 0.05 for 5 %; negative where it shrank."""
        if self.early == 0:
            return 0.0 if self.late == 0 else math.inf
        return self.late / self.early - 1


def trend(times_s: Sequence[float], values: Sequence[float | None]) -> Trend | None:
    """The trend of a figure over the time of its samples; a value may be missing.

    Returns:
        Nothing where one of the two stretches has no value: the soak was too short to tell.
    """
    known = [(at_s, value) for at_s, value in zip(times_s, values, strict=True) if value is not None]
    end_s = max(times_s, default=0.0)
    early = [value for at_s, value in known if FIFTH * end_s <= at_s < 2 * FIFTH * end_s]
    late = [value for at_s, value in known if at_s >= (1 - FIFTH) * end_s]
    warm = [(at_s, value) for at_s, value in known if at_s >= FIFTH * end_s]
    if not early or not late:
        return None
    line = statistics.linear_regression([at_s for at_s, _ in warm], [value for _, value in warm])
    return Trend(
        early=statistics.median(early), late=statistics.median(late), slope_per_h=line.slope * _SECONDS_PER_HOUR
    )


def percentile(values: Sequence[float], part: float) -> float | None:
    """The smallest value that at least that part of all values does not exceed; nothing where there is none."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(part * len(values)) - 1)]


def median(values: Sequence[float]) -> float | None:
    """The middle one; nothing where there is none."""
    return statistics.median(values) if values else None


def running_median(values: Sequence[float | None], width: int) -> list[float | None]:
    """Each value's place taken by the median of up to ``width`` values around it; what is missing stays so."""
    half = width // 2
    smooth: list[float | None] = []
    for place, value in enumerate(values):
        around = [each for each in values[max(0, place - half) : place + half + 1] if each is not None]
        smooth.append(None if value is None else statistics.median(around))
    return smooth


def spread(heights: Sequence[float], gap: float) -> list[float]:
    """Heights at least ``gap`` apart, in the same order and about the same middle: for texts that must not overlap."""
    order = sorted(range(len(heights)), key=heights.__getitem__)
    apart: dict[int, float] = {}
    lowest = -math.inf
    for place in order:
        apart[place] = max(heights[place], lowest)
        lowest = apart[place] + gap
    shift = sum(apart.values()) / len(apart) - sum(heights) / len(heights) if apart else 0.0
    return [apart[place] - shift for place in range(len(heights))]
