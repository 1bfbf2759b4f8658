"""How long to wait for what a click brings. Pure: what has happened so far in, seconds out.

A click may ask the portal to make a file, open a window, or do nothing at all. So the time counts from its last sign
of life, and one that shows none is given up early: no file comes of a link that leads nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Scripts start the second of two files up to a second after the first.
_MORE_S = 1.2
#: A page that asks for things all the time (news, statistics) does not hold up a file that is there.
_MORE_MAX_S = 4.0
#: Nothing was asked for and no window is open: whoever does nothing for so long does nothing at all.
SILENCE_S = 8.0
#: A page that asks again and again is not waited for without end.
_ALL_TIMES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What a click has done so far; seconds are since then."""

    begun_s: float
    #: The last request, answer, window, dialog or download.
    last_s: float
    #: The last download; nothing when none began.
    download_s: float | None
    #: Requests without an answer.
    pending_count: int
    #: Windows that are open and have brought nothing.
    window_count: int


def left_s(signs: Signs, stall_s: float) -> float:
    """Return the seconds to wait if nothing more happens; 0 or less if the wait is over."""
    is_busy = signs.pending_count > 0 or signs.window_count > 0
    if signs.download_s is not None:
        return min(_MORE_MAX_S - signs.download_s, stall_s) if is_busy else _MORE_S - signs.last_s
    if is_busy:
        return min(stall_s - signs.last_s, _ALL_TIMES * stall_s - signs.begun_s)
    return min(SILENCE_S, stall_s) - signs.last_s
