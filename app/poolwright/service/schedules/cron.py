"""Cron times: when a schedule is due, what was missed, and what happens when runs overlap. Pure.

Summer time as the cron of Debian has it: an entry with a fixed hour fires once a day, at the first minute after the
gap where its time does not exist, at the first of the two where it comes twice; one of every hour fires in every hour
that really passes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum

from cronsim import CronSim

from poolwright.service.schedules.schedule_definition import Schedule
from poolwright.settings import MissedRunPolicy, OverlapPolicy

#: A fire that is seen within this is on time: a minute is the grain of cron.
ON_TIME = timedelta(minutes=1)
#: Beyond this a clock was set back, not adjusted: what it said before counts no more.
CLOCK_BACK = timedelta(hours=1)
#: More missed fires are not counted one by one.
COUNT_MAX = 1000


class OverlapDecision(StrEnum):
    """What to do with a due schedule."""

    START = "start"
    #: It waits for the end of the earlier run.
    QUEUE = "queue"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class DueTimes:
    """Due times since the last check."""

    #: The fire to act on; nothing when all are too late and not made up for.
    fire_at: datetime | None
    #: Whether that fire makes up for missed ones.
    is_late: bool
    #: At most ``COUNT_MAX``.
    missed_count: int
    #: Of the missed ones; nothing without any.
    first_missed_at: datetime | None
    #: All fires up to here are dealt with.
    since: datetime


def next_fire(cron: str, zone: tzinfo, after: datetime) -> datetime | None:
    """The first fire later than ``after``, in UTC; nothing when none comes within 50 years."""
    for fire in CronSim(cron, after.astimezone(zone)):
        at = fire.astimezone(UTC)
        # In the second of two equal hours the reader tells times of the first one, which are over.
        if at > after:
            return at
    return None


def find_due_times(schedule: Schedule, since: datetime, now: datetime) -> DueTimes | None:
    """What has come due later than ``since`` and until ``now``; nothing when nothing has.

    A daemon that was down, a machine that slept and a clock that was set forward all look the same here.
    """
    fires = _fires(schedule, since, now)
    if not fires:
        return None
    is_on_time = len(fires) < COUNT_MAX and now - fires[-1] <= ON_TIME
    missed = fires[:-1] if is_on_time else fires
    is_made_up = bool(missed) and schedule.missed is MissedRunPolicy.RUN
    return DueTimes(
        fire_at=fires[-1] if is_on_time or is_made_up else None,
        is_late=is_made_up and not is_on_time,
        missed_count=len(missed),
        first_missed_at=missed[0] if missed else None,
        since=now if len(fires) == COUNT_MAX else fires[-1],
    )


def missed_message(schedule: Schedule, due: DueTimes) -> str:
    """Return the notice about missed times."""
    first = due.first_missed_at.astimezone(schedule.zone) if due.first_missed_at else None
    times = "once" if due.missed_count == 1 else f"{due.missed_count} times"
    if due.missed_count >= COUNT_MAX:
        times = f"more than {COUNT_MAX - 1} times"
    since = f"{first:%d %b %Y %H:%M %Z}" if first else ""
    end = (
        "one run is started now"
        if schedule.missed is MissedRunPolicy.RUN
        else "no run is started for it (missed = skip)"
    )
    return f"The schedule {schedule.name} was missed {times}, first on {since}, while the daemon was down: {end}."


def valid_since(since: datetime, now: datetime) -> datetime:
    """From when on fires count: what is known, or now where that lies too far ahead to be true."""
    return now if since - now > CLOCK_BACK else since


def decide_overlap(overlap: OverlapPolicy, *, is_running: bool, is_waiting: bool) -> OverlapDecision:
    """What becomes of a fire; one run at most waits, since it does all that another one would do."""
    if not is_running:
        return OverlapDecision.START
    return OverlapDecision.QUEUE if overlap is OverlapPolicy.QUEUE and not is_waiting else OverlapDecision.SKIP


def _fires(schedule: Schedule, since: datetime, now: datetime) -> list[datetime]:
    fires: list[datetime] = []
    at = next_fire(schedule.cron, schedule.zone, since)
    while at is not None and at <= now and len(fires) < COUNT_MAX:
        fires.append(at)
        at = next_fire(schedule.cron, schedule.zone, at)
    return fires
