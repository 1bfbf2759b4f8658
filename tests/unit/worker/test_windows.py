"""Which windows go with a page."""

from __future__ import annotations

from app.worker.windows import opened_by


def test_the_family_of_a_page_is_whoever_it_opened_and_nobody_else() -> None:
    opened = {"2": "1", "3": "2", "4": "", "5": "4", "1": "3"}
    targets = [{"targetId": one, "openerId": opener, "type": "page"} for one, opener in opened.items()]
    worker = {"targetId": "6", "openerId": "1", "type": "service_worker"}

    assert opened_by("1", [*targets, worker]) == ["2", "3"]
