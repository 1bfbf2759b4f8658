"""What the machine has for a run: memory, processors, and room for clones. Looks and changes nothing."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from poolwright.memory.limit import MemoryLimit, read_limit
from poolwright.memory.mounts import IN_MEMORY, mount_of
from poolwright.service.processors import processor_count


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The facts that decide how many workers can run."""

    memory: MemoryLimit
    #: The part of it that a run may use.
    memory_threshold: float
    processor_count: int
    #: The folder for runs: clones, and the browsers' temporary files.
    runs_dir: Path
    #: What is free there.
    room_bytes: int
    #: Whether that folder lies in memory, so that its files take some away.
    is_room_in_memory: bool = False


def look_at_machine(runs_dir: Path, memory_threshold: float, root: Path = Path("/")) -> Machine:
    """Inspect the hardware now. Blocking.

    Args:
        runs_dir: The folder for runs; need not exist.
        memory_threshold: The part of the memory that a run may use.
        root: The top folder of the system, ``/`` but in tests.
    """
    folder = existing(runs_dir)
    mount = mount_of(folder.resolve(), root)
    return Machine(
        memory=read_limit(root),
        memory_threshold=memory_threshold,
        processor_count=processor_count(root),
        runs_dir=runs_dir,
        room_bytes=shutil.disk_usage(folder).free,
        is_room_in_memory=mount is not None and mount.kind in IN_MEMORY,
    )


def existing(path: Path) -> Path:
    """The folder, or the nearest one above it that is there already and can be seen."""
    return next(folder for folder in (path.absolute(), *path.absolute().parents) if _is_seen(folder))


def _is_seen(folder: Path) -> bool:
    try:
        return folder.is_dir()
    except PermissionError:  # behind a door that is closed to this user
        return False
