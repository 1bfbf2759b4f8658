"""What it means when the journal cannot be read or written: each answer of SQLite or of the system as one decision.

A disk that is full, away, or not ours to write passes: whoever holds meanwhile may ask again. SQLite does not tell what
the system told it, so the system is asked once more.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from poolwright.domain.storage import StorageTrouble, trouble_of
from poolwright.files.permissions import describe_error
from poolwright.store.errors import (
    JournalAwayError,
    JournalDamagedError,
    JournalError,
    JournalForbiddenError,
    JournalFullError,
    JournalGoneError,
    JournalLockedError,
    JournalUnwritableError,
)

#: SQLite asks for so much at once when it opens a journal; with less on the disk its error is the disk's.
_ROOM_BYTES = 64 * 1024
#: An extended result code of SQLite holds the primary one in its low byte.
_PRIMARY_CODE = 0xFF

#: Of what the system told SQLite, and what it means where the system says nothing any more.
_OF_SYSTEM: Mapping[int, type[JournalAwayError | JournalForbiddenError]] = MappingProxyType(
    {
        sqlite3.SQLITE_IOERR: JournalAwayError,
        sqlite3.SQLITE_NOMEM: JournalAwayError,
        sqlite3.SQLITE_READONLY: JournalForbiddenError,
        sqlite3.SQLITE_CANTOPEN: JournalForbiddenError,
        sqlite3.SQLITE_PERM: JournalForbiddenError,
    }
)


def explained(path: Path, error: sqlite3.Error) -> JournalError:
    """Turn an error of SQLite into the decision that its code asks for."""
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
        case primary if primary in _OF_SYSTEM:
            return _refusal_of_system(path) or _OF_SYSTEM[primary](path, str(error))
        case _:
            return JournalError(f"The journal {path} failed: {error}. Nothing was changed; try again.")


def refused(path: Path, error: OSError) -> JournalError:
    """Turn an error of the system into the decision that it asks for."""
    told = describe_error(error, path)
    match trouble_of(error):
        case StorageTrouble.FULL:
            return JournalFullError(path)
        case StorageTrouble.AWAY:
            return JournalAwayError(path, told.cause)
        case StorageTrouble.FORBIDDEN:
            return JournalForbiddenError(path, told.cause, told.step)
        case StorageTrouble.OTHER:
            return JournalUnwritableError(path, told.cause, told.step)


def _refusal_of_system(path: Path) -> JournalError | None:
    """Why the system takes nothing there: SQLite calls it an I/O error when a file of the journal cannot grow."""
    try:
        if shutil.disk_usage(path.parent).free < _ROOM_BYTES:
            return JournalFullError(path)
        with path.open("r+b") as journal, tempfile.TemporaryFile(dir=path.parent) as trial:
            trial.seek(journal.seek(0, os.SEEK_END) + _ROOM_BYTES)  # leaves a hole: all but the last byte takes no room
            trial.write(b"\0")
    except OSError as error:
        return refused(path, error)
    return None
