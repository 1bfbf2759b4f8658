"""Journals of every shape that there ever was are brought up to date, or refused at the start and left as they are."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.journal.errors import JournalDamagedError, JournalFullError, JournalVersionError
from poolwright.journal.schema import SCHEMA_VERSION, SchemaShape, known_shapes
from poolwright.journal.sqlite_journal import SqliteJournal
from tests.support.earlier_journals import EARLIER, build
from tests.support.journal_audit import check_laws, query
from tests.support.journals import enter, make
from tests.support.manual_clock import ManualClock
from tests.support.tasks import BATCH, WORKER, orders, po_task, report, task_id

TABLES = ("rows", "tasks", "batch_tasks", "attempts", "reports", "files", "missed", "transitions")


def copy_of(path: Path) -> list[Path]:
    return sorted(path.parent.glob("journal-of-version-*"))


def rows(path: Path, table: str, columns: str = "*") -> list[tuple[Any, ...]]:
    return query(path, f"SELECT {columns} FROM {table}")  # noqa: S608 - names of our own tables


@pytest.fixture(params=EARLIER, ids=lambda file: file.stem)
def earlier(request: pytest.FixtureRequest, path: Path) -> Path:
    """A journal of each shape."""
    build(path, request.param)
    return path


async def test_a_journal_of_any_earlier_shape_is_brought_up_to_date_with_all_that_is_in_it(earlier: Path) -> None:
    wanted = {
        "tasks": "task_id, po_number, status, attempt_count",
        "rows": "batch_id, position, row_no, cells, given, task_id, problem, detail",
        "files": "task_id, position, name, label, size_bytes, sha256, media_type, source_url",
    }
    before = {table: rows(earlier, table, wanted.get(table, "*")) for table in TABLES}

    await enter(earlier)

    assert {table: rows(earlier, table, wanted.get(table, "*")) for table in TABLES} == before
    assert rows(earlier, "tasks", "DISTINCT payload, timeout_s, cells") == [("null", None, "{}")]
    assert rows(earlier, "rows", "DISTINCT number_places") == [(None,)]
    assert rows(earlier, "files", "DISTINCT etag, last_modified") == [("", "")]
    assert rows(earlier, "batches", "batch_id, next_position") == [("list-1", 4)]
    assert query(earlier, "PRAGMA user_version") == [(SCHEMA_VERSION,)]
    with closing(sqlite3.connect(earlier)) as connection:
        assert SchemaShape.read(connection) == known_shapes()[SCHEMA_VERSION]
    check_laws(earlier)


async def test_a_copy_of_it_stays_beside_it_for_its_owner_alone_and_only_one(earlier: Path) -> None:
    with closing(sqlite3.connect(earlier)) as connection:
        before = list(connection.iterdump())

    await enter(earlier)
    await enter(earlier)

    (copy,) = copy_of(earlier)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with closing(sqlite3.connect(copy)) as connection:
        assert list(connection.iterdump()) == before
    assert {each.name for each in earlier.parent.glob("*.part*")} == set()


async def test_work_goes_on_in_it_from_where_it_was(earlier: Path) -> None:
    async with SqliteJournal(earlier, ManualClock()) as journal:
        assert await journal.recover(3) == 1
        accepted = await journal.accept(orders(1, 2, 3, 4, 5))
        assert (accepted.new_count, accepted.waiting_count, accepted.done_count) == (1, 2, 2)
        await journal.add(BATCH, [po_task(6, payload={"a": 1}, timeout_s=2.0)])
        await journal.fetch(BATCH, 4)
        for number in (2, 3):
            await journal.start(task_id(number), WORKER)
        await journal.requeue(task_id(2), ReturnReason.UNPROVEN, detail="", delay_s=0, is_attempt_spent=False)
        await journal.finish(task_id(3), report(Reason.OUT_OF_MEMORY), "")
        await journal.finish(task_id(5), report(Reason.GIVEN_UP, "a.pdf"), "here")
        record = await journal.find(task_id(1))

        assert record is not None
        assert record.report is not None
        assert [file.name for file in record.report.files] == ["a.pdf"]
        assert record.folder == "Acme/PO1"
    check_laws(earlier)


def rename_a_column(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE tasks RENAME COLUMN po_number TO number")


def add_a_column(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE reports ADD COLUMN verdict TEXT")


def drop_a_table(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE missed")


def drop_the_trigger(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TRIGGER tasks_mirrored")


def leave_an_orphan(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM tasks WHERE task_id = 'demo:2'")
        connection.commit()


@pytest.mark.parametrize(
    "spoil",
    [rename_a_column, add_a_column, drop_a_table, drop_the_trigger, leave_an_orphan],
    ids=lambda it: it.__name__,
)
@pytest.mark.parametrize("schema", [EARLIER[0], EARLIER[-1]], ids=lambda file: file.stem)
async def test_one_that_does_not_fit_is_refused_at_the_start_and_left_as_it_is(
    path: Path, schema: Path, spoil: Callable[[Path], None]
) -> None:
    build(path, schema)
    spoil(path)
    with closing(sqlite3.connect(path)) as connection:
        before = list(connection.iterdump())

    for _ in range(2):
        with pytest.raises(
            JournalDamagedError, match=r"cannot be used: .*(earlier version|version [134567]).* Restore a backup of it"
        ):
            await enter(path)

    with closing(sqlite3.connect(path)) as connection:
        assert list(connection.iterdump()) == before
    assert {each.name for each in path.parent.iterdir()} - {"journal.db-wal", "journal.db-shm"} == {
        "journal.db",
        "journal.db.lock",
    }


@pytest.mark.parametrize("spoil", [add_a_column, drop_a_table], ids=lambda it: it.__name__)
async def test_one_of_today_with_other_tables_is_refused_at_the_start(
    path: Path, spoil: Callable[[Path], None]
) -> None:
    await make(path, 2)
    spoil(path)

    with pytest.raises(JournalDamagedError, match=f"do not match version {SCHEMA_VERSION} or any other"):
        await enter(path)


@pytest.mark.parametrize(
    "write",
    [
        "INSERT INTO reports SELECT task_id, 'FAILED', 'eaten_by_dog', '', '{}', '[]', '', NULL, 0, '', '' FROM tasks",
        "UPDATE rows SET problem = 'eaten_by_dog'",
    ],
)
async def test_reasons_that_only_a_newer_one_knows_are_refused_at_the_start(path: Path, write: str) -> None:
    await make(path, 1)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(write)

    with pytest.raises(JournalVersionError, match=r"does not know \(eaten_by_dog\); use the newer Poolwright"):
        await enter(path)


async def test_a_disk_without_room_for_the_copy_leaves_the_journal_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(path, EARLIER[-1])
    before = query(path, "PRAGMA user_version")

    def refuse(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(JournalFullError):
        await enter(path)

    assert query(path, "PRAGMA user_version") == before
    assert copy_of(path) == []


async def test_an_earlier_copy_is_never_written_over(path: Path) -> None:
    path.parent.mkdir()
    earlier_copy = path.with_name(f"journal-of-version-{SCHEMA_VERSION - 1}.db")
    earlier_copy.write_text("precious", encoding="utf-8")
    build(path, EARLIER[-1])

    await enter(path)

    assert earlier_copy.read_text(encoding="utf-8") == "precious"
    assert [each.name for each in copy_of(path)] == [
        f"journal-of-version-{SCHEMA_VERSION - 1}-2.db",
        f"journal-of-version-{SCHEMA_VERSION - 1}.db",
    ]
