"""The sources of settings beside the command line.

Environment, ``.env``, ``poolwright.toml``, and what systemd passes to a service.

No setting of the user's, so no field of ``Settings``: systemd sets these for each start, and they are no prefix's.
"""

from __future__ import annotations

import io
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from dotenv.parser import parse_stream
from pydantic import Field, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

ENV_PREFIX = "POOLWRIGHT_"
ENV_FILE = ".env"
TOML_FILE = "poolwright.toml"
#: Some editors put a mark of their own in front of the first letter.
ENCODING = "utf-8-sig"
#: Kubernetes puts such variables into every container beside a service, and links of containers do alike. The name of
#: the service stands in front: ``poolwright``, or ``poolwright-api``.
_OF_A_NETWORK = re.compile(
    r"poolwright_(\w+_)?(service_host|service_port(_\w+)?|port_\d+_(tcp|udp|sctp)(_(proto|port|addr))?)"
)
_PORT_OF_A_NETWORK = re.compile(r"poolwright_(\w+_)?port")


def variable_of(name: str, field: FieldInfo) -> str:
    """The environment variable of a field of the model."""
    alias = field.validation_alias
    return alias if isinstance(alias, str) else f"{ENV_PREFIX}{name.upper()}"


def is_service_link(variable: str, value: str) -> bool:
    """Whether a variable, in lower case, tells where a service is, and is no setting whatever its name."""
    is_address = "://" in value and bool(_PORT_OF_A_NETWORK.fullmatch(variable))
    return is_address or bool(_OF_A_NETWORK.fullmatch(variable))


class EnvironmentSource(EnvSettingsSource):
    """The environment, with names that begin like ours and are no setting: a typing error must not pass in silence."""

    def __call__(self) -> dict[str, Any]:
        """What the environment says, strays included: the model refuses these by name."""
        known = {variable_of(name, field).lower() for name, field in self.settings_cls.model_fields.items()}
        prefix = ENV_PREFIX.lower()
        strays = {
            name.removeprefix(prefix): value
            for name, value in self.env_vars.items()
            if name.startswith(prefix) and name not in known and value and not is_service_link(name, value)
        }
        # A service named poolwright gives a variable that is called like a setting of ours.
        own = {
            name: value
            for name, value in super().__call__().items()
            if not is_service_link(f"{prefix}{name}", str(value))
        }
        return {**own, **strays}


class EnvFileSource(DotEnvSettingsSource):
    """``.env`` of any editor. Secrets stand there as they are: ``${`` may be a part of one."""

    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        """Read it."""
        super().__init__(settings_cls, env_file=ENV_FILE)

    def _read_env_file(self, file_path: Path) -> Mapping[str, str | None]:
        text = file_path.read_text(encoding=ENCODING)
        _refuse_broken(file_path.absolute(), text)
        fields = self.settings_cls.model_fields.items()
        secrets = {variable_of(name, field).lower() for name, field in fields if field.annotation is SecretStr}
        # Read once: where a password manager stands behind a pipe, there is nothing at a second time.
        found = dotenv_values(stream=io.StringIO(text))
        plain = dotenv_values(stream=io.StringIO(text), interpolate=False)
        values = {name.lower(): plain[name] if name.lower() in secrets else found[name] for name in found}
        return {name: value for name, value in values.items() if value != ""}


def _refuse_broken(path: Path, text: str) -> None:
    """Make sure that each line that means us is one; what others put there is theirs.

    Raises:
        ValueError: One is none.
    """
    for line in parse_stream(io.StringIO(text)):
        is_none = line.error or (line.key is not None and line.value is None)
        if is_none and ENV_PREFIX in line.original.string.upper():
            first_line = line.original.string.lstrip().splitlines()[0]
            name = re.match(r"(?:export\s+)?\w*", first_line)
            told = name.group() if name else ""
            raise ValueError(
                f"{path}, line {line.original.line}, {told!r}, is not NAME=value; an opened quote must be closed."
            )


class TomlFileSource(TomlConfigSettingsSource):
    """``poolwright.toml`` of any editor."""

    def _read_file(self, file_path: Any) -> dict[str, Any]:  # noqa: ANN401 - a path, or what stands for one in a package
        return tomllib.loads(file_path.read_text(encoding=ENCODING))


def setting_origin(model: type[BaseSettings], name: str) -> str:
    """Where a setting was given, in words that follow its value; empty for the command line.

    Args:
        model: The model of all settings.
        name: A field, its variable, or a stray, as a source calls it.
    """
    sources: Mapping[str, Callable[[], Mapping[str, Any]]] = {
        "in the environment": EnvironmentSource(model),
        f"in {ENV_FILE}": EnvFileSource(model),
        f"in {TOML_FILE}": TomlFileSource(model),
    }
    return next((words for words, source in sources.items() if name in source()), "")


def unreadable_file() -> str:
    """Which file of this folder cannot be read, and why, in one sentence; empty when all can."""
    if Path(TOML_FILE).is_dir():
        return (
            f"{Path(TOML_FILE).absolute()} is a folder, not a file: a container engine makes one where the file to be "
            "mounted is missing. Put the file there, or remove the folder."
        )
    readers: Mapping[str, Callable[[Path], object]] = {
        ENV_FILE: lambda path: path.read_text(encoding=ENCODING) if path.is_file() else "",
        TOML_FILE: lambda path: tomllib.loads(path.read_text(encoding=ENCODING)),
    }
    for name, read in readers.items():
        path = Path(name).absolute()
        try:
            read(path)
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            return f"{path} is not readable: {why}."
    return ""


_MICROSECONDS = 1_000_000


class SystemdEnvironment(BaseSettings):
    """The variables of systemd's notify protocol; what is missing or empty was not asked for."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)

    notify_socket: str = Field(default="", validation_alias="NOTIFY_SOCKET")
    watchdog_usec: int | None = Field(default=None, gt=0, validation_alias="WATCHDOG_USEC")
    watchdog_pid: int | None = Field(default=None, validation_alias="WATCHDOG_PID")

    journal_stream: str = Field(default="", validation_alias="JOURNAL_STREAM")

    def is_journal(self, descriptor: int) -> bool:
        """Whether what is written there goes to the system's journal, which others may read too.

        The variable alone says little: every program that a service started has it, also a terminal's.
        """
        try:
            place = os.fstat(descriptor)
        except OSError:
            return False
        return self.journal_stream == f"{place.st_dev}:{place.st_ino}"

    @property
    def watchdog_s(self) -> float | None:
        """Seconds within which a sign of life is wanted; nothing when none is, or not of this process."""
        if self.watchdog_usec is None or self.watchdog_pid not in {None, os.getpid()}:
            return None
        return self.watchdog_usec / _MICROSECONDS
