"""Writes the text of a pack file: its tables, and above each what it was learned from. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

import tomli_w

from poolwright.learn.actions.late_list import LateList
from poolwright.learn.actions.list_opening import ListOpening
from poolwright.learn.actions.listed_files import ListedFiles
from poolwright.learn.actions.page_calls import AllowedCalls
from poolwright.learn.actions.search_form import SearchForm
from poolwright.learn.file_links import FileSelectors
from poolwright.learn.file_names import NameCell
from poolwright.learn.list_signs import LearnedSigns
from poolwright.learn.login_page import LearnedLogin
from poolwright.learn.next_page import NextButton
from poolwright.learn.order_numbers import OrderNumbers
from poolwright.learn.page_marks import LearnedMarks
from poolwright.learn.supplier_field import SupplierField

_WIDTH = 110
_Item: TypeAlias = "str | int | Mapping[str, object] | Sequence[str]"
_Value: TypeAlias = str | int | Sequence[_Item]
_Table: TypeAlias = Mapping[str, _Value]
#: Sources of names around a cell of the list: what the portal sends goes first, and the text of a link is none.
_NAMES_BEFORE, _NAMES_AFTER = ("disposition",), ("download", "title", "aria-label", "address")


@dataclass(frozen=True, slots=True, kw_only=True)
class PackParts:
    """All that a pack says, part by part."""

    name: str
    title: str
    numbers: OrderNumbers
    probe: str
    #: How orders are searched; ``None`` if their addresses have their numbers.
    find: SearchForm | None
    calls: AllowedCalls
    login: LearnedLogin
    forbidden: LearnedMarks
    not_found: LearnedMarks
    ready: LearnedMarks
    files: FileSelectors
    listed: ListedFiles
    late: LateList
    names: NameCell
    following: NextButton
    opening: ListOpening
    file_hosts: Sequence[str]
    signs: LearnedSigns
    supplier: SupplierField


def pack_text(parts: PackParts, doubts: Sequence[str], note: str = "") -> str:
    """Return a pack as TOML with comments.

    Args:
        parts: What it says.
        doubts: What is not sure; it stands at the top of the file.
        note: A sentence above it about the pack as a whole; empty for none.
    """
    lines = [f"# {parts.title}: learned by `poolwright portal learn` from pages of the portal."]
    lines += [*([f"# {' '.join(note.split())}"] if note else []), *_doubt_lines(doubts)]
    head = {"schema": 2, "name": parts.name, "title": parts.title}
    lines += [tomli_w.dumps(head).strip()]
    for comment, key, table in _tables(parts):
        lines += ["", *(f"# {line}" for line in comment.splitlines()), f"[{key}]"]
        lines += [_pair(name, value) for name, value in table.items() if value not in ((), "")]
    return "\n".join(lines) + "\n"


def _doubt_lines(doubts: Sequence[str]) -> Iterator[str]:
    if doubts:
        yield "# What is not sure:"
    for doubt in doubts:
        yield f"# - {' '.join(doubt.split())}"


def _pair(name: str, value: _Value) -> str:
    if isinstance(value, (str, int)):
        return f"{name} = {_scalar(value)}"
    line = f"{name} = [{', '.join(map(_scalar, value))}]"
    if len(line) <= _WIDTH:
        return line
    return "\n".join([f"{name} = [", *(f"  {_scalar(item)}," for item in value), "]"])


def _scalar(value: _Item) -> str:
    """Return a value as TOML; texts with a backslash as literal ones, which are easier to read."""
    if isinstance(value, Mapping):
        pairs = (f"{_key(key)} = {_scalar(cast('_Item', inner))}" for key, inner in value.items())
        return f"{{ {', '.join(pairs)} }}"
    if not isinstance(value, str | int):
        return f"[{', '.join(map(_scalar, value))}]"
    if isinstance(value, str) and "\\" in value and "'" not in value and value.isprintable():
        return f"'{value}'"
    return tomli_w.dumps({"x": value}).partition("=")[2].strip()


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else tomli_w.dumps({name: 0}).rpartition("=")[0].strip()


def _tables(parts: PackParts) -> Iterator[tuple[str, str, _Table]]:
    numbers, login = parts.numbers, parts.login
    rules: dict[str, _Value] = {
        "prefixes": numbers.prefixes,
        "pattern": numbers.pattern,
        "separators": numbers.separators,
    }
    yield (
        "The order numbers of your lists. Letters are kept as they are written.",
        "numbers",
        {**rules, "describe": numbers.describe, "example": numbers.example},
    )
    yield "Where orders are. The probe is the page that was shown after the login.", "site", _site(parts)
    if parts.find:
        yield from _find(parts.find)
    ladder: tuple[str, ...] = ("revisit", "cookies", *(("form",) if login.is_automatic else ()), "human")
    if login.is_http:
        ladder = ("revisit",)  # the browser sends user and password itself
    yield "", "login", {"ladder": ladder, "start": login.start or parts.probe, "hosts": login.hosts}
    if login.user:
        form = {"user": login.user, "password": login.password, "submit": login.submit}
        yield "The fields of the login page.", "login.form", form
    if login.is_http:
        yield "The portal asks for user and password by HTTP.", "login.http", {"scheme": "basic"}
    for number, step in enumerate(login.steps):
        yield "" if number else "The login pages, one after the other.", "[login.steps]", step
    yield from _triage(parts)
    yield from _attachments(parts)
    if parts.supplier.selector:
        field = {"selector": (parts.supplier.selector,), "pattern": parts.supplier.pattern}
        yield "The supplier that was pointed at; a number in brackets behind it is cut off.", "fields.supplier", field


def _site(parts: PackParts) -> _Table:
    return {
        "base_url": parts.numbers.base_url,
        "order": parts.numbers.order,
        "probe": parts.probe,
        "hosts": tuple(parts.file_hosts),
        "posts": cast("Sequence[_Item]", (*parts.calls.posts, *(parts.find.posts if parts.find else ()))),
    }


def _find(find: SearchForm) -> Iterator[tuple[str, str, _Table]]:
    yield (
        "The addresses of orders do not have their numbers, so that each is searched.",
        "site.find",
        {"page": find.page, "links": (find.links,), "text": (find.text,)},
    )
    for number, step in enumerate(find.steps):
        yield "" if number else "What is done on the search page.", "[site.find.steps]", step
    if find.cell:
        yield (
            "The cell that has the number of a result.",
            "site.find.row",
            {"closest": find.closest, "selector": find.cell},
        )
    if find.empty.text:
        empty = {"text": find.empty.text, "within": find.empty.within}
        yield "How the page says that it found nothing.", "site.find.empty", empty
    if find.following.selector:
        following = {"click": find.following.selector, "text": find.following.text}
        yield "The button to the next page of the results.", "site.find.next", following
    yield "Elements that the pages of the search show, and no login page.", "site.find.ready", {"selector": find.ready}


def _triage(parts: PackParts) -> Iterator[tuple[str, str, _Table]]:
    yield (
        "The login page is seen in place of the page that was asked for.",
        "triage.session_lost",
        _marks(parts.login.lost),
    )
    yield "An order that this user may not see.", "triage.forbidden", _marks(parts.forbidden)
    yield "A number that does not exist.", "triage.not_found", _marks(parts.not_found)
    yield "Elements that orders and the probe show, and no other page.", "triage.ready", _marks(parts.ready)


def _attachments(parts: PackParts) -> Iterator[tuple[str, str, _Table]]:
    files, signs, listed = parts.files, parts.signs, parts.listed.rule
    table: dict[str, _Value] = {} if listed else {"links": files.links}
    if not listed and files.address_attributes != ("href", "data-url"):
        table["address_attributes"] = files.address_attributes
    if not listed and parts.names.is_needed:
        cell = {"closest": parts.names.closest, "selector": parts.names.selector}
        table["names"] = [*_NAMES_BEFORE, cell, *_NAMES_AFTER]
    table |= {"clicks": () if listed else files.clicks, "answered": signs.answered, "settled": signs.settled}
    if listed:
        comment = "The response that lists the attachments, checked on every page that was shown."
        yield comment, "attachments.api", listed.model_dump(exclude_defaults=True)
    else:
        yield "Checked on every page that was shown: all attachments, and nothing else.", "attachments", table
    for number, one in enumerate(parts.opening.clicks):
        step = {"click": one.click, "until": one.until}
        yield "" if number else "What is clicked before the list is there.", "[attachments.open]", step
    if parts.following.selector:
        following = {"click": parts.following.selector, "text": parts.following.text}
        yield "The button to the next page of a list.", "attachments.next", following
    if signs.count_selector:
        count = {"selector": signs.count_selector, "attribute": signs.count_attribute}
        yield "The number of attachments that the page itself tells.", "attachments.count", count
    yield from _empty(signs)


def _empty(signs: LearnedSigns) -> Iterator[tuple[str, str, _Table]]:
    if signs.empty.text:
        empty = {"text": signs.empty.text, "within": signs.empty.within}
        yield "How the page says that there are none.", "attachments.empty", empty
    elif signs.empty_list:
        yield "The list of an order without attachments.", "attachments.empty", {"selector": (signs.empty_list,)}


def _marks(marks: LearnedMarks) -> _Table:
    table: dict[str, _Value] = {
        "address": marks.address,
        "status": marks.status,
        "selector": marks.selector,
        "text": marks.text,
        "within": marks.within,
    }
    if marks.excluded is not None:
        told = {name: value for name, value in _marks(marks.excluded).items() if value}
        table["not"] = (told,)
    return table
