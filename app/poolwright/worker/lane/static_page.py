"""Reads an order's page from the text that the portal sent, by the rules that ``reading.js`` has in a tab. Pure.

Nothing runs here and no style sheet is read, so a page is taken as read only if that cannot matter: whoever finds it
unclear opens it in a tab.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from poolwright.learn.page_tree import PageTree, SelectorError, is_shown, text_of
from poolwright.portal.file_rules import ElementText
from poolwright.portal.pack import Pack
from poolwright.portal.page_facts import PageFacts
from poolwright.portal.triage import ORDER, Verdict, classify_visit, marks_of
from poolwright.portal.triage_marks import places_of, selectors_of
from poolwright.worker.page.page_content import LINK_COUNT_MAX, PageContent, PageLink, ReadEnd, keys_of_places

#: Elements that show another document, in which files may be.
_FRAMES = ("iframe", "frame", "object", "embed")
#: Elements within a line; a field with others has several lines, which a browser writes in its own way.
_INLINE = frozenset({"a", "abbr", "b", "bdi", "em", "font", "i", "label", "small", "span", "strong", "time", "u"})
#: Longest text of a name, as in a tab.
_NAME_MAX_CHARS = 2000


class UnclearPageError(Exception):
    """The text alone does not surely show what a tab would show."""


class StaticPage:
    """One order's page as the portal sent it."""

    def __init__(self, pack: Pack, base_url: str, portal_number: str, html: str, url: str) -> None:
        """Parse a page that was answered with status 200 at its own address.

        Args:
            pack: The portal's rules.
            base_url: The address of the portal.
            portal_number: The number of the order in the portal.
            html: The text of the page.
            url: Its address.
        """
        self._pack = pack
        self._base_url = base_url
        self._portal_number = portal_number
        self._url = url
        self._tree = PageTree(html, url)
        #: What was found for each selector: places beside each of thousands of links ask for the same ones.
        self._selected: dict[str, dict[HtmlElement, None]] = {}

    def read(self) -> PageContent:
        """Return the content of a page that surely shows the order.

        Raises:
            UnclearPageError: It does not, or not surely.
        """
        try:
            self._require_ready()
            self._require_whole()
            links = list(self._links())
            return PageContent(
                url=self._url,
                end=ReadEnd.ARRIVED,
                links=links,
                count=self._count(),
                fields={name: list(self._field(name)) for name in self._pack.fields},
                link_count=len(links),
            )
        except SelectorError as error:
            msg = f"a selector of the pack needs a browser ({error})"
            raise UnclearPageError(msg) from error
        except RecursionError as error:
            msg = "its elements are nested too deep"
            raise UnclearPageError(msg) from error

    def _require_ready(self) -> None:
        """Check that the page is the order's, whether what is hidden now will be shown or not."""
        tables = [marks for verdict in ORDER for marks in marks_of(self._pack.triage, verdict)]
        for is_strict in (True, False):
            elements = {selector: self._found(selector, is_strict=is_strict) for selector in selectors_of(tables)}
            places = {place: self._found(place, is_strict=is_strict) for place in places_of(tables)}
            facts = PageFacts(
                url=self._url,
                status=HTTPStatus.OK,
                passed=[self._url],
                present=[selector for selector, found in elements.items() if found],
                texts={place: " ".join(map(_whole_text, found)) for place, found in places.items()},
            )
            verdict = classify_visit(self._pack, self._base_url, facts, portal_number=self._portal_number)
            if verdict is not Verdict.READY:
                msg = f"it looks like {verdict}"
                raise UnclearPageError(msg)

    def _require_whole(self) -> None:
        """Check that nothing of the list can be elsewhere: in a frame, in a shadow root, or behind a click."""
        rules = self._pack.attachments
        if len(self._tree.roots) > 1 or any(self._select(frame) for frame in _FRAMES):
            msg = "it has frames or shadow roots"
            raise UnclearPageError(msg)
        if any(self._select(selector) for selector in rules.clicks):
            msg = "some files need a click"
            raise UnclearPageError(msg)

    def _select(self, selector: str) -> dict[HtmlElement, None]:
        """Return the elements of a selector, each once, in the order of the page."""
        if selector not in self._selected:
            self._selected[selector] = dict.fromkeys(self._tree.select(selector))
        return self._selected[selector]

    def _found(self, selector: str, *, is_strict: bool) -> list[HtmlElement]:
        """Return the elements of a selector: those that nothing hides, or all."""
        found = list(self._select(selector))
        return [element for element in found if is_shown(element)] if is_strict else found

    def _links(self) -> Iterator[PageLink]:
        rules = self._pack.attachments
        places = {key: place for place, key in keys_of_places(rules.names).items()}
        seen = set[str]()
        if sum(len(self._select(selector)) for selector in rules.links) > LINK_COUNT_MAX:
            msg = "it has too many links"
            raise UnclearPageError(msg)
        for selector in rules.links:
            for index, element in enumerate(self._select(selector)):
                address = self._tree.address_of(element, rules.address_attributes)
                sources = [self._text_at(element, rule.model_dump()) for rule in rules.address]
                if address.startswith(("mailto:", "tel:")):
                    continue
                if not address and not any(sources):
                    msg = "a link of the list has no address"
                    raise UnclearPageError(msg)
                if (key := f"{address} {sources}") in seen:
                    msg = "several links lead to one file"
                    raise UnclearPageError(msg)
                seen.add(key)
                yield PageLink(
                    address=address,
                    selector=selector,
                    index=index,
                    sources=sources,
                    names=self._names(element, address, places),
                    size=self._text_of_place(element, rules.size),
                    section=self._text_of_place(element, rules.section),
                    conditions=[
                        self._text_of_place(element, place) for place in (rules.only.where if rules.only else ())
                    ],
                )

    def _names(self, element: HtmlElement, address: str, places: Mapping[str, ElementText]) -> dict[str, str]:
        return {
            **{key: self._text_of_place(element, place) for key, place in places.items()},
            **{name: element.get(name) or "" for name in ("download", "title", "aria-label")},
            "text": text_of(element)[:_NAME_MAX_CHARS],
            "address": urlsplit(address).path.rpartition("/")[2],
        }

    def _text_of_place(self, element: HtmlElement, place: ElementText | None) -> str:
        return "" if place is None else self._text_at(element, place.model_dump())

    def _text_at(self, element: HtmlElement, place: Mapping[str, object]) -> str:
        """Return the text of a place beside an element: within the nearest one around it, or in itself."""
        around: HtmlElement | None = element
        if closest := str(place.get("closest") or ""):
            matching = self._select(closest)
            around = next((outer for outer in (element, *element.iterancestors()) if outer in matching), None)
        if around is not None and (selector := str(place.get("selector") or "")):
            matching = self._select(selector)
            around = next((inner for inner in around.iterdescendants() if inner in matching), None)
        if around is None:
            return ""
        attribute = str(place.get("attribute") or "")
        return (around.get(attribute) or "") if attribute else text_of(around)

    def _count(self) -> int | None:
        rule = self._pack.attachments.count
        found = list(self._select(rule.selector)) if rule else []
        if rule is None or not found:
            return None
        element = next(filter(is_shown, found), found[0])
        text = (element.get(rule.attribute) or "") if rule.attribute else text_of(element)
        digits = "".join(letter for letter in text if letter.isascii() and letter.isdigit())
        return int(digits) if digits else None

    def _field(self, name: str) -> Iterator[str]:
        """Yield the texts of a field; a page without it is unclear, as scripts may write it."""
        rule = self._pack.fields[name]
        elements = list(dict.fromkeys(found for selector in rule.selector for found in self._select(selector)))
        texts = [(element.get(rule.attribute) or "") if rule.attribute else _line(element) for element in elements]
        texts = [text.strip() for text in texts if text.strip()]
        if not texts:
            msg = f"the field {name} is not in its text"
            raise UnclearPageError(msg)
        yield from texts if rule.many else texts[:1]


def _line(element: HtmlElement) -> str:
    """Return the text of an element of one line."""
    if any(child.tag not in _INLINE for child in element.iterdescendants() if isinstance(child.tag, str)):
        msg = "a field has several lines"
        raise UnclearPageError(msg)
    return text_of(element)


def _whole_text(element: HtmlElement) -> str:
    """Return the text of an element with what is hidden in it."""
    return " ".join(element.text_content().split())
