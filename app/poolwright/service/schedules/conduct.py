"""One run of an entry from its input to how it ended, within its deadline."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import anyio
import anyio.to_thread

from poolwright.domain.errors import PoolError
from poolwright.domain.ids import BatchId
from poolwright.domain.ports import Clock
from poolwright.intake.orders import ReadOptions, orders_from_file
from poolwright.service.schedules.entry import OwnBatch, Schedule
from poolwright.service.schedules.own_batch import OwnRun
from poolwright.service.schedules.records import Ended, How, OpenRun
from poolwright.service.schedules.source import find_lists
from poolwright.service.schedules.submitted import Desk, cancel_rest, watch

#: Told each time a list is in the journal: the lists of this run so far.
Note = Callable[[tuple[BatchId, ...]], Awaitable[None]]
#: Between two looks at how many orders of a run are still open.
LOOK_INTERVAL_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What every run of a schedule needs."""

    desk: Desk
    #: Portal and rules of the daemon's lists; column and sheet come from the entry.
    reading: ReadOptions
    #: Private; takes what programs print.
    folder: Path
    clock: Clock
    look_interval_s: float = LOOK_INTERVAL_S


async def conduct(schedule: Schedule, began_at: datetime, means: Means, note: Note) -> Ended:
    """Run an entry. When cancelled, programs that it started are ended first; orders that were submitted stay.

    Returns:
        How it ended; nothing that can happen to one run is raised.
    """
    limit_s = _left_s(schedule, began_at, means.clock)
    try:
        if schedule.own is not None:
            return await _run_apart(schedule, schedule.own, means, limit_s)
        return await _submit(schedule, means, limit_s, note)
    except PoolError as error:
        return Ended(how=How.FAILED, detail=str(error))
    except OSError as error:
        return Ended(how=How.FAILED, detail=f"The run could not be started: {error}.")


async def resume(schedule: Schedule, run: OpenRun, means: Means) -> Ended:
    """Resume a run whose orders an earlier daemon had submitted."""
    try:
        return await _watch(schedule, run.batch_ids, means, _left_s(schedule, run.began_at, means.clock))
    except PoolError as error:
        return Ended(how=How.FAILED, detail=str(error))


def _left_s(schedule: Schedule, began_at: datetime, clock: Clock) -> float:
    """Seconds until the deadline; without end where there is none. A clock that was set back does not put it off."""
    if schedule.deadline_s is None:
        return math.inf
    gone_s = (clock.now() - began_at).total_seconds()
    return max(0.0, schedule.deadline_s - max(0.0, gone_s))


async def _run_apart(schedule: Schedule, own: OwnBatch, means: Means, limit_s: float) -> Ended:
    runs: list[OwnRun] = []
    with anyio.move_on_after(limit_s) as limit:
        for number, path in enumerate(await find_lists(schedule, means.folder), start=1):
            run = OwnRun(own, path, means.folder / (schedule.name if number == 1 else f"{schedule.name}-{number}"))
            runs.append(run)
            await run.finish()
    endings = [await run.ended() for run in runs]
    detail = " ".join(ended.detail for ended in endings)
    if limit.cancelled_caught:
        return Ended(how=How.DEADLINE, detail=f"The deadline passed and the run was stopped. {detail}".strip())
    is_done = all(ended.how is How.DONE for ended in endings)
    return Ended(how=How.DONE if is_done else How.FAILED, detail=detail)


async def _submit(schedule: Schedule, means: Means, limit_s: float, note: Note) -> Ended:
    reading = replace(means.reading, column=schedule.column, sheet_name=schedule.sheet)
    began_s = means.clock.monotonic()
    batch_ids: list[BatchId] = []
    #: Those whose orders may be in the journal, also where the deadline cuts short what was to come after.
    begun: list[BatchId] = []
    problems: list[str] = []
    with anyio.move_on_after(limit_s) as limit:
        for path in await find_lists(schedule, means.folder):
            try:
                orders = await anyio.to_thread.run_sync(orders_from_file, path, reading)
                begun.append(orders.batch_id)
                await means.desk.submit(orders)
            except PoolError as error:
                # The other lists of a pattern are as good as before.
                problems.append(str(error))
                continue
            batch_ids.append(orders.batch_id)
            await note(tuple(batch_ids))
    if limit.cancelled_caught and begun:
        return await _end_at_deadline(schedule, begun, means)
    if limit.cancelled_caught:
        return Ended(how=How.DEADLINE, detail="The deadline passed before the list was read; no order was submitted.")
    if not batch_ids:
        return Ended(how=How.FAILED, detail=" ".join(problems))
    ended = await _watch(schedule, batch_ids, means, limit_s - (means.clock.monotonic() - began_s))
    if problems and ended.how is How.DONE:
        return Ended(how=How.FAILED, detail=" ".join((*problems, ended.detail)))
    return ended


async def _watch(schedule: Schedule, batch_ids: Sequence[BatchId], means: Means, limit_s: float) -> Ended:
    """Until every order has its end, or the deadline: what no worker has begun by then is cancelled."""
    with anyio.move_on_after(limit_s) as limit:
        await watch(means.desk, batch_ids, means.look_interval_s)
    if not limit.cancelled_caught:
        return Ended(how=How.DONE, detail="All orders are finished.")
    return await _end_at_deadline(schedule, batch_ids, means)


async def _end_at_deadline(schedule: Schedule, batch_ids: Sequence[BatchId], means: Means) -> Ended:
    count = await cancel_rest(means.desk, batch_ids)
    minutes = f"{(schedule.deadline_s or 0) / 60:g}"
    return Ended(
        how=How.DEADLINE,
        detail=f"The deadline of {minutes} minutes passed: {count} orders that had not started were cancelled; "
        "`poolwright retry` queues them again.",
    )
