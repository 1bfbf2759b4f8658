"""Connections to an SQLite file, and the check that an open file is still the one at its path."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from poolwright.journal.errors import JournalAwayError, JournalGoneError
from poolwright.journal.storage_errors import journal_error_from_os

#: The ``application_id`` that ``schema.sql`` writes to the file's header.
APPLICATION_ID = int.from_bytes(b"Pool", "big")
#: Steps of SQLite's virtual machine between two checks for a cancellation: some milliseconds.
STEPS_PER_CHECK = 100_000


def open_connection(path: Path, mode: str, busy_timeout_s: float) -> sqlite3.Connection:
    """Return a connection to a file that exists.

    Args:
        path: The file.
        mode: ``ro`` or ``rw``, with further parameters of an SQLite URI.
        busy_timeout_s: Longest wait of each transaction for another program that has the file locked.
    """
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=busy_timeout_s,
        isolation_level=None,
        check_same_thread=False,
    )


def query_number(connection: sqlite3.Connection, query: str) -> int:
    """Return the single number in the result of a query."""
    return int(connection.execute(query).fetchone()[0])


def log_path(path: Path) -> Path:
    """Return the path of the write-ahead log of a database."""
    return path.with_name(f"{path.name}-wal")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileIdentity:
    """Device and inode of a journal and its log when they were opened."""

    path: Path
    #: Device and inode of each file.
    files: Mapping[Path, tuple[int, int]]

    @classmethod
    def read(cls, path: Path) -> FileIdentity:
        """Return the identity of the files that exist now.

        Raises:
            OSError: A file cannot be examined.
        """
        return cls(path=path, files={file: _device_and_inode(file) for file in (path, log_path(path)) if file.exists()})

    def verify(self) -> None:
        """Check that each file is still at its path.

        Raises:
            JournalGoneError: A file was removed or replaced.
            JournalAwayError: The disk is no longer mounted; it may be mounted again.
            JournalError: The system refuses to examine a file.
        """
        for file, identity in self.files.items():
            try:
                if _device_and_inode(file) != identity:
                    raise JournalGoneError(self.path)
            except (FileNotFoundError, NotADirectoryError) as error:
                if _device_of_nearest_folder(file) != identity[0]:
                    raise JournalAwayError(self.path, "its disk is no longer mounted") from error
                raise JournalGoneError(self.path) from error
            except OSError as error:
                raise journal_error_from_os(self.path, error) from error


def _device_and_inode(file: Path) -> tuple[int, int]:
    status = file.stat()
    return status.st_dev, status.st_ino


def _device_of_nearest_folder(file: Path) -> int:
    """Return the device of the deepest existing folder above a file; -1 if there is none."""
    for folder in file.absolute().parents:
        try:
            return folder.stat().st_dev
        except OSError:
            continue
    return -1
