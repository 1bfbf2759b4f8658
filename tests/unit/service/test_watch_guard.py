"""Functions of a pool's user that raise."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from poolwright.domain.errors import OptionsError
from poolwright.domain.events import Event, Level, Notice
from poolwright.service.library import Callbacks, WatchError, WatchGuard

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


def test_a_cancelled_thing_of_the_user_is_an_error_like_others() -> None:
    def cancelled(_: Event) -> None:
        raise asyncio.CancelledError

    notes = list[Event]()
    guard = WatchGuard(cancelled, notes.append)

    guard(EVENT)

    assert notes == [
        Notice(level=Level.ERROR, text="A function that watches the pool raised CancelledError. The pool goes on.")
    ]
    with pytest.raises(WatchError):
        guard.raise_first()


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_the_end_of_the_program_is_its_end(error: type[BaseException]) -> None:
    def ending(_: Event) -> None:
        raise error

    with pytest.raises(error):
        WatchGuard(ending, list[Event]().append)(EVENT)


@pytest.mark.parametrize("name", ["crash", "memory", "completion"])
def test_a_function_that_would_never_run_is_refused(name: str) -> None:
    async def watch(*_: object) -> None:
        """Would have to be awaited."""

    given: dict[str, Any] = {name: watch}
    with pytest.raises(OptionsError, match=f"The function {name} that watches the pool is an async function"):
        Callbacks(**given)
