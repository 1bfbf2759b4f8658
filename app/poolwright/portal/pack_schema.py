"""The tables of a portal pack as its author writes them: addresses, login, marks, attachments, fields, limits.

Each table is checked on its own, so that every mistake is told with its place in the file.
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


def _something(text: str) -> str:
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
#: Of a mark: an empty one would match every page.
Mark = Annotated[str, AfterValidator(_something)]
Selector = Annotated[str, AfterValidator(_selector)]
SitePath = Annotated[str, AfterValidator(_path)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
Host = Annotated[str, AfterValidator(_host)]


class PackTable(BaseModel):
    """A table of a pack: no unknown keys, never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class SiteAddresses(PackTable):
    """Addresses."""

    #: Where the portal is, unless the profile or the command line says otherwise.
    base_url: BaseUrl = ""
    #: The page of an order; ``{number}`` stands for the portal's form of the number.
    order: SitePath
    #: A page that only a logged-in user sees.
    probe: SitePath
    #: Hosts besides that of base_url whose links may be fetched and whose frames are read, over HTTPS alone.
    hosts: tuple[Host, ...] = ()
    #: Regular expressions, searched in path and query: what an order's page may send there by other ways than GET, such
    #: as a list that is asked for by POST. Nothing else that could change anything leaves the page.
    posts: tuple[Annotated[Mark, AfterValidator(_regex)], ...] = ()

    @model_validator(mode="after")
    def _order_holds_number(self) -> SiteAddresses:
        if "{number}" not in self.order:
            msg = "order must contain {number}"
            raise ValueError(msg)
        return self


class LoginForm(PackTable):
    """The fields of a login form."""

    user: Selector
    password: Selector
    submit: Selector


class LoginStep(StrEnum):
    """One rung of the ladder that brings a session back."""

    #: Visit the start page: single sign-on may do the rest.
    REVISIT = "revisit"
    #: Fill in the login form with the given user and password.
    FORM = "form"
    #: Take the cookies of the last login that was made into the profile.
    COOKIES = "cookies"
    #: Wait until a person has logged in by hand; for browsers with windows.
    HUMAN = "human"


class SecondFactorForm(PackTable):
    """The form that asks for a one-time code, on a page of its own behind the login form."""

    code: Selector
    submit: Selector


class LoginRules(PackTable):
    """How a session comes to be logged in."""

    ladder: Annotated[tuple[LoginStep, ...], AfterValidator(_filled)]
    #: Where the ladder starts.
    start: SitePath = "/"
    form: LoginForm | None = None
    second_factor: SecondFactorForm | None = None
    #: Hosts of single sign-on that an order's page may go by; without them a session that ended is renewed beside it.
    hosts: tuple[Host, ...] = ()
    #: A page that logs out. Where it is named, a login may be renewed before it ends; else only after it was lost.
    logout: SitePath | None = None

    @model_validator(mode="after")
    def _form_is_told(self) -> LoginRules:
        if LoginStep.FORM in self.ladder and self.form is None:
            msg = "the ladder contains 'form', so [login.form] must name its fields"
            raise ValueError(msg)
        return self


class Marks(PackTable):
    """What tells a kind of page. One match of any sort is enough."""

    #: Regular expressions, searched in path and query of the final address.
    address: tuple[Annotated[Mark, AfterValidator(_regex)], ...] = ()
    status: tuple[int, ...] = ()
    selector: tuple[Selector, ...] = ()
    #: Texts looked for within the elements of ``within``.
    text: tuple[Mark, ...] = ()
    within: tuple[Selector, ...] = ()

    @model_validator(mode="after")
    def _text_has_a_place(self) -> Marks:
        if self.text and not self.within:
            msg = "text needs within: the same words may stand in an order's own comments"
            raise ValueError(msg)
        if not (self.address or self.status or self.selector or self.text):
            msg = "it has no marks, so it would never match"
            raise ValueError(msg)
        return self


