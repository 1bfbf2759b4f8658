"""The accident maker: a seed tells everything, and every kind has its turn."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.support.pace import UNHURRIED
from tests.support.storm.accidents import KILLS, FaultKind, Target, count_kinds, make_storm

SEEDS = st.integers(min_value=0, max_value=10**9)


@UNHURRIED
@given(seed=SEEDS)
def test_a_seed_tells_the_whole_storm(seed: int) -> None:
    first, again = (make_storm(seed=seed, order_count=300, kill_count=60) for _ in range(2))

    assert first == again
    assert first.to_json() == again.to_json()


def test_another_seed_makes_another_storm() -> None:
    storms = {make_storm(seed=seed, order_count=300, kill_count=60).accidents for seed in range(20)}

    assert len(storms) == 20


@UNHURRIED
@given(seed=SEEDS)
def test_sixty_kills_are_of_every_kind(seed: int) -> None:
    storm = make_storm(seed=seed, order_count=300, kill_count=60)

    assert storm.kill_count == 60
    assert {one.target for one in storm.accidents} == set(Target)
    assert {one.kind for one in storm.accidents} == {*KILLS, (Target.SUPERVISOR, FaultKind.END)}
    assert sum(count_kinds(storm.accidents).values()) == len(storm.accidents)


@UNHURRIED
@given(seed=SEEDS, order_count=st.integers(1, 500), kill_count=st.integers(0, 80))
def test_every_accident_comes_in_its_turn_and_before_the_end_of_the_list(
    seed: int, order_count: int, kill_count: int
) -> None:
    storm = make_storm(seed=seed, order_count=order_count, kill_count=kill_count)

    points = [one.after_count for one in storm.accidents]
    assert points == sorted(points)
    assert all(0 <= point < order_count for point in points)
    assert [one.after_count for one in storm.troubles] == sorted(one.after_count for one in storm.troubles)
    assert storm.kill_count == kill_count
    assert all(0 <= one.pick < 1 for one in storm.accidents)


@UNHURRIED
@given(seed=SEEDS)
def test_no_fault_of_the_portal_stays(seed: int) -> None:
    storm = make_storm(seed=seed, order_count=300, kill_count=60)

    assert storm.troubles
    assert all(one.fault.times in {1, 2, 3} for one in storm.troubles)


@UNHURRIED
@given(seed=SEEDS)
def test_only_a_supervisor_is_woken_or_waited_for(seed: int) -> None:
    storm = make_storm(seed=seed, order_count=300, kill_count=60)

    assert all(
        (one.frozen_s > 0) == (one.target is Target.SUPERVISOR and one.blow in {FaultKind.FREEZE, FaultKind.NAP})
        for one in storm.accidents
    )
