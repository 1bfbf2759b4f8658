"""Decides what shows that a list which arrives in parts is all there (``attachments.settled``). Pure.

A list that was seen with some of its files only cannot be believed once it is quiet for a moment. A number on the page
that counts its files is better; where there is none, an element is looked for that only whole lists have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lxml.html import HtmlElement

from poolwright.learn.examples import SeenPage, address_attributes, example_elements, look_alikes
from poolwright.learn.file_links import FileSelectors, found_files
from poolwright.learn.page_marks import element_mark
from poolwright.learn.page_tree import PageTree, folded, is_shown, text_of

#: Also names of states such as ``loaded``, which no other selector of a pack may have.
_NAME = re.compile(r"[A-Za-z][A-Za-z-]{2,}")
_IDLE = "[aria-busy='false']"


@dataclass(frozen=True, slots=True, kw_only=True)
class LateList:
    """The sign of a whole list; without a selector if no list was seen to arrive in parts, or nothing shows its end."""

    settled: str = ""
    doubts: tuple[str, ...] = ()


def late_list(orders: Sequence[SeenPage], loading: Sequence[SeenPage], files: FileSelectors) -> LateList:
    """Return the sign of a whole list.

    Args:
        orders: The pages of orders, with and without attachments.
        loading: Pages of such orders while their lists were still arriving.
        files: What finds the attachments.
    """
    parts = [seen for seen in loading if _is_part(seen, orders, files)]
    if not parts:
        return LateList()
    without = [seen for seen in orders if not seen.page.has_files]
    settled = _whole_mark(orders, loading) if without else ""
    told = f"{parts[0].page.file}: the list of order {parts[0].page.number} arrives in parts"
    if not settled:
        need = "no element" if without else "no order without attachments was shown, so that no element"
        return LateList(doubts=(f"{told}, and {need} shows when it is whole: one cut short may not be noticed.",))
    return LateList(settled=settled, doubts=(f"{told}; it counts as whole once {settled} is there.",))


def shows_part(order: SeenPage, early: PageTree) -> bool:
    """Return whether an earlier state of the page of an order shows some of its files, and not all.

    Raises:
        ObservationError: No attachment of the order is on its page.
    """
    examples = example_elements(order)
    files = {item for example in examples for item in (example, *look_alikes(order, example))}
    whole = {_key(order.tree, item) for item in files}
    tags = {str(item.tag) for item in files}
    shown = {_key(early, item) for item in early.elements() if str(item.tag) in tags} & whole
    return 0 < len(shown) < len(whole)


def _key(tree: PageTree, element: HtmlElement) -> tuple[str, str]:
    return tree.address_of(element, tuple(address_attributes(element))), folded(text_of(element))


def _is_part(seen: SeenPage, orders: Sequence[SeenPage], files: FileSelectors) -> bool:
    whole = [len(found_files(one, files)) for one in orders if one.page.number.strip() == seen.page.number.strip()]
    return bool(whole) and 0 < len(found_files(seen, files)) < max(whole)


def _whole_mark(orders: Sequence[SeenPage], loading: Sequence[SeenPage]) -> str:
    """Return a selector of what all orders show, those without attachments too, and no page whose list arrives."""
    for css in _states(orders[0]):
        if all(_shows(seen, css) for seen in orders) and not any(seen.tree.select(css) for seen in loading):
            return css
    mark = element_mark(orders, loading)
    return "" if mark and any(seen.tree.select(mark) for seen in loading) else mark


def _states(seen: SeenPage) -> Iterator[str]:
    yield _IDLE
    for item in seen.tree.elements():
        for name in (item.get("class") or "").split() if is_shown(item) else ():
            if _NAME.fullmatch(name):
                yield f"{item.tag}.{name}"


def _shows(seen: SeenPage, css: str) -> bool:
    return any(is_shown(item) for item in seen.tree.select(css))
