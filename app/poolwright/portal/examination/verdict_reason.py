"""Explains the verdict on a page in whole sentences, with the marks that matched and where. Pure.

It repeats no decision: the verdict comes from ``triage``, and only the facts that lead to it are searched here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from poolwright.portal.examination.page_examination import MatchedMark
from poolwright.portal.pack import Pack
from poolwright.portal.page_facts import PageFacts, has_any, matches
from poolwright.portal.triage import ORDER, Verdict, classify_page, is_login_address, marks_of
from poolwright.portal.triage_marks import Marks, MarkSet

_SHOWN_CHARS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictReason:
    """Why a page got its verdict."""

    sentence: str
    #: Every mark of the pack that is on the page, those of the first verdict first.
    marks: tuple[MatchedMark, ...]


def explain_verdict(
    pack: Pack, base_url: str, facts: PageFacts, verdict: Verdict, portal_number: str | None
) -> VerdictReason:
    """Return the reason of a verdict.

    Args:
        pack: The portal's pack.
        base_url: Address of the portal.
        facts: The facts from which the verdict followed.
        verdict: The verdict of ``triage.classify_visit`` on them.
        portal_number: The order that was visited; ``None`` for another page.
    """
    marks = tuple(_all_marks(pack, facts))
    if not pack.may_fetch(base_url, facts.url):
        host = urlsplit(facts.url).hostname or facts.url
        sentence = f"The page is on {host}, which is neither the portal nor in site.hosts: it counts as a login page."
        return VerdictReason(sentence=sentence, marks=marks)
    alone = classify_page(pack.triage, facts)
    sentences = [_page_sentence(pack, facts, alone)]
    if portal_number is not None and alone is Verdict.READY and verdict not in {Verdict.READY, Verdict.RENEWED}:
        wanted = pack.order_url(base_url, portal_number)
        if not pack.is_order_page(base_url, portal_number, facts.url):
            sentences.append(f"Its address is not that of the order ({wanted}), so it may be another page.")
    by_login = next((url for url in facts.passed if is_login_address(pack, base_url, url)), "")
    if by_login and verdict is not alone:
        sentences.append(f"The navigation passed a login page ({_shortened(by_login)}), so it counts as {verdict}.")
    return VerdictReason(sentence=" ".join(sentences), marks=marks)


def _page_sentence(pack: Pack, facts: PageFacts, verdict: Verdict) -> str:
    matched = [marks for marks in marks_of(pack.triage, verdict) if matches(marks, facts)]
    if matched:
        found = next((mark for marks in matched for mark in _marks_on_page(verdict, marks, facts)), None)
        return f"{found.key} {found.mark!r} matches ({found.place})." if found else f"A mark of {verdict} matches."
    if verdict is Verdict.SESSION_LOST:
        return f"The portal answered {facts.status}, which asks for a login."
    if verdict is Verdict.PORTAL_ERROR:
        return f"The portal answered {facts.status}, and no mark of the pack matches."
    is_ready = any(matches(marks, facts) for marks in marks_of(pack.triage, Verdict.READY))
    if is_ready and facts.status >= HTTPStatus.BAD_REQUEST:
        return f"A mark of ready matches, but the portal answered {facts.status}, and an error is never ready."
    return "No mark of the pack matches."


def _all_marks(pack: Pack, facts: PageFacts) -> Iterator[MatchedMark]:
    for verdict in ORDER:
        for marks in marks_of(pack.triage, verdict):
            yield from _marks_on_page(verdict, marks, facts)


def _marks_on_page(verdict: Verdict, marks: Marks, facts: PageFacts) -> Iterator[MatchedMark]:
    """Yield each mark of one table that is on the page, those of its conditions last."""
    if facts.kind not in marks.on:
        return
    key = f"triage.{verdict}"
    yield from _marks_of_set(key, marks, facts)
    for part, sets in (("all", marks.all_of), ("not", marks.none_of)):
        for one in sets:
            yield from _marks_of_set(f"{key}.{part}", one, facts)


def _marks_of_set(key: str, marks: MarkSet, facts: PageFacts) -> Iterator[MatchedMark]:
    """Yield each mark of one set that is on the page: each is tried as a set of its own."""
    within = ", ".join(marks.within)
    single = (
        *((f"status {facts.status}", "status", str(status), MarkSet(status=(status,))) for status in marks.status),
        *((_shortened(facts.url), "address", pattern, MarkSet(address=(pattern,))) for pattern in marks.address),
        *(("a visible element", "selector", selector, MarkSet(selector=(selector,))) for selector in marks.selector),
        *((f"in {within}", "text", text, MarkSet(text=(text,), within=marks.within)) for text in marks.text),
        *(("in a dialog of the page", "dialog", text, MarkSet(dialog=(text,))) for text in marks.dialog),
        *(
            ("a response to the page's scripts", "response", response.address, MarkSet(response=(response,)))
            for response in marks.response
        ),
    )
    for place, part, mark, one in single:
        if has_any(one, facts):
            yield MatchedMark(key=f"{key}.{part}", mark=mark, place=place)


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}\u2026"
