"""Limits on how long another process may take, counted only while this process runs itself.

A machine that sleeps, a container that is paused and a computer that is short of processors stop both sides of a link.
Who was late himself does not accuse others: time in which nothing ran here is no silence of theirs.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import TypeVar

import anyio

from poolwright.domain.errors import unwrap_group

T = TypeVar("T")

#: A process in which nothing ran for so long was stopped, or as good as that: none of our steps takes so long.
PAUSE_S = 5.0
#: A limit is counted in slices of this length, and one that took longer counts as one: we were away ourselves.
SLICE_S = 1.0


class AwakeLimit:
    """A time limit that does not count time in which this process was suspended; spent slice by slice.

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
        """Wait for an event; returns whether it was set in time."""
        while not event.is_set() and not self.is_over:
            with self.slice():
                await event.wait()
        return event.is_set()


async def within(limit_s: float, work: Callable[[], Awaitable[T]]) -> T:
    """Run cancellable work within a time limit that counts only while this process is not suspended.

    Raises:
        TimeoutError: It was not done by then.
    """
    done: list[T] = []
    is_over = anyio.Event()

    async def do() -> None:
        done.append(await work())
        is_over.set()

    try:
        async with anyio.create_task_group() as doing:
            doing.start_soon(do)
            await AwakeLimit(limit_s).wait(is_over)
            doing.cancel_scope.cancel()
    except ExceptionGroup as group:
        raise unwrap_group(group) from group
    if not done:
        raise TimeoutError
    return done[0]


class Pauses:
    """Measures how long this process was suspended, from regular calls of ``mark_running``."""

    def __init__(self, interval_s: float) -> None:
        """Expect a call every ``interval_s`` from now on."""
        self._interval_s = interval_s
        self._last_s = anyio.current_time()
        self._noted_s = 0.0

    @property
    def total_s(self) -> float:
        """All pauses together, also one that has just ended and was not noted yet."""
        gap_s = anyio.current_time() - self._last_s - self._interval_s
        return self._noted_s + (gap_s if gap_s >= PAUSE_S else 0.0)

    def note(self) -> None:
        """It runs."""
        self._noted_s = self.total_s
        self._last_s = anyio.current_time()
