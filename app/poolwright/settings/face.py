"""How a setting shows itself to people, and the weights of lines that one of them chooses from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class LogLevel(StrEnum):
    """Minimum log level."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """How a setting shows itself where its type and default do not say enough."""

    #: Flags of the command line; empty when the setting has none there.
    flags: tuple[str, ...] = ()
    #: What stands for a default that is found out while running.
    default: str = ""
    #: What is allowed, where the type and its bounds do not tell.
    allowed: str = ""
    #: Whether a daemon that reads its settings again goes by the new value at once; all others need a restart.
    acts_at_once: bool = False
