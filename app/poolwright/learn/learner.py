"""Learns a pack from the observed pages of a portal, and tries it on each of them. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import urlsplit

from poolwright.learn.actions.late_list import LateList, late_list
from poolwright.learn.actions.list_opening import list_opening
from poolwright.learn.actions.listed_files import ListedFiles, listed_files, read_lists
from poolwright.learn.actions.page_calls import allowed_calls
from poolwright.learn.actions.search_form import (
    SearchForm,
    is_searched,
    search_form,
    search_pages,
    searched_numbers,
)
from poolwright.learn.examples import SeenPage
from poolwright.learn.file_links import FileSelectors, file_selectors, found_files, name_of
from poolwright.learn.file_names import NameCell, name_cell
from poolwright.learn.list_signs import LearnedSigns, list_signs
from poolwright.learn.login_page import learned_login
from poolwright.learn.next_page import NextButton, next_button
from poolwright.learn.observations import ObservationError, Observations, ShownKind, require_address
from poolwright.learn.order_numbers import OrderNumbers, order_address
from poolwright.learn.pack_text import PackParts, pack_text
from poolwright.learn.page_judge import problems_of
from poolwright.learn.page_marks import LearnedMarks, address_mark, element_mark, refusal_marks, refusal_marks_beside
from poolwright.learn.page_tree import PageTree, saved_address
from poolwright.learn.saved.language_words import language_words
from poolwright.learn.saved.saved_source import require_drawn
from poolwright.learn.supplier_field import supplier_field
from poolwright.portal import pack as packs
from poolwright.portal.addresses import origin_of
from poolwright.portal.pack import Pack

_GENERIC_NAMES = frozenset({"download", "open", "view", "show", "herunterladen", "\u00f6ffnen", "?", "pdf", "file"})

#: Statuses from here on refuse something.
_REFUSED = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A learned pack, what was found, and what is not sure."""

    text: str
    pack: Pack
    base_url: str
    #: Sentences about what was found.
    findings: tuple[str, ...]
    #: Sentences about what is not sure; they are comments at the top of the pack too.
    doubts: tuple[str, ...]
    #: Sentences about pages that the pack reads in another way than they were shown.
    problems: tuple[str, ...]


def seen_pages(observations: Observations, sources: Mapping[str, str]) -> list[SeenPage]:
    """Return the observed pages with their trees.

    Args:
        observations: What the pages are.
        sources: The HTML source of each file, or its JSON.

    Raises:
        ObservationError: A page has no web address, or a response is no JSON.
    """
    seen: list[SeenPage] = []
    for page in observations.pages:
        source = sources[page.file]
        address = require_address(page, page.address or saved_address(source))
        answers = tuple((one.address, _json(sources[one.file], one.file)) for one in page.responses)
        seen.append(SeenPage(page=page, tree=PageTree(source, address), answers=answers))
    return seen


def learn(name: str, observations: Observations, pages: Sequence[SeenPage]) -> Lesson:
    """Learn a pack.

    Args:
        name: The name of the pack.
        observations: What was observed.
        pages: The pages of the observations.

    Raises:
        ObservationError: The pages contradict each other, or do not have what a pack needs.
        PackError: The name is not valid.
    """
    require_drawn(pages)
    parts, doubts = _parts(name, observations, pages)
    language = language_words(parts, _by_kind(pages))
    doubts += language.doubts
    text = pack_text(parts, doubts, language.note)
    pack = packs.parse_toml(text, name)
    base_url = parts.numbers.base_url
    problems = [problem for seen in pages for problem in problems_of(pack, base_url, seen)]
    return Lesson(
        text=text,
        pack=pack,
        base_url=base_url,
        findings=(*_findings(parts, pages), *filter(None, (language.note,))),
        doubts=tuple(doubts),
        problems=tuple(problems),
    )


def _json(text: str, file: str) -> object:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ObservationError(f"{file} is not readable as JSON: {error}.") from error


def _by_kind(pages: Sequence[SeenPage]) -> dict[ShownKind, list[SeenPage]]:
    return {kind: [seen for seen in pages if seen.page.kind is kind] for kind in ShownKind}


def _parts(name: str, observations: Observations, pages: Sequence[SeenPage]) -> tuple[PackParts, list[str]]:
    of = _by_kind(pages)
    pages = _others(pages, ShownKind.LOADING)
    orders = of[ShownKind.ORDER]
    find, numbers = _search(of)
    lists = _lists(pages, of)
    login = learned_login(of[ShownKind.LOGIN], _others(pages, ShownKind.LOGIN), numbers.base_url)
    (not_found, forbidden), refusal_doubts = _refusals(of, login.lost, is_searched=find is not None)
    ready, ready_doubts = _ready(of)
    supplier = supplier_field(orders)
    calls = allowed_calls(_others(pages, ShownKind.LOGIN), numbers.base_url)
    opening = list_opening(orders)
    hosts, host_doubts = _file_hosts(orders, lists, numbers.base_url)
    learned = (numbers, *([find] if find else []), lists, login, supplier, calls, opening)
    doubts = [doubt for part in learned for doubt in part.doubts] + ready_doubts + host_doubts + refusal_doubts
    if of[ShownKind.RESULTS] and find is None:
        doubts.append("Orders have addresses with their numbers, so the search that was shown is not needed.")
    return PackParts(
        name=name,
        title=observations.title,
        numbers=numbers,
        probe=_probe(of[ShownKind.HOME], numbers.base_url),
        find=find,
        calls=calls,
        login=login,
        forbidden=forbidden,
        not_found=not_found,
        ready=ready,
        files=lists.files,
        listed=lists.listed,
        late=lists.late,
        names=lists.names,
        following=lists.following,
        opening=opening,
        file_hosts=hosts,
        signs=lists.signs,
        supplier=supplier,
    ), doubts


