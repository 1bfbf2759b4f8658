"""Keeps the memory of each worker's processes up to date, for all who look at the pool."""

from __future__ import annotations

from collections.abc import Sequence

import anyio.to_thread

from app.bridge.pace import every
from app.memory.usage import tree_memory_bytes
from app.supervisor.worker import Worker

#: Reading the memory of a browser's tree takes 20 to 230 ms of a processor.
MEMORY_INTERVAL_S = 5.0


async def keep_measuring(workers: Sequence[Worker]) -> None:
    """Measure every few seconds, off the event loop, until cancelled."""
    async for _ in every(MEMORY_INTERVAL_S):
        for worker in workers:
            if worker.pid is not None:
                worker.memory_usage = await anyio.to_thread.run_sync(tree_memory_bytes, worker.pid)
