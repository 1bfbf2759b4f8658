"""Measures the memory of all workers and reports it to the policy.

Estimates come every two seconds, measures every ten and whenever an estimate is over the limit (design section 7). All
reading happens in a thread: a measure takes up to a quarter of a second for each browser.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass

import anyio
import anyio.to_thread

from poolwright.concurrency import periodic
from poolwright.domain.events import Level
from poolwright.domain.ids import WorkerRef
from poolwright.domain.states import WorkerStatus
from poolwright.supervisor.policy.events import MemorySampled
from poolwright.supervisor.pool_context import PoolContext
from poolwright.supervisor.processes.worker import Worker
from poolwright.system.memory_limit import MemoryLimit
from poolwright.system.memory_usage import MemoryMetric, ProcessTreeMeter

ESTIMATE_INTERVAL_S = 2.0
_AT_WORK = frozenset({WorkerStatus.READY, WorkerStatus.PROCESSING, WorkerStatus.IDLE})
#: Of the looks, every fifth is a measure.
MEASURE_EVERY = 5

_LESS_EXACT = {
    MemoryMetric.USS: "Memory is measured without shared pages: this system does not report how processes share them.",
    MemoryMetric.SCALED_RSS: "Memory is estimated: this user may not inspect all browser processes.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    """What one look found."""

    by_worker: dict[WorkerRef, int]
    own_bytes: int
    limit: MemoryLimit
    #: The weakest that was needed.
    way: MemoryMetric


class MemoryMonitor:
    """Measures all workers of a pool until cancelled. Owns nothing; ends nobody."""

    def __init__(self, context: PoolContext, workers: Sequence[Worker], threshold: float) -> None:
        """Measure these workers.

        Args:
            context: The pool's. Its limit of memory is read anew each time, since limits change.
            workers: The slots of the pool.
            threshold: The part of all memory that may be used.
        """
        self._context = context
        self._workers = workers
        self._threshold = threshold
        self._own = ProcessTreeMeter(lambda: [os.getpid()])
        self._warned_of = MemoryMetric.PSS
        self._seen = set[WorkerRef]()
        self._is_blind = False
        #: The most that all workers and the supervisor used together, in bytes.
        self.peak_bytes = 0
        #: What may be used, in bytes; 0 before the first look.
        self.limit_bytes = 0

    def set_threshold(self, threshold: float) -> None:
        """Let another part of all memory be used from now on."""
        self._threshold = threshold

    async def watch(self) -> None:
        """Measure every two seconds, until cancelled."""
        looks = itertools.count()
        async for _ in periodic(ESTIMATE_INTERVAL_S):
            await self.sample(is_exact=next(looks) % MEASURE_EVERY == 0 or self._has_new_worker())

    async def sample(self, *, is_exact: bool) -> None:
        """Measure once and post the result; an estimate that is over the limit is followed by a measure.

        Where nothing can be read now (no descriptor is left, mostly) only that is reported.
        """
        try:
            found = await anyio.to_thread.run_sync(lambda: self._read_sample(is_exact=is_exact), abandon_on_cancel=True)
        except OSError as error:
            self._warn_of_blindness(error)
            return
        self._is_blind = False
        if not is_exact and self._is_over(found):
            await self.sample(is_exact=True)
            return
        self._warn(found.way)
        self.limit_bytes = int(self._threshold * found.limit.total_bytes)
        sampled = MemorySampled(
            by_worker=found.by_worker,
            own_bytes=found.own_bytes,
            total_bytes=found.limit.total_bytes,
            is_exact=is_exact,
            at_s=anyio.current_time(),
        )
        self.peak_bytes = max(self.peak_bytes, sampled.used_bytes)
        self._context.post(sampled)

    def _has_new_worker(self) -> bool:
        """Whether a generation is at work that was not there at the last look: what it uses must be known well."""
        here = {worker.ref for worker in self._workers if worker.status in _AT_WORK}
        newcomers, self._seen = here - self._seen, here
        return bool(newcomers)

    def _read_sample(self, *, is_exact: bool) -> _Sample:
        """Blocking."""
        by_worker: dict[WorkerRef, int] = {}
        own = self._own.measure() if is_exact else self._own.estimate()
        ways = [own.metric]
        for worker in self._workers:
            ref, usage = worker.ref, worker.memory_meter.read(is_exact=is_exact)
            if usage is not None:
                by_worker[ref] = usage.memory_bytes
                ways.append(usage.metric)
        return _Sample(
            by_worker=by_worker,
            own_bytes=own.memory_bytes,
            limit=self._context.ports.read_limit(),
            way=max(ways, key=list(MemoryMetric).index),
        )

    def _is_over(self, found: _Sample) -> bool:
        used_bytes = found.own_bytes + sum(found.by_worker.values())
        return used_bytes > self._threshold * found.limit.total_bytes

    def _warn_of_blindness(self, error: OSError) -> None:
        """Say once that memory is not watched, until it is again."""
        if not self._is_blind:
            self._is_blind = True
            problem = f"Memory cannot be measured now ({error.strerror or error}); trying again."
            self._context.event_log.notice(Level.WARNING, problem)

    def _warn(self, way: MemoryMetric) -> None:
        """Say once for each way that is weaker than those before."""
        if list(MemoryMetric).index(way) > list(MemoryMetric).index(self._warned_of):
            self._warned_of = way
            self._context.event_log.notice(Level.WARNING, _LESS_EXACT[way])
