"""Decides how orders are searched whose addresses nobody knows: the table ``[site.find]`` of a pack. Pure.

A search that shows other orders only is believed to have found none. So nothing is learned that could take a page before
its results have arrived, or a result of another number, for the answer.
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

from lxml.html import HtmlElement

from poolwright.learn.actions.page_calls import Post
from poolwright.learn.examples import SeenPage, is_action, look_alikes, row_of, shown_elements
from poolwright.learn.list_signs import says_none
from poolwright.learn.observations import ObservationError, ShownKind
from poolwright.learn.order_numbers import OrderNumbers, number_pattern
from poolwright.learn.page_marks import LearnedMarks, element_mark, text_marks
from poolwright.learn.page_tree import FIELD_MARK, SUBMIT_MARK, folded, is_shown, text_of
from poolwright.learn.selectors import POSITION_COST, candidates
from poolwright.portal.addresses import origin_of
from poolwright.portal.step_schema import SearchRules

_FIELD_TYPES = frozenset({"", "text", "search", "number", "tel"})
_LABELS = ("name", "id", "placeholder", "aria-label", "title")
_NUMBER = "{number}"
#: Orders from which it is seen what their addresses have in common.
_ORDERS_MIN = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchForm:
    """The search of a portal."""

    #: The search page below the portal's address, with ``{number}`` if it is searched by an address.
    page: str
    #: What is done on it; each is a table of the pack.
    steps: tuple[Mapping[str, str], ...] = ()
    links: str
    #: What a result says.
    text: str
    #: The row of a result and the cell in it that says so; empty if the link itself does.
    closest: str = ""
    cell: str = ""
    ready: tuple[str, ...]
    empty: LearnedMarks
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hit:
    """A result that a person showed, and what it says."""

    seen: SeenPage
    link: HtmlElement
    text: str
    row: HtmlElement | None = None
    cell: HtmlElement | None = None


def is_searched(orders: Sequence[SeenPage]) -> bool:
    """Return whether the address of an order does not have its number, so that the portal must be searched."""
    return any(not _has_number(seen) for seen in orders)


def searched_numbers(orders: Sequence[SeenPage], pages: SearchPages) -> OrderNumbers:
    """Return where the pages of searched orders are, and what numbers look like.

    Raises:
        ObservationError: The orders have nothing in common, or no addresses of their own.
    """
    addresses = [seen.tree.address for seen in orders]
    led_to = [_address_of(seen, link) for seen in pages.results for link in _shown_links(seen)]
    rests = list(dict.fromkeys(_below(address) for address in [*addresses, *filter(None, led_to)]))
    origins = {"{0.scheme}://{0.netloc}".format(urlsplit(address)) for address in addresses}
    if len(set(addresses)) < _ORDERS_MIN or len(rests) < _ORDERS_MIN or len(origins) > 1:
        raise ObservationError(
            f"The pages of the orders are at {' and '.join(dict.fromkeys(addresses))}. Show at least two orders of one "
            "portal: what their addresses have in common is where orders are. An order without an address of its own "
            "cannot be opened by a pack."
        )
    common = re.sub(r"[^/=#]*$", "", os.path.commonprefix(rests)) or "/"
    numbers = [seen.page.number.strip() for seen in (*orders, *pages.results)]
    unknown = [seen.page.number.strip() for seen in pages.nothing]
    return OrderNumbers(
        base_url=origins.pop(),
        order=common,
        prefixes=(),
        pattern=number_pattern([*numbers, *unknown]),
        separators="",
        example=numbers[0],
        describe=f"numbers like {numbers[0]}",
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
    hits = [_hit(seen) for seen in pages.results]
    links = _links(hits, pages)
    path, steps, posts, doubts = _way(pages, links)
    empty, unmarked = text_marks(pages.nothing, [*pages.results, *pages.before], says_none)
    if unmarked or empty.is_empty():
        file = (*unmarked, *pages.nothing)[0].page.file
        doubts.append(f"{file}: it does not say in words that nothing was found, so no order is ever not_found.")
    text, closest, cell = _told_by(hits, links)
    return SearchForm(
        page=path,
        steps=steps,
        links=links,
        text=text,
        closest=closest,
        cell=cell,
        ready=_ready(pages, has_steps=bool(steps)),
        empty=LearnedMarks() if unmarked else empty,
        posts=posts,
        doubts=tuple(doubts),
    )


def number_text(text: str, number: str) -> str:
    """Return a text with ``{number}`` in place of the number; empty if it does not say the number as a whole word."""
    shown, wanted = " ".join(text.split()), number.strip()
    found = re.search(rf"(?<![A-Za-z0-9]){re.escape(wanted)}(?![A-Za-z0-9])", shown, re.IGNORECASE)
    if found is None or "{" in shown:
        return ""
    return f"{shown[: found.start()]}{_NUMBER}{shown[found.end() :]}"


def says_number(template: str, text: str, number: str) -> bool:
    """Return whether a text says exactly the number, as a worker compares them."""
    return folded(text) == folded(template.replace(_NUMBER, number))


def _below(address: str) -> str:
    return "/" + address.partition("://")[2].partition("/")[2]


def _has_number(seen: SeenPage) -> bool:
    number = re.sub(r"^[A-Za-z]{1,6}[ \-_#:./]*(?=\d)", "", seen.page.number.strip())
    rest = _below(seen.tree.address).casefold()
    forms = {number, re.sub(r"[ \-]", "", number)}
    return any(form.casefold() in rest for one in forms for form in (one, quote(one, safe="")))


def _address_of(seen: SeenPage, link: HtmlElement) -> str:
    href = (link.get("href") or "").strip()
    if not href or href == "#" or href.startswith("javascript:"):
        return ""
    address = urljoin(seen.tree.address, href)
    return address if origin_of(address) == origin_of(seen.tree.address) else ""


def _shown_links(seen: SeenPage) -> list[HtmlElement]:
    return shown_elements(seen, [seen.page.result or seen.page.number])


def _hit(seen: SeenPage) -> _Hit:
    link, number = _shown_links(seen)[0], seen.page.number
    own = number_text(text_of(link), number)
    row = row_of(link)
    if own != _NUMBER and row is not None:
        for cell in row.iterdescendants():
            if isinstance(cell.tag, str) and is_shown(cell) and number_text(text_of(cell), number) == _NUMBER:
                return _Hit(seen=seen, link=link, text=_NUMBER, row=row, cell=cell)
    if not own:
        raise ObservationError(
            f"{seen.page.file}: neither the result that was shown nor a cell of its row says exactly {number}."
        )
    return _Hit(seen=seen, link=link, text=own)


def _links(hits: Sequence[_Hit], pages: SearchPages) -> str:
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
        raise ObservationError(f"{pages.results[0].page.file}: nothing tells the results from other elements.")
    return best[-1]


def _told_by(hits: Sequence[_Hit], links: str) -> tuple[str, str, str]:
    """Return what a result says, and the row and cell in which it says so."""
    first = hits[0]
    if first.cell is None or first.row is None:
        text = first.text
        others = [item for hit in hits for item in hit.seen.tree.select(links) if item is not first.link]
        before, _, after = folded(text).partition(_NUMBER)
        shown = [folded(text_of(item)) for item in others]
        is_one = bool(shown) and all(one.startswith(before) and one.endswith(after) for one in shown)
        if any(hit.text != text for hit in hits) or (text != _NUMBER and not is_one):
            raise ObservationError(
                f"{first.seen.page.file}: the result says {text_of(first.link)!r}, and it is not known which part of "
                "that is the same for other orders. Show a search that finds several orders, or a second one."
            )
        return text, "", ""
    closest = f"[role='{first.row.get('role')}']" if first.row.get("role") else str(first.row.tag)
    for candidate in candidates(first.cell):
        if all(_cell_says(hit, candidate.css) for hit in hits):
            return _NUMBER, closest, candidate.css
    raise ObservationError(f"{first.seen.page.file}: nothing tells the cell with the number from other cells.")


def _cell_says(hit: _Hit, css: str) -> bool:
    found = hit.row.cssselect(css) if hit.row is not None else []
    return bool(found) and says_number(_NUMBER, text_of(found[0]), hit.seen.page.number.strip())


def _way(pages: SearchPages, links: str) -> tuple[str, tuple[Mapping[str, str], ...], tuple[Post, ...], list[str]]:
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
    until = _until(pages)
    if not until and before.tree.select(links):
        raise ObservationError(
            f"{before.page.file}: it shows orders before the search, and nothing tells the results from them."
        )
    press = {"click": names[1]} if button is not None else {"press": "Enter", "on": names[0]}
    step = {**press, "until": until} if until else press
    posts, doubts = _form_posts(before, field, button)
    if not until:
        doubts.append("Nothing shows that a search has ended, so a run waits until the page is quiet.")
    return _below(before.tree.address), ({"fill": names[0], "value": _NUMBER}, step), posts, doubts


def _with_number(seen: SeenPage) -> str:
    """Return the address of results with ``{number}`` in place of the number; empty if it is not in it."""
    rest, number = _below(seen.tree.address), seen.page.number.strip()
    for form in dict.fromkeys((quote(number, safe=""), number, number.replace(" ", "+"))):
        if len(parts := re.split(rf"(?<![A-Za-z0-9]){re.escape(form)}(?![A-Za-z0-9])", rest)) == 2:  # noqa: PLR2004 - once
            return _NUMBER.join(parts)
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


def _until(pages: SearchPages) -> str:
    """Return a selector of what a search brings, whether it finds something or nothing; empty if nothing is known."""
    if both := element_mark([*pages.results, *pages.nothing], pages.before):
        return both
    parts = [element_mark(shown, pages.before) for shown in (pages.results, pages.nothing)]
    return ", ".join(parts) if all(parts) else ""


def _form_posts(
    seen: SeenPage, field: HtmlElement, button: HtmlElement | None
) -> tuple[tuple[Post, ...], list[str]]:
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
            hits[_address_of(seen, link) or str(place)] = None
    return len(hits)
