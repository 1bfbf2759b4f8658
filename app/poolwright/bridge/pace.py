"""The one way to do a thing again and again on both sides of the link."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import anyio


async def every(interval_s: float) -> AsyncGenerator[None]:
    """Come back after each pause of ``interval_s``, until cancelled; the work in between is not counted."""
    while True:
        yield
        await anyio.sleep(interval_s)