class _Lists(NamedTuple):
    """What is learned of the lists of attachments."""

    files: FileSelectors
    listed: ListedFiles
    late: LateList
    signs: LearnedSigns
    following: NextButton
    names: NameCell
    doubts: tuple[str, ...]


def _lists(pages: Sequence[SeenPage], of: Mapping[ShownKind, Sequence[SeenPage]]) -> _Lists:
    orders = of[ShownKind.ORDER]
    files, following = file_selectors(pages), next_button(orders)
    listed = listed_files(orders, files, has_next=bool(following.selector))
    is_read_elsewhere = listed.rule is not None or bool(following.selector)
    late = LateList() if is_read_elsewhere else late_list(orders, of[ShownKind.LOADING], files)
    others = [seen for seen in pages if seen.page.kind is not ShownKind.ORDER]
    signs = list_signs(orders, files, listed.counts, late.settled, others)
    doubts = [*files.doubts, *listed.doubts, *signs.doubts]
    # A number that counts the files tells a list that was cut short: unread pages or parts do no harm in silence.
    doubts += following.doubts if following.selector or not signs.count_selector else ()
    doubts += late.doubts if late.settled or not signs.count_selector else ()
    names = name_cell(orders, files)
    if listed.rule is None:
        doubts += names.doubts if names.is_needed else _name_doubts(orders, files)
    return _Lists(files, listed, late, signs, following, names, tuple(doubts))


def _search(of: Mapping[ShownKind, Sequence[SeenPage]]) -> tuple[SearchForm | None, OrderNumbers]:
    """Return how orders are searched, if their addresses do not have their numbers, and where they are."""
    orders, nothing = of[ShownKind.ORDER], of[ShownKind.NOT_FOUND]
    if not (is_searched(orders) and of[ShownKind.RESULTS]):
        return None, order_address(orders, nothing)
    shown = search_pages(of)
    return search_form(shown), searched_numbers(orders, shown)


def _refusals(
    of: Mapping[ShownKind, Sequence[SeenPage]], lost: LearnedMarks, *, is_searched: bool
) -> tuple[tuple[LearnedMarks, LearnedMarks], list[str]]:
    """Return the marks of missing and of forbidden orders, and what is not sure of them.

    That a search finds nothing is no mark of a missing order: its page may say so before the search.
    """
    # A log-out must not be taken for a missing order: what a login page shows too is no mark.
    usable, logins = [*of[ShownKind.ORDER], *of[ShownKind.HOME]], of[ShownKind.LOGIN]
    missing, denied = of[ShownKind.NOT_FOUND], of[ShownKind.FORBIDDEN]
    not_found, unmarked = refusal_marks(missing, [*usable, *logins, *denied], HTTPStatus.NOT_FOUND)
    forbidden, unmarked_too = refusal_marks_beside(denied, [*usable, *missing], logins, HTTPStatus.FORBIDDEN, lost)
    if is_searched:
        not_found, unmarked = LearnedMarks(status=(HTTPStatus.NOT_FOUND.value,)), []
    for marks, kind in ((not_found, ShownKind.NOT_FOUND), (forbidden, ShownKind.FORBIDDEN)):
        if marks.is_empty():
            shown = " and ".join(seen.page.file for seen in (*logins, *of[kind]) if seen.page.status >= _REFUSED)
            raise ObservationError(
                f"{shown}: nothing tells an order that is refused ({kind}) from one that nobody is logged in to see, "
                "so a log-out would be filed as a refusal. Show as login pages only such that have a form or say that "
                "nobody is logged in."
            )
    doubts = [_unmarked(seen) for seen in (*unmarked, *unmarked_too)]
    if not denied:
        doubts.append("No order that you may not see was shown; status 403 stands for it.")
    return (not_found, forbidden), doubts


def _others(pages: Sequence[SeenPage], kind: ShownKind) -> list[SeenPage]:
    return [seen for seen in pages if seen.page.kind is not kind]


def _unmarked(seen: SeenPage) -> str:
    return (
        f"{seen.page.file}: nothing tells this page ({seen.page.kind}) from the pages of orders, so such an order "
        "will end as portal_changed."
    )


