"""What the supervisor and its workers take at a moment, from the system. Blocking: call it in a thread."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil

from bench.soak.samples import Usage
from poolwright.system.memory_usage import read_process_memory


def own_usage() -> Usage | None:
    """This process alone, without the workers below it."""
    return _usage([psutil.Process()])


def tree_usage(pid: int | None) -> Usage | None:
    """A worker with all below it; nothing when it has no process, or just lost it."""
    return _usage(_tree(pid))


def _usage(processes: Iterable[psutil.Process]) -> Usage | None:
    counts = [count for process in processes if (count := _counts(process))]
    if not counts:
        return None
    memory_bytes, data_bytes, file_count, thread_count = (sum(column) for column in zip(*counts, strict=True))
    return Usage(
        memory_bytes=memory_bytes,
        data_bytes=data_bytes,
        file_count=file_count,
        thread_count=thread_count,
        process_count=len(counts),
    )


def _tree(pid: int | None) -> Iterator[psutil.Process]:
    with contextlib.suppress(psutil.Error):
        if pid is not None:
            parent = psutil.Process(pid)
            yield from (parent, *parent.children(recursive=True))


def _counts(process: psutil.Process) -> tuple[int, int, int, int] | None:
    """Memory, data, open files and threads of one process; nothing when it is gone."""
    with contextlib.suppress(psutil.Error, OSError):
        return *_memory(process), _file_count(process), process.num_threads()
    return None


def _memory(process: psutil.Process) -> tuple[int, int]:
    rollup = Path(f"/proc/{process.pid}/smaps_rollup")
    if not rollup.exists():
        own_bytes = read_process_memory(process).own_bytes
        return own_bytes, own_bytes
    return shares(rollup.read_text(encoding="ascii"))


def shares(rollup: str) -> tuple[int, int]:
    """The proportional share of a process from the kernel's summary: all of it, and without mapped files.

    Mapped files are programs and libraries. Strangers that run the same ones bear a part of them, and when such a
    stranger ends, the share of everybody else grows: that is no growth of ours.
    """
    sizes = dict(line.split()[:2] for line in rollup.splitlines()[1:])
    return int(sizes["Pss:"]) * 1024, (int(sizes["Pss_Anon:"]) + int(sizes["Pss_Shmem:"])) * 1024


def _file_count(process: psutil.Process) -> int:
    if sys.platform == "win32":
        return process.num_handles()
    return process.num_fds()
