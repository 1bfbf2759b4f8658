"""Reads the mounts and the control groups of this process: version 1 and 2, alone or both, on a host or in a container.

A container may see its own group as the top of the mount while ``/proc/self/cgroup`` has the host's path, or the
reverse. So the path is taken relative to the folder that the mount shows; if the two do not match, the top of the mount
is the best known group. A system without control groups has none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

#: File systems whose files are in memory.
IN_MEMORY = frozenset({"tmpfs", "ramfs"})
#: Before ``" - "``: id, parent, device, root, mount point, options; behind it: kind, source, options of the kind.
_FIELDS_BEFORE, _FIELDS_BEHIND = 6, 3
_ESCAPED = re.compile(r"\\(\d{3})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One line of ``/proc/self/mountinfo``."""

    #: The file system, such as ``cgroup2`` or ``tmpfs``.
    kind: str
    #: The folder of the file system that is mounted at ``point``.
    root: PurePosixPath
    point: PurePosixPath
    #: The options of the file system; for a ``cgroup`` with its controllers.
    options: frozenset[str]
    #: Whether the mount or the whole file system is read-only.
    is_read_only: bool = False


def read_mounts(root: Path) -> tuple[Mount, ...]:
    """Return every mount that this process sees, in the order in which they were made.

    Args:
        root: The top folder of the system, ``/`` but in tests.
    """
    try:
        text = (root / "proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ()
    return tuple(filter(None, map(_mount, text.splitlines())))


def mount_of(path: Path, root: Path) -> Mount | None:
    """Return the mount that contains a folder; ``None`` if it is unknown."""
    folder = PurePosixPath(path)
    candidates = [mount for mount in read_mounts(root) if folder.is_relative_to(mount.point)]
    # Of two mounts at the same point the later one hides the earlier one.
    return max(reversed(candidates), key=lambda mount: len(mount.point.parts), default=None)


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
    """Decode spaces and the like, which the file has as octal numbers."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 8)), field)


_V1, _V2 = "cgroup", "cgroup2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cgroup:
    """One control group of this process."""

    #: 1 or 2.
    version: int
    #: The kernel's name for it in our namespace, ``/`` for the top group that is visible.
    name: str
    folder: Path
    #: Whether it is the outermost visible group; a container may have invisible ones above it.
    is_outermost: bool

    def text(self, file: str) -> str:
        """Return the text of a file; empty if it is missing or may not be read."""
        try:
            return (self.folder / file).read_text(encoding="ascii", errors="replace").strip()
        except OSError:
            return ""

    def number(self, file: str) -> int | None:
        """Return the number in a file; ``None`` for ``max`` and for an unreadable file."""
        return _number(self.text(file))

    def entry(self, file: str, key: str) -> int | None:
        """Return the number of a key in a file with a key and a number in each line; ``None`` if it is missing."""
        lines = (line.split() for line in self.text(file).splitlines())
        return next((_number(line[1]) for line in lines if len(line) > 1 and line[0] == key), None)


def cgroups(root: Path, controller: str) -> tuple[Cgroup, ...]:
    """Return the groups of this process that may limit it, from the innermost one.

    If both versions are mounted, groups of both are returned; the files of a controller are in one of them only.

    Args:
        root: The top folder of the system, ``/`` but in tests.
        controller: ``memory`` or ``cpu``; of version 1 only the groups of this controller count.
    """
    mounts = read_mounts(root)
    own = dict(_own_paths(root))
    of_v1 = [mount for mount in mounts if mount.kind == _V1 and controller in mount.options]
    of_v2 = [mount for mount in mounts if mount.kind == _V2]
    return (*_chain(root, 1, of_v1, own.get(controller)), *_chain(root, 2, of_v2, own.get("")))


def _own_paths(root: Path) -> Iterator[tuple[str, PurePosixPath]]:
    """Yield the paths of our groups by controller; that of version 2 under an empty name."""
    try:
        text = (root / "proc/self/cgroup").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return
    for line in text.splitlines():
        hierarchy, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if path and (controllers or hierarchy == "0"):
            yield from ((controller, PurePosixPath(path)) for controller in controllers.split(","))


def _chain(root: Path, version: int, mounts: list[Mount], own: PurePosixPath | None) -> Iterator[Cgroup]:
    if own is None or not mounts:
        return
    mount = next((mount for mount in mounts if _is_shown(own, mount)), mounts[0])
    top = root.joinpath(*mount.point.parts[1:])
    inside = own.relative_to(mount.root) if _is_shown(own, mount) else PurePosixPath()
    for path in (inside, *inside.parents):
        folder = top / path
        is_outermost = path == PurePosixPath()
        if folder.is_dir():
            yield Cgroup(version=version, name=f"{mount.root / path}", folder=folder, is_outermost=is_outermost)


def _is_shown(own: PurePosixPath, mount: Mount) -> bool:
    """Whether our group is in the part of the hierarchy that the mount shows. ``..`` leads out of a namespace."""
    return ".." not in own.parts and own.is_relative_to(mount.root)


def _number(text: str) -> int | None:
    return int(text) if text.removeprefix("-").isdecimal() else None
