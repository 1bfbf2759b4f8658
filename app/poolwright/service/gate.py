"""Whether a machine can hold so many workers, in sentences for a person. Pure; estimates, before anything is started.

Lacking is what cannot fit: more than one worker in less memory than they need, or clones without room. Tight is what
may have to be slowed down or killed under way. One worker never lacks memory, since there is nothing smaller to try.
"""

from __future__ import annotations

from poolwright.domain.options import WORKER_COUNT_MAX
from poolwright.profile.clone import RESERVE_BYTES
from poolwright.system.hardware import Hardware
from poolwright.system.memory_limit import max_worker_count, needed_bytes

#: What one worker may write to its folder for runs: 5 MB were measured on light pages; caches of heavy ones take more.
ROOM_BYTES = 50_000_000
_GB = 1e9


def fitting_count(machine: Hardware, tabs_per_worker: int) -> int:
    """Return how many workers fit in memory and on disk without a warning; 0 to 8."""
    memory = machine.memory
    return min(
        max_worker_count(memory.total_bytes, machine.memory_threshold, tabs_per_worker),
        max_worker_count(memory.available_bytes, 1.0, tabs_per_worker),
        housed_count(machine),
    )


def housed_count(machine: Hardware) -> int:
    """Return how many workers' profile clones fit on the disk; 0 to 8."""
    return min(WORKER_COUNT_MAX, max(0, machine.room_bytes - RESERVE_BYTES) // ROOM_BYTES)


def need(count: int, tabs_per_worker: int) -> str:
    """``2 workers with 2 tabs each need about 1.4 GB``."""
    tabs = f"{counted(tabs_per_worker, 'tab')}{' each' if count > 1 else ''}"
    return f"{counted(count, 'worker')} with {tabs} {_needs(count)} about {gb(needed_bytes(count, tabs_per_worker))}"


def lack_of_memory(count: int, tabs_per_worker: int, machine: Hardware) -> str:
    """Explain why this many workers do not fit in memory and what to do; empty if they fit."""
    memory = machine.memory
    if count == 1 or needed_bytes(count, tabs_per_worker) <= memory.total_bytes:
        return ""
    fitting = fitting_count(machine, tabs_per_worker)
    advice = _fewer(fitting) if fitting else "even one worker may not fit; lower --tabs, or try --workers 1"
    return (
        f"{need(count, tabs_per_worker)} of memory, but there are {gb(memory.total_bytes)} ({memory.source}): {advice}."
    )


def lack_of_room(count: int, tabs_per_worker: int, machine: Hardware) -> str:
    """Explain why this many clones do not fit on the disk and what to do; empty if they fit."""
    if count <= housed_count(machine):
        return ""
    fitting = fitting_count(machine, tabs_per_worker)
    kind = ", which lies in memory" if machine.is_room_in_memory else ""
    return (
        f"{counted(count, 'worker')} {_needs(count)} about {gb(RESERVE_BYTES + count * ROOM_BYTES)} of disk for clones "
        f"and temporary files, and {gb(machine.room_bytes)} are free in {machine.runs_dir}{kind}: "
        f"{_fewer(fitting) if fitting else 'free some space'}, or choose another folder with --runs-dir."
    )


def tightness(count: int, tabs_per_worker: int, machine: Hardware) -> str:
    """Warn that memory may run short and what to do; empty if it will not."""
    memory, part = machine.memory, machine.memory_threshold
    need_bytes = needed_bytes(count, tabs_per_worker)
    if need_bytes > memory.available_bytes:
        there = f"{gb(memory.available_bytes)} of {gb(memory.total_bytes)} are free now ({memory.source})"
    elif need_bytes > part * memory.total_bytes:
        there = f"the limit of {part:.0%} is {gb(part * memory.total_bytes)} ({memory.source})"
    else:
        return ""
    fitting = fitting_count(machine, tabs_per_worker)
    advice = _fewer(fitting) if fitting else "lower --tabs, or close other programs"
    return f"{need(count, tabs_per_worker)} of memory, and {there}: {advice}."


def counted(number: int, noun: str) -> str:
    """``1 worker``, ``2 workers``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def gb(size_bytes: float) -> str:
    """``1.4 GB``."""
    return f"{size_bytes / _GB:.1f} GB"


def _needs(count: int) -> str:
    return "needs" if count == 1 else "need"


def _fewer(fitting: int) -> str:
    return f"--workers {fitting} would fit, or --workers auto"
