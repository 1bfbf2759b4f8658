"""How many processors this process may use: those it may run on, or less where a control group gives it less time."""

from __future__ import annotations

import math
import os
from pathlib import Path

from poolwright.memory.cgroups import Cgroup, cgroups


def processor_count(root: Path = Path("/")) -> int:
    """At least 1; a share of a processor counts as a whole one.

    Args:
        root: The top folder of the system, ``/`` but in tests.
    """
    counts = filter(None, map(_granted, cgroups(root, "cpu")))
    return max(1, min((_allowed(), *map(math.ceil, counts))))


def _allowed() -> int:
    """Processors that the system lets this process run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _granted(group: Cgroup) -> float | None:
    """Processors whose time a group may take; nothing where it is not limited."""
    if group.version == 1:
        quota, period = group.number("cpu.cfs_quota_us"), group.number("cpu.cfs_period_us")
        return quota / period if quota and period and quota > 0 else None
    quota_text, _, period_text = group.text("cpu.max").partition(" ")
    is_limited = quota_text.isdecimal() and period_text.isdecimal() and int(period_text) > 0
    return int(quota_text) / int(period_text) if is_limited else None
