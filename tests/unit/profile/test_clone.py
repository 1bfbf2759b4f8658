"""The copy: whole or not there, private, exact, and refused when the base moves under it."""

from __future__ import annotations

import errno
import hashlib
import os
import resource
import shutil
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from poolwright.domain.errors import SetupError
from poolwright.profile import clone as cloning
from poolwright.profile.clone import (
    RESERVE_BYTES,
    CopiedFile,
    SourceFile,
    clone_profile,
    is_quarantined,
    quarantine_clone,
    remove_clone,
)
from poolwright.profile.errors import NoRoomError, ProfileInUseError, ProfileRefusedError
from tests.support.copying import after_first_copy
from tests.support.profile_folders import fingerprint, make_base, write


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "run" / "profile"


@pytest.fixture(autouse=True)
def _run_folder(target: Path) -> None:
    target.parent.mkdir()


def test_what_counts_is_copied_byte_for_byte(base: Path, target: Path) -> None:
    for unwanted in ("Default/Cache/data_0", "Default/History", "Default/Sessions/Tabs_1", "Crashpad/settings.dat"):
        write(base / unwanted)

    clone_profile(base, target)

    wanted = {
        path: digest
        for path, digest in fingerprint(base).items()
        if not path.startswith(("Default/Cache", "Default/History", "Default/Sessions", "Crashpad"))
        and not path.endswith(("LOCK", "LOG"))
    }
    assert fingerprint(target) == wanted


def test_the_report_holds_size_and_digest_of_every_file(base: Path, target: Path) -> None:
    report = clone_profile(base, target, monotonic=iter((10.0, 12.5)).__next__)

    assert report.files == {
        path: CopiedFile(
            size_bytes=(target / path).stat().st_size, sha256=hashlib.sha256((target / path).read_bytes()).hexdigest()
        )
        for path in fingerprint(target)
    }
    assert report.files_count == 6
    assert report.size_bytes == sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    assert report.duration_s == 2.5


def test_a_file_of_many_chunks_is_whole(base: Path, target: Path) -> None:
    big = write(base / "Default/IndexedDB/big", os.urandom(3 * 1024 * 1024 + 7))

    clone_profile(base, target)

    assert (target / "Default/IndexedDB/big").read_bytes() == big.read_bytes()


def test_nobody_else_may_read_a_clone(base: Path, target: Path) -> None:
    for path in base.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)

    clone_profile(base, target)

    modes = {(path.is_dir(), path.stat().st_mode & 0o777) for path in [target, *target.rglob("*")]}
    assert modes == {(True, 0o700), (False, 0o600)}


def test_a_clone_shares_no_file_with_its_base(base: Path, target: Path) -> None:
    clone_profile(base, target)
    before = fingerprint(base)

    for path in target.rglob("*"):
        if path.is_file():
            path.write_bytes(b"changed")

    assert fingerprint(base) == before


def test_file_times_are_kept(base: Path, target: Path) -> None:
    os.utime(base / "Local State", ns=(1_000, 1_700_000_000_123_456_789))

    clone_profile(base, target)

    assert (target / "Local State").stat().st_mtime_ns == (base / "Local State").stat().st_mtime_ns


def test_empty_folders_come_along(base: Path, target: Path) -> None:
    (base / "Default/Empty/deep").mkdir(parents=True)

    clone_profile(base, target)

    assert (target / "Default/Empty/deep").is_dir()


