"""The beginning of a run, which is given up when somebody wants to stop before it is over, whatever hangs."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import anyio

from poolwright.domain.errors import unwrap_group


@asynccontextmanager
async def beginning(stop: anyio.Event) -> AsyncGenerator[Callable[[], None]]:
    """Cancel the block when somebody wants to stop before it has said that it has begun, by calling what this yields.

    The block is left then as if it were done. From then on it hears the wish itself.

    Args:
        stop: Set by whoever wants to stop.
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
