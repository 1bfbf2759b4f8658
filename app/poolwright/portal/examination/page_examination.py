"""The findings about one page of a portal, for the author of its pack. Pure data, as JSON in ``page.json``."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from poolwright.portal.triage import AttachmentListFacts, Verdict


class ExaminationPart(BaseModel):
    """A part of an examination: immutable, without unknown keys, because it is also read from files of users."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class MatchedMark(ExaminationPart):
    """One mark of the pack that is on the page."""

    #: Its key in the pack, such as ``triage.ready.selector``.
    key: str
    #: The mark itself.
    mark: str
    #: Where it matched: the address, the status, or the element.
    place: str


class SelectorFinding(ExaminationPart):
    """The elements that one selector of the pack matches, in all parts of the page that are read."""

    #: Its key in the pack, such as ``attachments.links``.
    key: str
    selector: str
    count: int = 0
    #: Those of them that are visible.
    shown_count: int = 0
    #: The texts of the first ones, shortened.
    texts: tuple[str, ...] = ()
    #: Why the browser cannot read the selector; empty if it can.
    problem: str = ""


class LinkFinding(ExaminationPart):
    """One link to a file, with the name that the page gives it."""

    #: Empty if only a click brings the file.
    address: str
    #: The selector that found it.
    selector: str
    name: str
    #: The source of the name, such as ``text``; empty if the page has no name for it.
    source: str


class ListSigns(ExaminationPart):
    """The signs by which a list of attachments is judged."""

    link_count: int
    count: int | None
    is_declared_empty: bool
    is_settled: bool
    is_answered: bool
    is_in_time: bool
    is_calm: bool
    unread: tuple[str, ...]
    documents: tuple[str, ...]

    @classmethod
    def from_facts(cls, facts: AttachmentListFacts) -> ListSigns:
        """Return the signs among the facts about a list."""
        return cls(
            link_count=facts.link_count,
            count=facts.count,
            is_declared_empty=facts.is_declared_empty,
            is_settled=facts.is_settled,
            is_answered=facts.is_answered,
            is_in_time=facts.is_in_time,
            is_calm=facts.is_calm,
            unread=tuple(facts.unread),
            documents=tuple(facts.documents),
        )


class PageExamination(ExaminationPart):
    """All findings about one page."""

    #: The address that was opened.
    opened: str
    #: Every address that the page navigated to, first to last.
    passed: tuple[str, ...] = ()
    #: The address at the end.
    url: str
    #: HTTP status of the last response; 0 if there was none.
    status: int = 0
    #: Why the reading ended: ``arrived``, ``late`` or ``too_large``.
    end: str
    verdict: Verdict
    #: Why, in whole sentences.
    reason: str
    marks: tuple[MatchedMark, ...] = ()
    #: Why the list of attachments may be incomplete; empty if it is complete, and for pages without a list.
    doubt: str = ""
    #: The browser's error if a response came but no page; else empty.
    problem: str = ""
    selectors: tuple[SelectorFinding, ...] = ()
    links: tuple[LinkFinding, ...] = ()
    #: ``None`` for pages without a list.
    signs: ListSigns | None = None
    fields: dict[str, str] = Field(default_factory=dict[str, str])
    #: Requests that the read-only guard blocked, as method and address.
    blocked: tuple[str, ...] = ()
    #: Addresses outside the portal to which the page tried to go.
    strayed: tuple[str, ...] = ()

    @property
    def is_good(self) -> bool:
        """Return whether a run would take the files of this page, or know that it has none."""
        return self.verdict in {Verdict.READY, Verdict.RENEWED} and not self.doubt and not self.problem

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the files on the page."""
        return tuple(link.name for link in self.links)
