"""The tables: their words are those of the enums, and the questions asked of them at every step use an index."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from enum import Enum
from importlib.resources import files

import pytest

from poolwright.domain.outcomes import Outcome
from poolwright.domain.states import TaskStatus
from poolwright.journal import sql_batches, sql_tasks

SCHEMA = files("poolwright.journal").joinpath("schema.sql").read_text(encoding="utf-8")


def values(*kinds: type[Enum]) -> set[str]:
    return {str(member.value) for kind in kinds for member in kind}


@pytest.fixture
def tables() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(SCHEMA)
        yield connection


def allowed(tables: sqlite3.Connection, table: str, column: str) -> set[str]:
    """The words that the CHECK of a column lists."""
    (sql,) = tables.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
    found = re.search(rf"CHECK \({column} IN \((.*?)\)\)", sql, re.DOTALL)
    assert found is not None
    return set(re.findall(r"'(\w+)'", found[1]))


@pytest.mark.parametrize(
    ("table", "column", "words"),
    [
        ("tasks", "status", {status.name for status in TaskStatus}),
        ("reports", "outcome", values(Outcome)),
    ],
)
def test_the_words_of_a_column_are_those_of_its_enum(
    tables: sqlite3.Connection, table: str, column: str, words: set[str]
) -> None:
    assert allowed(tables, table, column) == words


@pytest.mark.parametrize("table", ["reports", "rows", "attempts"])
def test_reasons_are_words_like_any_other_for_every_version_has_new_ones(
    tables: sqlite3.Connection, table: str
) -> None:
    (sql,) = tables.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (table,)).fetchone()

    assert "all_saved" not in sql


def test_every_table_is_strict(tables: sqlite3.Connection) -> None:
    loose = tables.execute("SELECT name FROM pragma_table_list WHERE strict = 0 AND name NOT LIKE 'sqlite_%'")

    assert loose.fetchall() == []


def test_a_word_that_no_enum_has_is_refused(tables: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="CHECK constraint failed"):
        tables.execute("INSERT INTO tasks (task_id, po_number, portal_number, status) VALUES ('a', 'b', 'c', 'LATER')")


def test_a_task_has_one_open_attempt_at_most(tables: sqlite3.Connection) -> None:
    begin = "INSERT INTO attempts (task_id, attempt, worker, started_at) VALUES ('a', 1, 'worker-1#1', '')"
    tables.execute(begin)

    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        tables.execute(begin)


@pytest.mark.parametrize(
    ("statement", "search"),
    [
        (sql_tasks._DUE, "batch_tasks_by_status (batch_id=? AND status=?)"),
        (sql_tasks._ANY_DUE, "batch_tasks_by_status (batch_id=? AND status=?)"),
        (sql_tasks._NEXT_DUE, "batch_tasks_by_status (batch_id=? AND status=?)"),
        (sql_tasks._WAITING, "batch_tasks_by_status (batch_id=? AND status=?)"),
        (sql_batches._OPEN_FROM, "batch_tasks_by_status (batch_id=? AND status=? AND position>?)"),
        (sql_batches._SAVE_FURTHER_MEMBER, "tasks USING PRIMARY KEY (task_id=?)"),
        (sql_tasks._CLAIMED, "tasks_by_status (status=?)"),
        (sql_tasks._CLOSE_ATTEMPT, "attempts_open (task_id=?)"),
        (sql_tasks._LATEST, "transitions_by_entity (machine=? AND entity=?)"),
    ],
)
def test_what_is_asked_at_every_step_is_searched_by_its_index_and_never_sorted(
    tables: sqlite3.Connection, statement: str, search: str
) -> None:
    arguments = [0] * statement.count("?")

    plan = [row[3] for row in tables.execute(f"EXPLAIN QUERY PLAN {statement}", arguments)]

    assert plan[0].endswith(search)
    assert all(step.startswith(("SEARCH", "CORRELATED")) for step in plan), plan
