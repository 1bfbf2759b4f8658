"""Our own lock beside a base, and the Windows fallback with a stand-in for its module."""

from __future__ import annotations

import errno
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from poolwright.domain.errors import SetupError
from poolwright.files.locks import FileLock, FolderLock, WindowsLocking
from poolwright.profile.errors import ProfileMissingError, ProfileRefusedError
from poolwright.profile.in_use import read_locked, write_locked
from tests.support.profile_folders import make_base


def test_a_lock_ends_with_its_block(base: Path) -> None:
    with pytest.raises(ZeroDivisionError), write_locked(base):
        _ = 1 / 0

    with write_locked(base):
        pass


def test_the_lock_lies_beside_the_base_and_is_private(base: Path) -> None:
    with read_locked(base):
        mode = (base.parent / "base.lock").stat().st_mode & 0o777

    assert mode == 0o600
    assert not list(base.rglob("*.lock"))


@pytest.mark.parametrize("hold", [read_locked, write_locked])
def test_a_wrong_path_leaves_no_lock_file(tmp_path: Path, hold: Callable[[Path], AbstractContextManager[None]]) -> None:
    with pytest.raises(ProfileMissingError), hold(tmp_path / "nowhere"):
        pass

    assert list(tmp_path.iterdir()) == []


def test_a_base_in_a_read_only_place_is_read_but_not_changed(unprivileged: Path) -> None:
    base = make_base(unprivileged / "base")
    unprivileged.chmod(0o500)

    with read_locked(base):
        pass
    with pytest.raises(ProfileRefusedError, match="Make that folder writable"), write_locked(base):
        pass

    unprivileged.chmod(0o700)


def test_a_base_behind_a_closed_door_is_left_to_its_check(unprivileged: Path) -> None:
    base = make_base(unprivileged / "closed/base")
    base.parent.chmod(0)

    with read_locked(base):
        pass

    base.parent.chmod(0o700)


def test_a_place_without_locks_is_told(base: Path) -> None:
    (base.parent / "base.lock").mkdir()

    with pytest.raises(SetupError, match="can't be locked"), read_locked(base):
        pass


def test_a_file_removed_between_opening_and_locking_is_no_lock(tmp_path: Path) -> None:
    class Late:
        def acquire(self, descriptor: int, *, is_shared: bool) -> bool:
            (tmp_path / "lock").unlink()
            return True

        def is_held(self, path: Path) -> bool:
            raise NotImplementedError

    assert not FileLock(tmp_path / "lock", locking=Late()).acquire()


def test_a_folder_is_had_by_one_and_nothing_is_left_in_it(tmp_path: Path) -> None:
    one, other = FolderLock(tmp_path), FolderLock(tmp_path)

    assert (one.acquire(), other.acquire()) == (True, False)
    one.release()
    assert other.acquire()
    other.release()
    assert list(tmp_path.iterdir()) == []


def test_where_no_folder_can_be_locked_everybody_has_it(tmp_path: Path) -> None:
    class Share:
        def acquire(self, descriptor: int, *, is_shared: bool) -> bool:
            raise OSError(errno.EBADF, "Bad file descriptor")

        def is_held(self, path: Path) -> bool:
            raise NotImplementedError

    locks = [FolderLock(tmp_path, locking=Share()), FolderLock(tmp_path / "gone")]

    assert [lock.acquire() for lock in locks] == [True, True]
    for lock in locks:
        lock.release()


class FakeMsvcrt:
    LK_LOCK = 1
    LK_NBLCK = 2

    def __init__(self, *, is_free: bool) -> None:
        self.is_free = is_free
        self.calls: list[tuple[int, int]] = []

    def locking(self, descriptor: int, mode: int, size: int, /) -> None:
        self.calls.append((mode, size))
        if not self.is_free:
            raise PermissionError(13, "Permission denied")


@pytest.mark.parametrize(("is_shared", "mode"), [(True, FakeMsvcrt.LK_LOCK), (False, FakeMsvcrt.LK_NBLCK)])
@pytest.mark.parametrize("is_free", [True, False])
def test_on_windows_readers_wait_for_their_turn_and_writers_do_not(
    tmp_path: Path, is_shared: bool, mode: int, is_free: bool
) -> None:
    msvcrt = FakeMsvcrt(is_free=is_free)
    lock = FileLock(tmp_path / "lock", locking=WindowsLocking(msvcrt))

    is_taken = lock.acquire(is_shared=is_shared)
    lock.release()

    assert is_taken is is_free
    assert msvcrt.calls == [(mode, 1)]


def test_on_windows_a_file_that_refuses_writers_is_held(unprivileged: Path) -> None:
    locking = WindowsLocking(FakeMsvcrt(is_free=True))
    held, free = unprivileged / "held", unprivileged / "free"
    held.touch(mode=0o400)
    free.touch()

    assert locking.is_held(held)
    assert not locking.is_held(free)
    assert not locking.is_held(unprivileged / "missing")
