"""An empty list counts only when the page says that it is empty."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from poolwright.portal.pack_schema import AttachmentRules
from poolwright.portal.triage import AttachmentListFacts, incompleteness_reason

PLAIN = AttachmentRules(links=("a",))
SIGNED = AttachmentRules(links=("a",), settled=("#done",))
_BOTH_BLOCKED = (
    " Blocked requests: POST /rpc; each is sent if the portal pack names it in site.posts. Blocked requests: GET "
    "http://a, HEAD http://b, OPTIONS http://c; each is sent if the portal pack names its host in site.hosts."
)


def seen(**what: Any) -> AttachmentListFacts:  # noqa: ANN401 - facts by name
    """A page without a link, but for what is told."""
    return replace(AttachmentListFacts(link_count=0), **what)


@pytest.mark.parametrize(
    ("rules", "facts"),
    [
        (PLAIN, {"link_count": 2}),
        (PLAIN, {"link_count": 2, "count": 2}),
        (PLAIN, {"link_count": 2, "is_calm": False, "withheld": ["POST /x"], "unread": ["chat.test"]}),
        (SIGNED, {"link_count": 2, "is_settled": True}),
        (PLAIN, {"is_declared_empty": True}),
        (PLAIN, {"is_declared_empty": True, "count": 0, "unread": ["chat.test"]}),
        (PLAIN, {"is_answered": True}),
        (SIGNED, {"is_settled": True}),
        (SIGNED, {"is_settled": True, "withheld": ["POST /statistics"]}),
        (PLAIN, {"is_declared_empty": True, "documents": ["https://p.test/a.pdf"]}),
    ],
)
def test_what_the_page_vouches_for_is_believed(rules: AttachmentRules, facts: dict[str, Any]) -> None:
    assert incompleteness_reason(rules, seen(**facts)) == ""


@pytest.mark.parametrize(
    ("rules", "facts", "said"),
    [
        (PLAIN, {}, "has no sign of an empty list (set a sign of an empty list in the portal pack: "),
        (PLAIN, {"is_in_time": False}, "has no sign of an empty list"),
        (PLAIN, {"withheld": ["POST https://p.test/rpc"]}, "Blocked requests: POST https://p.test/rpc; each is sent"),
        (PLAIN, {"withheld": ["POST /rpc", "GET http://a", "HEAD http://b", "OPTIONS http://c"]}, _BOTH_BLOCKED),
        (PLAIN, {"withheld": ["GET http://10.0.0.1/x"]}, "). Blocked requests: GET http://10.0.0.1/x; each is"),
        (PLAIN, {"unread": ["b.test", "a.test", "a.test"]}, "a frame of another host (a.test, b.test)"),
        (PLAIN, {"is_calm": False, "is_answered": True}, "still waits for a response from the portal"),
        (SIGNED, {"is_settled": True, "is_calm": False}, "still waits for a response from the portal"),
        (SIGNED, {}, "did not arrive in time"),
        (SIGNED, {"is_settled": True, "unread": ["chat.test"]}, "some of it could not be read"),
        (SIGNED, {"is_settled": True, "documents": ["https://p.test/a.pdf?key=1"]}, "viewer (p.test/a.pdf) was not"),
        (PLAIN, {"is_answered": True, "documents": ["data:"]}, "an address of the page itself, data:"),
        (PLAIN, {"documents": [f"https://p.test/{n}" for n in range(5)]}, "p.test/2 and 2 more) was not downloaded"),
        (SIGNED, {"link_count": 2}, "did not arrive in time"),
        (PLAIN, {"link_count": 2, "is_in_time": False}, "did not arrive in time"),
        (PLAIN, {"link_count": 2, "count": 3}, "announces 3 attachments but shows 2"),
        (SIGNED, {"link_count": 0, "count": 3, "is_settled": True}, "announces 3 attachments but shows 0"),
    ],
)
def test_what_it_does_not_vouch_for_is_doubted(rules: AttachmentRules, facts: dict[str, Any], said: str) -> None:
    assert said in incompleteness_reason(rules, seen(**facts))
