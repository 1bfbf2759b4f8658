"""Decides whether the list of attachments comes as JSON, which a pack reads itself (``[attachments.api]``). Pure.

Links of the page are preferred, as they are what a person sees. A response is read where it lists more files than the
page shows, or where the elements of the page lead nowhere but by a click.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from poolwright.learn.actions.json_lists import (
    Entry,
    JsonList,
    address_below,
    found_list,
    keys_of,
    list_request,
    shown_texts,
    text_at,
)
from poolwright.learn.examples import SeenPage
from poolwright.learn.file_links import FileSelectors, found_files
from poolwright.learn.page_tree import folded
from poolwright.portal import patterns
from poolwright.portal.addresses import origin_of
from poolwright.portal.file_rules import FileListRequest

#: Keys of an address that brings a file, and parts of keys whose address shows it, or something about it.
_FILE_KEY = re.compile(r"url|uri|href|link|download|content|file|path|src", re.IGNORECASE)
_OTHER_KEY = re.compile(
    r"self|thumb|preview|icon|avatar|html|view|edit|delete|remove|update|parent|user|owner|profile|page", re.IGNORECASE
)
_ADDRESS = re.compile(r"https?://[^\s]+|/[^/\s][^\s]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFiles:
    """The response that lists the attachments; without a rule if none is needed, or none is understood."""

    rule: FileListRequest | None = None
    #: How many files the response lists, by the file of the page.
    counts: Mapping[str, int]
    #: Sentences about what is not sure.
    doubts: tuple[str, ...] = ()


def listed_files(orders: Sequence[SeenPage], files: FileSelectors, *, has_next: bool) -> ListedFiles:
    """Return the response from which a pack must read the list of attachments.

    Args:
        orders: The pages of orders.
        files: What finds the attachments on the pages.
        has_next: Whether the list has several pages, which a person showed.
    """
    shown = [seen for seen in orders if seen.page.has_files]
    lists = {seen.page.file: found for seen in shown if (found := found_list(seen, files)) is not None}
    counts = {file: len(found.entries) for file, found in lists.items()}
    more = [seen for seen in shown if counts.get(seen.page.file, 0) > len(found_files(seen, files))]
    if not lists or has_next or not (more or files.clicks):
        return ListedFiles(counts={})
    told = _told(more[0], counts, files) if more else ""
    rule, reason = _rule(shown, lists, files)
    reason = reason or _problem(rule, orders, lists)
    if rule is None or reason:
        doubts = [f"{told}, and {reason}: the others are not brought."] if told else []
        return ListedFiles(counts={}, doubts=tuple(doubts))
    empty = [seen for seen in orders if not seen.page.has_files]
    counts |= {seen.page.file: 0 for seen in empty}
    doubts = [f"{told}; all are read from the response to {rule.request}."] if told else []
    if not _is_on_page(rule, shown, files):
        doubts.append(
            f"Each attachment is at {rule.template!r} of the response to {rule.request}, and no link of the "
            "pages shows that it is the file: try the pack on an order."
        )
    if keys := list(dict.fromkeys(key for found in lists.values() for key in found.part_keys)):
        doubts.append(
            f"The response to {rule.request} or its address speaks of parts ({', '.join(keys)}): of long lists it may "
            "have the first part only. Try the pack on an order with many attachments."
        )
    return ListedFiles(rule=rule, counts=counts, doubts=tuple(doubts))


def _told(seen: SeenPage, counts: Mapping[str, int], files: FileSelectors) -> str:
    """Return the beginning of a sentence about a page that shows a part of its list."""
    file, shown_count = seen.page.file, len(found_files(seen, files))
    return f"{file}: the portal lists {counts[file]} attachments for it, but its page shows {shown_count}"


def _rule(
    shown: Sequence[SeenPage], lists: Mapping[str, JsonList], files: FileSelectors
) -> tuple[FileListRequest | None, str]:
    """Return the rule, or the reason why there is none."""
    if len(lists) < len(shown):
        return None, "the response for another order has no such list"
    if any(found.is_part for found in lists.values()):
        return None, "the response itself lists a part of what it counts"
    kinds = {
        (list_request(found.address, seen.page.number, seen.tree.address), found.items)
        for seen in shown
        if (found := lists[seen.page.file])
    }
    names = {found.name for found in lists.values()}
    if len(kinds) > 1 or len(names) > 1:
        return None, "the responses of the orders are not alike"
    [(request, items)], [name] = kinds, names
    template = _linked_template(shown, lists, files) or _stated_template(shown, lists)
    if not template:
        return None, "nothing in the response says where they are"
    return FileListRequest(request=request, items=items, template=template, name=name), ""


def _linked_template(shown: Sequence[SeenPage], lists: Mapping[str, JsonList], files: FileSelectors) -> str:
    """Return the template that makes the address of every link on the pages; empty if none does."""
    pairs: list[tuple[str, Entry]] = []
    base = origin_of(shown[0].tree.address)
    for seen in shown:
        found = lists[seen.page.file]
        for item in found_files(seen, files):
            address = seen.tree.address_of(item, files.address_attributes)
            entries = [one for one in found.entries if folded(text_at(one, found.name)) in shown_texts(item)]
            if not address or len(entries) != 1:
                return ""
            pairs.append((address_below(address) if origin_of(address) == base else address, entries[0]))
    if not pairs:
        return ""
    address, entry = pairs[0]
    for template in _templates(address, entry):
        if all(_filled(template, one) == other for other, one in pairs):
            return template
    return ""


def _templates(address: str, entry: Entry) -> Iterator[str]:
    """Yield the templates that make an address of the values of an entry: a whole value, then parts of the address."""
    values = {key: text_at(entry, key) for key in keys_of(entry)}
    for key, value in values.items():
        if value == address:
            yield f"{{{key}:raw}}"
    for key, value in sorted(values.items(), key=lambda pair: -len(pair[1])):
        for form, part in ((quote(value, safe=""), f"{{{key}}}"), (value, f"{{{key}:raw}}")):
            pieces = re.split(rf"(?<=[/=&_.-]){re.escape(form)}(?=[/?&=_.-]|$)", address) if form else []
            if len(pieces) == 2 and "{" not in address:  # noqa: PLR2004 - once
                yield part.join(pieces)


def _stated_template(shown: Sequence[SeenPage], lists: Mapping[str, JsonList]) -> str:
    """Return the one value of every entry that is an address of a file by its key; empty if none or several are."""
    entries = [entry for seen in shown for entry in lists[seen.page.file].entries]
    keys = [key for key in keys_of(entries[0]) if _FILE_KEY.search(key) and not _OTHER_KEY.search(key)]
    usable = [key for key in keys if all(_ADDRESS.fullmatch(text_at(entry, key)) for entry in entries)]
    return f"{{{usable[0]}:raw}}" if len(usable) == 1 else ""


def _problem(rule: FileListRequest | None, orders: Sequence[SeenPage], lists: Mapping[str, JsonList]) -> str:
    """Return why a rule would not read every order as it was shown; empty if it would."""
    for seen in orders if rule else ():
        listed = read_lists(rule, seen) if rule else None
        if listed is None:
            return f"the response for {seen.page.file} has no such list"
        if len(listed) != (len(lists[seen.page.file].entries) if seen.page.has_files else 0):
            return f"the responses for {seen.page.file} list others too"
    return ""


def read_lists(rule: FileListRequest, seen: SeenPage) -> list[str] | None:
    """Return the addresses of the files in the responses of a page; ``None`` if no response lists them, as in a run."""
    base = "{0.scheme}://{0.netloc}".format(urlsplit(seen.tree.address))
    made = [content for address, content in seen.answers if patterns.is_found(rule.request, address_below(address))]
    lists = [rule.files_in(content, base, seen.tree.address) for content in made]
    if not lists or None in lists:
        return None
    return list(dict.fromkeys(file.address for files in lists for file in files or ()))


def _is_on_page(rule: FileListRequest, shown: Sequence[SeenPage], files: FileSelectors) -> bool:
    """Return whether a link of a page leads where a response says that a file is."""
    addresses: set[str] = set()
    for seen in shown:
        addresses |= {seen.tree.address_of(item, files.address_attributes) for item in found_files(seen, files)}
    return any(not addresses.isdisjoint(read_lists(rule, seen) or ()) for seen in shown)


def _filled(template: str, entry: Entry) -> str:
    """Return a template with the values of an entry."""
    return re.sub(
        r"\{([\w.-]+?)(:raw)?\}",
        lambda part: text_at(entry, part[1]) if part[2] else quote(text_at(entry, part[1]), safe=""),
        template,
    )
