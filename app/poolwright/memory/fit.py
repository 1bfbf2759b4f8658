"""How much memory workers need, and how many of them fit. Pure: estimates, before anything is started."""

from __future__ import annotations

from poolwright.domain.options import WORKER_COUNT_MAX

#: One worker with an idle browser, and one more tab: measured as PSS on pages of realistic weight.
WORKER_BYTES, TAB_BYTES = 450_000_000, 120_000_000


def needed_bytes(worker_count: int, tabs_per_worker: int) -> int:
    """Memory of so many workers with all their tabs open."""
    return worker_count * (WORKER_BYTES + tabs_per_worker * TAB_BYTES)


def worker_count_that_fits(total_bytes: int, threshold: float, tabs_per_worker: int) -> int:
    """The largest number of workers that fit into a share of the memory, at most 8; 0 if not even one fits.

    Args:
        total_bytes: What there is.
        threshold: The share of it that may be used, as 0.75.
        tabs_per_worker: How many tabs each has open.
    """
    return min(WORKER_COUNT_MAX, int(total_bytes * threshold) // needed_bytes(1, tabs_per_worker))
