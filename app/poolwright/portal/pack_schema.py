"""Defines the tables of a portal pack: addresses, marks, attachments, fields, limits.

Those of its login are in ``login_schema``.

Each table is validated by itself, so that every mistake is reported with its key in the file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, ClassVar, TypeVar
from urllib.parse import quote

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from poolwright.domain.options import Courtesy, Skipped
from poolwright.domain.working_hours import WorkingHours
from poolwright.portal import patterns
from poolwright.portal.addresses import FileHost
from poolwright.portal.calls.post_rule import PostRule
from poolwright.portal.file_rules import AddressRule, ElementText, FileListRequest, WantedFiles

_T = TypeVar("_T")

_BASE_URL = re.compile(r"https?://[^\s/?#]+[^\s?#]*")
_HOST = re.compile(r"[^\s/:@?#\\]+")


def _regex(text: str) -> str:
    patterns.validate(text)
    return text


def _selector(text: str) -> str:
    if not text.strip():
        msg = "an empty selector matches nothing"
        raise ValueError(msg)
    return text


def _path(text: str) -> str:
    if not text.startswith("/"):
        msg = f"{text!r} must start with a slash: it is taken below base_url"
        raise ValueError(msg)
    return text


def _base_url(text: str) -> str:
    if text and not _BASE_URL.fullmatch(text):
        msg = f"{text!r} is not a valid address: it must start with https:// or http:// and contain no ? or #"
        raise ValueError(msg)
    return text


def _host(text: str) -> str:
    if not _HOST.fullmatch(text):
        msg = f"{text!r} must be a bare host name, such as files.portal.test"
        raise ValueError(msg)
    return text


def _file_host(text: str) -> str:
    if FileHost.parse(text) is None:
        msg = (
            f"{text!r} must be a bare host name, such as files.portal.test, all names below one (*.files.test), or an "
            "address such as http://files.test"
        )
        raise ValueError(msg)
    return text


def _not_empty(text: str) -> str:
    if not text.strip():
        msg = "an empty text is on every page"
        raise ValueError(msg)
    return text


def _filled(items: tuple[_T, ...]) -> tuple[_T, ...]:
    if not items:
        msg = "it must hold at least one"
        raise ValueError(msg)
    return items


def _listed(value: object) -> object:
    """Return one table as a list of one."""
    return [value] if issubclass(type(value), Mapping) else value


Regex = Annotated[str, AfterValidator(_regex)]
#: The text of a mark; an empty one would match every page.
Mark = Annotated[str, AfterValidator(_not_empty)]
#: A regular expression that is searched in an address; an empty one would match every address.
AddressPattern = Annotated[Mark, AfterValidator(_regex)]
Selector = Annotated[str, AfterValidator(_selector)]
SitePath = Annotated[str, AfterValidator(_path)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
Host = Annotated[str, AfterValidator(_host)]
#: A host, or all below a name (``*.ads.test``).
SkippedHost = Annotated[str, Field(pattern=r"^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*$")]
FileHostText = Annotated[str, AfterValidator(_file_host)]


class PackTable(BaseModel):
    """A table of a pack: immutable, without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


#: A part of a number in an address: all of it, or its first, its last, or all but its first characters.
_NUMBER_PART = re.compile(r"\{number(?::(left|right|drop)([1-9]\d?))?\}")


def _known_parts(text: str) -> str:
    """Refuse an address with a part of a number that is not defined."""
    if "{number" in _NUMBER_PART.sub("", text):
        parts_text = "{number}, {number:left4}, {number:right4}, {number:drop4}"
        msg = f"{text!r} has a part of a number that is none of {parts_text}"
        raise ValueError(msg)
    return text


def _whole_number(text: str) -> str:
    """Refuse the address of an order's page that two orders could share."""
    parts = [(match[1] or "", int(match[2] or 0)) for match in _NUMBER_PART.finditer(text)]
    first = max((length for kind, length in parts if kind == "left"), default=-1)
    rest = min((length for kind, length in parts if kind == "drop"), default=first + 1)
    if ("", 0) not in parts and (first < 0 or rest > first):
        msg = "order must contain {number}" + (" or parts that make up a whole number" if parts else "")
        raise ValueError(msg)
    return text


