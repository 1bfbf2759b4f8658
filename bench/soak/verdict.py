"""Whether a soak met its aims. Pure: samples and counts in, figures and sentences out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bench.soak.orders import Tally
from bench.soak.samples import Sample, Usage
from bench.soak.trend import Trend, trend

#: Memory may grow by this part after the warm-up.
MEMORY_GROWTH_MAX = 0.05
#: Counts of a process that stands still go up and down by so many ...
COUNT_GROWTH_MAX = 2.0
#: ... and those of a browser's whole tree, where tabs come and go, by this part if that is more.
COUNT_GROWTH_PART = 0.05

MB = 1024 * 1024


class Unit(StrEnum):
    """How a figure is written."""

    MEMORY = "MB"
    COUNT = ""
    RATE = "orders/s"
    TIME = "s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One thing that was watched, with its trend and its aim."""

    name: str
    unit: Unit
    #: Nothing when the soak was too short to tell.
    trend: Trend | None
    #: The most that it may be at the end; nothing where there is no aim.
    limit: float | None

    @property
    def is_met(self) -> bool:
        """Whether it stays within its aim; a figure without one does."""
        return self.trend is None or self.limit is None or self.trend.late <= self.limit

    @property
    def sentence(self) -> str:
        """What is told when the aim is missed."""
        if self.trend is None or self.limit is None:
            return ""
        unit = f" {self.unit}" if self.unit else ""
        change = f"{self.trend.early:.1f} to {self.trend.late:.1f}{unit} ({self.trend.growth:+.1%})"
        return f"{self.name} went from {change} after the warm-up; the aim is at most {self.limit:.1f}{unit}."


def figures(samples: Sequence[Sample]) -> list[Figure]:
    """All that was watched, in the order in which it is told."""
    times_s = [sample.at_s for sample in samples]

    def figure(name: str, unit: Unit, read: Callable[[Sample], float | None], limit: _Limit | None) -> Figure:
        found = trend(times_s, [read(sample) for sample in samples])
        return Figure(name=name, unit=unit, trend=found, limit=limit(found.early) if found and limit else None)

    found = [figure(*parts) for parts in _supervisor()]
    for slot in range(len(samples[0].workers) if samples else 0):
        found += [figure(*parts) for parts in _worker(slot)]
    return [*found, *(figure(*parts) for parts in _pace())]


def misses(watched: Sequence[Figure], orders: Tally) -> list[str]:
    """One sentence for every aim that was missed."""
    told = [figure.sentence for figure in watched if not figure.is_met]
    if orders.lost_count:
        told.append(f"{orders.lost_count} of {orders.submitted_count} orders have no outcome.")
    if orders.wrong_count:
        told.append(f"{orders.wrong_count} orders did not end as they must: {'; '.join(orders.problems)}.")
    if orders.repeated_count:
        told.append(f"{orders.repeated_count} orders were told to have ended more than once.")
    return told


_Limit = Callable[[float], float]
_Parts = tuple[str, Unit, Callable[[Sample], float | None], _Limit | None]


def _memory_limit(early: float) -> float:
    return early * (1 + MEMORY_GROWTH_MAX)


def _count_limit(early: float) -> float:
    return early + max(COUNT_GROWTH_MAX, early * COUNT_GROWTH_PART)


def _supervisor() -> Iterator[_Parts]:
    yield "supervisor memory", Unit.MEMORY, lambda sample: sample.supervisor.data_bytes / MB, _memory_limit
    yield "supervisor, all", Unit.MEMORY, lambda sample: sample.supervisor.memory_bytes / MB, None
    yield "supervisor open files", Unit.COUNT, lambda sample: sample.supervisor.file_count, _count_limit
    yield "supervisor tasks", Unit.COUNT, lambda sample: sample.task_count, _count_limit
    yield "supervisor threads", Unit.COUNT, lambda sample: sample.supervisor.thread_count, _count_limit


def _worker(slot: int) -> Iterator[_Parts]:
    def of(read: Callable[[Usage], float]) -> Callable[[Sample], float | None]:
        def value(sample: Sample) -> float | None:
            usage = sample.workers[slot]
            return None if usage is None else read(usage)

        return value

    name = f"worker {slot + 1}"
    yield f"{name} memory", Unit.MEMORY, of(lambda usage: usage.data_bytes / MB), _memory_limit
    yield f"{name}, all", Unit.MEMORY, of(lambda usage: usage.memory_bytes / MB), None
    yield f"{name} open files", Unit.COUNT, of(lambda usage: usage.file_count), _count_limit
    yield f"{name} processes", Unit.COUNT, of(lambda usage: usage.process_count), _count_limit
    yield f"{name} threads", Unit.COUNT, of(lambda usage: usage.thread_count), _count_limit


def _pace() -> Iterator[_Parts]:
    yield "throughput", Unit.RATE, lambda sample: sample.throughput_per_s, None
    yield "latency, median", Unit.TIME, lambda sample: sample.latency_median_s, None
    yield "latency, 95 %", Unit.TIME, lambda sample: sample.latency_p95_s, None
