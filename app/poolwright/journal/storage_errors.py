"""Turns errors of SQLite and of the operating system into errors of the journal.

SQLite does not pass on the number of a system error, so the folder and the file are probed once more to find the cause.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from poolwright.domain.storage import StorageTrouble, classify_os_error
from poolwright.files.permissions import describe_error
from poolwright.journal.errors import (
    JournalAwayError,
    JournalDamagedError,
    JournalError,
    JournalForbiddenError,
    JournalFullError,
    JournalGoneError,
    JournalLockedError,
    JournalUnwritableError,
)

#: Bytes that SQLite allocates when it opens a journal; with less free space, any I/O error means a full disk.
_FREE_BYTES_MIN = 64 * 1024
#: An extended result code of SQLite holds the primary one in its low byte.
_PRIMARY_CODE = 0xFF

#: Classes for results that a system error caused, used if the probe of the storage finds no error.
_SYSTEM_ERRORS: Mapping[int, type[JournalAwayError | JournalForbiddenError]] = MappingProxyType(
    {
        sqlite3.SQLITE_IOERR: JournalAwayError,
        sqlite3.SQLITE_NOMEM: JournalAwayError,
        sqlite3.SQLITE_READONLY: JournalForbiddenError,
        sqlite3.SQLITE_CANTOPEN: JournalForbiddenError,
        sqlite3.SQLITE_PERM: JournalForbiddenError,
    }
)


def journal_error_from_sqlite(path: Path, error: sqlite3.Error) -> JournalError:
    """Return the journal's error for an error of SQLite, chosen by its result code."""
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    match code & _PRIMARY_CODE:
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
            return JournalDamagedError(path, str(error))
        case sqlite3.SQLITE_FULL:
            return JournalFullError(path)
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return JournalLockedError(path)
        case sqlite3.SQLITE_READONLY if code == sqlite3.SQLITE_READONLY_DBMOVED:
            return JournalGoneError(path)
        case primary if primary in _SYSTEM_ERRORS:
            return _probe_storage(path) or _SYSTEM_ERRORS[primary](path, str(error))
        case _:
            return JournalError(f"The journal {path} failed: {error}. Nothing was changed; try again.")


def journal_error_from_os(path: Path, error: OSError) -> JournalError:
    """Return the journal's error for an error of the operating system."""
    problem = describe_error(error, path)
    match classify_os_error(error):
        case StorageTrouble.FULL:
            return JournalFullError(path)
        case StorageTrouble.AWAY:
            return JournalAwayError(path, problem.cause)
        case StorageTrouble.FORBIDDEN:
            return JournalForbiddenError(path, problem.cause, problem.step)
        case StorageTrouble.OTHER:
            return JournalUnwritableError(path, problem.cause, problem.step)


def _probe_storage(path: Path) -> JournalError | None:
    """Return the error that the system reports for a write beside the journal; ``None`` if the write succeeds.

    SQLite reports a file that cannot grow as an I/O error, so the journal's own size is tried too.
    """
    try:
        if shutil.disk_usage(path.parent).free < _FREE_BYTES_MIN:
            return JournalFullError(path)
        with path.open("r+b") as journal, tempfile.TemporaryFile(dir=path.parent) as trial:
            # a sparse file: only its last byte takes space
            trial.seek(journal.seek(0, os.SEEK_END) + _FREE_BYTES_MIN)
            trial.write(b"\0")
    except OSError as error:
        return journal_error_from_os(path, error)
    return None
