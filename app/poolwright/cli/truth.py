"""The demo's check: what came home against what the portal knows that it has. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from poolwright.demo.catalogue.truth import FileTruth, OrderTruth
from poolwright.domain.outcomes import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What came home of one order."""

    outcome: Outcome
    #: SHA-256 of each file on the disk, by its path there.
    digests: Mapping[str, str]


def differences(truths: Mapping[str, OrderTruth], found: Mapping[str, Found]) -> dict[str, tuple[str, ...]]:
    """What is not as it should be, in a sentence each, by order number. Empty when all is as expected.

    Args:
        truths: What the portal knows, for the orders of the list.
        found: What came home.
    """
    told = {number: tuple(_of_order(truth, found.get(number))) for number, truth in truths.items()}
    told |= {number: ("was returned but is not in the list",) for number in found if number not in truths}
    return {number: sentences for number, sentences in told.items() if sentences}


def _of_order(truth: OrderTruth, found: Found | None) -> Iterator[str]:
    if found is None:
        yield "has no outcome"
        return
    if found.outcome.value != truth.outcome:
        yield f"is {found.outcome.value}, expected {truth.outcome}"
    yield from _of_files([file for file in truth.attachments if file.good], found.digests)


def _of_files(expected: list[FileTruth], digests: Mapping[str, str]) -> Iterator[str]:
    """Every good file once, by content; names are the archive's affair."""
    missing = Counter(file.sha256 for file in expected) - Counter(digests.values())
    surplus = Counter(digests.values()) - Counter(file.sha256 for file in expected)
    for file in expected:
        if missing[file.sha256]:
            missing[file.sha256] -= 1
            yield f"lacks {file.name!r} ({file.size_bytes:,} bytes)"
    for path, digest in digests.items():
        if surplus[digest]:
            surplus[digest] -= 1
            yield f"has {path!r}, which matches no file of the portal"
