"""The end of a program whose own end hangs: on a disk, on a share, on a process that the system does not let go of.

Everything that ends in order has a limit of its own. This needs none of it: no event loop, no lock, no disk. What it
cuts short is as after a power cut, and the next start takes it up.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Generator
from typing import NoReturn

from poolwright.cli.exits import Exit

#: On top of what orders in flight may take: the reading of what came of them, and the report.
OVERTIME_S = 25.0
#: Threads that are done with their work end by themselves; the program waits so long for them.
THREADS_S = 3.0
_STDERR = 2
_TOLD = (
    b"poolwright: forced exit: a disk, a network share or a process did not respond within the time limit. "
    b"The next start continues with the rest.\n"
)


@contextlib.contextmanager
def last_resort(limit_s: float) -> Generator[Callable[[], None]]:
    """Ready as long as the block lasts: from when what this yields is called, the program has so long for its end."""
    timer = threading.Timer(limit_s, _end_the_hard_way)
    timer.daemon = True
    try:
        yield timer.start
    finally:
        timer.cancel()


def leave(code: int) -> None:
    """End the program although threads hang; where none does, this returns, for the usual way."""
    by_s = time.monotonic() + THREADS_S
    for thread in _still_there():
        thread.join(max(0.0, by_s - time.monotonic()))
    if _still_there():
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _still_there() -> list[threading.Thread]:
    """Threads that the interpreter would wait for without end."""
    return [one for one in threading.enumerate() if one is not threading.main_thread() and not one.daemon]


def _end_the_hard_way() -> NoReturn:
    with contextlib.suppress(OSError):
        os.write(_STDERR, _TOLD)
    os._exit(Exit.STOPPED)
