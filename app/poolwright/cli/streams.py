"""Makes the standard streams safe to use even if they are closed, broken, full, or have a limited encoding.

Output to a person or a pipe never stops the work: output that cannot be written is lost, characters that the encoding
lacks are replaced, and closed descriptors are opened on the null device, so that no file or socket gets their number.
"""

from __future__ import annotations

import contextlib
import io
import os
import select
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO, cast

#: Interval of waiting for a pipe that is non-blocking and full.
_WRITE_WAIT_S = 1.0


class TolerantStream(io.RawIOBase):
    """Passes bytes on, discards those that cannot be written, and remembers the first error."""

    def __init__(self, raw: io.RawIOBase) -> None:
        """Write to ``raw``, which the owner closes."""
        super().__init__()
        self._raw = raw
        self._is_line_broken = False
        #: The first error; ``None`` if everything was written.
        self.first_error: OSError | ValueError | None = None

    def writable(self) -> bool:
        """Return true."""
        return True

    def fileno(self) -> int:
        """Return the descriptor of the raw stream."""
        return self._raw.fileno()

    def isatty(self) -> bool:
        """Return whether the raw stream is a terminal."""
        return self._raw.isatty()

    def write(self, data: Any, /) -> int:  # noqa: ANN401 - any buffer
        """Write as much as possible; end a partly written line before the next output."""
        content = bytes(data)
        rest = memoryview(b"\n" + content if self._is_line_broken else content)
        total = len(rest)
        try:
            while rest:
                rest = rest[self._write_part(rest) :]
        except (OSError, ValueError) as error:  # a closed file is a ValueError
            self.first_error = self.first_error or error
            self._is_line_broken = self._is_line_broken or 0 < len(rest) < total
        else:
            self._is_line_broken = False
        return len(content)

    def _write_part(self, rest: memoryview) -> int:
        written = self._raw.write(rest)
        if written is None:
            select.select([], [self._raw], [], _WRITE_WAIT_S)
        return written or 0


def secure_streams() -> None:
    """Replace the standard streams with safe ones. Calling it again changes nothing."""
    _fill_gaps()
    sys.stdout, sys.stderr = _secured(sys.stdout), _secured(sys.stderr)


def stream_losses() -> Iterator[str]:
    """Return one sentence for each stream that lost output, except for a reader that closed its end."""
    for name, stream in (("standard output", sys.stdout), ("standard error", sys.stderr)):
        if cause := stream_loss(stream):
            yield f"output to {name} was lost: {cause}"


def stream_loss(stream: TextIO) -> str:
    """Return why output to the stream was lost; empty if none was, or if the reader closed its end."""
    with contextlib.suppress(OSError, ValueError):  # a stream of another type
        stream.flush()
    raw = getattr(getattr(stream, "buffer", None), "raw", None)
    error = raw.first_error if isinstance(raw, TolerantStream) else None
    if error is None or isinstance(error, BrokenPipeError):
        return ""
    return getattr(error, "strerror", None) or str(error)


def _fill_gaps() -> None:
    """Open closed standard descriptors on the null device: a new file gets the lowest free number."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # noqa: FBT003 - its only parameter


def _secured(stream: TextIO | None) -> TextIO:
    """Return a stream that discards what it cannot write; a stream of another type is returned unchanged."""
    if stream is None:  # closed at the start
        return Path(os.devnull).open("w", encoding="utf-8")  # stays open until the program ends
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    buffer: Any = cast("Any", stream).buffer
    raw: io.RawIOBase = buffer if isinstance(buffer, io.RawIOBase) else buffer.raw
    if isinstance(raw, TolerantStream):  # already safe
        return cast("TextIO", stream)
    return io.TextIOWrapper(
        io.BufferedWriter(TolerantStream(raw)),
        encoding=stream.encoding,
        errors="backslashreplace" if stream is sys.stderr else "replace",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
