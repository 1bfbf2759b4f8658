"""How long the portal took to answer for the page of an order.

The browser's network process measures from the request to the first byte of its answer, so that neither a busy machine
nor a page that draws slowly counts. A page that draws itself asks for its data by scripts: then the slowest of these
answers counts, because the shell of such a page comes at once also from a portal that is in trouble.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterable
from contextvars import ContextVar

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Response

_MS_PER_S = 1000.0


class AnswerTimes:
    """The answers to the pages of one order."""

    def __init__(self) -> None:
        """Start without any."""
        #: Seconds of the slowest answer; ``None`` if there was none.
        self.longest_s: float | None = None
        #: Requests beside those for the page and the files of the report, which the portal's limits count too.
        self.more_request_count = 0

    def add(self, answer_s: float | None) -> None:
        """Add the seconds of an answer; ``None`` if they are not known."""
        if answer_s is not None:
            self.longest_s = max(answer_s, self.longest_s or 0.0)

    def add_requests(self, count: int) -> None:
        """Add requests whose answers were of no use."""
        self.more_request_count += count


_current: ContextVar[AnswerTimes | None] = ContextVar("answer_times", default=None)


@contextlib.contextmanager
def recording_answers() -> Generator[AnswerTimes]:
    """Record the answers to the pages that are visited during the block, also by tasks that begin in it."""
    times = AnswerTimes()
    token = _current.set(times)
    try:
        yield times
    finally:
        _current.reset(token)


def current_answers() -> AnswerTimes:
    """Return the record of the order that is processed; a new one outside of any."""
    return _current.get() or AnswerTimes()


def slowest_answer_s(responses: Iterable[Response]) -> float | None:
    """Return the seconds of the slowest of these answers; ``None`` if the browser has measured none."""
    times = [answer_s for response in responses if (answer_s := _answer_s(response)) is not None]
    return max(times, default=None)


def _answer_s(response: Response) -> float | None:
    with contextlib.suppress(PlaywrightError):  # the browser no longer has the request
        timing = response.request.timing
        if 0 <= timing["requestStart"] <= timing["responseStart"]:
            return (timing["responseStart"] - timing["requestStart"]) / _MS_PER_S
    return None
