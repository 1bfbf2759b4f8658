"""How people are told that no order starts, until when, and why orders start again."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from poolwright.supervisor.commands import Hold, Release
from poolwright.supervisor.holds import HoldCause

#: When a hold ends that has no time of its own.
_UNTIL: Mapping[HoldCause, str] = MappingProxyType(
    {
        HoldCause.OPERATOR: "until an operator resumes it",
        HoldCause.PLACE_GONE: "until the folder is back",
        HoldCause.JOURNAL_LOCKED: "until the journal can be used again",
        HoldCause.MEMORY_SHORT: "until there is enough memory again",
        HoldCause.LOGIN_LOST: "until the login is back",
        HoldCause.LOGIN_REQUIRED: "until somebody logs in (poolwright profile login {name}) and resumes the pool",
    }
)
_OVER: Mapping[HoldCause, str] = MappingProxyType(
    {
        HoldCause.OPERATOR: "by an operator",
        HoldCause.PORTAL_DOWN: "trying the portal again",
        HoldCause.PORTAL_BUSY: "the pause for the busy portal is over",
        HoldCause.DISK_FULL: "trying the disk again",
        HoldCause.DISK_AWAY: "trying the disk again",
        HoldCause.DISK_FORBIDDEN: "trying the folder again",
        HoldCause.PLACE_GONE: "the folder is back",
        HoldCause.JOURNAL_LOCKED: "the journal is unlocked",
        HoldCause.MEMORY_SHORT: "there is enough memory again",
        HoldCause.LOGIN_LOST: "the login is back",
        HoldCause.LOGIN_REQUIRED: "trying the login again",
    }
)


def told(command: Hold | Release, profile_name: str) -> str:
    """Return the log line for a pause or its end; the profile's name fills the commands that it suggests."""
    if isinstance(command, Release):
        return f"resumed: {_OVER[command.cause]}"
    until = f"for {command.delay_s:g} s" if command.delay_s is not None else _UNTIL[command.cause]
    until = until.format(name=profile_name)
    return f"paused {until}: {command.detail}"
