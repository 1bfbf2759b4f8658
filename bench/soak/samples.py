"""What is measured every few seconds, and how it stands in the file of figures: one row for each sample."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one process, or a worker's whole tree, takes at one moment."""

    #: Pages shared between processes are counted once.
    memory_bytes: int
    #: The part of it that is no program file. Program files are shared with strangers, whose comings and goings change
    #: what they cost us.
    data_bytes: int
    file_count: int
    thread_count: int
    process_count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One moment of a soak, and the window of time since the sample before."""

    #: Since the first order was fed.
    at_s: float
    supervisor: Usage
    #: Tasks of the supervisor's event loop.
    task_count: int
    #: Orders that ended in the window, in each second.
    throughput_per_s: float
    #: From the start of an order to its outcome; nothing when none ended in the window.
    latency_median_s: float | None
    latency_p95_s: float | None
    #: Orders without an outcome.
    open_count: int
    #: By slot; nothing for one that has no process just now.
    workers: tuple[Usage | None, ...]
    #: By slot: which process it is, counted from 1.
    generations: tuple[int, ...]


_USAGE = ("memory_bytes", "data_bytes", "file_count", "thread_count", "process_count")
_PLAIN = ("at_s", "throughput_per_s", "latency_median_s", "latency_p95_s", "open_count", "task_count")


class Sheet:
    """Writes samples into a file as they come, so that nothing of them stays in memory."""

    def __init__(self, file: IO[str], worker_count: int) -> None:
        """Begin with the names of the columns."""
        self._file = file
        self._writer = csv.writer(file)
        self._writer.writerow(columns(worker_count))

    def write(self, sample: Sample) -> None:
        """Add a row."""
        self._writer.writerow("" if cell is None else cell for cell in _cells(sample))
        self._file.flush()


def columns(worker_count: int) -> list[str]:
    """The names of the columns, for so many workers."""
    owners = ("supervisor", *(f"worker_{slot}" for slot in range(1, worker_count + 1)))
    generations = [f"worker_{slot}_generation" for slot in range(1, worker_count + 1)]
    return [*_PLAIN, *(f"{owner}_{name}" for owner in owners for name in _USAGE), *generations]


def read_samples(path: Path) -> list[Sample]:
    """All samples of a file."""
    with path.open(encoding="utf-8", newline="") as file:
        return [_sample(row) for row in csv.DictReader(file)]


def _cells(sample: Sample) -> Iterator[float | None]:
    for name in _PLAIN:
        value = getattr(sample, name)
        yield round(value, 3) if isinstance(value, float) else value
    usages: Iterable[Usage | None] = (sample.supervisor, *sample.workers)
    for usage in usages:
        yield from (None if usage is None else getattr(usage, name) for name in _USAGE)
    yield from sample.generations


def _sample(row: dict[str, str]) -> Sample:
    slots = range(1, sum(name.endswith("_generation") for name in row) + 1)
    supervisor = _usage(row, "supervisor")
    if supervisor is None:
        msg = "A sample does not tell what the supervisor uses; make the file anew."
        raise ValueError(msg)
    return Sample(
        at_s=float(row["at_s"]),
        supervisor=supervisor,
        task_count=int(row["task_count"]),
        throughput_per_s=float(row["throughput_per_s"]),
        latency_median_s=_number(row["latency_median_s"]),
        latency_p95_s=_number(row["latency_p95_s"]),
        open_count=int(row["open_count"]),
        workers=tuple(_usage(row, f"worker_{slot}") for slot in slots),
        generations=tuple(int(row[f"worker_{slot}_generation"]) for slot in slots),
    )


def _number(cell: str) -> float | None:
    return float(cell) if cell else None


def _usage(row: dict[str, str], owner: str) -> Usage | None:
    cells = {name: row[f"{owner}_{name}"] for name in _USAGE}
    return Usage(**{name: int(cell) for name, cell in cells.items()}) if all(cells.values()) else None
