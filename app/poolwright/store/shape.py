"""What a journal is made of, whatever its header says: the columns of its tables, and what lies over them.

Pure reading. Two files with the same shape are used in the same way; how their tables were written down matters not.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

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
class Shape:
    """Tables and what lies over them."""

    #: Of each table: name, type, whether it may be empty, and place in the key.
    columns: Mapping[str, frozenset[tuple[object, ...]]]
    #: Indexes, column by column, and triggers.
    helpers: frozenset[tuple[object, ...]]

    @classmethod
    def of(cls, connection: sqlite3.Connection) -> Shape:
        """The shape of an open database."""
        columns: dict[str, frozenset[tuple[object, ...]]] = {}
        for table, *column in connection.execute(_COLUMNS):
            columns[table] = columns.get(table, frozenset()) | {tuple(column)}
        helpers = {tuple(row) for query in (_INDEXES, _TRIGGERS) for row in connection.execute(query)}
        return cls(columns=columns, helpers=frozenset(helpers))

    def has_tables_of(self, other: Shape) -> bool:
        """Whether it has every table of another shape, with just its columns. Tables beside them harm nobody."""
        return all(self.columns.get(table) == columns for table, columns in other.columns.items())

    def has_all_of(self, other: Shape) -> bool:
        """Whether it has the tables of another shape, and every index and trigger."""
        return self.has_tables_of(other) and self.helpers >= other.helpers


def script(name: str) -> str:
    """One of the scripts beside this module."""
    return files("poolwright.store").joinpath(name).read_text(encoding="utf-8")


def steps(after: int) -> list[str]:
    """The scripts that bring a journal of one version up to date, in their order."""
    return [script(f"migrations/{version}.sql") for version in range(after + 1, SCHEMA_VERSION + 1)]


@cache
def known_shapes() -> Mapping[int, Shape]:
    """What a journal of each version is made of."""
    scripts = [script(f"migrations/{version}.sql") for version in range(1, SCHEMA_VERSION)]
    earlier = {version: _made_by(scripts[:version]) for version in range(1, SCHEMA_VERSION)}
    return MappingProxyType({**earlier, SCHEMA_VERSION: _made_by([script("schema.sql")])})


def _made_by(scripts: Iterable[str]) -> Shape:
    with closing(sqlite3.connect(":memory:")) as connection:
        for each in scripts:
            connection.executescript(each)
        return Shape.of(connection)
