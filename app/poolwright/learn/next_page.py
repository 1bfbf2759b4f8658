"""Decides how a list of several pages shows its next one: the button that a person pointed at. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lxml.html import HtmlElement

from poolwright.learn.examples import SeenPage, is_clickable
from poolwright.learn.observations import ObservationError
from poolwright.learn.page_tree import NEXT_MARK, folded, is_shown, text_of
from poolwright.learn.selectors import POSITION_COST, candidates

#: A class of a button that cannot be pressed, as a worker reads it.
_DISABLED = re.compile(r"(?:^|[\s_-])disabled(?:$|[\s_-])")

#: What such buttons say.
_NEXT_WORDS = re.compile(
    r"next(?: page)?|(?:show|load) more|[>\u203a\u00bb]|weiter|n\u00e4chste(?: seite)?|mehr anzeigen|voir plus|"
    r"(?:page )?suivante?|(?:p\u00e1gina )?siguiente|ver m\u00e1s|(?:pagina )?successiva|pr\u00f3xima(?: p\u00e1gina)?|"
    r"volgende|nast\u0119pna"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NextButton:
    """The button to the next page of a list; without a selector if nobody showed one."""

    selector: str = ""
    #: Texts of the button, if its selector matches other buttons too.
    text: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


def next_button(orders: Sequence[SeenPage]) -> NextButton:
    """Return the button to the next page of the list of attachments, or of the results of a search.

    Args:
        orders: The pages with such lists.

    Raises:
        ObservationError: The button is not on its page, or nothing tells it from other elements.
    """
    shown = [(seen, element) for seen in orders if (element := next_element(seen)) is not None]
    if not shown:
        return NextButton(doubts=_unshown_doubts(orders))
    seen, element = shown[0]
    usable = [one.css for one in candidates(element) if one.cost < POSITION_COST and _is_unlike_others(orders, one.css)]
    for css in usable:
        if all(page.tree.select(css) == [item] for page, item in shown):
            return NextButton(selector=css)
    text = text_of(element)
    for css in usable:
        if text and all(_with_text(page, css, text) == [item] for page, item in shown):
            doubt = f"The button to the next page is found by its text {text!r}, which another language does not have."
            return NextButton(selector=css, text=(text,), doubts=(doubt,))
    raise ObservationError(f"{seen.page.file}: nothing tells the button {text!r} to the next page from other elements.")


def next_element(seen: SeenPage) -> HtmlElement | None:
    """Return the button to the next page that a person pointed at; ``None`` if there is none on this page.

    Raises:
        ObservationError: A button was named that is not on the page, or is there twice.
    """
    marked = [item for item in seen.tree.elements() if item.get(NEXT_MARK) is not None]
    if marked:
        return next((item for item in (marked[0], *marked[0].iterancestors()) if is_clickable(item)), marked[0])
    if not seen.page.next:
        return None
    named = [
        item
        for item in seen.tree.elements()
        if is_clickable(item) and is_shown(item) and folded(seen.page.next) in {folded(text_of(item)), _label(item)}
    ]
    if len(named) != 1:
        raise ObservationError(
            f"{seen.page.file}: {len(named)} elements that can be clicked say {seen.page.next!r}; name the one button "
            "to the next page."
        )
    return named[0]


def _unshown_doubts(orders: Sequence[SeenPage]) -> tuple[str, ...]:
    """Return a doubt if a page has something like a button to a next page, at which nobody pointed."""
    for seen in orders:
        for item in seen.tree.elements():
            if is_clickable(item) and is_shown(item) and not _is_disabled(item) and _looks_like_next(item):
                word = text_of(item) or item.get("aria-label") or item.get("title") or "next"
                doubt = (
                    f"{seen.page.file}: its list may have further pages ({word!r} can be pressed). They are not read; "
                    "if there are some, show the button to the next page too."
                )
                return (doubt,)
    return ()


def _looks_like_next(element: HtmlElement) -> bool:
    if "next" in (element.get("rel") or "").split():
        return True
    return any(_NEXT_WORDS.fullmatch(text) for text in (folded(text_of(element)), _label(element)))


def has_next(seen: SeenPage, css: str, texts: Sequence[str]) -> bool:
    """Return whether a page shows a button to a further page that can be used."""
    found = [item for item in seen.tree.select(css) if is_shown(item) and not _is_disabled(item)]
    return any(not texts or any(folded(text) in folded(text_of(item)) for text in texts) for item in found)


def _is_unlike_others(orders: Sequence[SeenPage], css: str) -> bool:
    """Return whether pages without a next one have no such button that could be pressed."""
    return not any(has_next(seen, css, ()) for seen in orders if next_element(seen) is None)


def _with_text(seen: SeenPage, css: str, text: str) -> list[HtmlElement]:
    return [item for item in seen.tree.select(css) if folded(text) in folded(text_of(item))]


def _label(element: HtmlElement) -> str:
    return folded(element.get("aria-label") or element.get("title") or "")


def _is_disabled(element: HtmlElement) -> bool:
    is_marked = _DISABLED.search(element.get("class") or "") is not None
    return is_marked or element.get("disabled") is not None or element.get("aria-disabled") == "true"
