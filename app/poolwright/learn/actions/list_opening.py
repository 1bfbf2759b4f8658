"""Decides what is clicked before the list of an order is there: a menu, a tab, an expander. Pure.

The window marks what the person clicked on the page of an order before the attachment was pointed at, if the element of
that attachment came into the page only afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lxml.html import HtmlElement

from poolwright.learn.examples import SeenPage, actor_of, example_elements
from poolwright.learn.page_tree import OPENED_MARK, is_shown
from poolwright.learn.selectors import POSITION_COST, candidates


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningClick:
    """A click before the list is read."""

    click: str
    #: What is to be seen after it; empty if nothing is on all pages.
    until: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOpening:
    """The clicks before the list is read, in their order; none for most portals."""

    clicks: tuple[OpeningClick, ...] = ()
    doubts: tuple[str, ...] = ()


def list_opening(orders: Sequence[SeenPage]) -> ListOpening:
    """Return the clicks that every order needs before its list is there."""
    opened = {seen.page.file: _opened(seen) for seen in orders if seen.page.has_files}
    count = max((len(items) for items in opened.values()), default=0)
    if count == 0:
        return ListOpening()
    without = [file for file, items in opened.items() if len(items) != count]
    if without:
        return ListOpening(
            doubts=(
                (
                    f"{without[0]}: its list was opened by other clicks than that of another order, so none was "
                    "learned. Show both again, and open each list from the page as it is when it has loaded."
                ),
            )
        )
    clicks, doubts = list[OpeningClick](), list[str]()
    for number in range(count):
        marked = {file: items[number] for file, items in opened.items()}
        click = _click(orders, marked)
        if not click:
            file = next(iter(marked))
            doubts.append(f"{file}: no selector finds on each order what was clicked to open the list.")
            continue
        until = _until(orders) if number == count - 1 else ""
        clicks.append(OpeningClick(click=click, until=until))
    return ListOpening(clicks=tuple(clicks), doubts=tuple(doubts))


def _opened(seen: SeenPage) -> list[HtmlElement]:
    """Return what was clicked on a page before its list was there, in that order."""
    marked = [(item.get(OPENED_MARK) or "", item) for item in seen.tree.elements() if item.get(OPENED_MARK) is not None]
    actors = [
        item if (actor := actor_of(item)) is None else actor for _, item in sorted(marked, key=lambda one: one[0])
    ]
    return list(dict.fromkeys(actors))


def _click(orders: Sequence[SeenPage], marked: dict[str, HtmlElement]) -> str:
    """Return a selector whose first visible match is what was clicked, and that each order has."""
    for candidate in candidates(next(iter(marked.values()))):
        if candidate.cost < POSITION_COST and all(
            _first(seen, candidate.css) is not None
            and marked.get(seen.page.file) in {None, _first(seen, candidate.css)}
            for seen in orders
        ):
            return candidate.css
    return ""


def _until(orders: Sequence[SeenPage]) -> str:
    """Return a selector of the element around the list that is to be seen on every order."""
    seen = next(one for one in orders if one.page.has_files)
    for item in example_elements(seen)[0].iterancestors("*"):
        if item.tag in {"body", "html"}:
            break
        for candidate in candidates(item):
            if candidate.cost < POSITION_COST and all(_first(one, candidate.css) is not None for one in orders):
                return candidate.css
    return ""


def _first(seen: SeenPage, css: str) -> HtmlElement | None:
    return next((item for item in seen.tree.select(css) if is_shown(item)), None)
