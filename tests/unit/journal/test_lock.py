"""The lock on Windows, told by a stand-in for its module: never tried on a real machine."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from poolwright.journal import lock
from poolwright.journal.errors import JournalBusyError


class WindowsLocks(ModuleType):
    """What ``msvcrt`` does with byte ranges, for one process: a taken byte refuses everybody."""

    LK_NBLCK = 2

    def __init__(self) -> None:
        super().__init__("msvcrt")
        self.taken: set[tuple[int, int]] = set()

    def locking(self, descriptor: int, how: int, count: int) -> None:
        assert (how, count) == (self.LK_NBLCK, 1)
        place = (os.fstat(descriptor).st_ino, os.lseek(descriptor, 0, os.SEEK_CUR))
        if place in self.taken:
            raise PermissionError
        self.taken.add(place)


@pytest.fixture
def windows_lock(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """``poolwright.journal.lock`` as Windows reads it."""
    monkeypatch.setitem(sys.modules, "msvcrt", WindowsLocks())
    monkeypatch.setattr(sys, "platform", "win32")
    assert lock.__file__ is not None
    spec = importlib.util.spec_from_file_location("windows_lock", lock.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_on_windows_the_second_is_refused_with_the_pid_of_the_first(windows_lock: ModuleType, tmp_path: Path) -> None:
    descriptor = windows_lock.acquire_journal_lock(tmp_path / "journal.db")
    try:
        with pytest.raises(JournalBusyError) as refusal:
            windows_lock.acquire_journal_lock(tmp_path / "journal.db")
    finally:
        os.close(descriptor)

    assert refusal.value.pid == os.getpid()


def test_on_windows_the_pid_stays_readable_outside_the_locked_byte(windows_lock: ModuleType, tmp_path: Path) -> None:
    os.close(windows_lock.acquire_journal_lock(tmp_path / "journal.db"))

    ((_, offset),) = sys.modules["msvcrt"].taken
    assert offset > (tmp_path / "journal.db.lock").stat().st_size


def test_a_shorter_pid_leaves_nothing_of_a_longer_one(tmp_path: Path) -> None:
    (tmp_path / "journal.db.lock").write_text("99999999999999\n", encoding="ascii")

    os.close(lock.acquire_journal_lock(tmp_path / "journal.db"))

    assert (tmp_path / "journal.db.lock").read_text(encoding="ascii") == f"{os.getpid()}\n"
