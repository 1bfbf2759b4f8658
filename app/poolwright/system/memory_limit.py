"""The memory available to this program, the workers that fit into it, and kills by the system for lack of memory.

Read anew at each call: limits change while a program runs. The rules:

- Of every group around us the limit and the usage are read in that same group, never mixed.
- Of a group's usage, file pages that nobody used lately (``inactive_file``) count as free: the kernel takes them back
  before it kills.
- The smallest limit is the total, the least room in any of the groups is what is available.
- A limit that is not below the machine's memory, ``max``, or one that cannot be read is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from poolwright.domain.options import WORKER_COUNT_MAX
from poolwright.system.cgroups import Cgroup, cgroups

_CONTROLLER = "memory"
_KIB = 1024
#: Of kernels that do not tell ``MemAvailable``: about the same, put together.
_ABOUT_AVAILABLE = ("MemFree", "Buffers", "Cached")


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryLimit:
    """The memory available at one moment."""

    #: Physical memory, or the smallest limit around us.
    total_bytes: int
    #: What can still be had: the least room that the machine and all groups around us have.
    available_bytes: int
    #: Where the total comes from, for a person.
    source: str
    #: Whether a control group sets it: a container, or a service.
    is_of_group: bool = False


def read_limit(root: Path = Path("/")) -> MemoryLimit:
    """The memory that we may have. Blocking, a few milliseconds.

    Args:
        root: The top folder of the system, ``/`` but in tests.
    """
    machine = _machine(root)
    limits = [limit for group in _governing(root) if (limit := _limit_of(group)) is not None]
    binding = [limit for limit in limits if limit.total_bytes < machine.total_bytes]
    least = min((machine, *binding), key=lambda limit: limit.total_bytes)
    available_bytes = min(limit.available_bytes for limit in (machine, *binding))
    return replace(least, available_bytes=max(0, available_bytes))


def oom_kill_count(root: Path = Path("/")) -> int | None:
    """How many processes the kernel has killed for want of memory, since this machine or this group came to be.

    Told by the innermost group that counts: its count has the processes of this group (and, in version 2, of those
    below it) whichever limit was hit. Without groups it is the whole machine's. Compare two readings; one alone says
    nothing about us.

    Args:
        root: The top folder of the system, ``/`` but in tests.

    Returns:
        Nothing where the kernel does not count.
    """
    files = {1: "memory.oom_control", 2: "memory.events"}
    counts = (group.entry(files[group.version], "oom_kill") for group in cgroups(root, _CONTROLLER))
    own = next((count for count in counts if count is not None), None)
    return _entries(root / "proc/vmstat").get("oom_kill") if own is None else own


def _machine(root: Path) -> MemoryLimit:
    told = _entries(root / "proc/meminfo")
    source = "physical memory"
    if "MemTotal" not in told:
        memory = psutil.virtual_memory()
        return MemoryLimit(total_bytes=memory.total, available_bytes=memory.available, source=source)
    available = told.get("MemAvailable", sum(told.get(name, 0) for name in _ABOUT_AVAILABLE))
    return MemoryLimit(total_bytes=told["MemTotal"] * _KIB, available_bytes=available * _KIB, source=source)


def _governing(root: Path) -> Iterator[Cgroup]:
    """The groups whose limit is ours too. In version 1 a group may leave those below it alone, and all above it."""
    is_cut = False
    for place, group in enumerate(cgroups(root, _CONTROLLER)):
        if group.version == 1:
            is_cut = is_cut or (place > 0 and group.number("memory.use_hierarchy") == 0)
        if group.version != 1 or not is_cut:
            yield group


def _limit_of(group: Cgroup) -> MemoryLimit | None:
    """The limit of one group; None if it sets none."""
    names = ("memory.limit_in_bytes",) if group.version == 1 else ("memory.max", "memory.high")
    told = [group.number(name) for name in names]
    if group.version == 1 and group.is_outermost:
        # Groups that a container cannot see may allow less; their usage is unknown, and at least ours.
        told.append(group.entry("memory.stat", "hierarchical_memory_limit"))
    limits = [limit for limit in told if limit is not None and limit >= 0]
    if not limits:
        return None
    total_bytes = min(limits)
    used_bytes = _used_bytes(group)
    return MemoryLimit(
        total_bytes=total_bytes,
        available_bytes=total_bytes - used_bytes,
        source=f"the limit of this container or service, cgroup v{group.version} {_short_group_name(group.name)}",
        is_of_group=True,
    )


def _short_group_name(name: str) -> str:
    """A name for a sentence: the ids in it that engines give their containers are 64 digits long."""
    return re.sub(r"([0-9a-f]{12})[0-9a-f]{52}", r"\1", name)


def _used_bytes(group: Cgroup) -> int:
    """What is in use for good: without what the kernel can take back at once. 0 when it is not told."""
    usage, idle = (
        ("memory.usage_in_bytes", "total_inactive_file")
        if group.version == 1
        else (
            "memory.current",
            "inactive_file",
        )
    )
    return max(0, (group.number(usage) or 0) - (group.entry("memory.stat", idle) or 0))


def _entries(path: Path) -> dict[str, int]:
    """A file of the kernel with a name and a number in each line; empty when it cannot be read."""
    try:
        lines = [line.replace(":", " ").split() for line in path.read_text(encoding="ascii").splitlines()]
    except (OSError, UnicodeDecodeError):
        return {}
    return {line[0]: int(line[1]) for line in lines if len(line) > 1 and line[1].isdecimal()}


class OomKillCounter:
    """Counts kills for lack of memory since its creation, in our control group or else on the whole machine."""

    def __init__(self, count: Callable[[], int | None] = oom_kill_count) -> None:
        """Begin to count; ``count`` gives all kills so far, nothing where the system does not tell."""
        self._count = count
        self._before = count()

    @property
    def count(self) -> int:
        """How many there were; 0 where the system does not tell."""
        now = self._count()
        return 0 if now is None or self._before is None else max(0, now - self._before)


#: One worker with an idle browser, and one more tab: measured as PSS on pages of realistic weight.
WORKER_BYTES, TAB_BYTES = 450_000_000, 120_000_000


def needed_bytes(worker_count: int, tabs_per_worker: int) -> int:
    """Memory of so many workers with all their tabs open."""
    return worker_count * (WORKER_BYTES + tabs_per_worker * TAB_BYTES)


def max_worker_count(total_bytes: int, threshold: float, tabs_per_worker: int) -> int:
    """The largest number of workers that fit into a share of the memory, at most 8; 0 if not even one fits.

    Args:
        total_bytes: What there is.
        threshold: The share of it that may be used, as 0.75.
        tabs_per_worker: How many tabs each has open.
    """
    return min(WORKER_COUNT_MAX, int(total_bytes * threshold) // needed_bytes(1, tabs_per_worker))
