"""The beginning of a run, which is given up when somebody wants to stop before it is over, whatever hangs."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import anyio

from poolwright.domain.errors import unwrap_group


@asynccontextmanager
async def beginning(stop: anyio.Event) -> AsyncGenerator[Callable[[], None]]:
    """Cancel the block if a stop is requested before it calls the yielded function to report that startup is complete.

    A cancelled block ends without an error. After startup the block handles stop requests itself.

    Args:
        stop: Set to request a stop.
    """
    waiting = anyio.CancelScope()

    async def give_up(scope: anyio.CancelScope) -> None:
        with waiting:
            await stop.wait()
        if not waiting.cancel_called:
            scope.cancel()

    try:
        async with anyio.create_task_group() as beside:
            beside.start_soon(give_up, beside.cancel_scope)
            yield waiting.cancel
            waiting.cancel()
    except ExceptionGroup as group:
        raise unwrap_group(group) from group
