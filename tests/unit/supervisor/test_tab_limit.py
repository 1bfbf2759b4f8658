"""How many orders are open while a portal answers more slowly than before."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from poolwright.supervisor.policy.courtesy.tab_limit import WINDOW, AnswerWindow, TabLimit, TimedAnswer

FULL = 4
#: Answers of a window of four tabs.
SIZE = 2 * FULL
#: A portal that usually answers within a second.
USUAL = TabLimit(full=FULL, limit=FULL, best={FULL: 1.0})


def fed(limit: TabLimit, *answers_s: float, tabs: int = FULL, at_s: float = 100.0) -> TabLimit:
    """The limit after these answers to orders that began just before and ended at this time."""
    for answer_s in answers_s:
        limit = limit.add(TimedAnswer(answer_s=answer_s, begun_s=at_s, tabs=tabs), at_s)
    return limit


def windows(limit: TabLimit, *answers_s: float, tabs: int = FULL) -> TabLimit:
    """The limit after a whole window of each of these answers, each one second after the decision before."""
    for answer_s in answers_s:
        at_s = max(100.0, limit.changed_at_s + 1.0)
        limit = fed(limit, *[answer_s] * max(WINDOW, 2 * limit.limit), tabs=tabs, at_s=at_s)
    return limit


def halved(answer_s: float = 4.0, tabs: int = FULL) -> TabLimit:
    """The limit after two windows of slow answers."""
    return windows(USUAL, answer_s, answer_s, tabs=tabs)


def simulate(full: int, answer_s: Callable[[float, int, int], float], order_count: int = 300) -> tuple[float, set[int]]:
    """Let a pool do orders; return how long it took, and the limits that were in force.

    Args:
        full: The number of tabs.
        answer_s: Returns the time of an answer by the time when its order begins, the orders open then and its number.
        order_count: The number of orders.
    """
    limit, now_s, begun, limits = TabLimit.starting_at(full), 0.0, 0, {full}
    is_open: list[tuple[float, float, float]] = []
    while is_open or begun < order_count:
        while len(is_open) < limit.limit and begun < order_count:
            took_s = answer_s(now_s, len(is_open) + 1, begun)
            is_open.append((now_s + took_s + 0.25, now_s, took_s))
            begun += 1
        first = min(is_open)
        is_open.remove(first)
        now_s = first[0]
        limit = limit.add(TimedAnswer(answer_s=first[2], begun_s=first[1], tabs=len(is_open) + 1), now_s)
        limits.add(limit.limit)
    return now_s, limits


class TestPortals:
    """Portals that people know."""

    def test_one_that_is_slow_from_the_first_page_on_is_not_made_slower(self) -> None:
        _, limits = simulate(8, lambda _at_s, _tabs, number: 10.0 + number % 7 * 3.0)

        assert limits == {8}

    def test_one_whose_every_fourth_page_takes_long_is_not_slow(self) -> None:
        _, limits = simulate(8, lambda _at_s, _tabs, number: 9.0 if number % 4 == 0 else 0.2)

        assert limits == {8}

    def test_one_that_answers_one_page_after_the_other_may_be_asked_by_all_tabs(self) -> None:
        _, limits = simulate(8, lambda _at_s, tabs, _number: 1.5 * tabs)

        assert limits == {8}

    def test_one_that_gets_slow_for_everybody_is_spared_for_a_while_and_then_asked_as_before(self) -> None:
        took_s, limits = simulate(8, lambda at_s, _tabs, _number: 0.5 if at_s < 20.0 else 6.0)
        unlimited_s = 20.0 + (300 - 20 / 0.75 * 8) * 6.25 / 8

        assert limits == {4, 5, 6, 7, 8}
        assert took_s < 2.0 * unlimited_s

    def test_one_that_our_tabs_keep_busy_gets_fewer_and_answers_as_many_pages_and_more_come_back(self) -> None:
        took_s, limits = simulate(8, lambda at_s, tabs, _number: 0.5 if at_s < 20.0 or at_s > 90.0 else 1.2 * tabs)
        steady = simulate(1, lambda *_: 0.95, 300)[0]

        assert limits == {4, 5, 6, 7, 8}
        assert took_s < steady

    def test_one_that_gets_slower_and_slower_is_asked_less_and_less(self) -> None:
        _, limits = simulate(8, lambda at_s, _tabs, _number: 0.5 + max(0.0, at_s - 20.0) * 0.2, 350)

        assert limits == {8, 4, 2, 1}


class TestWindows:
    """Which answers are judged, and when."""

    def test_the_first_window_only_shows_what_is_usual(self) -> None:
        limit = windows(TabLimit.starting_at(FULL), 30.0)

        assert (limit.limit, limit.is_suspected, limit.best) == (FULL, False, {FULL: 30.0})
        assert (limit.changed_at_s, limit.cut_at, limit.sentence) == (-math.inf, None, "")
        assert (limit.slow_s, limit.usual_s) == (0.0, 0.0)

    def test_nothing_is_judged_before_a_window_is_full(self) -> None:
        assert fed(TabLimit.starting_at(FULL), *[1.0] * (SIZE - 1)).best == {}
        assert fed(TabLimit.starting_at(FULL), *[1.0] * SIZE).best == {FULL: 1.0}
        assert fed(TabLimit.starting_at(2), *[1.0] * 6).best == {}
        assert fed(TabLimit.starting_at(2), *[1.0] * 7).best == {FULL: 1.0}

    def test_a_window_slides_and_its_median_counts(self) -> None:
        limit = fed(TabLimit.starting_at(FULL), *[5.0] * 4, *[2.0] * 4)
        assert limit.best == {FULL: 3.5}
        assert len(fed(limit, 2.0).answers) == SIZE
        assert fed(limit, 2.0).best == {FULL: 2.0}
        assert fed(limit, *[9.0] * 4).best == {FULL: 3.5}, "the best window of the session"

    def test_the_tabs_of_a_window_are_their_median(self) -> None:
        limit = fed(fed(TabLimit.starting_at(FULL), *[1.0] * 4, tabs=2), *[1.0] * 4, tabs=3)

        assert limit.best == {2: 1.0}

    def test_half_of_the_pages_slow_are_not_a_slow_portal(self) -> None:
        assert not fed(USUAL, *[1.0] * 5, *[50.0] * 3).is_suspected
        assert fed(USUAL, *[1.0] * 3, *[50.0] * 5).is_suspected

    @pytest.mark.parametrize(
        ("usual_s", "answer_s", "is_slow"),
        [
            (1.0, 3.0, False),
            (1.0, 3.1, True),
            (0.1, 2.1, False),
            (0.1, 2.2, True),
            (5.0, 15.0, False),
            (5.0, 15.1, True),
        ],
    )
    def test_slow_is_three_times_as_long_and_two_seconds_longer(
        self, usual_s: float, answer_s: float, is_slow: bool
    ) -> None:
        assert windows(replace(USUAL, best={FULL: usual_s}), answer_s).is_suspected == is_slow

    def test_the_usual_time_grows_with_the_tabs_beyond_those_that_showed_it(self) -> None:
        limit = replace(USUAL, best={1: 1.0, 2: 3.0, 8: 7.0})

        assert [limit.usual_answer_s(tabs) for tabs in (1, 2, 4, 8)] == [1.0, 2.0, 4.0, 7.0]
        assert TabLimit.starting_at(FULL).usual_answer_s(1) == math.inf

    def test_orders_that_began_before_a_decision_do_not_count(self) -> None:
        suspected = windows(USUAL, 4.0)

        assert (suspected.changed_at_s, suspected.answers, suspected.limit) == (100.0, (), FULL)
        early = suspected.add(TimedAnswer(answer_s=4.0, begun_s=99.9, tabs=FULL), 104.0)
        assert early is suspected
        assert len(suspected.add(TimedAnswer(answer_s=4.0, begun_s=100.0, tabs=FULL), 104.0).answers) == 1


class TestLowering:
    """When fewer orders are open."""

    def test_the_first_slow_window_is_a_suspicion_and_the_second_halves_the_limit(self) -> None:
        limit = halved()

        assert (limit.limit, limit.is_lowered, limit.is_suspected) == (2, True, False)
        assert (limit.cut_at, limit.answers, limit.changed_at_s) == (AnswerWindow(tabs=4, answer_s=4.0), (), 101.0)
        assert limit.best == {FULL: 1.0}

    def test_a_suspicion_that_does_not_come_true_is_forgotten(self) -> None:
        limit = windows(USUAL, 4.0, 1.0)

        assert (limit.limit, limit.is_suspected) == (FULL, False)
        assert windows(limit, 4.0).limit == FULL

    def test_half_of_the_orders_that_are_really_open_is_the_limit_and_never_less_than_one(self) -> None:
        wide = replace(USUAL, full=20, limit=20)

        assert windows(wide, 9.0, 9.0, tabs=7).limit == 3
        assert windows(wide, 90.0, 90.0, tabs=30).limit == 10
        assert windows(USUAL, 9.0, 9.0, tabs=1).limit == 1
        single = windows(replace(USUAL, full=1, limit=1), 9.0, 9.0, tabs=1)
        assert (single.limit, single.is_lowered, single.sentence) == (1, False, "")

    def test_as_many_pages_with_fewer_tabs_change_nothing_more(self) -> None:
        limit = windows(halved(10.0), 5.0, tabs=2)

        assert (limit.limit, limit.cut_at) == (2, AnswerWindow(tabs=4, answer_s=10.0))
        assert limit.best == {FULL: 1.0, 2: 5.0}
        assert len(limit.answers) == WINDOW
        assert windows(halved(10.0), 6.66, tabs=2).limit == 2, "three quarters of the pages are as many"
        assert windows(halved(8.0), 8.0, tabs=3).limit == 2, "just three quarters"

    def test_fewer_pages_in_a_shorter_time_halve_the_limit_again(self) -> None:
        limit = windows(halved(10.0), 6.67, tabs=2)

        assert (limit.limit, limit.cut_at) == (1, AnswerWindow(tabs=2, answer_s=6.67))
        assert (limit.slow_s, limit.usual_s, limit.answers, limit.changed_at_s) == (6.67, 1.0, (), 102.0)

    def test_a_time_that_goes_on_rising_halves_the_limit_again(self) -> None:
        assert windows(halved(10.0), 12.1, tabs=2).limit == 1
        assert windows(halved(10.0), 12.0, tabs=2).limit == 3, "it is the same time"


class TestRaising:
    """When more orders are open again."""

    def test_each_quick_window_gives_one_more_until_all_are_back(self) -> None:
        first = windows(halved(), 1.0, tabs=2)
        second = windows(first, 1.0, tabs=3)
        third = windows(second, 1.0)

        assert [limit.limit for limit in (first, second, third)] == [3, 4, 4]
        assert (first.cut_at, first.answers, first.changed_at_s, first.is_suspected) == (None, (), 102.0, False)
        assert (second.is_lowered, second.sentence) == (False, "")
        assert len(third.answers) == SIZE

    def test_what_is_slow_for_everybody_is_usual_from_then_on(self) -> None:
        limit = windows(halved(10.0), 10.0, tabs=2)

        assert (limit.limit, limit.cut_at) == (3, None)
        assert limit.best == {4: 10.0, 2: 10.0}
        assert windows(limit, 10.0, tabs=3).limit == 4
        assert windows(halved(10.0), 8.34, tabs=2).limit == 3
        assert windows(halved(10.0), 8.33, tabs=2).limit == 1
        assert windows(halved(6.0), 5.0, tabs=2).limit == 3, "it is just the same time"

    def test_with_a_single_tab_the_same_time_is_slow_for_everybody_too(self) -> None:
        limit = windows(halved(10.0, tabs=1), 10.0, tabs=1)

        assert (limit.limit, limit.best) == (2, {1: 10.0})

    def test_after_that_a_slow_window_is_a_suspicion_first(self) -> None:
        raised = windows(halved(), 1.0, tabs=2)
        again = windows(raised, 9.0, tabs=3)

        assert (again.limit, again.is_suspected) == (3, True)
        assert windows(again, 9.0, tabs=3).limit == 1


def test_people_read_how_slow_it_is_and_how_many_orders_are_open() -> None:
    limit = halved(6.26)

    times = "6.3 s for the page of an order, 1.0 s before"
    assert limit.sentence == f"The portal answers slowly ({times}): at most 2 of 4 orders are open at once."
    assert windows(limit, 6.26, tabs=2).sentence.endswith("at most 3 of 4 orders are open at once.")


def test_an_answer_without_any_time_is_infinitely_quick() -> None:
    assert AnswerWindow(tabs=2, answer_s=0.0).rate == math.inf
    assert AnswerWindow(tabs=2, answer_s=0.5).rate == 4.0
