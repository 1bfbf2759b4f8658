"""Measures the memory of a worker's processes, exactly or as a cheap estimate.

A browser's processes share most of their pages: the sum of their resident memory (RSS) is two to five times what they
really use, and grows with every tab. The proportional share (PSS) counts a shared page once. Reading it locks the
memory map of the process, so it takes 20 to 230 ms for a whole tree; resident memory takes 0.3 ms. Blocking: call it in
a thread.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

import psutil

#: Share of resident memory that a tree really uses, if the system does not report it. Measured with one tab; with
#: eight it is 0.21, so this estimate is on the safe side.
_OWN_SHARE = 0.45


class MemoryMetric(StrEnum):
    """The metrics of memory, the best one first."""

    #: Shared pages are divided among those who share them: Linux.
    PSS = "pss"
    #: Shared pages are left out: macOS and Windows.
    USS = "uss"
    #: An estimate, for processes that may not be inspected: those of another user, or hidden ones.
    SCALED_RSS = "scaled_rss"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryUsage:
    """The memory that a tree of processes uses."""

    memory_bytes: int
    #: The weakest metric that was needed for any of its processes.
    metric: MemoryMetric


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessMemory:
    """The memory of one process: all that is resident, and its own share of that."""

    resident_bytes: int
    own_bytes: int
    metric: MemoryMetric


def read_process_memory(process: psutil.Process) -> ProcessMemory:
    """Read the memory of one process with the best metric that is allowed.

    Raises:
        psutil.Error: The process has ended, or may not be inspected at all.
    """
    with contextlib.suppress(psutil.AccessDenied):
        full = process.memory_full_info()
        for metric in (MemoryMetric.PSS, MemoryMetric.USS):
            own_bytes = int(getattr(full, metric, 0))
            if own_bytes or not full.rss:  # 0 is exact for a zombie
                return ProcessMemory(resident_bytes=full.rss, own_bytes=own_bytes, metric=metric)
    resident_bytes = process.memory_info().rss
    return ProcessMemory(
        resident_bytes=resident_bytes, own_bytes=int(resident_bytes * _OWN_SHARE), metric=MemoryMetric.SCALED_RSS
    )


class ProcessTreeMeter:
    """Measures one worker's processes. Blocking; one call at a time."""

    def __init__(
        self,
        find: Callable[[], Collection[int]],
        *,
        read: Callable[[psutil.Process], ProcessMemory] = read_process_memory,
    ) -> None:
        """Measure the processes whose pids ``find`` returns: those of a worker and its descendants."""
        self._find = find
        self._read = read
        self._readings: dict[psutil.Process, ProcessMemory] = {}
        self._share = 1.0
        self._metric = MemoryMetric.PSS
        self._pids: frozenset[int] = frozenset()

    def measure(self) -> MemoryUsage:
        """Find the processes and read each of them: exact, and slow.

        Processes that end meanwhile count 0.
        """
        self._pids = frozenset(psutil.pids())  # first, so that processes started meanwhile are new to the next estimate
        self._readings = _read_all(self._find(), self._read)
        readings = self._readings.values()
        memory_bytes = sum(reading.own_bytes for reading in readings)
        self._share = memory_bytes / max(1, sum(reading.resident_bytes for reading in readings))
        metrics = (reading.metric for reading in readings)
        self._metric = max(metrics, key=list(MemoryMetric).index, default=MemoryMetric.PSS)
        return MemoryUsage(memory_bytes=memory_bytes, metric=self._metric)

    def estimate(self) -> MemoryUsage:
        """Add the changes of resident memory since the last measurement to it: fast, and within 15 % of the truth.

        Memory that a process gains or loses is its own, so it counts in full; the pages that it shared before do not
        count again. The first estimate is a measurement.
        """
        if not self._pids:
            return self.measure()
        self._add_new_children()
        memory_bytes = sum(_current_bytes(process, before) for process, before in self._readings.items())
        return MemoryUsage(memory_bytes=memory_bytes, metric=self._metric)

    def _add_new_children(self) -> None:
        """Add processes that known ones have started since, such as a new tab. They share as much as the others."""
        known_pids = {process.pid for process in self._readings}
        pids = frozenset(psutil.pids())
        for pid in sorted(pids - self._pids - known_pids):
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(pid)
                if process.ppid() in known_pids:
                    known_pids.add(pid)
                    resident_bytes = process.memory_info().rss
                    own_bytes = int(resident_bytes * self._share)
                    reading = ProcessMemory(resident_bytes=resident_bytes, own_bytes=own_bytes, metric=self._metric)
                    self._readings[process] = reading
        self._pids = pids


def _read_all(
    pids: Iterable[int], read: Callable[[psutil.Process], ProcessMemory]
) -> dict[psutil.Process, ProcessMemory]:
    """Read the memory of each process, without those that have ended."""
    readings: dict[psutil.Process, ProcessMemory] = {}
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            readings[process] = read(process)
    return readings


def _current_bytes(process: psutil.Process, before: ProcessMemory) -> int:
    with contextlib.suppress(psutil.Error):
        return max(0, before.own_bytes + process.memory_info().rss - before.resident_bytes)
    return 0


class MemoryMeter:
    """Measures the memory of a slot's processes, one generation after the other."""

    def __init__(self) -> None:
        """Start without a process."""
        self.now_bytes = 0
        self.peak_bytes = 0
        self._meter: ProcessTreeMeter | None = None

    def begin(self, find: Callable[[], Collection[int]]) -> None:
        """Start measuring a new generation; ``find`` returns the pids of its processes."""
        self._meter = ProcessTreeMeter(find)

    def end(self) -> None:
        """Stop measuring a generation that has ended."""
        self._meter = None
        self.now_bytes = 0

    def read(self, *, is_exact: bool) -> MemoryUsage | None:
        """Measure or estimate; ``None`` without a generation. Blocking: 1 ms, or 20 to 230 ms for a measurement."""
        meter = self._meter
        if meter is None:
            return None
        usage = meter.measure() if is_exact else meter.estimate()
        if self._meter is meter:  # else it ended meanwhile
            self.now_bytes = usage.memory_bytes
            self.peak_bytes = max(self.peak_bytes, usage.memory_bytes)
        return usage
