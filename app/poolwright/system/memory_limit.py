"""The memory available to this program, the workers that fit into it, and kills by the system for lack of memory.

Limits are read at each call, because they change while a program runs. The rules:

- For every control group of this process, limit and usage are read from that same group, never mixed.
- File pages that were not used lately (``inactive_file``) count as free: the kernel reclaims them before it kills.
- The total is the smallest limit; the available memory is the least that any of the groups has left.
- ``max``, a limit that is not below the machine's memory, and one that cannot be read are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from poolwright.domain.options import WORKER_COUNT_MAX
from poolwright.system.cgroups import Cgroup, cgroups

_CONTROLLER = "memory"
_KIB = 1024
#: About the same in sum, for kernels without ``MemAvailable``.
_ABOUT_AVAILABLE = ("MemFree", "Buffers", "Cached")


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryLimit:
    """The memory available at one moment."""

    #: Physical memory, or the smallest limit of the control groups.
    total_bytes: int
    #: The least memory that the machine and all control groups have left.
    available_bytes: int
    #: The source of the total, as a phrase for a person.
    source: str
    #: Whether a control group sets the total: that of a container or a service.
    is_of_group: bool = False


def read_limit(root: Path = Path("/")) -> MemoryLimit:
    """Return the memory limit of this process. Blocking, a few milliseconds.

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
    """Return how many processes the kernel has killed for lack of memory since this machine or this group started.

    The innermost group with a count is read: it counts the processes of this group (and, in version 2, of those below
    it), whichever limit was reached. Without groups the count is that of the whole machine. Compare two readings; one
    alone means nothing for this process.

    Args:
        root: The top folder of the system, ``/`` but in tests.

    Returns:
        ``None`` if the kernel does not count.
    """
    files = {1: "memory.oom_control", 2: "memory.events"}
    counts = (group.entry(files[group.version], "oom_kill") for group in cgroups(root, _CONTROLLER))
    own = next((count for count in counts if count is not None), None)
    return _entries(root / "proc/vmstat").get("oom_kill") if own is None else own


def _machine(root: Path) -> MemoryLimit:
    entries = _entries(root / "proc/meminfo")
    source = "physical memory"
    if "MemTotal" not in entries:
        import psutil  # noqa: PLC0415 - not on Linux, and a worker only counts kills

        memory = psutil.virtual_memory()
        return MemoryLimit(total_bytes=memory.total, available_bytes=memory.available, source=source)
    available = entries.get("MemAvailable", sum(entries.get(name, 0) for name in _ABOUT_AVAILABLE))
    return MemoryLimit(total_bytes=entries["MemTotal"] * _KIB, available_bytes=available * _KIB, source=source)


def _governing(root: Path) -> Iterator[Cgroup]:
    """Yield the groups whose limits apply to this process. A version 1 group without hierarchy ends them."""
    is_cut = False
    for index, group in enumerate(cgroups(root, _CONTROLLER)):
        if group.version == 1:
            is_cut = is_cut or (index > 0 and group.number("memory.use_hierarchy") == 0)
        if group.version != 1 or not is_cut:
            yield group


def _limit_of(group: Cgroup) -> MemoryLimit | None:
    """Return the limit of one group; ``None`` if it sets none."""
    names = ("memory.limit_in_bytes",) if group.version == 1 else ("memory.max", "memory.high")
    values = [group.number(name) for name in names]
    if group.version == 1 and group.is_outermost:
        # Groups that are invisible in a container may allow less; their usage is unknown, but at least ours.
        values.append(group.entry("memory.stat", "hierarchical_memory_limit"))
    limits = [limit for limit in values if limit is not None and limit >= 0]
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
    """Shorten a group name for a sentence: container ids in it are 64 digits long."""
    return re.sub(r"([0-9a-f]{12})[0-9a-f]{52}", r"\1", name)


def _used_bytes(group: Cgroup) -> int:
    """Return the usage of a group without what the kernel can reclaim at once; 0 if it is unknown."""
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
    """Read a kernel file with a name and a number in each line; empty if it cannot be read."""
    try:
        lines = [line.replace(":", " ").split() for line in path.read_text(encoding="ascii").splitlines()]
    except (OSError, UnicodeDecodeError):
        return {}
    return {line[0]: int(line[1]) for line in lines if len(line) > 1 and line[1].isdecimal()}


class OomKillCounter:
    """Counts kills for lack of memory since its creation, in our control group or else on the whole machine."""

    def __init__(self, count: Callable[[], int | None] = oom_kill_count) -> None:
        """Start counting; ``count`` returns all kills so far, or ``None`` if the system does not count."""
        self._count = count
        self._before = count()

    @property
    def count(self) -> int:
        """The number of kills; 0 if the system does not count."""
        now = self._count()
        return 0 if now is None or self._before is None else max(0, now - self._before)


#: One worker with an idle browser, and one more tab: measured as PSS on pages of realistic weight.
WORKER_BYTES, TAB_BYTES = 450_000_000, 120_000_000


def needed_bytes(worker_count: int, tabs_per_worker: int) -> int:
    """Return the memory that this many workers need with all their tabs open."""
    return worker_count * (WORKER_BYTES + tabs_per_worker * TAB_BYTES)


def max_worker_count(total_bytes: int, threshold: float, tabs_per_worker: int) -> int:
    """Return the largest number of workers that fit into a share of the memory, at most 8; 0 if not even one fits.

    Args:
        total_bytes: The whole memory.
        threshold: The share of it that may be used, such as 0.75.
        tabs_per_worker: The number of open tabs of each worker.
    """
    return min(WORKER_COUNT_MAX, int(total_bytes * threshold) // needed_bytes(1, tabs_per_worker))
