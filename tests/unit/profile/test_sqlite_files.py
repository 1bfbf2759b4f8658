"""SQLite files: cut off, flipped and mixed up are found; what a killed writer leaves is whole."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from poolwright.profile.cookie_db import check_database
from poolwright.profile.errors import BrokenFileError
from tests.support.profile_folders import fingerprint, write

ROWS = 400


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "Cookies"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE cookies (name TEXT PRIMARY KEY, value TEXT)")
        connection.executemany("INSERT INTO cookies VALUES (?, ?)", [(f"n{row}", "v" * 90) for row in range(ROWS)])
    return path


def left_by_a_killed_writer(database: Path, target: Path) -> Path:
    """The files as they stand in the middle of a change that has reached the disk in part."""
    target.mkdir()
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA cache_size = 2")
        connection.execute("BEGIN")
        connection.execute("UPDATE cookies SET value = value || value || value || value")
        for name in ("Cookies", "Cookies-journal"):
            shutil.copyfile(database.with_name(name), target / name)
        connection.execute("ROLLBACK")
    return target / "Cookies"


def flip(path: Path, offset: int) -> None:
    content = bytearray(path.read_bytes())
    content[offset] ^= 0x01
    path.write_bytes(content)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: os.truncate(path, 0),
    "half": lambda path: os.truncate(path, path.stat().st_size // 2),
    "one byte short": lambda path: os.truncate(path, path.stat().st_size - 1),
    "one page short": lambda path: os.truncate(path, path.stat().st_size - 4096),
    "half a page too long": lambda path: os.truncate(path, path.stat().st_size + 2048),
    "a header alone": lambda path: os.truncate(path, 100),
    "garbage": lambda path: path.write_bytes(b"garbage!" * 4096),
    "flipped in its magic": lambda path: flip(path, 3),
    "flipped in its page size": lambda path: flip(path, 16),
    "flipped in its page count": lambda path: flip(path, 29),
    "flipped in the kind of a page": lambda path: flip(path, 4096 * 2),
}


def test_a_whole_one_passes(database: Path) -> None:
    check_database(database)


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_found(database: Path, damage: str) -> None:
    DAMAGES[damage](database)

    with pytest.raises(BrokenFileError, match="Cookies "):
        check_database(database)


def test_a_change_that_was_not_finished_passes_and_stays(database: Path, tmp_path: Path) -> None:
    torn = left_by_a_killed_writer(database, tmp_path / "torn")
    before = fingerprint(torn.parent)

    check_database(torn)

    assert before["Cookies"] != fingerprint(tmp_path)["Cookies"]
    assert fingerprint(torn.parent) == before


def test_a_change_that_was_not_finished_without_its_journal_is_damage(database: Path, tmp_path: Path) -> None:
    torn = left_by_a_killed_writer(database, tmp_path / "torn")
    (torn.parent / "Cookies-journal").unlink()

    with pytest.raises(BrokenFileError):
        check_database(torn)


def test_damage_under_a_journal_is_found(database: Path, tmp_path: Path) -> None:
    torn = left_by_a_killed_writer(database, tmp_path / "torn")
    torn.write_bytes(b"")

    with pytest.raises(BrokenFileError, match=f"{torn} "):
        check_database(torn)


def test_a_write_ahead_log_counts_as_part_of_it(database: Path, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        with connection:
            connection.execute("UPDATE cookies SET value = value || value")
        for name in ("Cookies", "Cookies-wal"):
            shutil.copyfile(database.with_name(name), tmp_path / "copy" / name)

    check_database(tmp_path / "copy/Cookies")


def test_an_empty_journal_is_none(database: Path) -> None:
    write(database.with_name("Cookies-journal"), b"")

    check_database(database)

    assert database.with_name("Cookies-journal").stat().st_size == 0


def test_an_index_that_does_not_match_its_table_is_damage(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        with connection:
            connection.execute("UPDATE sqlite_schema SET rootpage = 2 WHERE name LIKE 'sqlite_autoindex%'")

    with pytest.raises(BrokenFileError, match="Cookies "):
        check_database(database)
