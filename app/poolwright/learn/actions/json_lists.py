"""Finds the list of attachments in the JSON that the page of an order got. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias, cast
from urllib.parse import parse_qsl, quote, urlsplit

from lxml.html import HtmlElement

from poolwright.learn.examples import NAMING_ATTRIBUTES, SeenPage, example_elements, row_of
from poolwright.learn.file_links import FileSelectors, found_files
from poolwright.learn.list_signs import generalised_request
from poolwright.learn.page_tree import folded, text_of

#: A file in a response.
Entry: TypeAlias = Mapping[str, object]

#: Levels of a response in which its list, or a value of an entry, may stand.
_DEPTH_MAX = 6
#: Keys with the number of all entries, and keys that speak of parts of a list.
_TOTAL_KEY = re.compile(r"total|total_?(?:count|items|results|elements|size)|count|num_?found", re.IGNORECASE)
_PART_KEY = re.compile(
    r"next(?:_?(?:page|link|url|cursor))?|cursor|pages?|page_?(?:size|count)|per_?page|offset|limit|skip|top|"
    r"has_?(?:more|next)",
    re.IGNORECASE,
)
_KEY = re.compile(r"[\w-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonList:
    """A list in a response that names the attachments of a page."""

    address: str
    items: str
    name: str
    entries: tuple[Entry, ...]
    #: Keys and values around the list, and in the address of its request.
    around: Mapping[str, object]

    @property
    def is_part(self) -> bool:
        """Return whether the response counts more entries than it lists."""
        totals = [value for key, value in self.around.items() if _TOTAL_KEY.fullmatch(key)]
        return any(isinstance(value, int) and value > len(self.entries) for value in totals)

    @property
    def part_keys(self) -> list[str]:
        """Return the keys that speak of parts of a list."""
        return [key for key in self.around if _TOTAL_KEY.fullmatch(key) or _PART_KEY.fullmatch(key)]

    def names(self) -> set[str]:
        """Return the names of its files, as texts are compared."""
        return {folded(text_at(entry, self.name)) for entry in self.entries}


def found_list(seen: SeenPage, files: FileSelectors) -> JsonList | None:
    """Return the list that has a name for each attachment that the page shows."""
    texts = [shown_texts(item) for item in (*example_elements(seen), *found_files(seen, files))]
    for address, content in seen.answers:
        for items, entries in _lists(content, (), _DEPTH_MAX):
            keys = dict.fromkeys(key for entry in entries for key in keys_of(entry))
            for key in keys:
                around = _around(content, items, address)
                found = JsonList(address=address, items=items, name=key, entries=entries, around=around)
                if texts and all(not found.names().isdisjoint(one) for one in texts):
                    return found
    return None


def names_in(content: object) -> set[str]:
    """Return all texts of a response that may be names of files, as texts are compared."""
    return {folded(text) for text in _texts(content, _DEPTH_MAX)}


def shown_texts(element: HtmlElement) -> set[str]:
    """Return the texts beside the element of a file, one of which is its name; as texts are compared."""
    row = row_of(element)
    near = [element, *(row.iterdescendants() if row is not None else ())]
    texts = [text_of(item) for item in near if isinstance(item.tag, str)]
    texts += [element.get(name) or "" for name in NAMING_ATTRIBUTES]
    return {folded(text) for text in texts if text}


def lists_files(seen: SeenPage, content: object) -> bool:
    """Return whether a response names an attachment that a person clicked.

    Raises:
        ObservationError: Nothing was clicked.
    """
    names = names_in(content)
    return any(not names.isdisjoint(shown_texts(item)) for item in example_elements(seen))


def _around(content: object, items: str, address: str) -> dict[str, object]:
    """Return the keys and values beside a list and above it, and those of its request."""
    found: dict[str, object] = dict(parse_qsl(urlsplit(address).query))
    value = content
    for key in items.split(".") if items else ():
        inner = cast("dict[str, object]", value)
        found |= {name: one for name, one in inner.items() if name != key}
        found |= {
            name: one
            for beside in inner.values()
            if isinstance(beside, dict)
            for name, one in cast("dict[str, object]", beside).items()
            if not isinstance(one, list | dict)
        }
        value = inner[key]
    return found


def list_request(address: str, number: str, page_address: str) -> str:
    """Return a regular expression for the same request of any order.

    Args:
        address: The address of the request.
        number: The number of the order.
        page_address: The address of its page, which may have a key of the order that the request has too.
    """
    number, parts = number.strip(), urlsplit(address)
    keys = {key for key in re.split(r"[/?&=#;]", address_below(page_address)) if re.search(r"\d", key)} | {number}
    named = [key for key, value in parse_qsl(parts.query) if value in keys]
    if any(part in keys for part in parts.path.split("/")):
        path = "/".join("[^/?]+" if part in keys else re.escape(part) for part in parts.path.split("/"))
        return f"^{path}(?:\\?|$)"
    if number in parts.path or not named:
        return generalised_request(address, number)
    return f"^{re.escape(parts.path)}\\?(?:.*&)?{re.escape(quote(named[0]))}="


def _lists(value: object, keys: tuple[str, ...], depth: int) -> Iterator[tuple[str, tuple[Entry, ...]]]:
    """Yield the keys to each list of objects in a response, and its entries."""
    if isinstance(value, list):
        entries = cast("list[object]", value)
        if entries and all(isinstance(entry, dict) for entry in entries):
            yield ".".join(keys), tuple(cast("list[Entry]", entries))
    elif isinstance(value, dict) and depth:
        for key, inner in cast("dict[str, object]", value).items():
            if _KEY.fullmatch(key):
                yield from _lists(inner, (*keys, key), depth - 1)


def keys_of(entry: object, keys: tuple[str, ...] = (), depth: int = _DEPTH_MAX) -> Iterator[str]:
    """Yield the keys to each text or number of an entry."""
    if isinstance(entry, dict):
        for key, inner in cast("dict[str, object]", entry).items() if depth else ():
            if _KEY.fullmatch(key):
                yield from keys_of(inner, (*keys, key), depth - 1)
    elif isinstance(entry, str) or (isinstance(entry, int) and not isinstance(entry, bool)):
        yield ".".join(keys)


def text_at(entry: object, keys: str) -> str:
    """Return a text or a whole number of an entry by its keys, with points between; empty for anything else."""
    value = entry
    for key in keys.split("."):
        value = cast("dict[str, object]", value).get(key) if isinstance(value, dict) else None
    is_text = isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))
    return str(value).strip() if is_text else ""


def _texts(value: object, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    if not depth:
        return
    inner: Collection[object] = ()
    if isinstance(value, dict):
        inner = cast("dict[str, object]", value).values()
    elif isinstance(value, list):
        inner = cast("list[object]", value)
    for one in inner:
        yield from _texts(one, depth - 1)


def address_below(address: str) -> str:
    """Return path, query and fragment of an address."""
    return "/" + address.partition("://")[2].partition("/")[2]
