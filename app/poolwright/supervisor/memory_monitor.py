"""Measures the memory of all workers and reports it to the policy.

It estimates every two seconds, and measures exactly every ten seconds and whenever an estimate is over the limit
(design section 7). All reading happens in a thread: an exact measurement takes up to 0.25 s for each browser.
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
from poolwright.domain.states import WORKING_STATUSES
from poolwright.supervisor.policy.events import MemorySampled
from poolwright.supervisor.pool_context import PoolContext
from poolwright.supervisor.processes.worker import Worker
from poolwright.system.memory_limit import MemoryLimit
from poolwright.system.memory_usage import MemoryMetric, ProcessTreeMeter

ESTIMATE_INTERVAL_S = 2.0
#: Every fifth sample is measured exactly.
MEASURE_EVERY = 5

_LESS_EXACT = {
    MemoryMetric.USS: "Memory is measured without shared pages: this system does not report how processes share them.",
    MemoryMetric.SCALED_RSS: "Memory is estimated: this user may not inspect all browser processes.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    """Memory of the pool at one time."""

    by_worker: dict[WorkerRef, int]
    own_bytes: int
    limit: MemoryLimit
    #: The least exact metric of all processes.
    metric: MemoryMetric


class MemoryMonitor:
    """Measures all workers of a pool until cancelled. It ends no process; the policy decides."""

    def __init__(self, context: PoolContext, workers: Sequence[Worker], threshold: float) -> None:
        """Measure these workers.

        Args:
            context: The context of the pool; its memory limit is read each time, because limits change.
            workers: The slots of the pool.
            threshold: The share of all memory that may be used.
        """
        self._context = context
        self._workers = workers
        self._threshold = threshold
        self._own = ProcessTreeMeter(lambda: [os.getpid()])
        self._warned_of = MemoryMetric.PSS
        self._seen = set[WorkerRef]()
        self._is_failing = False
        #: The most memory that all workers and the supervisor have used together, in bytes.
        self.peak_bytes = 0
        #: Memory that may be used, in bytes; 0 before the first sample.
        self.limit_bytes = 0

    def set_threshold(self, threshold: float) -> None:
        """Set another share of all memory as limit."""
        self._threshold = threshold

    async def watch(self) -> None:
        """Measure every two seconds, until cancelled."""
        numbers = itertools.count()
        async for _ in periodic(ESTIMATE_INTERVAL_S):
            await self.sample(is_exact=next(numbers) % MEASURE_EVERY == 0 or self._has_new_worker())

    async def sample(self, *, is_exact: bool) -> None:
        """Take one sample and post it; if an estimate is over the limit, measure exactly instead.

        If the memory cannot be read, mostly because no file descriptor is left, post nothing and warn.
        """
        try:
            sample = await anyio.to_thread.run_sync(
                lambda: self._read_sample(is_exact=is_exact), abandon_on_cancel=True
            )
        except OSError as error:
            self._warn_unreadable(error)
            return
        self._is_failing = False
        if not is_exact and self._is_over(sample):
            await self.sample(is_exact=True)
            return
        self._warn_inexact(sample.metric)
        self.limit_bytes = int(self._threshold * sample.limit.total_bytes)
        sampled = MemorySampled(
            by_worker=sample.by_worker,
            own_bytes=sample.own_bytes,
            total_bytes=sample.limit.total_bytes,
            is_exact=is_exact,
            at_s=anyio.current_time(),
        )
        self.peak_bytes = max(self.peak_bytes, sampled.used_bytes)
        self._context.post(sampled)

    def _has_new_worker(self) -> bool:
        """Whether a generation works that did not at the last call: its first sample must be exact."""
        working = {worker.ref for worker in self._workers if worker.status in WORKING_STATUSES}
        new, self._seen = working - self._seen, working
        return bool(new)

    def _read_sample(self, *, is_exact: bool) -> _Sample:
        """Read the memory of all processes. Blocking."""
        by_worker: dict[WorkerRef, int] = {}
        own = self._own.measure() if is_exact else self._own.estimate()
        metrics = [own.metric]
        for worker in self._workers:
            ref, usage = worker.ref, worker.memory_meter.read(is_exact=is_exact)
            if usage is not None:
                by_worker[ref] = usage.memory_bytes
                metrics.append(usage.metric)
        return _Sample(
            by_worker=by_worker,
            own_bytes=own.memory_bytes,
            limit=self._context.ports.read_limit(),
            metric=max(metrics, key=list(MemoryMetric).index),
        )

    def _is_over(self, sample: _Sample) -> bool:
        used_bytes = sample.own_bytes + sum(sample.by_worker.values())
        return used_bytes > self._threshold * sample.limit.total_bytes

    def _warn_unreadable(self, error: OSError) -> None:
        """Warn once that memory cannot be measured, until a sample succeeds again."""
        if not self._is_failing:
            self._is_failing = True
            problem = f"Memory cannot be measured now ({error.strerror or error}); trying again."
            self._context.event_log.notice(Level.WARNING, problem)

    def _warn_inexact(self, metric: MemoryMetric) -> None:
        """Warn once for each metric that is less exact than the earlier ones."""
        if list(MemoryMetric).index(metric) > list(MemoryMetric).index(self._warned_of):
            self._warned_of = metric
            self._context.event_log.notice(Level.WARNING, _LESS_EXACT[metric])
