"""Limits on how long another process may take, counted only while this process runs itself.

A machine that sleeps, a container that is paused and a computer that is short of processors stop both sides of a link.
Who was late himself does not accuse others: time in which nothing ran here is no silence of theirs.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import anyio

#: A limit is counted in slices of this length, and one that took longer counts as one: we were away ourselves.
SLICE_S = 1.0


class AwakeLimit:
    """A number of seconds to wait for somebody, used up slice by slice.

    ::

        limit = AwakeLimit(15.0)
        while not limit.is_over:
            with limit.slice():
                return await link.receive()
        raise TimeoutError
    """

    def __init__(self, limit_s: float) -> None:
        """Begin with all of it left."""
        self._left_s = limit_s

    @property
    def is_over(self) -> bool:
        """Whether all of it was waited."""
        return self._left_s <= 0

    @contextmanager
    def slice(self) -> Generator[None]:
        """Cancel what is awaited within after a slice. What it awaits must bear that, and be awaited again."""
        planned_s, begun_s = min(self._left_s, SLICE_S), anyio.current_time()
        try:
            with anyio.move_on_after(planned_s):
                yield
        finally:
            self._left_s -= min(anyio.current_time() - begun_s, planned_s)

    async def wait(self, event: anyio.Event) -> bool:
        """Wait for an event; tells whether it came in time."""
        while not event.is_set() and not self.is_over:
            with self.slice():
                await event.wait()
        return event.is_set()
