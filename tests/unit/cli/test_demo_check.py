"""The demo's comparing: every way in which something can be wrong is seen and said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from poolwright.cli.demo_check import FoundOrder, find_differences
from poolwright.demo.catalogue.order import Defect, LinkForm, Naming
from poolwright.demo.catalogue.truth import FileTruth, OrderTruth
from poolwright.demo.documents import DocumentKind
from poolwright.domain.outcomes import Outcome


def held(name: str, sha256: str, *, good: bool = True) -> FileTruth:
    return FileTruth(
        attachment_id=1,
        name=name,
        kind=next(iter(DocumentKind)),
        size_bytes=1234,
        sha256=sha256,
        link_form=next(iter(LinkForm)),
        naming=next(iter(Naming)),
        good=good,
        defect=None if good else next(iter(Defect)),
    )


ORDER = OrderTruth(
    number="45",
    outcome="COMPLETED",
    reason_hint="all_saved",
    is_listed=True,
    supplier="Acme",
    supplier_shown="Acme",
    attachments=(held("offer.pdf", "aa"), held("offer.pdf", "bb")),
)
HOME = FoundOrder(outcome=Outcome.COMPLETED, digests={"Acme/45/offer.pdf": "aa", "Acme/45/offer (2).pdf": "bb"})


def told(truth: OrderTruth, found: FoundOrder | None) -> tuple[str, ...]:
    return find_differences({"45": truth}, {"45": found} if found else {}).get("45", ())


def test_all_as_expected_is_no_difference() -> None:
    assert find_differences({"45": ORDER}, {"45": HOME}) == {}


def test_names_may_differ_but_not_contents() -> None:
    assert told(ORDER, replace(HOME, digests={"x": "bb", "y": "aa"})) == ()


@pytest.mark.parametrize(
    ("found", "sentences"),
    [
        (None, ("has no outcome",)),
        (replace(HOME, outcome=Outcome.PARTIAL), ("is PARTIAL, expected COMPLETED",)),
        (replace(HOME, digests={"x": "aa"}), ("lacks 'offer.pdf' (1,234 bytes)",)),
        (
            replace(HOME, digests={"x": "aa", "y": "ee"}),
            ("lacks 'offer.pdf' (1,234 bytes)", "has 'y', which matches no file of the portal"),
        ),
        (
            replace(HOME, digests={"x": "aa", "y": "bb", "z": "bb"}),
            ("has 'y', which matches no file of the portal",),
        ),
        (
            replace(HOME, outcome=Outcome.FAILED, digests={}),
            ("is FAILED, expected COMPLETED", *["lacks 'offer.pdf' (1,234 bytes)"] * 2),
        ),
    ],
)
def test_what_is_wrong_is_said(found: FoundOrder | None, sentences: tuple[str, ...]) -> None:
    assert told(ORDER, found) == sentences


def test_the_same_content_twice_must_come_home_twice() -> None:
    twice = replace(ORDER, attachments=(held("a.pdf", "aa"), held("b.pdf", "aa")))

    assert told(twice, replace(HOME, digests={"x": "aa", "y": "aa"})) == ()
    assert told(twice, replace(HOME, digests={"x": "aa"})) == ("lacks 'a.pdf' (1,234 bytes)",)


def test_a_bad_file_must_not_come_home() -> None:
    partial = replace(ORDER, outcome="PARTIAL", attachments=(held("a.pdf", "aa"), held("bad.pdf", "bb", good=False)))

    assert told(partial, replace(HOME, outcome=Outcome.PARTIAL, digests={"x": "aa"})) == ()
    assert "which matches no file of the portal" in told(partial, replace(HOME, outcome=Outcome.PARTIAL))[0]


def test_an_order_that_nobody_asked_for_is_said() -> None:
    assert find_differences({}, {"45": HOME}) == {"45": ("was returned but is not in the list",)}
