"""Why a generation of a worker comes to its end while it lives."""

from __future__ import annotations

from enum import Enum, auto


class Departure(Enum):
    """What was asked of it; the first wish but one for its end at once holds."""

    #: Nothing: it works.
    NONE = auto()
    #: The pool ends; its slot is TERMINATED then.
    WITH_POOL = auto()
    #: It is well and due for a fresh start: it finishes what it has, and its next generation follows.
    TO_RETURN = auto()
    #: It is ended at once, and its next generation follows as after a loss.
    AT_ONCE = auto()
