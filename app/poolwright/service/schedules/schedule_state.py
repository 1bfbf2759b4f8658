"""The saved state of each schedule: last due time, current run, and history."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import anyio
import anyio.to_thread
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from poolwright.domain.events import Level, Notice
from poolwright.domain.ids import BatchId
from poolwright.domain.ports import Clock, EventSink
from poolwright.files.disk import make_private_folder, replace_private_text
from poolwright.service.schedules.cron import valid_since
from poolwright.service.schedules.schedule_definition import Schedule

#: Fires that are kept of each entry.
HISTORY_COUNT = 20


class RunStatus(StrEnum):
    """How a run of a schedule ended."""

    DONE = "done"
    #: Not started, or ended with something undone; the detail says what and the next step.
    FAILED = "failed"
    #: An earlier run was still going on.
    SKIPPED = "skipped"
    #: The daemon was not running.
    MISSED = "missed"
    #: The deadline passed before all of it was begun.
    DEADLINE = "deadline"
    #: The daemon ended meanwhile.
    CUT_OFF = "cut_off"


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """One past run of a schedule."""

    #: When it was to be; of a run by hand, when it was asked for.
    due_at: datetime
    ended_at: datetime
    how: RunStatus
    #: One sentence for people.
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentRun:
    """The current run, or one that was interrupted with the daemon."""

    due_at: datetime
    began_at: datetime
    #: Lists that the journal has; the watch over them is taken up again after a restart.
    batch_ids: tuple[BatchId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleState:
    """The saved state of one schedule."""

    #: Cron and zone that ``since`` belongs to: another rhythm has missed nothing yet.
    rhythm: str
    #: Fires until here are dealt with.
    since: datetime
    open: CurrentRun | None = None
    #: The fire that waits for the end of the open run.
    waiting_at: datetime | None = None
    #: The latest last.
    history: tuple[PastRun, ...] = field(default=())

    def with_past_run(self, fire: PastRun) -> ScheduleState:
        """With one more fire; the oldest ones are forgotten."""
        return replace(self, history=(*self.history, fire)[-HISTORY_COUNT:])


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """How a run ended."""

    how: RunStatus
    #: One sentence for people.
    detail: str


#: Below the private folder of the daemon's output.
STATE_FILE_NAME = "schedules.json"
#: A file that cannot be read is kept aside under this ending.
BROKEN_SUFFIX = ".broken"


class _StateFileContent(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    entries: Annotated[dict[str, ScheduleState], Field(default_factory=dict[str, ScheduleState])]


class ScheduleStateFile:
    """The file that holds the state of every schedule. One reader and writer."""

    def __init__(self, path: Path) -> None:
        """Set the path; reads nothing before ``load``."""
        self._path = path
        self._writing = anyio.Lock()
        self._states: dict[str, ScheduleState] = {}

    async def load(self) -> str:
        """Read the file, if there is one; returns one sentence when it could not be read, else nothing."""
        page = await anyio.to_thread.run_sync(_read_file, self._path)
        if page is None:
            return (
                f"The state of the schedules ({self._path}) cannot be read; a damaged file is kept "
                f"beside it with the ending {BROKEN_SUFFIX}. Runs missed while the daemon "
                "was not running are not known."
            )
        self._states = dict(page.entries)
        return ""

    def get(self, name: str) -> ScheduleState | None:
        """Return the state of one schedule, or ``None``."""
        return self._states.get(name)

    async def save(self, name: str, memory: ScheduleState) -> None:
        """Remember; on the disk when it returns.

        Raises:
            OSError: The disk refuses. It is remembered until the daemon ends.
        """
        self._states[name] = memory
        await self._write()

    async def remove(self, name: str) -> None:
        """Remember nothing of an entry that is gone.

        Raises:
            OSError: The disk refuses.
        """
        if self._states.pop(name, None) is not None:
            await self._write()

    async def _write(self) -> None:
        # Whoever writes last writes all that is known then, so a later state is never replaced by an earlier one.
        async with self._writing:
            text = _StateFileContent(entries=dict(self._states)).model_dump_json(indent=1)
            await anyio.to_thread.run_sync(_write_file, self._path, text)


def _read_file(path: Path) -> _StateFileContent | None:
    """The page; an empty one where there is no file, nothing where it cannot be read."""
    try:
        return _StateFileContent.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return _StateFileContent(entries={})
    except ValidationError:
        with contextlib.suppress(OSError):
            path.replace(path.with_name(path.name + BROKEN_SUFFIX))
        return None
    except OSError:
        return None


def _write_file(path: Path, text: str) -> None:
    make_private_folder(path.parent)
    replace_private_text(path, text)


@dataclass(slots=True, kw_only=True)
class TrackedSchedule:
    """A schedule and its state. The scheduler changes it, then saves it."""

    schedule: Schedule
    state: ScheduleState


class StateStore:
    """All schedules by name, in the order of the settings."""

    def __init__(self, ledger: ScheduleStateFile, clock: Clock, observe: EventSink) -> None:
        """Nothing is read before ``load``."""
        self._ledger = ledger
        self._clock = clock
        self._observe = observe
        self._tracked_schedules: dict[str, TrackedSchedule] = {}
        #: Entries that are gone and whose run goes on.
        self._removed: dict[str, TrackedSchedule] = {}
        self._is_disk_told = False

    def __iter__(self) -> Iterator[TrackedSchedule]:
        """All entries; they may be replaced meanwhile."""
        return iter(tuple(self._tracked_schedules.values()))

    def get(self, name: str) -> TrackedSchedule | None:
        """The entry of this name."""
        return self._tracked_schedules.get(name)

    def contains(self, place: TrackedSchedule) -> bool:
        """Whether this entry is still on the timetable."""
        return self._tracked_schedules.get(place.schedule.name) is place

    def publish(self, level: Level, text: str) -> None:
        """Publish a notice."""
        self._observe(Notice(level=level, text=text))

    async def load(self) -> None:
        """Read what an earlier daemon remembered."""
        trouble = await self._ledger.load()
        if trouble:
            self.publish(Level.WARNING, trouble)

    async def replace_all(self, schedules: Iterable[Schedule]) -> None:
        """Replace all schedules. A known one keeps its run and its history."""
        known = self._tracked_schedules | self._removed
        self._tracked_schedules = {one.name: self._tracked(one, known.pop(one.name, None)) for one in schedules}
        self._removed = {name: place for name, place in known.items() if place.state.open is not None}
        for place in self:
            await self.save(place)
        for place in known.values():
            place.state = replace(place.state, waiting_at=None)
            await self.save(place)

    async def save(self, place: TrackedSchedule) -> None:
        """Write down what is remembered of an entry; of one that is gone nothing, once its run is over."""
        name = place.schedule.name
        is_gone = not self.contains(place) and place.state.open is None
        if is_gone:
            self._removed.pop(name, None)
        try:
            await (self._ledger.remove(name) if is_gone else self._ledger.save(name, place.state))
        except OSError as error:
            self._report_disk_error(error)
        else:
            self._is_disk_told = False

    def _tracked(self, schedule: Schedule, here: TrackedSchedule | None) -> TrackedSchedule:
        now = self._clock.now()
        memory = here.state if here else self._ledger.get(schedule.name)
        if memory is None:
            memory = ScheduleState(rhythm=schedule.rhythm, since=now)
        elif memory.rhythm != schedule.rhythm:
            memory = replace(memory, rhythm=schedule.rhythm, since=now)
        else:
            memory = replace(memory, since=valid_since(memory.since, now))
        if here is None:
            return TrackedSchedule(schedule=schedule, state=memory)
        here.schedule, here.state = schedule, memory
        return here

    def _report_disk_error(self, error: OSError) -> None:
        """Once, until it works again."""
        if not self._is_disk_told:
            self._is_disk_told = True
            self.publish(
                Level.WARNING,
                f"The state of the schedules cannot be saved ({error.strerror}); if the daemon ends now, missed runs "
                "are not known. Free some disk space, or fix the permissions of the output folder.",
            )
