"""Errors of profiles. Each sentence names the cause and the next step."""

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
from poolwright.domain.storage import StorageTrouble, trouble_of
from poolwright.files.permissions import describe_error

#: As the folder of a profile is laid out: see ``home``, which stands above this.
_BASE_NAME, _FILE_NAME = "base", "profile.toml"
#: In the name of a good copy, which lies beside its base.
BACKUP_MARK = ".good-"
#: Where nobody knows it.
_NAMELESS = "NAME"


class ProfileMissingError(ProfileError):
    """There is no such profile, or its folder holds nothing that a browser wrote."""


class ProfileInUseError(ProfileError):
    """Somebody else has the profile: a browser, or another run of this program."""


class ProfileRefusedError(ProfileError):
    """The profile is whole, but it can't serve: its place, its name or its cookies forbid it."""


class ProfileNewerError(ProfileRefusedError):
    """A newer version of this program wrote something of it, which this one cannot read."""


class ProfileDamagedError(ProfileError):
    """Something that a browser needs from the profile is missing or unreadable."""


class BrokenFileError(Exception):
    """One file of a profile is not what a browser writes. People never see it bare: the catcher adds what is lost."""

    def __init__(self, path: Path, what: str) -> None:
        """Name the file, and say what is wrong with it in words that follow its name."""
        super().__init__(f"{path} {what}")


class ProfileFileError(ProfileError):
    """``profile.toml`` doesn't hold what it must."""


class NoRoomError(SetupError, DiskFullError):
    """The disk has no room for a clone."""


def profile_name_of(place: Path) -> str:
    """The name of the profile that a file or folder belongs to, for commands; ``NAME`` where it does not tell."""
    with contextlib.suppress(OSError):  # a disk that does not answer is told in words that need no name
        for folder in (place, *place.parents):
            if folder.name == _BASE_NAME and (folder.parent / _FILE_NAME).is_file():
                return folder.parent.name
    return _NAMELESS


def repair_step(place: Path) -> str:
    """The next step for whatever is damaged."""
    name = profile_name_of(place)
    return (
        f"Make the profile anew (`poolwright profile remove {name}`, then `poolwright profile login {name}`), "
        "or bring back a good copy of it."
    )


def login_or_restore_step(base: Path) -> str:
    """The next step where a base holds nothing: a command that was killed while it put one in place leaves it so."""
    name = base.parent.name or _NAMELESS
    log_in = f"Log in to it with `poolwright profile login {name}`"
    if any(base.parent.glob(f"{base.name}{BACKUP_MARK}*Z")):
        return f"{log_in}, or bring its last good copy back with `poolwright profile restore {name}`."
    return f"{log_in}, or bring back a good copy of it."


class ProfileStorageAwayError(SetupError, StorageAwayError):
    """The disk of a profile, or that for clones, does not answer."""


class ProfileStorageForbiddenError(SetupError, StorageForbiddenError):
    """We may not write where clones are to be."""


_REFUSALS: Mapping[StorageTrouble, type[SetupError]] = MappingProxyType(
    {
        StorageTrouble.FULL: NoRoomError,
        StorageTrouble.AWAY: ProfileStorageAwayError,
        StorageTrouble.FORBIDDEN: ProfileStorageForbiddenError,
        StorageTrouble.OTHER: SetupError,
    }
)


def unwritable_error(error: OSError, told: str) -> SetupError:
    """The error for a place of ours that can't be written, by what that means for whoever waits for it."""
    return _REFUSALS[trouble_of(error)](told)


def missing_folder_error(base: Path) -> ProfileMissingError:
    """The error for a base that isn't there at all."""
    return ProfileMissingError(f"There is no profile folder at {base}. Check the name. {login_or_restore_step(base)}")


def unreadable_error(path: Path, error: OSError) -> PoolError:
    """The error for a file or folder of a profile that can't be read.

    One that belongs to somebody else is whole, and only refused; a disk that answers with errors, or not at all, says
    nothing about what is on it. All else is damage.
    """
    place = error.filename or path
    match trouble_of(error):
        case StorageTrouble.FORBIDDEN:
            return ProfileRefusedError(f"{place} can't be read: {describe_error(error, path).sentence()}")
        case StorageTrouble.AWAY | StorageTrouble.FULL as trouble:
            told = "Nothing says that the profile is damaged. Bring its disk or share back, then start again."
            if trouble is StorageTrouble.FULL:
                told = "There is no room for the copy that this takes; free some, then start again."
            return _REFUSALS[trouble](f"{place} can't be read ({error.strerror}). {told}")
        case StorageTrouble.OTHER:
            told = "Mend its disk, or make the profile anew."
            return ProfileDamagedError(f"{place} can't be read ({error.strerror}). {told}")
