"""Prometheus metrics: counters are updated by events, gauges are read from the pool on each request."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from poolwright.domain.events import Event, MemoryRelieved, Moved, TaskEnded, TaskReturned, TaskStarted
from poolwright.domain.states import SESSION, WORKER, SessionStatus, WorkerStatus
from poolwright.supervisor.observation import PoolSnapshot

#: Buckets in seconds: orders take from half a second to minutes.
_ORDER_SECONDS = (0.5, 1, 2, 5, 10, 30, 60, 120, 300)
#: Transitions that end a session: the browser closes, or its worker crashes.
_ENDS_OF_SESSIONS = frozenset({(SESSION.name, SessionStatus.CLOSING.name), (WORKER.name, WorkerStatus.CRASHED.name)})
#: Buckets in seconds: sessions last from minutes to days.
_SESSION_SECONDS = (60, 300, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600, 7 * 24 * 3600)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Counts events for Prometheus."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """Start with all counters at zero."""
        self._monotonic = monotonic
        registry = self._registry = CollectorRegistry()
        text = "Finished orders by outcome and reason."
        self._ended = Counter("poolwright_orders", text, ("outcome", "reason"), registry=registry)
        self._attempts = Counter("poolwright_attempts", "Started attempts.", registry=registry)
        text = "Orders returned to the queue, by cause."
        self._returned = Counter("poolwright_returns", text, ("cause",), registry=registry)
        text = "Duration of the last attempt of an order."
        self._duration = Histogram("poolwright_order_seconds", text, buckets=_ORDER_SECONDS, registry=registry)
        text = "Worker restarts by cause."
        self._restarts = Counter("poolwright_worker_restarts", text, ("cause",), registry=registry)
        text = "Duration of logged-in sessions."
        self._life = Histogram("poolwright_session_life_seconds", text, buckets=_SESSION_SECONDS, registry=registry)
        self._logged_in_at_s: dict[str, float] = {}

    def __call__(self, event: Event) -> None:
        """See ``EventSink``."""
        match event:
            case TaskEnded():
                self._ended.labels(event.report.outcome.value, event.report.reason.value).inc()
                if event.worker is not None:
                    self._duration.observe(event.report.duration_s)
            case TaskStarted():
                self._attempts.inc()
            case TaskReturned():
                self._returned.labels(event.why.value).inc()
            case MemoryRelieved():
                self._restarts.labels("memory").inc()
            case Moved():
                self._count_transition(event)
            case _:
                pass

    def render(self, pool: PoolSnapshot, queue_age_s: float) -> bytes:
        """Return all metrics in the Prometheus text format.

        Args:
            pool: The current state of the pool.
            queue_age_s: Seconds since the list with the oldest open order was accepted; 0 if no order is open.
        """
        now = CollectorRegistry()
        now.register(_PoolCollector(pool, queue_age_s))
        return generate_latest(self._registry) + generate_latest(now)

    def _count_transition(self, event: Moved) -> None:
        move = event.transition
        if move.machine == WORKER.name and move.target == WorkerStatus.RESTARTING.name:
            is_lost = move.origin == WorkerStatus.CRASHED.name
            self._restarts.labels("lost" if is_lost else "planned").inc()
        if move.machine == SESSION.name and move.target == SessionStatus.AUTHENTICATED.name:
            # A session that recovers from an error counts once, from its first login.
            self._logged_in_at_s.setdefault(move.entity, self._monotonic())
        if (move.machine, move.target) in _ENDS_OF_SESSIONS:
            begun_s = self._logged_in_at_s.pop(move.entity, None)
            if begun_s is not None:
                self._life.observe(self._monotonic() - begun_s)


class _PoolCollector(Collector):
    """Gauges of the pool."""

    def __init__(self, pool: PoolSnapshot, queue_age_s: float) -> None:
        self._pool = pool
        self._queue_age_s = queue_age_s

    def collect(self) -> Iterable[Metric]:
        """See ``Collector``."""
        pool, gauge = self._pool, GaugeMetricFamily
        yield gauge("poolwright_open_orders", "Orders without an outcome.", value=pool.open_count)
        yield gauge("poolwright_is_held", "1 while the pool is paused.", value=float(bool(pool.holds)))
        yield gauge("poolwright_queue_age_seconds", "Age of the oldest open order.", value=self._queue_age_s)
        yield gauge("poolwright_memory_limit_bytes", "Memory limit of all workers.", value=pool.memory_limit_bytes)
        memory = gauge("poolwright_memory_bytes", "Memory of a worker's processes.", labels=["worker"])
        states = gauge("poolwright_worker_status", "1 for the current status of a worker.", labels=["worker", "status"])
        for worker in pool.workers:
            memory.add_metric([worker.worker.worker_id], worker.memory_bytes)
            states.add_metric([worker.worker.worker_id, worker.status.name], 1)
        yield memory
        yield states
