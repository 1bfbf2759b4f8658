"""Migrates a journal of an earlier version: a copy beside it first, then all changes in one transaction.

A journal that does not fit is refused; it is unchanged then, and the copy is removed.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from poolwright.journal.errors import JournalDamagedError
from poolwright.journal.schema import SCHEMA_VERSION, SchemaShape, known_shapes, migration_scripts
from poolwright.journal.sqlite_file import STEPS_PER_CHECK, open_connection

#: Pages that are copied between two checks for a cancellation.
_PAGES_PER_CHECK = 1_000


def migrate(path: Path, version: int, busy_timeout_s: float, check_cancelled: Callable[[], None]) -> None:
    """Migrate a journal to the current version, and keep a copy of the earlier file beside it.

    Needs free disk space of twice the size of the file; the copy keeps half of it.

    Args:
        path: The journal.
        version: Its version, from ``detect_version``.
        busy_timeout_s: Longest wait for another program that has the file locked.
        check_cancelled: Called repeatedly; an error that it raises ends the migration.

    Raises:
        JournalDamagedError: The rows or tables do not fit the current schema. The file is unchanged.
        sqlite3.Error: SQLite failed. The file is unchanged.
        OSError: The copy cannot be written. The file is unchanged.
    """
    with (
        closing(open_connection(path, "rw", busy_timeout_s)) as connection,
        _keep_copy(path, version, connection, check_cancelled),
    ):
        connection.execute("PRAGMA foreign_keys = OFF")  # tables are dropped and replaced by new ones of their name
        try:
            connection.set_progress_handler(check_cancelled, STEPS_PER_CHECK)
            # BEGIN is part of the script, because executescript commits a transaction that is open before it.
            connection.executescript("\n".join(["BEGIN IMMEDIATE;", *migration_scripts(version)]))
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            _verify(path, connection)
            connection.execute("COMMIT")
        except sqlite3.IntegrityError as error:
            raise _migration_error(path, str(error)) from error
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                check_cancelled()
            raise
        finally:
            connection.set_progress_handler(None, 0)
            if connection.in_transaction:
                connection.execute("ROLLBACK")


def _verify(path: Path, connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
        raise _migration_error(path, "it has rows that refer to missing rows")
    if not SchemaShape.read(connection).has_all_of(known_shapes()[SCHEMA_VERSION]):
        raise _migration_error(path, "its tables do not match any known version")


def _migration_error(path: Path, cause: str) -> JournalDamagedError:
    return JournalDamagedError(path, f"it is of an earlier version and could not be migrated: {cause}")


@contextmanager
def _keep_copy(
    path: Path, version: int, connection: sqlite3.Connection, check_cancelled: Callable[[], None]
) -> Generator[None]:
    """Write a copy of the journal beside it, and remove it again if the block fails."""

    def on_progress(*_: int) -> None:
        check_cancelled()

    copy_path = _free_copy_path(path, version)
    part = copy_path.with_name(f"{copy_path.name}.part")
    part.unlink(missing_ok=True)  # left by a program that was killed
    with ExitStack() as undo:
        undo.callback(part.unlink, missing_ok=True)
        os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(open_connection(part, "rw", 0.0)) as copy:
            connection.backup(copy, pages=_PAGES_PER_CHECK, progress=on_progress)
        part.rename(copy_path)
        undo.callback(copy_path.unlink, missing_ok=True)
        yield
        undo.pop_all()


def _free_copy_path(path: Path, version: int) -> Path:
    """Return a path that does not exist, so that no earlier copy is overwritten."""
    stem = f"{path.stem}-of-version-{version}"
    count = 1
    while (copy_path := path.with_name(f"{stem}{f'-{count}' if count > 1 else ''}{path.suffix}")).exists():
        count += 1
    return copy_path
