"""The rules that ``reading.js`` gets from the portal pack, and the content of a page that it returns."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from poolwright.portal.pack import Marks, Pack
from poolwright.portal.pack_schema import NoAttachmentsMark
from poolwright.portal.triage import ORDER, Verdict, marks_of


def reader_rules(pack: Pack) -> dict[str, Any]:
    """Return the rules of a pack that apply to every page, as ``reading.js`` needs them."""
    marks = {verdict: mark for verdict in ORDER if (mark := marks_of(pack.triage, verdict)) is not None}
    attachments = pack.attachments
    return {
        "selectors": _distinct(marks, "selector"),
        "within": _distinct(marks, "within"),
        "trouble": [_visible_part(mark) for verdict, mark in marks.items() if verdict is not Verdict.READY],
        "ready": _visible_part(marks[Verdict.READY]),
        "links": list(attachments.links),
        "clicks": list(attachments.clicks),
        "address_attributes": list(attachments.address_attributes),
        "row": attachments.row.model_dump() if attachments.row else None,
        "count": attachments.count.model_dump() if attachments.count else None,
        "empty": _visible_part(attachments.empty) if attachments.empty else None,
        "fields": {name: rule.model_dump(include={"selector", "attribute"}) for name, rule in pack.fields.items()},
    }


def _visible_part(mark: Marks | NoAttachmentsMark) -> dict[str, list[str]]:
    """Return the parts of a mark that appear on the page itself."""
    return {"selector": list(mark.selector), "text": list(mark.text), "within": list(mark.within)}


def _distinct(marks: dict[Verdict, Marks], part: str) -> list[str]:
    return sorted({selector for mark in marks.values() for selector in getattr(mark, part)})


#: Frames without an address of their own belong to the page around them.
_OWN_FRAMES = frozenset({"", "about:blank", "about:srcdoc"})


def may_read_frame(pack: Pack, base_url: str, url: str) -> bool:
    """Return whether the frame at an address belongs to the portal, or to a host that the pack trusts."""
    return url in _OWN_FRAMES or pack.may_fetch(base_url, url)


#: No person could use a larger page. Roots are documents and shadow roots, which may be nested.
ELEMENT_COUNT_MAX, LINK_COUNT_MAX, ROOT_COUNT_MAX, DEPTH_MAX = 300_000, 5_000, 20_000, 200


class PageLink(BaseModel):
    """One element of the page that leads to a file."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    #: Absolute; empty if only a click brings the file.
    address: str
    #: Finds the element again: the nth match of the selector, those of documents before those of shadow roots.
    selector: str
    index: int
    #: Texts that may name the file, by source.
    names: dict[str, str]
    #: The text of its row, where the pack names one.
    row: str = ""
    #: Absolute address of a route within the page, if it leads to one in place of a file.
    route: str = ""
    #: The page of the list that shows it, from 1.
    list_page: int = 1
    #: Address of the frame of another origin that contains it; empty for the page itself.
    frame: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """Return what tells it from the other links of a list."""
        return (self.address,) if self.address else (self.selector, self.frame, self.row, *self.names.values())


class ReadEnd(StrEnum):
    """The reason why a reading ended."""

    #: The page could be classified.
    ARRIVED = "arrived"
    #: The time limit passed.
    LATE = "late"
    #: The address changed without a new document.
    MOVED = "moved"
    #: The page is too large to be read.
    TOO_LARGE = "too_large"


class PageContent(BaseModel):
    """The content of a page. Validated here, because a page is data from outside."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    url: str
    end: ReadEnd
    present: list[str] = Field(default_factory=list[str])
    texts: dict[str, str] = Field(default_factory=dict[str, str])
    links: list[PageLink] = Field(default_factory=list[PageLink])
    count: int | None = None
    #: Whether the page shows the pack's mark of an empty list, or a count of zero.
    is_said_empty: bool = False
    #: Whether the page shows the pack's mark of a complete list.
    is_settled: bool = False
    #: Addresses of the visible frames of other origins.
    strangers: list[str] = Field(default_factory=list[str])
    #: Addresses of files that the page shows in viewers (object, embed, iframe), without those that a link leads to.
    documents: list[str] = Field(default_factory=list[str])
    fields: dict[str, str] = Field(default_factory=dict[str, str])
    element_count: int = 0
    link_count: int = 0
    #: Tells one page of a list from another; empty for a list of one page.
    signature: str = ""
    #: The page of the list that is shown, from 1.
    list_page: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifiedPage:
    """The content of a page and its verdict."""

    reading: PageContent
    verdict: Verdict
    #: Why its list of attachments cannot be trusted; empty if it can, and for pages without a list.
    doubt: str = ""
