"""A disk that answers with errors says nothing about the profile on it: it is told as what it is, and waited for."""

from __future__ import annotations

import errno
import io
import os
import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from poolwright.domain.errors import DiskFullError, ProfileError, StorageAwayError, TemporarilyUnavailableError
from poolwright.profile import cookie_db
from poolwright.profile.base import check_base
from poolwright.profile.clone import clone_profile
from poolwright.profile.cookie_db import check_database, find_cookie_db, raise_storage_error
from poolwright.profile.damage import read_damage_mark
from poolwright.profile.errors import BrokenFileError, ProfileDamagedError, ProfileRefusedError, unreadable_error
from poolwright.profile.repository import ProfileFile, ProfileRepository
from poolwright.profile.seal import hash_files, read_seal, seal_path

AWAY = (errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.EMFILE)


@contextmanager
def broken(monkeypatch: pytest.MonkeyPatch, module: object, name: str, number: int) -> Generator[None]:
    """One function of the system fails for every place, as long as the block lasts."""

    def fail(place: object = None, *_: object, **__: object) -> object:
        raise OSError(number, os.strerror(number), str(place))

    with monkeypatch.context() as patch:
        patch.setattr(module, name, fail)
        yield


@pytest.mark.parametrize("number", AWAY)
@pytest.mark.parametrize(("module", "name"), [(os, "scandir"), (io, "open")], ids=["listing", "reading"])
@pytest.mark.parametrize("work", [check_base, hash_files], ids=["check", "seal"])
def test_a_base_on_a_disk_that_is_away_is_not_called_damaged(
    base: Path, monkeypatch: pytest.MonkeyPatch, number: int, module: object, name: str, work: Callable[[Path], object]
) -> None:
    with broken(monkeypatch, module, name, number), pytest.raises(StorageAwayError) as refusal:
        work(base)

    assert not isinstance(refusal.value, ProfileError)
    assert "The profile need not be damaged. Reconnect its disk or share, then start again." in str(refusal.value)
    check_base(base)  # and the disk is back


def test_a_clone_of_one_neither(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with broken(monkeypatch, os, "scandir", errno.EIO), pytest.raises(StorageAwayError):
        clone_profile(base, tmp_path / "runs" / "profile")


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.EIO, StorageAwayError),
        (errno.ENOSPC, DiskFullError),
        (errno.EACCES, ProfileRefusedError),
        (errno.EPERM, ProfileRefusedError),
        (errno.EISDIR, ProfileDamagedError),
        (errno.ENOENT, ProfileDamagedError),
    ],
)
def test_each_trouble_has_its_own_error(tmp_path: Path, number: int, kind: type[Exception]) -> None:
    assert type(unreadable_error(tmp_path, OSError(number, os.strerror(number)))).__mro__.count(kind)


def test_a_seal_and_a_mark_that_cannot_be_read_now(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seal_path(base).write_text("{}")
    with broken(monkeypatch, io, "open", errno.EIO):
        with pytest.raises(StorageAwayError):
            read_seal(base)
        with pytest.raises(StorageAwayError):
            read_damage_mark(base)


def test_the_file_of_a_profile_that_cannot_be_read_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = ProfileRepository(tmp_path).create(
        "anna", ProfileFile.model_validate({"pack": "demo", "base_url": "http://x"})
    )
    with broken(monkeypatch, io, "open", errno.ESTALE), pytest.raises(StorageAwayError):
        made.read()


def error_of(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR, sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_NOMEM])
def test_what_the_system_refused_sqlite_is_the_disks(base: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def fail(_path: Path) -> sqlite3.Connection:
        raise error_of(code)

    monkeypatch.setattr("poolwright.profile.cookie_db.open_read_only", fail)
    with pytest.raises(StorageAwayError):
        check_base(base)
    with pytest.raises(TemporarilyUnavailableError):
        cookie_db.count_key_prefixes(find_cookie_db(base))
    with pytest.raises(OSError, match=r"Input/output|memory"):
        check_database(find_cookie_db(base))


@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB])
def test_what_is_in_the_file_is_the_files(base: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def fail(_path: Path) -> sqlite3.Connection:
        raise error_of(code)

    raise_storage_error(error_of(code), base)
    monkeypatch.setattr("poolwright.profile.cookie_db.open_read_only", fail)
    with pytest.raises(BrokenFileError):
        check_database(find_cookie_db(base))
