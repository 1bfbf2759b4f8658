"""A living browser is seen by either sign, and a dead one's leavings are not taken for it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from poolwright.files.locks import NATIVE, WindowsLocking
from poolwright.profile.errors import ProfileInUseError
from poolwright.profile.in_use import LockOwner, find_foreign_owner, find_owner, read_owner, refuse_in_use
from tests.process.profile.children import child, kill
from tests.support.profile_folders import make_base

WAIT = "import sys; print('up', flush=True); sys.stdin.read()"
LOCK = """
import fcntl, sys
with open(sys.argv[1], "r+b") as lock:
    fcntl.lockf(lock, fcntl.LOCK_EX)
    print("held", flush=True)
    sys.stdin.read()
"""
HERE = socket.gethostname()
#: Above the largest number that a process can have.
NOBODY = 2**22 + 1


def sign(base: Path, host: str, pid: int | str) -> None:
    (base / "SingletonLock").symlink_to(f"{host}-{pid}")


def test_a_living_browser_of_this_folder_is_seen_by_its_lock(base: Path) -> None:
    with child(WAIT, f"--user-data-dir={base}") as (process, _):
        sign(base, HERE, process.pid)

        assert find_owner(base) == f"process {process.pid} on {HERE}"
        with pytest.raises(ProfileInUseError, match=f"process {process.pid} on"):
            refuse_in_use(base)


def test_a_machine_that_was_renamed_meanwhile_does_not_hide_it(base: Path) -> None:
    with child(WAIT, f"--user-data-dir={base}") as (process, _):
        sign(base, "its-old-name", process.pid)

        assert find_owner(base) == f"process {process.pid} on its-old-name"


def test_a_link_to_the_folder_in_the_arguments_is_seen_through(base: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(base)
    with child(WAIT, f"--user-data-dir={tmp_path}/link") as (process, _):
        sign(base, HERE, process.pid)

        assert find_owner(base) is not None


def test_a_relative_name_counts_from_where_the_browser_stands(base: Path) -> None:
    relative = os.path.relpath(base)
    with child(WAIT, f"--user-data-dir={relative}") as (process, _):
        sign(base, HERE, process.pid)

        assert find_owner(base) is not None


def test_the_lock_of_a_killed_browser_is_stale(base: Path) -> None:
    with child(WAIT, f"--user-data-dir={base}") as (process, _):
        sign(base, HERE, process.pid)
        kill(process)

    assert find_owner(base) is None


@pytest.mark.parametrize("argument", ["--something", "--user-data-dir=/elsewhere"])
def test_another_program_with_the_number_of_a_dead_browser_is_no_occupant(base: Path, argument: str) -> None:
    with child(WAIT, argument) as (process, _):
        sign(base, HERE, process.pid)

        assert find_owner(base) is None


@pytest.mark.parametrize("text", ["garbage", "-", "host-", "host-x", "-12", "host-١"])
def test_a_garbled_lock_is_ignored_as_chromium_does(base: Path, text: str) -> None:
    (base / "SingletonLock").symlink_to(text)

    assert find_owner(base) is None


def test_a_host_name_may_hold_hyphens(base: Path) -> None:
    sign(base, "my-own-host", 12)

    assert read_owner(base) == LockOwner(host="my-own-host", pid=12)


def test_a_locked_store_shows_a_browser_without_any_other_sign(base: Path) -> None:
    with child(LOCK, str(base / "Default/Local Storage/leveldb/LOCK")) as (process, line):
        assert line == "held"
        assert find_owner(base) == "a browser that holds its storage"

        kill(process)

    assert find_owner(base) is None


def test_the_probe_works_where_nothing_may_be_written(unprivileged: Path) -> None:
    base = make_base(unprivileged / "base")
    (base / "Default/Local Storage/leveldb/LOCK").chmod(0o400)

    assert find_owner(base) is None


def test_the_lock_of_another_machine_is_told_and_not_believed(base: Path) -> None:
    sign(base, "another-machine", NOBODY)

    assert find_owner(base) is None
    assert find_foreign_owner(base) == LockOwner(host="another-machine", pid=NOBODY)


def test_a_lock_of_this_machine_is_no_strangers(base: Path) -> None:
    sign(base, HERE, NOBODY)

    assert find_foreign_owner(base) is None


def test_without_a_list_of_processes_a_living_number_is_taken_for_the_browser(base: Path, tmp_path: Path) -> None:
    sign(base, HERE, os.getpid())

    assert find_owner(base, proc=tmp_path / "no-proc") is not None
    assert find_owner(base) is None


def test_without_a_list_of_processes_a_number_of_another_machine_says_nothing(base: Path, tmp_path: Path) -> None:
    sign(base, "another-machine", os.getpid())

    assert find_owner(base, proc=tmp_path / "no-proc") is None


def test_without_a_list_of_processes_a_dead_number_is_stale(base: Path, tmp_path: Path) -> None:
    with child(WAIT) as (process, _):
        sign(base, HERE, process.pid)
        kill(process)

    assert find_owner(base, proc=tmp_path / "no-proc") is None


def test_without_a_list_of_processes_anothers_number_is_alive(unprivileged: Path) -> None:
    base = make_base(unprivileged / "base")
    sign(base, HERE, 1)

    assert find_owner(base, proc=unprivileged / "no-proc") is not None


def test_on_windows_the_open_lockfile_shows_a_browser(unprivileged: Path) -> None:
    base = make_base(unprivileged / "base")
    (base / "lockfile").touch(mode=0o400)

    class Msvcrt:
        LK_LOCK = 1
        LK_NBLCK = 2

        def locking(self, descriptor: int, mode: int, size: int, /) -> None:
            raise NotImplementedError

    assert find_owner(base, locking=WindowsLocking(Msvcrt())) is not None
    assert find_owner(base, locking=NATIVE) is None
