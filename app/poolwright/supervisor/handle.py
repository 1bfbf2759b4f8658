"""What one gets for a task that was submitted: wait for its report, or call it off."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import Any

import anyio

from poolwright.domain.errors import PoolError
from poolwright.domain.ids import TaskId
from poolwright.domain.tasks import POTask, Report


class TaskHandle:
    """Awaitable; ``await handle`` gives the report, whatever the outcome."""

    def __init__(self, task: POTask, call_off: Callable[[TaskId], Awaitable[bool]]) -> None:
        """Made by the pool's ``submit_task``."""
        self.task = task
        self._call_off = call_off
        self._done = anyio.Event()
        self._report: Report | None = None
        self._error: PoolError | None = None

    def __await__(self) -> Generator[Any, Any, Report | None]:
        """Wait for the report."""
        return self.report().__await__()

    @property
    def is_done(self) -> bool:
        """Whether waiting is over."""
        return self._done.is_set()

    async def report(self) -> Report | None:
        """Wait until the task has its outcome; nothing when the pool was stopped before, with the task still queued.

        Raises:
            PoolError: The pool cannot go on (``LoginRequiredError``, ``SetupError``, ...); the task is still queued.
        """
        await self._done.wait()
        if self._error is not None:
            raise self._error
        return self._report

    async def cancel(self) -> bool:
        """Call the task off as long as no worker has it; false when one has, or had."""
        return await self._call_off(self.task.task_id)

    def resolve(self, report: Report | None, error: PoolError | None = None) -> None:
        """Let those who wait go on. Called by the pool alone; the first call counts."""
        if not self.is_done:
            self._report, self._error = report, error
            self._done.set()
