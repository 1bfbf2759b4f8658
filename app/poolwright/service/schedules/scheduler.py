"""The scheduler: one timer to the next due time, and every run that it started.

Decisions are those of ``firing``; this acts. An entry has one run at a time, and at most one that waits for its end.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from types import TracebackType
from typing import Self

import anyio
from anyio.abc import TaskGroup

from poolwright.archive.output_tree import PRIVATE_NAME
from poolwright.domain.errors import PoolError
from poolwright.domain.events import Level
from poolwright.domain.ids import BatchId
from poolwright.domain.ports import Clock, EventSink
from poolwright.intake.orders import ReadOptions
from poolwright.service.schedules.cron import (
    OverlapDecision,
    decide_overlap,
    find_due_times,
    missed_message,
    next_fire,
    valid_since,
)
from poolwright.service.schedules.runs import QueueClient, RunContext, resume_run, run_schedule
from poolwright.service.schedules.schedule_definition import Schedule, schedules_from_settings
from poolwright.service.schedules.schedule_state import (
    STATE_FILE_NAME,
    CurrentRun,
    PastRun,
    RunResult,
    RunStatus,
    ScheduleState,
    ScheduleStateFile,
    StateStore,
    TrackedSchedule,
)
from poolwright.settings import MissedRunPolicy, Settings
from poolwright.settings.schedule_entry import zone_name


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleView:
    """One schedule as shown to people and programs. Times are timezone-aware."""

    name: str
    cron: str
    timezone: str
    #: Where its list comes from, in words.
    source: str
    #: Profile of a run of its own; empty when its orders go to the daemon's queue.
    profile: str
    #: Folder of a run of its own; empty when its orders go to the daemon's queue.
    out: str
    deadline_minutes: float | None
    missed: str
    overlap: str
    #: Nothing when no day of the next 50 years meets it.
    next_at: datetime | None
    is_running: bool
    is_waiting: bool
    #: The latest first.
    history: tuple[PastRun, ...]


def describe_schedule(schedule: Schedule, memory: ScheduleState, next_at: datetime | None) -> ScheduleView:
    """Build the view of a schedule."""
    return ScheduleView(
        name=schedule.name,
        cron=schedule.cron,
        timezone=zone_name(schedule.zone),
        source=str(schedule.source),
        profile=schedule.own.profile if schedule.own else "",
        out=str(schedule.own.out) if schedule.own else "",
        deadline_minutes=None if schedule.deadline_s is None else schedule.deadline_s / 60,
        missed=schedule.missed.value,
        overlap=schedule.overlap.value,
        next_at=None if next_at is None else next_at.astimezone(schedule.zone),
        is_running=memory.open is not None,
        is_waiting=memory.waiting_at is not None,
        history=memory.history[::-1],
    )


#: The longest pause between two looks at the clock: it may have been set, and the machine may have slept.
PAUSE_MAX_S = 60.0


class UnknownScheduleError(PoolError):
    """No schedule has this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAnswer:
    """The answer to a requested run."""

    decision: OverlapDecision
    #: One sentence.
    detail: str


