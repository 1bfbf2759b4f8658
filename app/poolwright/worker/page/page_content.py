"""The rules that ``reading.js`` gets from the portal pack, and the content of a page that it returns."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from poolwright.portal.file_rules import ElementText
from poolwright.portal.pack import NameSource, Pack
from poolwright.portal.pack_schema import ArchivePolicy, NoAttachmentsMark
from poolwright.portal.page_facts import PageFacts, has_any_hidden
from poolwright.portal.triage import ORDER, AttachmentListFacts, Verdict, marks_of
from poolwright.portal.triage_marks import MarkSet, PageKind, places_of, selectors_of


def reader_rules(pack: Pack) -> dict[str, Any]:
    """Return the rules of a pack that apply to every page, as ``reading.js`` needs them."""
    tables = [marks for verdict in ORDER for marks in marks_of(pack.triage, verdict)]
    attachments = pack.attachments
    return {
        "selectors": selectors_of(tables),
        "within": places_of(tables),
        "links": list(attachments.links),
        "clicks": list(attachments.clicks),
        "address_attributes": list(attachments.address_attributes),
        "ignore_query": list(attachments.ignore_query),
        "conditions": [
            place.model_dump(exclude={"pattern"}) for place in (attachments.only.where if attachments.only else ())
        ],
        "counts_links": attachments.archive is not ArchivePolicy.UNPACK and attachments.api is None,
        "sources": [rule.model_dump(exclude={"pattern", "template"}) for rule in attachments.address],
        "names": {
            key: place.model_dump(exclude={"pattern"}) for place, key in keys_of_places(attachments.names).items()
        },
        "size": attachments.size.model_dump(exclude={"pattern"}) if attachments.size else None,
        "section": attachments.section.model_dump(exclude={"pattern"}) if attachments.section else None,
        "row": attachments.row.model_dump() if attachments.row else None,
        "count": attachments.count.model_dump() if attachments.count else None,
        "empty": _visible_part(attachments.empty) if attachments.empty else None,
        "believes_settled": attachments.believes_settled,
        "is_empty_by_shape": attachments.empty is not None and attachments.empty.is_by_shape,
        "fields": {name: rule.model_dump(exclude={"pattern"}) for name, rule in pack.fields.items()},
    }


def keys_of_places(names: Iterable[NameSource | ElementText]) -> dict[ElementText, str]:
    """Return the keys in ``PageLink.names`` of the places of the page that name a file."""
    places = dict.fromkeys(source for source in names if isinstance(source, ElementText))
    return {place: f"place {number}" for number, place in enumerate(places)}


def mark_rules(pack: Pack, facts: PageFacts, verdicts: Collection[Verdict]) -> list[dict[str, Any]]:
    """Return the marks of verdicts that may appear on a page itself, as ``reading.js`` needs them.

    Args:
        pack: The portal's rules.
        facts: What is known of the page without its content.
        verdicts: The verdicts.
    """
    tables = [marks for verdict in verdicts for marks in marks_of(pack.triage, verdict) if facts.kind in marks.on]
    return [
        {
            "own": _mark_set(marks, facts, is_alone=marks.is_plain) if marks.has_marks else None,
            "all": [_mark_set(one, facts) for one in marks.all_of],
            "not": [_mark_set(one, facts) for one in marks.none_of],
        }
        for marks in tables
        if marks.has_visible_marks or any(one.has_visible_marks for one in marks.all_of)
    ]


def consent_clicks(pack: Pack, kind: PageKind) -> list[str]:
    """Return the selectors of what is clicked on a page of this kind to give a consent, first to last."""
    return [selector for marks in pack.triage.consent if kind in marks.on for selector in marks.click]


def has_exclusions(pack: Pack, kind: PageKind) -> bool:
    """Return whether a mark applies to a page of this kind only without other marks, which may be drawn late."""
    tables = (marks for verdict in ORDER for marks in marks_of(pack.triage, verdict))
    return any(kind in marks.on and bool(marks.none_of) for marks in tables)


def _mark_set(marks: MarkSet, facts: PageFacts, *, is_alone: bool = False) -> dict[str, Any]:
    """Return one set of marks; a mark that is not on the page counts only together with others that are."""
    return {**_visible_part(marks), "is_met": not is_alone and has_any_hidden(marks, facts)}


def _visible_part(mark: MarkSet | NoAttachmentsMark) -> dict[str, Any]:
    """Return the parts of a mark that appear on the page itself."""
    return {"selector": list(mark.selector), "text": list(mark.text), "within": list(mark.within)}


#: Frames without an address of their own belong to the page around them.
_OWN_FRAMES = frozenset({"", "about:blank", "about:srcdoc"})


def may_read_frame(pack: Pack, base_url: str, url: str) -> bool:
    """Return whether the frame at an address belongs to the portal, or to a host that the pack trusts."""
    return url in _OWN_FRAMES or pack.may_fetch(base_url, url)


#: No person could use a larger page. Roots are documents and shadow roots, which may be nested.
ELEMENT_COUNT_MAX, LINK_COUNT_MAX, ROOT_COUNT_MAX, DEPTH_MAX = 300_000, 5_000, 20_000, 200
#: Values of one field: a report must fit into a frame.
VALUE_COUNT_MAX = 200


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
    #: The size that the portal states for its file; empty if it states none.
    size: str = ""
    #: What the page says about to what its file belongs; empty if it says nothing.
    section: str = ""
    #: Texts from which its address is made, one for each rule of the pack (``attachments.address``).
    sources: list[str] = Field(default_factory=list[str])
    #: Texts that decide whether it is wanted, one for each place of the pack (``attachments.only.where``).
    conditions: list[str] = Field(default_factory=list[str])
    #: The text of its row, where the pack names one.
    row: str = ""
    #: The text of the largest element around it that holds no other match; empty if it has an address.
    around: str = ""
    #: The number of matches of its selector on the page; 0 if it has an address.
    total: int = 0
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
    #: Whether the page has scripts, which may add to its list at any time.
    is_scripted: bool = False
    #: Whether the page shows the pack's mark of an empty list, or a count of zero.
    is_said_empty: bool = False
    #: Whether the page shows the pack's mark of a complete list.
    is_settled: bool = False
    #: Addresses of the visible frames of other origins.
    strangers: list[str] = Field(default_factory=list[str])
    #: Addresses of files that the page shows in viewers (object, embed, iframe), without those that a link leads to.
    documents: list[str] = Field(default_factory=list[str])
    #: The texts of each field of the order, at most one unless the pack wants all.
    fields: dict[str, list[str]] = Field(default_factory=dict[str, list[str]])
    #: What is clicked to give a consent that the page asks for; ``None`` if it shows nothing of the kind.
    consent_click: PageLink | None = None
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
    #: The facts from which the verdict followed.
    facts: PageFacts
    #: The facts from which the doubt followed; ``None`` for pages without a list.
    list_facts: AttachmentListFacts | None = None
