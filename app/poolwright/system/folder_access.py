"""Checks whether this program may read or write the folders that the settings name."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from poolwright.files.permissions import AccessProblem, describe, read_permissions
from poolwright.system.cgroups import mount_of
from poolwright.system.hardware import nearest_existing_folder

#: The usual folder for temporary files; probed if the system finds none that is writable.
_USUAL_TEMPORARY = Path("/tmp")  # noqa: S108 - looked at, not written


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderAccess:
    """The result of probing a folder, which need not exist yet."""

    path: Path
    #: The problem with the needed access; ``None`` if there is none.
    refusal: AccessProblem | None = None


def probe_folder(path: Path, root: Path = Path("/")) -> FolderAccess:
    """Check whether files can be written to a folder, or whether it can be made and written.

    Args:
        path: The folder.
        root: The top folder of the system, ``/`` but in tests: mounts are read there.
    """
    nearest = nearest_existing_folder(path)
    mount = mount_of(nearest.resolve(), root)
    if mount is not None and mount.is_read_only:
        return FolderAccess(path=path, refusal=describe(errno.EROFS, os.strerror(errno.EROFS), path, None))
    if _is_allowed(nearest, os.W_OK | os.X_OK):
        return FolderAccess(path=path)
    return FolderAccess(path=path, refusal=_not_permitted(path, path))


def probe_readable(top: Path, below: Iterable[Path]) -> FolderAccess:
    """Check whether a folder and the given files in it can be read.

    Args:
        top: The folder, whose owner may be changed as a whole.
        below: Files and folders in it that are read; missing ones are ignored.
    """
    for path in (top, *below):
        try:
            is_folder = path.is_dir()
            if path.exists() and not _is_allowed(path, os.R_OK | (os.X_OK if is_folder else 0)):
                return FolderAccess(path=top, refusal=_not_permitted(top, path))
        except PermissionError:
            return FolderAccess(path=top, refusal=_not_permitted(top, path))
    return FolderAccess(path=top)


def probe_temporary_folder(root: Path = Path("/")) -> FolderAccess:
    """Return the folder for temporary files of this program, or why there is none.

    Args:
        root: The top folder of the system, ``/`` but in tests: mounts are read there.
    """
    try:
        return FolderAccess(path=Path(tempfile.gettempdir()))
    except FileNotFoundError:
        return probe_folder(_USUAL_TEMPORARY, root)


def latest_change(paths: Iterable[Path]) -> tuple[datetime, Path] | None:
    """Return the time and path of the latest change to any of these files; ``None`` if none can be read."""
    changed: list[tuple[datetime, Path]] = []
    for path in paths:
        try:
            changed.append((datetime.fromtimestamp(path.stat().st_mtime, UTC), path))
        except OSError:
            continue
    return max(changed, default=None)


def _is_allowed(path: Path, mode: int) -> bool:
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)


def _not_permitted(top: Path, at: Path) -> AccessProblem:
    return describe(errno.EACCES, os.strerror(errno.EACCES), top, read_permissions(at))
