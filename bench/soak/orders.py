"""The orders of a soak: light ones of the demo portal, and what must have come of each of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from poolwright.demo.catalogue.catalogue import Catalogue
from poolwright.demo.catalogue.order import Order, OrderAnswer
from poolwright.demo.catalogue.truth import OrderTruth
from poolwright.domain.ids import TaskId
from poolwright.domain.tasks import POTask

SEED = 7
#: All files of a light order together.
LIGHT_BYTES = 50_000
#: Every fourth order is light; a few more are listed, so that there are always enough.
LISTED_PER_LIGHT = 5
#: No worker brings more orders home; a soak never runs dry.
RATE_MAX_PER_S = 10
#: More orders no demo portal has; they last a worker a day.
LISTED_MAX = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What the journal and the output folder hold of one order."""

    number: str
    #: Nothing while it has none.
    outcome: str | None
    #: SHA-256 of every file in its folder but the manifest.
    digests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How all orders of a soak ended."""

    submitted_count: int
    right_count: int
    #: Submitted, and without an outcome.
    lost_count: int
    #: With an outcome or files that are not those of the portal.
    wrong_count: int
    #: Ends that were told beyond one for each order.
    repeated_count: int
    #: The first few that are not as they should be, in words.
    problems: tuple[str, ...] = ()


def listed_count(duration_s: float, worker_count: int) -> int:
    """How many orders the portal must have for so long a soak."""
    return min(LISTED_MAX, int(duration_s * worker_count * RATE_MAX_PER_S + 100) * LISTED_PER_LIGHT)


def light_numbers(catalogue: Catalogue) -> Iterator[str]:
    """The numbers of the portal's light orders, rising; each is made up when it is its turn."""
    for number in catalogue.listed_numbers():
        order = catalogue.order(number)
        if order is not None and is_light(order):
            yield number


def is_light(order: Order) -> bool:
    """Whether anybody may see the order, and all its files are small and whole."""
    files = order.attachments
    is_whole = order.answer is OrderAnswer.SHOWN and not any(file.defect for file in files)
    return is_whole and sum(file.size_bytes for file in files) <= LIGHT_BYTES


def task_of(number: str) -> POTask:
    """The task that brings an order home."""
    return POTask(task_id=TaskId(f"demo:{number}"), po_number=f"PO{number}", portal_number=number)


def problem_of(truth: OrderTruth | None, ended: Ended) -> str:
    """What is wrong with the end of an order, in a few words; empty when nothing is."""
    if truth is None:
        return f"{ended.number} is no order of the portal"
    if ended.outcome != truth.outcome:
        return f"{ended.number} ended {ended.outcome}, not {truth.outcome}"
    wanted = sorted(file.sha256 for file in truth.attachments if file.good)
    return "" if sorted(ended.digests) == wanted else f"{ended.number} has not the files that the portal has"


def tally(submitted_count: int, told_count: int, ended: Mapping[str, Ended], truths: Mapping[str, OrderTruth]) -> Tally:
    """Count how orders ended.

    Args:
        submitted_count: Orders that the pool took.
        told_count: Ends of orders that the pool told.
        ended: Every order of the journal, by number.
        truths: What the portal has, by number.
    """
    over = [each for each in ended.values() if each.outcome is not None]
    problems = [problem for each in over if (problem := problem_of(truths.get(each.number), each))]
    return Tally(
        submitted_count=submitted_count,
        right_count=len(over) - len(problems),
        lost_count=submitted_count - len(over),
        wrong_count=len(problems),
        repeated_count=max(0, told_count - submitted_count),
        problems=tuple(itertools.islice(problems, 5)),
    )
