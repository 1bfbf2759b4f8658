"""Which answers of the portal are measured, and how."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Response

from poolwright.portal.triage import Verdict
from poolwright.worker.answer_times import AnswerTimes, current_answers, recording_answers, slowest_answer_s
from poolwright.worker.page import visit
from tests.support.raw_portal import raw_pack

PORTAL = "https://portal.test"


def response(begun_ms: float, came_ms: float, url: str = f"{PORTAL}/order/1") -> Response:
    """An answer with the times that the browser tells."""
    request = SimpleNamespace(timing={"requestStart": begun_ms, "responseStart": came_ms})
    return cast("Response", SimpleNamespace(url=url, request=request))


class Gone:
    """A request that the browser no longer has."""

    @property
    def timing(self) -> dict[str, float]:
        raise PlaywrightError("gone")


@pytest.mark.parametrize(
    ("times_ms", "slowest_s"),
    [
        ([], None),
        ([(10.0, 260.0)], 0.25),
        ([(10.0, 260.0), (5.0, 1505.0), (0.0, 20.0)], 1.5),
        ([(-1.0, -1.0)], None),
        ([(-1.0, 500.0), (10.0, 20.0)], 0.01),
        ([(30.0, -1.0)], None),
        ([(0.0, 0.0)], 0.0),
    ],
)
def test_the_slowest_answer_counts_and_one_that_was_not_measured_does_not(
    times_ms: list[tuple[float, float]], slowest_s: float | None
) -> None:
    assert slowest_answer_s([response(*each) for each in times_ms]) == slowest_s


def test_a_request_that_the_browser_no_longer_has_does_not_count() -> None:
    gone = cast("Response", SimpleNamespace(url=PORTAL, request=Gone()))

    assert slowest_answer_s([gone, response(0.0, 40.0)]) == 0.04


def test_the_longest_of_an_order_is_kept_and_each_order_has_its_own() -> None:
    with recording_answers() as first:
        for answer_s in (0.5, None, 2.0, 1.0):
            current_answers().add(answer_s)
        with recording_answers() as second:
            current_answers().add(0.1)
        current_answers().add(1.5)
    current_answers().add(9.0)

    assert (first.longest_s, second.longest_s, AnswerTimes().longest_s) == (2.0, 0.1, None)


@pytest.mark.parametrize(
    ("verdict", "longest_s"),
    [(Verdict.READY, 0.7), (Verdict.RENEWED, 0.7), (Verdict.BUSY, None), (Verdict.NOT_FOUND, None)],
)
def test_pages_that_the_portal_had_to_make_count_with_its_own_lists_and_no_foreign_ones(
    verdict: Verdict, longest_s: float | None
) -> None:
    page = cast("Any", SimpleNamespace(verdict=verdict))
    lists = [response(0.0, 700.0, f"{PORTAL}/api"), response(0.0, 5000.0, "https://statistics.test/api")]
    traffic = cast("Any", SimpleNamespace(response=response(0.0, 100.0), script_responses=lists))

    with recording_answers() as answers:
        visit._record_answer(page, traffic, raw_pack(), PORTAL)

    assert answers.longest_s == longest_s


def test_a_page_without_an_answer_of_its_own_does_not_count() -> None:
    page = cast("Any", SimpleNamespace(verdict=Verdict.READY))
    traffic = cast("Any", SimpleNamespace(response=None, script_responses=[response(0.0, 700.0)]))

    with recording_answers() as answers:
        visit._record_answer(page, traffic, raw_pack(), PORTAL)

    assert answers.longest_s is None
