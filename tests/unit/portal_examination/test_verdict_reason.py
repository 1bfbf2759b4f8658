"""The reason of a verdict names the mark that decided, and where it was found."""

from __future__ import annotations

import pytest

from poolwright.portal.examination.verdict_reason import VerdictReason, explain_verdict
from poolwright.portal.page_facts import PageFacts
from poolwright.portal.triage import Verdict
from tests.unit.portal_examination.packs import BASE, facts_of, tiny_pack, verdict_of

READY = "triage.ready.selector '#order' matches (a visible element)."
MISSING = "triage.not_found.status '404' matches (status 404)."


def reason_of(facts: PageFacts, number: str | None = "1000") -> tuple[Verdict, VerdictReason]:
    """The verdict of a run and its reason."""
    verdict = verdict_of(facts, number)
    return verdict, explain_verdict(tiny_pack(), BASE, facts, verdict, number)


@pytest.mark.parametrize(
    ("facts", "verdict", "sentence"),
    [
        (facts_of(present=["#order"]), Verdict.READY, READY),
        (facts_of(status=404), Verdict.NOT_FOUND, MISSING),
        (
            facts_of("/login?x=1"),
            Verdict.SESSION_LOST,
            f"triage.session_lost.address '^/login' matches ({BASE}/login?x=1).",
        ),
        (
            facts_of(texts={"div.flash": "You have no access here"}),
            Verdict.FORBIDDEN,
            "triage.forbidden.text 'No access' matches (in h1, div.flash).",
        ),
        (facts_of(status=401), Verdict.SESSION_LOST, "The portal answered 401, which asks for a login."),
        (facts_of(status=500), Verdict.PORTAL_ERROR, "The portal answered 500, and no mark of the pack matches."),
        (
            facts_of(status=418, present=["#order"]),
            Verdict.UNKNOWN,
            "A mark of ready matches, but the portal answered 418, and an error is never ready.",
        ),
        (facts_of(), Verdict.UNKNOWN, "No mark of the pack matches."),
        (
            facts_of("https://sso.test/x"),
            Verdict.SESSION_LOST,
            "The page is on sso.test, which is neither the portal nor in site.hosts: it counts as a login page.",
        ),
        (
            facts_of("/orders", present=["#order"]),
            Verdict.UNKNOWN,
            f"{READY} Its address is not that of the order ({BASE}/order/1000), so it may be another page.",
        ),
        (
            facts_of(present=["#order"], passed=[f"{BASE}/login"]),
            Verdict.RENEWED,
            f"{READY} The navigation passed a login page ({BASE}/login), so it counts as renewed.",
        ),
        (
            facts_of(status=404, passed=["https://sso.test/x"]),
            Verdict.SESSION_LOST,
            f"{MISSING} The navigation passed a login page (https://sso.test/x), so it counts as session_lost.",
        ),
    ],
    ids=str,
)
def test_the_reason_names_what_decided(facts: PageFacts, verdict: Verdict, sentence: str) -> None:
    found, reason = reason_of(facts)

    assert (found, reason.sentence) == (verdict, sentence)


def test_all_marks_on_the_page_are_listed_in_the_order_of_the_verdicts() -> None:
    _, reason = reason_of(facts_of(status=403, present=["#order", "#home"], texts={"h1": "FORBIDDEN: no access"}))

    assert [(mark.key, mark.mark) for mark in reason.marks] == [
        ("triage.forbidden.status", "403"),
        ("triage.forbidden.text", "No access"),
        ("triage.forbidden.text", "Forbidden"),
        ("triage.ready.selector", "#order"),
        ("triage.ready.selector", "#home"),
    ]


def test_a_page_that_is_no_order_needs_no_address() -> None:
    verdict, reason = reason_of(facts_of("/home", present=["#home"]), None)

    assert verdict is Verdict.READY
    assert reason.sentence == "triage.ready.selector '#home' matches (a visible element)."


def test_a_long_address_is_shortened() -> None:
    _, reason = reason_of(facts_of(f"/login?{'x' * 500}"))

    assert len(reason.sentence) < 250
