"""Manages the folder of one run: profile clones and temporary files, private, with a short path, removed at the end.

``<root>/r-1a2b3c/`` has ``owner.lock``, which is held until the run ends, and for each slot ``w1/`` with ``profile``
(the clone) and ``t`` (the browser's TMPDIR). A run that was killed can't clean up; the next one does. A folder whose
lock is held is never touched, and a damaged clone that was set aside is kept for inspection by a person.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from poolwright.domain.errors import SetupError
from poolwright.files.disk import PRIVATE_FOLDER_MODE, delete_path, replace_private_file
from poolwright.files.locks import FileLock
from poolwright.files.permissions import describe_error
from poolwright.profile.clone import is_quarantined
from poolwright.profile.errors import unwritable_error

#: Chromium creates a Unix socket below its TMPDIR, whose path is limited to 107 bytes: with a TMPDIR of 66 bytes the
#: browser crashes at launch.
TEMP_PATH_MAX_BYTES = 60

_OWNER_LOCK = "owner.lock"
_RUN_PREFIX, _AWAY_PREFIX = "r-", "pw-"
_TEMP, _AWAY_RECORD = "t", "t.path"
#: Names are random, so a second try succeeds unless the folder can't be written at all.
_CREATE_TRIES = 20


def _draw_name() -> str:
    return secrets.token_hex(3)


def _short_roots() -> tuple[Path, ...]:
    roots = (Path("/tmp"),)  # noqa: S108 - the folder made in it is private and new
    with contextlib.suppress(FileNotFoundError):  # no temporary folder can be written, but perhaps none is needed
        roots = (Path(tempfile.gettempdir()), *roots)
    return roots


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerFolder:
    """The paths of one slot, the same in every generation."""

    path: Path
    #: Path of the clone, which is created later, complete, by a rename.
    profile_path: Path
    #: TMPDIR of the browser and its driver.
    temp_path: Path
    #: A sentence for the user about these paths; mostly empty.
    notice: str = ""


class RunFolder:
    """The folder of a running pool. One owner creates and closes it; its lock ends with the process at the latest."""

    __slots__ = ("_lock", "_short_roots", "path")

    def __init__(self, path: Path, lock: FileLock, short_roots: Sequence[Path]) -> None:
        """Take over a folder and its lock, which ``create`` makes."""
        self.path = path
        self._lock = lock
        self._short_roots = short_roots

    @classmethod
    def create(
        cls,
        root: Path,
        *,
        draw_name: Callable[[], str] = _draw_name,
        short_roots: Sequence[Path] | None = None,
    ) -> Self:
        """Create a new folder in ``root`` and lock it.

        Args:
            root: Folder for runs, on a local disk; created if it is missing.
            draw_name: Returns a short name, a different one each time.
            short_roots: Folders for temporary files if the path of ``root`` is too long for them.

        Raises:
            SetupError: No folder can be created there.
        """
        try:
            root.mkdir(mode=PRIVATE_FOLDER_MODE, parents=True, exist_ok=True)
            for _ in range(_CREATE_TRIES):
                path = root.resolve() / f"{_RUN_PREFIX}{draw_name()}"
                lock = _make_locked(path)
                if lock is not None:
                    return cls(path, lock, _short_roots() if short_roots is None else short_roots)
        except OSError as error:
            raise _unwritable(root, error) from error
        raise SetupError(f"The folder for this run can't be created in {root}: every name is taken. Clean it up.")

    def worker_folder(self, slot: int) -> WorkerFolder:
        """Return the paths of one slot, and create missing folders. Repeated calls return the same.

        Raises:
            SetupError: They can't be written, or no temporary folder with a short enough path can be created.
        """
        path = self.path / f"w{slot}"
        temp_path = path / _TEMP
        try:
            path.mkdir(mode=PRIVATE_FOLDER_MODE, exist_ok=True)
            if _is_short(temp_path):
                temp_path.mkdir(mode=PRIVATE_FOLDER_MODE, exist_ok=True)
                return WorkerFolder(path=path, profile_path=path / "profile", temp_path=temp_path)
            away = _recorded_away(path) or self._create_elsewhere(path)
        except OSError as error:
            raise _unwritable(self.path, error) from error
        return WorkerFolder(
            path=path,
            profile_path=path / "profile",
            temp_path=away,
            notice=f"{temp_path} is too long a path for a browser's temporary files; they are in {away} instead.",
        )

    def recreate(self) -> None:
        """Create the folder again and lock it, if it was removed; files that browsers wrote since stay.

        Raises:
            SetupError: It can't be created, or another run has a folder of this name.
        """
        lock = FileLock(self.path / _OWNER_LOCK)
        try:
            self.path.mkdir(mode=PRIVATE_FOLDER_MODE, parents=True, exist_ok=True)
            is_ours = lock.acquire()
        except OSError as error:
            raise _unwritable(self.path, error) from error
        if not is_ours:
            raise SetupError(f"Another run is using {self.path} now.")
        self._lock.release()
        self._lock = lock

    def close(self) -> tuple[Path, ...]:
        """Remove the folder and release its lock. The browsers in it must have ended. May be repeated.

        Returns:
            The paths that are left: damaged clones that were set aside, and files that can't be deleted.
        """
        return _clear(self.path, self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _create_elsewhere(self, folder: Path) -> Path:
        for root in self._short_roots:
            away = root / f"{_AWAY_PREFIX}{_draw_name()}"
            if not (_is_short(away) and root.is_dir()):
                continue
            # Recorded first, so that a cleanup after a killed run finds it.
            replace_private_file(folder / _AWAY_RECORD, os.fsencode(away))
            with contextlib.suppress(OSError):
                away.mkdir(mode=PRIVATE_FOLDER_MODE)
                return away
        (folder / _AWAY_RECORD).unlink(missing_ok=True)
        raise SetupError(
            f"{folder / _TEMP} is too long a path for a browser's temporary files (more than {TEMP_PATH_MAX_BYTES} "
            "bytes), and no folder with a shorter path can be written. Choose a shorter path with --runs-dir."
        )


def recreate_worker_folder(folder: WorkerFolder) -> None:
    """Create the folders of a slot again, if they were removed.

    Raises:
        SetupError: They can't be written.
    """
    try:
        folder.path.mkdir(mode=PRIVATE_FOLDER_MODE, exist_ok=True)
        folder.temp_path.mkdir(mode=PRIVATE_FOLDER_MODE, exist_ok=True)
        if folder.temp_path.parent != folder.path:
            replace_private_file(folder.path / _AWAY_RECORD, os.fsencode(folder.temp_path))
    except OSError as error:
        raise _unwritable(folder.path, error) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanupResult:
    """The result of a cleanup."""

    #: Folders of dead runs that were removed.
    removed: tuple[Path, ...]
    #: Paths that are left: damaged clones that were set aside, and files that can't be deleted.
    left: tuple[Path, ...]


def remove_dead_runs(root: Path, *, end_strays: Callable[[Path], None] | None = None) -> CleanupResult:
    """Remove the folders of runs whose process has ended. Several cleanups may run at once.

    Args:
        root: Folder for runs; need not exist.
        end_strays: Called with each dead folder before it is removed, to end the browsers that still use it.

    Raises:
        SetupError: ``root`` can't be read.
    """
    removed: list[Path] = []
    left: list[Path] = []
    try:
        folders = sorted(root.resolve().glob(f"{_RUN_PREFIX}*"))
    except OSError as error:
        raise _unwritable(root, error) from error
    for folder in folders:
        lock = _lock_dead(folder)
        if lock is None:
            continue
        if end_strays is not None:
            end_strays(folder)
        remains = _clear(folder, lock)
        left.extend(remains)
        if not remains:
            removed.append(folder)
    return CleanupResult(removed=tuple(removed), left=tuple(left))


def _make_locked(path: Path) -> FileLock | None:
    """Create a folder and acquire its lock; ``None`` if the name is taken, or a cleanup removed the folder first."""
    lock = FileLock(path / _OWNER_LOCK)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=PRIVATE_FOLDER_MODE)
        with contextlib.suppress(FileNotFoundError):
            return lock if lock.acquire() else None
    return None


def _lock_dead(folder: Path) -> FileLock | None:
    """Acquire the lock of a dead run; ``None`` if the run is alive, or the folder is not a run folder."""
    lock = FileLock(folder / _OWNER_LOCK)
    try:
        if folder.is_symlink():
            return None
        if lock.path.is_file() and not lock.path.is_symlink():
            return lock if lock.acquire() else None
        # The run was killed between creating the folder and its lock; with other files in it, it is not a run folder.
        folder.rmdir()
    except OSError:
        # Removed meanwhile, not empty, or not readable.
        return None
    return None


def _clear(folder: Path, lock: FileLock) -> tuple[Path, ...]:
    """Remove a run folder whose lock we hold. The lock is removed last, so that the next cleanup can continue."""
    try:
        paths = sorted(path for path in folder.glob("*") if path.name != _OWNER_LOCK)
        left = tuple(remainder for path in paths for remainder in _clear_worker_folder(path))
    except OSError:  # its disk does not answer: a later cleanup finds it
        left = (folder,)
    lock.release()
    if not left:
        with contextlib.suppress(OSError):
            lock.path.unlink(missing_ok=True)
            folder.rmdir()
    return left


def _clear_worker_folder(folder: Path) -> list[Path]:
    if folder.is_symlink() or not folder.is_dir():
        return delete_path(folder)
    away = _recorded_away(folder)
    stuck = [] if away is None else delete_path(away)
    left = list(stuck)
    for path in sorted(folder.glob("*")):
        # The record is kept if the temporary folder can't be deleted now, so that a later cleanup finds it.
        is_kept = is_quarantined(path) or (bool(stuck) and path.name == _AWAY_RECORD)
        left.extend([path] if is_kept else delete_path(path))
    return left or delete_path(folder)


def _recorded_away(folder: Path) -> Path | None:
    try:
        away = Path(os.fsdecode((folder / _AWAY_RECORD).read_bytes()))
        # Only a folder with our prefix is ever removed, whatever the record contains.
        return away if away.name.startswith(_AWAY_PREFIX) and away.is_dir() and not away.is_symlink() else None
    except OSError:
        return None


def _unwritable(folder: Path, error: OSError) -> SetupError:
    reason = describe_error(error, folder).sentence(
        otherwise="Or choose another folder with --runs-dir, on a disk with free space."
    )
    return unwritable_error(error, f"The folders of this run can't be created in {folder}: {reason}")


def _is_short(path: Path) -> bool:
    return len(os.fsencode(path)) <= TEMP_PATH_MAX_BYTES
