"""Real processes that use memory as they are told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from app.bridge.strays import adopt_orphans
from tests.support.paths import ROOT


class Eater:
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
def _started() -> Generator[Eater]:
    adopt_orphans()
    eater = Eater(
        subprocess.Popen(
            [sys.executable, "-m", "tests.memory.eating"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
    )
    try:
        eater.eat(0)
        yield eater
    finally:
        eater.end()


@pytest.fixture
def eater() -> Iterator[Eater]:
    """The one that is measured. It has a few megabytes, and is up."""
    with _started() as eater:
        yield eater


@pytest.fixture
def stranger() -> Iterator[Eater]:
    """Another one."""
    with _started() as stranger:
        yield stranger


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where a worker with a browser lives; short, because a browser puts sockets there."""
    with TemporaryDirectory(prefix="pw-") as folder:
        home = Path(folder).resolve()
        for name in ("tmp", "profile"):
            (home / name).mkdir()
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        monkeypatch.setenv("PROFILE", str(home / "profile"))
        yield home
