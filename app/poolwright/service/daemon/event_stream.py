"""Numbered events for any number of subscribers, their JSON form, and the throughput counted from them."""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, get_args

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from pydantic import TypeAdapter

from poolwright.domain.events import Event, TaskEnded

#: Events kept for readers that reconnect: some minutes of a busy pool.
KEPT_COUNT = 2000
#: Events that may wait for one reader; a slower one is disconnected, and reconnects with the last number it received.
WAITING_MAX = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class SequencedEvent:
    """An event with its sequence number."""

    number: int
    event: Event


class EventStream:
    """An event sink with subscribers, within one event loop."""

    def __init__(self) -> None:
        """Start without events or subscribers."""
        self._kept: deque[SequencedEvent] = deque(maxlen=KEPT_COUNT)
        self._subscribers: set[MemoryObjectSendStream[SequencedEvent]] = set()
        self._number = 0

    def __call__(self, event: Event) -> None:
        """See ``EventSink``."""
        self._number += 1
        item = SequencedEvent(number=self._number, event=event)
        self._kept.append(item)
        for reader in tuple(self._subscribers):
            try:
                reader.send_nowait(item)
            except (anyio.WouldBlock, anyio.BrokenResourceError):
                self._drop(reader)

    @property
    def subscriber_count(self) -> int:
        """Number of subscribers."""
        return len(self._subscribers)

    def close(self) -> None:
        """End all subscriptions."""
        for reader in tuple(self._subscribers):
            self._drop(reader)

    def missed_count(self, after: int) -> int:
        """Return how many events after this number are no longer kept."""
        oldest = self._kept[0].number if self._kept else self._number + 1
        return max(0, oldest - 1 - after)

    @asynccontextmanager
    async def subscribe(self, after: int | None = None) -> AsyncGenerator[MemoryObjectReceiveStream[SequencedEvent]]:
        """Subscribe to the events from now on, and first to those after a number as far as they are kept.

        The stream ends when this reader is too slow, or when the daemon closes the event stream.
        """
        missed = [item for item in self._kept if after is not None and item.number > after]
        send, receive = anyio.create_memory_object_stream[SequencedEvent](WAITING_MAX + len(missed))
        for item in missed:
            send.send_nowait(item)
        self._subscribers.add(send)
        try:
            with receive:
                yield receive
        finally:
            self._drop(send)

    def _drop(self, reader: MemoryObjectSendStream[SequencedEvent]) -> None:
        self._subscribers.discard(reader)
        reader.close()


class Throughput:
    """Rate of finished orders over the last minute."""

    WINDOW_S = 60.0

    def __init__(self, begun_s: float) -> None:
        """Start counting."""
        self._begun_s = begun_s
        self._ended_at_s: deque[float] = deque()

    def record(self, now_s: float) -> None:
        """Record one finished order."""
        self._ended_at_s.append(now_s)
        self._prune(now_s)

    def rate_per_s(self, now_s: float) -> float:
        """Return finished orders per second."""
        self._prune(now_s)
        return len(self._ended_at_s) / max(1.0, min(self.WINDOW_S, now_s - self._begun_s))

    def remaining_s(self, open_count: int, now_s: float) -> float | None:
        """Return the estimated seconds until this many orders finish; ``None`` if the rate is 0."""
        rate = self.rate_per_s(now_s)
        return open_count / rate if rate > 0 and math.isfinite(rate) else None

    def _prune(self, now_s: float) -> None:
        while self._ended_at_s and now_s - self._ended_at_s[0] > self.WINDOW_S:
            self._ended_at_s.popleft()


_KINDS: Mapping[str, type[Event]] = MappingProxyType({kind.__name__: kind for kind in get_args(Event)})


@cache
def _adapter(kind: type[Event]) -> TypeAdapter[Event]:
    return TypeAdapter(kind)  # built at the first event of a kind: most programs send or read only some of them


def event_kind(event: Event) -> str:
    """Return the event's name in JSON, such as ``task_ended``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(event).__name__).lower()


def dump_event(event: Event) -> dict[str, Any]:
    """Return the event's fields as plain JSON, with the outcome of a finished task."""
    fields = _adapter(type(event)).dump_python(event, mode="json")
    if isinstance(event, TaskEnded):
        fields["outcome"] = event.report.outcome.value
    return fields


def load_event(kind: str, fields: dict[str, Any]) -> Event | None:
    """Parse an event sent by another process; ``None`` if its kind is unknown.

    Raises:
        pydantic.ValidationError: The fields do not fit the kind.
    """
    event_type = _KINDS.get("".join(part.capitalize() for part in kind.split("_")))
    if event_type is None:
        return None
    return _adapter(event_type).validate_python({name: value for name, value in fields.items() if name != "outcome"})
