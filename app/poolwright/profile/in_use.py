"""Locks a base against other commands, and detects a browser that has a user-data folder open.

The lock file is beside the base (``base.lock``): clones read under a shared lock, and a command that changes the base
needs the exclusive one.

Two signs show a browser, as either alone can mislead. ``SingletonLock`` is a dangling link to ``host-pid``, which stays
after a browser was killed; the lock on the LevelDB of Local Storage ends with its browser, but begins only after the
start. A copy taken while a browser runs lacks up to 30 s of cookies, so a base in use is refused.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from poolwright.files.locks import NATIVE, FileLock, Locking
from poolwright.profile.errors import (
    ProfileInUseError,
    ProfileRefusedError,
    missing_folder_error,
    unreadable_error,
    unwritable_error,
)

SINGLETON_LOCK = "SingletonLock"
_STORAGE_LOCK = Path("Default", "Local Storage", "leveldb", "LOCK")
_WINDOWS_LOCK = Path("lockfile")

_FOLDER_ARGUMENT = b"--user-data-dir="
_READ_ONLY = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


@dataclass(frozen=True, slots=True, kw_only=True)
class LockOwner:
    """The process in ``SingletonLock``. It may have ended, and its pid may belong to another program now."""

    host: str
    pid: int

    def __str__(self) -> str:
        """Return the owner in words for a sentence."""
        return f"process {self.pid} on {self.host}"


def read_owner(folder: Path) -> LockOwner | None:
    """Return the owner in ``SingletonLock``; ``None`` without a link, or with an invalid one (Chromium ignores it)."""
    try:
        text = str((folder / SINGLETON_LOCK).readlink())
    except OSError:
        return None
    host, dash, pid = text.rpartition("-")
    return LockOwner(host=host, pid=int(pid)) if dash and pid.isascii() and pid.isdigit() else None


def _has_open(owner: LockOwner, folder: Path, proc: Path) -> bool:
    if not (proc / "self").exists():
        # No such file system: a running process with this pid is assumed to be the browser.
        return owner.host == socket.gethostname() and is_process_alive(owner.pid)
    process = proc / str(owner.pid)
    try:
        arguments = (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    named = [argument.removeprefix(_FOLDER_ARGUMENT) for argument in arguments if argument.startswith(_FOLDER_ARGUMENT)]
    # The host name is not compared, as it may have changed since. A relative path starts in the working directory of
    # the process; an absolute one replaces it.
    return any((process / "cwd" / os.fsdecode(name)).resolve() == folder.resolve() for name in named)


def is_process_alive(pid: int) -> bool:
    """Return whether a process with this pid exists, also one of another user; always true on Windows."""
    if os.name == "nt":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def find_owner(folder: Path, *, proc: Path = Path("/proc"), locking: Locking = NATIVE) -> str | None:
    """Return who has the folder open, in words; ``None`` when nobody has.

    Args:
        folder: A user-data folder.
        proc: The ``/proc`` file system, which need not exist.
        locking: The file locks of this platform.

    Raises:
        ProfileDamagedError: The lock files can't be read.
    """
    owner = read_owner(folder)
    if owner is not None and _has_open(owner, folder, proc):
        return str(owner)
    try:
        is_held = locking.is_held(folder / _STORAGE_LOCK) or locking.is_held(folder / _WINDOWS_LOCK)
    except OSError as error:
        raise unreadable_error(folder, error) from error
    return "a browser that holds its storage" if is_held else None


def refuse_in_use(folder: Path) -> None:
    """Make sure that no browser has the folder open.

    Raises:
        ProfileInUseError: A browser has it open.
        ProfileDamagedError: The lock files can't be read.
    """
    owner = find_owner(folder)
    if owner is not None:
        raise ProfileInUseError(f"{folder} is open in a browser ({owner}). Close that browser, then start again.")


def find_foreign_owner(folder: Path) -> LockOwner | None:
    """Return the owner of a lock from another machine, mostly a container that has ended; ``None`` without one."""
    owner = read_owner(folder)
    return owner if owner is not None and owner.host != socket.gethostname() else None


def _acquire_base_lock(base: Path, *, is_shared: bool, refusal: str) -> FileLock | None:
    """Acquire the lock beside a base and return it; ``None`` if the base is in a read-only place."""
    lock = FileLock(base.with_name(f"{base.name}.lock"))
    try:
        if not base.is_dir():
            raise missing_folder_error(base)
        is_acquired = lock.acquire(is_shared=is_shared)
    except OSError as error:
        if error.errno in _READ_ONLY:
            return None
        raise unwritable_error(
            error,
            f"{lock.path} can't be locked ({error.strerror}). Move the profile to a local disk with file locks.",
        ) from error
    if not is_acquired:
        raise ProfileInUseError(f"{base} {refusal} Wait until it has finished, then start again.")
    return lock


@contextmanager
def read_locked(base: Path) -> Generator[None]:
    """Hold the shared lock of a base, so that no other command changes it during a check and a copy.

    A base in a read-only place is read without a lock: no command can change it from here, and the copy checks twice.

    Raises:
        ProfileMissingError: There is no such folder.
        ProfileInUseError: A login or another command changes it.
        SetupError: Files can't be locked there.
    """
    lock = _acquire_base_lock(base, is_shared=True, refusal="is being changed by another poolwright command.")
    try:
        yield
    finally:
        if lock is not None:
            lock.release()


@contextmanager
def write_locked(base: Path) -> Generator[None]:
    """Hold the exclusive lock of a base, to log in or to change it.

    Raises:
        ProfileMissingError: There is no such folder.
        ProfileInUseError: Another command reads or changes it.
        ProfileRefusedError: It lies in a read-only place.
        SetupError: Files can't be locked there.
    """
    lock = _acquire_base_lock(base, is_shared=False, refusal="is being read or changed by another poolwright command.")
    if lock is None:
        raise ProfileRefusedError(
            f"{base.parent} can't be written, so its profile can't be changed. Make that folder writable."
        )
    try:
        yield
    finally:
        lock.release()
