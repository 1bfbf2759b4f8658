"""What happens, for however many watch: each event has a number, the last few are kept, no reader holds us up."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from poolwright.domain.events import Event

#: Events kept for readers that come back: some minutes of a busy pool.
KEPT_COUNT = 2000
#: Events that may wait for one reader; a slower one is let go, and comes back with the number it saw last.
WAITING_MAX = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An event with its sequence number."""

    number: int
    event: Event


class Feed:
    """An event sink with subscribers, within one event loop."""

    def __init__(self) -> None:
        """Start without events or subscribers."""
        self._kept: deque[Told] = deque(maxlen=KEPT_COUNT)
        self._readers: set[MemoryObjectSendStream[Told]] = set()
        self._number = 0

    def __call__(self, event: Event) -> None:
        """See ``EventSink``."""
        self._number += 1
        told = Told(number=self._number, event=event)
        self._kept.append(told)
        for reader in tuple(self._readers):
            try:
                reader.send_nowait(told)
            except (anyio.WouldBlock, anyio.BrokenResourceError):
                self._let_go(reader)

    @property
    def reader_count(self) -> int:
        """Number of subscribers."""
        return len(self._readers)

    def close(self) -> None:
        """End all subscriptions."""
        for reader in tuple(self._readers):
            self._let_go(reader)

    def missed_count(self, after: int) -> int:
        """How many events behind a number are not kept any more: a reader that saw it last has missed them."""
        oldest = self._kept[0].number if self._kept else self._number + 1
        return max(0, oldest - 1 - after)

    @asynccontextmanager
    async def reading(self, after: int | None = None) -> AsyncGenerator[MemoryObjectReceiveStream[Told]]:
        """Read what happens from now on, or from behind a number on as far as it is kept.

        The stream ends when this reader is too slow, or nothing more happens.
        """
        missed = [told for told in self._kept if after is not None and told.number > after]
        send, receive = anyio.create_memory_object_stream[Told](WAITING_MAX + len(missed))
        for told in missed:
            send.send_nowait(told)
        self._readers.add(send)
        try:
            with receive:
                yield receive
        finally:
            self._let_go(send)

    def _let_go(self, reader: MemoryObjectSendStream[Told]) -> None:
        self._readers.discard(reader)
        reader.close()


class Pace:
    """Rate of finished orders over the last minute."""

    WINDOW_S = 60.0

    def __init__(self, begun_s: float) -> None:
        """Start counting."""
        self._begun_s = begun_s
        self._ended_at_s: deque[float] = deque()

    def note(self, now_s: float) -> None:
        """Record one finished order."""
        self._ended_at_s.append(now_s)
        self._forget(now_s)

    def rate_per_s(self, now_s: float) -> float:
        """Return finished orders per second."""
        self._forget(now_s)
        return len(self._ended_at_s) / max(1.0, min(self.WINDOW_S, now_s - self._begun_s))

    def left_s(self, open_count: int, now_s: float) -> float | None:
        """Return the estimated seconds until this many orders finish; ``None`` if none finishes now."""
        rate = self.rate_per_s(now_s)
        return open_count / rate if rate > 0 and math.isfinite(rate) else None

    def _forget(self, now_s: float) -> None:
        while self._ended_at_s and now_s - self._ended_at_s[0] > self.WINDOW_S:
            self._ended_at_s.popleft()
