"""What runs now and how far the list is. The campaign tells it, the fault injector waits for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import anyio

T = TypeVar("T")


class Progress:
    """One list on its way home."""

    def __init__(self) -> None:
        """Nothing runs yet."""
        #: The program; nothing between two starts of it.
        self.pid: int | None = None
        #: Starts of the program so far.
        self.session_no = 0
        #: Orders that ended so far, in all starts.
        self.ended_count = 0
        self._ticked = anyio.Event()

    def tick(self) -> None:
        """Something changed: who waits looks again."""
        self._ticked.set()
        self._ticked = anyio.Event()

    async def until(self, look: Callable[[], T | None]) -> T:
        """Wait until ``look`` sees something; looks at every tick."""
        while (seen := look()) is None:
            await self._ticked.wait()
        return seen
