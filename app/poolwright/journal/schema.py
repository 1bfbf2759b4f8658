"""The schema of the journal: its scripts, the shape of each version, and the version of a file.

Only reads. A file is refused before anything is written to it, unless its tables have the shape of a version that was
released. Shapes are compared, not SQL texts, because equal tables may have been created by different statements.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

from poolwright.domain.outcomes import Reason
from poolwright.journal.errors import JournalDamagedError, JournalVersionError
from poolwright.journal.sqlite_file import APPLICATION_ID, log_path, open_connection, query_number

#: Version of ``schema.sql``.
SCHEMA_VERSION = 8
#: Both versions have the same number in their headers; their tables differ.
_FIRST_VERSIONS = (1, 2)

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
_TABLE_COUNT = "SELECT count(*) FROM sqlite_schema"
#: Every reason in the journal. Steps from one reason to the next in the index instead of reading all reports.
_REASONS = """
WITH RECURSIVE words (word) AS (
    SELECT min(reason) FROM reports
    UNION ALL SELECT (SELECT min(reason) FROM reports WHERE reason > word) FROM words WHERE word IS NOT NULL
)
SELECT word FROM words WHERE word IS NOT NULL UNION SELECT problem FROM rows WHERE problem IS NOT NULL
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaShape:
    """The tables of a database with their indexes and triggers."""

    #: Columns of each table: name, type, whether it is ``NOT NULL``, and position in the primary key.
    columns: Mapping[str, frozenset[tuple[object, ...]]]
    #: One item for each column of an index, and one for each trigger.
    helpers: frozenset[tuple[object, ...]]

    @classmethod
    def read(cls, connection: sqlite3.Connection) -> SchemaShape:
        """Return the shape of an open database."""
        columns: dict[str, frozenset[tuple[object, ...]]] = {}
        for table, *column in connection.execute(_COLUMNS):
            columns[table] = columns.get(table, frozenset()) | {tuple(column)}
        helpers = {tuple(row) for query in (_INDEXES, _TRIGGERS) for row in connection.execute(query)}
        return cls(columns=columns, helpers=frozenset(helpers))

    def has_tables_of(self, other: SchemaShape) -> bool:
        """Whether it has every table of another shape with exactly its columns; further tables are ignored."""
        return all(self.columns.get(table) == columns for table, columns in other.columns.items())

    def has_all_of(self, other: SchemaShape) -> bool:
        """Whether it has the tables of another shape, and every index and trigger."""
        return self.has_tables_of(other) and self.helpers >= other.helpers


def read_script(name: str) -> str:
    """Return the text of a script of this package."""
    return files("poolwright.journal").joinpath(name).read_text(encoding="utf-8")


def migration_scripts(after: int) -> list[str]:
    """Return the scripts that migrate a journal from version ``after`` to the current one, in their order."""
    return [read_script(f"migrations/{version}.sql") for version in range(after + 1, SCHEMA_VERSION + 1)]


@cache
def known_shapes() -> Mapping[int, SchemaShape]:
    """Return the shape of each version; each is built once, in memory."""
    scripts = [read_script(f"migrations/{version}.sql") for version in range(1, SCHEMA_VERSION)]
    earlier = {version: _shape_of(scripts[:version]) for version in range(1, SCHEMA_VERSION)}
    return MappingProxyType({**earlier, SCHEMA_VERSION: _shape_of([read_script("schema.sql")])})


def _shape_of(scripts: Iterable[str]) -> SchemaShape:
    with closing(sqlite3.connect(":memory:")) as connection:
        for script in scripts:
            connection.executescript(script)
        return SchemaShape.read(connection)


def detect_version(path: Path, busy_timeout_s: float) -> int:
    """Return the version of a journal, 0 if it has no tables yet. The file is not changed.

    Raises:
        JournalVersionError: A newer Poolwright wrote it.
        JournalDamagedError: The file is not a journal, or is damaged.
    """
    # A read-only connection would create a log and leave it; without a log the file is complete, so it is immutable.
    has_log = log_path(path).exists()
    with closing(open_connection(path, "ro" if has_log else "ro&immutable=1", busy_timeout_s)) as connection:
        header = query_number(connection, "PRAGMA user_version")
        if header == 0 and query_number(connection, _TABLE_COUNT) == 0:
            return 0
        if query_number(connection, "PRAGMA application_id") != APPLICATION_ID:
            raise JournalDamagedError(path, "it is a database of another program")
        if header > SCHEMA_VERSION:
            raise JournalVersionError(
                path, f"has version {header}, but this Poolwright supports up to {SCHEMA_VERSION}"
            )
        result = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
        if result != "ok":
            raise JournalDamagedError(path, result)
        version = _version_of(path, connection, header)
        unknown = {word for (word,) in connection.execute(_REASONS)} - set(Reason)
        if unknown:
            words = ", ".join(sorted(unknown))
            raise JournalVersionError(path, f"contains reasons that this Poolwright does not know ({words})")
        return version


def _version_of(path: Path, connection: sqlite3.Connection, header: int) -> int:
    shape, shapes = SchemaShape.read(connection), known_shapes()
    versions = _FIRST_VERSIONS if header in _FIRST_VERSIONS else (header,)
    for version in versions:
        if version in shapes and shape.has_tables_of(shapes[version]):
            return version
    raise JournalDamagedError(path, f"its tables do not match version {header} or any other version")
