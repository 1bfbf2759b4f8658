"""The processes of a running program, by what they are: what an accident, or a test, can hit."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

import psutil


class Kind(StrEnum):
    """What a process is in the tree of a run."""

    WORKER = "worker"
    DRIVER = "driver"
    BROWSER = "browser"
    RENDERER = "renderer"


def find(root: int, kind: Kind) -> list[psutil.Process]:
    """The processes of one kind below a program, those of the lowest pid first.

    A process that forked and did not begin its own program yet bears its parent's command line: it is not counted.
    """
    try:
        family = psutil.Process(root).children(recursive=True)
    except psutil.Error:
        return []
    found = {process.pid: process for process in family if _kind(process) is kind}
    return [found[pid] for pid in sorted(found) if _parent_of(found[pid]) not in found]


def hit(process: psutil.Process, number: signal.Signals) -> bool:
    """Send a signal to exactly this process; false when it is gone already."""
    if not process.is_running():
        return False
    try:
        os.kill(process.pid, number)
    except ProcessLookupError:
        return False
    return True


def _parent_of(process: psutil.Process) -> int | None:
    try:
        return process.ppid()
    except psutil.Error:
        return None


def _kind(process: psutil.Process) -> Kind | None:
    try:
        command = process.cmdline()
    except psutil.Error:
        return None
    return _kind_of(command)


def _kind_of(command: Iterable[str]) -> Kind | None:
    parts = list(command)
    if not parts:
        return None
    if "poolwright.worker" in parts:
        return Kind.WORKER
    if Path(parts[0]).name.startswith("node"):
        return Kind.DRIVER
    if "--type=renderer" in parts:
        return Kind.RENDERER
    is_browser = any(part.startswith("--user-data-dir=") for part in parts)
    return Kind.BROWSER if is_browser and not any(part.startswith("--type=") for part in parts) else None


def zombies_below(pid: int) -> list[str]:
    """Children of a process whose exit codes nobody has asked for."""
    children = psutil.Process(pid).children()
    return [process.name() for process in children if process.status() == psutil.STATUS_ZOMBIE]


def find_worker(root: int, slot: int) -> psutil.Process | None:
    """The worker process in a slot; nothing between two generations."""
    in_slot = [worker for worker in find(root, Kind.WORKER) if _slot_of(worker) == str(slot)]
    return in_slot[-1] if in_slot else None


def _slot_of(worker: psutil.Process) -> str | None:
    """What follows the module on a worker's command line."""
    try:
        _, _, after = " ".join(worker.cmdline()).partition(" poolwright.worker ")
    except psutil.Error:
        return None
    return after.split(" ")[0]
