"""Functions of a pool's user that raise."""

from __future__ import annotations

import pytest

from poolwright.domain.events import Event, Level, Notice
from poolwright.service.library import WatchError, WatchGuard

EVENT = Notice(level=Level.INFO, text="one")


def failing(event: Event) -> None:
    msg = f"no {event.__class__.__name__}"
    raise ValueError(msg)


def test_every_event_is_handed_on() -> None:
    seen, notes = list[Event](), list[Event]()
    guard = WatchGuard(seen.append, notes.append)

    guard(EVENT)
    guard.raise_first()

    assert (seen, notes) == ([EVENT], [])


def test_the_first_error_is_told_once_and_raised_at_the_end() -> None:
    notes = list[Event]()
    guard = WatchGuard(failing, notes.append)

    guard(EVENT)

    with pytest.raises(WatchError) as once:
        guard.raise_first()
    guard(EVENT)
    with pytest.raises(WatchError, match="It raised 2 errors") as twice:
        guard.raise_first()

    sentence = "A function that watches the pool raised ValueError: no Notice."
    assert notes == [Notice(level=Level.ERROR, text=f"{sentence} The pool goes on.")]
    assert str(once.value) == f"{sentence} The pool finished its work."
    assert isinstance(twice.value.__cause__, ValueError)
