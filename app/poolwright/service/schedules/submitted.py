"""An entry whose orders go to the daemon's own queue: submitted, watched until their end or the deadline."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from poolwright.concurrency import periodic
from poolwright.domain.ids import BatchId
from poolwright.domain.ports import Accepted
from poolwright.domain.tasks import OrderList


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The daemon's queue as schedules use it. Each function may raise ``PoolError``."""

    #: Takes a list up; its orders are in the journal when it returns.
    submit: Callable[[OrderList], Awaitable[Accepted]]
    #: How many orders of a list have no end yet.
    open_count: Callable[[BatchId], Awaitable[int]]
    #: Cancels the orders of a list that no worker has begun; tells how many.
    cancel_waiting: Callable[[BatchId], Awaitable[int]]


async def watch(desk: Desk, batch_ids: Sequence[BatchId], interval_s: float) -> None:
    """Return when no order of these lists is open. The caller sets the deadline."""
    async for _ in periodic(interval_s):
        counts = [await desk.open_count(batch_id) for batch_id in batch_ids]
        if not any(counts):
            return


async def cancel_rest(desk: Desk, batch_ids: Sequence[BatchId]) -> int:
    """Cancel the orders that have not started; return how many."""
    counts = [await desk.cancel_waiting(batch_id) for batch_id in batch_ids]
    return sum(counts)
