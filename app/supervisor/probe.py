"""What the machine says of the memory of a worker's processes. Blocking: call it in a thread."""

from __future__ import annotations

import contextlib

import psutil

#: Share of resident memory that is truly a tree's own, where the kernel does not tell: pages shared between
#: a browser's processes are counted once for each of them.
_RSS_SHARE = 0.45


def tree_memory_bytes(pid: int) -> int:
    """Memory of a process and all below it, shared pages counted once; 0 when it is gone."""
    with contextlib.suppress(psutil.Error):
        parent = psutil.Process(pid)
        return sum(_memory_bytes(process) for process in (parent, *parent.children(recursive=True)))
    return 0


def _memory_bytes(process: psutil.Process) -> int:
    with contextlib.suppress(psutil.Error):
        full = process.memory_full_info()
        return int(getattr(full, "pss", 0) or full.uss)
    with contextlib.suppress(psutil.Error):
        return int(process.memory_info().rss * _RSS_SHARE)
    return 0
