"""What it means when the journal cannot be read or written: each answer of SQLite or of the system as one decision.

A disk that is full, away, or not ours to write passes: whoever holds meanwhile may ask again. SQLite does not tell what
the system told it, so the system is asked once more.
"""

from __future__ import annotations

import errno
import shutil
import sqlite3
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from app.profile.rights import blame
from app.store.errors import (
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

_FULL = frozenset({"ENOSPC", "EDQUOT"})
_FORBIDDEN = frozenset({"EACCES", "EPERM", "EROFS", "EKEYEXPIRED", "EKEYREVOKED", "EKEYREJECTED", "ENOKEY"})
#: A disk that broke or was pulled out, a share whose server does not answer, a system that is short of everything.
_AWAY = frozenset(
    {
        *(
            "EIO",
            "ENXIO",
            "ENODEV",
            "ENOMEDIUM",
            "EUCLEAN",
            "EREMOTEIO",
            "ESHUTDOWN",
            "ESTALE",
            "ENOTCONN",
            "ETIMEDOUT",
        ),
        *("EHOSTDOWN", "EHOSTUNREACH", "ENETDOWN", "ENETUNREACH", "ENETRESET", "ECONNREFUSED", "ECONNRESET", "ENOLINK"),
        *("ECONNABORTED", "ENONET", "ECOMM", "EREMCHG", "ENOLCK", "EMFILE", "ENFILE", "ENOMEM", "ENOBUFS"),
    }
)

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
    name = errno.errorcode.get(error.errno or 0, "")
    if name in _FULL:
        return JournalFullError(path)
    told = blame(error, path)
    if name in _AWAY:
        return JournalAwayError(path, told.cause)
    kind = JournalForbiddenError if name in _FORBIDDEN else JournalUnwritableError
    return kind(path, told.cause, told.step)


def _refusal_of_system(path: Path) -> JournalError | None:
    """Why the system takes nothing there: SQLite calls it an I/O error when a file beside a journal cannot grow."""
    try:
        if shutil.disk_usage(path.parent).free < _ROOM_BYTES:
            return JournalFullError(path)
        with path.open("r+b"), tempfile.TemporaryFile(dir=path.parent) as trial:
            trial.write(b"\0")
    except OSError as error:
        return refused(path, error)
    return None
