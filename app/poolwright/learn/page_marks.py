"""Decides by which marks a kind of page is told from all others: a text in an element, or an element. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TypeAlias
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from poolwright.learn.examples import SeenPage
from poolwright.learn.page_tree import LATE_MARK, folded, is_shown, text_of
from poolwright.learn.selectors import POSITION_COST, candidates

#: Decides by a text and the selector of its elements.
IsMeant: TypeAlias = Callable[[str, str], bool]
#: Length of a text that a mark may have, in characters.
_TEXT_MIN_CHARS, _TEXT_MAX_CHARS = 6, 160
_LATER_STATUS = 400
#: Elements of a page that are tried for one mark.
_ELEMENTS_MAX = 400
_SPEAKING = re.compile(
    r"error|alert|flash|notice|message|warning|empty|not-?_?found|no-?_?results?|missing|denied|forbidden|problem|blank|none|"
    r"info|hint|toast|snack|status|dialog|title",
    re.IGNORECASE,
)
_STRUCTURE = re.compile(
    r"order|purchase|\bpo\b|detail|header|document|record|account|user|menu|nav|main|content|app", re.IGNORECASE
)
_HEADINGS = ("h1", "h2", "h3", "h4", "strong", "p")
#: A text with a number in it would be found in another one: ``0 files`` in ``10 files``.
_DIGITS = re.compile(r"\S*\d\S*")


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedMarks:
    """The marks of a kind of page, as a pack has them."""

    address: tuple[str, ...] = ()
    status: tuple[int, ...] = ()
    selector: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    within: tuple[str, ...] = ()
    #: Marks that such a page does not have; ``None`` if nothing must be excluded.
    excluded: LearnedMarks | None = None

    def is_empty(self) -> bool:
        """Return whether they would match no page."""
        return not (self.address or self.status or self.selector or self.text)


@dataclass(slots=True)
class _Texts:
    text: list[str] = field(default_factory=list[str])
    within: list[str] = field(default_factory=list[str])


def text_marks(
    targets: Sequence[SeenPage], others: Sequence[SeenPage], is_meant: IsMeant | None = None
) -> tuple[LearnedMarks, list[SeenPage]]:
    """Return texts that each target shows and no other page, and the targets for which there is none.

    Args:
        targets: The pages that have the marks.
        others: The pages that must not have them.
        is_meant: Whether a text, in elements of a selector, may be a mark; all may without it.
    """
    marks, unmarked = _Texts(), list[SeenPage]()
    for seen in targets:
        if any(shows(seen, text, marks.within) for text in marks.text):
            continue
        found = _text_mark(seen, others, marks.within, is_meant)
        if found is None:
            unmarked.append(seen)
            continue
        text, within = found
        marks.text.append(text)
        if within not in marks.within:
            marks.within.append(within)
    return LearnedMarks(text=tuple(marks.text), within=tuple(marks.within)), unmarked


def refusal_marks(
    targets: Sequence[SeenPage], others: Sequence[SeenPage], usual_status: int
) -> tuple[LearnedMarks, list[SeenPage]]:
    """Return the marks of a page that refuses something, and the targets that no mark tells from other pages.

    Args:
        targets: The pages that refuse.
        others: All other pages.
        usual_status: The status that stands for it by the standard of the web, and is always a mark.
    """
    texts, unmarked = text_marks(targets, others)
    taken = {seen.page.status for seen in others}
    own = {seen.page.status for seen in targets if seen.page.status >= _LATER_STATUS} - taken
    statuses = tuple(sorted({*own, *({usual_status} - taken)}))
    marks = LearnedMarks(status=statuses, text=texts.text, within=texts.within)
    return marks, [seen for seen in unmarked if seen.page.status not in statuses]


def refusal_marks_beside(
    targets: Sequence[SeenPage],
    others: Sequence[SeenPage],
    logins: Sequence[SeenPage],
    usual_status: int,
    lost: LearnedMarks,
) -> tuple[LearnedMarks, list[SeenPage]]:
    """Return the marks as ``refusal_marks``, also where a portal refuses in the same way what a log-out hides.

    Then the marks of a lost login tell the two apart: a refusal counts only on pages without them.
    """
    marks, unmarked = refusal_marks(targets, [*others, *logins], usual_status)
    if not unmarked and not marks.is_empty():
        return marks, unmarked
    shared, left = refusal_marks(targets, others, usual_status)
    alike = [seen for seen in logins if seen.page.status in shared.status or _has(seen, shared)]
    if not alike or not all(_has(seen, lost) for seen in alike):
        return marks, unmarked
    return replace(shared, excluded=lost), left


def _has(seen: SeenPage, marks: LearnedMarks) -> bool:
    """Return whether a page itself shows one of these marks."""
    return any(_matches(seen, css) for css in marks.selector) or any(
        shows(seen, text, marks.within) for text in marks.text
    )


def element_mark(targets: Sequence[SeenPage], others: Sequence[SeenPage]) -> str:
    """Return a selector that matches a visible element of each target and of no other page; empty if there is none."""
    best: tuple[int, str] | None = None
    shown = [item for item in targets[0].tree.elements() if item.tag not in {"html", "body"} and is_shown(item)]
    shown = [item for item in shown if item.get(LATE_MARK) is None]
    for element in sorted(shown, key=lambda item: not _STRUCTURE.search(_names(item)))[:_ELEMENTS_MAX]:
        if best is not None and best[0] <= 1:
            break
        for candidate in islice(candidates(element), 12):
            if candidate.cost >= POSITION_COST or (best is not None and candidate.cost >= best[0]):
                break
            if all(_matches(seen, candidate.css, is_early=True) for seen in targets) and not any(
                _matches(seen, candidate.css) for seen in others
            ):
                best = candidate.cost, candidate.css
                break
    return best[1] if best else ""


def unique_selector(seen: SeenPage, element: HtmlElement, others: Sequence[SeenPage]) -> str:
    """Return a selector whose only match is one element of a page, and that matches no other page; empty if none."""
    for candidate in candidates(element):
        if seen.tree.select(candidate.css) == [element] and not any(
            other.tree.select(candidate.css) for other in others
        ):
            return candidate.css
    return ""


def address_mark(seen: SeenPage, others: Sequence[SeenPage]) -> str:
    """Return a regular expression for the path of a page that no other page has; empty if there is none."""
    path = urlsplit(seen.tree.address).path
    if path in {"", "/"} or any(urlsplit(other.tree.address).path.startswith(path) for other in others):
        return ""
    return f"^{re.escape(path)}(?:[/?#]|$)"


def shows(seen: SeenPage, text: str, within: Iterable[str]) -> bool:
    """Return whether a visible element of a page has a text."""
    shown = " ".join(text_of(item) for selector in within for item in seen.tree.select(selector) if is_shown(item))
    return folded(text) in folded(shown)


def _matches(seen: SeenPage, css: str, *, is_early: bool = False) -> bool:
    """Return whether an element is to be seen, or was before the list of the page was opened."""
    return any(is_shown(item) and not (is_early and item.get(LATE_MARK) is not None) for item in seen.tree.select(css))


def _text_mark(
    seen: SeenPage, others: Sequence[SeenPage], within: Sequence[str], is_meant: IsMeant | None
) -> tuple[str, str] | None:
    """Return a text and the selector of the elements in which it counts, so that both are on no other page."""
    for element in _speaking(seen):
        text = fixed_text(text_of(element), seen.page.number)
        if not text:
            continue
        for candidate in candidates(element):
            if candidate.cost >= POSITION_COST:
                break
            if candidate.css.isalpha() and not candidate.css.startswith("h"):
                continue  # any paragraph: the same words may be in an order's own comments
            places = [*within, candidate.css]
            if is_meant is not None and not is_meant(text, candidate.css):
                continue
            if not any(shows(other, text, places) for other in others):
                return text, candidate.css
    return None


def fixed_text(text: str, number: str) -> str:
    """Return the longest part of a text that names no number; empty if it is too short or too long to be a mark."""
    if len(text) > _TEXT_MAX_CHARS:
        return ""
    parts = re.split(re.escape(number), text, flags=re.IGNORECASE) if number else [text]
    pieces = [
        piece.strip(" \t'\"#:.,;()\u201c\u201d\u201e\u00ab\u00bb") for part in parts for piece in _DIGITS.split(part)
    ]
    longest = max(pieces, key=len, default="")
    return longest if len(longest) >= _TEXT_MIN_CHARS and re.search(r"[^\W\d_]{3}", longest) else ""


def _speaking(seen: SeenPage) -> Iterator[HtmlElement]:
    """Yield the visible elements of a page: those whose names fit first, then headings, then the others."""
    shown = [item for item in seen.tree.elements() if item.tag not in {"html", "body"} and is_shown(item)]

    def rank(item: HtmlElement) -> tuple[bool, int, int]:
        heading = _HEADINGS.index(str(item.tag)) if item.tag in _HEADINGS else len(_HEADINGS)
        return not _SPEAKING.search(_names(item)), heading, len(text_of(item))

    yield from islice(sorted(shown, key=rank), _ELEMENTS_MAX)


def _names(element: HtmlElement) -> str:
    return f"{element.get('class') or ''} {element.get('id') or ''} {element.get('role') or ''}"
