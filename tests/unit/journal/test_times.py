"""Moments as text: they compare like time, whatever their zone and however round they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from poolwright.journal.sql_tasks import from_text, to_text
from tests.support.pace import UNHURRIED

ZONES = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-8))])
MOMENTS = st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2999, 1, 1), timezones=ZONES)  # noqa: DTZ001


def test_a_round_moment_is_as_long_as_any_other() -> None:
    assert to_text(datetime(2031, 5, 6, tzinfo=UTC)) == "2031-05-06T00:00:00.000000+00:00"


@UNHURRIED
@given(one=MOMENTS, other=MOMENTS)
def test_texts_compare_as_their_moments_do(one: datetime, other: datetime) -> None:
    assert (to_text(one) < to_text(other)) == (one < other)
    assert from_text(to_text(one)) == one
