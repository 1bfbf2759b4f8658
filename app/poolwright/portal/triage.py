"""Decides from facts what an order's page is, and whether its list of attachments is complete. Pure.

A lost session is checked first, by the final address and the login form, before any text: the login page of an expired
session often shows the same text as a missing order. A negative result after a redirect through a login page is not
trusted either.

A list that has not arrived, or that is in an unread part of the page, looks like an empty one. So an empty list counts
only if the page has a sign of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from http import HTTPStatus
from types import MappingProxyType
from urllib.parse import urlsplit

from poolwright.portal.pack import Pack
from poolwright.portal.pack_schema import ArchivePolicy, AttachmentRules
from poolwright.portal.page_facts import PageFacts, address_matches, matches
from poolwright.portal.triage_marks import Marks, TriageMarks


class Verdict(StrEnum):
    """The kind of a page."""

    SESSION_LOST = "session_lost"
    #: The portal requires a code or a confirmation besides the password.
    SECOND_FACTOR = "second_factor"
    #: Terms of use or a notice, which a person must accept first.
    CONSENT = "consent"
    BUSY = "busy"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    READY = "ready"
    #: Ready, but after a login page: single sign-on renewed a session that had ended.
    RENEWED = "renewed"
    #: The portal responded with an error of its own, which matches no mark.
    PORTAL_ERROR = "portal_error"
    #: No mark matched within the limit: the portal changed, or the pack does not describe the page.
    UNKNOWN = "unknown"


#: The order in which marks are checked (design section 5).
ORDER = (
    Verdict.SESSION_LOST,
    Verdict.SECOND_FACTOR,
    Verdict.CONSENT,
    Verdict.BUSY,
    Verdict.FORBIDDEN,
    Verdict.NOT_FOUND,
    Verdict.READY,
)
#: What a page says of an order that it does not show. Marks of a page that is still being drawn do not count.
REFUSALS = frozenset({Verdict.FORBIDDEN, Verdict.NOT_FOUND})
#: What the portal requires before the session can be used; such a page has no information on an order.
DEMANDS: Mapping[Verdict, str] = MappingProxyType(
    {
        Verdict.SESSION_LOST: "a login",
        Verdict.SECOND_FACTOR: "a second factor, such as a one-time code",
        Verdict.CONSENT: "a consent that only a person can give",
    }
)
#: The verdict after a redirect through a login page, which may have led back to another page than the order's.
_BY_LOGIN: Mapping[Verdict, Verdict] = MappingProxyType(
    {
        Verdict.FORBIDDEN: Verdict.SESSION_LOST,
        Verdict.NOT_FOUND: Verdict.SESSION_LOST,
        Verdict.UNKNOWN: Verdict.SESSION_LOST,
        Verdict.READY: Verdict.RENEWED,
    }
)


def marks_of(triage: TriageMarks, verdict: Verdict) -> Sequence[Marks]:
    """Return the pack's tables of marks of one verdict; empty if it has none."""
    marks: dict[Verdict, Sequence[Marks]] = {
        Verdict.SESSION_LOST: triage.session_lost,
        Verdict.SECOND_FACTOR: triage.second_factor,
        Verdict.CONSENT: triage.consent,
        Verdict.BUSY: triage.busy,
        Verdict.FORBIDDEN: triage.forbidden,
        Verdict.NOT_FOUND: triage.not_found,
        Verdict.READY: triage.ready,
    }
    return marks.get(verdict, ())