def _number_part(number: str, kind: str, length: int) -> str:
    match kind:
        case "left":
            return number[:length]
        case "right":
            return number[-length:]
        case "drop":
            return number[length:]
        case _:
            return number


def with_number(path: str, portal_number: str) -> str:
    """Return a path with the number, or parts of it, in the places for them."""
    return _NUMBER_PART.sub(
        lambda part: quote(_number_part(portal_number, part[1] or "", int(part[2] or 0)), safe=""), path
    )


OrderPath = Annotated[str, AfterValidator(_path), AfterValidator(_known_parts)]


def _call_kind(value: object) -> str:
    """Return how a call is listed, so that a mistake in it is one problem."""
    return "table" if issubclass(type(value), Mapping | PostRule) else "word"


AllowedCall = Annotated[
    Annotated[AddressPattern, Tag("word")] | Annotated[PostRule, Tag("table")], Discriminator(_call_kind)
]


class OrderAddress(PackTable):
    """The page of those orders whose number matches."""

    #: Regular expression, searched in the number in the portal's form; case counts.
    match: Regex
    address: Annotated[OrderPath, AfterValidator(_whole_number)]


class OtherHosts(StrEnum):
    """What happens to requests of a page to hosts that the pack does not name."""

    #: They may load what they show, from the internet.
    LOAD = "load"
    BLOCK = "block"


class SiteAddresses(PackTable):
    """Addresses of the portal."""

    #: Address of the portal, unless the profile or the command line gives another one.
    base_url: BaseUrl = ""
    #: The page of an order; ``{number}`` is replaced by the number in the portal's form, ``{number:left4}`` by a part.
    order: OrderPath
    #: Other pages for some orders; the first one that matches wins.
    orders: tuple[OrderAddress, ...] = ()
    #: A page that only a logged-in user sees.
    probe: SitePath
    #: Further hosts whose links may be fetched and whose frames are read: over HTTPS, unless one says ``http://``.
    hosts: tuple[FileHostText, ...] = ()
    #: Regular expressions, searched in path and query, for requests of an order's page that may be sent although their
    #: method can change data, such as a list that is requested by POST. All other such requests are blocked. A table
    #: adds what the body must have.
    posts: tuple[AllowedCall, ...] = ()
    #: Whether pages may load scripts, images and data from hosts that the pack does not name.
    other_hosts: OtherHosts = OtherHosts.LOAD
    #: Kinds of resources that the pages do not need, and hosts whose resources an order's page does not need.
    skip: tuple[Skipped, ...] = ()
    skip_hosts: tuple[SkippedHost, ...] = ()

    def order_path(self, portal_number: str) -> str:
        """Return the address of an order's page below the portal's own."""
        special = (one.address for one in self.orders if patterns.extract(one.match, portal_number) is not None)
        return with_number(next(special, self.order), portal_number)

    @property
    def has_numbered_addresses(self) -> bool:
        """Return whether the number of an order is in its address."""
        return True

    @model_validator(mode="after")
    def _order_holds_number(self) -> SiteAddresses:
        if self.has_numbered_addresses:
            _whole_number(self.order)
        return self


class NameSource(StrEnum):
    """Sources of the name of an attachment."""

    DOWNLOAD = "download"
    DISPOSITION = "disposition"
    TITLE = "title"
    ARIA_LABEL = "aria-label"
    TEXT = "text"
    ADDRESS = "address"


def _name_kind(value: object) -> str:
    """Return which kind of source of a name is meant, so that a mistake in it is one problem."""
    return "table" if issubclass(type(value), Mapping | ElementText) else "word"


NameRule = Annotated[
    Annotated[NameSource, Tag("word")] | Annotated[ElementText, Tag("table")], Discriminator(_name_kind)
]


class AttachmentCount(PackTable):
    """The element with the number of attachments of an order."""

    selector: Selector
    #: Attribute with the number; if empty, the text of the element.
    attribute: str = ""


#: Parts of a selector that match an element for what is not in it.
_WITHOUT_CONTENT = re.compile(r":empty\b|:not\(\s*:has\(|:has\([^()]*:not\(", re.IGNORECASE)


