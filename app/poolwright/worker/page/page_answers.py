"""The responses of a page's scripts that the pack's marks ask for (``response``), read with their JSON."""

from __future__ import annotations

from collections.abc import Sequence

from playwright.async_api import Response

from poolwright.portal.pack import Pack
from poolwright.portal.page_facts import PageAnswer, leads_to
from poolwright.portal.triage import ORDER, marks_of
from poolwright.portal.triage_marks import MarkSet
from poolwright.worker.page.traffic import Traffic, json_of

#: Only the last responses count: a page may ask all the time.
_COUNT_MAX = 50


def has_dialog_marks(pack: Pack) -> bool:
    """Return whether a mark of the pack is the text of a dialog."""
    return any(one.dialog for one in _mark_sets(pack))


def _mark_sets(pack: Pack) -> list[MarkSet]:
    return [one for verdict in ORDER for marks in marks_of(pack.triage, verdict) for one in marks.sets]


class PageAnswers:
    """The responses of one page to which a mark may apply."""

    def __init__(self, pack: Pack, traffic: Traffic) -> None:
        """Collect the responses in ``traffic`` by the marks of a pack."""
        responses = [mark for one in _mark_sets(pack) for mark in one.response]
        self._addresses = tuple(mark.address for mark in responses)
        self._json_addresses = tuple(mark.address for mark in responses if mark.field is not None)
        self._has_dialogs = has_dialog_marks(pack)
        self._traffic = traffic
        self._known: dict[Response, PageAnswer] = {}

    @property
    def is_wanted(self) -> bool:
        """Whether the pack has marks that only responses or dialogs can match."""
        return bool(self._addresses) or self._has_dialogs

    @property
    def answers(self) -> Sequence[PageAnswer]:
        """Return the responses of the current document by the last update, first to last."""
        return [self._known[one] for one in self._traffic.script_responses if one in self._known][-_COUNT_MAX:]

    async def update(self) -> None:
        """Read the responses that have come since the last update."""
        for response in list(self._traffic.script_responses)[-_COUNT_MAX:]:
            if response in self._known or not leads_to(self._addresses, response.url):
                continue
            has_field = leads_to(self._json_addresses, response.url)
            content = await json_of(response) if has_field else None
            self._known[response] = PageAnswer(url=response.url, status=response.status, content=content)