def classify_visit(pack: Pack, base_url: str, facts: PageFacts, *, portal_number: str | None = None) -> Verdict:
    """Return the verdict on a visit to the portal, also by the addresses that it went through.

    Args:
        pack: The portal's pack.
        base_url: Address of the portal.
        facts: The final page, and the addresses before it.
        portal_number: The order that was visited; ``None`` if any page of the portal is expected.
    """
    if not pack.may_fetch(base_url, facts.url):
        return Verdict.SESSION_LOST  # an identity provider on its own host
    verdict = classify_page(pack.triage, replace(facts, has_routes=pack.is_hash_routed))
    is_elsewhere = portal_number is not None and not pack.is_order_page(base_url, portal_number, facts.url)
    if verdict is Verdict.READY and is_elsewhere:
        verdict = Verdict.UNKNOWN  # redirected to a list or a start page, which has no attachments of this order
    if not any(is_login_address(pack, base_url, url) for url in facts.passed):
        return verdict
    return _BY_LOGIN.get(verdict, verdict)


def classify_page(triage: TriageMarks, facts: PageFacts) -> Verdict:
    """Return the verdict on a page by itself: the first one of ``ORDER`` whose marks match.

    An error of the portal is never ready, whatever its address: it would look like an order without attachments.
    """
    is_error = facts.status >= HTTPStatus.BAD_REQUEST
    for verdict in ORDER:
        is_marked = any(matches(marks, facts) for marks in marks_of(triage, verdict))
        if is_marked and not (is_error and verdict is Verdict.READY):
            return verdict
    if facts.status == HTTPStatus.UNAUTHORIZED:
        return Verdict.SESSION_LOST  # not logged in, by the HTTP standard
    return Verdict.PORTAL_ERROR if facts.status >= HTTPStatus.INTERNAL_SERVER_ERROR else Verdict.UNKNOWN


def is_login_address(pack: Pack, base_url: str, url: str) -> bool:
    """Return whether an address is one of a login: of another host, or by the pack's marks of a lost session."""
    is_lost = address_matches(pack.triage.session_lost, url, has_routes=pack.is_hash_routed)
    return not pack.may_fetch(base_url, url) or is_lost


_NO_API = "No response to a request of the page lists the files as attachments.api of the portal pack says."
_LATE = "The list of attachments did not arrive in time."
#: Hint for the author of a pack without a sign of an empty list.
_HINT = "set one in the portal pack: attachments.empty, count or answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentListFacts:
    """The facts about the list of attachments on a page."""

    link_count: int
    #: Number of attachments that the page announces; ``None`` if it announces none.
    count: int | None = None
    #: Whether it shows the pack's mark of an empty list, or announces 0.
    is_declared_empty: bool = False
    #: Whether it shows the pack's mark of a list that has arrived.
    is_settled: bool = False
    #: Whether the request that the pack names for the list was answered.
    is_answered: bool = False
    #: Whether the response that the pack names for the files (``attachments.api``) was read.
    is_api_read: bool = False
    #: Whether it arrived within the time limit.
    is_in_time: bool = True
    #: Whether no request of the page's scripts is pending.
    is_calm: bool = True
    #: Hosts of frames that could not be read.
    unread: Sequence[str] = ()
    #: Addresses of files that it shows in viewers, and to which no link leads.
    documents: Sequence[str] = ()
    #: Requests of the page that were blocked.
    withheld: Sequence[str] = ()


def incompleteness_reason(rules: AttachmentRules, facts: AttachmentListFacts) -> str:
    """Return the reason why the list may be incomplete, in a sentence; empty when it is complete."""
    if rules.api is not None and not facts.is_api_read:
        return f"{_NO_API}{_hints(facts)}"
    is_counted_later = rules.archive is ArchivePolicy.UNPACK and facts.link_count > 0 and facts.count != 0
    if facts.count is not None and facts.count != facts.link_count and not is_counted_later:
        problem = f"The page announces {facts.count} attachments but shows {facts.link_count}."
    elif facts.link_count:
        is_whole = facts.is_in_time and (facts.is_settled or not rules.settled)
        problem = "" if is_whole else _LATE
    else:
        is_told = rules.tells_empty(is_marked=facts.is_declared_empty, count=facts.count)
        problem = "" if is_told else _emptiness_problem(rules, facts)
    return f"{problem}{_hints(facts)}" if problem else ""


