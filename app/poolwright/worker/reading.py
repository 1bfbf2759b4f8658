"""What a page gave back when it was read. See ``reading.js`` for what is read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from poolwright.portal.triage import Verdict

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


class End(StrEnum):
    """Why a page was read when it was."""

    #: It had told what it is.
    ARRIVED = "arrived"
    #: The time for it was over.
    LATE = "late"
    #: Its address changed while it stayed.
    MOVED = "moved"
    #: It is larger than anything that could be read.
    TOO_LARGE = "too_large"


class Reading(BaseModel):
    """What the page gave back. Checked here: a page is data from outside."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    url: str
    end: End
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
class Read:
    """A page that was read, and what it is."""

    reading: Reading
    verdict: Verdict
    #: Why its list of attachments cannot be trusted; empty when it can, and for pages that have none.
    doubt: str = ""
