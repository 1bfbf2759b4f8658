"""Proposes CSS selectors for an element, general ones first: by what stays the same from one order to the next. Pure.

Positions on the page (``:nth-child``) come last, since they change with every row that a portal adds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, islice
from urllib.parse import urlsplit

from lxml.html import HtmlElement

#: Ancestors that a selector may name.
_ANCESTORS_MAX = 8
_CLASSES_MAX = 6
_CANDIDATES_MAX = 400
#: Cost from which a selector depends on a position.
POSITION_COST = 30
_IDENTIFIER = re.compile(r"-?[A-Za-z_][\w-]*")
#: Written by programs, other in each version of the portal.
_MADE_UP = re.compile(
    r"^(?:css|sc|jss|emotion|ember|svelte|ng|v|yui|ext-gen|gwt-uid|react-aria)-?\w*\d|^sc-|^css-|[A-Za-z]\d+[A-Za-z]+\d|_\w*\d"
    r"|__[A-Za-z]*[a-z][A-Z][A-Za-z]*$"
)
_STATES = re.compile(
    r"(?:is-|has-)?(?:active|alternate|current|checked|clicked|collapsed|disabled|even|expanded|first|focus(?:ed)?|hidden|hover(?:ed)?|"
    r"last|loaded|new|odd|open(?:ed)?|pristine|read|selected|show(?:n)?|touched|unread|untouched|valid|visible|visited)"
)
#: Attributes whose whole value may identify an element.
_VALUED = ("data-testid", "data-test", "data-qa", "data-role", "data-type", "data-section", "data-field", "data-page")
_VALUED_LATER = ("itemprop", "autocomplete", "name", "role", "type", "rel", "aria-labelledby")
#: Attributes with words for people, which another language of the portal says in another way.
_WORDED = ("title", "aria-label")
#: Cost of such words: more than that of an address or of an element within a named one, less than that of a position.
_WORDED_COST = 14
_WORDS = re.compile(r"\[(?:title|aria-label)[~|^$*]?='([^']*)'")
#: What stands between the entries of a menu that are of one kind and those of another.
_DIVIDER = re.compile(r"(?:\w+-)?(?:divider|separator)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A selector that matches an element, and how much it depends on what may change; less is better."""

    css: str
    cost: int


def candidates(element: HtmlElement) -> list[Candidate]:
    """Return selectors for an element, in the order of their cost."""
    own = list(_own_parts(element))
    contexts = list(_contexts(element))
    found: dict[str, int] = {}
    for candidate in [*_combined(own, contexts), *_positions(element)]:
        found[candidate.css] = min(candidate.cost, found.get(candidate.css, candidate.cost))
    ordered = sorted(found.items(), key=lambda item: (item[1], len(item[0]), item[0]))
    return [Candidate(css=css, cost=cost) for css, cost in islice(ordered, _CANDIDATES_MAX)]


def stable_classes(element: HtmlElement) -> list[str]:
    """Return the classes of an element that do not change with its state or with the version of the portal."""
    return [name for name in (element.get("class") or "").split() if is_stable(name)][:_CLASSES_MAX]


def is_stable(word: str) -> bool:
    """Return whether a class or id is a word that a person chose, not a number or a key."""
    if re.search(r"\d{2,}", word) or not re.search(r"[A-Za-z]{2,}", word) or _STATES.fullmatch(word):
        return False
    return not _MADE_UP.search(word)


def words_in(css: str) -> list[str]:
    """Return the words of the portal's language that a selector depends on."""
    return _WORDS.findall(css)


def href_parts(value: str) -> Iterator[str]:
    """Yield the parts of an address that do not belong to one file: folders, the end, names of values.

    Browsers write whole addresses into pages that they save, whatever the page has. So no slash before a folder is
    asked for where a whole address stands: the page may have a relative one.
    """
    try:
        parts = urlsplit(value.strip())
    except ValueError:
        return
    segments = parts.path.split("/")
    named = [segment for segment in segments[:-1] if segment and is_stable(segment)]
    for segment in reversed(named):
        if parts.netloc:
            yield f"*='{segment}/'"
        else:
            yield f"*='/{segment}/'" if f"/{segment}/" in value else f"^='{segment}/'"
    last = segments[-1]
    if last and is_stable(last) and (len(segments) > 1 or "." in last):
        mark = "*=" if parts.query else "$="
        if "." not in last or parts.query:
            end = f"{last}{'?' if parts.query else ''}"
            slash = "" if parts.netloc else "/"
            yield f"{mark}'{slash}{end}'" if f"/{last}" in value else f"^='{last}'"
    for pair in parts.query.split("&"):
        name = pair.partition("=")[0]
        if name and "=" in pair and is_stable(name):
            yield f"*='{name}='"


