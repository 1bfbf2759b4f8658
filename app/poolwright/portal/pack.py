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
from typing import Annotated, cast
from urllib.parse import unquote, urlsplit, urlunsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator

from poolwright.portal.addresses import FileHost, origin_of
from poolwright.portal.errors import PackError, PackProblem
from poolwright.portal.login_schema import LoginRules, LoginStep
from poolwright.portal.numbers import LetterCase, NumberRules
from poolwright.portal.pack_schema import (
    ArchivePolicy,
    DialogPolicy,
    FieldRule,
    MailPolicy,
    NameSource,
    PackTable,
    PageLimits,
)
from poolwright.portal.step_schema import FurtherSource, LaneRules, ListRules, OrderSite, as_lane, lane_problems
from poolwright.portal.triage_marks import Marks, PageKind, TriageMarks

__all__ = [
    "DialogPolicy",
    "FieldRule",
    "LoginStep",
    "Marks",
    "NameSource",
    "Pack",
    "PackError",
    "PageKind",
    "TriageMarks",
    "is_valid_name",
    "load",
    "parse_json",
    "parse_toml",
    "shipped_names",
]

#: Versions of the pack language. Version 1 changes numbers unless the pack says otherwise (``_number_defaults``).
SCHEMA_VERSIONS = (1, 2)
#: From this version on, a number is kept as the list has it unless the pack says otherwise.
_KEEPING_VERSION = 2
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


def _schema(version: int) -> int:
    if version not in SCHEMA_VERSIONS:
        msg = f"it is {version}; this version of Poolwright reads {' and '.join(map(str, SCHEMA_VERSIONS))}"
        raise ValueError(msg)
    return version


def is_valid_name(text: str) -> bool:
    """Return whether a pack may have this name."""
    return bool(_NAME.fullmatch(text))


