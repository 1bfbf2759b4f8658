"""The expected result of each order when all its valid files are downloaded, for the tests and the demo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from poolwright.demo.catalogue.order import Attachment, Defect, LinkForm, Naming, Order, OrderAnswer
from poolwright.demo.documents import DocumentKind

ExpectedOutcome = Literal["COMPLETED", "PARTIAL", "NO_ATTACHMENTS", "NOT_FOUND", "FORBIDDEN", "INVALID", "FAILED"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTruth:
    """One listed attachment. Size and digest are those of the file in the portal."""

    attachment_id: int
    name: str
    kind: DocumentKind
    size_bytes: int
    sha256: str
    link_form: LinkForm
    naming: Naming
    #: Whether it can be saved correctly; other files must never be filed as correct.
    good: bool
    defect: Defect | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTruth:
    """One order and its expected outcome."""

    number: str
    outcome: ExpectedOutcome
    reason_hint: str
    is_listed: bool
    #: Without the supplier's number.
    supplier: str
    #: The supplier as pages show it.
    supplier_shown: str
    attachments: tuple[FileTruth, ...] = ()


_REFUSALS: dict[OrderAnswer, tuple[ExpectedOutcome, str]] = {
    OrderAnswer.MISSING_404: ("NOT_FOUND", "portal_says_missing"),
    OrderAnswer.MISSING_200: ("NOT_FOUND", "portal_says_missing"),
    OrderAnswer.FORBIDDEN_403: ("FORBIDDEN", "no_permission"),
    OrderAnswer.FORBIDDEN_200: ("FORBIDDEN", "no_permission"),
}


def order_truth(order: Order, digest: Callable[[Attachment], str]) -> OrderTruth:
    """Return the expected result of one order; ``digest`` returns the SHA-256 of an attachment's file."""
    outcome, hint = _expected_outcome(order)
    truth = OrderTruth(
        number=order.number,
        outcome=outcome,
        reason_hint=hint,
        is_listed=order.is_listed,
        supplier=order.supplier.name,
        supplier_shown=order.supplier.shown,
    )
    if order.answer is not OrderAnswer.SHOWN:
        return truth
    return replace(truth, attachments=tuple(_file_truth(file, digest) for file in order.attachments))


def invalid_truth(number: str) -> OrderTruth:
    """Return the expected result of an invalid number."""
    return OrderTruth(
        number=number, outcome="INVALID", reason_hint="bad_number", is_listed=False, supplier="", supplier_shown=""
    )


def _expected_outcome(order: Order) -> tuple[ExpectedOutcome, str]:
    if order.answer is not OrderAnswer.SHOWN:
        return _REFUSALS[order.answer]
    if not order.attachments:
        return "NO_ATTACHMENTS", "none_listed"
    defects = {file.defect for file in order.attachments if file.defect}
    if not defects:
        return "COMPLETED", "all_saved"
    hint = "+".join(sorted(defects))
    has_good = any(file.defect is None for file in order.attachments)
    return ("PARTIAL", hint) if has_good else ("FAILED", hint)


def _file_truth(file: Attachment, digest: Callable[[Attachment], str]) -> FileTruth:
    return FileTruth(
        attachment_id=file.attachment_id,
        name=file.name,
        kind=file.kind,
        size_bytes=0 if file.defect is Defect.EMPTY else file.size_bytes,
        sha256=digest(file),
        link_form=file.link_form,
        naming=file.naming,
        good=file.defect is None,
        defect=file.defect,
    )
