"""How much memory the processes of one worker use: exactly when it matters, cheaply in between.

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


class Way(StrEnum):
    """How memory is measured, best metric first."""

    #: Shared pages are divided among those who share them: Linux.
    PSS = "pss"
    #: Shared pages are left out: macOS and Windows.
    USS = "uss"
    #: A guess, for processes that may not be looked into: another user's, or hidden ones.
    SCALED_RSS = "scaled_rss"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """The memory that a tree of processes uses."""

    memory_bytes: int
    #: The weakest one that was needed for any of its processes.
    way: Way


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one process uses: all that it has in memory, and its fair share of that."""

    resident_bytes: int
    own_bytes: int
    way: Way


def read(process: psutil.Process) -> Reading:
    """Read the memory of one process in the best way that is allowed.

    Raises:
        psutil.Error: It is gone, or may not be looked at in any way.
    """
    with contextlib.suppress(psutil.AccessDenied):
        full = process.memory_full_info()
        for way in (Way.PSS, Way.USS):
            own_bytes = int(getattr(full, way, 0))
            if own_bytes or not full.rss:  # a zombie has nothing, which is no guess
                return Reading(resident_bytes=full.rss, own_bytes=own_bytes, way=way)
    resident_bytes = process.memory_info().rss
    return Reading(resident_bytes=resident_bytes, own_bytes=int(resident_bytes * _OWN_SHARE), way=Way.SCALED_RSS)


class Meter:
    """Measures one worker's processes. Blocking; one call at a time."""

    def __init__(
        self, find: Callable[[], Collection[int]], *, read: Callable[[psutil.Process], Reading] = read
    ) -> None:
        """Measure what ``find`` gives: the pids of the worker and of all that it started."""
        self._find = find
        self._read = read
        self._known: dict[psutil.Process, Reading] = {}
        self._share = 1.0
        self._way = Way.PSS
        self._pids: frozenset[int] = frozenset()

    def measure(self) -> Usage:
        """Find the processes and read each of them: exact, and costly.

        Those that end meanwhile count as nothing.
        """
        self._pids = frozenset(psutil.pids())  # first, so that whoever comes meanwhile is new to the next estimate
        self._known = _readings(self._find(), self._read)
        readings = self._known.values()
        memory_bytes = sum(reading.own_bytes for reading in readings)
        self._share = memory_bytes / max(1, sum(reading.resident_bytes for reading in readings))
        self._way = max((reading.way for reading in readings), key=list(Way).index, default=Way.PSS)
        return Usage(memory_bytes=memory_bytes, way=self._way)

    def estimate(self) -> Usage:
        """Tell what changed since the last measure by resident memory alone: cheap, and within 15 % of the truth.

        What a process gains or loses is its own, so it counts in full; the pages that it shared before do not count
        again. The first estimate is a measure.
        """
        if not self._pids:
            return self.measure()
        self._meet()
        return Usage(memory_bytes=sum(_now_bytes(one, then) for one, then in self._known.items()), way=self._way)

    def _meet(self) -> None:
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
                    reading = Reading(resident_bytes=resident_bytes, own_bytes=own_bytes, way=self._way)
                    self._known[process] = reading
        self._pids = pids


def _readings(pids: Iterable[int], read: Callable[[psutil.Process], Reading]) -> dict[psutil.Process, Reading]:
    """What each one uses, without those that are gone."""
    readings: dict[psutil.Process, Reading] = {}
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            readings[process] = read(process)
    return readings


def _now_bytes(process: psutil.Process, then: Reading) -> int:
    with contextlib.suppress(psutil.Error):
        return max(0, then.own_bytes + process.memory_info().rss - then.resident_bytes)
    return 0
