"""The journal's file: made for its owner alone, safe on disk, refused when it cannot be used, and left as it was."""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from poolwright.journal.database import open_database
from poolwright.journal.errors import (
    JournalAwayError,
    JournalBusyError,
    JournalDamagedError,
    JournalError,
    JournalFullError,
    JournalUnwritableError,
    JournalVersionError,
)
from poolwright.journal.schema import SCHEMA_VERSION
from poolwright.journal.sqlite_journal import SqliteJournal
from tests.support.full_disk import full_disk
from tests.support.journal_audit import query
from tests.support.journals import enter, make
from tests.support.manual_clock import ManualClock
from tests.support.tasks import BATCH, orders


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_folder_and_files_are_made_for_their_owner_alone(path: Path) -> None:
    async with SqliteJournal(path, ManualClock()) as journal:
        await journal.accept(orders(1))

        assert mode(path.parent) == 0o700
        assert {file.name: mode(file) for file in path.parent.iterdir()} == {
            "journal.db": 0o600,
            "journal.db-shm": 0o600,
            "journal.db-wal": 0o600,
            "journal.db.lock": 0o600,
        }


async def test_a_closed_journal_leaves_one_file_and_its_lock(path: Path) -> None:
    await make(path)

    assert {file.name for file in path.parent.iterdir()} == {"journal.db", "journal.db.lock"}


async def test_what_was_accepted_is_there_when_the_journal_is_opened_again(path: Path) -> None:
    await make(path, 3)

    async with SqliteJournal(path, ManualClock()) as journal:
        assert (await journal.counts(BATCH))["QUEUED"] == 3


async def test_every_commit_reaches_the_disk_before_it_is_told(path: Path) -> None:
    async with SqliteJournal(path, ManualClock()) as journal:
        connection = journal._database._connection
        settings = {
            name: connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }

    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}


async def test_an_empty_file_becomes_a_journal(path: Path) -> None:
    await make(path, 0)
    empty(path)

    await make(path)

    assert query(path, "PRAGMA user_version") == [(SCHEMA_VERSION,)]


async def test_a_second_opening_is_refused_with_the_pid_and_the_way_out(path: Path) -> None:
    async with SqliteJournal(path, ManualClock()):
        with pytest.raises(JournalBusyError) as refusal:
            await enter(path)

    assert refusal.value.pid == os.getpid()
    assert str(refusal.value) == (
        f"Another Poolwright (pid {os.getpid()}) is using this journal ({path}); wait for it or choose another --out."
    )


async def test_a_lock_without_a_pid_is_respected(path: Path) -> None:
    async with SqliteJournal(path, ManualClock()):
        path.with_name("journal.db.lock").write_bytes(b"")

        with pytest.raises(JournalBusyError, match=r"^Another Poolwright is using"):
            await enter(path)


async def test_a_closed_journal_is_free(path: Path) -> None:
    await enter(path)
    await enter(path)


async def test_a_refused_opening_does_not_disturb_the_holder(path: Path) -> None:
    async with SqliteJournal(path, ManualClock()) as journal:
        with pytest.raises(JournalBusyError):
            await enter(path)

        await journal.accept(orders(1, 2))
        assert (await journal.counts(BATCH))["QUEUED"] == 2
        with pytest.raises(JournalBusyError):
            await enter(path)


async def test_a_journal_outside_its_block_says_so(path: Path) -> None:
    journal = SqliteJournal(path, ManualClock())
    with pytest.raises(JournalError, match="is not open"):
        await journal.counts(BATCH)

    async with journal:
        pass

    with pytest.raises(JournalError, match="is not open"):
        await journal.counts(BATCH)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


