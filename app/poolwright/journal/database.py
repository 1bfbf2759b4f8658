"""The database file of the journal: created, verified, opened, and changed in whole transactions only.

One connection writes, one transaction at a time; a long read opens a connection of its own and blocks no other call. A
file is verified through a read-only connection before anything is written to it. All calls block, so the journal runs
them in a thread.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from poolwright.journal.errors import JournalError
from poolwright.journal.lock import acquire_journal_lock
from poolwright.journal.migration import migrate
from poolwright.journal.schema import SCHEMA_VERSION, detect_version, read_script
from poolwright.journal.sqlite_file import STEPS_PER_CHECK, FileIdentity, log_path, open_connection, query_number
from poolwright.journal.storage_errors import journal_error_from_os, journal_error_from_sqlite

#: First version with ``STRICT`` tables.
_SQLITE_MIN = (3, 37)
#: Longest wait of a transaction for another program, such as a database tool, that has the file locked.
BUSY_TIMEOUT_S = 5.0
#: The log is truncated to this size after an unusually large change.
_WAL_LIMIT_BYTES = 64 * 1024 * 1024
#: Page cache of the connection. It stays full in a long run; changes of single tasks need no more.
_CACHE_KIB = 2 * 1024
#: Page cache of a large transaction, for the indexes of a million tasks; freed at its end.
_LIST_CACHE_KIB = 32 * 1024
#: Least share of free pages for which the file is rewritten; fewer are filled by new rows.
_SPARE_SHARE_MIN = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactResult:
    """Sizes of the file and its log together, before and after it was compacted."""

    before_bytes: int
    after_bytes: int


def never_cancelled() -> None:
    """Do nothing: the default for work that cannot be cancelled."""


class Database:
    """One open journal file."""

    def __init__(
        self, path: Path, connection: sqlite3.Connection, *, busy_timeout_s: float, check_cancelled: Callable[[], None]
    ) -> None:
        """Take ownership of an open connection; ``open_database`` opens it.

        Args:
            path: The file.
            connection: A connection to it.
            busy_timeout_s: Longest wait of each transaction for another program that has the file locked.
            check_cancelled: Called repeatedly during long work; an error that it raises ends the work with a rollback.
        """
        self.path = path
        self._connection = connection
        self._busy_timeout_s = busy_timeout_s
        self._check_cancelled = check_cancelled
        self._identity: FileIdentity | None = None
        # A cancelled call may leave its work running in a thread; the next call waits for it here.
        self._lock = Lock()

    @contextmanager
    def transaction(self, *, is_large: bool = False) -> Generator[sqlite3.Connection]:
        """Run a block as one transaction: all of it is flushed to the disk, or none of it is kept if the block raises.

        Args:
            is_large: Whether it may change very many rows; it uses more memory meanwhile, and ends early if its caller
                is cancelled.

        Raises:
            JournalError: SQLite failed; a ``TemporarilyUnavailableError`` among these may pass.
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
            JournalError: SQLite failed; a ``TemporarilyUnavailableError`` among these may pass.
        """
        with self._lock, self._block(self._connection, "BEGIN", is_long=False):
            yield self._connection

    @contextmanager
    def read_snapshot(self) -> Generator[sqlite3.Connection]:
        """Open a long read transaction on a connection of its own; other transactions go on meanwhile.

        It ends early if its caller is cancelled.

        Raises:
            JournalError: SQLite failed; a ``TemporarilyUnavailableError`` among these may pass.
        """
        self._verify_identity()
        try:
            connection = open_connection(self.path, "ro", self._busy_timeout_s)
        except sqlite3.Error as error:
            raise journal_error_from_sqlite(self.path, error) from error
        with closing(connection), self._block(connection, "BEGIN", is_long=True):
            yield connection

    @contextmanager
    def _block(self, connection: sqlite3.Connection, begin: str, *, is_long: bool) -> Generator[None]:
        """Begin a transaction, commit it or roll it back, and convert errors to those of the journal."""
        self._verify_identity()
        try:
            connection.execute(begin)
            connection.set_progress_handler(self._check_cancelled if is_long else None, STEPS_PER_CHECK)
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

    def _verify_identity(self) -> None:
        """Check that the open file is still the one at its path."""
        if self._identity is not None:
            self._identity.verify()

    def _raise_if_cancelled(self, error: sqlite3.Error) -> None:
        """Raise the error of the progress handler again: SQLite only reports that it was interrupted."""
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
            self._check_cancelled()

    def compact(self) -> CompactResult:
        """Rewrite the file if much of it is free, truncate the log, and return the sizes; blocks all transactions.

        It takes seconds for each gigabyte, and as much disk space as the file until it is done. A program that is
        killed meanwhile leaves the file unchanged.

        Raises:
            JournalError: SQLite failed; ``JournalLockedError`` and ``JournalFullError`` may pass.
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
        return sum(file.stat().st_size for file in (self.path, log_path(self.path)) if file.exists())

    def configure(self, *, is_new: bool) -> None:
        """Configure the connection, create the tables of a new file, and record the file's identity."""
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        _set_cache(self._connection, _CACHE_KIB)
        self._connection.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT_BYTES}")
        if is_new:
            self._connection.executescript(f"BEGIN IMMEDIATE;\n{read_script('schema.sql')}\nCOMMIT;")
        query_number(self._connection, "SELECT count(*) FROM sqlite_schema")  # creates a missing log
        self._identity = FileIdentity.read(self.path)

    def close(self) -> None:
        """Close the file, after the transaction that is running."""
        with self._lock:
            self._connection.close()


def _set_cache(connection: sqlite3.Connection, size_kib: int) -> None:
    connection.execute(f"PRAGMA cache_size = -{size_kib}")  # a negative number counts KiB, not pages


@contextmanager
def open_database(
    path: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S, check_cancelled: Callable[[], None] = never_cancelled
) -> Generator[Database]:
    """Lock and open the journal at ``path``; a missing folder or file is created, with access for its owner only.

    Args:
        path: The file.
        busy_timeout_s: Longest wait of each transaction for another program that has the file locked.
        check_cancelled: Called repeatedly during long work; an error that it raises ends the work with a rollback.

    Raises:
        JournalBusyError: Another program has the lock of the journal.
        JournalVersionError: A newer Poolwright wrote it.
        JournalDamagedError: The file is not a journal, or is damaged.
        JournalUnwritableError: It cannot be created or written there.
        JournalAwayError: Its disk does not answer.
        JournalFullError: The disk has no space for it.
        JournalLockedError: Another program has locked the file.
        JournalError: The SQLite of this Python is too old, or fails.
    """
    if sqlite3.sqlite_version_info < _SQLITE_MIN:
        raise JournalError(
            f"This Python has SQLite {sqlite3.sqlite_version}; the journal needs 3.37 or newer. Use a newer Python."
        )
    with ExitStack() as resources:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            resources.callback(os.close, acquire_journal_lock(path))
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            version = detect_version(path, busy_timeout_s)
            if 0 < version < SCHEMA_VERSION:
                migrate(path, version, busy_timeout_s, check_cancelled)
            connection = open_connection(path, "rw", busy_timeout_s)
            database = Database(path, connection, busy_timeout_s=busy_timeout_s, check_cancelled=check_cancelled)
            resources.callback(database.close)
            database.configure(is_new=version == 0)
        except OSError as error:
            raise journal_error_from_os(path, error) from error
        except sqlite3.Error as error:
            raise journal_error_from_sqlite(path, error) from error
        yield database
