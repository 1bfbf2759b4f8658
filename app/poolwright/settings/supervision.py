"""What a service manager tells its service through the environment: where it listens, and how often it wants a sign.

No setting of the user's, so no field of ``Settings``: systemd sets these for each start, and they are no prefix's.
"""

from __future__ import annotations

import os

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

_MICROSECONDS = 1_000_000


class Supervision(BaseSettings):
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
