"""Keeps a pool running when a function of its user that watches it raises an error."""

from __future__ import annotations

from poolwright.domain.errors import PoolError
from poolwright.domain.events import Event, Level, Notice
from poolwright.domain.ports import EventSink


class WatchError(PoolError):
    """A function that the pool calls with its events raised an error; the pool went on without it.

    The first error is its cause.
    """


class WatchGuard:
    """Calls the functions of the pool's user; an error of theirs never reaches the pool."""

    def __init__(self, watch: EventSink, note: EventSink) -> None:
        """Guard ``watch``.

        Args:
            watch: The function of the user. It gets every event, also after an error.
            note: Gets one notice about its first error.
        """
        self._watch = watch
        self._note = note
        self._first: Exception | None = None
        self._count = 0

    def __call__(self, event: Event) -> None:
        """See ``EventSink``."""
        try:
            self._watch(event)
        except Exception as error:  # the border to the user's code  # noqa: BLE001
            self._count += 1
            if self._first is None:
                self._first = error
                self._note(Notice(level=Level.ERROR, text=f"{self._sentence(error)} The pool goes on."))

    def raise_first(self) -> None:
        """Raise if the function has raised an error.

        Raises:
            WatchError: It has. The message tells how often.
        """
        if self._first is not None:
            times = f" It raised {self._count:,} errors." if self._count > 1 else ""
            raise WatchError(f"{self._sentence(self._first)}{times} The pool finished its work.") from self._first

    def _sentence(self, error: Exception) -> str:
        return f"A function that watches the pool raised {type(error).__name__}: {error}".rstrip(": .") + "."
