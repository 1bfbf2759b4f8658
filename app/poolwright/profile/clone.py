"""Clones a base for one worker: copies and hashes the files that matter, completely or not at all.

A deny list decides, not an allow list: Chromium adds stores with logins again and again, and a clone without one of
them is half logged out. Measurements showed that a site cannot notice that the denied files are missing.

A clone takes a few MB, without the caches of the base. Hard links are not used: browsers write many files in place, so
a shared file would carry one worker's session into the base and into all other clones.
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
from fnmatch import fnmatchcase
from pathlib import Path

from poolwright.domain.errors import PoolError
from poolwright.domain.storage import StorageTrouble, classify_os_error
from poolwright.files.disk import PRIVATE_FOLDER_MODE, create_private_file, delete_path, remove_tree
from poolwright.files.permissions import describe_error
from poolwright.profile.errors import (
    NoRoomError,
    ProfileInUseError,
    ProfileRefusedError,
    unreadable_error,
    unwritable_error,
)
from poolwright.profile.in_use import refuse_in_use

#: Denied directly in the user-data folder and in ``Default/``, the only places where Chromium puts them.
DENIED_NAMES = frozenset(
    {
        # Caches.
        "BrowserMetrics",
        "Cache",
        "Code Cache",
        "component_crx_cache",
        "DawnGraphiteCache",
        "DawnWebGPUCache",
        "extensions_crx_cache",
        "GPUCache",
        "GPUPersistentCache",
        "GraphiteDawnCache",
        "GrShaderCache",
        "ShaderCache",
        "Shared Dictionary",
        # Models, reports and statistics of the browser itself.
        "Affiliation Database",
        "blob_storage",
        "Crashpad",
        "optimization_guide_model_store",
        "OptimizationGuideModelsManifest",
        "Reporting and NEL",
        "Safe Browsing",
        "Segmentation Platform",
        "segmentation_platform",
        "shared_proto_db",
        "Site Characteristics Database",
        "Snapshots",
        # Browsing history.
        "Favicons",
        "History",
        "Top Sites",
        # Tabs to reopen: every worker would open them beside its keeper tab.
        "Sessions",
        "Sessions_Encrypted",
        # Signs of a browser that has the folder open.
        "DevToolsActivePort",
        "lockfile",
    }
)
#: Files denied in every folder: each LevelDB creates its own.
DENIED_FILES = frozenset({"LOCK", "LOG", "LOG.old"})
#: Denied directly in the user-data folder: locks of a running browser, and profiles of other people.
DENIED_PATTERNS = ("Singleton*", "Profile *", "Guest Profile", "System Profile")

_DEFAULT = "Default"
_SQLITE_COMPANIONS = ("-journal", "-wal", "-shm")


def _main_name(name: str) -> str:
    # The journal of a database is treated like the database.
    for companion in _SQLITE_COMPANIONS:
        name = name.removesuffix(companion)
    return name


def is_copied(parts: tuple[str, ...], *, is_folder: bool) -> bool:
    """Return whether a clone needs the file or folder with this path below the user-data folder.

    The caller does not ask about the content of a denied folder.
    """
    name = parts[-1]
    if not is_folder and name in DENIED_FILES:
        return False
    if len(parts) == 1 and any(fnmatchcase(name, pattern) for pattern in DENIED_PATTERNS):
        return False
    is_top_level = len(parts) == 1 or parts[:-1] == (_DEFAULT,)
    return not (is_top_level and _main_name(name) in DENIED_NAMES)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class SourceFile:
    """One file of a base when it was scanned."""

    #: Below the user-data folder, with forward slashes.
    path: str
    size_bytes: int
    modified_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CloneManifest:
    """All files and folders of a clone, in a fixed order. Two scans are equal if nothing changed between them."""

    #: Parents before their children, the empty ones too.
    folders: tuple[str, ...]
    files: tuple[SourceFile, ...]

    @property
    def size_bytes(self) -> int:
        """Return the size of all files."""
        return sum(file.size_bytes for file in self.files)


def scan_user_data(user_data: Path) -> CloneManifest:
    """List every file and folder that a clone needs. Links, sockets and pipes are skipped: only locks use them.

    Raises:
        OSError: A folder can't be listed.
    """
    folders: list[str] = []
    files: list[SourceFile] = []
    pending: list[tuple[str, ...]] = [()]
    while pending:
        parts = pending.pop()
        with os.scandir(user_data.joinpath(*parts)) as entries:
            for entry in entries:
                path = (*parts, entry.name)
                if entry.is_dir(follow_symlinks=False) and is_copied(path, is_folder=True):
                    folders.append("/".join(path))
                    pending.append(path)
                elif entry.is_file(follow_symlinks=False) and is_copied(path, is_folder=False):
                    files.append(_source_file(entry, "/".join(path)))
    return CloneManifest(folders=tuple(sorted(folders)), files=tuple(sorted(files)))


def _source_file(entry: os.DirEntry[str], path: str) -> SourceFile:
    status = entry.stat(follow_symlinks=False)
    return SourceFile(path=path, size_bytes=status.st_size, modified_ns=status.st_mtime_ns)


#: Space that must stay free beside a clone: a browser writes some MB at its first start and fails on a full disk.
RESERVE_BYTES = 200 * 1024 * 1024
#: A base that changes once may have been written by a browser as it ended; twice means that it is in use.
COPY_TRIES = 2

_QUARANTINE_MARK = ".damaged-"
_CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedFile:
    """Size and hash of a copied file. A seal has the same."""

    size_bytes: int
    #: Lower-case hexadecimal.
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CloneReport:
    """The result of a copy."""

    #: By path below the user-data folder, with forward slashes.
    files: Mapping[str, CopiedFile]
    duration_s: float

    @property
    def files_count(self) -> int:
        """Return the number of copied files."""
        return len(self.files)

    @property
    def size_bytes(self) -> int:
        """Return the size of all copied files."""
        return sum(file.size_bytes for file in self.files.values())


def clone_profile(base: Path, target: Path, *, monotonic: Callable[[], float] = time.monotonic) -> CloneReport:
    """Copy the files that a worker needs, with one rename at the end. Hold ``read_locked`` meanwhile.

    Args:
        base: A checked user-data folder that no browser has open.
        target: Path of the clone; must not exist, but its parent must.
        monotonic: Seconds of a monotonic clock.

    Raises:
        ProfileRefusedError: The target exists, or a file of the base belongs to another user.
        ProfileInUseError: A browser has the base open, or it changed twice while it was read.
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
        raise _copy_error(error, base, target) from error
    finally:
        delete_path(draft)
    return CloneReport(files=files, duration_s=monotonic() - begun)