class TriageMarks(PackTable):
    """Marks of each kind of page; ``triage`` judges by them in its own fixed order."""

    session_lost: Marks
    second_factor: Marks | None = None
    consent: Marks | None = None
    busy: Marks = Marks(status=(429, 503))
    forbidden: Marks
    not_found: Marks
    ready: Marks


class NameSource(StrEnum):
    """Where the name of an attachment may be read."""

    DOWNLOAD = "download"
    DISPOSITION = "disposition"
    TITLE = "title"
    ARIA_LABEL = "aria-label"
    TEXT = "text"
    ADDRESS = "address"


class AttachmentCount(PackTable):
    """Where the page says how many attachments it has."""

    selector: Selector
    #: Attribute that holds the number; the element's text where none is named.
    attribute: str = ""


class NoAttachmentsMark(PackTable):
    """How the page says that an order has no attachments."""

    selector: tuple[Selector, ...] = ()
    #: Texts looked for within the elements of ``within``.
    text: tuple[Mark, ...] = ()
    within: tuple[Selector, ...] = ()

    @model_validator(mode="after")
    def _it_is_told(self) -> NoAttachmentsMark:
        if not self.selector and not (self.text and self.within):
            msg = "it needs selector, or text and within"
            raise ValueError(msg)
        return self


class DialogPolicy(StrEnum):
    """What questions of a page are answered with."""

    ACCEPT = "accept"
    DISMISS = "dismiss"


class AttachmentRules(PackTable):
    """How the attachments of an order are found.

    A page without any is believed only when it says so: by ``count``, by ``empty``, or because the list arrived
    (``settled`` or ``answered``) with nothing in it.
    """

    #: Elements that lead to a file by an address of their own.
    links: tuple[Selector, ...] = ()
    #: Attributes that may hold that address, first one wins.
    address_attributes: tuple[str, ...] = ("href", "data-url")
    #: Elements that give a file only when they are clicked.
    clicks: tuple[Selector, ...] = ()
    #: First source that gives a name names the file; words such as "Download" are none.
    names: tuple[NameSource, ...] = (
        NameSource.DISPOSITION,
        NameSource.DOWNLOAD,
        NameSource.TEXT,
        NameSource.TITLE,
        NameSource.ARIA_LABEL,
        NameSource.ADDRESS,
    )
    #: Elements that stand on the page once the list has arrived; without any, a quiet page that shows files has it.
    settled: tuple[Selector, ...] = ()
    #: Regular expressions, searched in path and query: what the page's scripts ask for the list.
    answered: tuple[Annotated[Mark, AfterValidator(_regex)], ...] = ()
    count: AttachmentCount | None = None
    empty: NoAttachmentsMark | None = None
    #: What a page that asks something (``confirm``, ``alert``, a wish to stay) is answered.
    dialogs: DialogPolicy = DialogPolicy.ACCEPT

    @model_validator(mode="after")
    def _something_is_found(self) -> AttachmentRules:
        if not (self.links or self.clicks):
            msg = "it has neither links nor clicks, so no attachment would be found"
            raise ValueError(msg)
        return self


class FieldRule(PackTable):
    """Where a field of the order stands on the page."""

    selector: Annotated[tuple[Selector, ...], AfterValidator(_filled)]
    #: Attribute to read; the element's text where none is named.
    attribute: str = ""
    #: Regular expression whose first group is the value; the whole text where none is given.
    pattern: Regex = ""


class PageLimits(PackTable):
    """How long pages may take."""

    #: Seconds until a page must have told what it is.
    page_s: float = Field(default=30.0, gt=0, le=300)
    #: Milliseconds without any change of the page after which a list that shows files is taken as arrived.
    quiet_ms: int = Field(default=600, ge=50, le=10_000)
    #: Seconds that a request of the page's scripts may keep a list waiting that shows files already.
    request_s: float = Field(default=10.0, gt=0, le=300)
    #: Seconds that a person may take to log in by hand.
    person_s: float = Field(default=300.0, gt=0, le=3600)
    #: Seconds that one file may pause without a byte.
    stall_s: float = Field(default=30.0, gt=0, le=300)
