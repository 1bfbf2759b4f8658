"""The log file with its rotation, and the thread that writes to it, so that no caller waits for the disk.

One thread writes all lines in their order. Lines that a full or hanging disk does not accept are counted and reported
to people once, but not shown, since the log may contain private data. As soon as the disk accepts lines again, a line
in the log says how many are missing at this point.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Condition, Thread

#: The file is rotated at this size; this many old files are kept.
ROTATION_BYTES = 10_000_000
KEPT_FILES = 5
FILE_MODE = 0o600


class LogFile:
    """A log file with rotation, written by one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Open the file for appending; create it and its folder if they do not exist.

        Raises:
            OSError: The file cannot be created or written.
        """
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor: int | None = self._open()

    def write(self, line: str) -> None:
        """Write a line, including its line break.

        Raises:
            OSError: The line could not be written, and no part of it remains. Later lines may succeed.
        """
        self._append(line.encode("utf-8", "backslashreplace"))  # a lone surrogate is escaped as in JSON

    def close(self) -> None:
        """Close the file; ``write`` opens it again."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _append(self, content: bytes) -> None:
        descriptor = self._descriptor = self._open() if self._descriptor is None else self._descriptor
        size_bytes = os.fstat(descriptor).st_size
        if size_bytes and size_bytes + len(content) > ROTATION_BYTES:
            self.close()
            self._rotate()
            descriptor, size_bytes = self._open(), 0
            self._descriptor = descriptor
        if os.write(descriptor, content) < len(content):
            # Remove the partial line, which would damage the next one.
            os.ftruncate(descriptor, size_bytes)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _rotate(self) -> None:
        """Rotate: renumber the old files and drop the oldest."""
        for number in range(KEPT_FILES, 1, -1):
            if self._rotated_path(number - 1).exists():
                self._rotated_path(number - 1).replace(self._rotated_path(number))
        self.path.replace(self._rotated_path(1))

    def _rotated_path(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.stem}.{number}{self.path.suffix}")

    def _open(self) -> int:
        return os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), FILE_MODE)


#: Maximum length in characters of all queued lines; some minutes of a busy pool.
WAITING_MAX = 8_000_000
#: Time limit for writing the remaining lines on close.
CLOSE_LIMIT_S = 5.0


@dataclass(slots=True)
class _LostLines:
    """Marks a position where lines were dropped."""

    count: int


class LogWriter:
    """Accepts lines from any thread and writes them in a thread of its own."""

    def __init__(self, file: LogFile, tell: Callable[[str], object], gap: Callable[[int], str]) -> None:
        """Start the writer thread, a daemon thread.

        Args:
            file: The log file; from now on only the thread uses it.
            tell: Receives a sentence for people when lines are lost.
            gap: Returns the line of the log for this number of lost lines.
        """
        self._file = file
        self._tell = tell
        self._gap = gap
        self._changed = Condition()
        self._waiting = deque[str | _LostLines]()
        self._waiting_size = 0
        self._is_closing = False
        #: Lost lines that the file does not report yet, and whether no loss was reported. Used by the thread only.
        self._lost_count = 0
        self._is_whole = True
        self._thread = Thread(target=self._write_all, name="log", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Queue a line with its line end; returns at once."""
        is_first_loss = False
        with self._changed:
            if self._waiting_size + len(line) <= WAITING_MAX or not self._waiting:
                self._waiting.append(line)
                self._waiting_size += len(line)
            elif isinstance(last := self._waiting[-1], _LostLines):
                last.count += 1
            else:
                self._waiting.append(_LostLines(1))
                is_first_loss = True
            self._changed.notify()
        if is_first_loss:
            self._tell(f"The log {self._file.path} is losing lines: its disk hangs or is too slow. The run continues.")

    def close(self) -> None:
        """Write the queued lines and close the file; gives up with a message if the disk hangs."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        self._thread.join(CLOSE_LIMIT_S)
        if self._thread.is_alive():
            with self._changed:
                count = sum(item.count if isinstance(item, _LostLines) else 1 for item in self._waiting)
            self._tell(f"The log {self._file.path} is missing its last {count + 1:,} lines: its disk hangs.")

    def _write_all(self) -> None:
        while (item := self._next()) is not None:
            if isinstance(item, _LostLines):
                self._lost_count += item.count
            else:
                self._write(item)
        with contextlib.suppress(OSError):
            self._file.close()

    def _next(self) -> str | _LostLines | None:
        """Return the next queued line, or ``None`` after the last one."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_closing)
            if not self._waiting:
                return None
            item = self._waiting.popleft()
            self._waiting_size -= 0 if isinstance(item, _LostLines) else len(item)
            return item

    def _write(self, line: str) -> None:
        try:
            if self._lost_count:
                self._file.write(self._gap(self._lost_count))
                self._lost_count = 0
            self._file.write(line)
        except OSError as error:
            with contextlib.suppress(OSError):
                self._file.close()
            self._lost_count += 1
            if self._is_whole:
                path, cause = self._file.path, error.strerror
                self._tell(f"The log {path} is losing lines: {cause}. Free some disk space; the run continues.")
            self._is_whole = False
        else:
            self._is_whole = True
