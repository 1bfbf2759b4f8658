"""Locks on files: our own, and those of others. The one file of this room that knows the platform.

Our own lock lies beside a base (``base.lock``): clones read under a shared hold, whoever changes the base has it alone.
A hold ends with its process, however that ends. Windows is covered by a plain fallback that has not been tried there.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Protocol

from poolwright.files.disk import PRIVATE_FILE_MODE
from poolwright.profile.errors import ProfileInUseError, ProfileRefusedError, missing_folder_error, unwritable_error

_READ_ONLY = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class Locking(Protocol):
    """How a platform locks files. Nothing here waits longer than it takes to read a profile."""

    def acquire(self, descriptor: int, *, is_shared: bool) -> bool:
        """Lock an open file; false when somebody else has it."""
        ...

    def is_held(self, path: Path) -> bool:
        """Whether another process has locked this file, which need not exist."""
        ...


class Msvcrt(Protocol):
    """What is used of the Windows module of that name."""

    @property
    def LK_LOCK(self) -> int:  # noqa: N802 - the name is Windows'
        """Lock, and wait up to 10 s for it."""
        ...

    @property
    def LK_NBLCK(self) -> int:  # noqa: N802 - the name is Windows'
        """Lock at once or not at all."""
        ...

    def locking(self, descriptor: int, mode: int, size: int, /) -> None:
        """Lock bytes from the current position on."""
        ...


class WindowsLocking:
    """One byte of the file stands for the whole of it; Windows knows no shared hold of this kind."""

    def __init__(self, msvcrt: Msvcrt) -> None:
        """Take the module as a parameter, so that tests elsewhere can stand in for it."""
        self._msvcrt = msvcrt

    def acquire(self, descriptor: int, *, is_shared: bool) -> bool:
        """Lock an open file; false when somebody else has it."""
        # Readers take turns: the mode that waits gives up after 10 s by itself, and a clone takes a fraction of one.
        mode = self._msvcrt.LK_LOCK if is_shared else self._msvcrt.LK_NBLCK
        try:
            self._msvcrt.locking(descriptor, mode, 1)
        except OSError:
            return False
        return True

    def is_held(self, path: Path) -> bool:
        """Whether another process has this file open: Windows refuses a second writer then."""
        try:
            with path.open("r+b"):
                return False
        except PermissionError:
            return True
        except FileNotFoundError:
            return False


if sys.platform == "win32":
    import msvcrt

    NATIVE: Locking = WindowsLocking(msvcrt)
else:
    import fcntl

    class PosixLocking:
        """Our own locks are ``flock``: bound to the open file, not to the process. Chromium's are ``fcntl`` locks."""

        def acquire(self, descriptor: int, *, is_shared: bool) -> bool:
            """Lock an open file; false when somebody else has it."""
            try:
                fcntl.flock(descriptor, (fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        def is_held(self, path: Path) -> bool:
            """Whether another process has locked this file, which need not exist."""
            try:
                descriptor = os.open(path, os.O_RDONLY)
            except FileNotFoundError:
                return False
            try:
                # A shared try collides with Chromium's exclusive lock and needs no right to write.
                fcntl.lockf(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except (BlockingIOError, PermissionError):
                return True
            finally:
                os.close(descriptor)
            return False

    NATIVE: Locking = PosixLocking()


class FileLock:
    """A lock of our own. Held from ``take`` to ``drop`` or to the end of the process; children don't inherit it."""

    __slots__ = ("_descriptor", "_locking", "path")

    def __init__(self, path: Path, *, locking: Locking = NATIVE) -> None:
        """Name the file; nothing is opened yet."""
        self.path = path
        self._locking = locking
        self._descriptor: int | None = None

    def acquire(self, *, is_shared: bool = False) -> bool:
        """Try to lock, making the file where needed; false when somebody else has it. Never waits for a person.

        Raises:
            OSError: The file can't be opened.
        """
        with ExitStack() as undo:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE_MODE)
            undo.callback(os.close, descriptor)
            # A file that was removed between opening and locking is nobody's lock any more.
            if self._locking.acquire(descriptor, is_shared=is_shared) and os.fstat(descriptor).st_nlink:
                undo.pop_all()
                self._descriptor = descriptor
                return True
        return False

    def release(self) -> None:
        """Let go. Does nothing when not held."""
        _close(self._descriptor)
        self._descriptor = None


class FolderLock:
    """The same of a whole folder, in which nothing is left: for programs that look into one folder of somebody else.

    Where the system, or the server of a share, locks no folders, everybody has it.
    """

    __slots__ = ("_descriptor", "_locking", "path")

    def __init__(self, path: Path, *, locking: Locking = NATIVE) -> None:
        """Name the folder; nothing is opened yet."""
        self.path = path
        self._locking = locking
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Try to lock; false when somebody else has it. A folder that cannot be opened is told by whoever reads it."""
        try:
            self._descriptor = os.open(self.path, os.O_RDONLY)
            if self._locking.acquire(self._descriptor, is_shared=False):
                return True
        except OSError:
            return True
        self.release()
        return False

    def release(self) -> None:
        """Let go. Does nothing when not held."""
        _close(self._descriptor)
        self._descriptor = None


def _close(descriptor: int | None) -> None:
    if descriptor is not None:
        with suppress(OSError):  # a share tells in this way what it did not write; the file is closed all the same
            os.close(descriptor)


def _acquire_base_lock(base: Path, *, is_shared: bool, refusal: str) -> FileLock | None:
    """The lock beside a base, held; nothing when it lies in a read-only place."""
    lock = FileLock(base.with_name(f"{base.name}.lock"))
    try:
        if not base.is_dir():
            raise missing_folder_error(base)
        is_taken = lock.acquire(is_shared=is_shared)
    except OSError as error:
        if error.errno in _READ_ONLY:
            return None
        raise unwritable_error(
            error,
            f"{lock.path} can't be locked ({error.strerror}). Move the profile to a local disk with file locks.",
        ) from error
    if not is_taken:
        raise ProfileInUseError(f"{base} {refusal} Wait until it has finished, then start again.")
    return lock


@contextmanager
def read_locked(base: Path) -> Generator[None]:
    """Keep a base from being changed by this program, over its check and the copy. Many may read at once.

    A base in a read-only place is read without a lock: nobody can write it from here, and the copy looks twice.

    Raises:
        ProfileMissingError: There is no such folder.
        ProfileInUseError: A login or another change of this base is going on.
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
    """Have a base alone, to log in or to write it.

    Raises:
        ProfileMissingError: There is no such folder.
        ProfileInUseError: Somebody reads or changes it.
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
