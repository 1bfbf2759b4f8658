"""Decides what is kept of the list of an order besides its page: how it came, and how it was before. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from poolwright.learn.actions.json_lists import list_request, lists_files
from poolwright.learn.actions.late_list import shows_part
from poolwright.learn.examples import SeenPage, is_served
from poolwright.learn.observations import ObservationError, ObservedPage, ShownKind
from poolwright.learn.page_tree import PageTree

#: Earlier states of one list that are kept: the last ones.
_EARLY_MAX = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ListEvidence:
    """What is kept with the page of an order."""

    #: Whether the portal sent the list with the page.
    served: bool = False
    #: Sources of the page while it showed a part of the list.
    early: tuple[str, ...] = ()
    #: Address and text of JSON that the page got where its list came from, or all of it if no attachment was clicked.
    answers: tuple[tuple[str, str], ...] = ()


def list_evidence(
    page: ObservedPage, html: str, *, source: str, early: Sequence[str], answers: Sequence[tuple[str, str]]
) -> ListEvidence:
    """Return what is kept with the page of an order.

    Args:
        page: The page.
        html: Its source as it was shown, with marks at the clicked attachments.
        source: Its source as the portal sent it.
        early: Its sources while its content arrived.
        answers: Address and text of the JSON that its scripts got.
    """
    valid = tuple((address, text) for address, text in answers if _is_json(text))
    if not page.has_files:
        return ListEvidence(answers=valid)
    seen = SeenPage(page=page, tree=PageTree(html, page.address))
    try:
        parts = [one for one in dict.fromkeys(early) if shows_part(seen, PageTree(one, page.address))]
        lists = {
            list_request(address, page.number, page.address)
            for address, text in valid
            if lists_files(seen, json.loads(text))
        }
        return ListEvidence(
            served=is_served(seen, source),
            early=tuple(parts[-_EARLY_MAX:]),
            answers=tuple(one for one in valid if list_request(one[0], page.number, page.address) in lists),
        )
    except ObservationError:  # what was clicked is not on the page
        return ListEvidence()


def page_of_order(number: str, attachments: Sequence[str], address: str) -> ObservedPage:
    """Return the page of an order that a person shows now."""
    names = tuple(name.strip() or "?" for name in attachments)
    return ObservedPage(file="page", kind=ShownKind.ORDER, number=number or "?", attachments=names, address=address)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
