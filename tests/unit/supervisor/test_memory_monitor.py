"""The memory watchdog outlives what the system refuses it."""

from __future__ import annotations

import errno
import os

from poolwright.domain.events import Event, Notice
from poolwright.supervisor.memory_monitor import MemoryMonitor
from poolwright.supervisor.policy.events import MemorySampled
from poolwright.system.memory_limit import MemoryLimit
from tests.support.pool_contexts import pool_context, posted


async def test_memory_that_cannot_be_looked_at_is_told_once_and_looked_at_again() -> None:
    events, codes = list[Event](), [errno.EMFILE, errno.EMFILE, 0, errno.ENFILE]

    def read_limit() -> MemoryLimit:
        if code := codes.pop(0):
            raise OSError(code, os.strerror(code))
        return MemoryLimit(total_bytes=10**12, available_bytes=10**12, source="made up")

    context = pool_context(observe=events.append, read_limit=read_limit)
    monitor = MemoryMonitor(context, [], 0.75)

    for _ in range(4):
        await monitor.sample(is_exact=False)

    assert [type(event) for event in posted(context)] == [MemorySampled]
    assert [event.text for event in events if isinstance(event, Notice)] == [
        f"Memory cannot be measured now ({os.strerror(code)}); trying again." for code in (errno.EMFILE, errno.ENFILE)
    ]


async def test_another_threshold_acts_from_the_next_sample_on() -> None:
    machine = MemoryLimit(total_bytes=1_000, available_bytes=1_000, source="made up")
    monitor = MemoryMonitor(pool_context(read_limit=lambda: machine), [], 0.75)
    limits = list[int]()

    for threshold in (0.75, 0.5):
        monitor.set_threshold(threshold)
        await monitor.sample(is_exact=True)
        limits.append(monitor.limit_bytes)

    assert limits == [750, 500]
