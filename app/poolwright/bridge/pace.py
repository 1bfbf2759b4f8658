"""The one way to do a thing again and again on both sides of the link."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import anyio


async def every(interval_s: float) -> AsyncGenerator[None]:
    """Yield every ``interval_s`` until cancelled; the time that the loop body takes is not counted."""
    while True:
        yield
        await anyio.sleep(interval_s)
