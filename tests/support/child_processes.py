"""Spawning scripted workers, and proof that nothing of them is left."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import psutil
from anyio.abc import Process

from poolwright.domain.ids import WorkerRef
from poolwright.ipc.process import SpawnSpec, WorkerProcess


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and was not asked for its exit code yet does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def marked(folder: Path) -> list[int]:
    """Every process that has this folder in its environment or on its command line."""
    found: list[int] = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if str(folder) in " ".join([*process.cmdline(), process.environ().get("TMPDIR", "")]):
                found.append(process.pid)
    return found


def open_descriptors() -> set[int]:
    """What this process has open."""
    return {int(one.name) for one in Path("/proc/self/fd").iterdir() if one.exists()}


def kill_all(pids: Iterable[int]) -> None:
    """What a failed test leaves must not disturb the next one."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def order(folder: Path, *, is_over_stdio: bool = False, module: str = "tests.support.scripted_child") -> SpawnSpec:
    """Start a scripted worker below a folder of its own."""
    return SpawnSpec(
        worker=WorkerRef(3, 2),
        temp_path=folder / "tmp",
        profile_path=folder / "profile",
        module=module,
        is_over_stdio=is_over_stdio,
    )


class ReusedNumber:
    """An ended process whose number somebody else has now."""

    def __init__(self, process: Process, pid: int) -> None:
        self._process = process
        self.pid = pid

    def __getattr__(self, name: str) -> object:
        return getattr(self._process, name)


Play = Callable[..., AbstractAsyncContextManager[tuple[WorkerProcess, int]]]
"""``play("part", is_over_stdio=False)``: the child that plays it, and the pid that it told. Ended with the block."""
