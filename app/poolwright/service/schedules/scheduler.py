"""The scheduler: one timer to the next due time, and every run that it started.

``cron`` decides, this module acts. A schedule has one run at a time, and at most one that waits for its end.
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
    #: Description of its source.
    source: str
    #: Profile of the separate batch; empty if the orders go to the queue of the daemon.
    profile: str
    #: Output folder of the separate batch; empty if the orders go to the queue of the daemon.
    out: str
    deadline_minutes: float | None
    missed: str
    overlap: str
    #: ``None`` if it is not due within the next 50 years.
    next_at: datetime | None
    is_running: bool
    is_waiting: bool
    #: Past runs, the latest first.
    history: tuple[PastRun, ...]


def describe_schedule(schedule: Schedule, state: ScheduleState, next_at: datetime | None) -> ScheduleView:
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
        is_running=state.open is not None,
        is_waiting=state.waiting_at is not None,
        history=state.history[::-1],
    )


#: Maximum interval of reading the clock: it may be set, and the machine may be suspended.
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
        self, schedules: Iterable[Schedule], *, state_file: ScheduleStateFile, context: RunContext, observe: EventSink
    ) -> None:
        """Keep the arguments; entering the block reads the state file."""
        self._schedules = tuple(schedules)
        self._context = context
        self._store = StateStore(state_file, context.clock, observe)
        self._changed = anyio.Event()
        self._stack = AsyncExitStack()
        self._runs: TaskGroup | None = None

    async def __aenter__(self) -> Self:
        """Load the saved state and resume interrupted runs; ``run`` starts due schedules.

        If a step fails, the earlier steps are undone.
        """
        async with AsyncExitStack() as opening:
            await self._store.load()
            self._runs = await opening.enter_async_context(anyio.create_task_group())
            await self._store.replace_all(self._schedules)
            for tracked in self._store:
                await self._resume_open_run(tracked)
            self._stack = opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Cancel all runs and wait for their end."""
        if self._runs is not None:
            self._runs.cancel_scope.cancel()
        # The runs end under shields with time limits.
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
        for tracked in self._store:
            await self._check(tracked)
        due_times = [at for tracked in self._store if (at := _next(tracked)) is not None]
        remaining_s = (min(due_times) - self._context.clock.now()).total_seconds() if due_times else PAUSE_MAX_S
        return min(max(remaining_s, 0.0), PAUSE_MAX_S)

    async def replace(self, schedules: Iterable[Schedule]) -> None:
        """Replace all schedules; current runs end with their old definition."""
        await self._store.replace_all(schedules)
        self._changed.set()

    async def run_now(self, name: str) -> RunAnswer:
        """Run a schedule now, independently of its times; its overlap rule applies.

        Raises:
            UnknownScheduleError: There is no schedule of this name.
        """
        tracked = self._store.get(name)
        if tracked is None:
            names = ", ".join(other.schedule.name for other in self._store) or "none"
            raise UnknownScheduleError(f"There is no schedule {name!r}. Configured schedules: {names}.")
        decision = await self._fire(tracked, self._context.clock.now())
        details = {
            OverlapDecision.START: f"The schedule {name} was started.",
            OverlapDecision.QUEUE: f"The schedule {name} is already running; it starts again when this run ends.",
            OverlapDecision.SKIP: (
                f"The schedule {name} is already running; nothing was started. Try again when it has ended."
            ),
        }
        return RunAnswer(decision=decision, detail=details[decision])

    def overview(self) -> tuple[ScheduleView, ...]:
        """Return the view of every schedule."""
        return tuple(describe_schedule(tracked.schedule, tracked.state, _next(tracked)) for tracked in self._store)

    async def _resume_open_run(self, tracked: TrackedSchedule) -> None:
        """Resume a run that was open when an earlier daemon ended."""
        run = tracked.state.open
        if run is None:
            return
        if run.batch_ids:
            self._start(tracked, run, is_resumed=True)
            return
        starts_again = tracked.schedule.missed is MissedRunPolicy.RUN
        detail = "The daemon ended before this run did" + ("; it starts again." if starts_again else ".")
        await self._finish_run(tracked, run, RunResult(how=RunStatus.CUT_OFF, detail=detail))
        if starts_again:
            await self._fire(tracked, run.due_at)

    async def _check(self, tracked: TrackedSchedule) -> None:
        now = self._context.clock.now()
        # The clock may be set back while the daemon is running, too.
        tracked.state = replace(tracked.state, since=valid_since(tracked.state.since, now))
        due = find_due_times(tracked.schedule, tracked.state.since, now)
        if due is None:
            return
        state = replace(tracked.state, since=due.since)
        if due.missed_count and due.first_missed_at is not None:
            detail = missed_message(tracked.schedule, due)
            state = state.with_past_run(
                PastRun(due_at=due.first_missed_at, ended_at=now, how=RunStatus.MISSED, detail=detail)
            )
            self._store.publish(Level.WARNING, detail)
        tracked.state = state
        if due.fire_at is None:
            await self._store.save(tracked)
        else:
            # Saved before the run starts: after a crash here, the next daemon finds the run open.
            await self._fire(tracked, due.fire_at)

    async def _fire(self, tracked: TrackedSchedule, due_at: datetime) -> OverlapDecision:
        name, now = tracked.schedule.name, self._context.clock.now()
        is_waiting = tracked.state.waiting_at is not None
        decision = decide_overlap(
            tracked.schedule.overlap, is_running=tracked.state.open is not None, is_waiting=is_waiting
        )
        match decision:
            case OverlapDecision.START:
                run = CurrentRun(due_at=due_at, began_at=now)
                tracked.state = replace(tracked.state, open=run)
                level, text = Level.INFO, f"The schedule {name} starts."
            case OverlapDecision.QUEUE:
                tracked.state = replace(tracked.state, waiting_at=due_at)
                level, text = Level.INFO, f"The schedule {name} is due and waits for its current run to end."
            case OverlapDecision.SKIP:
                level, text = Level.WARNING, f"The schedule {name} is due but still running; this time is skipped."
                past_run = PastRun(due_at=due_at, ended_at=now, how=RunStatus.SKIPPED, detail=text)
                tracked.state = tracked.state.with_past_run(past_run)
        run = tracked.state.open
        await self._store.save(tracked)
        self._store.publish(level, text)
        if decision is OverlapDecision.START and run is not None:
            self._start(tracked, run, is_resumed=False)
        return decision

    def _start(self, tracked: TrackedSchedule, run: CurrentRun, *, is_resumed: bool) -> None:
        if self._runs is not None:
            self._runs.start_soon(self._run, tracked, run, is_resumed)

    async def _run(self, tracked: TrackedSchedule, run: CurrentRun, is_resumed: bool) -> None:  # noqa: FBT001 - a task group passes no keywords
        async def save_batch_ids(batch_ids: tuple[BatchId, ...]) -> None:
            tracked.state = replace(tracked.state, open=replace(run, batch_ids=batch_ids))
            await self._store.save(tracked)

        if is_resumed:
            ended = await resume_run(tracked.schedule, run, self._context)
        else:
            ended = await run_schedule(tracked.schedule, run.began_at, self._context, save_batch_ids)
        await self._finish_run(tracked, run, ended)

    async def _finish_run(self, tracked: TrackedSchedule, run: CurrentRun, ended: RunResult) -> None:
        """Publish and save how a run ended, and start the waiting run."""
        past_run = PastRun(due_at=run.due_at, ended_at=self._context.clock.now(), how=ended.how, detail=ended.detail)
        waiting_at = tracked.state.waiting_at
        tracked.state = replace(tracked.state.with_past_run(past_run), open=None, waiting_at=None)
        level = Level.INFO if ended.how is RunStatus.DONE else Level.WARNING
        self._store.publish(level, f"The schedule {tracked.schedule.name}: {ended.detail}")
        await self._store.save(tracked)
        if waiting_at is not None and self._store.contains(tracked):
            await self._fire(tracked, waiting_at)


def _next(tracked: TrackedSchedule) -> datetime | None:
    return next_fire(tracked.schedule.cron, tracked.schedule.zone, tracked.state.since)


#: Folder below the private folder, for the output of programs.
PROGRAM_OUTPUT_NAME = "schedules"


def create_scheduler(
    settings: Settings, *, queue: QueueClient, reading: ReadOptions, clock: Clock, observe: EventSink
) -> Scheduler:
    """Return a scheduler for the schedules of the settings; enter it and call ``run``.

    Args:
        settings: The daemon's settings.
        queue: The daemon's queue.
        reading: Portal and rules for reading order numbers.
        clock: The time.
        observe: Receives each start, end, missed time and overlap as a notice.

    Raises:
        OptionsError: An entry has an invalid template, or its output folder belongs to the daemon or another entry.
    """
    private = settings.out / PRIVATE_NAME
    context = RunContext(queue=queue, reading=reading, folder=private / PROGRAM_OUTPUT_NAME, clock=clock)
    state_file = ScheduleStateFile(private / STATE_FILE_NAME)
    return Scheduler(schedules_from_settings(settings), state_file=state_file, context=context, observe=observe)
