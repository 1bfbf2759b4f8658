"""The copy of a base for one worker: only what counts, hashed on the way, whole or not there at all.

Its cost depends on the state in the base (a few MB), not on the caches beside it. No hard links: browsers write many
of these files in place, so a shared file would carry one worker's session into the base and into all others.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from poolwright.domain.errors import PoolError
from poolwright.domain.storage import StorageTrouble, trouble_of
from poolwright.files.disk import PRIVATE_FOLDER_MODE, create_private_file, delete_path, remove_tree
from poolwright.files.permissions import describe_error
from poolwright.profile.failures import NoRoomError, ProfileInUseError, ProfileRefusedError, unreadable, unwritable
from poolwright.profile.occupancy import refuse_occupied
from poolwright.profile.survey import SourceFile, Survey, survey

#: What must stay free beside a clone: a browser writes some MB on its first start and fails oddly on a full disk.
RESERVE_BYTES = 200 * 1024 * 1024
#: A base that changes once may have been written by a browser's last breath; twice means that somebody uses it.
COPY_TRIES = 2

_ASIDE_MARK = ".damaged-"
_CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedFile:
    """What was copied of one file. A seal holds the same."""

    size_bytes: int
    #: Lower-case hexadecimal.
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CloneReport:
    """What a clone took."""

    #: By path below the user-data folder, with forward slashes.
    files: Mapping[str, CopiedFile]
    duration_s: float

    @property
    def files_count(self) -> int:
        """How many files were copied."""
        return len(self.files)

    @property
    def size_bytes(self) -> int:
        """How much was copied."""
        return sum(file.size_bytes for file in self.files.values())


def clone_profile(base: Path, target: Path, *, monotonic: Callable[[], float] = time.monotonic) -> CloneReport:
    """Copy what a worker needs of ``base`` to ``target``, in one rename at the end. Hold ``locks.reading`` meanwhile.

    Args:
        base: A checked user-data folder that no browser has open.
        target: Where the clone is to be; must not exist, its parent must.
        monotonic: Seconds that only go forward.

    Raises:
        ProfileRefusedError: The target is taken.
        ProfileInUseError: A browser has the base open, or it changed while it was read, twice.
        ProfileRefusedError: A file of the base belongs to somebody else.
        ProfileDamagedError: A file of the base can't be read for another reason.
        NoRoomError: The disk has no room for the clone and a reserve beside it.
        SetupError: The clone can't be written for another reason.
    """
    begun = monotonic()
    if os.path.lexists(target):
        raise ProfileRefusedError(
            f"{target} exists already, and a clone never overwrites anything. Remove it, or choose another folder."
        )
    draft = target.with_name(f"{target.name}.tmp")
    try:
        files = _copy_unchanged(base, draft)
        draft.rename(target)
    except OSError as error:
        raise _explained(error, base, target) from error
    finally:
        delete_path(draft)
    return CloneReport(files=files, duration_s=monotonic() - begun)


def remove_clone(path: Path) -> None:
    """Remove a clone, or what is left of one. A missing clone is no error.

    Raises:
        OSError: It is still there after three tries.
    """
    remove_tree(path.with_name(f"{path.name}.tmp"))
    remove_tree(path)


def set_aside(path: Path, now: datetime) -> Path:
    """Rename a damaged clone, so that nobody launches it and a person can look at it. Returns where it is.

    Raises:
        OSError: It can't be renamed.
    """
    return path.rename(free_place(path.with_name(f"{path.name}{_ASIDE_MARK}{now:%Y%m%dT%H%M%SZ}")))


def free_place(place: Path) -> Path:
    """A place that is not taken: two commands may come within a second, and a clock may be set back."""
    count, free = 1, place
    while free.exists():
        count += 1
        free = place.with_name(f"{place.name}-{count}")
    return free


def is_set_aside(path: Path) -> bool:
    """Whether this is a damaged clone that was kept."""
    return _ASIDE_MARK in path.name


def _copy_unchanged(base: Path, draft: Path) -> Mapping[str, CopiedFile]:
    for _ in range(COPY_TRIES):
        remove_tree(draft)
        refuse_occupied(base)
        before = survey(base)
        _require_room(draft.parent, before.size_bytes)
        files = _copy_once(base, draft, before)
        refuse_occupied(base)
        if files is not None and survey(base) == before:
            return files
    raise ProfileInUseError(
        f"{base} changed while it was copied, twice. "
        "Close whatever writes to it (a browser, a sync program), then start again."
    )


def _copy_once(base: Path, draft: Path, contents: Survey) -> Mapping[str, CopiedFile] | None:
    try:
        draft.mkdir(mode=PRIVATE_FOLDER_MODE)
        for folder in contents.folders:
            (draft / folder).mkdir(mode=PRIVATE_FOLDER_MODE)
        return {file.path: _copy_file(base / file.path, draft / file.path, file) for file in contents.files}
    except FileNotFoundError as error:
        if error.filename is not None and not Path(error.filename).is_relative_to(base):
            raise
        # Somebody removed a file of the base since the survey: a change like any other.
        return None


def _copy_file(source: Path, target: Path, seen: SourceFile) -> CopiedFile:
    digest = hashlib.sha256()
    size_bytes = 0
    with source.open("rb") as reader, create_private_file(target) as writer:
        while chunk := reader.read(_CHUNK_BYTES):
            digest.update(chunk)
            size_bytes += writer.write(chunk)
    # Chromium's own cache index goes by file times, so the copy keeps them.
    os.utime(target, ns=(seen.modified_ns, seen.modified_ns))
    return CopiedFile(size_bytes=size_bytes, sha256=digest.hexdigest())


def _require_room(folder: Path, size_bytes: int) -> None:
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < size_bytes + RESERVE_BYTES:
        needed, free = (size_bytes + RESERVE_BYTES) // 1024**2, free_bytes // 1024**2
        raise NoRoomError(
            f"A clone in {folder} needs {needed} MB with its reserve, but only {free} MB are free. "
            "Free some space, or choose another folder for clones."
        )


def _explained(error: OSError, base: Path, target: Path) -> PoolError:
    if error.errno == errno.EFBIG or trouble_of(error) is StorageTrouble.FULL:
        return NoRoomError(
            f"The disk was full before the clone {target} was complete ({error.strerror}); it was removed. "
            "Free some room, then start again."
        )
    if error.filename is not None and Path(error.filename).is_relative_to(base):
        return unreadable(base, error)
    told = describe_error(error, target.parent).sentence(
        otherwise="Check that its folder exists and that you may write there."
    )
    return unwritable(error, f"The clone {target} can't be written, and nothing is left of it: {told}")
