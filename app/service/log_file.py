"""The file of the log: put aside and begun anew at a size, a few old ones kept, and never a reason to stop.

A disk that is full loses lines and is told of once; the next line tries again. What could not be written is shown
nowhere, since it was meant for its owner's file alone.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

#: A file of this size is put aside and a new one begun; so many are kept beside it.
ROTATION_BYTES = 10_000_000
KEPT_FILES = 5
FILE_MODE = 0o600


class LogFile:
    """A file that takes one line after another, from one thread at a time."""

    def __init__(self, path: Path, tell: Callable[[str], object]) -> None:
        """Open the file, to go on at its end.

        Args:
            path: Where it is; its folder is made.
            tell: Takes a sentence for people when lines are lost.

        Raises:
            OSError: It cannot be made or written.
        """
        self._path = path
        self._tell = tell
        self._is_whole = True
        path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor: int | None = self._opened()

    def write(self, line: str) -> None:
        """Write a line with its end, or tell once that lines are lost."""
        try:
            self._append(line.encode("utf-8", "backslashreplace"))  # half a character: JSON escapes it alike
            self._is_whole = True
        except OSError as error:
            self.close()
            if self._is_whole:
                self._tell(f"The log {self._path} loses lines: {error.strerror}. Give it room; the work goes on.")
            self._is_whole = False

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
        """Each old file one further, the oldest gone."""
        for number in range(KEPT_FILES, 1, -1):
            if self._aside(number - 1).exists():
                self._aside(number - 1).replace(self._aside(number))
        self._path.replace(self._aside(1))

    def _aside(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.stem}.{number}{self._path.suffix}")

    def _opened(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), FILE_MODE)
