"""Errors of the journal, and which of them an error of SQLite or of the operating system is.

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

from poolwright.domain.account import Account
from poolwright.domain.errors import (
    DiskFullError,
    LockedError,
    OptionsError,
    PoolError,
    StorageAwayError,
    StorageForbiddenError,
)
from poolwright.domain.ids import TaskId
from poolwright.domain.storage import StorageTrouble, trouble_of
from poolwright.files.permissions import describe_error


class JournalError(PoolError):
    """The journal could not be read or written. Root of this room; nothing was half-written."""


class JournalBusyError(JournalError):
    """Another program has this journal. Nothing was touched."""

    def __init__(self, path: Path, pid: int | None) -> None:
        """Keep who has it, as far as the lock file tells."""
        who = "Another Poolwright" if pid is None else f"Another Poolwright (pid {pid})"
        super().__init__(f"{who} is using this journal ({path}); wait for it or choose another --out.")
        self.pid = pid


class JournalVersionError(JournalError):
    """The journal was written by a newer Poolwright. The file is left as it is."""

    def __init__(self, path: Path, sign: str) -> None:
        """Tell what shows it, as a verb and what follows."""
        super().__init__(f"The journal {path} {sign}; use the newer Poolwright that wrote it, or choose another --out.")


class JournalAccountError(JournalError, OptionsError):
    """The orders of this portal in the journal are another account's. Nothing was changed."""

    def __init__(self, path: Path, whose: str, account: Account) -> None:
        """Tell whose they are and who asks."""
        super().__init__(
            f"The journal {path} holds orders of {whose}; requested are those of {account}, where the same numbers may "
            f"be other orders. Choose another --out for these; or, where both are the same account, moved or renamed, "
            f"say so once with `poolwright journal adopt`."
        )


class JournalDamagedError(JournalError):
    """The file is no journal, or not a whole one. It is left as it is."""

    def __init__(self, path: Path, problem: str) -> None:
        """Tell what is wrong with the file."""
        super().__init__(
            f"The journal {path} cannot be used: {problem}. Restore a backup of it, or move it away and run again."
        )


class JournalFullError(JournalError, DiskFullError):
    """No room for the change. It may be asked for again once there is."""

    def __init__(self, path: Path) -> None:
        """Tell where room is missing."""
        super().__init__(f"The disk is full, so the journal {path} cannot be written; free some space on that disk.")


class JournalLockedError(JournalError, LockedError):
    """Another program, of any kind, is in the middle of a change of its own. It may be asked for again after that."""

    def __init__(self, path: Path) -> None:
        """Tell which file is locked."""
        super().__init__(f"Another program keeps the journal {path} locked; close it there and start again.")


class JournalUnwritableError(JournalError):
    """The journal cannot be made or written where it should be."""

    def __init__(self, path: Path, problem: str, step: str = "") -> None:
        """Tell why it cannot, and what to do where that is known."""
        ways = f"{step} Or choose" if step else "Choose"
        super().__init__(f"The journal {path} cannot be written: {problem}. {ways} a writable folder with --out.")


class JournalForbiddenError(JournalUnwritableError, StorageForbiddenError):
    """We may not write the journal: its folder is another one's, or read-only. It may be asked for again after that."""


class JournalAwayError(JournalError, StorageAwayError):
    """The disk of the journal does not answer, or answers with errors. It may be asked for again when it is back."""

    def __init__(self, path: Path, problem: str) -> None:
        """Tell what shows it."""
        super().__init__(f"The journal {path} cannot be reached: {problem}. Bring its disk or share back.")


class JournalGoneError(JournalError, StorageAwayError):
    """The journal was removed, or another file put in its place, while it was open. Nothing is written to it now.

    It may be asked for again: whoever moved it away may bring it back.
    """

    def __init__(self, path: Path) -> None:
        """Tell which, and what of it is left."""
        super().__init__(
            f"The journal {path} was removed or replaced while it was in use. Put its folder back to go on; "
            f"or stop and start again: a new journal is made, and orders that it cannot know of are fetched anew."
        )


class UnknownTaskError(JournalError):
    """Asked about a task that was never accepted. Always a defect of the program."""

    def __init__(self, task_id: TaskId) -> None:
        """Keep which one."""
        super().__init__(f"The journal knows no task {task_id}.")
        self.task_id = task_id


#: SQLite asks for so much at once when it opens a journal; with less on the disk its error is the disk's.
_ROOM_BYTES = 64 * 1024
#: An extended result code of SQLite holds the primary one in its low byte.
_PRIMARY_CODE = 0xFF

#: Of what the system told SQLite, and what it means where the system says nothing any more.
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
        case primary if primary in _SYSTEM_ERRORS:
            return _probe_storage(path) or _SYSTEM_ERRORS[primary](path, str(error))
        case _:
            return JournalError(f"The journal {path} failed: {error}. Nothing was changed; try again.")


def journal_error_from_os(path: Path, error: OSError) -> JournalError:
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


def _probe_storage(path: Path) -> JournalError | None:
    """Why the system takes nothing there: SQLite calls it an I/O error when a file of the journal cannot grow."""
    try:
        if shutil.disk_usage(path.parent).free < _ROOM_BYTES:
            return JournalFullError(path)
        with path.open("r+b") as journal, tempfile.TemporaryFile(dir=path.parent) as trial:
            trial.seek(journal.seek(0, os.SEEK_END) + _ROOM_BYTES)  # leaves a hole: all but the last byte takes no room
            trial.write(b"\0")
    except OSError as error:
        return journal_error_from_os(path, error)
    return None
