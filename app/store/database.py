"""The file of the journal: made, judged, opened, and changed in whole transactions only.

One connection, one transaction at a time. A file that cannot be used is never written to: it is judged through a
read-only connection first. Blocking; the journal calls it in a thread.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from app.profile.rights import blame
from app.store.connecting import connect, number
from app.store.errors import (
    JournalDamagedError,
    JournalError,
    JournalFullError,
    JournalLockedError,
    JournalUnwritableError,
)
from app.store.lock import take_lock
from app.store.migration import bring_up_to_date, judge
from app.store.shape import SCHEMA_VERSION, script

#: ``STRICT`` tables came with it.
_SQLITE_MIN = (3, 37)
#: Somebody may look into the file with a tool of his own for this long.
BUSY_TIMEOUT_S = 5.0
#: The log is cut back to this size after an unusually large change.
_WAL_LIMIT_BYTES = 64 * 1024 * 1024
#: Pages of the file that are kept in memory. A long life fills it, and changes of single tasks want no more.
_CACHE_KIB = 2 * 1024
#: Keeps the indexes of a million tasks in memory while a list of them is written; given back after it.
_LIST_CACHE_KIB = 32 * 1024
#: SQLite asks for so much at once when it opens a journal; with less on the disk its error is the disk's.
_ROOM_BYTES = 64 * 1024
#: An extended result code of SQLite holds the primary one in its low byte.
_PRIMARY_CODE = 0xFF

#: Less free room within the file is not worth writing it anew: new rows fill it.
_SPARE_SHARE_MIN = 0.1


def _explained(path: Path, error: sqlite3.Error) -> JournalError:
    """Turn an error of SQLite into the decision that its code asks for."""
    match getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & _PRIMARY_CODE:
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
            return JournalDamagedError(path, str(error))
        case sqlite3.SQLITE_FULL:
            return JournalFullError(path)
        case sqlite3.SQLITE_BUSY:
            return JournalLockedError(path)
        case sqlite3.SQLITE_IOERR if _is_disk_full(path):
            return JournalFullError(path)
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return JournalUnwritableError(path, str(error))
        case _:
            return JournalError(f"The journal {path} failed: {error}. Nothing was changed; try again.")


def _is_disk_full(path: Path) -> bool:
    """Whether there is no room: SQLite calls it an I/O error when the files beside a journal cannot grow."""
    try:
        return shutil.disk_usage(path.parent).free < _ROOM_BYTES
    except OSError:
        return False


def _refused(path: Path, error: OSError) -> JournalError:
    """Turn an error of the system into the decision that it asks for."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return JournalFullError(path)
    told = blame(error, path)
    return JournalUnwritableError(path, told.cause, told.step)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compacted:
    """What the file and the log beside it took before and after it was written anew."""

    before_bytes: int
    after_bytes: int


class Database:
    """One open journal file."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        """Take over an open connection; ``open_database`` makes it."""
        self.path = path
        self._connection = connection
        # A caller that was cancelled the hard way leaves its thread at work: the next one waits for it.
        self._lock = Lock()

    @contextmanager
    def transaction(self, *, is_large: bool = False) -> Generator[sqlite3.Connection]:
        """Run a block as one transaction: all of it is kept and safe on disk, or nothing when it raises.

        Args:
            is_large: Whether it may change very many rows; it takes more memory meanwhile.

        Raises:
            JournalError: SQLite could not do it; ``JournalLockedError`` and ``JournalFullError`` may pass.
        """
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                if is_large:
                    _set_cache(self._connection, _LIST_CACHE_KIB)
                yield self._connection
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                raise _explained(self.path, error) from error
            except UnicodeEncodeError as error:
                raise JournalError(f"The journal cannot keep a text that is no Unicode: {error.object!a}.") from error
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                if is_large:
                    _set_cache(self._connection, _CACHE_KIB)
                    self._connection.execute("PRAGMA shrink_memory")

    def compact(self) -> Compacted:
        """Give free room within the file back, where there is much of it, and empty the log; no transaction meanwhile.

        Takes seconds for each gigabyte, and as much room on the disk again until it is done. Whoever is killed during
        it leaves the file as it was.

        Raises:
            JournalError: SQLite could not do it; ``JournalLockedError`` and ``JournalFullError`` may pass.
        """
        with self._lock:
            before_bytes = self._size_bytes()
            try:
                self._connection.execute("PRAGMA optimize")
                spare_count = number(self._connection, "PRAGMA freelist_count")
                if spare_count > _SPARE_SHARE_MIN * number(self._connection, "PRAGMA page_count"):
                    self._connection.execute("VACUUM")
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.Error as error:
                raise _explained(self.path, error) from error
            return Compacted(before_bytes=before_bytes, after_bytes=self._size_bytes())

    def _size_bytes(self) -> int:
        log = self.path.with_name(f"{self.path.name}-wal")
        return sum(file.stat().st_size for file in (self.path, log) if file.exists())

    def close(self) -> None:
        """Let go of the file. Waits for a transaction that still runs."""
        with self._lock:
            self._connection.close()


def _set_cache(connection: sqlite3.Connection, size_kib: int) -> None:
    connection.execute(f"PRAGMA cache_size = -{size_kib}")  # a negative number counts KiB, not pages


def _equip(connection: sqlite3.Connection, *, is_new: bool) -> None:
    """Set what holds for a connection, and make the tables of a new file."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    _set_cache(connection, _CACHE_KIB)
    connection.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT_BYTES}")
    if is_new:
        connection.executescript(f"BEGIN IMMEDIATE;\n{script('schema.sql')}\nCOMMIT;")


@contextmanager
def open_database(path: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> Generator[Database]:
    """Have the journal at ``path`` for oneself; folder and file are made, for their owner only, when missing.

    Args:
        path: Where it is.
        busy_timeout_s: How long each transaction waits for another program that has the file locked.

    Raises:
        JournalBusyError: Another program has it.
        JournalVersionError: A newer Poolwright wrote it.
        JournalDamagedError: It is no journal, or not a whole one.
        JournalUnwritableError: It cannot be made or written there.
        JournalFullError: The disk has no room for it.
        JournalLockedError: Another program keeps it locked.
        JournalError: The SQLite of this Python is too old, or fails.
    """
    if sqlite3.sqlite_version_info < _SQLITE_MIN:
        raise JournalError(f"This Python has SQLite {sqlite3.sqlite_version}; the journal needs 3.37 or newer.")
    with ExitStack() as held:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            held.callback(os.close, take_lock(path))
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise _refused(path, error) from error
        try:
            version = judge(path, busy_timeout_s)
            if 0 < version < SCHEMA_VERSION:
                bring_up_to_date(path, version, busy_timeout_s)
            connection = connect(path, "rw", busy_timeout_s)
            database = Database(path, connection)
            held.callback(database.close)
            _equip(connection, is_new=version == 0)
        except sqlite3.Error as error:
            raise _explained(path, error) from error
        except OSError as error:
            raise _refused(path, error) from error
        yield database
