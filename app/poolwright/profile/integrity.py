"""Verifies the settings, databases and stores of a user-data folder, so that no login is lost silently.

Chromium starts in spite of any damage and silently replaces the files that it can't read, and the login with them.
These checks take a few milliseconds, only read, and run on a base and on a clone before each launch. The files of a
killed browser pass. A flipped bit within a value is not found here; that takes a seal.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from types import MappingProxyType
from typing import cast

from poolwright.profile.clone import scan_user_data
from poolwright.profile.cookie_db import check_database, find_cookie_db, has_cookie_db
from poolwright.profile.errors import BrokenFileError, ProfileDamagedError, repair_step, unreadable_error
from poolwright.profile.leveldb import check_chain, trim_torn_ends

#: Below a user-data folder. Its one profile is always ``Default``.
PREFERENCES_FILE = Path("Default", "Preferences")


def read_preferences(path: Path) -> dict[str, object]:
    """Return the content of a settings file.

    Raises:
        BrokenFileError: It is missing or not valid; a browser would start without settings.
        OSError: It can't be read.
    """
    try:
        content: object = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise BrokenFileError(path, "is missing") from error
    except ValueError as error:
        raise BrokenFileError(path, f"is not the JSON that a browser writes ({error})") from error
    if not isinstance(content, dict):
        raise BrokenFileError(path, "holds no settings")
    return cast("dict[str, object]", content)


_SETTINGS = MappingProxyType(
    {
        Path("Local State"): "its settings, on Windows without any cookie",
        PREFERENCES_FILE: "its settings and all cookies of the session",
    }
)
_LATER_SETTINGS = MappingProxyType({Path("Default", "Secure Preferences"): "some of its settings"})
_LATER_DATABASES = MappingProxyType(
    {
        Path("Default", "Login Data"): "saved passwords",
        Path("Default", "Web Data"): "what it fills into forms",
    }
)
LOCAL_STORAGE = "Default/Local Storage/leveldb"
#: Patterns of folders, each with a database of its own.
_STORES = MappingProxyType(
    {
        LOCAL_STORAGE: "localStorage, where portals keep their tokens",
        "Default/Session Storage": "what tabs had stored",
        "Default/Service Worker/Database": "the service workers of its sites",
        "Default/IndexedDB/*.leveldb": "this site's IndexedDB, where portals keep their tokens",
    }
)


def check_integrity(user_data: Path, *, was_killed: bool = False) -> None:
    """Make sure that all stores of a base or a clone that may keep a login are readable.

    Args:
        user_data: A base, or a clone that no browser has open.
        was_killed: A browser may have been killed while it created a store.

    Raises:
        ProfileDamagedError: A file is missing or broken. The sentence names each file and what would be lost.
    """
    try:
        findings = tuple(_findings(user_data, was_killed=was_killed))
    except OSError as error:
        raise unreadable_error(user_data, error) from error
    if findings:
        raise ProfileDamagedError(f"{' '.join(findings)} {repair_step(user_data)}")


def has_no_settings(user_data: Path) -> bool:
    """Return whether a folder belongs to the headless shell, which writes cookies and stores but no settings.

    A full browser writes both settings files at its first start, so one of them alone means damage.
    """
    return not any(os.path.lexists(user_data / name) for name in _SETTINGS) and has_cookie_db(user_data)


def check_access(clone: Path) -> None:
    """Make sure that a browser can read and write a whole clone: it treats files that it can't write as empty.

    Raises:
        ProfileDamagedError: A file or folder belongs to another user, or may not be read or written.
    """
    try:
        contents = scan_user_data(clone)
    except OSError as error:
        raise unreadable_error(clone, error) from error
    for path in ("", *contents.folders, *(file.path for file in contents.files)):
        if not _is_ours(clone / path):
            raise ProfileDamagedError(
                f"{clone / path} belongs to another user or may not be read and written; a browser would start without "
                "its content. Run Poolwright as the user who owns its folders, and leave their rights as they are."
            )


def find_stores(user_data: Path) -> frozenset[str]:
    """Return the stores of a folder, as paths below it with forward slashes.

    Raises:
        OSError: The folder can't be read.
    """
    return frozenset(folder.relative_to(user_data).as_posix() for folder, _ in _find_stores(user_data))


def require_stores(clone: Path, expected: frozenset[str]) -> None:
    """Make sure that no store is missing as a whole: a profile without one looks as if it never had it.

    Raises:
        ProfileDamagedError: A store is missing. The sentence names each folder.
        OSError: The folder can't be read.
    """
    missing = sorted(expected - find_stores(clone))
    if missing:
        paths = ", ".join(str(clone / store) for store in missing)
        raise ProfileDamagedError(f"{paths}: missing since a browser last ran; the data of its sites is lost.")


def trim_stores(clone: Path) -> None:
    """Cut off incomplete last records of a killed browser in a clone that was checked. Never call it on a base.

    Raises:
        OSError: A file can't be written.
    """
    for folder, _ in _find_stores(clone):
        trim_torn_ends(folder)


def _is_ours(path: Path) -> bool:
    getuid: Callable[[], int] | None = getattr(os, "geteuid", None)
    is_owner = getuid is None or path.stat().st_uid == getuid()
    return is_owner and os.access(path, os.R_OK | os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _findings(user_data: Path, *, was_killed: bool) -> Iterator[str]:
    for path, lost, check in _checks(user_data, was_killed=was_killed):
        try:
            check(path)
        except BrokenFileError as error:
            yield f"{error}; a browser would start without {lost}."


def _checks(user_data: Path, *, was_killed: bool) -> Iterator[tuple[Path, str, Callable[[Path], object]]]:
    for name, lost in () if has_no_settings(user_data) else _SETTINGS.items():
        yield user_data / name, lost, read_preferences
    for name, lost in _LATER_SETTINGS.items():
        if (user_data / name).exists():
            yield user_data / name, lost, read_preferences
    yield find_cookie_db(user_data), "any cookie, so no login", check_database
    for name, lost in _LATER_DATABASES.items():
        # A database begins as an empty file.
        if (user_data / name).exists() and (user_data / name).stat().st_size:
            yield user_data / name, lost, check_database
    for folder, lost in _find_stores(user_data):
        yield folder, lost, lambda path: check_chain(path, was_killed=was_killed)


def _find_stores(user_data: Path) -> Iterator[tuple[Path, str]]:
    """Yield each store with what would be lost. An unreadable folder raises an error, unlike with ``glob``."""
    for pattern, lost in _STORES.items():
        *parents, name_pattern = Path(pattern).parts
        parent = user_data.joinpath(*parents)
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            for folder in sorted(parent.iterdir()):
                if fnmatchcase(folder.name, name_pattern):
                    yield folder, lost
