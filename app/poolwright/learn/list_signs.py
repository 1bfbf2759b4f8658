"""Decides how a page says that its list of attachments is complete: a count, a text, or an answered request. Pure.

A list that has not arrived looks like an empty one, so that a pack needs such a sign.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from lxml.html import HtmlElement

from poolwright.learn.examples import SeenPage
from poolwright.learn.file_links import FileSelectors, found_files
from poolwright.learn.next_page import next_element
from poolwright.learn.page_marks import LearnedMarks, text_marks
from poolwright.learn.page_tree import text_of
from poolwright.learn.selectors import POSITION_COST, candidates

#: Counts that must differ before a number on the page is believed to be the count.
_DIFFERENT_COUNTS = 2
_TEXT_MAX_CHARS = 60
_FILE_WORDS = re.compile(
    r"attach|file|document|count|anh[a\u00e4]ng|anlage|dokument|datei|pi\u00e8ce|fichier|adjunt|archiv|allegat|anexo|arquivo|bijlage",
    re.IGNORECASE,
)

#: Words by which languages say that there is nothing.
_NONE_WORDS = re.compile(
    r"\b(?:no|not|none|nothing|without|empty|kein\w*|nicht|nichts|ohne|leer\w*|aucune?|pas|rien|sans|vides?|ning[u\u00fa]n\w*|nada|sin|"
    r"vac[i\u00ed][oa]s?|nessun\w*|niente|non|senza|vuot[oa]|nenhum\w*|sem|n[a\u00e3]o|vazi[oa]s?|geen|niets|niet|leeg|brak|nie|"
    r"\u017e\u00e1dn\w*|ingen|inga|inget|inte|ikke|tom[ta]?|ei)\b",
    re.IGNORECASE,
)
_NONE_NAMES = re.compile(
    r"empty|blank|nothing|(?:^|[\s_-])none(?:$|[\s_-])|no[_-]?(?:data|results?|rows?|items?|files?|documents?|attachments?)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedSigns:
    """The signs of a complete list."""

    #: Selector and attribute of the count; empty for none. An empty attribute stands for the text.
    count_selector: str = ""
    count_attribute: str = ""
    empty: LearnedMarks = field(default_factory=LearnedMarks)
    #: Regular expressions of the requests by which the list comes.
    answered: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


def list_signs(orders: Sequence[SeenPage], selectors: FileSelectors) -> LearnedSigns:
    """Return the signs that the pages of orders have.

    Args:
        orders: The pages of orders, with and without attachments.
        selectors: What finds their attachments.
    """
    selector, attribute = _count(orders, selectors)
    with_files = [seen for seen in orders if seen.page.has_files]
    without = [seen for seen in orders if not seen.page.has_files]
    empty, unmarked = text_marks(without, with_files, says_none) if without else (LearnedMarks(), [])
    answered = _requests(orders)
    doubts: list[str] = []
    if not without:
        doubts.append("No order without attachments was shown, so it is not known how a page says that there are none.")
    elif unmarked and not selector:
        doubts.append(f"{unmarked[0].page.file}: it does not say in words that there are no attachments.")
    if not selector:
        doubts.append("No number on the pages says how many attachments there are, so a list cut short is not noticed.")
    if not (selector or empty.text or answered):
        doubts.append("Orders without attachments will end as portal_changed, since no sign of an empty list is known.")
    return LearnedSigns(
        count_selector=selector,
        count_attribute=attribute,
        empty=LearnedMarks() if unmarked else empty,
        answered=() if selector or (empty.text and not unmarked) else answered,
        doubts=tuple(doubts),
    )


def says_none(element: HtmlElement, text: str) -> bool:
    """Return whether an element says that a list is empty, by its words or by its name.

    Any other text that only the orders without attachments have, such as a supplier, would call the unread list of
    another order empty.
    """
    names = f"{element.get('class') or ''} {element.get('id') or ''}"
    return _NONE_WORDS.search(text) is not None or _NONE_NAMES.search(names) is not None


def number_in(text: str) -> int | None:
    """Return the number in a text as it is read from a page: all its digits; ``None`` if it has none."""
    digits = re.sub(r"\D+", "", text)
    return int(digits) if digits else None


def generalised_request(address: str, number: str) -> str:
    """Return a regular expression for the same request of any order."""
    parts = urlsplit(address)
    path = parts.path or address
    for form in dict.fromkeys((number, quote(number, safe=""))):
        if form and form in path:
            before, _, after = path.partition(form)
            return f"^{re.escape(before)}[^/?]+{re.escape(after)}(?:\\?|$)"
    return f"^{re.escape(path)}(?:\\?|$)"


def _count(orders: Sequence[SeenPage], selectors: FileSelectors) -> tuple[str, str]:
    """Return selector and attribute of an element that has the number of files on every page; empty for none."""
    wanted = {seen.page.file: len(found_files(seen, selectors)) for seen in orders}
    if len(set(wanted.values())) < _DIFFERENT_COUNTS:
        return "", ""
    whole = [seen for seen in orders if next_element(seen) is None] or orders
    with_files = max(whole, key=lambda seen: wanted[seen.page.file])
    found: list[tuple[bool, int, int, str, str]] = []
    for element, attribute, text in _numbered(with_files, wanted[with_files.page.file]):
        for candidate in candidates(element):
            if candidate.cost >= POSITION_COST:
                break
            if all(_fits(seen, candidate.css, attribute, wanted[seen.page.file]) for seen in orders):
                names = f"{candidate.css} {text} {attribute}"
                entry = (not _FILE_WORDS.search(names), candidate.cost, len(candidate.css), candidate.css, attribute)
                found.append(entry)
                break
    if not found:
        return "", ""
    is_foreign, _, _, css, attribute = min(found)
    return ("", "") if is_foreign else (css, attribute)


def _numbered(seen: SeenPage, number: int) -> Iterator[tuple[HtmlElement, str, str]]:
    """Yield the elements of a page that have a number in their text or in an attribute."""
    for element in seen.tree.elements():
        for name, value in element.attrib.items():
            if str(name).startswith("data-") and number_in(str(value)) == number:
                yield element, str(name), str(value)
        text = text_of(element)
        if len(text) <= _TEXT_MAX_CHARS and number_in(text) == number:
            yield element, "", text


def _fits(seen: SeenPage, css: str, attribute: str, found_count: int) -> bool:
    """Return whether a number is that of the files; a list of several pages has more than the first one shows."""
    number = _counted(seen, css, attribute)
    if next_element(seen) is None:
        return number == found_count
    return number is not None and number > found_count


def _counted(seen: SeenPage, css: str, attribute: str) -> int | None:
    found = seen.tree.select(css)
    if not found:
        return None
    return number_in((found[0].get(attribute) or "") if attribute else text_of(found[0]))


def _requests(orders: Sequence[SeenPage]) -> tuple[str, ...]:
    """Return the requests that every page of an order made for its list."""
    made = [{generalised_request(address, seen.page.number) for address in seen.page.requests} for seen in orders]
    common = set[str].intersection(*made) if made else set[str]()
    return tuple(sorted(common))
