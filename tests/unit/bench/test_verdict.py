"""Which soaks meet their aims, and what is told of those that do not."""

from __future__ import annotations

from dataclasses import replace

from bench.soak.orders import Tally
from bench.soak.samples import Sample, Usage
from bench.soak.verdict import MB, figures, misses

USAGE = Usage(memory_bytes=150 * MB, data_bytes=100 * MB, file_count=20, thread_count=8)
SAMPLE = Sample(
    at_s=0.0,
    supervisor=USAGE,
    task_count=20,
    throughput_per_s=4.0,
    latency_median_s=0.5,
    latency_p95_s=0.9,
    open_count=24,
    workers=(replace(USAGE, data_bytes=400 * MB, file_count=400, process_count=12),),
    generations=(1,),
)
ALL_RIGHT = Tally(submitted_count=50, right_count=50, lost_count=0, wrong_count=0, repeated_count=0)


def life(late: Sample) -> list[Sample]:
    """A hundred seconds; from the middle on as ``late``."""
    return [replace(SAMPLE if at_s < 50 else late, at_s=float(at_s)) for at_s in range(0, 101, 5)]


def told(late: Sample) -> list[str]:
    return misses(figures(life(late)), ALL_RIGHT)


def supervisor(**more: int) -> Sample:
    return replace(SAMPLE, supervisor=replace(USAGE, **more))


def test_a_pool_that_stands_still_meets_its_aims() -> None:
    assert told(SAMPLE) == []


def test_a_supervisor_may_grow_by_five_per_cent() -> None:
    assert told(supervisor(data_bytes=105 * MB)) == []
    assert told(supervisor(data_bytes=106 * MB)) == [
        "supervisor memory went from 100.0 to 106.0 MB (+6.0%) after the warm-up; the aim is at most 105.0 MB."
    ]


def test_program_files_are_no_growth() -> None:
    assert told(supervisor(memory_bytes=400 * MB)) == []


def test_a_worker_may_grow_by_five_per_cent() -> None:
    workers = (replace(USAGE, data_bytes=430 * MB, file_count=400, process_count=12),)

    assert [sentence[:16] for sentence in told(replace(SAMPLE, workers=workers))] == ["worker 1 memory "]


def test_what_becomes_less_is_no_miss() -> None:
    assert told(supervisor(data_bytes=50 * MB, file_count=3)) == []


def test_counts_may_differ_by_two() -> None:
    assert told(supervisor(file_count=22, thread_count=10)) == []
    assert [sentence.split(" went")[0] for sentence in told(supervisor(file_count=23, thread_count=11))] == [
        "supervisor open files",
        "supervisor threads",
    ]


def test_tasks_of_the_loop_are_counted() -> None:
    assert [sentence.split(" went")[0] for sentence in told(replace(SAMPLE, task_count=23))] == ["supervisor tasks"]


def test_large_counts_may_grow_by_five_per_cent() -> None:
    def with_files(count: int) -> Sample:
        return replace(SAMPLE, workers=(replace(USAGE, data_bytes=400 * MB, file_count=count, process_count=12),))

    assert told(with_files(420)) == []
    assert len(told(with_files(421))) == 1


def test_pace_has_no_aim() -> None:
    assert told(replace(SAMPLE, throughput_per_s=0.1, latency_median_s=60.0, latency_p95_s=90.0)) == []


def test_a_soak_too_short_to_tell_misses_nothing() -> None:
    assert misses(figures([SAMPLE]), ALL_RIGHT) == []
    assert misses(figures([]), ALL_RIGHT) == []


def test_a_lost_order_is_a_miss() -> None:
    assert misses([], replace(ALL_RIGHT, lost_count=1)) == ["1 of 50 orders have no outcome."]


def test_an_order_that_ended_wrongly_is_a_miss_and_named() -> None:
    wrong = replace(ALL_RIGHT, wrong_count=1, problems=("17 ended FAILED, not COMPLETED",))

    assert misses([], wrong) == ["1 orders did not end as they must: 17 ended FAILED, not COMPLETED."]


def test_an_order_that_ended_twice_is_a_miss() -> None:
    assert misses([], replace(ALL_RIGHT, repeated_count=2)) == ["2 orders were told to have ended more than once."]