def test_links_sockets_and_pipes_stay_behind(base: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (base / "SingletonLock").symlink_to("another-machine-1")
    (base / "Default/link").symlink_to("/etc/passwd")
    (base / "Default/folder-link").symlink_to("/etc")
    os.mkfifo(base / "Default/pipe")
    monkeypatch.chdir(base)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")

        clone_profile(base, target)

    names = {path.name for path in target.rglob("*")}
    assert names.isdisjoint({"SingletonLock", "link", "folder-link", "pipe", "socket"})


def test_a_target_that_is_taken_is_left_as_it_is(base: Path, target: Path) -> None:
    write(target / "precious")

    with pytest.raises(ProfileRefusedError, match="exists already"):
        clone_profile(base, target)

    assert fingerprint(target).keys() == {"precious"}


def test_a_half_clone_of_a_dead_run_is_replaced(base: Path, target: Path) -> None:
    write(target.with_name("profile.tmp") / "half")

    clone_profile(base, target)

    assert [path.name for path in target.parent.iterdir()] == ["profile"]
    assert not (target / "half").exists()


CHANGES: dict[str, Callable[[Path], object]] = {
    "written": lambda base: write(base / "Default/Local Storage/leveldb/000003.log", b"more"),
    "touched": lambda base: os.utime(base / "Local State", ns=(1, 1)),
    "removed": lambda base: (base / "Local State").unlink(missing_ok=True),
    "added": lambda base: write(base / f"Default/new-{len(list((base / 'Default').iterdir()))}"),
    "folder added": lambda base: (base / f"Default/folder-{len(list((base / 'Default').iterdir()))}").mkdir(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_base_that_changes_once_is_copied_again(
    base: Path, target: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    after_first_copy(monkeypatch, lambda: CHANGES[change](base))

    report = clone_profile(base, target)

    monkeypatch.undo()
    assert report.files == clone_profile(base, target.with_name("reference")).files


@pytest.mark.parametrize("change", ["written", "added", "folder added"])
def test_a_base_that_goes_on_changing_is_in_use(
    base: Path, target: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    tick = iter(range(1, 100))

    def act() -> None:
        CHANGES[change](base)
        os.utime(base / "Default/Local Storage/leveldb/000003.log", ns=(0, next(tick)))

    after_first_copy(monkeypatch, act, times=2)

    with pytest.raises(ProfileInUseError, match="changed while it was copied"):
        clone_profile(base, target)

    assert list(target.parent.iterdir()) == []


def test_changes_in_caches_do_not_count(base: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    after_first_copy(monkeypatch, lambda: write(base / "Default/Cache/data_1"), times=2)

    clone_profile(base, target)

    assert target.is_dir()


def test_a_disk_that_fills_up_leaves_nothing(base: Path, target: Path) -> None:
    write(base / "Default/IndexedDB/big", bytes(1024 * 1024))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))

    try:
        with pytest.raises(NoRoomError, match="full before the clone"):
            clone_profile(base, target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert list(target.parent.iterdir()) == []


def test_room_is_looked_for_before_the_first_byte(base: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size_bytes = clone_profile(base, target.with_name("measure")).size_bytes
    remove_clone(target.with_name("measure"))
    free: Iterator[int] = iter((size_bytes + RESERVE_BYTES - 1, size_bytes + RESERVE_BYTES))
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=next(free)))
    monkeypatch.setattr(cloning, "_copy_file", pytest.fail)

    with pytest.raises(NoRoomError, match="needs 200 MB"):
        clone_profile(base, target)

    monkeypatch.undo()
    clone_profile(base, target)


def test_a_target_that_cannot_be_written_is_told(base: Path, target: Path) -> None:
    with pytest.raises(SetupError, match="can't be written"):
        clone_profile(base, target.parent / "missing" / "profile")


def test_a_full_disk_is_no_damage_to_the_profile(base: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill_up(source: Path, file: Path, entry: SourceFile) -> CopiedFile:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(cloning, "_copy_file", fill_up)

    with pytest.raises(NoRoomError):
        clone_profile(base, target)


def test_a_file_that_may_not_be_read_is_refused_and_leaves_nothing(unprivileged: Path) -> None:
    base = make_base(unprivileged / "base")
    (base / "Default/Cookies").chmod(0)

    with pytest.raises(ProfileRefusedError, match="Cookies can't be read: Permission denied, "):
        clone_profile(base, unprivileged / "profile")

    assert [path.name for path in unprivileged.iterdir()] == ["base"]


def test_a_clone_is_removed_with_its_half_made_twin(base: Path, target: Path) -> None:
    clone_profile(base, target)
    write(target.with_name("profile.tmp") / "half")

    remove_clone(target)
    remove_clone(target)

    assert list(target.parent.iterdir()) == []


def test_a_damaged_clone_is_kept_under_the_time_of_its_finding(base: Path, target: Path) -> None:
    clone_profile(base, target)

    kept = quarantine_clone(target, datetime(2026, 11, 23, 14, 5, 6, tzinfo=UTC))

    assert kept == target.with_name("profile.damaged-20261123T140506Z")
    assert is_quarantined(kept)
    assert not target.exists()
    assert not is_quarantined(target)