class NoAttachmentsMark(PackTable):
    """The marks of an order without attachments."""

    selector: tuple[Selector, ...] = ()
    #: Texts that are searched in the elements of ``within``.
    text: tuple[Mark, ...] = ()
    within: tuple[Selector, ...] = ()

    @property
    def is_by_shape(self) -> bool:
        """Return whether a selector matches an element for what is not in it: scripts may still be about to fill it."""
        return any(_WITHOUT_CONTENT.search(selector) for selector in self.selector)

    def lacks(self, css: str) -> bool:
        """Return whether a shape is that this selector, which is more than a tag, matches nothing in it."""
        shapes = [selector for selector in self.selector if _WITHOUT_CONTENT.search(selector)]
        return not css.isalnum() and any(css in selector for selector in shapes)

    @model_validator(mode="after")
    def _is_defined(self) -> NoAttachmentsMark:
        if not self.selector and not (self.text and self.within):
            msg = "it needs selector, or text and within"
            raise ValueError(msg)
        return self


class DialogPolicy(StrEnum):
    """The answer to dialogs of a page."""

    ACCEPT = "accept"
    DISMISS = "dismiss"


class ArchivePolicy(StrEnum):
    """What happens to a ZIP archive among the attachments."""

    KEEP = "keep"
    #: It holds the attachments, as a "download all" does: they are filed in its place.
    UNPACK = "unpack"
    #: It is an attachment itself: it is filed, and its files beside it.
    BESIDE = "beside"


class MailPolicy(StrEnum):
    """What happens to a mail (.eml, .msg) among the attachments."""

    KEEP = "keep"
    #: It is filed, and its own attachments beside it.
    UNPACK = "unpack"


class AttachmentRules(PackTable):
    """The rules for finding the attachments of an order.

    An empty list needs a sign: ``count``, ``empty``, or a response to ``answered``; ``settled`` is none.
    """

    #: Whether a list without links is an empty one once ``settled`` is there.
    believes_settled: ClassVar[bool] = False

    #: Elements with the address of a file.
    links: tuple[Selector, ...] = ()
    #: Attributes that may contain that address; the first one wins.
    address_attributes: tuple[str, ...] = ("href", "data-url")
    #: Rules that make the address from a text of the page, such as an id; the first one that fits wins. It goes before
    #: ``address_attributes``.
    address: Annotated[tuple[AddressRule, ...], BeforeValidator(_listed)] = ()
    #: Parameters of an address that differ each time, such as a token: addresses that are equal without them are one.
    ignore_query: tuple[Mark, ...] = ()
    #: A request of the page whose response lists files, also those to which no element leads.
    api: FileListRequest | None = None
    #: Elements that give a file only when they are clicked.
    clicks: tuple[Selector, ...] = ()
    #: Sources of the file name; the first usable one wins. Words such as "Download" are not names.
    names: tuple[NameRule, ...] = (
        NameSource.DISPOSITION,
        NameSource.DOWNLOAD,
        NameSource.TEXT,
        NameSource.TITLE,
        NameSource.ARIA_LABEL,
        NameSource.ADDRESS,
    )
    #: Place of the page with the size of a file; a file of another size is missed.
    size: ElementText | None = None
    #: Place of the page that says to what a file belongs, such as the header or a line; for its entry in the manifest.
    section: ElementText | None = None
    #: Elements that show that the list has arrived; without any, a quiet page with files counts as arrived.
    settled: tuple[Selector, ...] = ()
    #: Regular expressions, searched in path and query, for the request by which the page's scripts load the list.
    answered: tuple[AddressPattern, ...] = ()
    #: Which files are wanted; without it all are.
    only: WantedFiles | None = None
    #: With ``unpack`` the count of the page is that of the files after unpacking; with ``beside`` it omits them.
    archive: ArchivePolicy = ArchivePolicy.KEEP
    #: With ``unpack`` the attachments of a mail (.eml, .msg, winmail.dat) are filed beside it; ``count`` omits them.
    mail: MailPolicy = MailPolicy.KEEP
    #: Whether each mail (.eml, .msg) is also printed to a PDF beside it; ``count`` omits the PDF.
    mail_pdf: bool = False
    count: AttachmentCount | None = None
    empty: NoAttachmentsMark | None = None
    #: Answer to dialogs (``confirm``, ``alert``, ``beforeunload``).
    dialogs: DialogPolicy = DialogPolicy.ACCEPT

    @model_validator(mode="after")
    def _has_sources(self) -> AttachmentRules:
        if not (self.links or self.clicks or self.api):
            msg = "it has neither links nor clicks nor api, so no attachment would be found"
            raise ValueError(msg)
        return self

    def tells_empty(self, *, is_marked: bool, count: int | None) -> bool:
        """Return whether a page says that there are none; a list without content may still be filled.

        Args:
            is_marked: Whether the page shows the mark of an empty list.
            count: The number of attachments that it announces; ``None`` if it announces none.
        """
        return count == 0 or (is_marked and (self.empty is None or not self.empty.is_by_shape))


