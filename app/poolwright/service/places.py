"""Whether this program may write, or read, at a place that settings name; and why not. Looks and changes nothing."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from poolwright.memory.mounts import mount_of
from poolwright.profile.rights import Blame, explain, look_at_rights
from poolwright.service.machine import existing

#: Where temporary files go by custom; looked at where the system finds no place for them.
_USUAL_TEMPORARY = Path("/tmp")  # noqa: S108 - looked at, not written


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A folder, which need not exist yet."""

    path: Path
    #: Why it can't be used as it has to be; nothing when it can.
    refusal: Blame | None = None


def look_at_place(path: Path, root: Path = Path("/")) -> Place:
    """Check whether files can be written to a folder, or below it once it exists.

    Args:
        path: The folder.
        root: The top folder of the system, ``/`` but in tests: mounts are read there.
    """
    nearest = existing(path)
    mount = mount_of(nearest.resolve(), root)
    if mount is not None and mount.is_read_only:
        return Place(path=path, refusal=explain(errno.EROFS, os.strerror(errno.EROFS), path, None))
    if _may(nearest, os.W_OK | os.X_OK):
        return Place(path=path)
    return Place(path=path, refusal=_not_permitted(path, path))


def look_at_readable(top: Path, below: Iterable[Path]) -> Place:
    """Check whether a folder and the relevant files in it can be read.

    Args:
        top: The folder, given away as a whole.
        below: Files and folders in it that are read; those that are missing are another matter.
    """
    for place in (top, *below):
        try:
            is_folder = place.is_dir()
            if place.exists() and not _may(place, os.R_OK | (os.X_OK if is_folder else 0)):
                return Place(path=top, refusal=_not_permitted(top, place))
        except PermissionError:
            return Place(path=top, refusal=_not_permitted(top, place))
    return Place(path=top)


def look_at_temporary(root: Path = Path("/")) -> Place:
    """The folder for temporary files of this program.

    Args:
        root: The top folder of the system, ``/`` but in tests: mounts are read there.
    """
    try:
        return Place(path=Path(tempfile.gettempdir()))
    except FileNotFoundError:
        return look_at_place(_USUAL_TEMPORARY, root)


def newest_change(paths: Iterable[Path]) -> tuple[datetime, Path] | None:
    """The time and path of the latest change to any of these files; None if none can be read."""
    changed: list[tuple[datetime, Path]] = []
    for path in paths:
        try:
            changed.append((datetime.fromtimestamp(path.stat().st_mtime, UTC), path))
        except OSError:
            continue
    return max(changed, default=None)


def _may(path: Path, wish: int) -> bool:
    return os.access(path, wish, effective_ids=os.access in os.supports_effective_ids)


def _not_permitted(top: Path, at: Path) -> Blame:
    return explain(errno.EACCES, os.strerror(errno.EACCES), top, look_at_rights(at))
