"""Defines the errors of profiles. Each sentence names the cause and the next step."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from poolwright.domain.errors import (
    DiskFullError,
    PoolError,
    ProfileError,
    SetupError,
    StorageAwayError,
    StorageForbiddenError,
)
from poolwright.domain.storage import StorageTrouble, classify_os_error
from poolwright.files.permissions import describe_error

#: Names in the folder of a profile, as in ``repository``, which imports this module.
_BASE_NAME, _FILE_NAME = "base", "profile.toml"
#: Part of the name of a backup, which is beside its base.
BACKUP_MARK = ".good-"
#: Used in commands if the name of the profile is unknown.
_NAMELESS = "NAME"


class ProfileMissingError(ProfileError):
    """There is no such profile, or no browser ever wrote into its folder."""


class ProfileInUseError(ProfileError):
    """A browser or another run of this program uses the profile."""


class ProfileRefusedError(ProfileError):
    """The profile is undamaged but can't be used, because of its place, its name or its cookies."""


class ProfileNewerError(ProfileRefusedError):
    """A newer version of this program wrote a file of the profile, which this one cannot read."""


class ProfileDamagedError(ProfileError):
    """A file that a browser needs is missing or unreadable."""


class BrokenFileError(Exception):
    """A file of a profile is not as a browser writes it. The catcher adds what is lost, before a person sees it."""

    def __init__(self, path: Path, problem: str) -> None:
        """Make the text from the path and the problem, in words that follow the path."""
        super().__init__(f"{path} {problem}")


class ProfileFileError(ProfileError):
    """``profile.toml`` is missing, unreadable or not valid."""


class NoRoomError(SetupError, DiskFullError):
    """The disk has no space for a clone."""


def profile_name_of(path: Path) -> str:
    """Return the name of the profile to which a file or folder belongs, for commands; ``NAME`` if it is unknown."""
    with contextlib.suppress(OSError):  # errors of the disk have sentences without the name
        for folder in (path, *path.parents):
            if folder.name == _BASE_NAME and (folder.parent / _FILE_NAME).is_file():
                return folder.parent.name
    return _NAMELESS


def repair_step(path: Path) -> str:
    """Return the next step for a damaged file or folder."""
    name = profile_name_of(path)
    return (
        f"Create the profile again (`poolwright profile remove {name}`, then `poolwright profile login {name}`), "
        "or bring back a backup of it."
    )


def login_or_restore_step(base: Path) -> str:
    """Return the next step for an empty base, which a killed command may have left behind."""
    name = base.parent.name or _NAMELESS
    log_in = f"Log in to it with `poolwright profile login {name}`"
    if any(base.parent.glob(f"{base.name}{BACKUP_MARK}*Z")):
        return f"{log_in}, or bring back its last backup with `poolwright profile restore {name}`."
    return f"{log_in}, or bring back a backup of it."


class ProfileStorageAwayError(SetupError, StorageAwayError):
    """The disk of a profile, or that of clones, does not answer."""


class ProfileStorageForbiddenError(SetupError, StorageForbiddenError):
    """The folder of clones may not be written."""


_REFUSALS: Mapping[StorageTrouble, type[SetupError]] = MappingProxyType(
    {
        StorageTrouble.FULL: NoRoomError,
        StorageTrouble.AWAY: ProfileStorageAwayError,
        StorageTrouble.FORBIDDEN: ProfileStorageForbiddenError,
        StorageTrouble.OTHER: SetupError,
    }
)


def unwritable_error(error: OSError, message: str) -> SetupError:
    """Return the error for a file or folder that can't be written, with the class for its cause."""
    return _REFUSALS[classify_os_error(error)](message)


def missing_folder_error(base: Path) -> ProfileMissingError:
    """Return the error for a base that doesn't exist."""
    return ProfileMissingError(f"There is no profile folder at {base}. Check the name. {login_or_restore_step(base)}")


def unreadable_error(path: Path, error: OSError) -> PoolError:
    """Return the error for a file or folder of a profile that can't be read.

    One that belongs to another user is not damaged, only refused, and an error of the disk says nothing about its
    files. All other errors are damage.
    """
    failed_path = error.filename or path
    match classify_os_error(error):
        case StorageTrouble.FORBIDDEN:
            return ProfileRefusedError(f"{failed_path} can't be read: {describe_error(error, path).sentence()}")
        case StorageTrouble.AWAY | StorageTrouble.FULL as trouble:
            step = "The profile need not be damaged. Reconnect its disk or share, then start again."
            if trouble is StorageTrouble.FULL:
                step = "There is no space for the copy that this takes. Free some space, then start again."
            return _REFUSALS[trouble](f"{failed_path} can't be read ({error.strerror}). {step}")
        case StorageTrouble.OTHER:
            step = "Repair its disk, or create the profile again."
            return ProfileDamagedError(f"{failed_path} can't be read ({error.strerror}). {step}")
