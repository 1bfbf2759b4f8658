"""The types of settings fields: how a setting is shown to people, and how its value is validated and normalised."""

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

from poolwright.domain.options import WORKER_COUNT_MAX, WORKER_COUNT_MIN


class LogLevel(StrEnum):
    """Minimum log level."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingHelp:
    """How a setting shows itself where its type and default do not say enough."""

    #: Flags of the command line; empty when the setting has none there.
    flags: tuple[str, ...] = ()
    #: What stands for a default that is found out while running.
    default: str = ""
    #: What is allowed, where the type and its bounds do not tell.
    allowed: str = ""
    #: Whether a daemon that reads its settings again goes by the new value at once; all others need a restart.
    acts_at_once: bool = False


#: Those that browsers and the HTTP client of downloads both know.
PROXY_SCHEMES = frozenset({"http", "https", "socks5"})
#: What a value is refused as that holds letters which nobody sees.
CONTROL_KIND = "unseen_letter"
#: What one is refused as that has the quote marks around it which a shell would take off, and others do not.
QUOTED_KIND = "in_quotes"
_QUOTED = re.compile(r"""(["']).*\1""")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
#: Those that can be seen to be none; others are refused.
_BLANKS = " \xa0"
_BRACKETED = re.compile(r"\[([0-9A-Fa-f:.]+)\]")
_NAME = re.compile(r"[\w.-]+|\[[0-9A-Fa-f:.]+\]")
_PATH = re.compile(r"(/[\w.~-]+)+/?")


def expand_user_path(value: object) -> object:
    """A path as a person writes it: ``~`` is a home. An empty one would be the folder where the command was given."""
    if value == "":
        msg = "no path"
        raise ValueError(msg)
    if not isinstance(value, str | Path):
        return value
    try:
        return Path(value).expanduser()
    except RuntimeError as error:
        msg = "nobody's home"
        raise ValueError(msg) from error


def refuse_odd_characters(value: object, *, is_secret: bool) -> object:
    """Letters that make a name another one, and that nobody meant. A password may have any that can be seen."""
    if isinstance(value, str) and _CONTROL.search(value):
        raise PydanticCustomError(CONTROL_KIND, "it contains an invisible character")
    if isinstance(value, str) and not is_secret and _QUOTED.fullmatch(value):
        raise PydanticCustomError(QUOTED_KIND, "it is in quotation marks")
    return value


def strip_blanks(value: object, kind: object) -> object:
    """A name or an address without blanks around it: none has any. A password may, and so may a folder."""
    return value.strip(_BLANKS) if isinstance(value, str) and kind is str else value


def normalize_host(text: str) -> str:
    """The name or address of a host; one of version 6 without the brackets that it has within addresses of the web."""
    bracketed = _BRACKETED.fullmatch(text)
    return bracketed[1] if bracketed else text


def normalize_address(text: str) -> str:
    """An address without its last slash; a user and password in it would end in logs, so they are refused."""
    parts = urlsplit(text)
    is_plain = parts.hostname and not (parts.query or parts.fragment or "@" in parts.netloc)
    if text and not (is_plain and parts.scheme in {"http", "https"} and parts.port != 0):
        msg = "no such address"
        raise ValueError(msg)
    return text.rstrip("/")


def normalize_proxy(text: str) -> str:
    """The address of a proxy; its user and password have settings of their own, since addresses end in logs."""
    parts = urlsplit(text)
    is_plain = parts.hostname and not (parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc)
    if text and not (is_plain and parts.scheme in PROXY_SCHEMES and parts.port != 0):
        msg = "no such address"
        raise ValueError(msg)
    return text.rstrip("/")


def split_host_names(value: object) -> object:
    """Names with commas between, as a variable of the environment holds them; or a list of them."""
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple):
        return parts
    found = [name.strip() for name in cast("Sequence[object]", parts) if isinstance(name, str) and name.strip()]
    if any(not _NAME.fullmatch(name) for name in found):
        msg = "no such name"
        raise ValueError(msg)
    return tuple(found)


def normalize_path(text: str) -> str:
    """A path without its last slash."""
    if text.strip("/") and not _PATH.fullmatch(text):
        msg = "no such path"
        raise ValueError(msg)
    return text.rstrip("/")


def default_runs_dir() -> Path:
    """Short, since a browser's socket below it may be 107 bytes long; one for each user, since it is private.

    Where no temporary folder can be written, the usual one is named: who makes the folder tells what forbids it.
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
HostNames: TypeAlias = Annotated[
    tuple[str, ...],
    NoDecode,
    BeforeValidator(split_host_names),
    SettingHelp(default="none", allowed="names of hosts, with commas between"),
]
