"""Defines the types of settings fields: the help of a setting, and the validation and normalisation of its value."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, cast
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError
from pydantic_settings import NoDecode

from poolwright.domain.options import WORKER_COUNT_MAX, WORKER_COUNT_MIN, BrowserKind


class LogLevel(StrEnum):
    """Minimum log level."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingHelp:
    """Help on a setting beyond its type and default."""

    #: Flags on the command line; empty when it has none.
    flags: tuple[str, ...] = ()
    #: Text for a default that is determined at run time.
    default: str = ""
    #: Allowed values, if type and bounds do not describe them.
    allowed: str = ""
    #: Whether a daemon applies a new value at once when it reads its settings again; all others need a restart.
    acts_at_once: bool = False


#: Schemes that both the browsers and the HTTP client of downloads support.
PROXY_SCHEMES = frozenset({"http", "https", "socks5"})
#: Error kind of a value with invisible characters.
CONTROL_KIND = "unseen_letter"
#: Error kind of a value in quotation marks, which a shell would remove but other programs do not.
QUOTED_KIND = "in_quotes"
_QUOTED = re.compile(r"""(["']).*\1""")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
#: Blanks that are stripped; others are refused.
_BLANKS = " \xa0"
_BRACKETED = re.compile(r"\[([0-9A-Fa-f:.]+)\]")
_NAME = re.compile(r"[\w.-]+|\[[0-9A-Fa-f:.]+\]")
_PATH = re.compile(r"(/[\w.~-]+)+/?")


def expand_user_path(value: object) -> object:
    """Expand ``~`` in a path. An empty path is refused, since it would mean the current folder."""
    if value == "":
        msg = "no path"
        raise ValueError(msg)
    if not isinstance(value, str | Path):
        return value
    try:
        return Path(value).expanduser()
    except RuntimeError as error:
        msg = "no such home folder"
        raise ValueError(msg) from error


def parse_browser(value: object) -> object:
    """Return the kind of browser that a text names, or the path of a program; a name without a folder is no path."""
    if not isinstance(value, str) or isinstance(value, BrowserKind):
        return value
    kinds = [kind for kind in BrowserKind if kind.value == value.lower()]
    if kinds:
        return kinds[0]
    if Path(value).name == value:
        msg = "no such browser"
        raise ValueError(msg)
    return expand_user_path(value)


def refuse_odd_characters(value: object, *, is_secret: bool) -> object:
    """Refuse invisible characters, and quotation marks around a value. A password may be in quotation marks."""
    if isinstance(value, str) and _CONTROL.search(value):
        raise PydanticCustomError(CONTROL_KIND, "it contains an invisible character")
    if isinstance(value, str) and not is_secret and _QUOTED.fullmatch(value):
        raise PydanticCustomError(QUOTED_KIND, "it is in quotation marks")
    return value


def strip_blanks(value: object, kind: object) -> object:
    """Strip blanks around a name or an address. A password or a folder may begin or end with them."""
    return value.strip(_BLANKS) if isinstance(value, str) and kind is str else value


def normalize_host(text: str) -> str:
    """Return the name or address of a host; an IPv6 address without the brackets that it has in a web address."""
    bracketed = _BRACKETED.fullmatch(text)
    return bracketed[1] if bracketed else text


def normalize_address(text: str) -> str:
    """Return an address without its last slash; user and password are refused, as they would get into logs."""
    parts = urlsplit(text)
    is_plain = parts.hostname and not (parts.query or parts.fragment or "@" in parts.netloc)
    if text and not (is_plain and parts.scheme in {"http", "https"} and parts.port != 0):
        msg = "no such address"
        raise ValueError(msg)
    return text.rstrip("/")


def normalize_proxy(text: str) -> str:
    """Return the address of a proxy; user and password have separate settings, since addresses get into logs."""
    parts = urlsplit(text)
    is_plain = parts.hostname and not (parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc)
    if text and not (is_plain and parts.scheme in PROXY_SCHEMES and parts.port != 0):
        msg = "no such address"
        raise ValueError(msg)
    return text.rstrip("/")


def split_host_names(value: object) -> object:
    """Split names at commas, as in an environment variable, or return a list of names as a tuple."""
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple):
        return parts
    names = [name.strip() for name in cast("Sequence[object]", parts) if isinstance(name, str) and name.strip()]
    if any(not _NAME.fullmatch(name) for name in names):
        msg = "no such name"
        raise ValueError(msg)
    return tuple(names)


def normalize_path(text: str) -> str:
    """Return a path without its last slash."""
    if text.strip("/") and not _PATH.fullmatch(text):
        msg = "no such path"
        raise ValueError(msg)
    return text.rstrip("/")


def default_runs_dir() -> Path:
    """Return the default folder for runs: short, since a browser's socket path is limited to 107 bytes, and private.

    If no temporary folder can be written, the usual one is returned, and its creation reports the reason.
    """
    owner = f"-{os.getuid()}" if hasattr(os, "getuid") else ""
    try:
        folder = tempfile.gettempdir()
    except FileNotFoundError:
        folder = "/tmp"  # noqa: S108 - the folder in it is private
    return Path(folder) / f"poolwright{owner}"


WorkerCount: TypeAlias = Annotated[int, Field(ge=WORKER_COUNT_MIN, le=WORKER_COUNT_MAX)] | Literal["auto"]
WORKERS_ALLOWED = f"a whole number from {WORKER_COUNT_MIN} to {WORKER_COUNT_MAX}, or auto"
UserPath = Annotated[Path, BeforeValidator(expand_user_path)]
BROWSER_ALLOWED = f"{', '.join(BrowserKind)}, or the path of a program"
HostNames: TypeAlias = Annotated[
    tuple[str, ...],
    NoDecode,
    BeforeValidator(split_host_names),
    SettingHelp(default="none", allowed="names of hosts, with commas between"),
]