def _name(text: str) -> str:
    if not is_valid_name(text):
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
    lane: Annotated[LaneRules, BeforeValidator(as_lane)] = LaneRules()

    @model_validator(mode="before")
    @classmethod
    def _number_defaults(cls, content: object) -> object:
        """Return the content with the defaults of its version: from version 2 on, nothing in a number is changed."""
        if not isinstance(content, dict):
            return content
        tables = cast("dict[str, object]", content)
        numbers, version = tables.get("numbers"), tables.get("schema")
        if not isinstance(numbers, dict) or not isinstance(version, int) or version < _KEEPING_VERSION:
            return tables
        return {**tables, "numbers": {"separators": "", "case": LetterCase.KEEP, **cast("dict[str, object]", numbers)}}

    @model_validator(mode="after")
    def _sources_have_names(self) -> Pack:
        names = [source.name for source in self.sources]
        for name in names:
            if names.count(name) > 1 or name in self.fields:
                msg = f"sources: the name {name!r} is used twice, by another source or by a field"
                raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _fits_its_lane(self) -> Pack:
        if text := "; ".join(lane_problems(self.lane, self.site, self.triage, self.attachments, self.sources)):
            msg = f'lane: "http" is for lists that come with the page or in one answer: {text}'
            raise ValueError(msg)
        return self

    def to_json(self) -> str:
        """Return the pack as it is sent to a worker."""
        return self.model_dump_json(by_alias=True)

    @property
    def notices(self) -> tuple[str, ...]:
        """Return sentences for the author of a valid pack about its gaps."""
        return (*self._list_notices(), *self._page_notices(), *self._host_notices(), *self._number_notices())

    def _list_notices(self) -> Iterator[str]:
        rules = self.attachments
        if not (rules.count or rules.empty or rules.answered or rules.api):
            signs = "attachments.empty, count or answered"
            beside = "; settled is none" if rules.settled else ""
            yield (
                f"it has no sign of an empty list ({signs}{beside}): an order without attachments ends as "
                "portal_changed"
            )
        elif not (rules.count or rules.empty or rules.api):
            yield (
                "it has neither attachments.count nor attachments.empty: that an order has no attachments is concluded "
                "from attachments.answered alone, and a file that is missed is not noticed"
            )

        own = [one for one in (*rules.links, *rules.clicks) if rules.empty and rules.empty.lacks(one)]
        if own and not rules.count:
            yield (
                f"attachments.empty is a list without {own[0]!r}, which is one of its own links: if the portal renames "
                "them, a full list looks empty; name what any row has, such as li, tr or a"
            )

    def _page_notices(self) -> Iterator[str]:
        rules = self.attachments
        if rules.next and rules.next.scroll and not (rules.next.until or rules.count):
            yield "it has no sign of the end of a list that is scrolled (attachments.next.until, count)"
        if (find := self.site.find) and not (find.empty or find.settled):
            yield "it has no sign of a search without results (site.find.empty, settled): no order is not_found"

    def _number_notices(self) -> Iterator[str]:
        changes = {"case": "letters of a number become upper case", "separators": "spaces and hyphens are taken out"}
        silent = [key for key in changes if key not in self.numbers.model_fields_set]
        if silent and self.numbers.may_have_letters:
            keys, sentence = " and ".join(silent), " and ".join(changes[key] for key in silent)
            yield f"it does not say numbers.{keys}: {sentence}; say so, or set schema = {_KEEPING_VERSION} to keep them"

    def _host_notices(self) -> Iterator[str]:
        for text, host in zip(self.site.hosts, self._file_hosts, strict=True):
            if host.origin.scheme == "http":
                yield f"site.hosts: files of {text} come without encryption, so they could be changed on their way"

    def with_extras(self, *, unpacks_archives: bool, unpacks_mails: bool, prints_mails: bool) -> Pack:
        """Return the rules with what a person wants beside the files of an order; what the pack wants stays.

        Args:
            unpacks_archives: The files of an archive beside it, unless the pack files them in its place.
            unpacks_mails: The attachments of a mail beside it.
            prints_mails: A PDF of each mail beside it.
        """
        rules, extras = self.attachments, dict[str, object]()
        if unpacks_archives and rules.archive is ArchivePolicy.KEEP:
            extras["archive"] = ArchivePolicy.BESIDE
        if unpacks_mails:
            extras["mail"] = MailPolicy.UNPACK
        if prints_mails:
            extras["mail_pdf"] = True
        return self.model_copy(update={"attachments": rules.model_copy(update=extras)}) if extras else self

    @property
    def is_hash_routed(self) -> bool:
        """Whether the fragment of an address tells pages apart, because that of an order or of the probe has one."""
        site = self.site
        return any("#" in path for path in (site.probe, *site.order_paths))

    def page_at(self, path: str, attachments: ListRules | None = None, ready: Marks | None = None) -> Pack:
        """Return the rules for another page with files of an order, as if it were the order's own.

        Args:
            path: Its address below that of the portal.
            attachments: The rules for its list, if they differ.
            ready: Its marks, if they differ.
        """
        site = self.site.model_copy(update={"order": path, "orders": (), "find": None})
        marks = self.triage.for_source()
        triage = marks if ready is None else marks.model_copy(update={"ready": (ready,)})
        rules = {"site": site, "triage": triage, "sources": (), "attachments": attachments or self.attachments}
        return self.model_copy(update=rules)

    def order_url(self, base_url: str, portal_number: str) -> str:
        """Return the address of an order's page."""
        return base_url + self.site.order_path(portal_number)

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
        is_below = _goes_on(wanted.path, reached.path)
        is_route = not wanted.fragment or _goes_on(unquote(wanted.fragment), unquote(reached.fragment))
        return is_below and is_route and origin_of(url) == origin_of(base_url)

    def may_fetch(self, base_url: str, url: str) -> bool:
        """Return whether an address leads to the portal, or to a host that this pack trusts."""
        origin = origin_of(url)
        if origin is None:
            return False
        return origin == origin_of(base_url) or any(host.includes(origin) for host in self._file_hosts)

    def may_have_cookies(self, base_url: str, url: str) -> bool:
        """Return whether cookies of the portal may go to an address: its own, or over HTTPS a host named in full."""
        origin = origin_of(url)
        if origin is None:
            return False
        exact = (host for host in self._file_hosts if host.is_exact)
        return origin == origin_of(base_url) or any(host.includes(origin) for host in exact)

    @property
    def _file_hosts(self) -> list[FileHost]:
        return [host for text in self.site.hosts if (host := FileHost.parse(text)) is not None]

    def is_login_host(self, url: str) -> bool:
        """Return whether an address belongs to the single sign-on that this pack names."""
        origin = origin_of(url)
        return origin is not None and origin in {origin_of(f"https://{host}") for host in self.login.hosts}

    def may_receive_login(self, base_url: str, url: str) -> bool:
        """Return whether a secret may be written into a page: one of the portal, or of a host of its login.

        A host of the login is reached over HTTPS, or as the portal is; its port is not compared.
        """
        if not self.login.is_bound_to_hosts:
            return True
        origin, portal = origin_of(url), origin_of(base_url)
        if origin is None or portal is None:
            return False
        is_login_host = origin.host in {
            host.host for name in self.login.hosts if (host := origin_of(f"https://{name}"))
        }
        return origin == portal or (is_login_host and origin.scheme in {"https", portal.scheme})


def _goes_on(wanted: str, reached: str) -> bool:
    """Return whether a text begins with another one, and not in the middle of a word or number."""
    return reached.startswith(wanted) and not reached[len(wanted) :][:1].isalnum()


def parse_json(text: str) -> Pack:
    """Validate a pack that was sent as JSON.

    Raises:
        PackError: It is not a valid pack.
    """
    try:
        return Pack.model_validate_json(text)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        texts = (f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in problems)
        raise PackError("sent to the worker", tuple(texts)) from error


def parse_toml(text: str, name: str) -> Pack:
    """Validate the text of a pack file.

    Raises:
        PackError: It is not TOML or not a valid pack; every problem is named with its key and its position.
    """
    try:
        return Pack.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise PackError(name, tuple(_problems(error, text))) from error


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


def _problems(error: tomllib.TOMLDecodeError | ValidationError, text: str) -> Iterator[PackProblem]:
    from poolwright.portal import pack_problems  # noqa: PLC0415 - loads a parser, which only a wrong pack needs

    if isinstance(error, tomllib.TOMLDecodeError):
        yield pack_problems.describe_syntax_error(error)
    else:
        yield from pack_problems.describe_problems(error, text, Pack)