class Scheduler:
    """Schedules and their runs; leaving the block ends started programs, submitted orders stay queued."""

    def __init__(
        self, schedules: Iterable[Schedule], *, ledger: ScheduleStateFile, means: RunContext, observe: EventSink
    ) -> None:
        """Nothing is read or started before its block."""
        self._schedules = tuple(schedules)
        self._means = means
        self._store = StateStore(ledger, means.clock, observe)
        self._changed = anyio.Event()
        self._stack = AsyncExitStack()
        self._runs: TaskGroup | None = None

    async def __aenter__(self) -> Self:
        """Remember what fired before, and take up what was going on then. Nothing fires before ``serve``.

        What was begun is ended again when a later step fails.
        """
        async with AsyncExitStack() as opening:
            await self._store.load()
            self._runs = await opening.enter_async_context(anyio.create_task_group())
            await self._store.replace_all(self._schedules)
            for place in self._store:
                await self._resume_open_run(place)
            self._stack = opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """End what runs."""
        if self._runs is not None:
            self._runs.cancel_scope.cancel()
        # What it ends is ended under shields, with limits.
        return bool(await self._stack.__aexit__(kind, error, trace))  # noqa: ASYNC102

    async def run(self) -> None:
        """Start due schedules until cancelled."""
        while True:
            pause_s = await self.run_due()
            with anyio.move_on_after(pause_s):
                await self._changed.wait()
            self._changed = anyio.Event()

    async def run_due(self) -> float:
        """Start all due schedules; return the seconds until the next check."""
        for place in self._store:
            await self._check(place)
        nexts = [at for place in self._store if (at := _next(place)) is not None]
        left_s = (min(nexts) - self._means.clock.now()).total_seconds() if nexts else PAUSE_MAX_S
        return min(max(left_s, 0.0), PAUSE_MAX_S)

    async def replace(self, schedules: Iterable[Schedule]) -> None:
        """Take other entries in the place of all; runs that go on end as they began."""
        await self._store.replace_all(schedules)
        self._changed.set()

    async def run_now(self, name: str) -> RunAnswer:
        """Run an entry now, whatever its cron says; its overlap rule counts.

        Raises:
            UnknownScheduleError: There is no such entry.
        """
        place = self._store.get(name)
        if place is None:
            names = ", ".join(place.schedule.name for place in self._store) or "none"
            raise UnknownScheduleError(f"There is no schedule {name!r}. Configured schedules: {names}.")
        decision = await self._fire(place, self._means.clock.now())
        told = {
            OverlapDecision.START: f"The schedule {name} was started.",
            OverlapDecision.QUEUE: f"The schedule {name} is already running; it starts again when this run ends.",
            OverlapDecision.SKIP: f"The schedule {name} is running and was not started. Try again when it has ended.",
        }
        return RunAnswer(decision=decision, detail=told[decision])

    def overview(self) -> tuple[ScheduleView, ...]:
        """Return the view of every schedule."""
        return tuple(describe_schedule(place.schedule, place.state, _next(place)) for place in self._store)

    async def _resume_open_run(self, place: TrackedSchedule) -> None:
        """Go on with a run that was open when an earlier daemon ended."""
        run = place.state.open
        if run is None:
            return
        if run.batch_ids:
            self._start(place, run, is_resumed=True)
            return
        is_again = place.schedule.missed is MissedRunPolicy.RUN
        detail = "The daemon ended before this run did" + ("; it starts again." if is_again else ".")
        await self._finish_run(place, run, RunResult(how=RunStatus.CUT_OFF, detail=detail))
        if is_again:
            await self._fire(place, run.due_at)

    async def _check(self, place: TrackedSchedule) -> None:
        now = self._means.clock.now()
        # The clock may be set back while the daemon lives, as well as while none does.
        place.state = replace(place.state, since=valid_since(place.state.since, now))
        due = find_due_times(place.schedule, place.state.since, now)
        if due is None:
            return
        memory = replace(place.state, since=due.since)
        if due.missed_count and due.first_missed_at is not None:
            detail = missed_message(place.schedule, due)
            memory = memory.with_past_run(
                PastRun(due_at=due.first_missed_at, ended_at=now, how=RunStatus.MISSED, detail=detail)
            )
            self._store.publish(Level.WARNING, detail)
        place.state = memory
        if due.fire_at is None:
            await self._store.save(place)
        else:
            # Written before anything is started: a daemon that dies here finds the run open.
            await self._fire(place, due.fire_at)

    async def _fire(self, place: TrackedSchedule, due_at: datetime) -> OverlapDecision:
        name, now = place.schedule.name, self._means.clock.now()
        is_waiting = place.state.waiting_at is not None
        decision = decide_overlap(
            place.schedule.overlap, is_running=place.state.open is not None, is_waiting=is_waiting
        )
        match decision:
            case OverlapDecision.START:
                run = CurrentRun(due_at=due_at, began_at=now)
                place.state = replace(place.state, open=run)
                level, text = Level.INFO, f"The schedule {name} starts."
            case OverlapDecision.QUEUE:
                place.state = replace(place.state, waiting_at=due_at)
                level, text = Level.INFO, f"The schedule {name} is due and waits for its current run to end."
            case OverlapDecision.SKIP:
                level, text = Level.WARNING, f"The schedule {name} is due but still running; this time is skipped."
                fire = PastRun(due_at=due_at, ended_at=now, how=RunStatus.SKIPPED, detail=text)
                place.state = place.state.with_past_run(fire)
        run = place.state.open
        await self._store.save(place)
        self._store.publish(level, text)
        if decision is OverlapDecision.START and run is not None:
            self._start(place, run, is_resumed=False)
        return decision

    def _start(self, place: TrackedSchedule, run: CurrentRun, *, is_resumed: bool) -> None:
        if self._runs is not None:
            self._runs.start_soon(self._run, place, run, is_resumed)

    async def _run(self, place: TrackedSchedule, run: CurrentRun, is_resumed: bool) -> None:  # noqa: FBT001 - a task group hands on no keywords
        async def note(batch_ids: tuple[BatchId, ...]) -> None:
            place.state = replace(place.state, open=replace(run, batch_ids=batch_ids))
            await self._store.save(place)

        if is_resumed:
            ended = await resume_run(place.schedule, run, self._means)
        else:
            ended = await run_schedule(place.schedule, run.began_at, self._means, note)
        await self._finish_run(place, run, ended)

    async def _finish_run(self, place: TrackedSchedule, run: CurrentRun, ended: RunResult) -> None:
        """Tell how a run ended, and start what waited for that."""
        fire = PastRun(due_at=run.due_at, ended_at=self._means.clock.now(), how=ended.how, detail=ended.detail)
        waiting_at = place.state.waiting_at
        place.state = replace(place.state.with_past_run(fire), open=None, waiting_at=None)
        level = Level.INFO if ended.how is RunStatus.DONE else Level.WARNING
        self._store.publish(level, f"The schedule {place.schedule.name}: {ended.detail}")
        await self._store.save(place)
        if waiting_at is not None and self._store.contains(place):
            await self._fire(place, waiting_at)


def _next(place: TrackedSchedule) -> datetime | None:
    return next_fire(place.schedule.cron, place.schedule.zone, place.state.since)


#: Below the private folder; takes what programs of entries print.
PROGRAM_OUTPUT_NAME = "schedules"


def create_scheduler(
    settings: Settings, *, desk: QueueClient, reading: ReadOptions, clock: Clock, observe: EventSink
) -> Scheduler:
    """The timetable of these settings, to be entered and served. ``Timetable.replace`` takes later settings' entries.

    Args:
        settings: The daemon's own.
        desk: What its queue offers.
        reading: Portal and rules of its lists.
        clock: The time.
        observe: Is told each start, end, miss and overlap as a notice.

    Raises:
        OptionsError: An entry would write into a folder that is not its own, or has a template that cannot be read.
    """
    private = settings.out / PRIVATE_NAME
    means = RunContext(queue=desk, reading=reading, folder=private / PROGRAM_OUTPUT_NAME, clock=clock)
    ledger = ScheduleStateFile(private / STATE_FILE_NAME)
    return Scheduler(schedules_from_settings(settings), ledger=ledger, means=means, observe=observe)
