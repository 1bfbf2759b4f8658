"""Judges by one order what a new pack is worth: the page of the order beside what a run brought of it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import FetchedFile, Report
from poolwright.files.names import has_ending
from poolwright.portal.examination.page_examination import LinkFinding, PageExamination

_DONE = frozenset({Reason.ALL_SAVED, Reason.NONE_LISTED})
#: Orders of which at least one should have files, for the pack to be proved.
_FEW_ORDERS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderProof:
    """One order that a person named: what was found on its page, and what a run brought."""

    #: As the person wrote it.
    number: str
    #: ``None`` if the page could not be read.
    examination: PageExamination | None = None
    #: The result of the run; ``None`` if it did not process the order.
    report: Report | None = None
    #: Why one of them is missing, as a sentence.
    problem: str = ""

    @property
    def verdict(self) -> str:
        """Return how the page was read; empty if it was not."""
        return self.examination.verdict.value if self.examination else ""

    @property
    def announced_count(self) -> int | None:
        """Return the number of attachments that the page tells; ``None`` if it tells none."""
        return self.examination.signs.count if self.examination and self.examination.signs else None

    @property
    def links(self) -> tuple[LinkFinding, ...]:
        """Return the links to files on the page."""
        return self.examination.links if self.examination else ()

    @property
    def files(self) -> tuple[FetchedFile, ...]:
        """Return the files that the run saved."""
        return self.report.files if self.report else ()

    @property
    def differences(self) -> tuple[str, ...]:
        """Return a sentence for each thing that is not as it must be; empty if the order proves the pack."""
        return tuple(f"Order {self.number}: {text}" for text in self._differences())

    @property
    def doubts(self) -> tuple[str, ...]:
        """Return a sentence for each thing that only a person can judge."""
        return tuple(f"Order {self.number}: {text}" for text in self._doubts())

    def _differences(self) -> Iterator[str]:
        page, report = self.examination, self.report
        if page is not None and not page.is_good:
            why = page.doubt or page.problem or page.reason
            yield f"its page is read as {page.verdict.value}, but not as a complete order: {why}"
        if self.problem:
            yield self.problem
        if report is None:
            if not self.problem:
                yield "the run did not process it."
            return
        if report.reason not in _DONE:
            yield f"the run ended it as {report.reason.value}{f': {report.detail}' if report.detail else '.'}"
        yield from (f"{missed.label or missed.source_url} was not saved: {missed.problem}" for missed in report.missed)
        if page is not None and len(report.files) != len(self.links):
            yield f"its page has {len(self.links)} links to files, but {len(report.files)} were saved."

    def _doubts(self) -> Iterator[str]:
        page = self.examination
        if page is None or not page.is_good:
            return
        signs = page.signs
        if signs is not None and signs.count is None:
            if self.links:
                yield (
                    f"its page tells no number of attachments; compare the {len(self.links)} of the table with what "
                    "you see there."
                )
            elif not signs.is_declared_empty:
                yield "its page does not say that there are no attachments; look whether it has some."
        unnamed = [file.label for file in self.files if not has_ending(file.label)]
        if unnamed:
            yield f"{unnamed[0]!r} is not the name of a file; see whether attachments.names finds the right one."
        yield from (f"the field {name} is empty." for name, value in page.fields.items() if not value)
        yield from (f"a request of its page was blocked: {request}." for request in page.blocked)


def doubts_of(proofs: Sequence[OrderProof], shown_numbers: Collection[str]) -> tuple[str, ...]:
    """Return what is not sure after several orders were tried.

    Args:
        proofs: The orders.
        shown_numbers: The numbers of the orders that the pack was learned from.
    """
    doubts = [doubt for proof in proofs for doubt in proof.doubts]
    doubts += [
        f"Order {proof.number}: the pack was learned from it, so it proves little; name another one."
        for proof in proofs
        if proof.number in shown_numbers
    ]
    if len(proofs) < _FEW_ORDERS:
        doubts.append("Only one order was tried; a second one, of another supplier, makes it surer.")
    if not any(proof.links for proof in proofs):
        doubts.append("No order that was tried has attachments, so it is not proved that the pack finds any.")
    return tuple(doubts)
