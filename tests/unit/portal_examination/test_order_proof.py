"""An order that a person named proves a pack, or what differs and what is not sure is told."""

from __future__ import annotations

from typing import Any

import pytest

from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import FetchedFile, MissedFile, Report
from poolwright.portal.examination.order_proof import OrderProof, doubts_of
from poolwright.portal.examination.page_examination import ListSigns, PageExamination
from poolwright.portal.triage import Verdict
from tests.unit.portal_examination.packs import examination_of


def page_of(*names: str, count: int | None = None, is_empty: bool = False, **more: Any) -> PageExamination:  # noqa: ANN401 - keys of a page
    signs = ListSigns(
        link_count=len(names),
        count=count,
        is_declared_empty=is_empty,
        is_settled=False,
        is_answered=True,
        is_in_time=True,
        is_calm=True,
        unread=(),
        documents=(),
    )
    blocked = more.pop("blocked", ())
    return examination_of(*names, **more).model_copy(update={"signs": signs, "blocked": blocked})


def report_of(*names: str, reason: Reason = Reason.ALL_SAVED, detail: str = "", missed: tuple[str, ...] = ()) -> Report:
    files = tuple(
        FetchedFile(name=name, label=name, size_bytes=5, sha256="0" * 64, media_type="", source_url="/f")
        for name in names
    )
    lost = tuple(MissedFile(label=name, source_url="/g", problem="it is gone.", is_retryable=False) for name in missed)
    return Report(reason=reason, detail=detail, files=files, missed=lost)


def proof_of(page: PageExamination | None, report: Report | None, problem: str = "") -> OrderProof:
    return OrderProof(number="1000", examination=page, report=report, problem=problem)


def test_an_order_that_was_brought_as_its_page_says_proves_the_pack() -> None:
    proof = proof_of(page_of("a.pdf", "b.pdf", count=2), report_of("a.pdf", "b.pdf"))

    assert proof.differences == ()
    assert proof.doubts == ()
    assert (proof.verdict, proof.announced_count, len(proof.links), len(proof.files)) == ("ready", 2, 2, 2)


def test_an_order_that_says_that_it_has_none_proves_it_too() -> None:
    proof = proof_of(page_of(is_empty=True), report_of(reason=Reason.NONE_LISTED))

    assert (proof.differences, proof.doubts) == ((), ())


@pytest.mark.parametrize(
    ("page", "report", "problem", "told"),
    [
        (
            page_of(verdict=Verdict.NOT_FOUND),
            report_of(reason=Reason.PORTAL_SAYS_MISSING, detail="There is none."),
            "",
            (
                "its page is read as not_found, but not as a complete order: because.",
                "the run ended it as portal_says_missing: There is none.",
            ),
        ),
        (
            page_of("a.pdf", count=2, doubt="One is missing."),
            report_of("a.pdf"),
            "",
            ("its page is read as ready, but not as a complete order: One is missing.",),
        ),
        (
            page_of("a.pdf", "b.pdf"),
            report_of("a.pdf", reason=Reason.SOME_FILES_REFUSED, missed=("b.pdf",)),
            "",
            (
                "the run ended it as some_files_refused.",
                "b.pdf was not saved: it is gone.",
                "its page has 2 links to files, but 1 were saved.",
            ),
        ),
        (None, report_of("a.pdf"), "The page hangs.", ("The page hangs.",)),
        (page_of("a.pdf"), None, "The login ended.", ("The login ended.",)),
        (page_of("a.pdf"), None, "", ("the run did not process it.",)),
        (None, None, "It is no number.", ("It is no number.",)),
    ],
)
def test_each_difference_is_told(
    page: PageExamination | None, report: Report | None, problem: str, told: tuple[str, ...]
) -> None:
    assert proof_of(page, report, problem).differences == tuple(f"Order 1000: {text}" for text in told)


def test_without_a_page_nothing_is_known_of_it() -> None:
    proof = proof_of(None, None, "No page.")

    assert (proof.verdict, proof.announced_count, proof.links, proof.files, proof.doubts) == ("", None, (), (), ())


@pytest.mark.parametrize(
    ("page", "report", "told"),
    [
        (
            page_of("a.pdf", "b.pdf"),
            report_of("a.pdf", "b.pdf"),
            "its page tells no number of attachments; compare the 2 of the table with what you see there.",
        ),
        (
            page_of(),
            report_of(reason=Reason.NONE_LISTED),
            "its page does not say that there are no attachments; look whether it has some.",
        ),
        (
            page_of("a.pdf", "b", count=2),
            report_of("a.pdf", "b"),
            "'b' is not the name of a file; see whether attachments.names finds the right one.",
        ),
        (page_of("a.pdf", count=1, supplier=""), report_of("a.pdf"), "the field supplier is empty."),
        (
            page_of("a.pdf", count=1, blocked=("POST /list",)),
            report_of("a.pdf"),
            "a request of its page was blocked: POST /list.",
        ),
    ],
)
def test_each_doubt_is_told(page: PageExamination, report: Report, told: str) -> None:
    proof = proof_of(page, report)

    assert (proof.differences, proof.doubts) == ((), (f"Order 1000: {told}",))


def test_a_field_with_a_value_and_a_refused_page_raise_no_doubt() -> None:
    assert proof_of(page_of("a.pdf", count=1, supplier="Acme"), report_of("a.pdf")).doubts == ()
    assert proof_of(page_of("a.pdf", verdict=Verdict.FORBIDDEN), None).doubts == ()


def test_what_several_orders_leave_open_is_told() -> None:
    full = proof_of(page_of("a.pdf", count=1), report_of("a.pdf"))
    empty = OrderProof(number="2000", examination=page_of(is_empty=True), report=report_of(reason=Reason.NONE_LISTED))

    assert doubts_of([full, empty], []) == ()
    assert doubts_of([full], []) == ("Only one order was tried; a second one, of another supplier, makes it surer.",)
    assert doubts_of([full, empty], ["2000"]) == (
        "Order 2000: the pack was learned from it, so it proves little; name another one.",
    )
    assert doubts_of([empty, empty], []) == (
        "No order that was tried has attachments, so it is not proved that the pack finds any.",
    )
    unsure = proof_of(page_of("a.pdf"), report_of("a.pdf"))
    assert doubts_of([unsure, full], [])[0].startswith("Order 1000: its page tells no number")
