"""Advisory locks on files and folders, and the detection of locks that other programs hold.

A lock ends with its process, however that ends. The fallback for Windows has never been used on a real machine. Only
``OSError`` is raised here.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Protocol

from poolwright.files.disk import PRIVATE_FILE_MODE


class Locking(Protocol):
    """The file locks of a platform. No method waits longer than a few seconds."""

    def acquire(self, descriptor: int, *, is_shared: bool) -> bool:
        """Lock an open file; return false if another program holds the lock."""
        ...

    def is_held(self, path: Path) -> bool:
        """Return whether another process has locked this file, which need not exist."""
        ...


class Msvcrt(Protocol):
    """The part of the Windows module ``msvcrt`` that is used here."""

    @property
    def LK_LOCK(self) -> int:  # noqa: N802 - the name is Windows'
        """Return the mode that waits up to 10 s for the lock."""
        ...

    @property
    def LK_NBLCK(self) -> int:  # noqa: N802 - the name is Windows'
        """Return the mode that fails at once if the lock is taken."""
        ...

    def locking(self, descriptor: int, mode: int, size: int, /) -> None:
        """Lock bytes from the current position."""
        ...


class WindowsLocking:
    """Locks the first byte of a file in place of the whole file; Windows has no shared lock of this kind."""

    def __init__(self, msvcrt: Msvcrt) -> None:
        """Use this module; a parameter, so that tests on other platforms can replace it."""
        self._msvcrt = msvcrt

    def acquire(self, descriptor: int, *, is_shared: bool) -> bool:
        """Lock an open file; return false if another program holds the lock."""
        # Readers take turns: the waiting mode gives up after 10 s by itself, and a clone takes less than one.
        mode = self._msvcrt.LK_LOCK if is_shared else self._msvcrt.LK_NBLCK
        try:
            self._msvcrt.locking(descriptor, mode, 1)
        except OSError:
            return False
        return True

    def is_held(self, path: Path) -> bool:
        """Return whether another process has this file open: Windows refuses a second writer then."""
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
        """Takes ``flock`` locks, which belong to the open file, and detects the ``fcntl`` locks of Chromium."""

        def acquire(self, descriptor: int, *, is_shared: bool) -> bool:
            """Lock an open file; return false if another program holds the lock."""
            try:
                fcntl.flock(descriptor, (fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        def is_held(self, path: Path) -> bool:
            """Return whether another process has locked this file, which need not exist."""
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
    """A lock file, held from ``acquire`` to ``release`` or to the end of the process; children don't inherit it."""

    __slots__ = ("_descriptor", "_locking", "path")

    def __init__(self, path: Path, *, locking: Locking = NATIVE) -> None:
        """Set the path; nothing is opened yet."""
        self.path = path
        self._locking = locking
        self._descriptor: int | None = None

    def acquire(self, *, is_shared: bool = False) -> bool:
        """Try to lock, and create the file if needed; return false if another program holds the lock.

        Raises:
            OSError: The file can't be opened.
        """
        with ExitStack() as undo:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE_MODE)
            undo.callback(os.close, descriptor)
            # A file that was removed between opening and locking excludes nobody.
            if self._locking.acquire(descriptor, is_shared=is_shared) and os.fstat(descriptor).st_nlink:
                undo.pop_all()
                self._descriptor = descriptor
                return True
        return False

    def release(self) -> None:
        """Release the lock; without effect if it is not held."""
        _close(self._descriptor)
        self._descriptor = None


class FolderLock:
    """A lock on a folder of somebody else, without a file in it.

    If the system, or the server of a share, cannot lock folders, every program gets the lock.
    """

    __slots__ = ("_descriptor", "_locking", "path")

    def __init__(self, path: Path, *, locking: Locking = NATIVE) -> None:
        """Set the path; nothing is opened yet."""
        self.path = path
        self._locking = locking
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Try to lock; return false if another program holds the lock, true if the folder can't be opened or locked."""
        try:
            self._descriptor = os.open(self.path, os.O_RDONLY)
            if self._locking.acquire(self._descriptor, is_shared=False):
                return True
        except OSError:
            return True
        self.release()
        return False

    def release(self) -> None:
        """Release the lock; without effect if it is not held."""
        _close(self._descriptor)
        self._descriptor = None


def _close(descriptor: int | None) -> None:
    if descriptor is not None:
        with suppress(OSError):  # a share may report a failed write here; the file is closed all the same
            os.close(descriptor)
