"""The number of orders that may be open at once while a portal answers more slowly than before. Pure: times are given.

A portal that is in trouble shows it by its answers to the pages of orders. A window of answers is judged by its median,
so that single slow pages have no effect. It is compared with the best window of the session, not with a fixed time, so
that a portal that was always slow is never slowed down further.

A slow window is only a suspicion. The next one, whose orders all began after it, confirms it or not.

The model is that of TCP Vegas and of Netflix's concurrency limits: the best time is that of an idle portal, a longer
time is a queue in front of it. The limit is halved when there is a queue, and raised by one with each window without
one. Three differences follow from what an order is:

- More of our own tabs make a queue, too, on a portal that answers one page after the other. So the best time of few
  tabs is multiplied before it is compared with that of many. The number of our own tabs alone is never a reason.
- A gradient of single answers, as the model has it, would follow the size of the pages. A factor and a difference in
  seconds decide instead.
- By Little's law, tabs divided by time are the pages that the portal answers per second. If they do not get fewer with
  fewer tabs, the tabs only stood in its queue: the limit stays, and is not halved again. If the time did not get
  shorter with fewer tabs, they were not its cause: the portal is slow for everybody. That is its normal time from then
  on, and the limit rises again. Only a time that goes on rising, or that fewer tabs made shorter at a price, halves it
  again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from statistics import median, median_low

#: Fewest answers of which the median counts; and answers for each tab, if there are many.
WINDOW, WINDOW_PER_TAB = 7, 2
#: A window is slow if its answers took this many times as long as the best ones, and this many seconds longer.
FACTOR, DIFFERENCE_S = 3.0, 2.0
#: Two times within this factor are the same time.
SAME_TIME = 1.2
#: The part of the pages per second that counts as no fewer pages.
SAME_RATE = 0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedAnswer:
    """The answer of the portal to the page of one order."""

    #: Seconds until it came.
    answer_s: float
    #: When the order began, in seconds of a monotonic clock.
    begun_s: float
    #: The number of orders that were open when it ended, with this one.
    tabs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerWindow:
    """The medians of some answers."""

    tabs: int
    answer_s: float

    @property
    def rate(self) -> float:
        """Pages per second that the portal answers."""
        return self.tabs / self.answer_s if self.answer_s else math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class TabLimit:
    """The limit at one time.

    It never changes: each answer gives another one.
    """

    #: The number of orders that may be open while the portal is as quick as usual.
    full: int
    #: The number that may be open now.
    limit: int
    #: The last answers to orders that began under this limit, oldest first.
    answers: tuple[TimedAnswer, ...] = ()
    #: When the limit changed or the portal became suspect, in seconds of a monotonic clock.
    changed_at_s: float = -math.inf
    #: The shortest time of a window, by its number of tabs.
    best: Mapping[int, float] = field(default_factory=dict[int, float])
    #: The window because of which the limit was last halved; ``None`` once the portal is quick, or slow for everybody.
    cut_at: AnswerWindow | None = None
    #: Whether the last window was slow, and the next one decides: all its orders begin after that.
    is_suspected: bool = False
    #: The times when the limit was last halved: of that window, and the usual one. For people.
    slow_s: float = 0.0
    usual_s: float = 0.0

    @classmethod
    def starting_at(cls, full: int) -> TabLimit:
        """Return the limit of a portal that is as quick as usual, with this number of tabs."""
        return cls(full=full, limit=full)

    @property
    def is_lowered(self) -> bool:
        """Whether fewer orders may be open than there are tabs."""
        return self.limit < self.full

    @property
    def sentence(self) -> str:
        """What people should know about it; empty if it is as usual."""
        if not self.is_lowered:
            return ""
        times = f"{self.slow_s:.1f} s for the page of an order, {self.usual_s:.1f} s before"
        return f"The portal answers slowly ({times}): at most {self.limit} of {self.full} orders are open at once."

    def usual_answer_s(self, tabs: int) -> float:
        """Return the time that a page usually takes with so many tabs, in seconds; infinite while it is unknown."""
        return min((best_s * max(1.0, tabs / count) for count, best_s in self.best.items()), default=math.inf)

    def add(self, answer: TimedAnswer, now_s: float) -> TabLimit:
        """Return the limit after an answer.

        Args:
            answer: The answer; one to an order that began before the last decision does not count.
            now_s: The time, in seconds of a monotonic clock.
        """
        if answer.begun_s < self.changed_at_s:
            return self
        size = max(WINDOW, WINDOW_PER_TAB * self.limit)
        known = replace(self, answers=(*self.answers, answer)[-size:])
        if len(known.answers) < size:
            return known
        window = AnswerWindow(
            tabs=median_low(each.tabs for each in known.answers),
            answer_s=median(each.answer_s for each in known.answers),
        )
        return _remember(_judge(known, window, now_s), window)


def _judge(limit: TabLimit, window: AnswerWindow, now_s: float) -> TabLimit:
    """Return the limit after a window was judged."""
    usual_s, last = limit.usual_answer_s(window.tabs), limit.cut_at
    if window.answer_s <= max(FACTOR * usual_s, usual_s + DIFFERENCE_S):
        return _raise(limit, now_s)
    if last is None and not limit.is_suspected:  # its answers are perhaps from before and after the change
        return replace(limit, is_suspected=True, answers=(), changed_at_s=now_s)
    if last is None or window.answer_s > last.answer_s * SAME_TIME:
        return _halve(limit, window, now_s)
    if window.tabs < last.tabs and window.rate >= last.rate * SAME_RATE:
        return limit
    if window.answer_s * SAME_TIME >= last.answer_s:
        return _raise(replace(limit, best={last.tabs: window.answer_s}), now_s)
    return _halve(limit, window, now_s)


def _raise(limit: TabLimit, now_s: float) -> TabLimit:
    """Return the limit after a window that is not slow, or slow for everybody."""
    known = replace(limit, cut_at=None, is_suspected=False)
    if not known.is_lowered:
        return known
    return replace(known, limit=known.limit + 1, answers=(), changed_at_s=now_s)


def _halve(limit: TabLimit, window: AnswerWindow, now_s: float) -> TabLimit:
    """Return the limit after a window that is slow because of too many orders."""
    return replace(
        limit,
        limit=max(1, min(limit.limit, window.tabs) // 2),
        cut_at=window,
        is_suspected=False,
        answers=(),
        changed_at_s=now_s,
        slow_s=window.answer_s,
        usual_s=limit.usual_answer_s(window.tabs),
    )


def _remember(limit: TabLimit, window: AnswerWindow) -> TabLimit:
    """Return the limit that knows the best time of a window with so many tabs."""
    best_s = min(window.answer_s, limit.best.get(window.tabs, math.inf))
    return replace(limit, best={**limit.best, window.tabs: best_s})
