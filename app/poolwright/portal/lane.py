"""The lane of an order: in a tab, which is the judge, or by HTTP alone where that is surely the same. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from poolwright.portal.file_rules import FileListAnswer
from poolwright.portal.pack_schema import ArchivePolicy, OrderPath, PackTable, with_number
from poolwright.portal.step_schema import FurtherSource, ListRules, OrderSite
from poolwright.portal.triage_marks import TriageMarks


class Lane(StrEnum):
    """How the pages of a portal's orders are read."""

    TAB = "tab"
    #: By an HTTP client with the login of the session; whatever that does not show clearly is read in a tab.
    HTTP = "http"


class LaneList(FileListAnswer):
    """The answer in which the list of an order stands, where it does not stand in its page."""

    #: Its address below the portal's, with the number as in ``site.order``.
    address: OrderPath

    def url(self, base_url: str, portal_number: str) -> str:
        """Return the address for an order."""
        return base_url + with_number(self.address, portal_number)


class LaneRules(PackTable):
    """The lane of a portal's orders."""

    kind: Lane = Lane.TAB
    list: LaneList | None = None


def as_lane(value: object) -> object:
    """Return the table that a single word stands for."""
    return {"kind": value} if isinstance(value, str) else value


def lane_problems(
    lane: LaneRules,
    site: OrderSite,
    triage: TriageMarks,
    attachments: ListRules,
    sources: tuple[FurtherSource, ...],
) -> Iterator[str]:
    """Yield why the orders of a portal cannot be read by HTTP, as parts of a sentence.

    That lane has no page that could act, and needs a sign that a list is complete.
    """
    needs = {
        "site.find needs a tab": site.find is not None,
        "a route (#) in site.order needs a tab": any("#" in path for path in site.order_paths),
        "marks of triage by response or dialog need a tab": any(
            one.response or one.dialog for marks in triage.tables for one in marks.sets
        ),
        "attachments.open, next and file need a tab": any((attachments.open, attachments.next, attachments.file)),
        "attachments.archive = unpack needs a tab": attachments.archive is ArchivePolicy.UNPACK,
        "further sources need a tab": bool(sources),
        "lane.list must say where the list is, or attachments.count how many files the page has": lane.list is None
        and (attachments.count is None or attachments.api is not None),
    }
    if lane.kind is Lane.HTTP:
        yield from (sentence for sentence, is_needed in needs.items() if is_needed)
