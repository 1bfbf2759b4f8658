"""The hours in which orders of a portal may start, such as ``Mon-Fri 07:00-19:00``. Pure: the time is given."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_PART = re.compile(
    r"(?:(?P<first>[a-z]{3})(?:-(?P<last>[a-z]{3}))?\s+)?(?P<begin>\d\d?:\d\d)\s*-\s*(?P<end>\d\d?:\d\d)", re.IGNORECASE
)
_FORM = "such as 'Mon-Fri 07:00-19:00' or 'Mon-Fri 07:00-19:00, Sat 08:00-12:00'"
#: Any span begins again within a week.
_LOOK_AHEAD_DAYS = 8
_MINUTES_PER_DAY = 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class HourSpan:
    """Hours on some days of the week; those that end at or before their begin end on the next day."""

    #: 0 is Monday.
    days: frozenset[int]
    #: Minutes since midnight.
    begin: int
    #: Minutes since midnight; up to 1440.
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingHours:
    """The hours of a portal in its time zone."""

    #: As they were given.
    text: str
    spans: tuple[HourSpan, ...]
    #: Name of the time zone; that of this machine if empty.
    zone: str = ""

    @classmethod
    def parse(cls, text: str, zone: str = "") -> WorkingHours:
        """Return the hours that a text names.

        Raises:
            ValueError: The text names no hours, or the time zone is unknown. The message has the cause.
        """
        if zone:
            try:
                ZoneInfo(zone)
            except (ZoneInfoNotFoundError, ValueError, OSError) as error:
                msg = f"{zone!r} is no time zone; it must be a name such as Europe/Berlin"
                raise ValueError(msg) from error
        return cls(text=text, spans=tuple(_span(part.strip()) for part in text.split(",")), zone=zone)

    def includes(self, now: datetime) -> bool:
        """Return whether a moment, aware, lies within the hours."""
        return any(begin <= now < end for begin, end in self._near(now))

    def next_begin(self, now: datetime) -> datetime:
        """Return when the hours begin after a moment, in their own time zone."""
        begins = [begin for begin, _ in self._near(now) if begin > now]
        return self._local(min(begins))

    def _local(self, moment: datetime) -> datetime:
        return moment.astimezone(ZoneInfo(self.zone) if self.zone else None)

    def _near(self, now: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield the spans from the day before a moment until a week after it, in UTC, where clocks never change."""
        today = self._local(now).date()
        for offset in range(-1, _LOOK_AHEAD_DAYS):
            day = today + timedelta(days=offset)
            for span in self.spans:
                if day.weekday() in span.days:
                    end_day = day if span.end > span.begin else day + timedelta(days=1)
                    yield self._moment(day, span.begin), self._moment(end_day, span.end)

    def _moment(self, day: date, minutes: int) -> datetime:
        days, minutes = divmod(minutes, _MINUTES_PER_DAY)
        wall = datetime.combine(day + timedelta(days=days), time(minutes // 60, minutes % 60))
        return (wall.replace(tzinfo=ZoneInfo(self.zone)) if self.zone else wall).astimezone(UTC)


def _span(part: str) -> HourSpan:
    match = _PART.fullmatch(part)
    if match is None:
        msg = f"{part!r} is not of the form day-day hour:minute-hour:minute, {_FORM}"
        raise ValueError(msg)
    first, last = match["first"], match["last"]
    days = _days(first or "mon", last or first or "sun")
    begin, end = _minutes(match["begin"]), _minutes(match["end"])
    if begin == _MINUTES_PER_DAY:
        msg = f"{part!r} begins at 24:00; write 00:00 of the next day"
        raise ValueError(msg)
    if begin == end:
        msg = f"{part!r} has no length; for a whole day write 00:00-24:00"
        raise ValueError(msg)
    return HourSpan(days=days, begin=begin, end=end)


def _days(first: str, last: str) -> frozenset[int]:
    unknown = next((name for name in (first, last) if name.lower() not in _DAYS), None)
    if unknown is not None:
        msg = f"{unknown!r} is no day; days are Mon, Tue, Wed, Thu, Fri, Sat and Sun"
        raise ValueError(msg)
    begin, end = _DAYS.index(first.lower()), _DAYS.index(last.lower())
    count = (end - begin) % len(_DAYS) + 1
    return frozenset((begin + offset) % len(_DAYS) for offset in range(count))


def _minutes(text: str) -> int:
    hour, minute = map(int, text.split(":"))
    minutes = hour * 60 + minute
    if minute > 59 or minutes > _MINUTES_PER_DAY:  # noqa: PLR2004 - the clock
        msg = f"{text!r} is no time of a day"
        raise ValueError(msg)
    return minutes
