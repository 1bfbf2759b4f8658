"""A person at a screen: looks at windows' titles, types, and closes windows, by X events as a hand and a mouse make."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from select import select
from types import TracebackType
from typing import Any, Self

from Xlib import XK, X, error
from Xlib.display import Display
from Xlib.ext import xtest
from Xlib.protocol.event import ClientMessage

#: Until something shows that a browser on a busy machine has to show.
PATIENCE_S = 60.0
_SHIFTED = {"@": "2", ":": "semicolon", "_": "minus", "\v": "Tab"}
_NAMED = {"\n": "Return", "\t": "Tab", ".": "period", "-": "minus", "/": "slash", "\f": "F2"}


def _overlook(*_: object) -> None:
    """A window that is gone before it was asked is no matter."""


class SimulatedUser:
    """Sits at one screen. Waits by X events, never by sleeping."""

    def __init__(self, display: str) -> None:
        """Sit down."""
        self._display: Any = Display(display)
        self._display.set_error_handler(_overlook)
        self._root: Any = self._display.screen().root
        self._root.change_attributes(event_mask=X.SubstructureNotifyMask | X.PropertyChangeMask)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._display.close()

    def titles(self) -> list[str]:
        """What stands on the windows' title bars."""
        return [title for _, title in self._windows()]

    def see(self, words: str) -> None:
        """Wait until a window of this title is there."""
        self._wait(lambda: any(words in title for title in self.titles()), words)

    def type(self, words: str, text: str) -> None:
        """Type into the window of this title; ``\\t`` and ``\\n`` are keys, ``\\v`` is Tab backwards, ``\\f`` is F2."""
        self._window(words).set_input_focus(X.RevertToParent, X.CurrentTime)
        self._display.sync()
        for letter in text:
            self._press(letter)
        self._display.sync()

    def close(self, words: str) -> None:
        """Close the window of this title by its button, which sends the program this message, and see it go."""
        window = self._window(words)
        protocol, wish = (self._display.intern_atom(name) for name in ("WM_PROTOCOLS", "WM_DELETE_WINDOW"))
        event = ClientMessage(window=window, client_type=protocol, data=(32, [wish, X.CurrentTime, 0, 0, 0]))
        window.send_event(event)
        self._display.sync()
        self._wait(lambda: all(other != window for other, _ in self._windows()), f"anything but {words}")

    def _press(self, letter: str) -> None:
        is_shifted = letter.isupper() or letter in _SHIFTED
        name = _SHIFTED.get(letter) or _NAMED.get(letter) or letter.lower()
        key = self._display.keysym_to_keycode(XK.string_to_keysym(name))
        shift = self._display.keysym_to_keycode(XK.string_to_keysym("Shift_L"))
        if is_shifted:
            xtest.fake_input(self._display, X.KeyPress, shift)
        xtest.fake_input(self._display, X.KeyPress, key)
        xtest.fake_input(self._display, X.KeyRelease, key)
        if is_shifted:
            xtest.fake_input(self._display, X.KeyRelease, shift)

    def _window(self, words: str) -> Any:  # noqa: ANN401 - the library knows no types
        return next(window for window, title in self._windows() if words in title)

    def _windows(self) -> list[tuple[Any, str]]:
        found: list[tuple[Any, str]] = []
        for window in self._root.query_tree().children:
            with suppress(error.XError):  # it may be gone meanwhile
                window.change_attributes(event_mask=X.PropertyChangeMask)
                name = window.get_full_text_property(self._display.intern_atom("_NET_WM_NAME"))
                if name and window.get_attributes().map_state == X.IsViewable:
                    found.append((window, str(name)))
        return found

    def _wait(self, is_so: Callable[[], bool], what: str) -> None:
        give_up = time.monotonic() + PATIENCE_S
        while not is_so():
            left_s = give_up - time.monotonic()
            assert left_s > 0, f"no window shows {what!r}, only {self.titles()}"
            if not self._display.pending_events():
                select([self._display], [], [], left_s)
            for _ in range(self._display.pending_events()):
                self._display.next_event()
