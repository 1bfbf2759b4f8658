"""The system clock and helpers for asynchronous code: periodic work, wait groups, and time limits.

A machine that sleeps, a paused container and a lack of processors stop both sides of a channel at once. So the time
limits here do not count time in which this process was suspended: the peer may have been suspended as well.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TypeVar

import anyio
from anyio.abc import TaskGroup, TaskStatus

from poolwright.domain.errors import unwrap_group


class SystemClock:
    """The ``domain.ports.Clock`` of this machine."""

    def now(self) -> datetime:
        """Return the time as aware UTC."""
        return datetime.now(UTC)  # noqa: TID251 - this is the clock that others take as a parameter

    def monotonic(self) -> float:
        """Return seconds that only go forward."""
        return time.monotonic()


async def periodic(interval_s: float) -> AsyncGenerator[None]:
    """Yield every ``interval_s`` until cancelled; the time that the loop body takes is not counted."""
    while True:
        yield
        await anyio.sleep(interval_s)


class WaitGroup:
    """Counts pending work, and waits until there is none. Belongs to one event loop."""

    def __init__(self) -> None:
        """Start with no pending work."""
        self._count = 0
        self._is_released = False
        self._idle = anyio.Event()
        self._idle.set()

    @property
    def count(self) -> int:
        """The number of pending pieces of work."""
        return self._count

    def add(self, count: int = 1) -> None:
        """Count ``count`` more; the caller sees to it that as many are dropped."""
        self._count += count
        if self._count and not self._is_released and self._idle.is_set():
            self._idle = anyio.Event()

    def drop(self, count: int = 1) -> None:
        """Count ``count`` less."""
        self._count -= count
        if self._count == 0:
            self._idle.set()

    @contextlib.contextmanager
    def counted(self) -> Generator[None]:
        """Drop one, which was added before, at the end of the block."""
        try:
            yield
        finally:
            self.drop()

    def release_all(self) -> None:
        """Release all waiting tasks, now and later, whatever the count."""
        self._is_released = True
        self._idle.set()

    async def wait_idle(self) -> None:
        """Wait until the count is 0."""
        while not self._idle.is_set():
            await self._idle.wait()


async def shielded_task_group(*, task_status: TaskStatus[TaskGroup]) -> None:
    """Run a task group that the caller's cancellation does not reach: its owner ends the tasks in order."""
    with anyio.CancelScope(shield=True):
        async with anyio.create_task_group() as tasks:
            task_status.started(tasks)
            await anyio.sleep_forever()


async def wait_uncancelled(event: anyio.Event) -> None:
    """Wait for an event even if the caller is cancelled meanwhile, also by asyncio itself, which ignores shields.

    Cancellation is raised again at the end.
    """
    cancelled: BaseException | None = None
    while not event.is_set():
        try:
            with anyio.CancelScope(shield=True):
                await event.wait()
        except anyio.get_cancelled_exc_class() as error:  # noqa: ASYNC103 - raised again at the end
            cancelled = error
    if cancelled is not None:
        raise cancelled


T = TypeVar("T")

#: A process in which no code ran for this time was suspended: none of our steps takes so long.
SUSPENSION_MIN_S = 5.0
#: A limit is counted in slices of this length; a slice that took longer counts as one, as the process was suspended.
SLICE_S = 1.0


class ActiveTimeLimit:
    """A time limit that does not count time in which this process was suspended; spent slice by slice.

    ::

        limit = ActiveTimeLimit(15.0)
        while not limit.is_over:
            with limit.slice():
                return await channel.receive()
        raise TimeoutError
    """

    def __init__(self, limit_s: float) -> None:
        """Start with the whole limit left."""
        self._left_s = limit_s

    @property
    def is_over(self) -> bool:
        """Whether the limit is spent."""
        return self._left_s <= 0

    @contextmanager
    def slice(self) -> Generator[None]:
        """Cancel the block after a slice; what it awaits must tolerate cancellation, and be awaited again."""
        planned_s, begun_s = min(self._left_s, SLICE_S), anyio.current_time()
        try:
            with anyio.move_on_after(planned_s):
                yield
        finally:
            self._left_s -= min(anyio.current_time() - begun_s, planned_s)

    async def wait(self, event: anyio.Event) -> bool:
        """Wait for an event; return whether it was set in time."""
        while not event.is_set() and not self.is_over:
            with self.slice():
                await event.wait()
        return event.is_set()


async def run_within(limit_s: float, work: Callable[[], Awaitable[T]]) -> T:
    """Return the result of cancellable work, within a time limit that does not count time of suspension.

    Raises:
        TimeoutError: The work was not done in time.
    """
    results: list[T] = []
    done = anyio.Event()

    async def run() -> None:
        results.append(await work())
        done.set()

    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run)
            await ActiveTimeLimit(limit_s).wait(done)
            tasks.cancel_scope.cancel()
    except ExceptionGroup as group:
        raise unwrap_group(group) from group
    if not results:
        raise TimeoutError
    return results[0]


class SuspendedTime:
    """Measures how long this process was suspended, from regular calls of ``mark_running``."""

    def __init__(self, interval_s: float) -> None:
        """Expect a call every ``interval_s`` from now on."""
        self._interval_s = interval_s
        self._last_s = anyio.current_time()
        self._noted_s = 0.0

    @property
    def total_s(self) -> float:
        """The sum of all suspensions, also of one that has just ended and is not recorded yet."""
        gap_s = anyio.current_time() - self._last_s - self._interval_s
        return self._noted_s + (gap_s if gap_s >= SUSPENSION_MIN_S else 0.0)

    def mark_running(self) -> None:
        """Record that the process runs now."""
        self._noted_s = self.total_s
        self._last_s = anyio.current_time()
