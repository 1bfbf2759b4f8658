"""What people and programs see of an entry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from poolwright.service.schedules.entry import Schedule
from poolwright.service.schedules.records import Fire, Memory
from poolwright.settings.schedule_entry import zone_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
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
    history: tuple[Fire, ...]


def see(schedule: Schedule, memory: Memory, next_at: datetime | None) -> Sight:
    """Build the view of a schedule."""
    return Sight(
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