def _own_parts(element: HtmlElement) -> Iterator[Candidate]:
    tag = str(element.tag)
    yield from _named_parts(element, tag)
    for name, value in sorted((str(name), str(value)) for name, value in element.attrib.items()):
        if name.startswith("data-") and not name.startswith("data-poolwright") and is_stable(name):
            yield Candidate(css=f"{tag}[{name}]", cost=5)
        if name in {"href", "data-url", "src"} or (name.startswith("data-") and "/" in value):
            for number, part in enumerate(href_parts(value)):
                if "'" not in part[3:-1] and "\\" not in part:
                    yield Candidate(css=f"{tag}[{name}{part}]", cost=6 + number)
    if element.get("download") is not None:
        yield Candidate(css=f"{tag}[download]", cost=5)
    call = re.match(r"\s*(?:javascript:)?\s*(?:return\s+)?([\w.]{4,})\(", element.get("onclick") or "")
    if call:
        yield Candidate(css=f"{tag}[onclick*='{call[1]}(']", cost=8)
    yield from _before_divider(element, tag)
    yield Candidate(css=tag, cost=12)


def _before_divider(element: HtmlElement, tag: str) -> Iterator[Candidate]:
    """Yield the entries of a menu that come before a divider: those after it are of another kind."""
    row = element.getparent()
    if row is None or not isinstance(row.tag, str):
        return
    for sibling in row.itersiblings():
        if not isinstance(sibling.tag, str):
            continue
        words = [name for name in (sibling.get("class") or "").split() if _DIVIDER.fullmatch(name)]
        names = [f"{sibling.tag}.{word}" for word in words if _IDENTIFIER.fullmatch(word)]
        if sibling.tag == "hr" or sibling.get("role") == "separator":
            names.append("hr" if sibling.tag == "hr" else "[role='separator']")
        for name in names:
            yield Candidate(css=f"{row.tag}:has(~ {name}) > {tag}", cost=8)


def _named_parts(element: HtmlElement, tag: str) -> Iterator[Candidate]:
    """Yield parts by id, class and attributes with a fixed value."""
    identity = (element.get("id") or "").strip()
    if identity and is_stable(identity) and "'" not in identity:
        yield Candidate(css=f"#{identity}" if _IDENTIFIER.fullmatch(identity) else f"[id='{identity}']", cost=1)
    elif start := re.match(r"([A-Za-z]{3,}[A-Za-z_-]*[_-])\d+$", identity):
        yield Candidate(css=f"{tag}[id^='{start[1]}']", cost=7)
    classes = [name for name in stable_classes(element) if _IDENTIFIER.fullmatch(name)]
    for name in classes:
        yield Candidate(css=f"{tag}.{name}", cost=3)
    for first, second in combinations(classes, 2):
        yield Candidate(css=f"{tag}.{first}.{second}", cost=5)
    for cost, names in ((3, _VALUED), (6, _VALUED_LATER), (_WORDED_COST, _WORDED)):
        for name in names:
            value = element.get(name) or ""
            if value and is_stable(value) and not re.search(r"['\\\n\d]", value):
                yield Candidate(css=f"{tag}[{name}='{value}']", cost=cost)


def _contexts(element: HtmlElement) -> Iterator[Candidate]:
    """Yield what may stand before a selector: an ancestor that has a name."""
    yield Candidate(css="", cost=0)
    for distance, ancestor in enumerate(islice(element.iterancestors(), _ANCESTORS_MAX)):
        if not isinstance(ancestor.tag, str) or ancestor.tag in {"html", "template"}:
            continue
        for part in _named_parts(ancestor, str(ancestor.tag)):
            yield Candidate(css=f"{part.css} ", cost=part.cost + 1 + distance // 3)


def _combined(own: list[Candidate], contexts: list[Candidate]) -> Iterator[Candidate]:
    for context in contexts:
        for part in own:
            yield Candidate(css=f"{context.css}{part.css}", cost=context.cost + part.cost)


def _positions(element: HtmlElement) -> Iterator[Candidate]:
    """Yield selectors by the position of the element, or of the cell around it, among its siblings."""
    tail = ""
    for item in islice((element, *element.iterancestors()), 3):
        parent: HtmlElement | None = item.getparent()
        if parent is None or not isinstance(item.tag, str):
            return
        place = [child for child in parent if isinstance(child.tag, str)].index(item) + 1
        part = f"{item.tag}:nth-child({place}){tail}"
        for context in _contexts(item):
            yield Candidate(css=f"{context.css}{part}", cost=POSITION_COST + context.cost + tail.count(">"))
        tail = f" > {item.tag}{tail}"