#: Between several values of a field.
_BETWEEN_VALUES = "; "


class FieldRule(PackTable):
    """The element with a field of the order."""

    selector: Annotated[tuple[Selector, ...], AfterValidator(_filled)]
    #: Attribute with the value; if empty, the text of the element.
    attribute: str = ""
    #: Regular expression whose first group is the value; if empty, the whole text.
    pattern: Regex = ""
    #: Whether all elements have a value each; else the first one that is not empty is the value.
    many: bool = False

    def value_of(self, texts: Sequence[str]) -> str:
        """Return the value of the field by the texts of its elements; several are joined, each once."""
        values = [self._value(text) for text in texts]
        return _BETWEEN_VALUES.join(dict.fromkeys(value for value in values if value))

    def _value(self, text: str) -> str:
        value = patterns.extract(self.pattern, text) if self.pattern and text else None
        return text if value is None else value


def _hours(text: str) -> str:
    if text:
        WorkingHours.parse(text)
    return text


def _time_zone(text: str) -> str:
    if text:
        WorkingHours.parse("00:00-24:00", text)
    return text


class PageLimits(PackTable):
    """Time limits of pages, and how much the portal may be asked."""

    #: Seconds within which a page must match a mark.
    page_s: float = Field(default=30.0, gt=0, le=300)
    #: Milliseconds without a change of the page after which a list with files counts as arrived.
    quiet_ms: int = Field(default=600, ge=50, le=10_000)
    #: Seconds for which a pending request of the page's scripts may delay a list that shows files already.
    request_s: float = Field(default=10.0, gt=0, le=300)
    #: Seconds after its reading for which scripts may add files to a list without ``count``; ``0`` for none.
    watch_s: float = Field(default=2.0, ge=0, le=60)
    #: Seconds for a login by a person.
    person_s: float = Field(default=300.0, gt=0, le=3600)
    #: Seconds for which a download may receive no data.
    stall_s: float = Field(default=30.0, gt=0, le=300)
    #: Most files of one order that are downloaded at the same time.
    parallel_files: int = Field(default=3, ge=1, le=32)
    #: Most requests a minute, over all workers: each page of an order and each file is one. Without it any number.
    rate: float | None = Field(default=None, ge=0.1, le=100_000)
    #: Most orders that are open at the same time, over all workers. Without it as many as there are tabs.
    concurrency: int | None = Field(default=None, ge=1, le=1000)
    #: Hours in which orders start, such as ``Mon-Fri 07:00-19:00``; several with commas. Without it at any time.
    hours: Annotated[str, AfterValidator(_hours)] = ""
    #: Time zone of ``hours``, such as ``Europe/Berlin``; without it that of the machine.
    time_zone: Annotated[str, AfterValidator(_time_zone)] = ""
    #: Whether fewer orders are open at the same time while the portal answers more slowly than before.
    slow_down: bool = True

    @property
    def courtesy(self) -> Courtesy:
        """How much the portal may be asked."""
        hours = WorkingHours.parse(self.hours, self.time_zone) if self.hours else None
        return Courtesy(rate_per_min=self.rate, concurrency=self.concurrency, hours=hours, slow_down=self.slow_down)
