"""Decides where a page shows the supplier of an order: a selector, and a pattern for what is around the name. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lxml.html import HtmlElement

from poolwright.learn.examples import SeenPage
from poolwright.learn.observations import ObservationError
from poolwright.learn.page_tree import folded, is_shown, text_of
from poolwright.learn.selectors import POSITION_COST, candidates

#: Cuts off a number in brackets behind a name: ``Acme Ltd (1042)``.
_WITHOUT_NUMBER = r"^\s*(.*?)\s*(?:\(\d+\)\s*)?$"


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplierField:
    """Where the supplier is; without a selector if nobody showed it."""

    selector: str = ""
    pattern: str = ""
    doubts: tuple[str, ...] = ()


def supplier_field(orders: Sequence[SeenPage]) -> SupplierField:
    """Return where the pages of orders show their supplier.

    Raises:
        ObservationError: A page does not show the supplier that was named.
    """
    shown = [seen for seen in orders if seen.page.supplier]
    if not shown:
        return SupplierField(
            doubts=(
                "No supplier was pointed at: choose a --folder-template without {supplier}, or add [fields.supplier].",
            )
        )
    for element in _elements(shown[0]):
        pattern = _pattern(text_of(element), shown[0].page.supplier_name)
        for candidate in candidates(element):
            if all(_value(seen, candidate.css, pattern) == folded(seen.page.supplier_name) for seen in shown):
                return SupplierField(selector=candidate.css, pattern=pattern, doubts=_doubts(candidate.cost, shown))
    return SupplierField(
        doubts=(f"{shown[0].page.file}: no selector finds the supplier on every page where one was named.",)
    )


def _doubts(cost: int, shown: Sequence[SeenPage]) -> tuple[str, ...]:
    if cost >= POSITION_COST and len({folded(seen.page.supplier_name) for seen in shown}) == 1:
        return ("The supplier is found by its position on the page; show it on an order of another supplier too.",)
    return ()


def _elements(seen: SeenPage) -> list[HtmlElement]:
    """Return the visible elements whose text has the name, the smallest first."""
    wanted = folded(seen.page.supplier_name)
    found = [item for item in seen.tree.elements() if wanted in folded(text_of(item)) and is_shown(item)]
    if not found:
        raise ObservationError(f"{seen.page.file}: the page does not show the supplier {seen.page.supplier!r}.")
    return sorted(found, key=lambda item: len(text_of(item)))


def _pattern(text: str, name: str) -> str:
    """Return a pattern for the name within the text of its element."""
    start = folded(text).find(folded(name))
    before, after = text[:start], text[start + len(name) :]
    if not before.strip():
        return _WITHOUT_NUMBER if re.fullmatch(r"\s*(?:\(\d+\)\s*)?", after) else rf"^\s*(.*?)\s*{_kept(after)}"
    ending = r"(?:\(\d+\)\s*)?$" if re.fullmatch(r"\s*(?:\(\d+\)\s*)?", after) else _kept(after)
    return rf"{_kept(before)}(.*?)\s*{ending}"


def _kept(text: str) -> str:
    """Return a pattern for a fixed text, whatever its blanks and numbers are."""
    parts = [re.sub(r"\d+", lambda _: r"\d+", re.escape(word)) for word in text.split()]
    return r"\s*" + r"\s+".join(parts) + r"\s*"


def _value(seen: SeenPage, css: str, pattern: str) -> str:
    found = [item for item in seen.tree.select(css) if text_of(item)]
    if not found:
        return ""
    match = re.search(pattern, text_of(found[0]), re.DOTALL)
    return folded(match[1]) if match else ""
