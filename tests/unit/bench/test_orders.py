"""Which orders a soak takes, and how it counts what came of them."""

from __future__ import annotations

from itertools import islice

from bench.soak.orders import LIGHT_BYTES, SEED, Ended, light_numbers, listed_count, tally
from poolwright.demo.catalogue.catalogue import Catalogue
from poolwright.demo.catalogue.order import Attachment
from poolwright.demo.catalogue.truth import OrderTruth, order_truth


def digest(file: Attachment) -> str:
    return f"digest of {file.attachment_id}"


def truths_of(count: int) -> dict[str, OrderTruth]:
    catalogue = Catalogue(SEED, 400)
    orders = [catalogue.order(number) for number in islice(light_numbers(catalogue), count)]
    return {order.number: order_truth(order, digest) for order in orders if order is not None}


def ended_right(truths: dict[str, OrderTruth]) -> dict[str, Ended]:
    return {
        truth.number: Ended(
            number=truth.number, outcome=truth.outcome, digests=tuple(file.sha256 for file in truth.attachments)
        )
        for truth in truths.values()
    }


def test_light_orders_have_few_bytes_and_no_trouble() -> None:
    truths = truths_of(50)

    assert len(truths) == 50
    assert {truth.outcome for truth in truths.values()} == {"COMPLETED", "NO_ATTACHMENTS"}
    assert all(sum(file.size_bytes for file in truth.attachments) <= LIGHT_BYTES for truth in truths.values())


def test_the_portal_has_enough_light_orders() -> None:
    for duration_s in (1.0, 20.0):
        assert sum(1 for _ in light_numbers(Catalogue(SEED, listed_count(duration_s, 2)))) >= duration_s * 20 + 100


def test_orders_that_end_as_the_portal_knows_them_are_right() -> None:
    truths = truths_of(9)

    told = tally(9, 9, ended_right(truths), truths)

    assert (told.right_count, told.lost_count, told.wrong_count, told.repeated_count) == (9, 0, 0, 0)


def test_an_order_without_an_outcome_is_lost_and_so_is_one_that_the_journal_does_not_know() -> None:
    truths = truths_of(9)
    ended = ended_right(truths)
    first, second, *_ = ended
    ended[first] = Ended(number=first, outcome=None)
    del ended[second]

    told = tally(9, 7, ended, truths)

    assert (told.right_count, told.lost_count, told.wrong_count) == (7, 2, 0)


def test_another_outcome_or_other_files_are_wrong() -> None:
    truths = truths_of(30)
    ended = ended_right(truths)
    completed, other = [number for number, truth in truths.items() if truth.outcome == "COMPLETED"][:2]
    ended[completed] = Ended(number=completed, outcome="COMPLETED", digests=("another",))
    ended[other] = Ended(number=other, outcome="FAILED")
    ended["4711"] = Ended(number="4711", outcome="COMPLETED")

    told = tally(31, 31, ended, truths)

    assert (told.right_count, told.wrong_count) == (28, 3)
    assert sorted(told.problems) == sorted(
        [
            f"{completed} has not the files that the portal has",
            f"{other} ended FAILED, not COMPLETED",
            "4711 is no order of the portal",
        ]
    )


def test_an_end_that_was_told_twice_is_counted() -> None:
    truths = truths_of(9)

    assert tally(9, 10, ended_right(truths), truths).repeated_count == 1
