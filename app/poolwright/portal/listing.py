"""Whether the list of attachments on an order's page can be believed. Pure.

A list that is not there yet, or that stands where nobody looks, looks like an empty one. So an empty list counts only
when the page says that it is empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from poolwright.portal.tables import Attachments

_LATE = "The list of attachments did not arrive in time."
#: What an author can do about a page that does not say so.
_HINT = "set a sign of an empty list in the portal pack: attachments.empty, count, settled or answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFacts:
    """What was seen of one page's list."""

    link_count: int
    #: How many the page says that there are; nothing where it does not.
    count: int | None = None
    #: Whether it shows the pack's mark of an empty list, or counts none.
    is_said_empty: bool = False
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


def doubt(rules: Attachments, facts: ListFacts) -> str:
    """Why the list cannot be trusted, in a sentence; empty when it can."""
    if facts.count is not None and facts.count != facts.link_count:
        problem = f"The page announces {facts.count} attachments but shows {facts.link_count}."
    elif facts.link_count:
        is_whole = facts.is_in_time and (facts.is_settled or not rules.settled)
        problem = "" if is_whole else _LATE
    else:
        problem = "" if facts.is_said_empty else _why_not_empty(rules, facts)
    return f"{problem}{_beside(facts)}" if problem else ""


def _why_not_empty(rules: Attachments, facts: ListFacts) -> str:
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


def _beside(facts: ListFacts) -> str:
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