def _probe(homes: Sequence[SeenPage], base_url: str) -> str:
    parts = urlsplit(homes[0].tree.address)
    if origin_of(homes[0].tree.address) != origin_of(base_url):
        raise ObservationError(
            f"{homes[0].page.file}: the page after the login is on another host than the orders ({parts.hostname}). "
            "Show a page of the portal itself."
        )
    query, fragment = (f"?{parts.query}" if parts.query else ""), (f"#{parts.fragment}" if parts.fragment else "")
    return f"{parts.path or '/'}{query}{fragment}"


def _ready(of: Mapping[ShownKind, Sequence[SeenPage]]) -> tuple[LearnedMarks, list[str]]:
    """Return the marks of pages that a logged-in user sees: elements of orders, and of the probe."""
    others = [seen for kind in (ShownKind.LOGIN, ShownKind.NOT_FOUND, ShownKind.FORBIDDEN) for seen in of[kind]]
    orders, homes = of[ShownKind.ORDER], of[ShownKind.HOME]
    order_mark, home_mark = element_mark(orders, others), element_mark(homes, others)
    addresses = [] if home_mark else [address_mark(homes[0], [*others, *orders])]
    doubts: list[str] = []
    if not order_mark:
        raise ObservationError(
            f"{orders[0].page.file}: no element is on all pages of orders and on no other page, so orders cannot be "
            "told from errors."
        )
    if not home_mark and not any(addresses):
        doubts.append(f"{homes[0].page.file}: nothing tells the page after the login from other pages.")
    selectors = tuple(dict.fromkeys(filter(None, (order_mark, home_mark))))
    return LearnedMarks(address=tuple(filter(None, addresses)), selector=selectors), doubts


def _file_hosts(orders: Sequence[SeenPage], lists: _Lists, base_url: str) -> tuple[list[str], list[str]]:
    """Return the other hosts that files are on; only such over HTTPS can be named in a pack."""
    hosts: dict[str, None] = {}
    doubts: list[str] = []
    for seen in orders:
        for name, address in _file_addresses(seen, lists):
            origin = origin_of(address)
            if origin is None or origin == origin_of(base_url):
                continue
            if address.startswith("https:") and urlsplit(address).port in {None, 443}:
                hosts[origin.host] = None
            else:
                doubts.append(f"{seen.page.file}: {name!r} is on {origin.host} without HTTPS and cannot be had.")
    return list(hosts), doubts


def _file_addresses(seen: SeenPage, lists: _Lists) -> Iterator[tuple[str, str]]:
    """Yield name and address of each file of an order."""
    if lists.listed.rule is not None:
        yield from ((address, address) for address in read_lists(lists.listed.rule, seen) or ())
        return
    for item in found_files(seen, lists.files):
        yield name_of(item), seen.tree.address_of(item, lists.files.address_attributes)


def _name_doubts(orders: Sequence[SeenPage], files: FileSelectors) -> list[str]:
    names = [name_of(item) for seen in orders for item in found_files(seen, files)]
    if names and all(name.casefold() in _GENERIC_NAMES for name in names):
        return [f"The links say only {names[0]!r}; files have the names that the portal sends with them."]
    return []


def _findings(parts: PackParts, pages: Sequence[SeenPage]) -> list[str]:
    found = [*_places(parts)]
    rule = parts.listed.rule
    from_page = ", ".join((*parts.files.links, *parts.files.clicks))
    found.append(f"Attachments: {f'the response to {rule.request}' if rule else from_page}.")
    for seen in pages:
        if seen.page.kind is ShownKind.ORDER:
            names = [name_of(item) for item in found_files(seen, parts.files)]
            names = read_lists(rule, seen) or [] if rule else names
            found.append(f"{seen.page.file}: {len(names)} attachments{': ' if names else ''}{', '.join(names)}")
    found += [f"The list is opened by a click on {one.click}." for one in parts.opening.clicks]
    if parts.following.selector:
        found.append(f"Further pages of a list come by {parts.following.selector}.")
    found += _sign_findings(parts)
    login = "a form" if parts.login.user else "two forms" if parts.login.steps else "a person"
    login = "the browser itself (HTTP)" if parts.login.is_http else login
    found.append(f"A login is seen and done by {login}; the probe is {parts.probe}.")
    if parts.names.is_needed and rule is None:
        found.append(f"The names of files are in {parts.names.closest} {parts.names.selector}.")
    if parts.supplier.selector:
        found.append(f"The supplier is in {parts.supplier.selector}.")
    return found


def _sign_findings(parts: PackParts) -> Iterator[str]:
    if parts.late.settled:
        yield f"A list is whole once {parts.late.settled} is there."
    if parts.signs.count_selector:
        yield f"The page tells their number in {parts.signs.count_selector}."
    if parts.signs.empty.text:
        yield f"None are meant by {', '.join(map(repr, parts.signs.empty.text))}."
    if parts.signs.empty_list:
        yield f"None are meant by {parts.signs.empty_list}."


def _places(parts: PackParts) -> Iterator[str]:
    yield f"Orders are at {parts.numbers.base_url}{parts.numbers.order}; {parts.numbers.describe}."
    if parts.find:
        yield f"They are searched on {parts.find.page}; the results are {parts.find.links}."
