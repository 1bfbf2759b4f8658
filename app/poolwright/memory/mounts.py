"""What is mounted where, as ``/proc/self/mountinfo`` tells it. Reads only; nothing where a system has no such file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

#: File systems whose files lie in memory.
IN_MEMORY = frozenset({"tmpfs", "ramfs"})
#: Before ``" - "``: id, parent, device, root, mount point, options; behind it: kind, source, options of the kind.
_FIELDS_BEFORE, _FIELDS_BEHIND = 6, 3
_ESCAPED = re.compile(r"\\(\d{3})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One line of the file."""

    #: The file system, as ``cgroup2`` or ``tmpfs``.
    kind: str
    #: Which folder of the file system is the one that shows at ``point``.
    root: PurePosixPath
    point: PurePosixPath
    #: Those of the file system; for a ``cgroup`` its controllers are among them.
    options: frozenset[str]
    #: Nothing can be written there, whoever tries: the mount or the whole file system says so.
    is_read_only: bool = False


def read_mounts(root: Path) -> tuple[Mount, ...]:
    """Every mount that this process sees, in the order in which they were made.

    Args:
        root: The top folder of the system, ``/`` but in tests.
    """
    try:
        text = (root / "proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ()
    return tuple(filter(None, map(_mount, text.splitlines())))


def mount_of(path: Path, root: Path) -> Mount | None:
    """The mount that contains a folder; None if it is unknown."""
    place = PurePosixPath(path)
    around = [mount for mount in read_mounts(root) if place.is_relative_to(mount.point)]
    # Of two at the same point the later one hides the earlier one.
    return max(reversed(around), key=lambda mount: len(mount.point.parts), default=None)


def _mount(line: str) -> Mount | None:
    before, _, behind = (part.split(" ") for part in line.partition(" - "))
    if len(before) < _FIELDS_BEFORE or len(behind) < _FIELDS_BEHIND:
        return None
    return Mount(
        kind=behind[0],
        root=PurePosixPath(_plain(before[3])),
        point=PurePosixPath(_plain(before[4])),
        options=frozenset(behind[2].split(",")),
        is_read_only="ro" in {*before[5].split(","), *behind[2].split(",")},
    )


def _plain(field: str) -> str:
    """Blanks stand in the file as octal numbers."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 8)), field)
