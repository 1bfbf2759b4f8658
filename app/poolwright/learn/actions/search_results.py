"""Decides which elements are the results of a search for an order, and what says exactly its number. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urljoin

from lxml.html import HtmlElement

from poolwright.learn.examples import SeenPage, is_action, look_alikes, row_of, shown_elements
from poolwright.learn.observations import ObservationError, ShownKind
from poolwright.learn.page_tree import folded, is_shown, text_of
from poolwright.learn.selectors import POSITION_COST, candidates
from poolwright.portal.addresses import origin_of
from poolwright.portal.step_schema import SearchRules

#: What stands for the number in a text of the pack.
NUMBER = "{number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchHit:
    """A result that a person showed, and what it says."""

    seen: SeenPage
    link: HtmlElement
    text: str
    row: HtmlElement | None = None
    cell: HtmlElement | None = None


def shown_links(seen: SeenPage) -> list[HtmlElement]:
    """Return the result that a person showed.

    Raises:
        ObservationError: It is not on the page, or on several elements.
    """
    return shown_elements(seen, [seen.page.result or _number_said(seen)])


def _number_said(seen: SeenPage) -> str:
    """Return the shortest text of an element that says the number as a whole word; the number if none does."""
    shown = (text_of(item) for item in seen.tree.elements() if is_shown(item))
    said = [text for text in shown if number_text(text, seen.page.number)]
    return min(said, key=len, default=seen.page.number)


def shown_hit(seen: SeenPage) -> SearchHit:
    """Return the result that a person showed, and what of it says the number.

    Raises:
        ObservationError: Nothing does.
    """
    link, number = shown_links(seen)[0], seen.page.number
    own = number_text(text_of(link), number)
    row = row_of(link)
    if own != NUMBER and row is not None:
        for cell in row.iterdescendants():
            if isinstance(cell.tag, str) and is_shown(cell) and number_text(text_of(cell), number) == NUMBER:
                return SearchHit(seen=seen, link=link, text=NUMBER, row=row, cell=cell)
    if not own:
        raise ObservationError(
            f"{seen.page.file}: neither the result that was shown nor a cell of its row says exactly {number}."
        )
    return SearchHit(seen=seen, link=link, text=own)


def result_links(hits: Sequence[SearchHit]) -> str:
    """Return the selector of the results."""
    best: tuple[float, int, int, str] | None = None
    for candidate in candidates(hits[0].link):
        if candidate.cost >= POSITION_COST:
            break
        found = [set(hit.seen.tree.select(candidate.css)) for hit in hits]
        if not all(hit.link in items for hit, items in zip(hits, found, strict=True)):
            continue
        if any(is_action(item) for items in found for item in items):
            continue
        unlike = sum(
            len(items ^ {*look_alikes(hit.seen, hit.link), hit.link}) for hit, items in zip(hits, found, strict=True)
        )
        rank = float(unlike), candidate.cost, len(candidate.css), candidate.css
        best = rank if best is None else min(best, rank)
    if best is None:
        raise ObservationError(f"{hits[0].seen.page.file}: nothing tells the results from other elements.")
    return best[-1]


def told_by(hits: Sequence[SearchHit], links: str) -> tuple[str, str, str]:
    """Return what a result says, and the row and cell in which it says so."""
    first = hits[0]
    if first.cell is None or first.row is None:
        text = first.text
        others = [item for hit in hits for item in hit.seen.tree.select(links) if item is not first.link]
        before, _, after = folded(text).partition(NUMBER)
        shown = [folded(text_of(item)) for item in others]
        is_one = bool(shown) and all(one.startswith(before) and one.endswith(after) for one in shown)
        if any(hit.text != text for hit in hits) or (text != NUMBER and not is_one):
            raise ObservationError(
                f"{first.seen.page.file}: the result says {text_of(first.link)!r}, and it is not known which part of "
                "that is the same for other orders. Show a search that finds several orders, or a second one."
            )
        return text, "", ""
    closest = f"[role='{first.row.get('role')}']" if first.row.get("role") else str(first.row.tag)
    for candidate in candidates(first.cell):
        if all(_cell_says(hit, candidate.css) for hit in hits):
            return NUMBER, closest, candidate.css
    raise ObservationError(f"{first.seen.page.file}: nothing tells the cell with the number from other cells.")


def _cell_says(hit: SearchHit, css: str) -> bool:
    found = hit.row.cssselect(css) if hit.row is not None else []
    return bool(found) and says_number(NUMBER, text_of(found[0]), hit.seen.page.number.strip())


def search_problem(rules: SearchRules, seen: SeenPage) -> str:
    """Return a sentence if a page of a search has other results than it was shown with; empty if it has not.

    Args:
        rules: How orders are found.
        seen: A page with results, or one of a number that does not exist.
    """
    count, number = _hit_count(rules, seen), seen.page.number
    if seen.page.kind is ShownKind.RESULTS and count != 1:
        return f"{seen.page.file}: {count} results say exactly {number}, and not one."
    if seen.page.kind is ShownKind.NOT_FOUND and count:
        return f"{seen.page.file}: {count} results say {number}, although no order has it."
    return ""


def _hit_count(rules: SearchRules, seen: SeenPage) -> int:
    hits: dict[str, None] = {}
    links = [item for css in rules.links for item in seen.tree.select(css)]
    for place, link in enumerate(links):
        texts = [text_of(link)]
        if rules.row:
            row = row_of(link)
            cells = row.cssselect(rules.row.selector) if row is not None else []
            texts = [text_of(cells[0])] if cells else []
        if any(says_number(template, text, seen.page.number.strip()) for template in rules.text for text in texts):
            hits[link_address(seen, link) or str(place)] = None
    return len(hits)


def number_text(text: str, number: str) -> str:
    """Return a text with ``{number}`` in place of the number; empty if it does not say the number as a whole word."""
    shown, wanted = " ".join(text.split()), number.strip()
    found = re.search(rf"(?<![A-Za-z0-9]){re.escape(wanted)}(?![A-Za-z0-9])", shown, re.IGNORECASE)
    if found is None or "{" in shown:
        return ""
    return f"{shown[: found.start()]}{NUMBER}{shown[found.end() :]}"


def says_number(template: str, text: str, number: str) -> bool:
    """Return whether a text says exactly the number, as a worker compares them."""
    return folded(text) == folded(template.replace(NUMBER, number))


def link_address(seen: SeenPage, link: HtmlElement) -> str:
    """Return the address on the portal to which a result leads; empty if only a click leads there."""
    href = (link.get("href") or "").strip()
    if not href or href == "#" or href.startswith("javascript:"):
        return ""
    address = urljoin(seen.tree.address, href)
    return address if origin_of(address) == origin_of(seen.tree.address) else ""
