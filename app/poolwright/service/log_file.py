"""The file of the log: put aside and begun anew at a size, a few old ones kept, and lines in it are whole or not there.

What could not be written is shown nowhere, since it was meant for its owner's file alone.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

#: The file is rotated at this size; this many old files are kept.
ROTATION_BYTES = 10_000_000
KEPT_FILES = 5
FILE_MODE = 0o600


class LogFile:
    """A log file with rotation, written by one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Open the file, to go on at its end. Its folder is made.

        Raises:
            OSError: It cannot be made or written.
        """
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor: int | None = self._opened()

    def write(self, line: str) -> None:
        """Write a line with its end.

        Raises:
            OSError: The line could not be written, and no part of it remains. Later lines may succeed.
        """
        self._append(line.encode("utf-8", "backslashreplace"))  # half a character: JSON escapes it alike

    def close(self) -> None:
        """Close the file; a line that comes later opens it again."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _append(self, content: bytes) -> None:
        descriptor = self._descriptor = self._opened() if self._descriptor is None else self._descriptor
        size_bytes = os.fstat(descriptor).st_size
        if size_bytes and size_bytes + len(content) > ROTATION_BYTES:
            self.close()
            self._put_aside()
            descriptor, size_bytes = self._opened(), 0
            self._descriptor = descriptor
        if os.write(descriptor, content) < len(content):
            # Half a line would spoil the next one: it is taken back.
            os.ftruncate(descriptor, size_bytes)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _put_aside(self) -> None:
        """Rotate: renumber the old files and drop the oldest."""
        for number in range(KEPT_FILES, 1, -1):
            if self._aside(number - 1).exists():
                self._aside(number - 1).replace(self._aside(number))
        self.path.replace(self._aside(1))

    def _aside(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.stem}.{number}{self.path.suffix}")

    def _opened(self) -> int:
        return os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), FILE_MODE)
