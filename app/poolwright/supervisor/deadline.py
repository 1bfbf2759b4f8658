"""The one deadline of a pool's end: every stage of a shutdown takes what is left of it, whatever hangs."""

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
    """When nothing of a pool may be waited for any more. None until it is set; then it only comes nearer."""

    def __init__(self) -> None:
        """Let everything take its time."""
        #: In seconds of ``anyio.current_time``.
        self.at_s = math.inf
        self._scopes = set[anyio.CancelScope]()

    @property
    def left_s(self) -> float:
        """Seconds until then; 0 when it is over."""
        return max(0.0, self.at_s - anyio.current_time())

    def set(self, at_s: float) -> None:
        """Say when; what is being done already learns of it too."""
        self.at_s = min(self.at_s, at_s)
        for scope in self._scopes:
            scope.deadline = min(scope.deadline, self.at_s)

    @contextmanager
    def shield(self) -> Generator[None]:
        """Do something that nobody's cancellation cuts short, but this deadline does.

        The block is left then as if it were done; whoever must know sees it by what is missing. Threads are left
        behind only where they are called with ``abandon_on_cancel``.
        """
        with anyio.CancelScope(shield=True, deadline=self.at_s) as scope:
            self._scopes.add(scope)
            try:
                yield
            finally:
                self._scopes.discard(scope)

    async def undisturbed(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do something, and wait for it although the caller is cancelled meanwhile.

        Raises:
            TimeoutError: The deadline came first. Nobody knows what came of it.
        """
        done: list[T] = []
        with self.shield():
            done.append(await work())
        if done:
            return done[0]
        await anyio.lowlevel.checkpoint_if_cancelled()
        msg = "a disk hangs"
        raise TimeoutError(msg)

    async def in_thread(self, work: Callable[[], T]) -> T:
        """The same for something that blocks. The thread is left behind at the deadline.

        Raises:
            TimeoutError: The deadline came first.
        """
        return await self.undisturbed(partial(anyio.to_thread.run_sync, work, abandon_on_cancel=True))
