"""Decides which calls of the shown pages a run may send: the listed POSTs of a pack (``site.posts``). Pure.

A person who only opens orders sends nothing that changes them on purpose, but the scripts of a page may: they mark an
order as seen, or log who looks at it. So a call whose name says that it changes something is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from poolwright.learn.examples import SeenPage
from poolwright.learn.list_signs import generalised_request
from poolwright.learn.observations import ObservedCall
from poolwright.portal.addresses import origin_of
from poolwright.portal.calls.post_rule import placed_values

#: A listed call as a pack has it: an address, or an address and the values of a body.
Post: TypeAlias = str | Mapping[str, object]


def _words_of(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Last keys of the places that say what a call does, without case and ``_``.
_NAMING = _words_of(
    "action call cmd command fn func function handler method op operation operationname proc procedure queryname rpc "
    "task verb"
)
#: Last keys of the places that say what a call does it with.
_OBJECTS = _words_of("class collection entity model object resource service")
_NAME = re.compile(r"[A-Za-z_][\w.:/ -]{0,99}")
_VALUES_MAX = 20
_CHANGING = _words_of(
    "ack acknowledge add append approve archive assign authenticate block cancel change clear close commit confirm "
    "copy create delete destroy disable drop edit enable erase exec execute import insert invite lock log login logout "
    "mark merge modify move patch pay post publish purge put register reject release remove rename replace reset "
    "restore revoke save send set share sign signin signout store submit subscribe touch track transfer unlink "
    "unlock unset update upload upsert write"
)
_READING = _words_of(
    "browse check count default describe download export fetch fields find get has info is list load lookup name open "
    "permissions preferences preview query read report resolve retrieve search select session show view"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedCalls:
    """The calls that a pack lists."""

    posts: tuple[Post, ...] = ()
    doubts: tuple[str, ...] = ()


def naming_values(content_type: str, body: bytes) -> dict[str, tuple[str, ...]]:
    """Return the values of a body that say which call it is, by place. Nothing else of it is kept: it may be secret.

    Args:
        content_type: The header of the request.
        body: Its body.
    """
    named: dict[str, dict[str, None]] = {}
    for place, text in placed_values(content_type, body):
        if _last_key(place) in _NAMING | _OBJECTS and _NAME.fullmatch(text):
            named.setdefault(place, {})[text] = None
    return {place: tuple(texts)[:_VALUES_MAX] for place, texts in named.items()}


def allowed_calls(pages: Sequence[SeenPage], base_url: str) -> AllowedCalls:
    """Return the calls that the pages of a portal need.

    Args:
        pages: The pages that somebody sees who is logged in.
        base_url: The address of the portal; what goes elsewhere is never sent.
    """
    by_address: dict[str, list[ObservedCall]] = {}
    for seen in pages:
        for call in seen.page.calls:
            if origin_of(call.address) == origin_of(base_url):
                address = generalised_request(call.address, seen.page.number)
                by_address.setdefault(address, []).append(call)
    posts: list[Post] = []
    doubts: list[str] = []
    for address, calls in sorted(by_address.items()):
        if not any(call.body for call in calls):
            more_posts, more_doubts = _by_address(address)
        else:
            more_posts, more_doubts = _by_body(address, calls)
        posts += more_posts
        doubts += more_doubts
    return AllowedCalls(posts=tuple(posts), doubts=tuple(doubts))


def changes_something(name: str) -> bool:
    """Return whether the name of a call says that it changes something; one that says both changes something."""
    return not _CHANGING.isdisjoint(_words(name))


def _by_address(address: str) -> tuple[list[Post], list[str]]:
    if _changes_by_address(address):
        return [], [f"Pages send calls to {address}, whose name says that they change something; they stay blocked."]
    doubt = (
        f"Pages send calls to {address}, and nothing in them says what they do: site.posts allows all of this address. "
        "Check that they change nothing."
    )
    return [address], [doubt]


def _by_body(address: str, calls: Sequence[ObservedCall]) -> tuple[list[Post], list[str]]:
    """Return one rule for each set of places that name a call."""
    groups: dict[tuple[str, ...], dict[str, dict[str, None]]] = {}
    blocked: dict[str, None] = {}
    unclear: dict[str, None] = {}
    is_unnamed = False
    for call in calls:
        names = [text for place, texts in call.body.items() if _last_key(place) in _NAMING for text in texts]
        is_unnamed |= not call.body
        changing = [name for name in names if changes_something(name)]
        if changing or not call.body:
            blocked.update(dict.fromkeys(changing))
            continue
        unclear.update(dict.fromkeys(name for name in names if _READING.isdisjoint(_words(name))))
        places = groups.setdefault(tuple(sorted(call.body)), {})
        for place, texts in call.body.items():
            places.setdefault(place, {}).update(dict.fromkeys(texts))
    posts: list[Post] = [
        {"address": address, "body": {place: tuple(sorted(texts)) for place, texts in sorted(places.items())}}
        for _, places in sorted(groups.items())
    ]
    doubts: list[str] = []
    if blocked:
        doubts.append(f"Calls that seem to change something stay blocked: {_listed(blocked)} ({address}).")
    if unclear:
        doubts.append(f"It is not clear whether these calls only read; site.posts allows them: {_listed(unclear)}.")
    if is_unnamed:
        doubts.append(f"Some calls to {address} do not say what they do; they stay blocked.")
    return posts, doubts


def _changes_by_address(address: str) -> bool:
    plain = re.sub(r"\\(.)|\(.*|\[[^\]]*\]\+?|[\^$?]", lambda match: match[1] or "", address)
    return changes_something(plain.rstrip("/"))


def _last_key(place: str) -> str:
    return place.rpartition(".")[2].casefold().replace("_", "")


def _words(name: str) -> set[str]:
    """Return the words of the last part of a name, in lower case."""
    last = re.split(r"[./: ]+", name.strip("./: "))[-1]
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", last)
    return {word.casefold() for word in re.split(r"[\W_]+", spaced) if word}


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
