"""Triage of an order's page from facts alone.

What the page is (a lost session is checked first), and whether its list of attachments is complete. Pure.

Expired sessions often show the very text of a missing order on the login page; the final address and the login form
tell them apart, and they are judged before any text. A visit that came by a login page on its way is not believed
when it then says no.

A list that is not there yet, or that stands where nobody looks, looks like an empty one. So an empty list counts only
when the page says that it is empty.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from types import MappingProxyType
from urllib.parse import urlsplit

from poolwright.portal import patterns
from poolwright.portal.pack import Pack
from poolwright.portal.pack_schema import AttachmentRules, Marks, TriageMarks


class Verdict(StrEnum):
    """What a page is."""

    SESSION_LOST = "session_lost"
    #: A password alone is not enough: the portal wants a code or a confirmation.
    SECOND_FACTOR = "second_factor"
    #: Terms of use, a notice or the like, which a person must accept first.
    CONSENT = "consent"
    BUSY = "busy"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    READY = "ready"
    #: Ready, but by way of a login page: a session that had ended was renewed by single sign-on.
    RENEWED = "renewed"
    #: The portal answered with an error of its own that no mark knows.
    PORTAL_ERROR = "portal_error"
    #: Nothing matched within the limit: the portal changed, or the page is none that the pack knows.
    UNKNOWN = "unknown"


#: The order in which a page is judged (design section 5).
ORDER = (
    Verdict.SESSION_LOST,
    Verdict.SECOND_FACTOR,
    Verdict.CONSENT,
    Verdict.BUSY,
    Verdict.FORBIDDEN,
    Verdict.NOT_FOUND,
    Verdict.READY,
)
#: What the portal asks for where the session cannot be used as it is; such a page says nothing of any order.
DEMANDS: Mapping[Verdict, str] = MappingProxyType(
    {
        Verdict.SESSION_LOST: "a login",
        Verdict.SECOND_FACTOR: "a second factor, such as a one-time code",
        Verdict.CONSENT: "a consent that only a person can give",
    }
)
#: What a verdict is worth after a visit by way of a login page: the way back may have lost the order.
_BY_LOGIN: Mapping[Verdict, Verdict] = MappingProxyType(
    {
        Verdict.FORBIDDEN: Verdict.SESSION_LOST,
        Verdict.NOT_FOUND: Verdict.SESSION_LOST,
        Verdict.UNKNOWN: Verdict.SESSION_LOST,
        Verdict.READY: Verdict.RENEWED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFacts:
    """What a page shows, as far as a verdict needs it."""

    #: Where the navigation ended.
    url: str
    #: Status of the last answer; 0 when there was none.
    status: int = 0
    #: Addresses that the navigation went through before, first to last.
    passed: Sequence[str] = ()
    #: Which selectors of the pack match a visible or hidden element.
    present: Collection[str] = ()
    #: Text of the elements, by selector, for the selectors of every ``within``.
    texts: Mapping[str, str] = field(default_factory=dict[str, str])


def marks_of(triage: TriageMarks, verdict: Verdict) -> Marks | None:
    """The pack's marks of one verdict; nothing where the pack has none."""
    marks: dict[Verdict, Marks | None] = {
        Verdict.SESSION_LOST: triage.session_lost,
        Verdict.SECOND_FACTOR: triage.second_factor,
        Verdict.CONSENT: triage.consent,
        Verdict.BUSY: triage.busy,
        Verdict.FORBIDDEN: triage.forbidden,
        Verdict.NOT_FOUND: triage.not_found,
        Verdict.READY: triage.ready,
    }
    return marks.get(verdict)


def classify_visit(pack: Pack, base_url: str, facts: PageFacts, *, portal_number: str | None = None) -> Verdict:
    """What a visit to the portal found, with an eye on where it went.

    Args:
        pack: The portal's rules.
        base_url: Where the portal is.
        facts: The page at the end, and the way there.
        portal_number: The order that was visited; nothing when any page of the portal will do.
    """
    if not pack.may_fetch(base_url, facts.url):
        return Verdict.SESSION_LOST  # an identity provider on a host of its own; its texts say nothing of orders
    verdict = classify_page(pack.triage, facts)
    is_elsewhere = portal_number is not None and not pack.is_order_page(base_url, portal_number, facts.url)
    if verdict is Verdict.READY and is_elsewhere:
        verdict = Verdict.UNKNOWN  # sent on to a list or a start page: no list of attachments can be trusted there
    if not any(_is_login(pack, base_url, url) for url in facts.passed):
        return verdict
    return _BY_LOGIN.get(verdict, verdict)


