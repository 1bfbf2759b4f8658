"""Defines and validates a ``[[schedules]]`` entry: when a list is fetched, from which source, and in which time zone.

An entry also names the policies for missed and overlapping runs. Every mistake is one sentence that names its entry.
Times are in the entry's own zone.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from poolwright.settings.field_types import UserPath

#: The zone of a Unix system: a link into the folder of all zones.
LOCALTIME = Path("/etc/localtime")
_ALL_ZONES = "zoneinfo/"


def find_zone(name: str) -> ZoneInfo | None:
    """Return the zone of an IANA name such as ``Europe/Berlin``; ``None`` when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # An unknown name, a path, or the name of a folder of zones.
        return None


def system_zone(localtime: Path = LOCALTIME) -> tzinfo | None:
    """Return the zone of this system, with its rules for summer time; ``None`` if it has no name (Windows)."""
    named = find_zone(os.environ.get("TZ", "").removeprefix(":")) if os.environ.get("TZ") else None
    if named is not None or os.name != "posix":
        return named
    if not localtime.exists():
        # As in the functions of the system.
        return UTC
    _, mark, name = str(localtime.resolve()).rpartition(_ALL_ZONES)
    return (find_zone(name) if mark else None) or _zone_in(localtime)


def zone_name(zone: tzinfo) -> str:
    """Return the name of a zone for people."""
    return str(zone)


def _zone_in(file: Path) -> tzinfo | None:
    """Return the zone in a file that is a copy: its rules are known, its name is not."""
    try:
        with file.open("rb") as rules:
            return ZoneInfo.from_file(rules, key="local time")
    except (OSError, ValueError):
        return None


#: Error kind whose message is a list of complete sentences.
PROBLEM_KIND = "schedules"
#: Names are used for folders and in addresses.
NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}"
CRON_FIELDS = 5
#: A week.
DEADLINE_MINUTES_MAX = 7 * 24 * 60
_INPUTS = ("file", "glob", "command")
#: Any date: it only serves to check whether an entry ever fires, and the cron library searches 50 years ahead.
_START_DATE = datetime(2024, 1, 1)  # noqa: DTZ001 - no zone changes whether a day exists

_ALLOWED: Mapping[str, str] = {
    "name": "1 to 40 letters, digits, - and _, with a letter or digit first",
    "cron": "5 fields (minute, hour, day of month, month, weekday) that match a date, such as '30 6 * * MON-FRI'",
    "timezone": "an IANA name such as Europe/Berlin",
    "file": "the path of a list",
    "glob": "a pattern of paths such as lists/*.xlsx",
    "command": "a list of the program and its arguments, such as ['python3', 'export.py']; no shell is involved",
    "column": "the name of a column, or its position such as '#3'",
    "sheet": "the name of a sheet",
    "refresh": "true or false",
    "group_by": "the name of a column or its position such as '#3', or nothing for no groups",
    "profile": "the name of a profile",
    "portal": "the name of a portal pack, or the path of a .toml file",
    "out": "the path of a folder",
    "folder_template": "a pattern of folders such as '{supplier}/{number}'",
    "deadline_minutes": f"a number above 0 and at most {DEADLINE_MINUTES_MAX}",
    "missed": "skip or run",
    "overlap": "skip or queue",
}


class MissedRunPolicy(StrEnum):
    """Policies for runs that were missed."""

    #: They are reported. The default.
    SKIP = "skip"
    #: One run replaces all of them.
    RUN = "run"


class OverlapPolicy(StrEnum):
    """Policies for a run that is due while the entry's earlier run goes on."""

    #: It is reported. The default.
    SKIP = "skip"
    #: One run waits for the end of the earlier one; further ones are reported.
    QUEUE = "queue"


def _cron(text: str) -> str:
    """Return the five fields with one space between them.

    Raises:
        ValueError: They are not five, one of them is not valid, or no date ever matches them.
    """
    if len(text.split()) != CRON_FIELDS:
        msg = "not 5 fields"
        raise ValueError(msg)
    try:
        first = next(CronSim(text, _START_DATE), None)
    except CronSimError as error:
        raise ValueError(str(error)) from error
    if first is None:
        msg = "no such day"
        raise ValueError(msg)
    return " ".join(text.split())


def _zone(name: str) -> str:
    if name and find_zone(name) is None:
        msg = "no such zone"
        raise ValueError(msg)
    return name


