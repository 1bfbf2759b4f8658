"""The errors that the pool raises to its user, and those that pass by themselves."""

from __future__ import annotations

from enum import Enum
from typing import cast


class PoolError(Exception):
    """Root of every error that the pool raises to its user."""


class OptionsError(PoolError, ValueError):
    """Options that no pool can run with. The message names the option, its value and what is allowed."""


class TaskError(PoolError, ValueError):
    """A task that no pool can take up. The message names the task, what is wrong with it and what is allowed."""


class SetupError(PoolError):
    """Something that must stand before the first order is missing: browser, profile, room to work."""


class LoginRequiredError(PoolError):
    """The portal wants a login that no worker can give."""


class ProfileError(PoolError):
    """The base profile is missing, in use, or not whole. The whole operation ends."""


class TemporarilyUnavailableError(PoolError):
    """Something outside stands in the way of what everything depends on. What was asked may be asked again later."""


class DiskFullError(TemporarilyUnavailableError):
    """A disk is full; there may be room later."""


class StorageAwayError(TemporarilyUnavailableError):
    """A disk or a share does not answer, or answers with errors of its own; it may come back."""


class StorageForbiddenError(TemporarilyUnavailableError):
    """We may not write where we must; it passes when somebody gives us the right. The message tells who and how."""


class LockedError(TemporarilyUnavailableError):
    """Another program keeps a file locked; it may let go of it later."""


class FrameFault(Enum):
    """Whose fault an unreadable frame is; either way the link is closed."""

    TOO_LARGE = "frame larger than the limit"
    NOT_A_MESSAGE = "frame is no known message"
    TORN = "link ended inside a frame"


def unwrap_group(group: ExceptionGroup[Exception], *decisive: type[Exception]) -> Exception:
    """The one error that a group of tasks ended by: of a decisive kind where there is one, for it explains the rest."""
    found = group.subgroup(decisive) or group
    first = found.exceptions[0]
    if isinstance(first, ExceptionGroup):
        # isinstance forgets what the group holds
        return unwrap_group(cast("ExceptionGroup[Exception]", first))
    return first
