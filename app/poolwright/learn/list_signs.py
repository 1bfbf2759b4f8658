"""Decides how a page says that its list of attachments is complete: a count, a text, or an answered request. Pure.

A list that has not arrived looks like an empty one, so that a pack needs such a sign.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import quote, urlsplit

from lxml.html import HtmlElement

from poolwright.learn.examples import SeenPage
from poolwright.learn.file_links import FileSelectors, found_files
from poolwright.learn.next_page import next_element
from poolwright.learn.page_marks import LearnedMarks, shows, text_marks
from poolwright.learn.page_tree import is_shown, text_of
from poolwright.learn.selectors import POSITION_COST, candidates, words_in

#: Counts that must differ before a number on the page is believed to be the count.
_DIFFERENT_COUNTS = 2
_TEXT_MAX_CHARS = 60
_FILE_WORDS = re.compile(
    r"attach|file|document|count|anh[a\u00e4]ng|anlage|dokument|datei|pi\u00e8ce|fichier|adjunt|archiv|allegat|anexo|arquivo|bijlage",
    re.IGNORECASE,
)
#: Words that say that there is nothing, and names of elements that say so. Any other text that orders with attachments
#: do not have may be of this order alone: its supplier, its date, a comment.
_NOTHING = re.compile(
    r"\b(?:no|not|none|nothing|empty|without|zero|non|inte|tom[ta]?|ei|nie|niet|n\u00e3o|vides?|\u017e\u00e1dn\w*|"
    r"kein\w*|nicht|nichts|ohne|leer\w*|aucun\w*|vide|sans|pas|rien|ning[u\u00fa]n\w*|"
    r"sin|nada|vac[i\u00ed]\w*|nessun\w*|senza|niente|vuot\w*|nenhum\w*|sem|vazi\w*|geen|leeg|niets|brak|pust\w*|ingen|inga|inget|"
    r"ikke|yok|bo\u015f|\u043d\u0435\u0442|\u0431\u0435\u0437|\u043f\u0443\u0441\u0442\w*)\b|[\u65e0\u7121]|\u6ca1\u6709|\u6c92\u6709|\u306a\u3057|\u3042\u308a\u307e\u305b\u3093|\uc5c6",
    re.IGNORECASE,
)
_NAMED_NOTHING = re.compile(
    r"empty|nothing|none\b|no[-_]?(?:attach|doc|file|data|item|record|result|row|entr)|blank|placeholder", re.IGNORECASE
)
#: Words that name parts of the frame of a portal; those parts are on pages whose list has not arrived, too.
_FRAME = frozenset(
    {
        "foot",
        "footer",
        "copyright",
        "legal",
        "imprint",
        "nav",
        "navbar",
        "navigation",
        "menu",
        "sidebar",
        "aside",
        "banner",
    }
    | {"cookie", "cookies", "toolbar", "ajax", "spinner", "loading", "overlay", "modal", "dialog", "toast"}
    | {"powered", "contentinfo", "complementary", "logo"}
)
#: A class such as ``no-sidebar`` or ``hasMenu``, which a page has around all that it shows.
_LAYOUT = re.compile(r"(?:no|has|with|without|collapsed|show|hide)[-_]?[A-Za-z]+", re.IGNORECASE)
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
#: Orders without attachments that all have the same text, whatever it says.
_SAME_ORDERS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedSigns:
    """The signs of a complete list."""

    #: Selector and attribute of the count; empty for none. An empty attribute stands for the text.
    count_selector: str = ""
    count_attribute: str = ""
    empty: LearnedMarks = field(default_factory=LearnedMarks)
    #: Regular expressions of the requests by which the list comes.
    answered: tuple[str, ...] = ()
    #: What shows that a list is whole, if one was seen to arrive in parts.
    settled: tuple[str, ...] = ()
    #: The list of an order without files, where no page says so in words; for a list that comes with the page.
    empty_list: str = ""
    doubts: tuple[str, ...] = ()


def list_signs(
    orders: Sequence[SeenPage],
    selectors: FileSelectors,
    listed: Mapping[str, int] | None = None,
    whole_mark: str = "",
    others: Sequence[SeenPage] = (),
) -> LearnedSigns:
    """Return the signs that the pages of orders have.

    Args:
        orders: The pages of orders, with and without attachments.
        selectors: What finds their attachments.
        listed: How many files the response lists that the pack reads, by the file of the page, if it reads one. It is
            itself the sign of an empty list.
        whole_mark: What shows that a list is whole, if one was seen to arrive in parts.
        others: The pages of other kinds. What they show too is part of the frame of the portal and proves no list.
    """
    selector, attribute = _count(orders, selectors, listed or {})
    with_files = [seen for seen in orders if seen.page.has_files]
    without = [seen for seen in orders if not seen.page.has_files]
    empty, unmarked = text_marks(without, with_files, partial(_is_meant, without)) if without else (LearnedMarks(), [])
    # In another language such a list would look empty, so that nothing but the page's own words prove that it is.
    is_worded = any(words_in(css) for css in (*selectors.links, *selectors.clicks))
    answered = () if listed or is_worded else _requests(orders)
    is_always_counted = bool(selector) and all(_counted(seen, selector, attribute) is not None for seen in without)
    has_sign = is_always_counted or bool(empty.text and not unmarked) or bool(answered or listed)
    whole = "" if is_worded else whole_mark or _served_list(orders, selectors, others)
    empty_list = _absence(whole, orders, selectors) if whole and without and not has_sign else ""
    doubts: list[str] = []
    if not without:
        doubts.append("No order without attachments was shown, so it is not known how a page says that there are none.")
    elif unmarked and not (is_always_counted or listed):
        doubts.append(f"{unmarked[0].page.file}: it does not say in words that there are no attachments.")
    if not selector:
        doubts.append("No number on the pages says how many attachments there are, so a list cut short is not noticed.")
    if without and not (has_sign or empty_list):
        doubts.append(
            "Orders without attachments will end as portal_changed, since no sign of an empty list is known. If the "
            "source of a page (Ctrl+U) has the attachments, add served = true to the pages of orders and learn again."
        )
    if empty_list:
        doubts.append(
            "No page says in words that there are no attachments: an order has none if its list is there without any "
            f"({empty_list})."
        )
    return LearnedSigns(
        count_selector=selector,
        count_attribute=attribute,
        empty=LearnedMarks() if unmarked else empty,
        answered=() if is_always_counted or (empty.text and not unmarked) else answered,
        settled=(whole_mark,) if whole_mark else (),
        empty_list=empty_list,
        doubts=tuple(doubts),
    )


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


def _count(orders: Sequence[SeenPage], selectors: FileSelectors, listed: Mapping[str, int]) -> tuple[str, str]:
    """Return selector and attribute of an element that has the number of files on every page; empty for none."""
    wanted = {seen.page.file: listed.get(seen.page.file, len(found_files(seen, selectors))) for seen in orders}
    if len(set(wanted.values())) < _DIFFERENT_COUNTS:
        return "", ""
    whole = [seen for seen in orders if next_element(seen) is None] or orders
    with_files = max(whole, key=lambda seen: wanted[seen.page.file])
    found: list[tuple[bool, int, int, int, str, str]] = []
    around = {item for file in found_files(with_files, selectors) for item in (file, *file.iterancestors())}
    for element, attribute, text in _numbered(with_files, wanted[with_files.page.file], around):
        for candidate in candidates(element):
            if candidate.cost >= POSITION_COST:
                break
            missing = _missing_counts(orders, wanted, candidate.css, attribute)
            if missing is not None and _is_of_files(orders, candidate.css, text, attribute):
                is_several = any(_is_several(seen, candidate.css, attribute) for seen in orders)
                found.append((is_several, missing, candidate.cost, len(candidate.css), candidate.css, attribute))
                if not (is_several or missing):
                    break
    if not found:
        return "", ""
    *_, css, attribute = min(found)
    return css, attribute


def _is_several(seen: SeenPage, css: str, attribute: str) -> bool:
    """Return whether several matches may be read: those that are to be seen, or have a number."""
    found = seen.tree.select(css)
    texts = [(item.get(attribute) or "") if attribute else text_of(item) for item in found]
    return sum(is_shown(item) or number_in(text) is not None for item, text in zip(found, texts, strict=True)) > 1


def _missing_counts(orders: Sequence[SeenPage], wanted: Mapping[str, int], css: str, attribute: str) -> int | None:
    """Return how many pages without files have no count; ``None`` if any page has a wrong one."""
    counts = [(seen, wanted[seen.page.file], _counted(seen, css, attribute)) for seen in orders]
    shown = {found_count for _, found_count, count in counts if count is not None}
    if len(shown) < _DIFFERENT_COUNTS or not all(
        _fits(seen, count, found_count) for seen, found_count, count in counts
    ):
        return None
    return sum(count is None for _, _, count in counts)


def _is_of_files(orders: Sequence[SeenPage], css: str, text: str, attribute: str) -> bool:
    """Return whether an element counts files: by its name, or by the words around its number on every page."""
    if _FILE_WORDS.search(f"{css} {attribute}"):
        return True
    return bool(_FILE_WORDS.search(text)) and all(
        _FILE_WORDS.search((item.get(attribute) or "") if attribute else text_of(item))
        for seen in orders
        for item in seen.tree.select(css)[:1]
    )


#: Attributes that tell people something, such as "Attachments (3)" of a button with a symbol alone.
_TELLING = ("title", "aria-label")


def _numbered(seen: SeenPage, number: int, around: Collection[HtmlElement]) -> Iterator[tuple[HtmlElement, str, str]]:
    """Yield the elements of a page that have a number in an attribute, or in their text if no file is in it."""
    for element in seen.tree.elements():
        for name, value in element.attrib.items():
            is_told = str(name).startswith("data-") or (name in _TELLING and element not in around)
            if is_told and number_in(str(value)) == number:
                yield element, str(name), str(value)
        text = text_of(element)
        if element not in around and len(text) <= _TEXT_MAX_CHARS and number_in(text) == number:
            yield element, "", text


def _fits(seen: SeenPage, count: int | None, found_count: int) -> bool:
    """Return whether a number can be that of the files; a list of several pages has more than the first one shows."""
    if count is None:
        return not found_count
    return count == found_count if next_element(seen) is None else count > found_count


def _counted(seen: SeenPage, css: str, attribute: str) -> int | None:
    """Return the number that all matches of a selector have; of different ones, a negative one, which is no count."""
    texts = [(item.get(attribute) or "") if attribute else text_of(item) for item in seen.tree.select(css)]
    numbers = {number for text in texts if (number := number_in(text)) is not None}
    return next(iter(numbers), None) if len(numbers) < _DIFFERENT_COUNTS else -1


def says_none(text: str, css: str) -> bool:
    """Return whether an element says that a list is empty, by its words or by the names in a selector of it."""
    return bool(_NOTHING.search(text) or _NAMED_NOTHING.search(css))


def _is_meant(without: Sequence[SeenPage], text: str, css: str) -> bool:
    """Return whether a text of orders without attachments means that there are none."""
    if says_none(text, css):
        return True
    return len(without) >= _SAME_ORDERS and all(shows(seen, text, [css]) for seen in without)


def _served_list(orders: Sequence[SeenPage], selectors: FileSelectors, others: Sequence[SeenPage]) -> str:
    """Return a selector for the list of every order; empty if there is none, or a script brings it.

    A list that the portal sends with the page is there as a whole. It is the closest element around the files that all
    orders have, and no other page. The frame of the portal is there without any order.
    """
    with_files = [seen for seen in orders if seen.page.has_files]
    if not all(seen.page.served for seen in with_files):
        return ""
    files = found_files(with_files[0], selectors)
    around = (item for item in (files[0].iterancestors() if files else ()) if not _is_frame(item))
    usable = (
        candidate.css
        for element in around
        for candidate in candidates(element)
        if candidate.cost < POSITION_COST
        and not words_in(candidate.css)
        and all(_is_around(seen, selectors, candidate.css) for seen in orders)
        and not any(seen.tree.select(candidate.css) for seen in others)
    )
    return next(usable, "")


def _absence(around: str, orders: Sequence[SeenPage], selectors: FileSelectors) -> str:
    """Return a selector for a list without files.

    It names what is around each file, or the tags of the files, where no list without files has any: if the portal
    renames its links, a full list is not taken for an empty one. Only else it names the links themselves.
    """
    files = [file for seen in orders for file in found_files(seen, selectors)]
    rows = {str(row.tag) for file in files for row in file.iterancestors("li", "tr")}
    exact = ", ".join((*selectors.links, *selectors.clicks))
    for inside in (", ".join(sorted(rows)), ", ".join(sorted({str(file.tag) for file in files}))):
        css = f"{around}:not(:has({inside}))"
        if inside and all(bool(seen.tree.select(css)) != seen.page.has_files for seen in orders):
            return css
    return f"{around}:not(:has({exact}))"


def _is_frame(element: HtmlElement) -> bool:
    """Return whether an element is part of the frame of the portal, or nothing that a page shows."""
    return not is_shown(element) or any(_FRAME & set(_name_words(item)) for item in (element, *element.iterancestors()))


def _name_words(element: HtmlElement) -> Iterator[str]:
    """Yield the words in the names of an element: its tag, id, role and classes."""
    if element.tag in {"html", "body"}:
        return
    names = [str(element.tag), element.get("id") or "", element.get("role") or ""]
    names += [name for name in (element.get("class") or "").split() if not _LAYOUT.fullmatch(name)]
    for name in names:
        yield from (word.lower() for word in _WORDS.findall(name))


def _is_around(seen: SeenPage, selectors: FileSelectors, css: str) -> bool:
    """Return whether the one match of a selector is shown and has all the files of a page in it."""
    found = seen.tree.select(css)
    return (
        len(found) == 1
        and is_shown(found[0])
        and all(found[0] in file.iterancestors() for file in found_files(seen, selectors))
    )


def _requests(orders: Sequence[SeenPage]) -> tuple[str, ...]:
    """Return the requests that every page of an order made for its list."""
    made = [{generalised_request(address, seen.page.number) for address in seen.page.requests} for seen in orders]
    common = set[str].intersection(*made) if made else set[str]()
    return tuple(sorted(common))
