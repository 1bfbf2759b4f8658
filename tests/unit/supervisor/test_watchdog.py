"""The memory watchdog outlives what the system refuses it."""

from __future__ import annotations

import errno
import os

from poolwright.concurrency import SystemClock
from poolwright.domain.events import Event, Notice
from poolwright.journal.memory_journal import MemoryJournal
from poolwright.supervisor.memory_monitor import MemoryMonitor
from poolwright.supervisor.observation import EventLog
from poolwright.supervisor.policy.events import MemorySampled, PoolInput
from poolwright.system.memory_limit import MemoryLimit


async def test_memory_that_cannot_be_looked_at_is_told_once_and_looked_at_again() -> None:
    facts, events, codes = list[PoolInput](), list[Event](), [errno.EMFILE, errno.EMFILE, 0, errno.ENFILE]

    def read_limit() -> MemoryLimit:
        if code := codes.pop(0):
            raise OSError(code, os.strerror(code))
        return MemoryLimit(total_bytes=10**12, available_bytes=10**12, source="made up")

    chronicle = EventLog(MemoryJournal(SystemClock()), events.append)
    monitor = MemoryMonitor([], 0.75, read_limit, chronicle, facts.append)

    for _ in range(4):
        await monitor.sample(is_exact=False)

    assert [type(fact) for fact in facts] == [MemorySampled]
    assert [event.text for event in events if isinstance(event, Notice)] == [
        f"Memory cannot be measured now ({os.strerror(code)}); trying again." for code in (errno.EMFILE, errno.ENFILE)
    ]