Text = Annotated[str, Field(min_length=1)]


class ScheduleEntry(BaseModel):
    """A table ``[[schedules]]``. Fields that are left out are as in the daemon's settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=f"^{NAME_PATTERN}$")]
    cron: Annotated[str, AfterValidator(_cron)]
    #: IANA name; the system's zone if it is empty.
    timezone: Annotated[str, AfterValidator(_zone)] = ""
    file: UserPath | None = None
    glob: Text | None = None
    command: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None
    column: Text | None = None
    sheet: Text | None = None
    #: Whether finished orders are looked at again.
    refresh: bool = False
    #: Column of the groups; empty for none.
    group_by: str | None = None
    profile: Text | None = None
    portal: Text | None = None
    out: UserPath | None = None
    folder_template: Text | None = None
    deadline_minutes: Annotated[float, Field(gt=0, le=DEADLINE_MINUTES_MAX)] | None = None
    missed: MissedRunPolicy = MissedRunPolicy.SKIP
    overlap: OverlapPolicy = OverlapPolicy.SKIP

    @property
    def zone(self) -> tzinfo:
        """Return the time zone of ``cron``.

        Raises:
            ValueError: None is named, and that of the system is unknown; ``validate_schedules`` refuses such an entry.
        """
        zone = find_zone(self.timezone) if self.timezone else system_zone()
        if zone is None:
            msg = f"the schedule {self.name} has no time zone"
            raise ValueError(msg)
        return zone


def validate_schedules(given: object) -> object:
    """Validate the tables and return the entries; used as a validator of the settings.

    Raises:
        PydanticCustomError: An entry is not valid; the message has one sentence for each problem.
    """
    if not isinstance(given, Sequence) or isinstance(given, str | bytes):
        return given
    entries: list[ScheduleEntry] = []
    sentences: list[str] = []
    for position, table in enumerate(cast("Sequence[Any]", given), start=1):
        try:
            entry = ScheduleEntry.model_validate(table)
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=False)
            sentences.extend(dict.fromkeys(_sentence(problem, _label(table, position)) for problem in problems))
            continue
        sentences.extend(_of_entry(entry))
        entries.append(entry)
    sentences.extend(_of_all(entries))
    if sentences:
        raise PydanticCustomError(PROBLEM_KIND, "{sentences}", {"sentences": "\n".join(sentences)})
    return tuple(entries)


def _label(table: object, position: int) -> str:
    name = cast("Mapping[str, object]", table).get("name") if isinstance(table, Mapping) else None
    return f"the schedule {name!r}" if isinstance(name, str) and name else f"schedule number {position}"


def _sentence(problem: ErrorDetails, label: str) -> str:
    if not problem["loc"]:
        return f"{label.capitalize()} is {problem['input']!r}; it must be a table [[schedules]] in poolwright.toml."
    field = str(problem["loc"][0])
    if field not in _ALLOWED:
        return f"In {label}, {field} is not a setting of a schedule; the settings are {', '.join(_ALLOWED)}."
    if problem["type"] == "missing":
        return f"In {label}, {field} is missing; it must be {_ALLOWED[field]}."
    return f"In {label}, {field} is {problem['input']!r}; it must be {_ALLOWED[field]}."


def _of_entry(entry: ScheduleEntry) -> Iterator[str]:
    """Yield the problems of one entry whose fields are valid by themselves."""
    inputs = [field for field in _INPUTS if getattr(entry, field) is not None]
    if len(inputs) != 1:
        problem = f"has {' and '.join(inputs)}" if inputs else "has no input"
        yield f"The schedule {entry.name!r} {problem}; give exactly one of file, glob and command."
    if not entry.timezone and system_zone() is None:
        yield (
            f"The schedule {entry.name!r} has no timezone, and the system's own is unknown; "
            f"give {_ALLOWED['timezone']}."
        )


def _of_all(entries: Sequence[ScheduleEntry]) -> Iterator[str]:
    """Yield the problems between entries."""
    for name, count in Counter(entry.name.casefold() for entry in entries).items():
        if count > 1:
            first = next(entry.name for entry in entries if entry.name.casefold() == name)
            yield f"{count} schedules are named {first!r} (case is ignored); give each a different name."
    for out, count in Counter(entry.out for entry in entries if entry.out is not None).items():
        if count > 1:
            yield f"{count} schedules have out '{out}'; only one run at a time may use a folder, so give each its own."
