"""Defines the tables of a pack for the way to a list: steps, further list pages, further sources, a search, the lane.

They extend the tables of ``pack_schema``; a pack without them is read as before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, model_validator

from poolwright.portal.file_rules import FileListAnswer
from poolwright.portal.pack_schema import (
    ArchivePolicy,
    AttachmentRules,
    Mark,
    NoAttachmentsMark,
    OrderPath,
    PackTable,
    Selector,
    SiteAddresses,
    SitePath,
    with_number,
)
from poolwright.portal.triage_marks import Marks, TriageMarks

#: Steps and pages of one list that no person would go through.
MAX_LIMIT = 500
_SOURCE_NAME = re.compile(r"[a-z0-9][a-z0-9_ -]*")


class StepAction(StrEnum):
    """What a step does."""

    GOTO = "goto"
    CLICK = "click"
    FILL = "fill"
    PRESS = "press"
    WAIT_FOR = "wait_for"
    EXPAND = "expand"


class PageStep(PackTable):
    """One step on a page, as a person would make it: exactly one action, and the sign that it worked."""

    #: Open a page of the portal; ``{number}`` is replaced.
    goto: SitePath | None = None
    #: Click the first visible element.
    click: Selector | None = None
    #: Fill the first visible field with ``value``.
    fill: Selector | None = None
    #: Press a key, such as ``Enter``, in the element of ``on``, or in the one that has the focus.
    press: Mark | None = None
    #: Wait until an element is visible.
    wait_for: Selector | None = None
    #: Click each visible element once, and those that appear by it. It should match closed elements only.
    expand: Selector | None = None
    #: Of ``fill``; ``{number}`` is replaced.
    value: str = ""
    #: Of ``press``.
    on: Selector | None = None
    #: Only elements that contain one of these texts.
    text: tuple[Mark, ...] = ()
    #: The element that is visible when the step has worked.
    until: Selector | None = None
    #: Texts, one of which the element of ``until`` contains.
    until_text: tuple[Mark, ...] = ()
    #: Whether to click as long as there is an element; there need not be one at first.
    repeat: bool = False
    #: Most clicks of ``repeat`` or ``expand``; a page that has more is told and not taken for complete.
    max: int = Field(default=50, ge=1, le=MAX_LIMIT)
    #: Whether the step is left out where its element is missing.
    if_present: bool = False

    @model_validator(mode="after")
    def _is_one_step(self) -> PageStep:
        actions = [action for action in StepAction if getattr(self, action.value) is not None]
        if len(actions) != 1:
            msg = f"a step has exactly one of {', '.join(StepAction)}"
            raise ValueError(msg)
        [action] = actions
        belongings = {
            "value": (StepAction.FILL,),
            "on": (StepAction.PRESS,),
            "text": (StepAction.CLICK, StepAction.FILL, StepAction.WAIT_FOR, StepAction.EXPAND),
            "repeat": (StepAction.CLICK,),
            "max": (StepAction.CLICK, StepAction.EXPAND),
            "if_present": (StepAction.CLICK, StepAction.FILL, StepAction.WAIT_FOR),
        }
        defaults = type(self).model_fields
        for key, owners in belongings.items():
            if getattr(self, key) != defaults[key].default and action not in owners:
                msg = f"{key} is for {' and '.join(owners)}, not for {action}"
                raise ValueError(msg)
        if self.until_text and not self.until:
            msg = "until_text needs until: the element that contains the text"
            raise ValueError(msg)
        return self

    @property
    def action(self) -> StepAction:
        """Return what the step does."""
        return next(action for action in StepAction if getattr(self, action.value) is not None)

    @property
    def target(self) -> str:
        """Return the selector, address or key of the action."""
        return str(getattr(self, self.action.value))


class NextPage(PackTable):
    """How a list of several pages, or one that grows while it is scrolled, shows its rest."""

    #: The button to the next page; the last page has none, or a disabled one.
    click: Selector | None = None
    #: Only a button that contains one of these texts.
    text: tuple[Mark, ...] = ()
    #: The element that scrolls; ``html`` for the whole page.
    scroll: Selector | None = None
    #: The element that is visible at the end of the list.
    until: Selector | None = None
    #: Most pages or scrolls; a list that has more is told and not taken for complete.
    max: int = Field(default=50, ge=1, le=MAX_LIMIT)

    @model_validator(mode="after")
    def _is_one_way(self) -> NextPage:
        if (self.click is None) == (self.scroll is None):
            msg = "it needs click or scroll, and not both"
            raise ValueError(msg)
        if self.text and self.click is None:
            msg = "text is for click"
            raise ValueError(msg)
        return self


class FileStep(PackTable):
    """The way from a page or dialog that a link opens to its file."""

    #: The link of the file on that page.
    follow: Selector | None = None
    #: The button that brings the file.
    click: Selector | None = None

    @model_validator(mode="after")
    def _is_one_way(self) -> FileStep:
        if (self.follow is None) == (self.click is None):
            msg = "it needs follow or click, and not both"
            raise ValueError(msg)
        return self


class RowText(PackTable):
    """The text of a row, which tells elements apart that look the same."""

    #: The row around the element.
    closest: Selector
    #: The cell of the row; if empty, the whole row.
    selector: str = ""


class ListRules(AttachmentRules):
    """The rules for a list of attachments that may need steps and may have several pages."""

    #: Steps before the list is read.
    open: tuple[PageStep, ...] = ()
    next: NextPage | None = None
    file: FileStep | None = None
    #: Tells apart files whose links look the same.
    row: RowText | None = None


class ResultRules(ListRules):
    """The rules for the results of a search: what shows that they have arrived shows that there are none, too.

    An order that is not found is looked at again with a session that is proven, an order without attachments is not.
    """

    believes_settled: ClassVar[bool] = True


class SearchRules(PackTable):
    """How the page of an order is found by its number."""

    #: The search page; ``{number}`` is replaced.
    page: SitePath
    #: Steps on it, such as fill and click.
    steps: tuple[PageStep, ...] = ()
    #: The links to orders among the results.
    links: Annotated[tuple[Selector, ...], Field(min_length=1)]
    #: Texts of such a link, or of its ``row``, that are exactly the number.
    text: Annotated[tuple[Mark, ...], Field(min_length=1)] = ("{number}",)
    #: Where the number is if not in the link itself.
    row: RowText | None = None
    #: Elements that show that the results have arrived.
    settled: tuple[Selector, ...] = ()
    #: The mark of a search without results.
    empty: NoAttachmentsMark | None = None
    next: NextPage | None = None
    #: The marks of the search page; if missing, those of ``triage.ready``.
    ready: Marks | None = None

    @model_validator(mode="after")
    def _uses_number(self) -> SearchRules:
        texts = (self.page, *(step.goto or step.value for step in self.steps))
        if not any("{number}" in text for text in texts):
            msg = "page or one of its steps must contain {number}"
            raise ValueError(msg)
        if not all("{number}" in text for text in self.text):
            msg = "each text must contain {number}: else it finds an order of another number"
            raise ValueError(msg)
        return self

    @property
    def list_rules(self) -> ListRules:
        """Return the rules for the list of results."""
        return ResultRules(
            links=self.links,
            address_attributes=("href",),
            settled=self.settled,
            empty=self.empty,
            open=self.steps,
            next=self.next,
            row=self.row,
        )


class OrderSite(SiteAddresses):
    """Addresses of a portal whose orders may have to be searched."""

    #: With it, ``order`` is where the found pages are, and needs no ``{number}``.
    find: SearchRules | None = None

    @property
    def has_numbered_addresses(self) -> bool:
        """Return whether the number of an order is in its address."""
        return self.find is None

    @property
    def order_paths(self) -> tuple[str, ...]:
        """Return the paths of all pages of orders."""
        return (self.order, *(one.address for one in self.orders))


class SourceTrigger(StrEnum):
    """When a further page is read."""

    ALWAYS = "always"
    #: Only if nothing was found before it.
    NONE = "none"
    #: Only if no PDF was found before it.
    NO_PDF = "no-pdf"


def _source_name(text: str) -> str:
    if not _SOURCE_NAME.fullmatch(text):
        msg = f"{text!r} must be lower-case letters, digits, spaces, - and _"
        raise ValueError(msg)
    return text


class FurtherSource(PackTable):
    """Another page with files of the order, such as its requisition. Its files are added to those before it."""

    #: How it is called in the report.
    name: Annotated[str, AfterValidator(_source_name)]
    #: The links to it on the order's page.
    follow: Selector | None = None
    #: Only links that contain one of these texts.
    text: tuple[Mark, ...] = ()
    #: Its address, with ``{number}``.
    address: SitePath | None = None
    when: SourceTrigger = SourceTrigger.ALWAYS
    #: Whether an order without it is incomplete.
    required: bool = False
    #: Most links that are followed; an order that has more is incomplete.
    max: int = Field(default=20, ge=1, le=MAX_LIMIT)
    #: The marks of the page; if missing, those of ``triage.ready``.
    ready: Marks | None = None
    #: The rules for its list; if missing, those of the order's page.
    attachments: ListRules | None = None

    @model_validator(mode="after")
    def _is_one_way(self) -> FurtherSource:
        if (self.follow is None) == (self.address is None):
            msg = "it needs follow or address, and not both"
            raise ValueError(msg)
        if self.address is not None and "{number}" not in self.address:
            msg = "address must contain {number}"
            raise ValueError(msg)
        for key in ("text", "max"):
            if getattr(self, key) != type(self).model_fields[key].default and self.follow is None:
                msg = f"{key} is for follow"
                raise ValueError(msg)
        return self


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
