"""What the parts of a pool share: its ports, the inbox of its policy, its event log, and when it ends.

The pool makes one context and gives it to every part, which takes from it what it needs.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import anyio

from poolwright.concurrency import WaitGroup
from poolwright.domain.ids import BatchId
from poolwright.domain.ports import Archive, Clock, EventSink, Journal
from poolwright.supervisor.deadline import Deadline
from poolwright.supervisor.observation import EventLog
from poolwright.supervisor.policy.events import PoolInput
from poolwright.system.memory_limit import MemoryLimit, oom_kill_count, read_limit


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolPorts:
    """What a pool uses but does not own."""

    journal: Journal
    archive: Archive
    clock: Clock
    observe: EventSink
    #: The list whose tasks the pool works on.
    batch_id: BatchId
    #: Module of the worker process; tests put a scripted one here.
    module: str = "poolwright.worker"
    #: Returns how much memory there is; tests make up a smaller machine.
    read_limit: Callable[[], MemoryLimit] = read_limit
    #: Returns how many processes the system has ended for want of memory so far.
    count_kills: Callable[[], int | None] = oom_kill_count


class PolicyInbox:
    """Events on their way to the policy, which takes them one after another. Iterate over it to receive them."""

    def __init__(self) -> None:
        """Start with none."""
        #: Events, filings and writings that are not dealt with yet.
        self.unsettled = WaitGroup()
        self._sender, self._receiver = anyio.create_memory_object_stream[PoolInput](math.inf)

    def __enter__(self) -> Self:
        """Open the inbox."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the inbox."""
        self._sender.close()
        self._receiver.close()

    def __aiter__(self) -> AsyncIterator[PoolInput]:
        """Receive the events in order; who receives one drops it from ``unsettled`` afterwards."""
        return self._receiver

    def post(self, event: PoolInput) -> None:
        """Queue an event and return at once; events after the end are ignored."""
        with contextlib.suppress(anyio.ClosedResourceError):
            self._sender.send_nowait(event)
            self.unsettled.add()


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolContext:
    """What every part of a pool may use."""

    #: The pool's ports; their journal is the one that retries.
    ports: PoolPorts
    event_log: EventLog
    inbox: PolicyInbox
    #: When the pool must be gone.
    deadline: Deadline
    #: Set when the pool ends: no delay is waited for any more.
    ending: anyio.Event

    @property
    def journal(self) -> Journal:
        """The journal of all tasks."""
        return self.ports.journal

    @property
    def archive(self) -> Archive:
        """The output tree."""
        return self.ports.archive

    @property
    def clock(self) -> Clock:
        """The time."""
        return self.ports.clock

    @property
    def batch_id(self) -> BatchId:
        """The list whose tasks the pool works on."""
        return self.ports.batch_id

    def post(self, event: PoolInput) -> None:
        """Give the policy an event; returns at once."""
        self.inbox.post(event)
