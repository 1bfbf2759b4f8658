"""The report for a page that does not show its order."""

from __future__ import annotations

import pytest

from poolwright.portal.page_facts import PageFacts
from poolwright.portal.triage import Verdict
from poolwright.worker.page.page_content import PageContent, ReadEnd
from poolwright.worker.page.visit import Visit
from poolwright.worker.processors.order_visit import missing_report

URL = "https://portal.test/app#/orders/1"
CALL = "POST https://portal.test/rpc (its body has method = 'menu.read')"
IMAGE = "GET https://files.test/menu.json"


def visit_of(verdict: Verdict, *withheld: str) -> Visit:
    """A page that was read in time."""
    reading = PageContent(url=URL, end=ReadEnd.ARRIVED)
    return Visit(reading=reading, verdict=verdict, facts=PageFacts(url=URL), withheld=withheld)


def test_what_was_blocked_is_named_where_no_rule_matches() -> None:
    """A page that draws itself may lack its marks because a call of it was blocked."""
    assert missing_report(visit_of(Verdict.UNKNOWN)).detail == "The page matches no rule of the portal pack."
    assert missing_report(visit_of(Verdict.UNKNOWN, CALL, IMAGE)).detail == (
        f"The page matches no rule of the portal pack. Blocked requests: {CALL}; each is sent if the portal pack names "
        f"it in site.posts. Blocked requests: {IMAGE}; each is sent if the portal pack names its host in site.hosts."
    )


@pytest.mark.parametrize("verdict", [Verdict.FORBIDDEN, Verdict.NOT_FOUND, Verdict.BUSY])
def test_where_a_rule_matches_nothing_else_is_said(verdict: Verdict) -> None:
    assert "Blocked" not in missing_report(visit_of(verdict, CALL)).detail
