"""What happens is told to however many read, none of whom holds anybody up, in memory that does not grow."""

from __future__ import annotations

import anyio
import pytest
from anyio.streams.memory import MemoryObjectReceiveStream

from poolwright.domain.events import Level, Notice
from poolwright.service.daemon.event_stream import KEPT_COUNT, WAITING_MAX, EventStream, SequencedEvent


def tell(feed: EventStream, count: int) -> None:
    for _ in range(count):
        feed(Notice(level=Level.INFO, text="something"))


async def numbers_of(stream: MemoryObjectReceiveStream[SequencedEvent]) -> list[int]:
    """What is there to read until the end of the stream."""
    with anyio.fail_after(10):
        return [told.number async for told in stream]


async def test_every_reader_hears_everything_in_its_order() -> None:
    feed = EventStream()
    async with feed.subscribe() as one, feed.subscribe() as other:
        tell(feed, 3)
        feed.close()

        assert await numbers_of(one) == await numbers_of(other) == [1, 2, 3]


async def test_a_slow_reader_is_let_go_and_the_others_hear_on() -> None:
    feed = EventStream()
    async with feed.subscribe() as slow, feed.subscribe() as quick:
        heard: list[int] = []
        for _ in range(WAITING_MAX + 5):
            tell(feed, 1)
            heard.append(quick.receive_nowait().number)

        assert feed.subscriber_count == 1
        assert heard == list(range(1, WAITING_MAX + 6))
        assert await numbers_of(slow) == list(range(1, WAITING_MAX + 1)), "what it had, and then the end"


async def test_a_reader_that_comes_back_misses_nothing_that_is_kept() -> None:
    feed = EventStream()
    tell(feed, KEPT_COUNT + 10)
    async with feed.subscribe(after=KEPT_COUNT + 7) as back, feed.subscribe(after=0) as late, feed.subscribe() as new:
        tell(feed, 1)
        feed.close()

        assert await numbers_of(back) == [KEPT_COUNT + number for number in (8, 9, 10, 11)]
        assert await numbers_of(late) == list(range(11, KEPT_COUNT + 12)), "no more is kept than that"
        assert await numbers_of(new) == [KEPT_COUNT + 11]


async def test_a_reader_that_goes_is_forgotten() -> None:
    feed = EventStream()
    with pytest.raises(KeyError):
        async with feed.subscribe():
            raise KeyError
    tell(feed, 1)

    assert feed.subscriber_count == 0


def test_what_is_not_kept_any_more_is_counted_for_a_reader_that_comes_back() -> None:
    feed = EventStream()
    assert feed.missed_count(0) == 0
    tell(feed, KEPT_COUNT + 10)

    assert [feed.missed_count(after) for after in (0, 7, 10, 11, KEPT_COUNT + 10)] == [10, 3, 0, 0, 0]
