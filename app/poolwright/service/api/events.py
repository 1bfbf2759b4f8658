"""Everything that happens, as it happens: server-sent events, from now on or from the last one that was seen."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Annotated

import anyio
from fastapi import APIRouter, Header
from fastapi.responses import StreamingResponse

from poolwright.service.api.asked import AskedDaemon
from poolwright.service.daemon.feed import Feed, Told
from poolwright.service.telling import kind_of, told

router = APIRouter(tags=["events"])

#: A line now and then shows both ends that the other is there; proxies give up after a minute.
SILENCE_MAX_S = 15.0


@router.get("/events", response_class=StreamingResponse)
async def events(
    daemon: AskedDaemon, last_event_id: Annotated[str | None, Header(max_length=40)] = None
) -> StreamingResponse:
    """Stream all events: transitions, started and finished orders, worker status, notices.

    With ``Last-Event-ID`` the stream starts after that event. Events that are no longer kept are reported first as
    ``event: missed`` with their ``count``, which is null if the daemon was restarted in between.
    """
    life = f"{daemon.started_at.timestamp():.0f}"
    headers = {"X-Accel-Buffering": "no"}
    after = _place(last_event_id or "", life)
    missed = daemon.feed.missed_count(after) if after is not None else None
    is_told = bool(missed) or (after is None and bool(last_event_id))
    stream = _stream(daemon.feed, life, after, _missed(missed) if is_told else "")
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


def _place(last_event_id: str, life: str) -> int | None:
    """Behind which event to go on; nothing for a reader that is new, or saw another life of the daemon."""
    seen_life, _, number = last_event_id.partition("-")
    return int(number) if seen_life == life and number.isascii() and number.isdigit() else None


def _missed(count: int | None) -> str:
    """Without an id: whoever comes back once more is told again."""
    return f"event: missed\ndata: {json.dumps({'count': count})}\n\n"


async def _stream(feed: Feed, life: str, after: int | None, first: str) -> AsyncGenerator[str]:
    async with feed.reading(after) as happening:
        yield f": Poolwright\n\n{first}"
        while True:
            line = ": still here\n\n"
            with anyio.move_on_after(SILENCE_MAX_S):
                try:
                    line = _line(life, await happening.receive())
                except anyio.EndOfStream:
                    return
            yield line


def _line(life: str, one: Told) -> str:
    """The number alone would mean another event in the next life."""
    return f"id: {life}-{one.number}\nevent: {kind_of(one.event)}\ndata: {json.dumps(told(one.event))}\n\n"
