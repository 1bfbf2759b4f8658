"""Detects a browser that has a user-data folder open. It reads two signs, because either alone can mislead.

``SingletonLock`` is a dangling link that reads ``host-pid`` and outlives a killed browser; the lock on the LevelDB of
Local Storage ends with its browser, but is not there before the browser is up. A copy taken while a browser runs lacks
up to 30 s of cookies, so a base in use is refused.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path

from poolwright.profile.errors import ProfileInUseError, unreadable_error
from poolwright.profile.locks import NATIVE, Locking

SINGLETON_LOCK = "SingletonLock"
_STORAGE_LOCK = Path("Default", "Local Storage", "leveldb", "LOCK")
_WINDOWS_LOCK = Path("lockfile")

_FOLDER_ARGUMENT = b"--user-data-dir="


@dataclass(frozen=True, slots=True, kw_only=True)
class LockOwner:
    """Who wrote ``SingletonLock``. It may be dead, and its number may be another program's by now."""

    host: str
    pid: int

    def __str__(self) -> str:
        """Read as a sentence says it."""
        return f"process {self.pid} on {self.host}"


def read_owner(folder: Path) -> LockOwner | None:
    """Who says to have the folder open; nothing when nobody does, or when the link is garbage (Chromium ignores it)."""
    try:
        text = str((folder / SINGLETON_LOCK).readlink())
    except OSError:
        return None
    host, dash, pid = text.rpartition("-")
    return LockOwner(host=host, pid=int(pid)) if dash and pid.isascii() and pid.isdigit() else None


def _has_open(owner: LockOwner, folder: Path, proc: Path) -> bool:
    if not (proc / "self").exists():
        # No such file system here: a living process of that number is taken for the browser.
        return owner.host == socket.gethostname() and is_process_alive(owner.pid)
    process = proc / str(owner.pid)
    try:
        arguments = (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    named = [argument.removeprefix(_FOLDER_ARGUMENT) for argument in arguments if argument.startswith(_FOLDER_ARGUMENT)]
    # Proof enough whatever the host's name: that may have changed since. A relative name counts from where the process
    # stands; an absolute one replaces all before it.
    return any((process / "cwd" / os.fsdecode(name)).resolve() == folder.resolve() for name in named)


def is_process_alive(pid: int) -> bool:
    """Whether there is a process of this number; somebody else's counts too. Windows cannot be asked this way."""
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
    """Who has the folder open, in words; nothing when it is free.

    Args:
        folder: A user-data folder.
        proc: Where the processes of this machine show, if anywhere.
        locking: How this platform locks files.

    Raises:
        ProfileDamagedError: The lock files can't be read, so nobody can tell.
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
        ProfileInUseError: One has.
        ProfileDamagedError: Nobody can tell.
    """
    occupant = find_owner(folder)
    if occupant is not None:
        raise ProfileInUseError(f"{folder} is open in a browser ({occupant}). Close that browser, then start again.")


def find_foreign_owner(folder: Path) -> LockOwner | None:
    """Who left the lock of another machine in a folder that nobody here has open: a container that is gone, mostly."""
    owner = read_owner(folder)
    return owner if owner is not None and owner.host != socket.gethostname() else None
