"""Decides which selectors find the attachments of an order: all of them, and nothing on pages without any. Pure.

A selector that is too narrow would lose attachments of the next order without a sign. So selectors are compared with
all the elements at the same kind of place, and with the number of files that the page has, if it is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from lxml.html import HtmlElement

from poolwright.learn.examples import (
    SeenPage,
    address_attributes,
    example_elements,
    is_action,
    look_alikes,
    row_mates,
)
from poolwright.learn.next_page import next_element
from poolwright.learn.observations import ObservationError, ShownKind
from poolwright.learn.page_tree import text_of
from poolwright.learn.selectors import POSITION_COST, Candidate, candidates

_USUAL_ATTRIBUTES = ("href", "data-url")
#: Candidates whose costs differ by less are equally good reasons.
_CLOSE_COST = 3
_SHOWN_NAMES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSelectors:
    """The selectors of attachments."""

    links: tuple[str, ...] = ()
    clicks: tuple[str, ...] = ()
    address_attributes: tuple[str, ...] = _USUAL_ATTRIBUTES
    #: Sentences about what is not sure.
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Group:
    """Examples that one selector may find: elements of one tag, with or without an address."""

    pages: Sequence[SeenPage]
    examples: dict[str, list[HtmlElement]]
    attributes: tuple[str, ...]

    @cached_property
    def expected(self) -> dict[str, set[HtmlElement]]:
        """Return the elements at the same places as the examples, by the file of the page."""
        by_file = {seen.page.file: seen for seen in self.pages}
        return {
            file: {item for example in items for item in look_alikes(by_file[file], example)} | set(items)
            for file, items in self.examples.items()
        }

    @cached_property
    def excluded(self) -> set[HtmlElement]:
        """Return what must not be found: other elements in the rows of the examples."""
        items = [example for examples in self.examples.values() for example in examples]
        buttons = {item for seen in self.pages if (item := next_element(seen)) is not None}
        return ({mate for example in items for mate in row_mates(example)} | buttons) - set(items)


def file_selectors(pages: Sequence[SeenPage]) -> FileSelectors:
    """Return the selectors of the attachments on all pages.

    Raises:
        ObservationError: An attachment is not on its page, or no selector tells the attachments from other elements.
    """
    chosen: dict[bool, list[str]] = {True: [], False: []}
    doubts: list[str] = []
    attributes: dict[str, None] = dict.fromkeys(_USUAL_ATTRIBUTES)
    for group in _groups(pages):
        attributes.update(dict.fromkeys(group.attributes))
        for candidate in _chosen(pages, group):
            chosen[bool(group.attributes)].append(candidate.css)
            doubts += _doubts(pages, group, candidate)
    selectors = FileSelectors(
        links=tuple(dict.fromkeys(chosen[True])),
        clicks=tuple(dict.fromkeys(chosen[False])),
        address_attributes=tuple(attributes),
    )
    doubts += _count_doubts(pages, selectors)
    return FileSelectors(
        links=selectors.links,
        clicks=selectors.clicks,
        address_attributes=selectors.address_attributes,
        doubts=tuple(dict.fromkeys(doubts)),
    )


def found_files(seen: SeenPage, selectors: FileSelectors) -> list[HtmlElement]:
    """Return one element for each file that selectors find on a page; two elements with one address are one file."""
    files: dict[str, HtmlElement] = {}
    for number, selector in enumerate((*selectors.links, *selectors.clicks)):
        for place, item in enumerate(seen.tree.select(selector)):
            address = seen.tree.address_of(item, selectors.address_attributes)
            if not address.startswith(("mailto:", "tel:")) and item not in files.values():
                files.setdefault(address or f"{number} {place}", item)
    return list(files.values())


def name_of(element: HtmlElement) -> str:
    """Return what a page calls a file, for messages."""
    text = "".join(filter(str.isprintable, text_of(element))).strip()  # some links have only unseen signs
    return text[:80] or element.get("title") or element.get("aria-label") or element.get("href") or "?"


def _groups(pages: Sequence[SeenPage]) -> list[_Group]:
    by_kind: dict[tuple[str, tuple[str, ...]], dict[str, list[HtmlElement]]] = {}
    for seen in pages:
        for element in example_elements(seen) if seen.page.has_files else ():
            usable = [name for name in address_attributes(element) if seen.tree.address_of(element, (name,))]
            kind = (str(element.tag), tuple(usable[:1]))
            by_kind.setdefault(kind, {}).setdefault(seen.page.file, []).append(element)
    return [
        _Group(pages=[seen for seen in pages if seen.page.file in examples], examples=examples, attributes=attributes)
        for (_, attributes), examples in by_kind.items()
    ]


def _chosen(pages: Sequence[SeenPage], group: _Group) -> list[Candidate]:
    """Return one selector for all examples of a group, or one for each of several parts of it."""
    left = [(seen, item) for seen in group.pages for item in group.examples[seen.page.file]]
    chosen: list[Candidate] = []
    while left:
        seen, example = left[0]
        usable = [one for one in candidates(example) if _is_usable(pages, group, one.css)]
        if not usable:
            raise ObservationError(
                f"{seen.page.file}: no selector tells the attachment {name_of(example)!r} from other elements of "
                "the pages."
            )
        best = min(usable, key=lambda one: _rank(group, one, [item for _, item in left]))
        chosen.append(best)
        found = {item for page in group.pages for item in page.tree.select(best.css)}
        left = [(page, item) for page, item in left if item not in found]
    return chosen


def _is_usable(pages: Sequence[SeenPage], group: _Group, css: str) -> bool:
    for seen in pages:
        found = seen.tree.select(css)
        if found and not seen.page.has_files:
            return False
        if any(item in group.excluded or is_action(item) for item in found):
            return False
        if group.attributes and not all(seen.tree.address_of(item, group.attributes) for item in found):
            return False
    return True


def _rank(group: _Group, candidate: Candidate, left: Iterable[HtmlElement]) -> tuple[float, ...]:
    """Return the order of preference: all examples, no position, what is alike, the known number, then the cost."""
    found = {seen.page.file: set(seen.tree.select(candidate.css)) for seen in group.pages}
    everything = {item for items in found.values() for item in items}
    missed = sum(item not in everything for item in left)
    unlike = sum(_distance(found[file], expected) for file, expected in group.expected.items())
    miscounted = sum(_is_counted(seen) and len(found[seen.page.file]) != seen.page.count for seen in group.pages)
    is_position = candidate.cost >= POSITION_COST
    return missed, miscounted, round(unlike, 3), is_position, candidate.cost, len(candidate.css)


def _distance(found: set[HtmlElement], expected: set[HtmlElement]) -> float:
    """Return 0 for equal sets and 1 for sets without a common element."""
    return 1 - len(found & expected) / len(found | expected)


def _doubts(pages: Sequence[SeenPage], group: _Group, chosen: Candidate) -> list[str]:
    doubts: list[str] = []
    if chosen.cost >= POSITION_COST:
        doubts.append(
            f"The attachments are found by their position ({chosen.css}): another column or row before them would "
            "mislead it."
        )
    for seen in group.pages:
        found = set(seen.tree.select(chosen.css))
        expected = group.expected[seen.page.file]
        if more := [item for item in expected - found if seen.page.count is None]:
            doubts.append(
                f"{seen.page.file}: {_names(more)} looks like an attachment, but {chosen.css} does not find it."
            )
        if seen.page.count is None and (extra := found - expected):
            doubts.append(f"{seen.page.file}: {chosen.css} also finds {_names(extra)}; is it an attachment?")
    wider = _wider(pages, group, chosen)
    return [*doubts, wider] if wider else doubts


def _wider(pages: Sequence[SeenPage], group: _Group, chosen: Candidate) -> str:
    """Return a doubt if an equally good selector finds more than the chosen one."""
    if all(seen.page.count is not None for seen in group.pages):
        return ""
    example = next(items[0] for items in group.examples.values() if items)
    for other in candidates(example):
        if other.cost > chosen.cost + _CLOSE_COST or not _is_usable(pages, group, other.css):
            continue
        for seen in group.pages:
            found, more = set(seen.tree.select(chosen.css)), set(seen.tree.select(other.css))
            if found < more:
                return f"{seen.page.file}: {other.css} would also find {_names(more - found)}; is it an attachment?"
    return ""


def _count_doubts(pages: Sequence[SeenPage], selectors: FileSelectors) -> list[str]:
    doubts: list[str] = []
    for seen in pages:
        if seen.page.kind is not ShownKind.ORDER or not _is_counted(seen):
            continue
        count = len(found_files(seen, selectors))
        if count != seen.page.count:
            doubts.append(f"{seen.page.file}: {count} attachments are found, but it has {seen.page.count}.")
    return doubts


def _is_counted(seen: SeenPage) -> bool:
    """Return whether it is known how many attachments this page shows; a list of several pages shows a part."""
    return seen.page.count is not None and next_element(seen) is None


def _names(elements: Iterable[HtmlElement]) -> str:
    names = sorted(name_of(element) for element in elements)
    more = len(names) - _SHOWN_NAMES
    return ", ".join(map(repr, names[:_SHOWN_NAMES])) + (f" and {more} more" if more > 0 else "")
