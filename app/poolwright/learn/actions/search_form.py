"""Decides how orders are searched whose addresses nobody knows: the table ``[site.find]`` of a pack. Pure.

A search that shows other orders only is believed to have found none. So nothing is learned that could take a page
before its results have arrived, or a result of another number, for the answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TypeAlias
from urllib.parse import quote, urljoin, urlsplit

from lxml.html import HtmlElement

from poolwright.learn.actions.page_calls import Post
from poolwright.learn.actions.search_results import NUMBER, link_address, result_links, shown_hit, shown_links, told_by
from poolwright.learn.examples import SeenPage
from poolwright.learn.list_signs import says_none
from poolwright.learn.next_page import NextButton, next_button
from poolwright.learn.observations import ObservationError, ShownKind
from poolwright.learn.order_numbers import OrderNumbers, number_pattern
from poolwright.learn.page_marks import LearnedMarks, element_mark, text_marks
from poolwright.learn.page_tree import FIELD_MARK, SUBMIT_MARK, folded, is_shown, text_of
from poolwright.learn.selectors import POSITION_COST, candidates

#: A step as a pack has it.
Step: TypeAlias = Mapping[str, str | tuple[str, ...]]

_FIELD_TYPES = frozenset({"", "text", "search", "number", "tel"})
_LABELS = ("name", "id", "placeholder", "aria-label", "title")
#: Orders from which it is seen what their addresses have in common.
_ORDERS_MIN = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchForm:
    """The search of a portal."""

    #: The search page below the portal's address, with ``{number}`` if it is searched by an address.
    page: str
    #: What is done on it; each is a table of the pack.
    steps: tuple[Step, ...] = ()
    links: str
    #: What a result says.
    text: str
    #: The row of a result and the cell in it that says so; empty if the link itself does.
    closest: str = ""
    cell: str = ""
    ready: tuple[str, ...]
    empty: LearnedMarks
    #: The button to the next page of the results.
    following: NextButton = field(default_factory=NextButton)
    #: The request by which the form is sent, if it is a POST.
    posts: tuple[Post, ...] = ()
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPages:
    """The pages of a search that were shown."""

    before: Sequence[SeenPage]
    results: Sequence[SeenPage]
    #: Of numbers that do not exist.
    nothing: Sequence[SeenPage]
    #: The login pages.
    logins: Sequence[SeenPage]


def search_pages(of: Mapping[ShownKind, Sequence[SeenPage]]) -> SearchPages:
    """Return the pages of a search among all that were shown."""
    return SearchPages(
        before=of[ShownKind.SEARCH],
        results=of[ShownKind.RESULTS],
        nothing=of[ShownKind.NOT_FOUND],
        logins=of[ShownKind.LOGIN],
    )


def is_searched(orders: Sequence[SeenPage]) -> bool:
    """Return whether the address of an order does not have its number, so that the portal must be searched."""
    return any(not _has_number(seen) for seen in orders)


def searched_numbers(orders: Sequence[SeenPage], pages: SearchPages) -> OrderNumbers:
    """Return where the pages of searched orders are, and what numbers look like.

    Raises:
        ObservationError: The orders have nothing in common, or no addresses of their own.
    """
    addresses = [seen.tree.address for seen in orders]
    led_to = [link_address(seen, link) for seen in pages.results for link in shown_links(seen)]
    rests = list(dict.fromkeys(_below(address) for address in [*addresses, *filter(None, led_to)]))
    origins = {"{0.scheme}://{0.netloc}".format(urlsplit(address)) for address in addresses}
    if len(set(addresses)) < _ORDERS_MIN or len(rests) < _ORDERS_MIN or len(origins) > 1:
        raise ObservationError(
            f"The pages of the orders are at {' and '.join(dict.fromkeys(addresses))}. Show at least two orders of one "
            "portal: what their addresses have in common is where orders are. An order without an address of its own "
            "cannot be opened by a pack."
        )
    shared = "".join(signs[0] for signs in takewhile(lambda signs: len(set(signs)) == 1, zip(*rests, strict=False)))
    common = re.sub(r"[^/=#]*$", "", shared) or "/"
    numbers = [seen.page.number.strip() for seen in (*orders, *pages.results)]
    pattern = number_pattern(numbers)
    odd = [seen.page.number for seen in pages.nothing if not re.fullmatch(pattern, seen.page.number.strip())]
    return OrderNumbers(
        base_url=origins.pop(),
        order=common,
        prefixes=(),
        pattern=pattern,
        separators="",
        example=numbers[0],
        describe=f"numbers like {numbers[0]}",
        doubts=tuple(f"The unknown number {one} does not look like the other ones; it is refused." for one in odd),
    )


def search_form(pages: SearchPages) -> SearchForm:
    """Return the search of a portal.

    Raises:
        ObservationError: What was shown does not say how to search, or how to tell the results.
    """
    if not pages.results:
        raise ObservationError(
            "The addresses of the orders do not contain their numbers, so a run must search for them: show the page "
            "with the results of a search for an order too (kind 'results'), and the page before it (kind 'search')."
        )
    hits = [shown_hit(seen) for seen in pages.results]
    links = result_links(hits)
    path, steps, posts, doubts = _way(pages, links)
    empty, unmarked = text_marks(pages.nothing, [*pages.results, *pages.before], says_none)
    if unmarked or empty.is_empty():
        file = (*unmarked, *pages.nothing)[0].page.file
        doubts.append(f"{file}: it does not say in words that nothing was found, so no order is ever not_found.")
    text, closest, cell = told_by(hits, links)
    following = next_button([*pages.results, *pages.nothing])
    return SearchForm(
        page=path,
        steps=steps,
        links=links,
        text=text,
        closest=closest,
        cell=cell,
        ready=_ready(pages, has_steps=bool(steps)),
        empty=LearnedMarks() if unmarked else empty,
        following=following,
        posts=posts,
        doubts=(*doubts, *following.doubts),
    )


def _below(address: str) -> str:
    return "/" + address.partition("://")[2].partition("/")[2]


def _has_number(seen: SeenPage) -> bool:
    number = re.sub(r"^[A-Za-z]{1,6}[ \-_#:./]*(?=\d)", "", seen.page.number.strip())
    rest = _below(seen.tree.address).casefold()
    forms = {number, re.sub(r"[ \-]", "", number)}
    return any(form.casefold() in rest for one in forms for form in (one, quote(one, safe="")))


def _way(pages: SearchPages, links: str) -> tuple[str, tuple[Step, ...], tuple[Post, ...], list[str]]:
    """Return search page, steps, listed POSTs, and what is not sure."""
    by_address = [_with_number(seen) for seen in (*pages.results, *pages.nothing)]
    if len(set(by_address)) == 1 and by_address[0]:
        return by_address[0], (), (), []
    if not pages.before:
        raise ObservationError(
            f"{pages.results[0].page.file}: its address does not contain the number that was searched for, so the page "
            "before the search must be shown too (kind 'search')."
        )
    before = pages.before[0]
    field, button = _field(before), _button(before)
    names = [_unique(before, item) for item in (field, button) if item is not None]
    if not all(names):
        raise ObservationError(f"{before.page.file}: nothing tells the search field or its button from other elements.")
    until, until_text = _until(pages)
    if not until and before.tree.select(links):
        raise ObservationError(
            f"{before.page.file}: it shows orders before the search, and nothing tells the results from them."
        )
    press = {"click": names[1]} if button is not None else {"press": "Enter", "on": names[0]}
    if before.page.typed:
        press = {"press": "End", "on": names[0]}  # scripts that wait for a key hear of one
    step: Step = {**press, **({"until": until} if until else {})}
    if until_text:
        step = {**step, "until_text": until_text}
    posts, doubts = _form_posts(before, field, button)
    if not until:
        doubts.append("Nothing shows that a search has ended, so a run waits until the page is quiet.")
    return _below(before.tree.address), ({"fill": names[0], "value": NUMBER}, step), posts, doubts


def _with_number(seen: SeenPage) -> str:
    """Return the address of results with ``{number}`` in place of the number; empty if it is not in it."""
    rest, number = _below(seen.tree.address), seen.page.number.strip()
    for form in dict.fromkeys((quote(number, safe=""), number, number.replace(" ", "+"))):
        if len(parts := re.split(rf"(?<![A-Za-z0-9]){re.escape(form)}(?![A-Za-z0-9])", rest)) == 2:  # noqa: PLR2004 - once
            return NUMBER.join(parts)
    return ""


def _field(seen: SeenPage) -> HtmlElement:
    fields = [item for item in seen.tree.select("input, textarea") if _is_field(item)]
    marked = [item for item in fields if item.get(FIELD_MARK) is not None]
    wanted = folded(seen.page.field)
    named = [item for item in fields if wanted and wanted in _labels(seen, item)]
    found = marked or named or ([] if wanted else fields)
    if len(found) != 1:
        raise ObservationError(
            f"{seen.page.file}: {len(found)} fields may be that of the search; say which one (field = its label, name, "
            "id or placeholder)."
        )
    return found[0]


def _is_field(element: HtmlElement) -> bool:
    is_text = element.tag == "textarea" or (element.get("type") or "").lower() in _FIELD_TYPES
    return is_text and element.get("readonly") is None and element.get("disabled") is None and is_shown(element)


def _labels(seen: SeenPage, element: HtmlElement) -> set[str]:
    labels = [item for item in seen.tree.select("label") if element.get("id") and item.get("for") == element.get("id")]
    labels += [item for item in element.iterancestors() if item.tag == "label"]
    return {folded(element.get(name) or "") for name in _LABELS} | {folded(text_of(item)) for item in labels}


def _button(seen: SeenPage) -> HtmlElement | None:
    items = list(seen.tree.elements())
    if marked := [item for item in items if item.get(SUBMIT_MARK) is not None]:
        return marked[0]
    if not seen.page.button:
        return None
    wanted = folded(seen.page.button)
    named = [item for item in items if _is_button(item) and wanted in {folded(text) for text in _button_texts(item)}]
    if len(named) != 1:
        raise ObservationError(f"{seen.page.file}: {len(named)} buttons say {seen.page.button!r}.")
    return named[0]


def _is_button(element: HtmlElement) -> bool:
    return element.tag in {"button", "a"} or (element.get("type") or "").lower() in {"submit", "button", "image"}


def _button_texts(element: HtmlElement) -> Iterator[str]:
    yield from (text_of(element), *(element.get(name) or "" for name in ("value", "title", "aria-label")))


def _unique(seen: SeenPage, element: HtmlElement) -> str:
    usable = [one.css for one in candidates(element) if one.cost < POSITION_COST]
    # The name of a field is what the server reads, so it stays, however short it is.
    own = ((name, element.get(name) or "") for name in _LABELS)
    usable += [f"{element.tag}[{name}='{value}']" for name, value in own if value and not re.search(r"['\\\n]", value)]
    return next((css for css in usable if seen.tree.select(css) == [element]), "")


def _until(pages: SearchPages) -> tuple[str, tuple[str, ...]]:
    """Return what a search brings, whether it finds something or nothing: a selector, and texts of which one is in it.

    Both are empty if nothing is known.
    """
    shown = [*pages.results, *pages.nothing]
    if both := element_mark(shown, pages.before):
        return both, ()
    parts = [element_mark(some, pages.before) for some in (pages.results, pages.nothing)]
    if all(parts):
        return ", ".join(parts), ()
    texts, unmarked = text_marks(shown, pages.before)
    is_sure = not unmarked and bool(texts.text)
    return (", ".join(texts.within), texts.text) if is_sure else ("", ())


def _form_posts(seen: SeenPage, field: HtmlElement, button: HtmlElement | None) -> tuple[tuple[Post, ...], list[str]]:
    """Return the listed POST of a search form that is sent by one."""
    form = next((item for item in field.iterancestors() if item.tag == "form"), None)
    if form is None or (form.get("method") or "").lower() != "post":
        return (), []
    target = urljoin(seen.tree.address, form.get("action") or "")
    address = f"^{re.escape(urlsplit(target).path)}(?:\\?|$)"
    doubt = f"The search is sent by POST; site.posts allows it ({address}). Check that it changes nothing."
    name = button.get("name") if button is not None else None
    if button is not None and name and button.get("value"):
        return ({"address": address, "body": {name: (button.get("value") or "",)}},), [doubt]
    return (address,), [doubt]


def _ready(pages: SearchPages, *, has_steps: bool) -> tuple[str, ...]:
    """Return the selectors of the search page and of its results, which no login page shows."""
    kinds = [list(kind) for kind in (pages.before if has_steps else (), pages.results, pages.nothing) if kind]
    if common := element_mark([seen for kind in kinds for seen in kind], pages.logins):
        return (common,)
    found = [element_mark(kind, pages.logins) for kind in kinds]
    if not all(found):
        raise ObservationError(f"{kinds[0][0].page.file}: nothing tells the pages of the search from a login page.")
    return tuple(dict.fromkeys(found))
