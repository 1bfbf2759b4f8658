"""Real processes that use memory as they are told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress

import pytest

from poolwright.ipc.process_tree import adopt_orphans
from tests.support.paths import ROOT


class MemoryHog:
    """A process that leads a session of its own, as a worker does, and starts others."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.pid = process.pid
        self.started: list[int] = []

    def eat(self, megabytes: int) -> None:
        """Fill new pages."""
        self._tell("eat", megabytes)

    def fork(self, megabytes: int = 0) -> int:
        """Start a child that shares all pages with it, and has some of its own."""
        return self._tell("fork", megabytes)

    def leave(self, megabytes: int) -> int:
        """Start a grandchild whose parent ends at once."""
        return self._tell("leave", megabytes)

    def end(self) -> None:
        """End it and all that it started."""
        for pid in self.started:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.communicate(timeout=10)
        for pid in self.started:
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)

    def _tell(self, word: str, megabytes: int) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{word} {megabytes}\n")
        self._process.stdin.flush()
        pid = int(self._process.stdout.readline())
        if pid != self.pid:
            self.started.append(pid)
        return pid


@contextmanager
def _started() -> Generator[MemoryHog]:
    adopt_orphans()
    hog = MemoryHog(
        subprocess.Popen(
            [sys.executable, "-m", "tests.process.system.memory_hog"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
    )
    try:
        hog.eat(0)
        yield hog
    finally:
        hog.end()


@pytest.fixture
def hog() -> Iterator[MemoryHog]:
    """The one that is measured. It has a few megabytes, and is up."""
    with _started() as hog:
        yield hog


@pytest.fixture
def other_hog() -> Iterator[MemoryHog]:
    """Another one."""
    with _started() as other_hog:
        yield other_hog
