"""The file of a soak's figures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bench.soak.samples import Sample, Sheet, Usage, columns, read_samples

SAMPLE = Sample(
    at_s=1.25,
    supervisor=Usage(memory_bytes=80_000_000, data_bytes=50_000_000, file_count=20, thread_count=8),
    task_count=21,
    throughput_per_s=4.5,
    latency_median_s=None,
    latency_p95_s=None,
    open_count=24,
    workers=(
        Usage(memory_bytes=400_000_000, data_bytes=50_000_000, file_count=400, thread_count=130, process_count=12),
        None,
    ),
    generations=(1, 2),
)


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "samples.csv"
    later = replace(SAMPLE, at_s=6.0, latency_median_s=0.5, latency_p95_s=0.75)
    with path.open("w", encoding="utf-8", newline="") as file:
        sheet = Sheet(file, 2)
        sheet.write(SAMPLE)
        sheet.write(later)

    assert read_samples(path) == [SAMPLE, later]


def test_every_worker_has_its_columns() -> None:
    named = columns(2)

    assert len(named) == len(set(named))
    assert {"worker_1_memory_bytes", "worker_2_file_count", "worker_2_generation", "supervisor_memory_bytes"} < {*named}
