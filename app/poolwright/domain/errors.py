"""The errors that the pool raises to its user, and those that pass by themselves."""

from __future__ import annotations

from enum import Enum
from typing import cast


class PoolError(Exception):
    """Root of every error that the pool raises to its user."""


class OptionsError(PoolError, ValueError):
    """An option that no pool can run with. The message names the option, its value and what is allowed."""


class TaskError(PoolError, ValueError):
    """A task that no pool can process. The message names the task, the problem and what is allowed."""


class SetupError(PoolError):
    """Something that the first order needs is missing: a browser, a profile, or disk space."""


class LoginRequiredError(PoolError):
    """The portal wants a login that no worker can give."""


class ProfileError(PoolError):
    """The base profile is missing, in use, or damaged. The whole operation ends."""


class TemporarilyUnavailableError(PoolError):
    """A resource that everything depends on is unavailable for now. The same call may succeed later."""


class DiskFullError(TemporarilyUnavailableError):
    """A disk is full; space may be freed later."""


class StorageAwayError(TemporarilyUnavailableError):
    """A disk or a share does not answer, or answers with errors of its own; it may recover."""


class StorageForbiddenError(TemporarilyUnavailableError):
    """Permission to write is missing. The message names the command that grants it."""


class LockedError(TemporarilyUnavailableError):
    """Another program keeps a file locked; it may release it later."""


class FrameFault(Enum):
    """The fault of an unreadable frame; the channel is closed after each of them."""

    TOO_LARGE = "frame larger than the limit"
    NOT_A_MESSAGE = "frame is not a known message"
    TORN = "channel ended inside a frame"


def unwrap_group(group: ExceptionGroup[Exception], *decisive: type[Exception]) -> Exception:
    """Return the error that ended a task group: the first of a ``decisive`` type, else the first of all."""
    matching = group.subgroup(decisive) or group
    first = matching.exceptions[0]
    if isinstance(first, ExceptionGroup):
        # isinstance drops the type of the group's members
        return unwrap_group(cast("ExceptionGroup[Exception]", first))
    return first