def newer_in_its_log(path: Path) -> None:
    """As a power cut leaves it: what is new stands in the files beside the journal only."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
        cut_off = {each: each.read_bytes() for each in path.parent.glob("journal.db*")}
    for each, found in cut_off.items():
        each.write_bytes(found)


def foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")


def overwritten(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096 * 3 : 4096 * 6] = b"\xa5" * 4096 * 3
    path.write_bytes(content)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def content(path: Path) -> dict[str, bytes]:
    """Every file there, without what SQLite notes down about its readers."""
    return {each.name: b"" if each.name.endswith("-shm") else each.read_bytes() for each in path.parent.iterdir()}


def no_database(path: Path) -> None:
    path.write_text("po_number\n" * 500, encoding="utf-8")


@pytest.mark.parametrize(
    ("spoil", "error", "words"),
    [
        (newer, JournalVersionError, f"has version 99, but this Poolwright supports up to {SCHEMA_VERSION}"),
        (newer_in_its_log, JournalVersionError, f"has version 99, but this Poolwright supports up to {SCHEMA_VERSION}"),
        (foreign, JournalDamagedError, "a database of another program"),
        (overwritten, JournalDamagedError, "cannot be used"),
        (cut, JournalDamagedError, "cannot be used"),
        (no_database, JournalDamagedError, "not a database"),
    ],
)
async def test_an_unusable_file_is_refused_each_time_and_left_as_it_is_with_nothing_beside_it(
    path: Path, spoil: Callable[[Path], None], error: type[JournalError], words: str
) -> None:
    await make(path)
    spoil(path)
    before = content(path)

    for _ in range(2):
        with pytest.raises(error, match=words):
            await enter(path)

    assert content(path) == before


async def test_a_place_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(JournalUnwritableError, match=r"cannot be written: .*\. Choose a writable folder with --out"):
        await enter(tmp_path / "file" / "journal.db")
    with pytest.raises(JournalUnwritableError):
        await enter(tmp_path / "file" / "deeper" / "journal.db")


async def test_a_folder_in_the_files_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JournalUnwritableError):
        await enter(tmp_path)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="permissions do not bind this user")
async def test_a_read_only_folder_is_refused(path: Path) -> None:
    path.parent.mkdir(mode=0o500)

    with pytest.raises(JournalUnwritableError):
        await enter(path)


@pytest.mark.skipif(os.name != "posix", reason="Windows limits no file")
async def test_a_limit_of_file_sizes_is_told_as_such(path: Path) -> None:
    with (
        full_disk(20_000),
        pytest.raises(JournalUnwritableError, match=r"File too large\. Raise the limit of file sizes"),
    ):
        await enter(path)


def io_error(code: int) -> sqlite3.OperationalError:
    """What SQLite says when the system refuses it something."""
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize("code", [sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_WRITE])
def test_a_disk_without_room_is_told_as_such_whatever_sqlite_calls_it(
    path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def usage(_: Path) -> SimpleNamespace:
        return SimpleNamespace(free=4096)

    with open_database(path) as database:
        monkeypatch.setattr("poolwright.journal.storage_errors.shutil.disk_usage", usage)
        with pytest.raises(JournalFullError, match="free some space"), database.transaction():
            raise io_error(code)


def test_an_io_error_of_a_disk_with_room_is_not_blamed_on_it(path: Path) -> None:
    with (
        open_database(path) as database,
        pytest.raises(JournalAwayError, match=r"disk I/O error\. Reconnect its disk or network share") as failure,
        database.transaction(),
    ):
        raise io_error(sqlite3.SQLITE_IOERR_WRITE)

    assert not isinstance(failure.value, JournalFullError)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
async def test_a_disk_that_has_no_room_for_a_new_file_is_told_as_such(
    path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(_: Path) -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("poolwright.journal.database.acquire_journal_lock", refuse)

    with pytest.raises(JournalFullError):
        await enter(path)


async def test_an_sqlite_that_is_too_old_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 36, 0))

    with pytest.raises(JournalError, match=r"the journal needs 3\.37 or newer\. Use a newer Python"):
        await enter(path)

    assert not path.parent.exists()