def classify_page(triage: TriageMarks, facts: PageFacts) -> Verdict:
    """What a page is, taken alone: the first verdict of ``ORDER`` whose marks match.

    An error of the portal is never ready, whatever its address says: it would pass for an order without attachments.
    """
    is_error = facts.status >= HTTPStatus.BAD_REQUEST
    for verdict in ORDER:
        marks = marks_of(triage, verdict)
        if marks is not None and matches(marks, facts) and not (is_error and verdict is Verdict.READY):
            return verdict
    if facts.status == HTTPStatus.UNAUTHORIZED:
        return Verdict.SESSION_LOST  # not logged in, by the standard of the web
    return Verdict.PORTAL_ERROR if facts.status >= HTTPStatus.INTERNAL_SERVER_ERROR else Verdict.UNKNOWN


def _is_login(pack: Pack, base_url: str, url: str) -> bool:
    return not pack.may_fetch(base_url, url) or address_matches(pack.triage.session_lost, url)


def matches(marks: Marks, facts: PageFacts) -> bool:
    """Whether any of the marks is on the page."""
    return (
        facts.status in marks.status
        or address_matches(marks, facts.url)
        or any(selector in facts.present for selector in marks.selector)
        or _text_matches(marks, facts.texts)
    )


def address_matches(marks: Marks, url: str) -> bool:
    """Whether the address alone tells it. Only path and query count: a host may be called anything."""
    return leads_to(marks.address, url)


def leads_to(addresses: Collection[str], url: str) -> bool:
    """Whether an address is one of those that the regular expressions of a pack mean, by path and query."""
    parts = urlsplit(url)
    seen = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return any(patterns.is_found(pattern, seen) for pattern in addresses)


def _text_matches(marks: Marks, texts: Mapping[str, str]) -> bool:
    shown = " ".join(_folded(texts.get(selector, "")) for selector in marks.within)
    return any(_folded(text) in shown for text in marks.text)


def _folded(text: str) -> str:
    return " ".join(text.replace("\u2019", "'").casefold().split())


_LATE = "The list of attachments did not arrive in time."
#: What an author can do about a page that does not say so.
_HINT = "set a sign of an empty list in the portal pack: attachments.empty, count, settled or answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentListFacts:
    """What was seen of one page's list."""

    link_count: int
    #: How many the page says that there are; nothing where it does not.
    count: int | None = None
    #: Whether it shows the pack's mark of an empty list, or counts none.
    is_declared_empty: bool = False
    #: Whether it shows the pack's mark of a list that has arrived.
    is_settled: bool = False
    #: Whether what the pack names as the list's request was answered.
    is_answered: bool = False
    #: Whether it was there before the time for it was over.
    is_in_time: bool = True
    #: Whether no script of the page waits for an answer.
    is_calm: bool = True
    #: Hosts of frames that could not be looked into.
    unread: Sequence[str] = ()
    #: What the page wanted to send and was not let.
    withheld: Sequence[str] = ()


def incompleteness_reason(rules: AttachmentRules, facts: AttachmentListFacts) -> str:
    """Why the list cannot be trusted, in a sentence; empty when it can."""
    if facts.count is not None and facts.count != facts.link_count:
        problem = f"The page announces {facts.count} attachments but shows {facts.link_count}."
    elif facts.link_count:
        is_whole = facts.is_in_time and (facts.is_settled or not rules.settled)
        problem = "" if is_whole else _LATE
    else:
        problem = "" if facts.is_declared_empty else _why_not_empty(rules, facts)
    return f"{problem}{_beside(facts)}" if problem else ""


def _why_not_empty(rules: AttachmentRules, facts: AttachmentListFacts) -> str:
    """Why a page that shows no file and does not call its list empty may have some all the same."""
    if rules.settled and not facts.is_settled:
        return _LATE
    if not facts.is_calm:
        return "The page shows no attachments and still waits for a response of the portal."
    if facts.unread:
        return "The page shows no attachments, but some of it could not be read."
    if facts.is_settled or facts.is_answered:
        return ""
    return f"The page shows no attachments, but has no sign of an empty list ({_HINT})."


def _beside(facts: AttachmentListFacts) -> str:
    """What may be the reason, and what to do about it."""
    reasons = ""
    if facts.unread:
        hosts = ", ".join(sorted(set(facts.unread)))
        reasons += (
            f" It has a frame of another host ({hosts}), which is read when the portal pack names it in site.hosts."
        )
    if facts.withheld:
        sent = ", ".join(facts.withheld)
        reasons += f" It wanted to send {sent}, which goes out when the portal pack names it in site.posts."
    return reasons
