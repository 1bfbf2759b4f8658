"""Standard input and output as they may be: closed, gone, full, or without the letters that are to be written.

What is written to a person or a pipe never ends the work behind it: what nobody can take is lost, letters that the
encoding lacks are replaced, and a descriptor that is closed is filled, so that no file or socket takes its number.
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

#: So long a writer waits at a time for a pipe that somebody made to refuse instead of to wait.
_WRITE_WAIT_S = 1.0


class TolerantStream(io.RawIOBase):
    """Passes bytes on; takes those that are refused all the same, and remembers why."""

    def __init__(self, raw: io.RawIOBase) -> None:
        """Write to ``raw``, which stays its owner's to close."""
        super().__init__()
        self._raw = raw
        self._is_torn = False
        #: The first refusal; nothing as long as all was taken.
        self.first_error: OSError | ValueError | None = None

    def writable(self) -> bool:
        """It is always so."""
        return True

    def fileno(self) -> int:
        """The descriptor behind it."""
        return self._raw.fileno()

    def isatty(self) -> bool:
        """Whether a person may sit there."""
        return self._raw.isatty()

    def write(self, data: Any, /) -> int:  # noqa: ANN401 - whatever a stream takes
        """Write all of it, or what is taken; a line that was torn ends before the next one begins."""
        content = bytes(data)
        rest = memoryview(b"\n" + content if self._is_torn else content)
        whole = len(rest)
        try:
            while rest:
                rest = rest[self._some(rest) :]
        except (OSError, ValueError) as error:  # a closed file is a ValueError
            self.first_error = self.first_error or error
            self._is_torn = self._is_torn or 0 < len(rest) < whole
        else:
            self._is_torn = False
        return len(content)

    def _some(self, rest: memoryview) -> int:
        taken = self._raw.write(rest)
        if taken is None:
            select.select([], [self._raw], [], _WRITE_WAIT_S)
        return taken or 0


def secure_streams() -> None:
    """Have standard streams that can be used, whatever this program was started with. Once more does no harm."""
    _fill_gaps()
    sys.stdout, sys.stderr = _secured(sys.stdout), _secured(sys.stderr)


def stream_losses() -> Iterator[str]:
    """What was written and nobody took, a sentence for each stream; a reader that has enough is none."""
    for name, stream in (("standard output", sys.stdout), ("standard error", sys.stderr)):
        if why := stream_loss(stream):
            yield f"output to {name} was lost: {why}"


def stream_loss(stream: TextIO) -> str:
    """Why something that was written there is lost; empty when nothing is, or a reader has enough."""
    with contextlib.suppress(OSError, ValueError):  # it is none of ours
        stream.flush()
    outlet = getattr(getattr(stream, "buffer", None), "raw", None)
    refusal = outlet.first_error if isinstance(outlet, TolerantStream) else None
    if refusal is None or isinstance(refusal, BrokenPipeError):
        return ""
    return getattr(refusal, "strerror", None) or str(refusal)


def _fill_gaps() -> None:
    """A file that is opened takes the lowest free number: never that of a stream that others read or write."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # noqa: FBT003 - its only parameter


def _secured(stream: TextIO | None) -> TextIO:
    """A stream that takes everything; one that is no plain file or terminal is left as it is."""
    if stream is None:  # it was closed
        return Path(os.devnull).open("w", encoding="utf-8")  # open as long as the program lives
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    buffer: Any = cast("Any", stream).buffer
    raw: io.RawIOBase = buffer if isinstance(buffer, io.RawIOBase) else buffer.raw
    if isinstance(raw, TolerantStream):  # secured before
        return cast("TextIO", stream)
    return io.TextIOWrapper(
        io.BufferedWriter(TolerantStream(raw)),
        encoding=stream.encoding,
        errors="backslashreplace" if stream is sys.stderr else "replace",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
