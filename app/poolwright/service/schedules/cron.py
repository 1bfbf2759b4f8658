"""Cron times: when a schedule is due, what was missed, and what happens when runs overlap. Pure.

Daylight saving time follows Debian's cron: an entry with a fixed hour fires once a day, at the first minute after the
gap if its time does not exist, and at the first of the two times if it exists twice; an hourly entry fires in every
hour that passes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum

from cronsim import CronSim

from poolwright.service.schedules.schedule_definition import Schedule
from poolwright.settings import MissedRunPolicy, OverlapPolicy

#: A due time that is noticed within this is on time: cron times are whole minutes.
ON_TIME = timedelta(minutes=1)
#: A clock that goes back by more was set, not adjusted: its earlier times no longer count.
CLOCK_BACK = timedelta(hours=1)
#: Maximum count of missed times.
COUNT_MAX = 1000


class OverlapDecision(StrEnum):
    """What to do with a due schedule."""

    START = "start"
    #: Start when the current run ends.
    QUEUE = "queue"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class DueTimes:
    """Due times since the last check."""

    #: The due time to act on; ``None`` if all are missed and not made up for.
    fire_at: datetime | None
    #: Whether that run makes up for missed times.
    is_late: bool
    #: At most ``COUNT_MAX``.
    missed_count: int
    #: The first missed time; ``None`` if none was missed.
    first_missed_at: datetime | None
    #: All due times until here are handled.
    since: datetime


def next_fire(cron: str, zone: tzinfo, after: datetime) -> datetime | None:
    """Return the first due time after ``after``, in UTC; ``None`` if there is none within 50 years."""
    for local_time in CronSim(cron, after.astimezone(zone)):
        at = local_time.astimezone(UTC)
        # In the second of two equal hours CronSim also yields times of the first one, which have passed.
        if at > after:
            return at
    return None


def find_due_times(schedule: Schedule, since: datetime, now: datetime) -> DueTimes | None:
    """Return what became due after ``since`` and until ``now``; ``None`` if nothing did.

    A daemon that was not running, a machine that was suspended and a clock that was set forward are not told apart.
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
    """Return ``since``, or ``now`` if ``since`` is so far in the future that the clock must have been set back."""
    return now if since - now > CLOCK_BACK else since


def decide_overlap(overlap: OverlapPolicy, *, is_running: bool, is_waiting: bool) -> OverlapDecision:
    """Decide about a due time while a run may be going on; at most one run waits, since it covers further ones."""
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
