"""Reads and verifies the SQLite files of a profile, above all its cookie database. They are never changed.

A browser silently replaces a broken database by an empty one, and silently deletes all cookies of a site if it can't
decrypt one of them. The files of a killed browser are valid: the journal of an unfinished change is beside the
database, and is rolled back on a copy before the check, as the browser will do.
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
#: Parts of the first 100 bytes: page size, change counter, page count, change counter when the pages were counted.
_HEADER = struct.Struct(">16xH6xII60xI4x")
#: Means 65,536, which does not fit into two bytes.
_LARGEST_PAGE = 1
#: The low byte of an extended result code of SQLite is the primary one.
_PRIMARY_CODE = 0xFF
#: Error numbers of SQLite's codes that come from the system, not from the file.
_OF_STORAGE: Mapping[int, int] = MappingProxyType(
    {sqlite3.SQLITE_IOERR: errno.EIO, sqlite3.SQLITE_NOMEM: errno.ENOMEM, sqlite3.SQLITE_FULL: errno.ENOSPC}
)


def check_database(path: Path) -> None:
    """Make sure that a browser can read a whole database. It takes about a millisecond for each MB.

    Raises:
        BrokenFileError: It is empty, cut off, or its pages don't fit together.
        OSError: It can't be read, or there is no room for a copy.
    """
    with settled_copy(path) as whole:
        _check(whole, path)


@contextmanager
def settled_copy(path: Path) -> Generator[Path]:
    """Yield the path of the database as the next browser will see it: the file itself, or a rolled-back copy.

    Raises:
        BrokenFileError: An unfinished change can't be rolled back.
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
    """Open a connection that changes no file: a plain read-only one would roll back an unfinished change."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)


def raise_storage_error(error: sqlite3.Error, path: Path) -> None:
    """Raise ``OSError`` if an error of SQLite comes from the disk, not from a damaged database.

    Raises:
        OSError: SQLite reports an error of the disk.
    """
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    number = _OF_STORAGE.get(code & _PRIMARY_CODE)
    if number is not None and code != sqlite3.SQLITE_IOERR_SHORT_READ:  # a file that was cut off
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
    # SQLite accepts a last page that is cut off, but its data is lost.
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
_PATHS = (Path("Default", "Cookies"), Path("Default", "Network", "Cookies"))

#: The first three bytes of an encrypted value name its key; empty if the value isn't encrypted.
_KEY_PREFIXES = "SELECT CAST(substr(encrypted_value, 1, 3) AS BLOB), count(*) FROM cookies GROUP BY 1"
_HOSTS = "SELECT host_key, count(*) FROM cookies GROUP BY 1"
#: Groups by the columns that make a cookie unique in a browser. Expiry is in microseconds since 1601.
_LIVE_COOKIES = """
SELECT host_key, sum(is_lasting), sum(NOT is_lasting) FROM (
    SELECT host_key, max(is_persistent) AS is_lasting FROM cookies WHERE NOT has_expires OR expires_utc > ?
    GROUP BY host_key, top_frame_site_key, has_cross_site_ancestor, name, path
) GROUP BY host_key ORDER BY host_key
"""
#: In microseconds since 1601.
_NEWEST_SESSION_COOKIE = "SELECT max(creation_utc) FROM cookies WHERE NOT is_persistent"
_FIRST_DAY = datetime(1601, 1, 1, tzinfo=UTC)
#: A cookie that expires sooner may be gone before the check: a worker has two minutes to start.
_LIFE_LEFT = timedelta(minutes=5)
_PORTABLE_PREFIXES = frozenset({"", "v10"})
_BOUND_PREFIXES = {
    "v11": "locked with the desktop keyring",
    "v20": "bound to the browser that wrote them",
}


def has_cookie_db(user_data: Path) -> bool:
    """Return whether there is a cookie database."""
    return any((user_data / path).is_file() for path in _PATHS)


def find_cookie_db(user_data: Path) -> Path:
    """Return the path of the cookie database. A browser creates it before its first page.

    So a base without one is damaged, or its browser was closed before it loaded a page, and nobody is logged in.

    Raises:
        ProfileDamagedError: There is none, or there are two and it is unknown which one the browser uses.
    """
    databases = [user_data / path for path in _PATHS if (user_data / path).is_file()]
    if not databases:
        raise ProfileDamagedError(
            f"{user_data} has no cookie database (Default/Cookies), so nobody is logged in with it. "
            f"{repair_step(user_data)}"
        )
    if len(databases) > 1:
        raise ProfileDamagedError(
            f"{user_data} has two cookie databases, Default/Cookies and Default/Network/Cookies. "
            "Open and close it once in the browser that made it, or remove the older one."
        )
    return databases[0]


def count_key_prefixes(cookies: Path) -> Mapping[str, int]:
    """Return the number of cookies by kind of encryption key.

    Raises:
        ProfileDamagedError: It isn't a cookie database that can be read.
    """
    return {(prefix or b"").decode("latin-1"): count for prefix, count in _read(cookies, _KEY_PREFIXES)}


def count_by_site(cookies: Path) -> Mapping[str, int]:
    """Return the number of cookies by the host name of the site. Their values are not read.

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
    """Return the cookies of each site that the next browser must find, without those that expire within minutes.

    Args:
        user_data: A clone whose structure was checked; a browser may have been killed on it.
        now: Aware UTC now.

    Returns:
        The counts by site; empty for a database with an unknown layout, as a false alarm would end the run.

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


def find_newest_session_cookie(user_data: Path) -> datetime | None:
    """Return when the newest cookie without an expiry got its value; ``None`` if there is none, or it is not known.

    Args:
        user_data: A user-data folder whose structure was checked.

    Raises:
        ProfileDamagedError: It can't be read.
        OSError: There is no room for a copy of it, or its disk does not answer.
    """
    cookies = find_cookie_db(user_data)
    try:
        with settled_copy(cookies) as whole, closing(open_read_only(whole)) as connection:
            (moment,) = connection.execute(_NEWEST_SESSION_COOKIE).fetchone()
    except sqlite3.OperationalError as error:
        raise_storage_error(error, cookies)
        return None
    except (sqlite3.Error, BrokenFileError) as error:
        raise _unreadable(cookies, error) from error
    return None if moment is None else _FIRST_DAY + timedelta(microseconds=moment)


def refuse_bound_cookies(cookies: Path, prefixes: Mapping[str, int]) -> None:
    """Make sure that a clone can read every cookie.

    Raises:
        ProfileRefusedError: Some are locked to a keyring (``v11``) or to an application (``v20``).
        ProfileDamagedError: Some have an unknown prefix: a flipped bit, or a new kind of key.
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
