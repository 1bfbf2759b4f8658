"""How many workers fit, by the estimate."""

from __future__ import annotations

import pytest

from poolwright.system.memory_limit import max_worker_count, needed_bytes
from tests.unit.system.machines import GB


def test_what_workers_need_grows_with_workers_and_tabs() -> None:
    assert needed_bytes(1, 1) == 570_000_000
    assert needed_bytes(2, 2) == 1_380_000_000


@pytest.mark.parametrize(
    ("total_bytes", "threshold", "tabs", "count"),
    [
        (0, 0.75, 2, 0),
        (919_999_999, 0.75, 2, 0),
        (920_000_000, 0.75, 2, 1),
        (2 * GB, 0.75, 2, 2),
        (2 * GB, 0.5, 2, 1),
        (2 * GB, 0.75, 16, 0),
        (7 * GB, 0.75, 2, 7),
        (512 * GB, 0.75, 2, 8),
    ],
)
def test_as_many_fit_as_stay_below_the_threshold(total_bytes: int, threshold: float, tabs: int, count: int) -> None:
    assert max_worker_count(total_bytes, threshold, tabs) == count
