"""Real child processes for tests of what other processes hold."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def child(code: str, *arguments: str) -> Generator[tuple[subprocess.Popen[str], str]]:
    """A Python process that runs `code`, prints one line when it is ready, and is killed at the end at the latest.

    It is given with its line; it should then block on reading its standard input.
    """
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def kill(process: subprocess.Popen[str]) -> None:
    """End it as a power cut would, and wait until it is gone."""
    process.kill()
    process.wait()
