"""What a portal changed is named by the selectors that matched before."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from poolwright.portal.examination.page_examination import SelectorFinding
from poolwright.worker.page.good_page import change_sentence, lost_selectors

AT = datetime(2026, 11, 30, tzinfo=UTC)


def test_a_selector_is_lost_if_it_matched_and_is_still_in_the_pack() -> None:
    found = [
        SelectorFinding(key="attachments.links", selector="a.att", count=0),
        SelectorFinding(key="attachments.links", selector="a.new", count=0),
        SelectorFinding(key="triage.ready.selector", selector="#order", count=1),
    ]
    matched = {("attachments.links", "a.att"), ("attachments.links", "a.old"), ("triage.ready.selector", "#order")}

    assert lost_selectors(matched, found) == ("attachments.links a.att",)


def test_the_sentence_names_the_selectors_and_the_page() -> None:
    assert change_sentence(["attachments.links a.att"], "PO1001", AT, Path("good")) == (
        "Selectors that matched there and match nothing here: attachments.links a.att. The last good page (order "
        "PO1001, 30 Nov 2026) is in good."
    )
    assert (
        change_sentence([], "PO1001", AT, Path("good")) == "The last good page (order PO1001, 30 Nov 2026) is in good."
    )


def test_a_long_list_is_shortened() -> None:
    sentence = change_sentence([f"k s{number}" for number in range(5)], "1", AT, Path("good"))

    assert "k s0; k s1; k s2; and 2 more." in sentence
