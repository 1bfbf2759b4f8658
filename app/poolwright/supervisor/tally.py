"""Counts things that are under way, so that one can wait until none is."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

import anyio
from anyio.abc import TaskGroup, TaskStatus


class Tally:
    """Counts pending work, and waits until there is none. Belongs to one event loop."""

    def __init__(self) -> None:
        """Start with none."""
        self._count = 0
        self._is_off = False
        self._zero = anyio.Event()
        self._zero.set()

    @property
    def count(self) -> int:
        """How many are under way now."""
        return self._count

    def add(self, count: int = 1) -> None:
        """So many more; who calls this sees to it that as many are dropped."""
        self._count += count
        if self._count and not self._is_off and self._zero.is_set():
            self._zero = anyio.Event()

    def drop(self, count: int = 1) -> None:
        """So many less."""
        self._count -= count
        if self._count == 0:
            self._zero.set()

    @contextlib.contextmanager
    def counted(self) -> Generator[None]:
        """Drop one at the end that was added before."""
        try:
            yield
        finally:
            self.drop()

    def call_off(self) -> None:
        """Release everyone who waits, now and later, whatever the count."""
        self._is_off = True
        self._zero.set()

    async def zero(self) -> None:
        """Wait until the count is 0."""
        while not self._zero.is_set():
            await self._zero.wait()


async def hold_tasks(*, task_status: TaskStatus[TaskGroup]) -> None:
    """Hold the tasks of an owner, who ends them in order: its caller's cancellation does not reach them."""
    with anyio.CancelScope(shield=True):
        async with anyio.create_task_group() as tasks:
            task_status.started(tasks)
            await anyio.sleep_forever()


async def undisturbed(event: anyio.Event) -> None:
    """Wait for an event although the caller is cancelled meanwhile, also by asyncio's own means, which no shield stops.

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
