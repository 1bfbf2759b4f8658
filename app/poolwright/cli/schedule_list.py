"""The commands `poolwright schedule list` and `next`: show the schedules of the settings; they need no daemon."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from poolwright.cli.options import AsJson, SettingsCommand
from poolwright.cli.terminal import FittingTable, console
from poolwright.concurrency import SystemClock
from poolwright.domain.errors import OptionsError
from poolwright.service.schedules.cron import next_fire
from poolwright.service.schedules.schedule_definition import Schedule, schedules_from_settings
from poolwright.settings import Settings
from poolwright.settings.schedule_entry import zone_name

LIST_HELP = (
    "List the configured schedules: when each one runs, which list, and how.\n\n"
    "Their orders go to the daemon's queue; a schedule with its own profile, portal, folder or template runs in a "
    "separate process, into its own folder. Schedules run only while `poolwright serve` is running."
)
LIST_EXAMPLES = ("poolwright schedule list", "poolwright schedule list --json")
NEXT_HELP = "Show when schedules will run next, each in its own time zone."
NEXT_EXAMPLES = ("poolwright schedule next", "poolwright schedule next nightly --count 10")
NO_SCHEDULE = "There is no schedule. Add a table [[schedules]] with name, cron and file to poolwright.toml."

Name = Annotated[
    str | None, typer.Argument(metavar="NAME", help="Show this schedule only. Default: all.", show_default=False)
]
Count = Annotated[
    int,
    typer.Option("--count", "-n", metavar="N", min=1, max=1000, help="How many. Default: 5.", show_default=False),
]


@SettingsCommand.with_settings("profile", "out")
def list_schedules(settings: Settings, *, as_json: AsJson = False) -> None:
    """Print one row for each schedule."""
    schedules = schedules_from_settings(settings)
    now = SystemClock().now()
    screen = console()
    if as_json:
        for schedule in schedules:
            screen.out(json.dumps(_schedule_json(schedule, now), ensure_ascii=False), highlight=False)
        return
    if not schedules:
        screen.print(NO_SCHEDULE, soft_wrap=True)
        return
    table = Table("name", "cron", "time zone", "list", "profile", box=None, header_style="dim", pad_edge=False)
    table.add_column("next", no_wrap=True)
    for schedule in schedules:
        table.add_row(
            Text(schedule.name, "bold"),
            Text(schedule.cron),
            Text(zone_name(schedule.zone)),
            Text(str(schedule.source)),
            Text(schedule.own.profile if schedule.own else settings.profile),
            Text(_format_fire(schedule, next_fire(schedule.cron, schedule.zone, now))),
        )
    screen.print(FittingTable(table), soft_wrap=True)
    for schedule in schedules:
        if schedule.own:
            separate = f": runs in a separate process, into {schedule.own.out}"
            screen.print(Text.assemble((schedule.name, "bold"), separate), soft_wrap=True)


@SettingsCommand.with_settings("profile", "out")
def next_fires(settings: Settings, *, name: Name = None, count: Count = 5, as_json: AsJson = False) -> None:
    """Print the next due times of all schedules, or of one, sorted by time."""
    schedules = _select(schedules_from_settings(settings), name)
    now = SystemClock().now()
    screen = console()
    if not schedules and not as_json:
        screen.print(NO_SCHEDULE, soft_wrap=True)
    for at, _, schedule in islice(merge(*(_fires(*numbered, now) for numbered in enumerate(schedules))), count):
        if as_json:
            content = {"type": "fire", "name": schedule.name, "at": at.astimezone(schedule.zone).isoformat()}
            screen.out(json.dumps(content), highlight=False)
        else:
            screen.print(Text.assemble(_format_fire(schedule, at), "  ", (schedule.name, "bold")), soft_wrap=True)


def _select(schedules: Sequence[Schedule], name: str | None) -> Sequence[Schedule]:
    selected = [schedule for schedule in schedules if name in {None, schedule.name}]
    if name is not None and not selected:
        names = ", ".join(schedule.name for schedule in schedules) or "none"
        raise OptionsError(f"There is no schedule {name!r}; the settings have: {names}.")
    return selected


def _fires(number: int, schedule: Schedule, now: datetime) -> Iterator[tuple[datetime, int, Schedule]]:
    """Yield all due times, without end; ``number`` sorts equal times by the order of the settings."""
    at = next_fire(schedule.cron, schedule.zone, now)
    while at is not None:
        yield at, number, schedule
        at = next_fire(schedule.cron, schedule.zone, at)


def _format_fire(schedule: Schedule, at: datetime | None) -> str:
    return f"{at.astimezone(schedule.zone):%a %d %b %Y %H:%M %Z}" if at else "never"


def _schedule_json(schedule: Schedule, now: datetime) -> dict[str, object]:
    at = next_fire(schedule.cron, schedule.zone, now)
    return {
        "type": "schedule",
        "name": schedule.name,
        "cron": schedule.cron,
        "timezone": zone_name(schedule.zone),
        "source": str(schedule.source),
        "profile": schedule.own.profile if schedule.own else None,
        "out": str(schedule.own.out) if schedule.own else None,
        "deadline_minutes": None if schedule.deadline_s is None else schedule.deadline_s / 60,
        "missed": schedule.missed.value,
        "overlap": schedule.overlap.value,
        "next_at": at.astimezone(schedule.zone).isoformat() if at else None,
    }
