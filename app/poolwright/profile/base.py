"""Checks a base before it is cloned or before a login.

The checks take a few milliseconds and run before any worker starts. They only read: one launch with a wrong flag would
delete all cookies of a base.
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

#: A folder with this file, with preferences or with a seal was opened by a browser; other missing files mean damage.
LOCAL_STATE = "Local State"


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseFacts:
    """The facts about a base that was checked."""

    path: Path
    cookies_path: Path
    cookies_count: int
    #: Number and size of the files of a clone.
    files_count: int
    size_bytes: int
    #: The seal that the base matches; ``None`` if it was never sealed.
    seal: Seal | None
    #: Sentences for the user about a base that passed the checks.
    notices: tuple[str, ...]

    @property
    def seal_notice(self) -> str | None:
        """Return a notice that the base is not sealed; ``None`` if it is sealed."""
        if self.seal:
            return None
        return (
            f"{self.path} is not sealed: only its structure is checked. "
            f"Run `poolwright profile seal {profile_name_of(self.path)}` to have every byte checked."
        )


def check_base(path: Path, *, everyday: Sequence[Path] | None = None) -> BaseFacts:
    """Make sure that a base can be cloned, and return the facts about it. Hold ``read_locked`` meanwhile.

    Args:
        path: The user-data folder.
        everyday: Folders of everyday browsers; by default those of the current user.

    Raises:
        ProfileRefusedError: It has a damage mark, a newer version sealed it, or `inspect_base` refuses it.
        ProfileMissingError: There is no folder, or no browser ever opened it.
        ProfileInUseError: A browser has it open.
        ProfileDamagedError: `inspect_base` finds damage, or it is not as it was sealed.
    """
    refuse_marked(path)
    refuse_newer_seal(path)
    facts = inspect_base(path, everyday=everyday)
    seal = read_seal(path)
    if seal is not None:
        refuse_differences(path, seal, hash_files(path))
    return replace(facts, seal=seal)


def check_login_base(path: Path, *, everyday: Sequence[Path] | None = None) -> None:
    """Make sure that a base, perhaps a new one, can be used for a login. Hold ``write_locked`` meanwhile.

    A damaged one is refused: a browser would replace the files that it can't read, and a seal would hide that.

    Args:
        path: The user-data folder.
        everyday: Folders of everyday browsers; by default those of the current user.

    Raises:
        ProfileError: It is an everyday profile, marked, in use, or refused by `check_base`.
    """
    refuse_everyday_browser(path, everyday)
    refuse_marked(path)
    refuse_in_use(path)
    if _was_opened(path):
        check_base(path, everyday=everyday)


def inspect_base(path: Path, *, everyday: Sequence[Path] | None = None) -> BaseFacts:
    """Check a base without regard to its seal or damage mark, as before sealing, and return the facts about it.

    Args:
        path: The user-data folder.
        everyday: Folders of everyday browsers; by default those of the current user.

    Raises:
        ProfileRefusedError: It is an everyday profile, one profile within a user-data folder, or another user's, or
            its cookies are bound.
        ProfileMissingError: There is no folder, or no browser ever opened it.
        ProfileInUseError: A browser has it open.
        ProfileDamagedError: A file that keeps a login is missing or broken.
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
    owner = find_foreign_owner(path)
    if owner is None:
        return ()
    notice = (
        f"{path} has a leftover lock of {owner}. No process on this machine uses it, so it is used; "
        f"make sure that no browser on {owner.host} has it open."
    )
    return (notice,)
