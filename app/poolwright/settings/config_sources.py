"""Reads the sources of settings beside the command line: the environment, ``.env`` and ``poolwright.toml``.

The variables that systemd sets for a service are read here too. They are no settings of a user, so they have no prefix
and no fields in ``Settings``.
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
#: UTF-8, also with the byte order mark of some editors.
ENCODING = "utf-8-sig"
#: Variables that Kubernetes and container links set for a service. They begin with the name of the service, such as
#: ``poolwright`` or ``poolwright-api``.
_SERVICE_LINK = re.compile(
    r"poolwright_(\w+_)?(service_host|service_port(_\w+)?|port_\d+_(tcp|udp|sctp)(_(proto|port|addr))?)"
)
_SERVICE_PORT = re.compile(r"poolwright_(\w+_)?port")


def variable_of(name: str, field: FieldInfo) -> str:
    """Return the environment variable of a field of the model."""
    alias = field.validation_alias
    return alias if isinstance(alias, str) else f"{ENV_PREFIX}{name.upper()}"


def is_service_link(variable: str, value: str) -> bool:
    """Return whether a variable, in lower case, is the address of a service, and no setting in spite of its name."""
    is_address = "://" in value and bool(_SERVICE_PORT.fullmatch(variable))
    return is_address or bool(_SERVICE_LINK.fullmatch(variable))


class EnvironmentSource(EnvSettingsSource):
    """The environment, with unknown variables of our prefix too, so that a misspelled name is reported."""

    def __call__(self) -> dict[str, Any]:
        """Return the values of the environment; unknown ones are included, and the model refuses them by name."""
        variables = {variable_of(name, field).lower() for name, field in self.settings_cls.model_fields.items()}
        prefix = ENV_PREFIX.lower()
        strays = {
            name.removeprefix(prefix): value
            for name, value in self.env_vars.items()
            if name.startswith(prefix) and name not in variables and value and not is_service_link(name, value)
        }
        # A service named poolwright sets a variable with the name of a setting (``POOLWRIGHT_PORT``).
        own = {
            name: value
            for name, value in super().__call__().items()
            if not is_service_link(f"{prefix}{name}", str(value))
        }
        return {**own, **strays}


class EnvFileSource(DotEnvSettingsSource):
    """``.env`` of any editor. Secrets are not expanded: ``${`` may be a part of one."""

    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        """Read the file."""
        super().__init__(settings_cls, env_file=ENV_FILE)

    def _read_env_file(self, file_path: Path) -> Mapping[str, str | None]:
        text = file_path.read_text(encoding=ENCODING)
        _refuse_broken(file_path.absolute(), text)
        fields = self.settings_cls.model_fields.items()
        secrets = {variable_of(name, field).lower() for name, field in fields if field.annotation is SecretStr}
        # The file is read once: it may be a pipe from a password manager, which is empty the second time.
        expanded = dotenv_values(stream=io.StringIO(text))
        plain = dotenv_values(stream=io.StringIO(text), interpolate=False)
        values = {name.lower(): plain[name] if name.lower() in secrets else expanded[name] for name in expanded}
        return {name: value for name, value in values.items() if value != ""}


def _refuse_broken(path: Path, text: str) -> None:
    """Make sure that each line with our prefix is valid; lines of other programs are not checked.

    Raises:
        ValueError: A line is not valid.
    """
    for line in parse_stream(io.StringIO(text)):
        is_invalid = line.error or (line.key is not None and line.value is None)
        if is_invalid and ENV_PREFIX in line.original.string.upper():
            first_line = line.original.string.lstrip().splitlines()[0]
            match = re.match(r"(?:export\s+)?\w*", first_line)
            name = match.group() if match else ""
            raise ValueError(
                f"{path}, line {line.original.line}, {name!r}, is not NAME=value; an opened quote must be closed."
            )


class TomlFileSource(TomlConfigSettingsSource):
    """``poolwright.toml`` of any editor."""

    def _read_file(self, file_path: Any) -> dict[str, Any]:  # noqa: ANN401 - a path, or a resource of a package
        return tomllib.loads(file_path.read_text(encoding=ENCODING))


def setting_origin(model: type[BaseSettings], name: str) -> str:
    """Return the source of a setting, in words that follow its value; empty for the command line.

    Args:
        model: The model of all settings.
        name: A field, its variable, or an unknown name, as it is in a source.
    """
    sources: Mapping[str, Callable[[], Mapping[str, Any]]] = {
        "in the environment": EnvironmentSource(model),
        f"in {ENV_FILE}": EnvFileSource(model),
        f"in {TOML_FILE}": TomlFileSource(model),
    }
    return next((words for words, source in sources.items() if name in source()), "")


def unreadable_file() -> str:
    """Return one sentence about a settings file that cannot be read; empty when all can."""
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
            reason = error.strerror if isinstance(error, OSError) else str(error)
            return f"{path} is not readable: {reason}."
    return ""


_MICROSECONDS = 1_000_000


def has_proxy_script() -> bool:
    """Return whether the variable ``auto_proxy`` is set, by which whole browsers on Linux find their proxies."""
    return bool(os.environ.get("auto_proxy"))  # noqa: SIM112 - the browsers read it in small letters


class SystemdEnvironment(BaseSettings):
    """The variables of systemd's notify protocol; missing or empty ones mean that a feature is not used."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)

    notify_socket: str = Field(default="", validation_alias="NOTIFY_SOCKET")
    watchdog_usec: int | None = Field(default=None, gt=0, validation_alias="WATCHDOG_USEC")
    watchdog_pid: int | None = Field(default=None, validation_alias="WATCHDOG_PID")

    journal_stream: str = Field(default="", validation_alias="JOURNAL_STREAM")

    def is_journal(self, descriptor: int) -> bool:
        """Return whether a descriptor writes to the system's journal, which other users may read.

        The variable alone does not show that: every program that a service starts inherits it, also in a terminal.
        """
        try:
            status = os.fstat(descriptor)
        except OSError:
            return False
        return self.journal_stream == f"{status.st_dev}:{status.st_ino}"

    @property
    def watchdog_s(self) -> float | None:
        """Return the seconds within which systemd expects a ping; ``None`` if it expects none from this process."""
        if self.watchdog_usec is None or self.watchdog_pid not in {None, os.getpid()}:
            return None
        return self.watchdog_usec / _MICROSECONDS
