"""The deadline of a pool's shutdown: no part of the pool is waited for after it, whatever hangs."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

import anyio
import anyio.lowlevel
import anyio.to_thread

T = TypeVar("T")


class Deadline:
    """The time after which no part of a pool is waited for. Infinite until it is set; later calls only shorten it."""

    def __init__(self) -> None:
        """Start without a limit."""
        #: The deadline in seconds of ``anyio.current_time``; infinite before it is set.
        self.at_s = math.inf
        self._scopes = set[anyio.CancelScope]()

    @property
    def left_s(self) -> float:
        """Seconds until the deadline; 0 after it."""
        return max(0.0, self.at_s - anyio.current_time())

    def set(self, at_s: float) -> None:
        """Set the deadline, also for blocks that are running already; a later time than before has no effect."""
        self.at_s = min(self.at_s, at_s)
        for scope in self._scopes:
            scope.deadline = min(scope.deadline, self.at_s)

    @contextmanager
    def shield(self) -> Generator[None]:
        """Shield a block from cancellation by its caller, until the deadline.

        At the deadline the block is left without an exception, so a caller that must know sets a flag as its last
        step. A thread is abandoned only if it was started with ``abandon_on_cancel``.
        """
        with anyio.CancelScope(shield=True, deadline=self.at_s) as scope:
            self._scopes.add(scope)
            try:
                yield
            finally:
                self._scopes.discard(scope)

    async def run_shielded(self, work: Callable[[], Awaitable[T]]) -> T:
        """Finish some work even if the caller is cancelled meanwhile, and return its result.

        Raises:
            TimeoutError: The deadline came first. The result of the work is unknown.
        """
        results: list[T] = []
        with self.shield():
            results.append(await work())
        if results:
            return results[0]
        await anyio.lowlevel.checkpoint_if_cancelled()
        msg = "a disk hangs"
        raise TimeoutError(msg)

    async def in_thread(self, work: Callable[[], T]) -> T:
        """As ``run_shielded``, for work that blocks: it runs in a thread, which is abandoned at the deadline.

        Raises:
            TimeoutError: The deadline came first.
        """
        return await self.run_shielded(partial(anyio.to_thread.run_sync, work, abandon_on_cancel=True))
