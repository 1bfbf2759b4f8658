"""The facts about a page that its verdict follows from, and whether marks match them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import cast
from urllib.parse import urlsplit

from poolwright.portal import patterns
from poolwright.portal.triage_marks import Marks, MarkSet, PageKind, ResponseMark


@dataclass(frozen=True, slots=True, kw_only=True)
class PageAnswer:
    """A response that the scripts of a page got."""

    url: str
    status: int
    #: Its JSON; ``None`` if it has none.
    content: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFacts:
    """The facts about a page from which its verdict follows."""

    #: Final address of the navigation.
    url: str
    #: HTTP status of the last response; 0 when there was none.
    status: int = 0
    #: Earlier addresses of the navigation, first to last.
    passed: Sequence[str] = ()
    #: Selectors of the pack that match a visible or hidden element.
    present: Collection[str] = ()
    #: Text of the elements by selector, for the selectors of every ``within``.
    texts: Mapping[str, str] = field(default_factory=dict[str, str])
    kind: PageKind = PageKind.ORDER
    #: Texts of the page's dialogs.
    dialogs: Sequence[str] = ()
    #: Responses that the page's scripts got, first to last.
    answers: Sequence[PageAnswer] = ()
    #: Whether the fragment belongs to the address (``Pack.is_hash_routed``).
    has_routes: bool = False


def matches(marks: Marks, facts: PageFacts) -> bool:
    """Return whether a table of marks matches a page of its kind."""
    if facts.kind not in marks.on:
        return False
    has_own = not marks.has_marks or has_any(marks, facts)
    return (
        has_own
        and all(has_any(one, facts) for one in marks.all_of)
        and not any(has_any(one, facts) for one in marks.none_of)
    )


def has_any(marks: MarkSet, facts: PageFacts) -> bool:
    """Return whether any of the marks is there, without their conditions."""
    return (
        has_any_hidden(marks, facts)
        or any(selector in facts.present for selector in marks.selector)
        or _text_matches(marks, facts.texts)
    )


def has_any_hidden(marks: MarkSet, facts: PageFacts) -> bool:
    """Return whether any of the marks is there that are not on the page itself."""
    return (
        facts.status in marks.status
        or leads_to(marks.address, facts.url, has_routes=facts.has_routes)
        or any(folded(text) in folded(dialog) for text in marks.dialog for dialog in facts.dialogs)
        or any(_is_answer(mark, answer) for mark in marks.response for answer in facts.answers)
    )


def address_matches(tables: Collection[Marks], url: str, *, has_routes: bool = False) -> bool:
    """Return whether an address alone makes one of the tables match, whatever the page shows.

    Only path and query count, not the host; the fragment counts if the portal has routes.
    """
    return any(leads_to(marks.address, url, has_routes=has_routes) for marks in tables if marks.is_plain)


def leads_to(addresses: Collection[str], url: str, *, has_routes: bool = False) -> bool:
    """Return whether path and query of an address match one of the regular expressions."""
    parts = urlsplit(url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    if has_routes and parts.fragment:
        path = f"{path}#{parts.fragment}"
    return any(patterns.is_found(pattern, path) for pattern in addresses)


def _text_matches(marks: MarkSet, texts: Mapping[str, str]) -> bool:
    visible_text = " ".join(folded(texts.get(selector, "")) for selector in marks.within)
    return any(folded(text) in visible_text for text in marks.text)


def folded(text: str) -> str:
    """Return a text as it is compared: without case, with single spaces and plain apostrophes."""
    return " ".join(text.replace("\u2019", "'").casefold().split())


def _is_answer(mark: ResponseMark, answer: PageAnswer) -> bool:
    is_good = HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES
    if not (answer.status in mark.status if mark.status else is_good) or not leads_to((mark.address,), answer.url):
        return False
    if mark.field is None:
        return True
    found = list(_values_at(answer.content, mark.field.split(".")))
    if not mark.values:
        return any(value is not None and value is not False for value in found)
    wanted = {_as_text(value) for value in mark.values}
    return any(_as_text(value) in wanted for value in found)


def _values_at(content: object, steps: Sequence[str]) -> Iterator[object]:
    """Yield the values at a place of JSON data."""
    if not steps:
        yield content
        return
    first, rest = steps[0], steps[1:]
    if isinstance(content, dict):
        table = cast("dict[str, object]", content)
        inner = table.values() if first == "*" else [table[first]] if first in table else []
    elif isinstance(content, list):
        items = cast("list[object]", content)
        inner = items if first == "*" else items[int(first) :][:1] if first.isascii() and first.isdigit() else []
    else:
        return
    for value in inner:
        yield from _values_at(value, rest)


def _as_text(value: object) -> str:
    return folded(str(value))
