"""The processes of a test, as text."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from poolwright.concurrency import SystemClock

#: The command line of a browser's process can have thousands of letters; its kind and profile stand before that.
COMMAND_CHARS = 600
_ROW = "{:>8} {:>8} {:<12} {:>8} {}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One process."""

    pid: int
    parent: int
    state: str
    age_s: float
    command: str

    def __str__(self) -> str:
        """One line."""
        return _ROW.format(self.pid, self.parent, self.state, f"{self.age_s:.1f}s", self.command)


def process_table(folders: Sequence[Path]) -> str:
    """All processes that belong to whoever uses these folders, or was started here; all there are, if there is none."""
    processes = {process.pid: process for process in psutil.process_iter()}
    parents = {pid: parent for pid, process in processes.items() if (parent := _parent(process)) is not None}
    named = {pid for pid, process in processes.items() if _names(process, folders)}
    ours = [
        processes[pid] for pid in processes if pid != os.getpid() and _descends(pid, {*named, os.getpid()}, parents)
    ]
    head = [] if ours else ["No process of this test was found; these are all of the machine."]
    rows = _rows(ours or processes.values())
    return "\n".join([*head, _ROW.format("pid", "parent", "state", "age", "command"), *map(str, rows), ""])


def _rows(processes: Iterable[psutil.Process]) -> list[Row]:
    now_s = SystemClock().now().timestamp()
    rows: list[Row] = []
    for process in processes:
        with contextlib.suppress(psutil.Error), process.oneshot():
            rows.append(
                Row(
                    pid=process.pid,
                    parent=process.ppid(),
                    state=process.status(),
                    age_s=now_s - process.create_time(),
                    command=_command(process)[:COMMAND_CHARS],
                )
            )
    return rows


def _command(process: psutil.Process) -> str:
    """In one line, whatever its words hold; one that is dead and waits for its parent has only a name any more."""
    with contextlib.suppress(psutil.ZombieProcess):
        if words := " ".join(process.cmdline()).split():
            return " ".join(words)
    return f"[{process.name()}]"


def _parent(process: psutil.Process) -> int | None:
    try:
        return process.ppid()
    except psutil.Error:
        return None


def _names(process: psutil.Process, folders: Sequence[Path]) -> bool:
    """Whether one of the folders stands on its command line or in its environment; each of them may be hidden."""
    told: list[str] = []
    with contextlib.suppress(psutil.Error):
        told += process.cmdline()
    with contextlib.suppress(psutil.Error):
        told += process.environ().values()
    return any(str(folder) in word for word in told for folder in folders)


def _descends(pid: int, ancestors: set[int], parents: dict[int, int]) -> bool:
    seen: set[int] = set()
    while pid not in ancestors:
        if pid in seen or pid not in parents:
            return False
        seen.add(pid)
        pid = parents[pid]
    return True
