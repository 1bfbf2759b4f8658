"""Hours of a portal: how they are written, what they include, and when they begin again."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from poolwright.domain.working_hours import HourSpan, WorkingHours

BERLIN = "Europe/Berlin"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("Mon-Fri 07:00-19:00", [HourSpan(days=frozenset(range(5)), begin=420, end=1140)]),
        ("sat 8:30-12:00", [HourSpan(days=frozenset({5}), begin=510, end=720)]),
        ("Fri-Mon 00:00-24:00", [HourSpan(days=frozenset({4, 5, 6, 0}), begin=0, end=1440)]),
        ("Sun 07:59-08:59", [HourSpan(days=frozenset({6}), begin=479, end=539)]),
        ("Sun-Sun 01:00 - 02:00", [HourSpan(days=frozenset({6}), begin=60, end=120)]),
        ("22:00-06:00", [HourSpan(days=frozenset(range(7)), begin=1320, end=360)]),
        (
            "Mon-Thu 07:00-19:00, Fri 07:00-15:00",
            [
                HourSpan(days=frozenset(range(4)), begin=420, end=1140),
                HourSpan(days=frozenset({4}), begin=420, end=900),
            ],
        ),
    ],
)
def test_hours_are_days_and_times(text: str, spans: list[HourSpan]) -> None:
    hours = WorkingHours.parse(text, BERLIN)

    assert (list(hours.spans), hours.text, hours.zone) == (spans, text, BERLIN)


@pytest.mark.parametrize(
    ("text", "zone", "said"),
    [
        ("", "", "'' is not of the form"),
        ("Mon-Fri", "", "is not of the form day-day hour:minute-hour:minute, such as"),
        ("Mon-Fri 7-19", "", "is not of the form"),
        ("Mon-Fri 07:00-19:00,", "", "'' is not of the form"),
        ("Mo-Fri 07:00-19:00", "", "is not of the form"),
        ("Mon-Xyz 07:00-19:00", "", "'Xyz' is no day; days are Mon,"),
        ("Abc 07:00-19:00", "", "'Abc' is no day"),
        ("Mon 07:60-19:00", "", "'07:60' is no time of a day"),
        ("Mon 07:00-24:01", "", "'24:01' is no time of a day"),
        ("Mon 24:00-07:00", "", "begins at 24:00; write 00:00 of the next day"),
        ("Mon 07:00-07:00", "", "has no length; for a whole day write 00:00-24:00"),
        ("Mon 07:00-19:00", "Europe/Nowhere", "'Europe/Nowhere' is no time zone; it must be a name such as"),
        ("Mon 07:00-19:00", "../etc", "is no time zone"),
    ],
)
def test_other_texts_are_refused_with_the_cause(text: str, zone: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        WorkingHours.parse(text, zone)


@pytest.mark.parametrize(
    ("now", "is_open", "begin"),
    [
        # 30 November 2026 is a Monday; Berlin is an hour ahead of UTC in winter.
        ("2026-11-30T05:59:59+00:00", False, "2026-11-30T07:00:00+01:00"),
        ("2026-11-30T06:00:00+00:00", True, "2026-12-01T07:00:00+01:00"),
        ("2026-11-30T17:59:59+00:00", True, "2026-12-01T07:00:00+01:00"),
        ("2026-11-30T18:00:00+00:00", False, "2026-12-01T07:00:00+01:00"),
        ("2026-12-04T20:00:00+00:00", False, "2026-12-07T07:00:00+01:00"),
        ("2026-12-05T10:00:00+00:00", False, "2026-12-07T07:00:00+01:00"),
        ("2026-07-03T05:00:00+00:00", True, "2026-07-06T07:00:00+02:00"),
        ("2026-07-03T04:59:00+00:00", False, "2026-07-03T07:00:00+02:00"),
    ],
)
def test_a_moment_lies_within_or_the_hours_begin_later(now: str, is_open: bool, begin: str) -> None:
    hours = WorkingHours.parse("Mon-Fri 07:00-19:00", BERLIN)

    assert hours.includes(at(now)) is is_open
    assert hours.next_begin(at(now)).isoformat() == begin


@pytest.mark.parametrize(
    ("now", "is_open"),
    [
        ("2026-12-04T20:59:00+00:00", False),
        ("2026-12-04T21:00:00+00:00", True),
        ("2026-12-05T04:59:00+00:00", True),
        ("2026-12-05T05:00:00+00:00", False),
        ("2026-12-05T22:00:00+00:00", False),
    ],
)
def test_hours_of_a_night_belong_to_the_day_on_which_they_begin(now: str, is_open: bool) -> None:
    assert WorkingHours.parse("Mon-Fri 22:00-06:00", BERLIN).includes(at(now)) is is_open


def test_hours_begin_and_end_at_their_minute() -> None:
    hours = WorkingHours.parse("Mon 07:30-19:45", BERLIN)

    assert [hours.includes(at(f"2026-11-30T{now}:00+01:00")) for now in ("07:29", "07:30", "19:44", "19:45")] == [
        False,
        True,
        True,
        False,
    ]
    assert hours.next_begin(at("2026-11-30T07:29:00+01:00")).isoformat() == "2026-11-30T07:30:00+01:00"


def test_a_span_that_ends_at_its_begin_lasts_until_the_next_day() -> None:
    hours = WorkingHours(text="", spans=(HourSpan(days=frozenset({0}), begin=420, end=420),), zone=BERLIN)

    assert not hours.includes(at("2026-11-30T06:59:00+01:00"))
    assert hours.includes(at("2026-12-01T06:59:00+01:00"))
    assert not hours.includes(at("2026-12-01T07:00:00+01:00"))


def test_hours_until_midnight_end_there() -> None:
    hours = WorkingHours.parse("Mon 12:00-24:00", BERLIN)

    assert hours.includes(at("2026-11-30T22:59:59+00:00"))
    assert not hours.includes(at("2026-11-30T23:00:00+00:00"))
    assert hours.next_begin(at("2026-11-30T23:00:00+00:00")).isoformat() == "2026-12-07T12:00:00+01:00"


def test_clocks_that_change_in_the_night_move_the_hours_with_them() -> None:
    hours = WorkingHours.parse("Sun 01:00-04:00", BERLIN)

    # On 25 October 2026 clocks go back from 3 to 2: the hours last four of them.
    assert hours.includes(at("2026-10-24T23:00:00+00:00"))
    assert hours.includes(at("2026-10-25T02:59:00+00:00"))
    assert not hours.includes(at("2026-10-25T03:00:00+00:00"))


def test_without_a_zone_the_clock_of_the_machine_counts() -> None:
    hours = WorkingHours.parse("00:00-24:00")
    now = datetime(2026, 11, 30, 12, tzinfo=UTC)

    assert hours.includes(now)
    assert hours.next_begin(now) > now
    assert (hours.next_begin(now).hour, hours.next_begin(now).minute) == (0, 0)
