"""The advisory lock of a journal: one program at a time.

The system releases the lock when its process ends, also after a kill. The lock file is never removed: otherwise two
programs could lock two files of the same name. It contains the pid of the latest holder, for the message of
``JournalBusyError``. The code for Windows was never run on a real Windows machine.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path

from poolwright.journal.errors import JournalBusyError

#: Longest pid that is read, in bytes.
_PID_BYTES = 20

if sys.platform == "win32":
    import msvcrt

    #: Locked bytes cannot be read on Windows, so the locked byte is far behind the pid.
    _LOCK_OFFSET = 1 << 20

    def _try_lock(descriptor: int) -> bool:
        os.lseek(descriptor, _LOCK_OFFSET, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _read_pid(descriptor: int) -> int | None:
    os.lseek(descriptor, 0, os.SEEK_SET)
    text = os.read(descriptor, _PID_BYTES).decode("ascii", "replace").strip()
    return int(text) if text.isdecimal() else None


def _write_pid(descriptor: int) -> None:
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, f"{os.getpid()}\n".encode("ascii"))


def acquire_journal_lock(journal_path: Path) -> int:
    """Acquire the lock of a journal and return its descriptor; closing that releases the lock.

    Raises:
        JournalBusyError: Another program has the lock.
        OSError: The lock file cannot be created, or its file system does not support locks.
    """
    lock_path = journal_path.with_name(f"{journal_path.name}.lock")
    descriptor = os.open(lock_path, os.O_RDWR | os.O_CREAT, 0o600)
    with ExitStack() as undo:
        undo.callback(os.close, descriptor)
        if not _try_lock(descriptor):
            raise JournalBusyError(journal_path, _read_pid(descriptor))
        _write_pid(descriptor)
        undo.pop_all()
    return descriptor
