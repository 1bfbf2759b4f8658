"""A portal pack: one TOML file that tells how a portal's addresses, pages, login and attachments look.

A pack is validated once, here. Workers get it as JSON text in their options and validate it again at their border.
Selectors are CSS; addresses are regular expressions searched in path and query; texts are compared without case.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Annotated
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from app.domain.failures import PoolError
from app.portal.numbers import NumberRules

SCHEMA_VERSION = 1
_NAME = re.compile(r"^[a-z0-9][a-z0-9_-]*$")


class PackError(PoolError):
    """A portal pack is missing or wrong. ``problems`` holds one sentence for each place in the file."""

    def __init__(self, name: str, problems: tuple[str, ...]) -> None:
        """Keep every problem, so that an author can mend them in one go."""
        super().__init__(f"portal pack {name}: " + "; ".join(problems))
        self.name = name
        self.problems = problems


def _regex(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        msg = f"{text!r} is no regular expression: {error}"
        raise ValueError(msg) from error
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


Regex = Annotated[str, AfterValidator(_regex)]
Selector = Annotated[str, AfterValidator(_selector)]
SitePath = Annotated[str, AfterValidator(_path)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Site(_Table):
    """Addresses."""

    #: Where the portal is, unless the profile or the command line says otherwise.
    base_url: str = ""
    #: The page of an order; ``{number}`` stands for the portal's form of the number.
    order: SitePath
    #: A page that only a logged-in user sees.
    probe: SitePath
    #: Hosts besides that of base_url whose links may be fetched.
    hosts: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _order_holds_number(self) -> Site:
        if "{number}" not in self.order:
            msg = "order must contain {number}"
            raise ValueError(msg)
        return self


class Form(_Table):
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


class Login(_Table):
    """How a session comes to be logged in."""

    ladder: tuple[LoginStep, ...] = Field(min_length=1)
    #: Where the ladder starts.
    start: SitePath = "/"
    form: Form | None = None

    @model_validator(mode="after")
    def _form_is_told(self) -> Login:
        if LoginStep.FORM in self.ladder and self.form is None:
            msg = "the ladder has 'form', so [login.form] must tell its fields"
            raise ValueError(msg)
        return self


class Marks(_Table):
    """What tells a kind of page. One match of any sort is enough."""

    #: Regular expressions, searched in path and query of the final address.
    address: tuple[Regex, ...] = ()
    status: tuple[int, ...] = ()
    selector: tuple[Selector, ...] = ()
    #: Texts looked for within the elements of ``within``.
    text: tuple[str, ...] = ()
    within: tuple[Selector, ...] = ()

    @model_validator(mode="after")
    def _text_has_a_place(self) -> Marks:
        if self.text and not self.within:
            msg = "text needs within: the same words may stand in an order's own comments"
            raise ValueError(msg)
        if not (self.address or self.status or self.selector or self.text):
            msg = "no mark at all: it would never match"
            raise ValueError(msg)
        return self


class Triage(_Table):
    """Marks of each kind of page; ``triage`` judges by them in its own fixed order."""

    session_lost: Marks
    second_factor: Marks | None = None
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


class Count(_Table):
    """Where the page says how many attachments it has."""

    selector: Selector
    #: Attribute that holds the number; the element's text where none is named.
    attribute: str = ""


class Attachments(_Table):
    """How the attachments of an order are found."""

    #: Elements that lead to a file by an address of their own.
    links: tuple[Selector, ...] = ()
    #: Attributes that may hold that address, first one wins.
    address_attributes: tuple[str, ...] = ("href", "data-url")
    #: Elements that give a file only when they are clicked.
    clicks: tuple[Selector, ...] = ()
    #: First source that gives something names the file.
    names: tuple[NameSource, ...] = (
        NameSource.DOWNLOAD,
        NameSource.DISPOSITION,
        NameSource.TITLE,
        NameSource.ARIA_LABEL,
        NameSource.TEXT,
        NameSource.ADDRESS,
    )
    #: Elements that stand on the page once the list has arrived; without any, a quiet page is taken as arrived.
    settled: tuple[Selector, ...] = ()
    count: Count | None = None

    @model_validator(mode="after")
    def _something_is_found(self) -> Attachments:
        if not (self.links or self.clicks):
            msg = "neither links nor clicks: no attachment would ever be found"
            raise ValueError(msg)
        return self


class FieldRule(_Table):
    """Where a field of the order stands on the page."""

    selector: tuple[Selector, ...] = Field(min_length=1)
    #: Attribute to read; the element's text where none is named.
    attribute: str = ""
    #: Regular expression whose first group is the value; the whole text where none is given.
    pattern: Regex = ""


class Limits(_Table):
    """How long pages may take."""

    #: Seconds until a page must have told what it is.
    page_s: float = Field(default=30.0, gt=0, le=300)
    #: Milliseconds without any change of the page after which its list is taken as arrived.
    quiet_ms: int = Field(default=600, ge=50, le=10_000)
    #: Seconds that one file may pause without a byte.
    stall_s: float = Field(default=30.0, gt=0, le=300)


class Pack(_Table):
    """All that Poolwright knows about one portal."""

    schema_version: int = Field(alias="schema")
    name: str
    title: str
    numbers: NumberRules
    site: Site
    login: Login
    triage: Triage
    attachments: Attachments
    fields: dict[str, FieldRule] = Field(default_factory=dict[str, FieldRule])
    limits: Limits = Limits()

    @model_validator(mode="after")
    def _is_known_schema(self) -> Pack:
        if self.schema_version != SCHEMA_VERSION:
            msg = f"schema is {self.schema_version}; this version of Poolwright reads {SCHEMA_VERSION}"
            raise ValueError(msg)
        if not _NAME.match(self.name):
            msg = f"name {self.name!r} must be lower-case letters, digits, - and _"
            raise ValueError(msg)
        return self

    def to_json(self) -> str:
        """The pack as it travels to a worker."""
        return self.model_dump_json(by_alias=True)

    def order_url(self, base_url: str, portal_number: str) -> str:
        """Address of an order's page."""
        return base_url + self.site.order.replace("{number}", quote(portal_number, safe=""))

    def may_fetch(self, base_url: str, url: str) -> bool:
        """Whether a link of a page leads to a host that this pack trusts."""
        parts = urlsplit(url)
        own = urlsplit(base_url)
        is_own = (parts.scheme, parts.netloc) == (own.scheme, own.netloc)
        return is_own or (parts.scheme == "https" and (parts.hostname or "") in self.site.hosts)


