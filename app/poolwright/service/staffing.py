"""How many workers a run gets: the number that was asked for, or what ``auto`` picks, if the machine can hold them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from poolwright.domain.errors import SetupError
from poolwright.domain.events import Level, Notice
from poolwright.domain.options import WORKER_COUNT_MAX
from poolwright.service.gate import counted, fitting_count, gb, housed_count, lack_of_memory, lack_of_room, tightness
from poolwright.settings import Settings
from poolwright.system.hardware import Hardware, inspect_hardware


@dataclass(frozen=True, slots=True, kw_only=True)
class Staffing:
    """The number of workers, and notices for the user."""

    worker_count: int
    #: Notices for the user.
    notices: tuple[Notice, ...] = ()


def find_staffing(settings: Settings) -> Staffing:
    """Decide how many workers to run on this machine. Blocking; starts nothing.

    Raises:
        SetupError: This many workers do not fit; the message says how many would.
    """
    machine = inspect_hardware(settings.runs_dir, settings.memory_threshold)
    return choose_staffing(settings.workers, settings.tabs_per_worker, machine)


def choose_staffing(asked: int | Literal["auto"], tabs_per_worker: int, machine: Hardware) -> Staffing:
    """Decide on these facts.

    Raises:
        SetupError: This many workers do not fit.
    """
    count = chosen_count(asked, tabs_per_worker, machine)
    lack = lack_of_memory(count, tabs_per_worker, machine) or lack_of_room(count, tabs_per_worker, machine)
    if lack:
        raise SetupError(lack)
    picked = f"workers = auto uses {counted(count, 'worker')}: {_why(count, machine)}." if asked == "auto" else ""
    told = ((Level.INFO, picked), (Level.WARNING, tightness(count, tabs_per_worker, machine)))
    return Staffing(worker_count=count, notices=tuple(Notice(level=level, text=text) for level, text in told if text))


def chosen_count(asked: int | Literal["auto"], tabs_per_worker: int, machine: Hardware) -> int:
    """The number that was asked for; for ``auto`` as many as fit, at most one for each processor, and at least 1.

    More browsers than processors make the run slower.
    """
    if asked != "auto":
        return asked
    return max(1, min(machine.processor_count, fitting_count(machine, tabs_per_worker)))


def _why(count: int, machine: Hardware) -> str:
    """Why ``auto`` took no more."""
    if count == machine.processor_count:
        return "one for each processor" if count > 1 else "this machine has one processor"
    if count == WORKER_COUNT_MAX:
        return "the maximum of a pool"
    if count >= housed_count(machine):
        return f"no disk space for more clones in {machine.runs_dir}"
    memory = machine.memory
    free = f"{gb(memory.available_bytes)} of {gb(memory.total_bytes)} are free"
    return f"more may not fit in memory ({free}, {memory.source})"
