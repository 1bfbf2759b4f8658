"""Brings a journal of an earlier version up to date: a copy beside it first, then all of it in one transaction.

A journal is judged before anything is written: one whose tables are of no version that there ever was is refused, and
so is one that turns out not to fit while it is brought up to date; the file is then as it was, with nothing beside it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from poolwright.domain.outcomes import Reason
from poolwright.store.connecting import APPLICATION_ID, STEPS_PER_LOOK, connect, number
from poolwright.store.errors import JournalDamagedError, JournalVersionError
from poolwright.store.shape import SCHEMA_VERSION, Shape, known_shapes, steps

#: The first versions had one number in their headers; their tables tell them apart.
_FIRST_VERSIONS = (1, 2)
#: Pages that are copied between two looks at whether to go on.
_PAGES_PER_LOOK = 1_000

_TABLE_COUNT = "SELECT count(*) FROM sqlite_schema"
#: Steps from one reason to the next in an index, and reads no row twice.
_REASONS = """
WITH RECURSIVE words (word) AS (
    SELECT min(reason) FROM reports
    UNION ALL SELECT (SELECT min(reason) FROM reports WHERE reason > word) FROM words WHERE word IS NOT NULL
)
SELECT word FROM words WHERE word IS NOT NULL UNION SELECT problem FROM rows WHERE problem IS NOT NULL
"""


def judge(path: Path, busy_timeout_s: float) -> int:
    """Look at what is in the file without changing it; returns its version, 0 when it still needs its tables.

    Raises:
        JournalVersionError: A newer Poolwright wrote it.
        JournalDamagedError: It is no journal, or not a whole one.
    """
    # A reader makes a log where there is none and cannot remove it; without one the file alone holds everything.
    has_log = path.with_name(f"{path.name}-wal").exists()
    with closing(connect(path, "ro" if has_log else "ro&immutable=1", busy_timeout_s)) as connection:
        header = number(connection, "PRAGMA user_version")
        if header == 0 and number(connection, _TABLE_COUNT) == 0:
            return 0
        if number(connection, "PRAGMA application_id") != APPLICATION_ID:
            raise JournalDamagedError(path, "it is a database of another program")
        if header > SCHEMA_VERSION:
            raise JournalVersionError(path, f"has version {header}, this Poolwright knows up to {SCHEMA_VERSION}")
        finding = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
        if finding != "ok":
            raise JournalDamagedError(path, finding)
        version = _version(path, connection, header)
        unknown = {word for (word,) in connection.execute(_REASONS)} - set(Reason)
        if unknown:
            words = ", ".join(sorted(unknown))
            raise JournalVersionError(path, f"contains reasons that this Poolwright does not know ({words})")
        return version


def _version(path: Path, connection: sqlite3.Connection, header: int) -> int:
    found, shapes = Shape.of(connection), known_shapes()
    versions = _FIRST_VERSIONS if header in _FIRST_VERSIONS else (header,)
    for version in versions:
        if version in shapes and found.has_tables_of(shapes[version]):
            return version
    raise JournalDamagedError(path, f"its tables do not match version {header} or any other version")


def bring_up_to_date(path: Path, version: int, busy_timeout_s: float, heed: Callable[[], None]) -> None:
    """Make a journal of an earlier version one of today. Takes as much room again twice, one of it for good.

    Args:
        path: The journal.
        version: As ``judge`` tells it.
        busy_timeout_s: How long to wait for another program that has the file locked.
        heed: Called again and again; what it raises leaves the file as it was.

    Raises:
        JournalDamagedError: What is in it does not fit. The file is as it was.
        sqlite3.Error: SQLite could not do it. The file is as it was.
        OSError: The copy cannot be made.
    """
    with closing(connect(path, "rw", busy_timeout_s)) as connection, _copied(path, version, connection, heed):
        connection.execute("PRAGMA foreign_keys = OFF")  # tables give way to others of their name
        try:
            connection.set_progress_handler(heed, STEPS_PER_LOOK)
            # Nothing may come between the beginning and the first change: executescript ends what was begun before.
            connection.executescript("\n".join(["BEGIN IMMEDIATE;", *steps(version)]))
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            _check(path, connection)
            connection.execute("COMMIT")
        except sqlite3.IntegrityError as error:
            raise _unfit(path, str(error)) from error
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                heed()
            raise
        finally:
            connection.set_progress_handler(None, 0)
            if connection.in_transaction:
                connection.execute("ROLLBACK")


def _check(path: Path, connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
        raise _unfit(path, "it has rows that refer to missing rows")
    if not Shape.of(connection).has_all_of(known_shapes()[SCHEMA_VERSION]):
        raise _unfit(path, "its tables do not match any known version")


def _unfit(path: Path, why: str) -> JournalDamagedError:
    return JournalDamagedError(path, f"it is of an earlier version and could not be migrated: {why}")


@contextmanager
def _copied(path: Path, version: int, connection: sqlite3.Connection, heed: Callable[[], None]) -> Generator[None]:
    """Have a copy of the journal beside it; gone again when the block fails."""

    def look(*_: int) -> None:
        heed()

    place = _free_place(path, version)
    part = place.with_name(f"{place.name}.part")
    part.unlink(missing_ok=True)  # of a program that died
    with ExitStack() as undo:
        undo.callback(part.unlink, missing_ok=True)
        os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(connect(part, "rw", 0.0)) as copy:
            connection.backup(copy, pages=_PAGES_PER_LOOK, progress=look)
        part.rename(place)
        undo.callback(place.unlink, missing_ok=True)
        yield
        undo.pop_all()


def _free_place(path: Path, version: int) -> Path:
    """A copy of an earlier journal is never written over."""
    stem = f"{path.stem}-of-version-{version}"
    count = 1
    while (place := path.with_name(f"{stem}{f'-{count}' if count > 1 else ''}{path.suffix}")).exists():
        count += 1
    return place
