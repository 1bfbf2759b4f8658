"""The schema of the journal, and the migration of a file of an earlier version.

A backup first, then one transaction.

Pure reading. Two files with the same shape are used in the same way; how their tables were written down matters not.

A journal is judged before anything is written: one whose tables are of no version that there ever was is refused, and
so is one that turns out not to fit while it is brought up to date; the file is then as it was, with nothing beside it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

from poolwright.domain.outcomes import Reason
from poolwright.journal.errors import JournalDamagedError, JournalVersionError
from poolwright.journal.sqlite_file import APPLICATION_ID, STEPS_PER_CHECK, open_connection, query_number

#: Version of ``schema.sql``.
SCHEMA_VERSION = 4

_COLUMNS = """
SELECT tables.name, columns.name, columns.type, columns."notnull", columns.pk
FROM pragma_table_list AS tables, pragma_table_xinfo(tables.name) AS columns
WHERE tables.schema = 'main' AND tables.type = 'table' AND tables.name NOT LIKE 'sqlite_%'
"""
_INDEXES = """
SELECT tables.name, indexes.name, indexes."unique", indexes.partial, columns.seqno, columns.name
FROM pragma_table_list AS tables, pragma_index_list(tables.name) AS indexes, pragma_index_info(indexes.name) AS columns
WHERE tables.schema = 'main' AND tables.type = 'table' AND indexes.origin = 'c'
"""
_TRIGGERS = "SELECT tbl_name, name FROM sqlite_schema WHERE type = 'trigger'"


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaShape:
    """Tables and what lies over them."""

    #: Of each table: name, type, whether it may be empty, and place in the key.
    columns: Mapping[str, frozenset[tuple[object, ...]]]
    #: Indexes, column by column, and triggers.
    helpers: frozenset[tuple[object, ...]]

    @classmethod
    def read(cls, connection: sqlite3.Connection) -> SchemaShape:
        """The shape of an open database."""
        columns: dict[str, frozenset[tuple[object, ...]]] = {}
        for table, *column in connection.execute(_COLUMNS):
            columns[table] = columns.get(table, frozenset()) | {tuple(column)}
        helpers = {tuple(row) for query in (_INDEXES, _TRIGGERS) for row in connection.execute(query)}
        return cls(columns=columns, helpers=frozenset(helpers))

    def has_tables_of(self, other: SchemaShape) -> bool:
        """Whether it has every table of another shape, with just its columns. Tables beside them harm nobody."""
        return all(self.columns.get(table) == columns for table, columns in other.columns.items())

    def has_all_of(self, other: SchemaShape) -> bool:
        """Whether it has the tables of another shape, and every index and trigger."""
        return self.has_tables_of(other) and self.helpers >= other.helpers


def read_script(name: str) -> str:
    """One of the scripts beside this module."""
    return files("poolwright.journal").joinpath(name).read_text(encoding="utf-8")


def migration_scripts(after: int) -> list[str]:
    """The scripts that bring a journal of one version up to date, in their order."""
    return [read_script(f"migrations/{version}.sql") for version in range(after + 1, SCHEMA_VERSION + 1)]


@cache
def known_shapes() -> Mapping[int, SchemaShape]:
    """What a journal of each version is made of."""
    scripts = [read_script(f"migrations/{version}.sql") for version in range(1, SCHEMA_VERSION)]
    earlier = {version: _made_by(scripts[:version]) for version in range(1, SCHEMA_VERSION)}
    return MappingProxyType({**earlier, SCHEMA_VERSION: _made_by([read_script("schema.sql")])})


def _made_by(scripts: Iterable[str]) -> SchemaShape:
    with closing(sqlite3.connect(":memory:")) as connection:
        for each in scripts:
            connection.executescript(each)
        return SchemaShape.read(connection)


#: The first versions had one number in their headers; their tables tell them apart.
_FIRST_VERSIONS = (1, 2)
#: Pages that are copied between two looks at whether to go on.
_PAGES_PER_CHECK = 1_000

_TABLE_COUNT = "SELECT count(*) FROM sqlite_schema"
#: Steps from one reason to the next in an index, and reads no row twice.
_REASONS = """
WITH RECURSIVE words (word) AS (
    SELECT min(reason) FROM reports
    UNION ALL SELECT (SELECT min(reason) FROM reports WHERE reason > word) FROM words WHERE word IS NOT NULL
)
SELECT word FROM words WHERE word IS NOT NULL UNION SELECT problem FROM rows WHERE problem IS NOT NULL
"""


def detect_version(path: Path, busy_timeout_s: float) -> int:
    """Look at what is in the file without changing it; returns its version, 0 when it still needs its tables.

    Raises:
        JournalVersionError: A newer Poolwright wrote it.
        JournalDamagedError: It is no journal, or not a whole one.
    """
    # A reader makes a log where there is none and cannot remove it; without one the file alone holds everything.
    has_log = path.with_name(f"{path.name}-wal").exists()
    with closing(open_connection(path, "ro" if has_log else "ro&immutable=1", busy_timeout_s)) as connection:
        header = query_number(connection, "PRAGMA user_version")
        if header == 0 and query_number(connection, _TABLE_COUNT) == 0:
            return 0
        if query_number(connection, "PRAGMA application_id") != APPLICATION_ID:
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
    found, shapes = SchemaShape.read(connection), known_shapes()
    versions = _FIRST_VERSIONS if header in _FIRST_VERSIONS else (header,)
    for version in versions:
        if version in shapes and found.has_tables_of(shapes[version]):
            return version
    raise JournalDamagedError(path, f"its tables do not match version {header} or any other version")


def migrate(path: Path, version: int, busy_timeout_s: float, heed: Callable[[], None]) -> None:
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
    with closing(open_connection(path, "rw", busy_timeout_s)) as connection, _backup(path, version, connection, heed):
        connection.execute("PRAGMA foreign_keys = OFF")  # tables give way to others of their name
        try:
            connection.set_progress_handler(heed, STEPS_PER_CHECK)
            # Nothing may come between the beginning and the first change: executescript ends what was begun before.
            connection.executescript("\n".join(["BEGIN IMMEDIATE;", *migration_scripts(version)]))
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            _verify(path, connection)
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


def _verify(path: Path, connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
        raise _unfit(path, "it has rows that refer to missing rows")
    if not SchemaShape.read(connection).has_all_of(known_shapes()[SCHEMA_VERSION]):
        raise _unfit(path, "its tables do not match any known version")


def _unfit(path: Path, why: str) -> JournalDamagedError:
    return JournalDamagedError(path, f"it is of an earlier version and could not be migrated: {why}")


@contextmanager
def _backup(path: Path, version: int, connection: sqlite3.Connection, heed: Callable[[], None]) -> Generator[None]:
    """Have a copy of the journal beside it; gone again when the block fails."""

    def look(*_: int) -> None:
        heed()

    place = _free_backup_path(path, version)
    part = place.with_name(f"{place.name}.part")
    part.unlink(missing_ok=True)  # of a program that died
    with ExitStack() as undo:
        undo.callback(part.unlink, missing_ok=True)
        os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(open_connection(part, "rw", 0.0)) as copy:
            connection.backup(copy, pages=_PAGES_PER_CHECK, progress=look)
        part.rename(place)
        undo.callback(place.unlink, missing_ok=True)
        yield
        undo.pop_all()


def _free_backup_path(path: Path, version: int) -> Path:
    """A copy of an earlier journal is never written over."""
    stem = f"{path.stem}-of-version-{version}"
    count = 1
    while (place := path.with_name(f"{stem}{f'-{count}' if count > 1 else ''}{path.suffix}")).exists():
        count += 1
    return place
