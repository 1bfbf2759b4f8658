"""A saved page as a tree of elements: selectors, visible elements, their texts and addresses. Pure.

Open shadow roots are expected as declarative ones (``<template shadowrootmode>``), as browsers serialise them; a window
writes the frames of the portal in the same way. As in a browser, a selector matches within one root only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import cast
from urllib.parse import urldefrag, urljoin, urlsplit

import lxml.html
from cssselect import HTMLTranslator, SelectorError
from lxml import etree
from lxml.html import HtmlElement

#: Marks of an observed page, which a window sets in its own copy of the page.
HIDDEN_MARK, CLICKED_MARK = "data-poolwright-hidden", "data-poolwright-clicked"
NEXT_MARK, OPENED_MARK = "data-poolwright-next", "data-poolwright-opened"
FIELD_MARK, SUBMIT_MARK = "data-poolwright-field", "data-poolwright-submit"
#: On what was not to be seen before the list was opened.
LATE_MARK = "data-poolwright-late"
#: On the root of a frame: its address.
FRAME_ADDRESS = "data-poolwright-address"
_SAVED_FROM = re.compile(r"<!--\s*saved from url=\(\d+\)(\S+)\s*-->")
_UNSEEN_TAGS = frozenset({"script", "style", "noscript", "template", "head", "title", "meta", "link"})
_UNSEEN_STYLE = re.compile(r"display:none|visibility:(?:hidden|collapse)", re.IGNORECASE)
#: Elements within a line of text; all others begin a new one.
_INLINE = frozenset({"a", "abbr", "b", "bdi", "button", "code", "em", "font", "i", "label", "mark", "q", "s", "small"})
_INLINE_MORE = frozenset({"span", "strong", "sub", "sup", "time", "u", "var", "wbr"})
_ROUTE = re.compile(r"!?/")
#: Schemes that only the page itself can follow.
_BY_CLICK = frozenset({"javascript", "blob", "data"})


class PageTree:
    """One saved page."""

    def __init__(self, html: str, address: str) -> None:
        """Parse a page.

        Args:
            html: Its source.
            address: Its final address.
        """
        self.address = address
        parser = lxml.html.HTMLParser(encoding="utf-8", huge_tree=True)
        source = html if html.strip() else "<html></html>"
        document = lxml.html.document_fromstring(source.encode("utf-8", "replace"), parser=parser)
        #: The document, then its shadow roots.
        self.roots: tuple[HtmlElement, ...] = (document, *_taken_out(document))
        _shorten_own_links(self.roots, address)
        base = next(document.iter("base"), None)
        self._base = urljoin(address, base.get("href") or "") if base is not None else address

    def select(self, selector: str) -> list[HtmlElement]:
        """Return all elements that a CSS selector matches, those of the document first.

        Raises:
            SelectorError: The selector is none that can be tried on a saved page.
        """
        return [element for number, root in enumerate(self.roots) for element in _found(selector, root, number > 0)]

    def elements(self) -> Iterator[HtmlElement]:
        """Yield all elements."""
        for number, root in enumerate(self.roots):
            for element in root.iter(etree.Element):
                if number == 0 or element is not root:
                    yield element

    def address_of(self, element: HtmlElement, attributes: tuple[str, ...]) -> str:
        """Return the absolute address of a file that an element leads to; empty if only a click leads there."""
        root = next(reversed(list(element.iterancestors())), element)
        base = root.get(FRAME_ADDRESS) or self._base
        for name in attributes:
            value = (element.get(name) or "").strip()
            if not value or value.startswith("#"):
                continue
            try:
                url = urljoin(base, value)
                parts = urlsplit(url)
            except ValueError:
                continue
            if _ROUTE.match(parts.fragment):
                return ""
            if parts.scheme not in _BY_CLICK:
                return urldefrag(url).url
        return ""


def saved_address(html: str) -> str:
    """Return the address that a browser wrote into a page that it saved; empty if there is none."""
    match = _SAVED_FROM.search(html[:2000])
    return match[1] if match else ""


def is_shown(element: HtmlElement) -> bool:
    """Return whether nothing in the page itself hides an element. Style sheets are not read."""
    return not any(_hides(item) for item in (element, *element.iterancestors()))


#: Types of fields whose value is not shown as a text; any word that is no type stands for a text.
_UNREADABLE_TYPES = frozenset(
    {"password", "hidden", "submit", "button", "reset", "image", "checkbox", "radio", "file", "color", "range"}
)


def text_of(element: HtmlElement) -> str:
    """Return the visible text of an element, with single blanks; of a field the value that can be read in it."""
    if element.tag == "input":
        is_read = (element.get("type") or "").lower() not in _UNREADABLE_TYPES
        return " ".join((element.get("value") or "").split()) if is_read and not _hides(element) else ""
    return " ".join("".join(_texts(element)).split())


def folded(text: str) -> str:
    """Return a text as texts are compared: without case and with single blanks."""
    return " ".join(text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").casefold().split())


def _hides(element: HtmlElement) -> bool:
    if element.get("shadowrootmode"):
        return False
    is_marked = element.get("hidden") is not None or element.get(HIDDEN_MARK) is not None
    is_unseen = element.tag in _UNSEEN_TAGS or (element.tag == "input" and element.get("type") == "hidden")
    return is_marked or is_unseen or bool(_UNSEEN_STYLE.search((element.get("style") or "").replace(" ", "")))


def _texts(element: HtmlElement) -> Iterator[str]:
    if not isinstance(element.tag, str):
        return
    if _hides(element):
        return
    is_block = element.tag not in _INLINE and element.tag not in _INLINE_MORE
    if is_block:
        yield " "
    yield element.text or ""
    for child in element:
        yield from _texts(child)
        yield child.tail or ""
    if is_block:
        yield " "


def _shorten_own_links(roots: tuple[HtmlElement, ...], address: str) -> None:
    """Write links to places of the page itself as pages have them: browsers save ``#`` as the whole address."""
    own = f"{urldefrag(address).url}#"
    for link in (link for root in roots for link in root.iter("a", "area")):
        if (value := (link.get("href") or "").strip()).startswith(own):
            link.set("href", value[len(own) - 1 :])


def _taken_out(document: HtmlElement) -> Iterator[HtmlElement]:
    """Take the shadow roots out of their document, and what is in other templates, which no browser shows."""
    for template in list(document.iter("template")):
        template.drop_tree()
        if template.get("shadowrootmode") == "open":
            yield template


@lru_cache(maxsize=4096)
def _compiled(selector: str, *, is_inner: bool) -> etree.XPath:
    prefix = "descendant::" if is_inner else "descendant-or-self::"
    return etree.XPath(HTMLTranslator().css_to_xpath(selector, prefix=prefix))


def _found(selector: str, root: HtmlElement, is_inner: bool) -> list[HtmlElement]:  # noqa: FBT001 - two kinds of roots
    found = _compiled(selector, is_inner=is_inner)(root)
    return cast("list[HtmlElement]", found)


__all__ = [
    "CLICKED_MARK",
    "FIELD_MARK",
    "HIDDEN_MARK",
    "LATE_MARK",
    "NEXT_MARK",
    "OPENED_MARK",
    "SUBMIT_MARK",
    "PageTree",
    "SelectorError",
    "folded",
    "is_shown",
    "saved_address",
    "text_of",
]
