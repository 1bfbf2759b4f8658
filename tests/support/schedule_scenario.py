"""A timetable with a clock that is told to go on, and a daemon's queue that only takes notes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import anyio
import pytest

from poolwright.domain.events import Event, Notice
from poolwright.domain.ids import BatchId
from poolwright.domain.ports import Accepted, Clock
from poolwright.domain.tasks import OrderList
from poolwright.intake.orders import ReadOptions
from poolwright.service.batch import ListOptions
from poolwright.service.schedules.runs import QueueClient, RunContext, run_schedule
from poolwright.service.schedules.schedule_definition import FileSource, Schedule
from poolwright.service.schedules.schedule_state import RunResult, ScheduleStateFile
from poolwright.service.schedules.scheduler import Scheduler
from tests.support.order_files import DIGITS

BERLIN = ZoneInfo("Europe/Berlin")
READING = ReadOptions(portal_name="demo", rules=DIGITS)
#: A Monday.
MONDAY = datetime(2026, 11, 30, 0, 0, tzinfo=UTC)


class SetClock:
    """Stands still until it is set."""

    def __init__(self, now: datetime = MONDAY) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()

    def go(self, **delta: float) -> None:
        self.time += timedelta(**delta)


_NO_WISH = ListOptions()


@dataclass(kw_only=True)
class Queue:
    """Stands in for the daemon: lists are open until a test closes them."""

    lists: list[OrderList] = field(default_factory=list[OrderList])
    open: dict[BatchId, int] = field(default_factory=dict[BatchId, int])
    #: What it says about each list.
    notices: tuple[str, ...] = ()
    options: list[ListOptions] = field(default_factory=list[ListOptions])
    cancelled: list[BatchId] = field(default_factory=list[BatchId])
    #: Whether lists are done at once.
    is_quick: bool = True
    error: Exception | None = None
    #: How long it is busy with a list after that was taken.
    delay_s: float = 0.0

    async def submit(self, orders: OrderList, options: ListOptions = _NO_WISH) -> Accepted:
        if self.error:
            raise self.error
        self.options.append(options)
        self.lists.append(orders)
        self.open[orders.batch_id] = 0 if self.is_quick else len(orders.tasks)
        await anyio.sleep(self.delay_s)
        return Accepted(new_count=len(orders.tasks), waiting_count=0, done_count=0, notices=self.notices)

    async def open_count(self, batch_id: BatchId) -> int:
        return self.open[batch_id]

    async def cancel_waiting(self, batch_id: BatchId) -> int:
        self.cancelled.append(batch_id)
        count, self.open[batch_id] = self.open[batch_id], 0
        return count

    def close(self) -> None:
        """Every order has its end."""
        self.open = dict.fromkeys(self.open, 0)

    @property
    def program(self) -> QueueClient:
        return QueueClient(submit=self.submit, open_count=self.open_count, cancel_waiting=self.cancel_waiting)


@dataclass(kw_only=True)
class Scenario:
    """Everything around a timetable, which may be opened again and again: each time a new daemon."""

    root: Path
    clock: Clock = field(default_factory=SetClock)
    queue: Queue = field(default_factory=Queue)
    events: list[Event] = field(default_factory=list[Event])

    @property
    def ledger_path(self) -> Path:
        return self.root / ".poolwright" / "schedules.json"

    @property
    def texts(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Notice)]

    def means(self) -> RunContext:
        folder = self.root / ".poolwright" / "schedules"
        return RunContext(
            queue=self.queue.program, reading=READING, folder=folder, clock=self.clock, poll_interval_s=0.01
        )

    @asynccontextmanager
    async def timetable(self, *schedules: Schedule) -> AsyncGenerator[Scheduler]:
        ledger = ScheduleStateFile(self.ledger_path)
        async with Scheduler(
            schedules, state_file=ledger, context=self.means(), observe=self.events.append
        ) as timetable:
            yield timetable

    def schedule(self, name: str = "nightly", cron: str = "0 6 * * *", **changes: Any) -> Schedule:  # noqa: ANN401 - fields by name
        """An entry over a list of two orders."""
        path = self.root / f"{name}.csv"
        path.write_text(f"PO\nPO{100000 + len(name)}\nPO200000\n")
        return replace(Schedule(name=name, cron=cron, zone=BERLIN, source=FileSource(path=path)), **changes)


async def until(fact: Callable[[], object]) -> None:
    """Wait for a fact, as long as a busy machine needs."""
    with anyio.fail_after(30):
        while not fact():  # noqa: ASYNC110 - facts of a fake are looked at
            await anyio.sleep(0.005)


def hows(timetable: Scheduler, name: str) -> list[str]:
    """How the fires of an entry went, the latest first."""
    return [fire.how.value for sight in timetable.overview() if sight.name == name for fire in sight.history]


def is_idle(timetable: Scheduler) -> bool:
    """Whether no entry runs."""
    return not any(sight.is_running for sight in timetable.overview())


def names(lists: Iterable[OrderList]) -> list[str]:
    """Where lists came from."""
    return [orders.source for orders in lists]


@pytest.fixture
def scenario(tmp_path: Path) -> Scenario:
    return Scenario(root=tmp_path)


async def run(scenario: Scenario, schedule: Schedule) -> RunResult:
    noted: list[tuple[BatchId, ...]] = []

    async def note(batch_ids: tuple[BatchId, ...]) -> None:
        noted.append(batch_ids)

    ended = await run_schedule(schedule, MONDAY, scenario.means(), note)
    assert len(noted) == len(scenario.queue.lists), "each list is noted as soon as the journal has it"
    return ended
