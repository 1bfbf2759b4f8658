"""Reads and verifies the SQLite files of a profile, above all its cookie database. Nothing is written beside them.

A browser that finds a broken one makes it anew and empty, without a word. What a killed browser leaves is whole: the
journal of a change that it didn't finish lies beside it, and is undone on a copy first, as the browser itself will.

Read-only in every case: a browser that can't decrypt one cookie deletes all cookies of that site, without a word.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import struct
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

from poolwright.domain.ids import SiteCookies
from poolwright.profile.errors import (
    BrokenFileError,
    ProfileDamagedError,
    ProfileRefusedError,
    repair_step,
    unreadable_error,
)

_COMPANIONS = ("-journal", "-wal")
_MAGIC = b"SQLite format 3\0"
#: Page size, changes, pages, and the changes when the pages were counted: parts of the first 100 bytes.
_HEADER = struct.Struct(">16xH6xII60xI4x")
#: Stands for 65,536, which two bytes can't say.
_LARGEST_PAGE = 1
#: An extended result code of SQLite holds the primary one in its low byte.
_PRIMARY_CODE = 0xFF
#: What SQLite says when the system refused it something, whatever is in the file.
_OF_STORAGE: Mapping[int, int] = MappingProxyType(
    {sqlite3.SQLITE_IOERR: errno.EIO, sqlite3.SQLITE_NOMEM: errno.ENOMEM, sqlite3.SQLITE_FULL: errno.ENOSPC}
)


def check_database(path: Path) -> None:
    """Make sure that a browser can read a database to its last page. It takes a millisecond for each MB or so.

    Raises:
        BrokenFileError: It is empty, cut off, or its pages don't fit together.
        OSError: It can't be read, or there is no room for a copy.
    """
    with settled_copy(path) as whole:
        _check(whole, path)


@contextmanager
def settled_copy(path: Path) -> Generator[Path]:
    """A file with the database as the next browser will find it: the file itself, or a copy without what was undone.

    Raises:
        BrokenFileError: What is beside it can't be undone.
        OSError: It can't be read, or there is no room for a copy.
    """
    unfinished = [file for file in (Path(f"{path}{name}") for name in _COMPANIONS) if _has_content(file)]
    if not unfinished:
        yield path
        return
    with TemporaryDirectory(prefix="poolwright-") as scratch:
        for file in (path, *unfinished):
            shutil.copyfile(file, Path(scratch, file.name))
        copy = Path(scratch, path.name)
        try:
            with closing(sqlite3.connect(copy)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.execute("SELECT count(*) FROM sqlite_schema")
        except sqlite3.Error as error:
            raise_storage_error(error, path)
            raise BrokenFileError(path, f"can't be read ({error})") from error
        yield copy


def open_read_only(path: Path) -> sqlite3.Connection:
    """A connection that never touches a file: a plain read-only one would undo what a browser left unfinished."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)


def raise_storage_error(error: sqlite3.Error, path: Path) -> None:
    """Tell a disk that answers with errors from a database that is damaged.

    Raises:
        OSError: It is the disk, as far as SQLite says.
    """
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    number = _OF_STORAGE.get(code & _PRIMARY_CODE)
    if number is not None and code != sqlite3.SQLITE_IOERR_SHORT_READ:  # that one is a file that was cut off
        raise OSError(number, os.strerror(number), str(path)) from error


