"""Defines the tables of a portal pack: addresses, login, marks, attachments, fields, limits.

Each table is validated by itself, so that every mistake is reported with its key in the file.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from poolwright.portal import patterns

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


Regex = Annotated[str, AfterValidator(_regex)]
#: The text of a mark; an empty one would match every page.
Mark = Annotated[str, AfterValidator(_not_empty)]
Selector = Annotated[str, AfterValidator(_selector)]
SitePath = Annotated[str, AfterValidator(_path)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
Host = Annotated[str, AfterValidator(_host)]


class PackTable(BaseModel):
    """A table of a pack: immutable, without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class SiteAddresses(PackTable):
    """Addresses of the portal."""

    #: Address of the portal, unless the profile or the command line gives another one.
    base_url: BaseUrl = ""
    #: The page of an order; ``{number}`` is replaced by the number in the portal's form.
    order: SitePath
    #: A page that only a logged-in user sees.
    probe: SitePath
    #: Further hosts whose links may be fetched and whose frames are read, over HTTPS only.
    hosts: tuple[Host, ...] = ()
    #: Regular expressions, searched in path and query, for requests of an order's page that may be sent although their
    #: method can change data, such as a list that is requested by POST. All other such requests are blocked.
    posts: tuple[Annotated[Mark, AfterValidator(_regex)], ...] = ()

    @property
    def has_numbered_addresses(self) -> bool:
        """Return whether the number of an order is in its address."""
        return True

    @model_validator(mode="after")
    def _order_holds_number(self) -> SiteAddresses:
        if self.has_numbered_addresses and "{number}" not in self.order:
            msg = "order must contain {number}"
            raise ValueError(msg)
        return self


class LoginForm(PackTable):
    """The fields of a login form."""

    user: Selector
    password: Selector
    submit: Selector


class LoginStep(StrEnum):
    """One login step. A pack names its steps in their order (``ladder``)."""

    #: Visit the start page: single sign-on may log in.
    REVISIT = "revisit"
    #: Fill in the login form with the given user and password.
    FORM = "form"
    #: Load the cookies of the last login to the profile.
    COOKIES = "cookies"
    #: Wait until a person has logged in; for browsers with windows.
    HUMAN = "human"


class SecondFactorForm(PackTable):
    """The form for a one-time code, on a separate page after the login form."""

    code: Selector
    submit: Selector


class LoginRules(PackTable):
    """The login of a session."""

    ladder: Annotated[tuple[LoginStep, ...], AfterValidator(_filled)]
    #: Page on which the login begins.
    start: SitePath = "/"
    form: LoginForm | None = None
    second_factor: SecondFactorForm | None = None
    #: Hosts of single sign-on to which an order's page may redirect; without them a lost session is renewed separately.
    hosts: tuple[Host, ...] = ()
    #: A page that logs out. With it, a login may be renewed before it ends; without it, only after it was lost.
    logout: SitePath | None = None

    @model_validator(mode="after")
    def _form_is_defined(self) -> LoginRules:
        if LoginStep.FORM in self.ladder and self.form is None:
            msg = "the ladder contains 'form', so [login.form] must name its fields"
            raise ValueError(msg)
        return self


class Marks(PackTable):
    """The marks of a kind of page. One match of any mark is enough."""

    #: Regular expressions, searched in path and query of the final address.
    address: tuple[Annotated[Mark, AfterValidator(_regex)], ...] = ()
    status: tuple[int, ...] = ()
    selector: tuple[Selector, ...] = ()
    #: Texts that are searched in the elements of ``within``.
    text: tuple[Mark, ...] = ()
    within: tuple[Selector, ...] = ()

    @model_validator(mode="after")
    def _has_marks(self) -> Marks:
        if self.text and not self.within:
            msg = "text needs within: the same words may be in an order's own comments"
            raise ValueError(msg)
        if not (self.address or self.status or self.selector or self.text):
            msg = "it has no marks, so it would never match"
            raise ValueError(msg)
        return self


class TriageMarks(PackTable):
    """Marks of each kind of page; ``triage`` checks them in a fixed order."""

    session_lost: Marks
    second_factor: Marks | None = None
    consent: Marks | None = None
    busy: Marks = Marks(status=(429, 503))
    forbidden: Marks
    not_found: Marks
    ready: Marks


class NameSource(StrEnum):
    """Sources of the name of an attachment."""

    DOWNLOAD = "download"
    DISPOSITION = "disposition"
    TITLE = "title"
    ARIA_LABEL = "aria-label"
    TEXT = "text"
    ADDRESS = "address"


class AttachmentCount(PackTable):
    """The element with the number of attachments of an order."""

    selector: Selector
    #: Attribute with the number; if empty, the text of the element.
    attribute: str = ""


class NoAttachmentsMark(PackTable):
    """The marks of an order without attachments."""

    selector: tuple[Selector, ...] = ()
    #: Texts that are searched in the elements of ``within``.
    text: tuple[Mark, ...] = ()
    within: tuple[Selector, ...] = ()

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


class AttachmentRules(PackTable):
    """The rules for finding the attachments of an order.

    An empty list needs a sign: ``count``, ``empty``, or a list that arrived (``settled``, ``answered``) without links.
    """

    #: Elements with the address of a file.
    links: tuple[Selector, ...] = ()
    #: Attributes that may contain that address; the first one wins.
    address_attributes: tuple[str, ...] = ("href", "data-url")
    #: Elements that give a file only when they are clicked.
    clicks: tuple[Selector, ...] = ()
    #: Sources of the file name; the first usable one wins. Words such as "Download" are not names.
    names: tuple[NameSource, ...] = (
        NameSource.DISPOSITION,
        NameSource.DOWNLOAD,
        NameSource.TEXT,
        NameSource.TITLE,
        NameSource.ARIA_LABEL,
        NameSource.ADDRESS,
    )
    #: Elements that show that the list has arrived; without any, a quiet page with files counts as arrived.
    settled: tuple[Selector, ...] = ()
    #: Regular expressions, searched in path and query, for the request by which the page's scripts load the list.
    answered: tuple[Annotated[Mark, AfterValidator(_regex)], ...] = ()
    count: AttachmentCount | None = None
    empty: NoAttachmentsMark | None = None
    #: Answer to dialogs (``confirm``, ``alert``, ``beforeunload``).
    dialogs: DialogPolicy = DialogPolicy.ACCEPT

    @model_validator(mode="after")
    def _has_sources(self) -> AttachmentRules:
        if not (self.links or self.clicks):
            msg = "it has neither links nor clicks, so no attachment would be found"
            raise ValueError(msg)
        return self


class FieldRule(PackTable):
    """The element with a field of the order."""

    selector: Annotated[tuple[Selector, ...], AfterValidator(_filled)]
    #: Attribute with the value; if empty, the text of the element.
    attribute: str = ""
    #: Regular expression whose first group is the value; if empty, the whole text.
    pattern: Regex = ""


class PageLimits(PackTable):
    """Time limits of pages."""

    #: Seconds within which a page must match a mark.
    page_s: float = Field(default=30.0, gt=0, le=300)
    #: Milliseconds without a change of the page after which a list with files counts as arrived.
    quiet_ms: int = Field(default=600, ge=50, le=10_000)
    #: Seconds for which a pending request of the page's scripts may delay a list that shows files already.
    request_s: float = Field(default=10.0, gt=0, le=300)
    #: Seconds for a login by a person.
    person_s: float = Field(default=300.0, gt=0, le=3600)
    #: Seconds for which a download may receive no data.
    stall_s: float = Field(default=30.0, gt=0, le=300)
