"""A journal that loses its file, its folder or its disk says so at once, and is never written to without a name."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from poolwright.domain.errors import StorageAwayError, StorageForbiddenError, TemporarilyUnavailableError
from poolwright.journal.database import open_database
from poolwright.journal.errors import (
    JournalAwayError,
    JournalError,
    JournalForbiddenError,
    JournalFullError,
    JournalGoneError,
    JournalLockedError,
    JournalUnwritableError,
)
from poolwright.journal.sqlite_journal import SqliteJournal
from poolwright.journal.storage_errors import journal_error_from_os, journal_error_from_sqlite
from tests.support.manual_clock import ManualClock
from tests.support.tasks import BATCH, WORKER, orders, task_id


def remove_file(path: Path) -> None:
    path.unlink()


def remove_log(path: Path) -> None:
    path.with_name("journal.db-wal").unlink()


def remove_folder(path: Path) -> None:
    shutil.rmtree(path.parent)


def rename_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("elsewhere"))


def replace_file(path: Path) -> None:
    other = path.with_name("other")
    shutil.copy(path, other)
    other.replace(path)


def replace_folder_by_a_file(path: Path) -> None:
    shutil.rmtree(path.parent)
    path.parent.write_text("no folder", encoding="utf-8")


STEPS: dict[str, Callable[[SqliteJournal], Awaitable[object]]] = {
    "write": lambda journal: journal.start(task_id(1), WORKER),
    "glance": lambda journal: journal.counts(BATCH),
    "study": lambda journal: journal.records(BATCH),
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    "harm",
    [remove_file, remove_log, remove_folder, rename_folder, replace_file, replace_folder_by_a_file],
    ids=lambda harm: harm.__name__,
)
async def test_a_journal_that_lost_its_name_is_noticed_at_the_next_step_whatever_it_is(
    path: Path, harm: Callable[[Path], None], step: str
) -> None:
    async with SqliteJournal(path, ManualClock()) as journal:
        await journal.accept(orders(1))
        await journal.fetch(BATCH, 1)
        harm(path)

        for _ in range(2):
            with pytest.raises(JournalGoneError, match=r"was removed or replaced while .* Put its folder back"):
                await STEPS[step](journal)


async def test_a_journal_that_is_back_with_its_folder_is_used_again(path: Path) -> None:
    async with SqliteJournal(path, ManualClock()) as journal:
        await journal.accept(orders(1))
        rename_folder(path)
        with pytest.raises(JournalGoneError):
            await journal.fetch(BATCH, 1)

        path.parent.with_name("elsewhere").rename(path.parent)

        assert len(await journal.fetch(BATCH, 1)) == 1


async def test_a_disk_that_is_no_longer_mounted_may_come_back(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with SqliteJournal(path, ManualClock()) as journal:
        await journal.accept(orders(1))
        monkeypatch.setattr("poolwright.journal.sqlite_file._device_of_nearest_folder", lambda _: -7)
        rename_folder(path)

        with pytest.raises(JournalAwayError, match="its disk is no longer mounted") as refusal:
            await journal.fetch(BATCH, 1)

    assert isinstance(refusal.value, TemporarilyUnavailableError)


@pytest.mark.parametrize("code", [errno.ESTALE, errno.EIO, errno.ENOTCONN, errno.ETIMEDOUT, errno.EHOSTUNREACH])
async def test_a_share_that_does_not_answer_may_come_back(
    path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(_: Path) -> tuple[int, int]:
        raise OSError(code, os.strerror(code))

    async with SqliteJournal(path, ManualClock()) as journal:
        await journal.accept(orders(1))
        with monkeypatch.context() as patch:
            patch.setattr("poolwright.journal.sqlite_file._device_and_inode", refuse)
            with pytest.raises(JournalAwayError, match=os.strerror(code)):
                await journal.fetch(BATCH, 1)

        assert len(await journal.fetch(BATCH, 1)) == 1


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (errno.ENOSPC, JournalFullError),
        (errno.EDQUOT, JournalFullError),
        (errno.EIO, JournalAwayError),
        (errno.ENETDOWN, JournalAwayError),
        (errno.EMFILE, JournalAwayError),
        (errno.EROFS, JournalForbiddenError),
        (errno.EACCES, JournalForbiddenError),
        (errno.EPERM, JournalForbiddenError),
        (errno.ENOTDIR, JournalUnwritableError),
        (errno.EISDIR, JournalUnwritableError),
    ],
)
def test_each_refusal_of_the_system_is_one_decision(path: Path, code: int, kind: type[JournalError]) -> None:
    told = journal_error_from_os(path, OSError(code, os.strerror(code), str(path)))

    assert type(told) is kind
    assert str(path) in str(told)


def failure(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("what SQLite says")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_FULL, JournalFullError),
        (sqlite3.SQLITE_BUSY, JournalLockedError),
        (sqlite3.SQLITE_LOCKED, JournalLockedError),
        (sqlite3.SQLITE_IOERR, JournalAwayError),
        (sqlite3.SQLITE_IOERR_WRITE, JournalAwayError),
        (sqlite3.SQLITE_IOERR_FSYNC, JournalAwayError),
        (sqlite3.SQLITE_READONLY, JournalForbiddenError),
        (sqlite3.SQLITE_READONLY_DBMOVED, JournalGoneError),
        (sqlite3.SQLITE_CANTOPEN, JournalForbiddenError),
        (sqlite3.SQLITE_CONSTRAINT, JournalError),
    ],
)
def test_each_answer_of_sqlite_is_one_decision(tmp_path: Path, code: int, kind: type[JournalError]) -> None:
    path = tmp_path / "journal.db"
    path.touch()

    assert type(journal_error_from_sqlite(path, failure(code))) is kind


@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN])
@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (errno.EROFS, StorageForbiddenError),
        (errno.EACCES, StorageForbiddenError),
        (errno.ESTALE, StorageAwayError),
        (errno.ENOSPC, JournalFullError),
    ],
)
def test_what_sqlite_does_not_tell_the_system_is_asked(
    path: Path, monkeypatch: pytest.MonkeyPatch, code: int, refusal: int, kind: type[Exception]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(refusal, os.strerror(refusal))

    with open_database(path) as database:
        monkeypatch.setattr("poolwright.journal.storage_errors.tempfile.TemporaryFile", refuse)
        with pytest.raises(kind), database.transaction():
            raise failure(code)


def test_a_disk_without_room_is_full_whatever_sqlite_calls_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def usage(_: Path) -> SimpleNamespace:
        return SimpleNamespace(free=100)

    with open_database(path) as database:
        monkeypatch.setattr("poolwright.journal.storage_errors.shutil.disk_usage", usage)
        with pytest.raises(JournalFullError), database.transaction():
            raise failure(sqlite3.SQLITE_CANTOPEN)
