"""Checks how many workers fit in the memory and on the disk of this machine, and resolves ``workers = auto``.

A shortage is an error: several workers need more memory than there is, or their clones do not fit on the disk. A
warning says that workers may have to be recycled or killed. One worker is never refused for lack of memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from poolwright.domain.errors import SetupError
from poolwright.domain.events import Level, Notice
from poolwright.domain.options import WORKER_COUNT_MAX
from poolwright.profile.clone import RESERVE_BYTES
from poolwright.settings import Settings
from poolwright.system.hardware import Hardware, inspect_hardware
from poolwright.system.memory_limit import max_worker_count, needed_bytes

#: Disk space for the clone of one worker: 5 MB were measured on light pages; caches of heavy pages need more.
DISK_BYTES_PER_WORKER = 50_000_000
_GB = 1e9


def max_workers(machine: Hardware, tabs_per_worker: int) -> int:
    """Return how many workers fit in memory and on disk without a warning; 0 to 8."""
    memory = machine.memory
    return min(
        max_worker_count(memory.total_bytes, machine.memory_threshold, tabs_per_worker),
        max_worker_count(memory.available_bytes, 1.0, tabs_per_worker),
        max_workers_on_disk(machine),
    )


def max_workers_on_disk(machine: Hardware) -> int:
    """Return how many workers' profile clones fit on the disk; 0 to 8."""
    return min(WORKER_COUNT_MAX, max(0, machine.room_bytes - RESERVE_BYTES) // DISK_BYTES_PER_WORKER)


def memory_needed(count: int, tabs_per_worker: int) -> str:
    """Return the needed memory as text: ``2 workers with 2 tabs each need about 1.4 GB``."""
    tabs = f"{count_text(tabs_per_worker, 'tab')}{' each' if count > 1 else ''}"
    needed = gb_text(needed_bytes(count, tabs_per_worker))
    return f"{count_text(count, 'worker')} with {tabs} {_needs(count)} about {needed}"


def memory_shortage(count: int, tabs_per_worker: int, machine: Hardware) -> str:
    """Explain why this many workers do not fit in memory and what to do; empty if they fit."""
    memory = machine.memory
    if count == 1 or needed_bytes(count, tabs_per_worker) <= memory.total_bytes:
        return ""
    fitting = max_workers(machine, tabs_per_worker)
    advice = _fewer_workers(fitting) if fitting else "even one worker may not fit; lower --tabs, or try --workers 1"
    needed, total = memory_needed(count, tabs_per_worker), gb_text(memory.total_bytes)
    return f"{needed} of memory, but there are {total} ({memory.source}): {advice}."


def disk_shortage(count: int, tabs_per_worker: int, machine: Hardware) -> str:
    """Explain why this many clones do not fit on the disk and what to do; empty if they fit."""
    if count <= max_workers_on_disk(machine):
        return ""
    fitting = max_workers(machine, tabs_per_worker)
    kind = ", which lies in memory" if machine.is_room_in_memory else ""
    needed = gb_text(RESERVE_BYTES + count * DISK_BYTES_PER_WORKER)
    return (
        f"{count_text(count, 'worker')} {_needs(count)} about {needed} of disk space "
        f"for clones and temporary files, and {gb_text(machine.room_bytes)} are free in {machine.runs_dir}{kind}: "
        f"{_fewer_workers(fitting) if fitting else 'free some space'}, or choose another folder with --runs-dir."
    )


def memory_warning(count: int, tabs_per_worker: int, machine: Hardware) -> str:
    """Warn that memory may run short and what to do; empty if it will not."""
    memory, threshold = machine.memory, machine.memory_threshold
    need_bytes = needed_bytes(count, tabs_per_worker)
    if need_bytes > memory.available_bytes:
        available = f"{gb_text(memory.available_bytes)} of {gb_text(memory.total_bytes)} are free now ({memory.source})"
    elif need_bytes > threshold * memory.total_bytes:
        available = f"the limit of {threshold:.0%} is {gb_text(threshold * memory.total_bytes)} ({memory.source})"
    else:
        return ""
    fitting = max_workers(machine, tabs_per_worker)
    advice = _fewer_workers(fitting) if fitting else "lower --tabs, or close other programs"
    return f"{memory_needed(count, tabs_per_worker)} of memory, and {available}: {advice}."


def count_text(number: int, noun: str) -> str:
    """Return a count with its noun: ``1 worker``, ``2 workers``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def gb_text(size_bytes: float) -> str:
    """Return a size in gigabytes: ``1.4 GB``."""
    return f"{size_bytes / _GB:.1f} GB"


def _needs(count: int) -> str:
    return "needs" if count == 1 else "need"


def _fewer_workers(fitting: int) -> str:
    return f"--workers {fitting} would fit, or --workers auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerCountChoice:
    """The number of workers, and notices for the user."""

    worker_count: int
    #: Notices for the user.
    notices: tuple[Notice, ...] = ()


def resolve_worker_count(settings: Settings) -> WorkerCountChoice:
    """Decide how many workers to run on this machine. Blocking; starts nothing.

    Raises:
        SetupError: This many workers do not fit; the message says how many would.
    """
    machine = inspect_hardware(settings.runs_dir, settings.memory_threshold)
    return check_worker_count(settings.workers, settings.tabs_per_worker, machine)


def check_worker_count(asked: int | Literal["auto"], tabs_per_worker: int, machine: Hardware) -> WorkerCountChoice:
    """Decide how many workers to run on the given machine.

    Raises:
        SetupError: This many workers do not fit.
    """
    count = pick_worker_count(asked, tabs_per_worker, machine)
    shortage = memory_shortage(count, tabs_per_worker, machine) or disk_shortage(count, tabs_per_worker, machine)
    if shortage:
        raise SetupError(shortage)
    choice = (
        f"workers = auto uses {count_text(count, 'worker')}: {_why_not_more(count, machine)}."
        if asked == "auto"
        else ""
    )
    messages = ((Level.INFO, choice), (Level.WARNING, memory_warning(count, tabs_per_worker, machine)))
    return WorkerCountChoice(
        worker_count=count, notices=tuple(Notice(level=level, text=text) for level, text in messages if text)
    )


def pick_worker_count(asked: int | Literal["auto"], tabs_per_worker: int, machine: Hardware) -> int:
    """Return the configured number; for ``auto``, as many as fit, from 1 to the number of processors.

    More browsers than processors make the run slower.
    """
    if asked != "auto":
        return asked
    return max(1, min(machine.processor_count, max_workers(machine, tabs_per_worker)))


def _why_not_more(count: int, machine: Hardware) -> str:
    """Return why ``auto`` did not choose more workers."""
    if count == machine.processor_count:
        return "one for each processor" if count > 1 else "this machine has one processor"
    if count == WORKER_COUNT_MAX:
        return "the maximum of a pool"
    if count >= max_workers_on_disk(machine):
        return f"no disk space for more clones in {machine.runs_dir}"
    memory = machine.memory
    free = f"{gb_text(memory.available_bytes)} of {gb_text(memory.total_bytes)} are free"
    return f"more may not fit in memory ({free}, {memory.source})"
