"""How people are told that no order starts, until when, and why orders start again."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from poolwright.supervisor.commands import Hold, Release
from poolwright.supervisor.holds import HoldCause

#: When a hold ends that has no time of its own.
_UNTIL: Mapping[HoldCause, str] = MappingProxyType(
    {
        HoldCause.OPERATOR: "until it is resumed",
        HoldCause.PLACE_GONE: "until it is back",
        HoldCause.JOURNAL_LOCKED: "until the journal can be used again",
        HoldCause.MEMORY_SHORT: "until there is enough memory again",
        HoldCause.LOGIN_LOST: "until the login is back",
        HoldCause.LOGIN_REQUIRED: "until somebody has logged in (poolwright profile login {name}) and says resume",
    }
)
_OVER: Mapping[HoldCause, str] = MappingProxyType(
    {
        HoldCause.OPERATOR: "somebody said so",
        HoldCause.PORTAL_DOWN: "the portal is tried again",
        HoldCause.PORTAL_BUSY: "the pause that the portal needs is over",
        HoldCause.DISK_FULL: "the disk is tried again",
        HoldCause.DISK_AWAY: "the disk is tried again",
        HoldCause.DISK_FORBIDDEN: "the folder is tried again",
        HoldCause.PLACE_GONE: "the folder is back",
        HoldCause.JOURNAL_LOCKED: "the journal can be used",
        HoldCause.MEMORY_SHORT: "there is enough memory again",
        HoldCause.LOGIN_LOST: "the login is back",
        HoldCause.LOGIN_REQUIRED: "somebody has logged in",
    }
)


def told(command: Hold | Release, profile_name: str) -> str:
    """The sentence for people; the profile's name stands in commands that they are to give."""
    if isinstance(command, Release):
        return f"orders start again: {_OVER[command.cause]}"
    until = f"for {command.delay_s:g} s" if command.delay_s is not None else _UNTIL[command.cause]
    until = until.format(name=profile_name)
    return f"no order starts {until}: {command.detail}"
