"""The memory watchdog outlives what the system refuses it."""

from __future__ import annotations

import errno
import os

from poolwright.concurrency import SystemClock
from poolwright.domain.events import Event, Notice
from poolwright.journal.memory_journal import MemoryJournal
from poolwright.supervisor.chronicle import Chronicle
from poolwright.supervisor.facts import Fact
from poolwright.supervisor.pool_facts import MemorySeen
from poolwright.supervisor.watchdog import MemoryMonitor
from poolwright.system.memory_limit import MemoryLimit


async def test_memory_that_cannot_be_looked_at_is_told_once_and_looked_at_again() -> None:
    facts, events, codes = list[Fact](), list[Event](), [errno.EMFILE, errno.EMFILE, 0, errno.ENFILE]

    def read_limit() -> MemoryLimit:
        if code := codes.pop(0):
            raise OSError(code, os.strerror(code))
        return MemoryLimit(total_bytes=10**12, available_bytes=10**12, source="made up")

    chronicle = Chronicle(MemoryJournal(SystemClock()), events.append)
    monitor = MemoryMonitor([], 0.75, read_limit, chronicle, facts.append)

    for _ in range(4):
        await monitor.look(is_exact=False)

    assert [type(fact) for fact in facts] == [MemorySeen]
    assert [event.text for event in events if isinstance(event, Notice)] == [
        f"Memory cannot be looked at now ({os.strerror(code)}); it is tried again."
        for code in (errno.EMFILE, errno.ENFILE)
    ]
