"""What counts as growth in a soak."""

from __future__ import annotations

import math

import pytest

from bench.soak.trend import Trend, median, percentile, running_median, spread, trend

TIMES_S = [float(second) for second in range(0, 101, 5)]


def found(values: list[float | None]) -> Trend:
    told = trend(TIMES_S, values)
    assert told is not None
    return told


def test_growth_is_the_last_fifth_against_the_one_after_the_warm_up() -> None:
    values: list[float | None] = [100.0 if at_s < 50 else 110.0 for at_s in TIMES_S]

    told = found(values)

    assert (told.early, told.late) == (100.0, 110.0)
    assert told.growth == pytest.approx(0.1)


def test_the_warm_up_does_not_count() -> None:
    values: list[float | None] = [1000.0 if at_s < 20 else 100.0 for at_s in TIMES_S]

    told = found(values)

    assert told.growth == 0
    assert told.slope_per_h == pytest.approx(0, abs=1e-6)


def test_a_single_high_sample_is_no_growth() -> None:
    values: list[float | None] = [100.0 for _ in TIMES_S]
    values[-1] = 900.0

    assert found(values).growth == 0


def test_the_slope_is_told_for_an_hour() -> None:
    assert found([2.0 * at_s for at_s in TIMES_S]).slope_per_h == pytest.approx(7200)


def test_missing_values_are_left_out() -> None:
    values: list[float | None] = [None if at_s in {25.0, 90.0} else 5.0 for at_s in TIMES_S]

    assert (found(values).early, found(values).late) == (5.0, 5.0)


@pytest.mark.parametrize("gap", [range(20, 40), range(80, 101)], ids=["after the warm-up", "at the end"])
def test_without_values_on_both_sides_nothing_is_told(gap: range) -> None:
    assert trend(TIMES_S, [None if int(at_s) in gap else 5.0 for at_s in TIMES_S]) is None


def test_nothing_is_told_of_one_sample_or_none() -> None:
    assert trend([0.0], [5.0]) is None
    assert trend([], []) is None


def test_growth_from_nothing_is_endless() -> None:
    assert Trend(early=0, late=3, slope_per_h=0).growth == math.inf
    assert Trend(early=0, late=0, slope_per_h=0).growth == 0


def test_a_percentile_is_a_value_that_was_seen() -> None:
    assert percentile([5.0, 1.0, 2.0, 4.0, 3.0], 0.95) == 5.0
    assert percentile([float(value) for value in range(1, 101)], 0.95) == 95.0
    assert percentile([7.0], 0.95) == 7.0
    assert percentile([], 0.95) is None


def test_a_median_of_nothing_is_nothing() -> None:
    assert median([3.0, 1.0, 2.0]) == 2.0
    assert median([]) is None


def test_a_running_median_drops_peaks_and_keeps_gaps() -> None:
    assert running_median([1.0, 9.0, 1.0, None, 2.0, 2.0], 3) == [5.0, 1.0, 5.0, None, 2.0, 2.0]
    assert running_median([1.0, 9.0], 1) == [1.0, 9.0]


def test_labels_are_moved_apart_in_their_order() -> None:
    moved = spread([10.0, 10.5, 50.0], 4.0)

    assert moved[1] - moved[0] == pytest.approx(4.0)
    assert moved[0] < moved[1] < moved[2]
    assert sum(moved) == pytest.approx(70.5)


def test_labels_with_room_stay_where_they_are() -> None:
    assert spread([50.0, 10.0], 4.0) == [50.0, 10.0]
    assert spread([], 4.0) == []
