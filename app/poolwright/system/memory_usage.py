"""Measures the memory of a worker's processes, exactly or as a cheap estimate.

A browser's processes share most of their pages: their resident memory (RSS), summed up, is two to five times what they
really use, and grows with every tab. Their proportional share (PSS) counts a shared page once. Reading it locks what
the process maps, so it takes 20 to 230 ms for a whole tree; resident memory takes 0.3 ms. Blocking: call it in a
thread. Knows nothing of limits and decides nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

import psutil

#: Share of resident memory that is truly a tree's own, where the system does not tell. Measured with one tab; with
#: eight it is 0.21, so that this guess is on the safe side.
_OWN_SHARE = 0.45


class MemoryMetric(StrEnum):
    """How memory is measured, best metric first."""

    #: Shared pages are divided among those who share them: Linux.
    PSS = "pss"
    #: Shared pages are left out: macOS and Windows.
    USS = "uss"
    #: A guess, for processes that may not be looked into: another user's, or hidden ones.
    SCALED_RSS = "scaled_rss"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryUsage:
    """The memory that a tree of processes uses."""

    memory_bytes: int
    #: The weakest one that was needed for any of its processes.
    way: MemoryMetric


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessMemory:
    """What one process uses: all that it has in memory, and its fair share of that."""

    resident_bytes: int
    own_bytes: int
    way: MemoryMetric


def read_process_memory(process: psutil.Process) -> ProcessMemory:
    """Read the memory of one process in the best way that is allowed.

    Raises:
        psutil.Error: It is gone, or may not be looked at in any way.
    """
    with contextlib.suppress(psutil.AccessDenied):
        full = process.memory_full_info()
        for way in (MemoryMetric.PSS, MemoryMetric.USS):
            own_bytes = int(getattr(full, way, 0))
            if own_bytes or not full.rss:  # a zombie has nothing, which is no guess
                return ProcessMemory(resident_bytes=full.rss, own_bytes=own_bytes, way=way)
    resident_bytes = process.memory_info().rss
    return ProcessMemory(
        resident_bytes=resident_bytes, own_bytes=int(resident_bytes * _OWN_SHARE), way=MemoryMetric.SCALED_RSS
    )


class ProcessTreeMeter:
    """Measures one worker's processes. Blocking; one call at a time."""

    def __init__(
        self,
        find: Callable[[], Collection[int]],
        *,
        read: Callable[[psutil.Process], ProcessMemory] = read_process_memory,
    ) -> None:
        """Measure what ``find`` gives: the pids of the worker and of all that it started."""
        self._find = find
        self._read = read
        self._known: dict[psutil.Process, ProcessMemory] = {}
        self._share = 1.0
        self._way = MemoryMetric.PSS
        self._pids: frozenset[int] = frozenset()

    def measure(self) -> MemoryUsage:
        """Find the processes and read each of them: exact, and costly.

        Those that end meanwhile count as nothing.
        """
        self._pids = frozenset(psutil.pids())  # first, so that whoever comes meanwhile is new to the next estimate
        self._known = _readings(self._find(), self._read)
        readings = self._known.values()
        memory_bytes = sum(reading.own_bytes for reading in readings)
        self._share = memory_bytes / max(1, sum(reading.resident_bytes for reading in readings))
        self._way = max((reading.way for reading in readings), key=list(MemoryMetric).index, default=MemoryMetric.PSS)
        return MemoryUsage(memory_bytes=memory_bytes, way=self._way)

    def estimate(self) -> MemoryUsage:
        """Tell what changed since the last measure by resident memory alone: cheap, and within 15 % of the truth.

        What a process gains or loses is its own, so it counts in full; the pages that it shared before do not count
        again. The first estimate is a measure.
        """
        if not self._pids:
            return self.measure()
        self._add_new_children()
        return MemoryUsage(memory_bytes=sum(_now_bytes(one, then) for one, then in self._known.items()), way=self._way)

    def _add_new_children(self) -> None:
        """Get to know the processes that known ones started since: a new tab. They share as much as the others."""
        known = {process.pid for process in self._known}
        pids = frozenset(psutil.pids())
        for pid in sorted(pids - self._pids - known):
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(pid)
                if process.ppid() in known:
                    known.add(pid)
                    resident_bytes = process.memory_info().rss
                    own_bytes = int(resident_bytes * self._share)
                    reading = ProcessMemory(resident_bytes=resident_bytes, own_bytes=own_bytes, way=self._way)
                    self._known[process] = reading
        self._pids = pids


def _readings(
    pids: Iterable[int], read: Callable[[psutil.Process], ProcessMemory]
) -> dict[psutil.Process, ProcessMemory]:
    """What each one uses, without those that are gone."""
    readings: dict[psutil.Process, ProcessMemory] = {}
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            readings[process] = read(process)
    return readings


def _now_bytes(process: psutil.Process, then: ProcessMemory) -> int:
    with contextlib.suppress(psutil.Error):
        return max(0, then.own_bytes + process.memory_info().rss - then.resident_bytes)
    return 0


class MemoryMeter:
    """Reads the memory of one generation after the other."""

    def __init__(self) -> None:
        """Start without a process."""
        self.now_bytes = 0
        self.peak_bytes = 0
        self._meter: ProcessTreeMeter | None = None

    def begin(self, find: Callable[[], Collection[int]]) -> None:
        """A generation has a process; ``find`` gives all that belong to it."""
        self._meter = ProcessTreeMeter(find)

    def end(self) -> None:
        """It is gone."""
        self._meter = None
        self.now_bytes = 0

    def read(self, *, is_exact: bool) -> MemoryUsage | None:
        """Measure or estimate; nothing when no generation lives. Blocking: 1 ms, or 20 to 230 ms for a measure."""
        meter = self._meter
        if meter is None:
            return None
        usage = meter.measure() if is_exact else meter.estimate()
        if self._meter is meter:  # else it ended meanwhile
            self.now_bytes = usage.memory_bytes
            self.peak_bytes = max(self.peak_bytes, usage.memory_bytes)
        return usage