def _has_content(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _check(path: Path, name: Path) -> None:
    size_bytes = path.stat().st_size
    with path.open("rb") as stream:
        start = stream.read(_HEADER.size)
    if len(start) < _HEADER.size or not start.startswith(_MAGIC):
        raise BrokenFileError(name, "is empty" if not size_bytes else "is no database")
    page, changes, pages, counted = _HEADER.unpack(start)
    page_bytes = 65536 if page == _LARGEST_PAGE else page
    is_counted = changes == counted
    # SQLite forgives a last page that is cut off; what was on it is gone all the same.
    if not page_bytes or size_bytes % page_bytes or (is_counted and size_bytes < pages * page_bytes):
        raise BrokenFileError(name, f"is cut off ({size_bytes} bytes, {pages} pages of {page_bytes})")
    _check_pages(path, name)


def _check_pages(path: Path, name: Path) -> None:
    try:
        with closing(open_read_only(path)) as connection:
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        raise_storage_error(error, name)
        raise BrokenFileError(name, f"can't be read ({error})") from error
    if verdict != "ok":
        raise BrokenFileError(name, f"is damaged ({' '.join(str(verdict).split())})")


#: Linux and macOS have the first, Windows the second.
_PLACES = (Path("Default", "Cookies"), Path("Default", "Network", "Cookies"))

#: The first three bytes of an encrypted value name its key; empty means that the value isn't encrypted.
_KEY_PREFIXES = "SELECT CAST(substr(encrypted_value, 1, 3) AS BLOB), count(*) FROM cookies GROUP BY 1"
_HOSTS = "SELECT host_key, count(*) FROM cookies GROUP BY 1"
#: A browser keeps one cookie of those that differ in less than this. Expiries count microseconds since 1601.
_LIVE_COOKIES = """
SELECT host_key, sum(is_lasting), sum(NOT is_lasting) FROM (
    SELECT host_key, max(is_persistent) AS is_lasting FROM cookies WHERE NOT has_expires OR expires_utc > ?
    GROUP BY host_key, top_frame_site_key, has_cross_site_ancestor, name, path
) GROUP BY host_key ORDER BY host_key
"""
_FIRST_DAY = datetime(1601, 1, 1, tzinfo=UTC)
#: A cookie that ends so soon may be gone before anybody looks: a worker has two minutes to come up.
_LIFE_LEFT = timedelta(minutes=5)
_PORTABLE_PREFIXES = frozenset({"", "v10"})
_BOUND_PREFIXES = {
    "v11": "locked with the desktop keyring",
    "v20": "bound to the browser that wrote them",
}


def has_cookie_db(user_data: Path) -> bool:
    """Whether there is a cookie database."""
    return any((user_data / place).is_file() for place in _PLACES)


def find_cookie_db(user_data: Path) -> Path:
    """The cookie database. A browser makes one before its first page, so a base without one is not whole.

    Only a browser that was closed before it asked for any page leaves none, and then nobody is logged in either.

    Raises:
        ProfileDamagedError: There is none, or there are two and nobody can say which one counts.
    """
    found = [user_data / place for place in _PLACES if (user_data / place).is_file()]
    if not found:
        raise ProfileDamagedError(
            f"{user_data} has no cookie database (Default/Cookies), so nobody is logged in with it. "
            f"{repair_step(user_data)}"
        )
    if len(found) > 1:
        raise ProfileDamagedError(
            f"{user_data} has two cookie databases, Default/Cookies and Default/Network/Cookies. "
            "Open and close it once in the browser that made it, or remove the older one."
        )
    return found[0]


def count_key_prefixes(cookies: Path) -> Mapping[str, int]:
    """How many cookies there are for each kind of encryption key.

    Raises:
        ProfileDamagedError: It isn't a cookie database that can be read.
    """
    return {(prefix or b"").decode("latin-1"): count for prefix, count in _read(cookies, _KEY_PREFIXES)}


def count_by_site(cookies: Path) -> Mapping[str, int]:
    """How many cookies there are for each site, by its host name. Their values are not looked at.

    Raises:
        ProfileDamagedError: It isn't a cookie database that can be read.
    """
    counts = Counter[str]()
    for host, count in _read(cookies, _HOSTS):
        counts[str(host).removeprefix(".")] += count
    return counts


def _read(cookies: Path, query: str) -> Sequence[tuple[Any, int]]:
    try:
        with closing(open_read_only(cookies)) as connection:
            return connection.execute(query).fetchall()
    except sqlite3.Error as error:
        try:
            raise_storage_error(error, cookies)
        except OSError as refusal:
            raise unreadable_error(cookies, refusal) from error
        raise _unreadable(cookies, error) from error


def count_live_cookies(user_data: Path, now: datetime) -> tuple[SiteCookies, ...]:
    """The cookies that the next browser must find, of each site. Those that end within minutes are left out.

    Args:
        user_data: A clone whose structure was checked; a browser may have been killed on it.
        now: Aware UTC now.

    Returns:
        Nothing for a database of a layout that isn't known here: a false alarm would end the run.

    Raises:
        ProfileDamagedError: It can't be read.
        OSError: There is no room for a copy of it, or its disk does not answer.
    """
    cookies = find_cookie_db(user_data)
    expiry = (now + _LIFE_LEFT - _FIRST_DAY) // timedelta(microseconds=1)
    try:
        with settled_copy(cookies) as whole, closing(open_read_only(whole)) as connection:
            rows: list[tuple[str, int, int]] = connection.execute(_LIVE_COOKIES, (expiry,)).fetchall()
    except sqlite3.OperationalError as error:
        raise_storage_error(error, cookies)
        return ()
    except (sqlite3.Error, BrokenFileError) as error:
        raise _unreadable(cookies, error) from error
    return tuple(
        SiteCookies(site=site, lasting_count=lasting, session_count=session) for site, lasting, session in rows
    )


def refuse_bound_cookies(cookies: Path, prefixes: Mapping[str, int]) -> None:
    """Make sure that a clone can read every cookie.

    Raises:
        ProfileRefusedError: Some are locked to a keyring (``v11``) or to an application (``v20``).
        ProfileDamagedError: Some begin as no browser writes them: a flipped bit, or a key that isn't known here.
    """
    for prefix, count in sorted(prefixes.items()):
        if prefix in _BOUND_PREFIXES:
            raise ProfileRefusedError(
                f"{count} cookies in {cookies} are {_BOUND_PREFIXES[prefix]} ({prefix}) and can't be copied. "
                "Make a profile of Poolwright's own with `poolwright profile login NAME` and log in there."
            )
        if prefix not in _PORTABLE_PREFIXES:
            raise ProfileDamagedError(
                f"{count} cookies in {cookies} are encrypted in an unknown way ({prefix!r}); a browser drops them. "
                f"{repair_step(cookies)}"
            )


def _unreadable(cookies: Path, error: Exception) -> ProfileDamagedError:
    return ProfileDamagedError(f"The cookie database {cookies} can't be read ({error}). {repair_step(cookies)}")
