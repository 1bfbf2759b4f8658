"""Holds tests that start no process to it: the interpreter tells of every start before it happens."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any

import pytest


class ProcessGuard:
    """Fails a test at the moment when it starts a process, as long as it is shut."""

    def __init__(self) -> None:
        self._is_shut = False

    def install(self) -> None:
        """Hear what the interpreter tells from now on; there is no way back, so a test run does this once."""
        sys.addaudithook(self._hear)

    @contextmanager
    def shut(self) -> Generator[None]:
        """Let no process start in this block."""
        self._is_shut = True
        try:
            yield
        finally:
            self._is_shut = False

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._is_shut and (command := _command(event, arguments)) is not None:
            # No Exception, so nothing that catches errors of a start takes it for one.
            pytest.fail(f"A test of this folder starts no process, and this one is about to: {command}")


def _command(event: str, arguments: tuple[Any, ...]) -> str | None:
    """What is about to start, as one would type it; nothing where the event tells of something else."""
    match event, arguments:
        case (("subprocess.Popen" | "os.posix_spawn" | "os.exec"), (_, words, *_)):
            return _typed(words)
        case "os.system", (line,):
            return os.fsdecode(line)
        case (("os.fork" | "os.forkpty"), _):
            return f"a copy of itself ({event})"
        case _:
            return None


def _typed(words: str | bytes | os.PathLike[str] | Iterable[str | bytes | os.PathLike[str]]) -> str:
    if isinstance(words, str | bytes | os.PathLike):
        return os.fsdecode(words)
    return shlex.join(os.fsdecode(word) for word in words)
