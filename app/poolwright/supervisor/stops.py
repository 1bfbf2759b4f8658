"""Why a pool ends before its queue is empty."""

from __future__ import annotations

from enum import StrEnum


class StopCause(StrEnum):
    """What makes it end."""

    ASKED = "asked"
    LOGIN_REQUIRED = "login_required"
    PROFILE_DAMAGED = "profile_damaged"
    SETUP_FAILED = "setup_failed"
    NO_WORKERS = "no_workers"
    #: The workers use more memory than they may, and starting them anew does not help.
    MEMORY_SHORT = "memory_short"
