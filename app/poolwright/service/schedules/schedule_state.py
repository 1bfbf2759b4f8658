"""The saved state of each schedule: last due time, current run, and history."""

from __future__ import annotations

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
from poolwright.files.disk import make_private_folder, replace_private_file
from poolwright.service.schedules.cron import valid_since
from poolwright.service.schedules.schedule_definition import Schedule

#: Past runs that are kept of each schedule.
HISTORY_COUNT = 20


class RunStatus(StrEnum):
    """How a run of a schedule ended."""

    DONE = "done"
    #: Not started, or ended with unfinished orders; the detail names the cause and the next step.
    FAILED = "failed"
    #: The earlier run had not ended.
    SKIPPED = "skipped"
    #: The daemon was not running.
    MISSED = "missed"
    #: The deadline passed before all orders had started.
    DEADLINE = "deadline"
    #: The daemon ended during the run.
    CUT_OFF = "cut_off"


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """One past run of a schedule."""

    #: The due time; for a run by hand, the time of the request.
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
    #: Lists of this run in the journal; after a restart the daemon waits for them again.
    batch_ids: tuple[BatchId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleState:
    """The saved state of one schedule."""

    #: Cron expression and time zone of ``since``; if they change, no time counts as missed.
    rhythm: str
    #: All due times until here are handled.
    since: datetime
    open: CurrentRun | None = None
    #: The due time that waits for the end of the open run.
    waiting_at: datetime | None = None
    #: Past runs, the latest last.
    history: tuple[PastRun, ...] = field(default=())

    def with_past_run(self, run: PastRun) -> ScheduleState:
        """Return the state with one more past run; the oldest ones are dropped."""
        return replace(self, history=(*self.history, run)[-HISTORY_COUNT:])


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """How a run ended."""

    how: RunStatus
    #: One sentence for people.
    detail: str


#: Below the private folder of the daemon's output.
STATE_FILE_NAME = "schedules.json"
#: Suffix that is added to the name of a file that cannot be read.
BROKEN_SUFFIX = ".broken"
STATE_FILE_VERSION = 1


class _StateFileContent(BaseModel):
    """The content of the file."""

    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    entries: Annotated[dict[str, ScheduleState], Field(default_factory=dict[str, ScheduleState])]


class _NewerFile(BaseModel):
    """The only field that is known of a file of a newer version."""

    model_config = ConfigDict(strict=True)

    version: int = Field(gt=STATE_FILE_VERSION)


class ScheduleStateFile:
    """The file with the state of every schedule. Only one daemon reads and writes it.

    A file that a newer version of this program wrote, or that can neither be read nor put aside, is never written.
    """

    def __init__(self, path: Path) -> None:
        """Set the path; ``load`` reads the file."""
        self._path = path
        self._is_writable = True
        self._writing = anyio.Lock()
        self._states: dict[str, ScheduleState] = {}

    async def load(self) -> str:
        """Read the file, if there is one; return what is wrong with it, in sentences, or an empty text."""
        content, problem = await anyio.to_thread.run_sync(_read_file, self._path)
        self._is_writable = content is not None
        self._states = dict(content.entries) if content is not None else {}
        return problem

    def get(self, name: str) -> ScheduleState | None:
        """Return the state of one schedule, or ``None``."""
        return self._states.get(name)

    async def save(self, name: str, state: ScheduleState) -> None:
        """Save the state of one schedule; it is on the disk when this returns, unless the file must not be written.

        Raises:
            OSError: The file cannot be written. The state is kept until the daemon ends.
        """
        self._states[name] = state
        await self._write()

    async def remove(self, name: str) -> None:
        """Remove the state of a schedule that is no longer in the settings.

        Raises:
            OSError: The file cannot be written.
        """
        if self._states.pop(name, None) is not None:
            await self._write()

    async def _write(self) -> None:
        if not self._is_writable:
            return
        # The text is built under the lock, so that a later state is never replaced by an earlier one.
        async with self._writing:
            text = _StateFileContent(entries=dict(self._states)).model_dump_json(indent=1)
            await anyio.to_thread.run_sync(_write_file, self._path, text)


def _read_file(path: Path) -> tuple[_StateFileContent | None, str]:
    """Return the content, ``None`` if the file must stay as it is; and what is wrong with it, or an empty text."""
    nothing = _StateFileContent(entries={})
    unknown = "Runs missed while the daemon was not running are not known"
    written = b""
    try:
        written = path.read_bytes()
        return _StateFileContent.model_validate_json(written), ""
    except FileNotFoundError:
        return nothing, ""
    except OSError as error:
        reason = f"({error.strerror or error})"
    except ValidationError:
        newer_version = _newer_version(written)
        if newer_version is not None:
            return None, (
                f"The state of the schedules ({path}) was written by a newer version of Poolwright (version "
                f"{newer_version}; this one knows {STATE_FILE_VERSION}). It is not changed. {unknown}, and the runs of "
                "this daemon are forgotten when it ends. Use that version or a later one, or move the file away."
            )
        reason = "because it is damaged"
    broken = path.with_name(path.name + BROKEN_SUFFIX)
    try:
        path.replace(broken)
    except OSError as error:
        return None, (
            f"The state of the schedules ({path}) cannot be read {reason}, and cannot be put aside "
            f"({error.strerror or error}); it is not changed. {unknown}, and the runs of this daemon are forgotten "
            "when it ends. Fix the permissions of the output folder, or move the file away, and start the daemon again."
        )
    return nothing, f"The state of the schedules ({path}) cannot be read {reason}; it is kept as {broken}. {unknown}."


def _newer_version(written: bytes) -> int | None:
    """Return the version of a file that a newer version of this program wrote; ``None`` if it is merely damaged."""
    try:
        return _NewerFile.model_validate_json(written).version
    except ValidationError:
        return None


def _write_file(path: Path, text: str) -> None:
    make_private_folder(path.parent)
    replace_private_file(path, text.encode(), is_sole_writer=True)


@dataclass(slots=True, kw_only=True)
class TrackedSchedule:
    """A schedule and its state. The scheduler changes it, then saves it."""

    schedule: Schedule
    state: ScheduleState


class StateStore:
    """All schedules by name, in the order of the settings."""

    def __init__(self, state_file: ScheduleStateFile, clock: Clock, observe: EventSink) -> None:
        """Start without schedules; ``load`` reads the state file."""
        self._state_file = state_file
        self._clock = clock
        self._observe = observe
        self._tracked_schedules: dict[str, TrackedSchedule] = {}
        #: Schedules that are no longer in the settings and whose run has not ended.
        self._removed: dict[str, TrackedSchedule] = {}
        self._is_disk_error_reported = False

    def __iter__(self) -> Iterator[TrackedSchedule]:
        """Iterate over a copy of all schedules: they may be replaced meanwhile."""
        return iter(tuple(self._tracked_schedules.values()))

    def get(self, name: str) -> TrackedSchedule | None:
        """Return the schedule of this name, or ``None``."""
        return self._tracked_schedules.get(name)

    def contains(self, tracked: TrackedSchedule) -> bool:
        """Return whether this schedule is still in the settings."""
        return self._tracked_schedules.get(tracked.schedule.name) is tracked

    def publish(self, level: Level, text: str) -> None:
        """Publish a notice."""
        self._observe(Notice(level=level, text=text))

    async def load(self) -> None:
        """Read the state that an earlier daemon saved."""
        problem = await self._state_file.load()
        if problem:
            self.publish(Level.WARNING, problem)

    async def replace_all(self, schedules: Iterable[Schedule]) -> None:
        """Replace all schedules; one with the name of an earlier schedule keeps its run and its history."""
        earlier = self._tracked_schedules | self._removed
        self._tracked_schedules = {
            schedule.name: self._tracked(schedule, earlier.pop(schedule.name, None)) for schedule in schedules
        }
        self._removed = {name: tracked for name, tracked in earlier.items() if tracked.state.open is not None}
        for tracked in self:
            await self.save(tracked)
        for tracked in earlier.values():
            tracked.state = replace(tracked.state, waiting_at=None)
            await self.save(tracked)

    async def save(self, tracked: TrackedSchedule) -> None:
        """Save the state of a schedule; remove that of a schedule that is no longer in the settings and has no run."""
        name = tracked.schedule.name
        is_obsolete = not self.contains(tracked) and tracked.state.open is None
        if is_obsolete:
            self._removed.pop(name, None)
        try:
            await (self._state_file.remove(name) if is_obsolete else self._state_file.save(name, tracked.state))
        except OSError as error:
            self._report_disk_error(error)
        else:
            self._is_disk_error_reported = False

    def _tracked(self, schedule: Schedule, tracked: TrackedSchedule | None) -> TrackedSchedule:
        now = self._clock.now()
        state = tracked.state if tracked else self._state_file.get(schedule.name)
        if state is None:
            state = ScheduleState(rhythm=schedule.rhythm, since=now)
        elif state.rhythm != schedule.rhythm:
            state = replace(state, rhythm=schedule.rhythm, since=now)
        else:
            state = replace(state, since=valid_since(state.since, now))
        if tracked is None:
            return TrackedSchedule(schedule=schedule, state=state)
        tracked.schedule, tracked.state = schedule, state
        return tracked

    def _report_disk_error(self, error: OSError) -> None:
        """Publish a warning once, until saving works again."""
        if not self._is_disk_error_reported:
            self._is_disk_error_reported = True
            self.publish(
                Level.WARNING,
                f"The state of the schedules cannot be saved ({error.strerror}); if the daemon ends now, missed runs "
                "are not known. Free some disk space, or fix the permissions of the output folder.",
            )
