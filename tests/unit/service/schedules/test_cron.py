"""When entries fire: in their own zone, over both changes of summer time, and what was missed meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolwright.service.schedules.cron import (
    COUNT_MAX,
    OverlapDecision,
    decide_overlap,
    find_due_times,
    missed_message,
    next_fire,
    valid_since,
)
from poolwright.service.schedules.schedule_definition import FileSource, Schedule
from poolwright.settings import MissedRunPolicy, OverlapPolicy
from tests.support.pace import UNHURRIED

BERLIN, SAO_PAULO = ZoneInfo("Europe/Berlin"), ZoneInfo("America/Sao_Paulo")


def fires(cron: str, zone: ZoneInfo, after: str, count: int) -> list[str]:
    """The next fires as the clocks on the wall show them, each found from the one before it."""
    at = datetime.fromisoformat(after)
    found: list[str] = []
    for _ in range(count):
        following = next_fire(cron, zone, at)
        assert following is not None
        assert following > at
        at = following
        found.append(at.astimezone(zone).isoformat(timespec="minutes"))
    return found


def test_a_fixed_hour_stays_on_the_wall_clock_when_summer_time_begins_and_ends() -> None:
    assert fires("0 6 * * *", BERLIN, "2026-03-28T12:00+00:00", 2) == [
        "2026-03-29T06:00+02:00",
        "2026-03-30T06:00+02:00",
    ]
    assert fires("0 6 * * *", BERLIN, "2026-10-24T12:00+00:00", 2) == [
        "2026-10-25T06:00+01:00",
        "2026-10-26T06:00+01:00",
    ]


def test_a_time_that_does_not_exist_fires_once_right_after_the_gap() -> None:
    assert fires("15,45 2 * * *", BERLIN, "2026-03-28T12:00+00:00", 2) == [
        "2026-03-29T03:00+02:00",
        "2026-03-30T02:15+02:00",
    ]


def test_a_time_that_comes_twice_fires_once() -> None:
    assert fires("30 2 * * *", BERLIN, "2026-10-24T12:00+00:00", 2) == [
        "2026-10-25T02:30+02:00",
        "2026-10-26T02:30+01:00",
    ]


def test_within_the_second_of_two_equal_hours_no_fire_of_the_first_one_comes_again() -> None:
    second_hour = "2026-10-25T02:10+01:00"

    assert fires("30 2 * * *", BERLIN, second_hour, 1) == ["2026-10-26T02:30+01:00"]


def test_every_half_hour_fires_in_every_hour_that_really_passes() -> None:
    assert fires("*/30 * * * *", BERLIN, "2026-10-24T23:59+00:00", 4) == [
        "2026-10-25T02:00+02:00",
        "2026-10-25T02:30+02:00",
        "2026-10-25T02:00+01:00",
        "2026-10-25T02:30+01:00",
    ]
    assert fires("*/30 * * * *", BERLIN, "2026-03-29T00:29+00:00", 2) == [
        "2026-03-29T01:30+01:00",
        "2026-03-29T03:00+02:00",
    ]


def test_a_zone_without_summer_time_and_the_days_when_it_still_had_it() -> None:
    assert fires("30 6 * * MON-FRI", SAO_PAULO, "2026-10-16T12:00+00:00", 2) == [
        "2026-10-19T06:30-03:00",
        "2026-10-20T06:30-03:00",
    ]
    # In 2018 its summer began at midnight, so that day began at 1:00.
    assert fires("0 0 * * *", SAO_PAULO, "2018-11-03T12:00+00:00", 2) == [
        "2018-11-04T01:00-02:00",
        "2018-11-05T00:00-02:00",
    ]


@UNHURRIED
@given(
    after=st.integers(0, 4 * 365 * 24 * 3600).map(
        lambda second: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
    ),
    cron=st.sampled_from(["30 2 * * *", "*/20 * * * *", "0 */2 * * *", "5 0,1,2,3 * * *", "0 4 1 * MON"]),
    zone=st.sampled_from([BERLIN, SAO_PAULO, ZoneInfo("Australia/Lord_Howe"), ZoneInfo("UTC")]),
)
def test_fires_only_go_forward_and_none_is_between_two(after: datetime, cron: str, zone: ZoneInfo) -> None:
    found = [after]
    for _ in range(6):
        following = next_fire(cron, zone, found[-1])
        assert following is not None
        found.append(following)

    for earlier, later in pairwise(found):
        assert earlier < later
        assert next_fire(cron, zone, later - timedelta(seconds=1)) == later


def schedule(cron: str = "0 6 * * *", missed: MissedRunPolicy = MissedRunPolicy.SKIP) -> Schedule:
    return Schedule(name="nightly", cron=cron, zone=BERLIN, source=FileSource(path=Path("x.csv")), missed=missed)


SINCE = datetime(2026, 11, 30, 5, 0, tzinfo=UTC)


def test_nothing_is_due_before_its_time() -> None:
    assert find_due_times(schedule(), SINCE, SINCE + timedelta(hours=23, minutes=59)) is None


@pytest.mark.parametrize("late_s", [0, 59])
def test_what_is_seen_within_a_minute_is_on_time(late_s: int) -> None:
    due = find_due_times(schedule(), SINCE, SINCE + timedelta(days=1, seconds=late_s))

    assert due is not None
    assert (due.fire_at, due.missed_count, due.since) == (SINCE + timedelta(days=1), 0, SINCE + timedelta(days=1))


def test_missed_fires_are_counted_and_left_out() -> None:
    due = find_due_times(schedule(), SINCE, SINCE + timedelta(days=3, minutes=5))

    assert due is not None
    assert due.fire_at is None
    assert (due.missed_count, due.first_missed_at) == (3, SINCE + timedelta(days=1))
    assert due.since == SINCE + timedelta(days=3)
    assert "missed 3 times, first on 01 Dec 2026 06:00 CET" in missed_message(schedule(), due)


def test_one_run_makes_up_for_all_that_were_missed() -> None:
    due = find_due_times(schedule(missed=MissedRunPolicy.RUN), SINCE, SINCE + timedelta(days=3, minutes=5))

    assert due is not None
    assert (due.fire_at, due.missed_count) == (SINCE + timedelta(days=3), 3)


def test_a_fire_on_time_is_acted_on_beside_missed_ones() -> None:
    due = find_due_times(schedule(), SINCE, SINCE + timedelta(days=3, seconds=5))

    assert due is not None
    assert (due.fire_at, due.missed_count) == (SINCE + timedelta(days=3), 2)


def test_a_year_of_missed_minutes_is_not_counted_to_the_end() -> None:
    now = SINCE + timedelta(days=365)

    due = find_due_times(schedule("* * * * *"), SINCE, now)

    assert due is not None
    assert (due.missed_count, due.since, due.fire_at) == (COUNT_MAX, now, None)
    assert f"more than {COUNT_MAX - 1} times" in missed_message(schedule(), due)


def test_a_clock_that_was_set_back_far_makes_the_past_forgotten_and_a_little_does_not() -> None:
    assert valid_since(SINCE, SINCE - timedelta(minutes=10)) == SINCE, "else the same fire would come twice"
    assert valid_since(SINCE, SINCE - timedelta(days=400)) == SINCE - timedelta(days=400)


@pytest.mark.parametrize(
    ("overlap", "is_running", "is_waiting", "expected"),
    [
        (OverlapPolicy.SKIP, False, False, OverlapDecision.START),
        (OverlapPolicy.SKIP, True, False, OverlapDecision.SKIP),
        (OverlapPolicy.QUEUE, False, False, OverlapDecision.START),
        (OverlapPolicy.QUEUE, True, False, OverlapDecision.QUEUE),
        (OverlapPolicy.QUEUE, True, True, OverlapDecision.SKIP),
    ],
)
def test_what_becomes_of_a_fire(
    overlap: OverlapPolicy, is_running: bool, is_waiting: bool, expected: OverlapDecision
) -> None:
    assert decide_overlap(overlap, is_running=is_running, is_waiting=is_waiting) is expected
