"""Whether a base profile may be cloned. It is only read: one launch with a wrong flag deletes its cookies for good.

The checks take a few milliseconds and run before any worker starts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from poolwright.profile.clone import CloneManifest, scan_user_data
from poolwright.profile.cookie_db import count_key_prefixes, find_cookie_db, refuse_bound_cookies
from poolwright.profile.damage import refuse_marked
from poolwright.profile.errors import (
    ProfileMissingError,
    ProfileRefusedError,
    login_or_restore_step,
    missing_folder_error,
    profile_name_of,
    unreadable_error,
)
from poolwright.profile.in_use import find_foreign_owner, refuse_in_use
from poolwright.profile.integrity import PREFERENCES_FILE, check_integrity, has_no_settings
from poolwright.profile.repository import refuse_everyday_browser
from poolwright.profile.seal import Seal, hash_files, read_seal, refuse_differences, refuse_newer_seal, seal_path

#: A folder that has one of the two, or a seal, was opened by a browser; what else is missing is a question of damage.
LOCAL_STATE = "Local State"


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseFacts:
    """What the check of a base found."""

    path: Path
    cookies_path: Path
    cookies_count: int
    #: What a clone will hold.
    files_count: int
    size_bytes: int
    #: What the base matches; nothing when it was never sealed.
    seal: Seal | None
    #: What the person should know although the base is fit.
    notices: tuple[str, ...]

    @property
    def seal_notice(self) -> str | None:
        """What an unsealed base lacks, for people; nothing when it is sealed."""
        if self.seal:
            return None
        return (
            f"{self.path} is not sealed: only its structure is checked. "
            f"`poolwright profile seal {profile_name_of(self.path)}` has every byte checked."
        )


def check_base(path: Path, *, everyday: Sequence[Path] | None = None) -> BaseFacts:
    """Make sure that a base can be cloned, and say what is in it. Hold ``locks.reading`` meanwhile.

    Args:
        path: The user-data folder.
        everyday: Folders of everyday browsers; those of the person who runs this program when left out.

    Raises:
        ProfileRefusedError: It carries the mark of a damage, a newer version sealed it, or it is refused by
            `inspect_base`.
        ProfileMissingError: There is no folder, or no browser ever opened it.
        ProfileInUseError: A browser has it open.
        ProfileDamagedError: `inspect_base` finds damage, or it is other than it was sealed.
    """
    refuse_marked(path)
    refuse_newer_seal(path)
    facts = inspect_base(path, everyday=everyday)
    seal = read_seal(path)
    if seal is not None:
        refuse_differences(path, seal, hash_files(path))
    return replace(facts, seal=seal)


def check_login_base(path: Path, *, everyday: Sequence[Path] | None = None) -> None:
    """Make sure that somebody may log in with a base, be it a new one. Hold ``locks.changing`` meanwhile.

    A damaged one is refused: a browser would make anew what it can't read, and a seal would hide that.

    Args:
        path: The user-data folder.
        everyday: Folders of everyday browsers; those of the person who runs this program when left out.

    Raises:
        ProfileError: It is an everyday profile, marked, in use, or not fit as `check_base` says.
    """
    refuse_everyday_browser(path, everyday)
    refuse_marked(path)
    refuse_in_use(path)
    if _was_opened(path):
        check_base(path, everyday=everyday)


def inspect_base(path: Path, *, everyday: Sequence[Path] | None = None) -> BaseFacts:
    """Look at a base for itself, whatever its seal or a mark say: what is done before it is sealed.

    Args:
        path: The user-data folder.
        everyday: Folders of everyday browsers; those of the person who runs this program when left out.

    Raises:
        ProfileRefusedError: It is an everyday profile, one profile within a user-data folder, somebody else's, or its
            cookies are bound.
        ProfileMissingError: There is no folder, or no browser ever opened it.
        ProfileInUseError: A browser has it open.
        ProfileDamagedError: Something in it is missing or broken that a browser loses a login with.
    """
    refuse_everyday_browser(path, everyday)
    try:
        _require_user_data(path)
        refuse_in_use(path)
        contents = _read_through(path)
    except OSError as error:
        raise unreadable_error(path, error) from error
    check_integrity(path)
    cookies = find_cookie_db(path)
    prefixes = count_key_prefixes(cookies)
    refuse_bound_cookies(cookies, prefixes)
    return BaseFacts(
        path=path,
        cookies_path=cookies,
        cookies_count=sum(prefixes.values()),
        files_count=len(contents.files),
        size_bytes=contents.size_bytes,
        seal=None,
        notices=_notices(path),
    )


def _require_user_data(path: Path) -> None:
    if not path.is_dir():
        raise missing_folder_error(path)
    if _was_opened(path):
        return
    if (path / PREFERENCES_FILE.name).is_file():
        raise ProfileRefusedError(
            f"{path} is one profile within a user-data folder. Name the folder above it: {path.parent}."
        )
    raise ProfileMissingError(
        f"{path} holds no profile that a browser wrote ({PREFERENCES_FILE.as_posix()} is missing). "
        f"{login_or_restore_step(path)}"
    )


def _was_opened(path: Path) -> bool:
    signs = (path / PREFERENCES_FILE, path / LOCAL_STATE, seal_path(path))
    return any(sign.is_file() for sign in signs) or has_no_settings(path)


def _read_through(path: Path) -> CloneManifest:
    contents = scan_user_data(path)
    for file in contents.files:
        with (path / file.path).open("rb"):
            pass
    return contents


def _notices(path: Path) -> tuple[str, ...]:
    stranger = find_foreign_owner(path)
    if stranger is None:
        return ()
    notice = (
        f"{path} has a leftover lock of {stranger}. No process on this machine uses it, so it is used; "
        f"make sure that no browser on {stranger.host} has it open."
    )
    return (notice,)