def remove_clone(path: Path) -> None:
    """Remove a clone or the rest of one. A missing clone is no error.

    Raises:
        OSError: It is still there after three tries.
    """
    remove_tree(path.with_name(f"{path.name}.tmp"))
    remove_tree(path)


def quarantine_clone(path: Path, now: datetime) -> Path:
    """Rename a damaged clone, so that it is not launched and a person can inspect it. Return its new path.

    Raises:
        OSError: It can't be renamed.
    """
    return path.rename(free_path(path.with_name(f"{path.name}{_QUARANTINE_MARK}{now:%Y%m%dT%H%M%SZ}")))


def free_path(path: Path) -> Path:
    """Return the path, with a number if it exists: two commands may run within a second, or a clock may be set back."""
    count, free = 1, path
    while free.exists():
        count += 1
        free = path.with_name(f"{path.name}-{count}")
    return free


def is_quarantined(path: Path) -> bool:
    """Return whether this is a damaged clone that was set aside."""
    return _QUARANTINE_MARK in path.name


def _copy_unchanged(base: Path, draft: Path) -> Mapping[str, CopiedFile]:
    for _ in range(COPY_TRIES):
        remove_tree(draft)
        refuse_in_use(base)
        before = scan_user_data(base)
        _require_room(draft.parent, before.size_bytes)
        files = _copy_once(base, draft, before)
        refuse_in_use(base)
        if files is not None and scan_user_data(base) == before:
            return files
    raise ProfileInUseError(
        f"{base} changed while it was copied, twice. "
        "Close whatever writes to it (a browser, a sync program), then start again."
    )


def _copy_once(base: Path, draft: Path, contents: CloneManifest) -> Mapping[str, CopiedFile] | None:
    try:
        draft.mkdir(mode=PRIVATE_FOLDER_MODE)
        for folder in contents.folders:
            (draft / folder).mkdir(mode=PRIVATE_FOLDER_MODE)
        return {file.path: _copy_file(base / file.path, draft / file.path, file) for file in contents.files}
    except FileNotFoundError as error:
        if error.filename is not None and not Path(error.filename).is_relative_to(base):
            raise
        # A file of the base was removed since the scan, which counts as a change.
        return None


def _copy_file(source: Path, target: Path, scanned: SourceFile) -> CopiedFile:
    digest = hashlib.sha256()
    size_bytes = 0
    with source.open("rb") as reader, create_private_file(target) as writer:
        while chunk := reader.read(_CHUNK_BYTES):
            digest.update(chunk)
            size_bytes += writer.write(chunk)
    # Chromium's own cache index depends on file times, so the copy keeps them.
    os.utime(target, ns=(scanned.modified_ns, scanned.modified_ns))
    return CopiedFile(size_bytes=size_bytes, sha256=digest.hexdigest())


def _require_room(folder: Path, size_bytes: int) -> None:
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < size_bytes + RESERVE_BYTES:
        needed, free = (size_bytes + RESERVE_BYTES) // 1024**2, free_bytes // 1024**2
        raise NoRoomError(
            f"A clone in {folder} needs {needed} MB with its reserve, but only {free} MB are free. "
            "Free some space, or choose another folder for clones."
        )


def _copy_error(error: OSError, base: Path, target: Path) -> PoolError:
    if error.errno == errno.EFBIG or classify_os_error(error) is StorageTrouble.FULL:
        return NoRoomError(
            f"The disk was full before the clone {target} was complete ({error.strerror}); it was removed. "
            "Free some space, then start again."
        )
    if error.filename is not None and Path(error.filename).is_relative_to(base):
        return unreadable_error(base, error)
    reason = describe_error(error, target.parent).sentence(
        otherwise="Check that its folder exists and that you may write there."
    )
    return unwritable_error(error, f"The clone {target} can't be written, and was removed: {reason}")
