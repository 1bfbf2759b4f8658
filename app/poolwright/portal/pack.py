"""Reads and validates a portal pack: one TOML file with a portal's addresses, pages, login and attachments.

A pack is validated here; workers get it as JSON text in their options and validate it again. Selectors are CSS,
addresses are regular expressions that are searched in path and query, and texts are compared without case.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Annotated
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import AfterValidator, Field, ValidationError, model_validator

from poolwright.portal.addresses import origin_of
from poolwright.portal.errors import PackError
from poolwright.portal.numbers import NumberRules
from poolwright.portal.pack_schema import (
    DialogPolicy,
    FieldRule,
    LoginRules,
    LoginStep,
    Marks,
    NameSource,
    PackTable,
    PageLimits,
    TriageMarks,
)
from poolwright.portal.step_schema import FurtherSource, ListRules, OrderSite

__all__ = [
    "DialogPolicy",
    "FieldRule",
    "LoginStep",
    "Marks",
    "NameSource",
    "Pack",
    "PackError",
    "TriageMarks",
    "load",
    "parse_json",
    "parse_toml",
    "shipped_names",
]

SCHEMA_VERSION = 1
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


def _schema(version: int) -> int:
    if version != SCHEMA_VERSION:
        msg = f"it is {version}; this version of Poolwright reads {SCHEMA_VERSION}"
        raise ValueError(msg)
    return version


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        msg = f"{text!r} must be lower-case letters, digits, - and _"
        raise ValueError(msg)
    return text


class Pack(PackTable):
    """The description of one portal."""

    schema_version: Annotated[int, AfterValidator(_schema)] = Field(alias="schema")
    name: Annotated[str, AfterValidator(_name)]
    title: str
    numbers: NumberRules
    site: OrderSite
    login: LoginRules
    triage: TriageMarks
    attachments: ListRules
    #: Further pages with files of an order.
    sources: tuple[FurtherSource, ...] = ()
    fields: dict[str, FieldRule] = Field(default_factory=dict[str, FieldRule])
    limits: PageLimits = PageLimits()

    @model_validator(mode="after")
    def _sources_have_names(self) -> Pack:
        names = [source.name for source in self.sources]
        for name in names:
            if names.count(name) > 1 or name in self.fields:
                msg = f"sources: the name {name!r} is used twice, by another source or by a field"
                raise ValueError(msg)
        return self

    def to_json(self) -> str:
        """Return the pack as it is sent to a worker."""
        return self.model_dump_json(by_alias=True)

    @property
    def notices(self) -> tuple[str, ...]:
        """Return sentences for the author of a valid pack about its gaps."""
        rules, notices = self.attachments, list[str]()
        if not (rules.count or rules.empty or rules.settled or rules.answered):
            signs = "attachments.empty, count, settled or answered"
            notices += [
                f"it has no sign of an empty list ({signs}): an order without attachments ends as portal_changed"
            ]
        if rules.next and rules.next.scroll and not (rules.next.until or rules.count):
            notices += ["it has no sign of the end of a list that is scrolled (attachments.next.until, count)"]
        if (find := self.site.find) and not (find.none or find.settled):
            notices += ["it has no sign of a search without results (site.find.none, settled): no order is not_found"]
        return tuple(notices)

    def page_at(self, path: str, attachments: ListRules | None = None, ready: Marks | None = None) -> Pack:
        """Return the rules for another page with files of an order, as if it were the order's own.

        Args:
            path: Its address below that of the portal.
            attachments: The rules for its list, if they differ.
            ready: Its marks, if they differ.
        """
        site = self.site.model_copy(update={"order": path, "find": None})
        triage = self.triage if ready is None else self.triage.model_copy(update={"ready": ready})
        rules = {"site": site, "triage": triage, "sources": (), "attachments": attachments or self.attachments}
        return self.model_copy(update=rules)

    def order_url(self, base_url: str, portal_number: str) -> str:
        """Return the address of an order's page."""
        return base_url + self.site.order.replace("{number}", quote(portal_number, safe=""))

    def path_below(self, base_url: str, url: str) -> str | None:
        """Return the path, query and fragment of an address below that of the portal; ``None`` for any other."""
        parts, base_path = urlsplit(url), urlsplit(base_url).path
        rest = parts.path.removeprefix(base_path)
        is_below = parts.path.startswith(base_path) and rest[:1] in {"", "/"}
        if not is_below or origin_of(url) is None or origin_of(url) != origin_of(base_url):
            return None
        return urlunsplit(("", "", rest or "/", parts.query, parts.fragment))

    def is_order_page(self, base_url: str, portal_number: str, url: str) -> bool:
        """Return whether an address is that of the order's page; a portal may add to the address of an order."""
        wanted, reached = urlsplit(self.order_url(base_url, portal_number)), urlsplit(url)
        is_below = reached.path.startswith(wanted.path) and not reached.path[len(wanted.path) :][:1].isalnum()
        return is_below and origin_of(url) == origin_of(base_url)

    def may_fetch(self, base_url: str, url: str) -> bool:
        """Return whether an address leads to the portal, or over HTTPS to a host that this pack trusts."""
        origin = origin_of(url)
        if origin is None:
            return False
        return origin == origin_of(base_url) or origin in {origin_of(f"https://{host}") for host in self.site.hosts}

    def is_login_host(self, url: str) -> bool:
        """Return whether an address belongs to the single sign-on that this pack names."""
        origin = origin_of(url)
        return origin is not None and origin in {origin_of(f"https://{host}") for host in self.login.hosts}


def parse_json(text: str) -> Pack:
    """Validate a pack that was sent as JSON.

    Raises:
        PackError: It is not a valid pack.
    """
    try:
        return Pack.model_validate_json(text)
    except ValidationError as error:
        raise PackError("sent to the worker", tuple(_problems(error))) from error


def parse_toml(text: str, name: str) -> Pack:
    """Validate the text of a pack file.

    Raises:
        PackError: It is not TOML or not a valid pack; every problem is named with its key.
    """
    try:
        return Pack.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise PackError(name, (f"not readable as TOML: {error}",)) from error
    except ValidationError as error:
        raise PackError(name, tuple(_problems(error))) from error


def load(name_or_path: str) -> Pack:
    """Read a pack of Poolwright by name, or a pack file by path.

    Raises:
        PackError: There is no such pack, or it is not valid.
    """
    if name_or_path in shipped_names():
        shipped = resources.files("poolwright.portal").joinpath("packs", f"{name_or_path}.toml")
        return parse_toml(shipped.read_text(encoding="utf-8"), name_or_path)
    try:
        return parse_toml(Path(name_or_path).read_text(encoding="utf-8-sig"), name_or_path)
    except UnicodeDecodeError as error:
        raise PackError(name_or_path, ("the file is not UTF-8 text",)) from error
    except (FileNotFoundError, IsADirectoryError) as error:
        names = ", ".join(shipped_names())
        problem = f"no such pack; shipped are {names}, or give the path of a .toml file"
        raise PackError(name_or_path, (problem,)) from error
    except OSError as error:
        raise PackError(name_or_path, (f"the file cannot be read: {error.strerror}",)) from error


def shipped_names() -> tuple[str, ...]:
    """Return the names of the packs that come with Poolwright, sorted."""
    folder = resources.files("poolwright.portal").joinpath("packs")
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


def _problems(error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_url=False, include_input=False):
        key = ".".join(str(step) for step in problem["loc"]) or "the pack"
        yield f"{key}: {problem['msg'].removeprefix('Value error, ')}"
