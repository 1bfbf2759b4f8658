"""The objects that the parts of a pool share: its ports, the inbox of its policy, its event log and its deadline.

The pool makes one context and passes it to every part.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
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
    """Objects that a pool uses but does not own."""

    journal: Journal
    archive: Archive
    clock: Clock
    observe: EventSink
    #: The list whose tasks the pool works on.
    batch_id: BatchId
    #: Start of the ids of its portal's tasks, with the colon; empty if they have none.
    prefix: str = ""
    #: Groups of that portal that are set aside from the start, with the cause of each.
    groups_set_aside: Mapping[str, str] = field(default_factory=dict[str, str])
    #: Module of the worker process; tests replace it with a scripted one.
    module: str = "poolwright.worker"
    #: Returns the memory of the machine; tests return less.
    read_limit: Callable[[], MemoryLimit] = read_limit
    #: Returns how many processes the system has killed because memory ran out; ``None`` if it does not count them.
    count_kills: Callable[[], int | None] = oom_kill_count


class PolicyInbox:
    """Queue of the events for the policy, which handles them one after another. Iterate over it to receive them."""

    def __init__(self) -> None:
        """Start without events."""
        #: Events, filings and writes that are not finished yet.
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
        """Return an iterator over the events in order; the receiver of one drops it from ``unsettled`` afterwards."""
        return self._receiver

    def post(self, event: PoolInput) -> None:
        """Queue an event and return at once; events after the end are ignored."""
        with contextlib.suppress(anyio.ClosedResourceError):
            self._sender.send_nowait(event)
            self.unsettled.add()


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolContext:
    """The shared objects of one pool."""

    #: The pool's ports; their journal is the one that retries.
    ports: PoolPorts
    event_log: EventLog
    inbox: PolicyInbox
    #: The deadline of the shutdown.
    deadline: Deadline
    #: Set when the pool ends: all delays end then.
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
        """The clock of the pool."""
        return self.ports.clock

    @property
    def batch_id(self) -> BatchId:
        """The list whose tasks the pool works on."""
        return self.ports.batch_id

    def post(self, event: PoolInput) -> None:
        """Queue an event for the policy and return at once."""
        self.inbox.post(event)
