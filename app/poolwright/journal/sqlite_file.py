"""Opens an SQLite file, and checks that an open one still has its name on disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from poolwright.journal.errors import JournalAwayError, JournalGoneError, journal_error_from_os

#: Mark of ``schema.sql`` in the file's header.
APPLICATION_ID = int.from_bytes(b"Pool", "big")
#: Steps of SQLite between two looks at whether its answer is still wanted: some milliseconds.
STEPS_PER_CHECK = 100_000


def open_connection(path: Path, mode: str, busy_timeout_s: float) -> sqlite3.Connection:
    """Open a file that is there.

    Args:
        path: Where it is.
        mode: ``ro`` or ``rw``, and what else stands in such an address.
        busy_timeout_s: How long each transaction waits for another program that has the file locked.
    """
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=busy_timeout_s,
        isolation_level=None,
        check_same_thread=False,
    )


def query_number(connection: sqlite3.Connection, query: str) -> int:
    """The one number that a query answers with."""
    return int(connection.execute(query).fetchone()[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class FileIdentity:
    """Device and inode of a journal and its log when they were opened."""

    path: Path
    #: Device and number of each file.
    files: Mapping[Path, tuple[int, int]]

    @classmethod
    def read(cls, path: Path) -> FileIdentity:
        """What is there now.

        Raises:
            OSError: Nothing is.
        """
        log = path.with_name(f"{path.name}-wal")
        return cls(path=path, files={file: _device_and_inode(file) for file in (path, log) if file.exists()})

    def verify(self) -> None:
        """Make sure that each file is still where it was.

        Raises:
            JournalGoneError: One was removed, or another file is in its place.
            JournalAwayError: Its whole disk is no longer there; it may come back.
            JournalError: The system does not tell.
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
    """The disk of the deepest folder on the way that is still there."""
    for folder in file.absolute().parents:
        try:
            return folder.stat().st_dev
        except OSError:
            continue
    return -1
