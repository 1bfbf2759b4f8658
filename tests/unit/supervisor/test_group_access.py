"""Refusals in a row of each group of orders: what counts, what ends the row, and which groups are suspected."""

from __future__ import annotations

import pytest

from poolwright.domain.outcomes import Outcome
from poolwright.supervisor.policy.group_access import GroupAccess
from tests.support.tasks import po_task

REFUSED = Outcome.FORBIDDEN


def after(*outcomes: Outcome, limit: int | None = 3, group: str = "2000") -> GroupAccess:
    access = GroupAccess(limit=limit)
    for outcome in outcomes:
        access = access.record(group, outcome)
    return access


def test_a_group_is_refused_when_the_limit_is_reached() -> None:
    assert not after(REFUSED, REFUSED).is_refused("2000")
    assert after(REFUSED, REFUSED, REFUSED).is_refused("2000")
    assert after(*[REFUSED] * 4).is_refused("2000")
    assert after(REFUSED, limit=1).is_refused("2000")


def test_each_group_has_a_row_of_its_own() -> None:
    access = after(REFUSED, REFUSED).record("3000", REFUSED)

    assert access.refusal_counts == {"2000": 2, "3000": 1}
    assert not access.is_refused("3000")


@pytest.mark.parametrize("outcome", [Outcome.COMPLETED, Outcome.PARTIAL, Outcome.NO_ATTACHMENTS])
def test_an_order_that_was_shown_ends_the_row_of_its_group_alone(outcome: Outcome) -> None:
    access = after(REFUSED, REFUSED).record("3000", REFUSED).record("2000", outcome)

    assert access.refusal_counts == {"3000": 1}


@pytest.mark.parametrize(
    "outcome", [Outcome.NOT_FOUND, Outcome.FAILED, Outcome.QUARANTINED, Outcome.CANCELLED, Outcome.INVALID]
)
def test_an_order_that_tells_nothing_about_access_neither_counts_nor_ends_the_row(outcome: Outcome) -> None:
    before = after(REFUSED, REFUSED)

    assert before.record("2000", outcome) == before


def test_without_a_limit_no_group_is_refused() -> None:
    assert not after(*[REFUSED] * 9, limit=None).is_refused("2000")


def test_orders_without_a_group_are_never_refused_together() -> None:
    assert not after(*[REFUSED] * 9, group="").is_refused("")
    assert after().suspected([(po_task(number), REFUSED) for number in range(9)]) == frozenset()


def test_a_group_that_is_set_aside_is_not_refused_again() -> None:
    assert not GroupAccess(limit=1, refusal_counts={"2000": 5}, set_aside={"2000": "why"}).is_refused("2000", 5)


def test_results_that_are_not_verified_make_a_group_suspected_together_with_those_that_are() -> None:
    held = [(po_task(1, group="2000"), REFUSED), (po_task(2, group="3000"), REFUSED)]

    assert after(REFUSED, REFUSED).suspected(held) == {"2000"}
    assert after(REFUSED).suspected(held) == frozenset()
    assert after(REFUSED, REFUSED).suspected([(po_task(1, group="2000"), Outcome.NOT_FOUND)]) == frozenset()
    assert after(REFUSED).suspected([*held, (po_task(3, group="2000"), REFUSED)]) == {"2000"}