def parse_json(text: str) -> Pack:
    """Validate a pack that came over the wire.

    Raises:
        PackError: It is no valid pack.
    """
    try:
        return Pack.model_validate_json(text)
    except ValidationError as error:
        raise PackError("sent to the worker", tuple(_problems(error))) from error


def parse_toml(text: str, name: str) -> Pack:
    """Validate the text of a pack file.

    Raises:
        PackError: It is no TOML or no valid pack; every problem is named with its place.
    """
    try:
        return Pack.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise PackError(name, (f"not readable as TOML: {error}",)) from error
    except ValidationError as error:
        raise PackError(name, tuple(_problems(error))) from error


def load(name_or_path: str) -> Pack:
    """Read a pack that Poolwright ships, by name, or one from a file, by path.

    Raises:
        PackError: There is no such pack, or it is not valid.
    """
    shipped = resources.files("app.portal").joinpath("packs", f"{name_or_path}.toml")
    if _NAME.match(name_or_path) and shipped.is_file():
        return parse_toml(shipped.read_text(encoding="utf-8"), name_or_path)
    path = Path(name_or_path)
    if not path.is_file():
        known = ", ".join(shipped_names())
        raise PackError(name_or_path, (f"no such pack; shipped are {known}, or give the path of a .toml file",))
    try:
        return parse_toml(path.read_text(encoding="utf-8"), name_or_path)
    except UnicodeDecodeError as error:
        raise PackError(name_or_path, ("the file is not UTF-8 text",)) from error
    except OSError as error:
        raise PackError(name_or_path, (f"the file cannot be read: {error.strerror}",)) from error


def shipped_names() -> tuple[str, ...]:
    """Names of the packs that come with Poolwright."""
    folder = resources.files("app.portal").joinpath("packs")
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


def _problems(error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_url=False, include_input=False):
        place = ".".join(str(step) for step in problem["loc"]) or "the pack"
        yield f"{place}: {problem['msg'].removeprefix('Value error, ')}"
