"""Starts a program that prints a line of JSON for each order that is done, and measures it with all that it starts."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio
import anyio.to_thread
import psutil
from anyio.streams.text import TextReceiveStream

from bench.soak.probe import shares

#: What each program prints when an order is done.
ORDER_DONE = "task_ended"
#: A process that lives shorter than this is missed, and so are the last moments of others. Reading the memory of a tree
#: takes some milliseconds of processor time.
CPU_INTERVAL_S, MEMORY_INTERVAL_S = 0.1, 0.5
#: Part of the orders that count as the start of a program that has several tabs.
START_PART = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """One run of a program; moments in seconds since its start."""

    #: When each order was done.
    done_s: Sequence[float]
    total_s: float
    #: Processor time of the program and of all that it started.
    cpu_s: float
    #: Largest proportional share of memory of all of them together; 0 where the system does not tell.
    peak_bytes: int = 0

    @property
    def first_order_s(self) -> float:
        """From its start until the first order is done."""
        return self.done_s[0]

    @property
    def end_s(self) -> float:
        """From the last order to the end."""
        return self.total_s - self.done_s[-1]

    @property
    def whole_per_s(self) -> float:
        """Orders a second, with start and end."""
        return len(self.done_s) / self.total_s

    @property
    def steady_per_s(self) -> float:
        """Orders a second once a quarter of them is done, until the last one is; 0 for a few orders."""
        start = len(self.done_s) // START_PART
        if not start:
            return 0.0
        return (len(self.done_s) - start) / (self.done_s[-1] - self.done_s[start - 1])

    @property
    def cpu_s_per_order(self) -> float:
        """Processor time of an order, with its part of start and end."""
        return self.cpu_s / len(self.done_s)


async def time_program(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], *, is_memory_wanted: bool = False
) -> Timing:
    """Run a program and time it.

    Raises:
        RuntimeError: It finished no order.
    """
    begun_s, total_s = time.perf_counter(), 0.0
    done_s: list[float] = []
    tree = _Tree(is_memory_wanted=is_memory_wanted)
    async with (
        await anyio.open_process(command, cwd=folder, env=environment, stderr=sys.stderr) as process,
        anyio.create_task_group() as sampling,
    ):
        sampling.start_soon(tree.watch, process.pid)
        rest = ""
        if process.stdout is not None:
            async for text in TextReceiveStream(process.stdout):
                *lines, rest = (rest + text).split("\n")
                now_s = time.perf_counter() - begun_s
                done_s += [now_s for line in lines if line and json.loads(line)["type"] == ORDER_DONE]
        await process.wait()
        total_s = time.perf_counter() - begun_s
        sampling.cancel_scope.cancel()
    if not done_s:
        msg = f"no order was done by {' '.join(command)}"
        raise RuntimeError(msg)
    return Timing(done_s=done_s, total_s=total_s, cpu_s=sum(tree.cpu_s.values()), peak_bytes=tree.peak_bytes)


class _Tree:
    """What a process and all below it take.

    The processor time that a process leaves to its parent does not do: a browser does not wait for all that it starts,
    and their time is lost then.
    """

    def __init__(self, *, is_memory_wanted: bool) -> None:
        self._is_memory_wanted = is_memory_wanted
        #: Of each process that was ever seen, when it was seen last.
        self.cpu_s: dict[int, float] = {}
        self.peak_bytes = 0

    async def watch(self, pid: int) -> None:
        """Sample until cancelled."""
        memory_due_s = 0.0
        while True:
            is_memory_due = self._is_memory_wanted and time.monotonic() >= memory_due_s
            await anyio.to_thread.run_sync(self._sample, pid, is_memory_due)
            if is_memory_due:
                memory_due_s = time.monotonic() + MEMORY_INTERVAL_S
            await anyio.sleep(CPU_INTERVAL_S)

    def _sample(self, pid: int, is_memory_due: bool) -> None:  # noqa: FBT001 - called in a thread
        with contextlib.suppress(psutil.Error):
            parent = psutil.Process(pid)
            processes = (parent, *parent.children(recursive=True))
            for process in processes:
                with contextlib.suppress(psutil.Error):
                    times = process.cpu_times()
                    self.cpu_s[process.pid] = times.user + times.system
            if is_memory_due:
                self.peak_bytes = max(self.peak_bytes, sum(map(_share_bytes, processes)))


def _share_bytes(process: psutil.Process) -> int:
    """Return the proportional share of memory of a process; 0 where the system does not tell."""
    with contextlib.suppress(OSError):
        return shares(Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="ascii"))[0]
    return 0
