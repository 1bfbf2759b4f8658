"""One SQLite file of a profile: whether all of its pages are there and fit together. Nothing is written beside it.

A browser that finds a broken one makes it anew and empty, without a word. What a killed browser leaves is whole: the
journal of a change that it didn't finish lies beside it, and is undone on a copy first, as the browser itself will.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import struct
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

from poolwright.profile.failures import BrokenFileError

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
    with settled(path) as whole:
        _check(whole, path)


@contextmanager
def settled(path: Path) -> Generator[Path]:
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
            refuse_storage(error, path)
            raise BrokenFileError(path, f"can't be read ({error})") from error
        yield copy


def opened_to_read(path: Path) -> sqlite3.Connection:
    """A connection that never touches a file: a plain read-only one would undo what a browser left unfinished."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)


def refuse_storage(error: sqlite3.Error, path: Path) -> None:
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
        with closing(opened_to_read(path)) as connection:
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        refuse_storage(error, name)
        raise BrokenFileError(name, f"can't be read ({error})") from error
    if verdict != "ok":
        raise BrokenFileError(name, f"is damaged ({' '.join(str(verdict).split())})")
