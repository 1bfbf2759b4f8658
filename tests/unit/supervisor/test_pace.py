"""How many requests a portal gets in a minute."""

from __future__ import annotations

import pytest

from poolwright.supervisor.policy.courtesy.pace import Pace


def test_without_a_rate_nobody_waits() -> None:
    pace = Pace.full(None, 5.0).charge(1_000_000, 5.0)

    assert Pace.full(None, 5.0).tokens == 0.0
    assert pace.wait_s(5.0) == 0.0
    assert pace.charge(1, 6.0).at_s == 6.0


@pytest.mark.parametrize(("rate", "burst"), [(60.0, 10), (6.0, 1), (1.0, 1), (0.5, 1), (600.0, 100), (9.0, 1)])
def test_after_a_rest_the_requests_of_ten_seconds_may_follow_each_other(rate: float, burst: int) -> None:
    pace = Pace.full(rate, 100.0)
    for _ in range(burst):
        assert pace.wait_s(100.0) == 0.0
        pace = pace.charge(1, 100.0)

    assert pace.wait_s(100.0) > 0.0


@pytest.mark.parametrize(("rate", "wait_s"), [(60.0, 1.0), (6.0, 10.0), (0.5, 120.0)])
def test_then_each_waits_its_part_of_a_minute(rate: float, wait_s: float) -> None:
    pace = Pace(rate_per_min=rate, tokens=0.0, at_s=100.0)

    assert pace.wait_s(100.0) == pytest.approx(wait_s)
    assert pace.wait_s(100.0 + wait_s / 2) == pytest.approx(wait_s / 2)
    assert pace.wait_s(100.0 + wait_s + 1e-6) == 0.0


def test_files_are_paid_for_by_the_orders_that_follow() -> None:
    pace = Pace.full(60.0, 0.0).charge(1, 0.0).charge(12, 0.0)

    assert pace.tokens == -3.0
    assert pace.wait_s(0.0) == pytest.approx(4.0)
    assert pace.wait_s(4.0) == 0.0


def test_no_rest_saves_more_than_one_burst() -> None:
    pace = Pace.full(60.0, 0.0).charge(1, 3600.0)

    assert (pace.tokens, pace.at_s) == (9.0, 3600.0)
    assert pace.charge(-5, 3600.0).tokens == 10.0


def test_what_was_not_begun_is_given_back() -> None:
    pace = Pace(rate_per_min=60.0, tokens=0.5, at_s=10.0).charge(1, 10.0)

    assert pace.tokens == -0.5
    assert pace.charge(-1, 10.0).tokens == 0.5


def test_a_clock_that_stands_still_gives_nothing_and_takes_nothing() -> None:
    pace = Pace(rate_per_min=60.0, tokens=0.0, at_s=10.0)

    assert pace.charge(0, 9.0).tokens == 0.0
    assert pace.wait_s(9.0) == pytest.approx(1.0)
