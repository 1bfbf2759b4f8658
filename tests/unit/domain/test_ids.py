from __future__ import annotations

from poolwright.domain.ids import WorkerRef


def test_a_worker_reads_as_its_slot_and_generation() -> None:
    assert str(WorkerRef(2, 1)) == "worker-2#1"


def test_a_slot_keeps_its_identity_over_all_generations() -> None:
    assert WorkerRef(3, 1).worker_id == WorkerRef(3, 7).worker_id == "worker-3"
    assert WorkerRef(3, 1) != WorkerRef(3, 7)


def test_the_same_process_is_the_same_key() -> None:
    assert {WorkerRef(1, 2): "held"}[WorkerRef(1, 2)] == "held"


def test_workers_sort_by_slot_then_generation() -> None:
    mixed = [WorkerRef(2, 1), WorkerRef(1, 10), WorkerRef(1, 9)]

    assert sorted(mixed) == [WorkerRef(1, 9), WorkerRef(1, 10), WorkerRef(2, 1)]
