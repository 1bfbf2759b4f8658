"""A disk that takes no more, without a disk of one's own."""

from __future__ import annotations

import resource
import signal
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def full_disk(size_bytes: int) -> Generator[None]:
    """No file may grow beyond this size: writing fails or stops short, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
