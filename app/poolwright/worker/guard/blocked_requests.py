"""The requests that were blocked while one order was processed, for its evidence."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from contextvars import ContextVar

#: Most lines that are kept; a page may try again without end.
LINE_COUNT_MAX = 100


class BlockedRequests:
    """The requests of all pages of one order that were blocked, each once, in their order."""

    def __init__(self) -> None:
        """Start without any."""
        self._lines: dict[str, None] = {}
        self._is_full = False

    def add(self, method: str, url: str, cause: str) -> None:
        """Add a request. The query of its address is left out: it may contain a secret.

        Args:
            method: The method, or another word for the kind of request.
            url: The address.
            cause: Why it was blocked, without a capital letter.
        """
        line = f"{method} {url.split('?', maxsplit=1)[0].split('#', maxsplit=1)[0]}: {cause}"
        if line in self._lines:
            return
        if len(self._lines) < LINE_COUNT_MAX:
            self._lines[line] = None
        else:
            self._is_full = True

    @property
    def text(self) -> str:
        """Return one line for each request; empty if none was blocked."""
        rest = ("and more",) if self._is_full else ()
        return "".join(f"{line}\n" for line in (*self._lines, *rest))


_current: ContextVar[BlockedRequests | None] = ContextVar("blocked_requests", default=None)


@contextlib.contextmanager
def recording_blocked() -> Generator[BlockedRequests]:
    """Record what is blocked on the pages that are opened during the block, also by tasks that begin in it."""
    record = BlockedRequests()
    token = _current.set(record)
    try:
        yield record
    finally:
        _current.reset(token)


def current_record() -> BlockedRequests:
    """Return the record of the order that is processed; a new one outside of any."""
    return _current.get() or BlockedRequests()
