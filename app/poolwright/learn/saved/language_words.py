"""Decides what of a learned pack holds in one language of the portal only: the words that it knows pages by. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from poolwright.learn.examples import SeenPage
from poolwright.learn.observations import ShownKind
from poolwright.learn.pack_text import PackParts
from poolwright.learn.page_marks import LearnedMarks
from poolwright.learn.selectors import words_in

_SHOWN_WORDS = 4
_SHOWN_CHARS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageWords:
    """What is said about the language of a pack."""

    #: A sentence about the marks that are words; empty if there are none.
    note: str = ""
    #: Sentences about words without which attachments are missed.
    doubts: tuple[str, ...] = ()


def language_words(parts: PackParts, of: Mapping[ShownKind, Sequence[SeenPage]]) -> LanguageWords:
    """Return what is said about the words of a pack.

    Args:
        parts: What the pack says.
        of: The pages that it was learned from, by their kinds.
    """
    shown = _languages(of[ShownKind.ORDER])
    listing = () if parts.listed.rule else (*parts.files.links, *parts.files.clicks)
    opening = [css for one in parts.opening.clicks for css in (one.click, one.until)]
    needed = [word for css in (*listing, *opening, parts.following.selector) for word in words_in(css)]
    needed += parts.following.text
    others = [word for css in (*parts.ready.selector, parts.signs.count_selector) for word in words_in(css)]
    others += parts.signs.empty.text
    others += parts.find.empty.text if parts.find else ()
    for marks, kind in (
        (parts.login.lost, ShownKind.LOGIN),
        (parts.not_found, ShownKind.NOT_FOUND),
        (parts.forbidden, ShownKind.FORBIDDEN),
    ):
        others += marks.text if any(_is_told_by_words(seen, marks) for seen in of[kind]) else ()
    note = doubt = ""
    if others:
        note = (
            f"The pack is for the portal in the language that was shown{shown}: it knows {_quoted(others)} by the "
            "words. If it has more languages, show these pages in them too, or keep to this one."
        )
    if needed:
        doubt = (
            f"Attachments are found by words of the language that was shown{shown}: {_quoted(needed)}. In another one "
            "they are not found, and such an order ends as portal_changed. Show an order with attachments in each."
        )
    return LanguageWords(note=note, doubts=(doubt,) if doubt else ())


def _is_told_by_words(seen: SeenPage, marks: LearnedMarks) -> bool:
    """Return whether nothing but words tells what a page is."""
    if seen.page.status in marks.status or any(seen.tree.select(css) for css in marks.selector):
        return False
    path = "/" + seen.tree.address.partition("://")[2].partition("/")[2]
    return not any(re.search(pattern, path, re.IGNORECASE) for pattern in marks.address)


def _languages(orders: Sequence[SeenPage]) -> str:
    named = (re.split(r"[-_]", seen.tree.roots[0].get("lang") or "")[0].strip().lower() for seen in orders)
    languages = sorted({name for name in named if name})
    return f" ({', '.join(languages)})" if languages else ""


def _quoted(words: Sequence[str]) -> str:
    texts = [
        repr(word if len(word) <= _SHOWN_CHARS else f"{word[:_SHOWN_CHARS]}\u2026") for word in dict.fromkeys(words)
    ]
    more = len(texts) - _SHOWN_WORDS
    return ", ".join(texts[:_SHOWN_WORDS]) + (f" and {more} more" if more > 0 else "")
