"""What a machine must have for a run, judged one fact at a time. Pure; ``doctor`` brings the facts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.cli import words
from app.domain.options import Sandbox
from app.profile.runs import TEMP_PATH_MAX_BYTES
from app.service import gate
from app.service.machine import Machine
from app.service.sandbox import SandboxChoice

#: Below this a run soon has to stop; below the other one it may.
DISK_FAIL_BYTES, DISK_WARN_BYTES = 500_000_000, 5_000_000_000
#: What a run puts below the folder for runs: ``r-1a2b3c/w8/t``.
RUN_PATH_BYTES = len("/r-1a2b3c/w8/t")


class Level(StrEnum):
    """What a check found."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the doctor."""

    name: str
    level: Level
    #: What there is.
    found: str
    #: What to do about it; empty when it is in order.
    advice: str = ""


def ok(name: str, found: str) -> Check:
    """In order."""
    return Check(name=name, level=Level.OK, found=found)


def warn(name: str, found: str, advice: str) -> Check:
    """A run works, with a drawback."""
    return Check(name=name, level=Level.WARN, found=found, advice=advice)


def fail(name: str, found: str, advice: str) -> Check:
    """A run cannot work."""
    return Check(name=name, level=Level.FAIL, found=found, advice=advice)


def judge_sandbox(choice: SandboxChoice) -> Check:
    """A browser without its sandbox works; it is just less safe on a strange page."""
    if choice.mode is Sandbox.ON:
        return ok("sandbox", f"on ({choice.why})")
    return warn("sandbox", f"off: {choice.why}", "Fine for a portal that you trust.")


def judge_memory(machine: Machine, workers_count: int, tabs_per_worker: int) -> Check:
    """Whether that many workers fit, by the same rules as at the start of a run."""
    lack = gate.lack_of_memory(workers_count, tabs_per_worker, machine)
    if lack:
        return fail("memory", lack, "")
    tight = gate.tightness(workers_count, tabs_per_worker, machine)
    if tight:
        return warn("memory", tight, "")
    memory = machine.memory
    there = f"{words.size(memory.available_bytes)} of {words.size(memory.total_bytes)} free ({memory.source})"
    return ok("memory", f"{there}; {gate.need(workers_count, tabs_per_worker)}")


def judge_disk(place: str, free_bytes: int, *, is_writable: bool) -> Check:
    """Whether files can be written and have room."""
    found = f"{words.size(free_bytes)} free for {place}"
    if not is_writable:
        return fail("output", f"{place} cannot be written", "Name another folder with --out, or change its owner.")
    if free_bytes < DISK_FAIL_BYTES:
        return fail("output", found, "Free some space, or name a folder on another disk with --out.")
    if free_bytes < DISK_WARN_BYTES:
        return warn("output", found, "Enough for a short list; free some space for a long one.")
    return ok("output", found)


def judge_shared_memory(total_bytes: int | None) -> Check:
    """Told because it is often asked for; browsers are started so that they do without it."""
    found = "none" if total_bytes is None else words.size(total_bytes)
    return ok("shared mem", f"{found}; browsers do without it")


def judge_runs_dir(machine: Machine, workers_count: int, tabs_per_worker: int, *, is_writable: bool) -> Check:
    """Whether clones can be made and have room, and browsers' sockets have short enough a path."""
    place = str(machine.runs_dir)
    length = len(place.encode()) + RUN_PATH_BYTES
    lack = gate.lack_of_room(workers_count, tabs_per_worker, machine)
    if not is_writable:
        return fail("runs folder", f"{place} cannot be written", "Name another one with --runs-dir.")
    if lack:
        return fail("runs folder", lack, "")
    if length > TEMP_PATH_MAX_BYTES:
        told = f"{place} makes paths of {length} bytes, {TEMP_PATH_MAX_BYTES} are allowed"
        return warn("runs folder", told, "Browsers get temporary folders elsewhere; a shorter --runs-dir avoids that.")
    kind = "; it lies in memory" if machine.is_room_in_memory else ""
    room = f"{words.size(machine.room_bytes)} free{kind}; paths of {length} of {TEMP_PATH_MAX_BYTES} bytes"
    return ok("runs folder", f"{place} ({room})")
