"""The rules that ``reading.js`` gets from the portal pack, and the content of a page that it gives back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from poolwright.portal.pack import Marks, Pack
from poolwright.portal.pack_schema import NoAttachmentsMark
from poolwright.portal.triage import ORDER, Verdict, marks_of


def reader_rules(pack: Pack) -> dict[str, Any]:
    """What a pack tells of pages, for a look at any of them."""
    marks = {verdict: found for verdict in ORDER if (found := marks_of(pack.triage, verdict)) is not None}
    found = pack.attachments
    return {
        "selectors": _distinct(marks, "selector"),
        "within": _distinct(marks, "within"),
        "trouble": [_shown(mark) for verdict, mark in marks.items() if verdict is not Verdict.READY],
        "ready": _shown(marks[Verdict.READY]),
        "links": list(found.links),
        "clicks": list(found.clicks),
        "address_attributes": list(found.address_attributes),
        "count": found.count.model_dump() if found.count else None,
        "empty": _shown(found.empty) if found.empty else None,
        "fields": {name: rule.model_dump(include={"selector", "attribute"}) for name, rule in pack.fields.items()},
    }


def _shown(mark: Marks | NoAttachmentsMark) -> dict[str, list[str]]:
    """What of a mark is to be seen on the page itself."""
    return {"selector": list(mark.selector), "text": list(mark.text), "within": list(mark.within)}


def _distinct(marks: dict[Verdict, Marks], kind: str) -> list[str]:
    return sorted({selector for mark in marks.values() for selector in getattr(mark, kind)})


#: A larger page is none that anybody could use. Roots are documents and shadow roots, which may stand in each other.
ELEMENT_COUNT_MAX, LINK_COUNT_MAX, ROOT_COUNT_MAX, DEPTH_MAX = 300_000, 5_000, 20_000, 200


class PageLink(BaseModel):
    """One element of the page that leads to a file."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    #: Absolute; empty when only a click gives the file.
    address: str
    #: Finds the element again: the nth match of the selector, those of documents before those of shadow roots.
    selector: str
    index: int
    #: What may name the file, by source.
    names: dict[str, str]


class ReadEnd(StrEnum):
    """Why a page was read when it was."""

    #: It had told what it is.
    ARRIVED = "arrived"
    #: The time for it was over.
    LATE = "late"
    #: Its address changed while it stayed.
    MOVED = "moved"
    #: It is larger than anything that could be read.
    TOO_LARGE = "too_large"


class PageContent(BaseModel):
    """What the page gave back. Checked here: a page is data from outside."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    url: str
    end: ReadEnd
    present: list[str] = Field(default_factory=list[str])
    texts: dict[str, str] = Field(default_factory=dict[str, str])
    links: list[PageLink] = Field(default_factory=list[PageLink])
    count: int | None = None
    #: Whether it shows the pack's mark of an empty list, or counts none.
    is_said_empty: bool = False
    #: Whether it shows the pack's mark of a list that has arrived.
    is_settled: bool = False
    #: Addresses of frames of other origins, as far as they are to be seen.
    strangers: list[str] = Field(default_factory=list[str])
    fields: dict[str, str] = Field(default_factory=dict[str, str])
    element_count: int = 0
    link_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifiedPage:
    """A page that was read, and what it is."""

    reading: PageContent
    verdict: Verdict
    #: Why its list of attachments cannot be trusted; empty when it can, and for pages that have none.
    doubt: str = ""