def _emptiness_problem(rules: AttachmentRules, facts: AttachmentListFacts) -> str:
    """Return the reason why an order without visible files may have some all the same; empty when it has none."""
    if rules.settled and not facts.is_settled:
        return _LATE
    if not facts.is_calm:
        return "The page shows no attachments and still waits for a response from the portal."
    if facts.unread:
        return "The page shows no attachments, but some of it could not be read."
    if facts.documents:
        return "The page shows no attachments, but a document in a viewer."
    # what settled names may stand on a page whose list is shown in another way than before
    is_settled = rules.believes_settled and facts.is_settled
    if is_settled or facts.is_declared_empty or facts.is_answered or facts.is_api_read:
        return ""
    return f"The page shows no attachments, but has no sign of an empty list ({_empty_hint(rules)})."


def _empty_hint(rules: AttachmentRules) -> str:
    """Return what the author of a pack can do about a list without a sign that it is empty."""
    if not rules.settled:
        return _HINT
    # by the rows of any list, as links of the pack that no longer fit would make a full list an empty one
    selector = f"{rules.settled[0]}:not(:has(a, button, li, td))"
    example = f"'{selector}'" if '"' in selector else f'"{selector}"'
    return f"{_HINT}; settled is none. For a list that comes with the page: empty = {{ selector = {example} }}"


def emptiness_note(rules: AttachmentRules, facts: AttachmentListFacts) -> str:
    """Return a part of a sentence where an empty list is known by its shape alone; empty otherwise.

    The page does not say it in words then, and may show its list in another way than before, so that a person must
    know.
    """
    is_told = rules.tells_empty(is_marked=facts.is_declared_empty, count=facts.count)
    if facts.link_count or is_told or not facts.is_declared_empty or facts.is_answered or facts.is_api_read:
        return ""
    return "the page does not say that there are no attachments, the list of attachments.empty is there without any"


#: Beginnings of blocked requests that change nothing: their hosts are the cause.
_READING = ("GET ", "HEAD ", "OPTIONS ")


def _hints(facts: AttachmentListFacts) -> str:
    """Return sentences with possible causes and the setting of the pack that helps."""
    hints = ""
    if facts.unread:
        hosts = ", ".join(sorted(set(facts.unread)))
        hints += f" It has a frame of another host ({hosts}), which is read if the portal pack names it in site.hosts."
    if facts.documents:
        hints += f" {describe_documents(facts.documents)}"
    return hints + describe_blocked(facts.withheld)


def describe_blocked(requests: Sequence[str]) -> str:
    """Return sentences that name blocked requests and the setting that allows them; they begin with a blank. Pure."""
    reading = [request for request in requests if request.startswith(_READING)]
    changing = ", ".join(request for request in requests if request not in reading)
    hints = ""
    if changing:
        hints += f" Blocked requests: {changing}; each is sent if the portal pack names it in site.posts."
    if reading:
        hints += (
            f" Blocked requests: {', '.join(reading)}; each is sent if the portal pack names its host in site.hosts."
        )
    return hints


#: Documents that a sentence names.
_DOCUMENTS_SHOWN = 3


def describe_documents(documents: Sequence[str]) -> str:
    """Return the sentence that a page shows documents that no link of the pack leads to, and the setting that helps."""
    shown = ", ".join(_document_name(url) for url in documents[:_DOCUMENTS_SHOWN])
    more = f" and {len(documents) - _DOCUMENTS_SHOWN} more" if len(documents) > _DOCUMENTS_SHOWN else ""
    return (
        f"A document in a viewer ({shown}{more}) was not downloaded; it is if the portal pack names its element, such "
        "as object, embed or iframe, in attachments.links, or what saves it in attachments.clicks."
    )


def _document_name(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}{parts.path}" if parts.hostname else f"an address of the page itself, {url}"
