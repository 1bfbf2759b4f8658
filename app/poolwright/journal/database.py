"""The database file of the journal: created, verified, opened, and changed in whole transactions only.

One connection that writes, one transaction at a time; whoever reads much opens a connection for it and holds nobody up.
A file that cannot be used is never written to: it is judged through a read-only connection first. Blocking; the journal
calls it in a thread.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from poolwright.journal.errors import JournalError, journal_error_from_os, journal_error_from_sqlite
from poolwright.journal.lock import acquire_journal_lock
from poolwright.journal.schema import SCHEMA_VERSION, detect_version, migrate, read_script
from poolwright.journal.sqlite_file import STEPS_PER_CHECK, FileIdentity, open_connection, query_number

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
#: Less free room within the file is not worth writing it anew: new rows fill it.
_SPARE_SHARE_MIN = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactResult:
    """What the file and the log beside it took before and after it was written anew."""

    before_bytes: int
    after_bytes: int


def never_cancelled() -> None:
    """Do nothing: the default for work that cannot be cancelled."""


class Database:
    """One open journal file."""

    def __init__(
        self, path: Path, connection: sqlite3.Connection, *, busy_timeout_s: float, heed: Callable[[], None]
    ) -> None:
        """Take over an open connection; ``open_database`` makes it.

        Args:
            path: The file.
            connection: To it.
            busy_timeout_s: How long each transaction waits for another program that has the file locked.
            heed: Called again and again while something takes long; what it raises ends that, and it never was.
        """
        self.path = path
        self._connection = connection
        self._busy_timeout_s = busy_timeout_s
        self._heed = heed
        self._presence: FileIdentity | None = None
        # A caller that was cancelled the hard way leaves its thread at work: the next one waits for it.
        self._lock = Lock()

    @contextmanager
    def transaction(self, *, is_large: bool = False) -> Generator[sqlite3.Connection]:
        """Run a block as one transaction: all of it is kept and safe on disk, or nothing when it raises.

        Args:
            is_large: Whether it may change very many rows; it takes more memory meanwhile, and ends early when nobody
                wants it any more.

        Raises:
            JournalError: SQLite could not do it; a ``TemporarilyUnavailableError`` among these may pass.
        """
        with self._lock:
            try:
                with self._block(self._connection, "BEGIN IMMEDIATE", is_long=is_large):
                    if is_large:
                        _set_cache(self._connection, _LIST_CACHE_KIB)
                    yield self._connection
            finally:
                if is_large:
                    _set_cache(self._connection, _CACHE_KIB)
                    self._connection.execute("PRAGMA shrink_memory")

    @contextmanager
    def read(self) -> Generator[sqlite3.Connection]:
        """Open a short read transaction, which blocks no other program.

        Raises:
            JournalError: SQLite could not do it; a ``TemporarilyUnavailableError`` among these may pass.
        """
        with self._lock, self._block(self._connection, "BEGIN", is_long=False):
            yield self._connection

    @contextmanager
    def read_snapshot(self) -> Generator[sqlite3.Connection]:
        """Read much, all of it as it is at one moment; transactions go on meanwhile. Ends early like a large one.

        Raises:
            JournalError: SQLite could not do it; a ``TemporarilyUnavailableError`` among these may pass.
        """
        self._check_presence()
        try:
            connection = open_connection(self.path, "ro", self._busy_timeout_s)
        except sqlite3.Error as error:
            raise journal_error_from_sqlite(self.path, error) from error
        with closing(connection), self._block(connection, "BEGIN", is_long=True):
            yield connection

    @contextmanager
    def _block(self, connection: sqlite3.Connection, begin: str, *, is_long: bool) -> Generator[None]:
        """Begin, and end what is begun, whatever happens; each error becomes its decision."""
        self._check_presence()
        try:
            connection.execute(begin)
            connection.set_progress_handler(self._heed if is_long else None, STEPS_PER_CHECK)
            yield
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._raise_if_cancelled(error)
            raise journal_error_from_sqlite(self.path, error) from error
        except UnicodeEncodeError as error:
            raise JournalError(f"The journal cannot store text that is not valid Unicode: {error.object!a}.") from error
        finally:
            connection.set_progress_handler(None, 0)
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def _check_presence(self) -> None:
        """Make sure that the file still has its name."""
        if self._presence is not None:
            self._presence.verify()

    def _raise_if_cancelled(self, error: sqlite3.Error) -> None:
        """SQLite tells only that it was interrupted; by what is raised here once more."""
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
            self._heed()

    def compact(self) -> CompactResult:
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
                spare_count = query_number(self._connection, "PRAGMA freelist_count")
                if spare_count > _SPARE_SHARE_MIN * query_number(self._connection, "PRAGMA page_count"):
                    self._connection.execute("VACUUM")
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.Error as error:
                raise journal_error_from_sqlite(self.path, error) from error
            return CompactResult(before_bytes=before_bytes, after_bytes=self._size_bytes())

    def _size_bytes(self) -> int:
        log = self.path.with_name(f"{self.path.name}-wal")
        return sum(file.stat().st_size for file in (self.path, log) if file.exists())

    def configure(self, *, is_new: bool) -> None:
        """Configure the connection, create the tables of a new file, and record the file's identity."""
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        _set_cache(self._connection, _CACHE_KIB)
        self._connection.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT_BYTES}")
        if is_new:
            self._connection.executescript(f"BEGIN IMMEDIATE;\n{read_script('schema.sql')}\nCOMMIT;")
        query_number(self._connection, "SELECT count(*) FROM sqlite_schema")  # makes the log where there is none
        self._presence = FileIdentity.read(self.path)

    def close(self) -> None:
        """Close the file, after a transaction that still runs."""
        with self._lock:
            self._connection.close()


def _set_cache(connection: sqlite3.Connection, size_kib: int) -> None:
    connection.execute(f"PRAGMA cache_size = -{size_kib}")  # a negative number counts KiB, not pages


@contextmanager
def open_database(
    path: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S, heed: Callable[[], None] = never_cancelled
) -> Generator[Database]:
    """Have the journal at ``path`` for oneself; folder and file are made, for their owner only, when missing.

    Args:
        path: Where it is.
        busy_timeout_s: How long each transaction waits for another program that has the file locked.
        heed: Called again and again while something takes long; what it raises ends that, and it never was.

    Raises:
        JournalBusyError: Another program has it.
        JournalVersionError: A newer Poolwright wrote it.
        JournalDamagedError: It is no journal, or not a whole one.
        JournalUnwritableError: It cannot be made or written there.
        JournalAwayError: Its disk does not answer.
        JournalFullError: The disk has no room for it.
        JournalLockedError: Another program keeps it locked.
        JournalError: The SQLite of this Python is too old, or fails.
    """
    if sqlite3.sqlite_version_info < _SQLITE_MIN:
        raise JournalError(f"This Python has SQLite {sqlite3.sqlite_version}; the journal needs 3.37 or newer.")
    with ExitStack() as held:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            held.callback(os.close, acquire_journal_lock(path))
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            version = detect_version(path, busy_timeout_s)
            if 0 < version < SCHEMA_VERSION:
                migrate(path, version, busy_timeout_s, heed)
            connection = open_connection(path, "rw", busy_timeout_s)
            database = Database(path, connection, busy_timeout_s=busy_timeout_s, heed=heed)
            held.callback(database.close)
            database.configure(is_new=version == 0)
        except OSError as error:
            raise journal_error_from_os(path, error) from error
        except sqlite3.Error as error:
            raise journal_error_from_sqlite(path, error) from error
        yield database
