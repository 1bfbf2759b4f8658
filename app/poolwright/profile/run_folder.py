"""The folder of one run: profile clones and temporary files of the browsers.

Short path, private, removed at the end.

``<root>/r-1a2b3c/`` holds ``owner.lock``, held for the life of the run, and for each slot ``w1/`` with ``profile`` (the
clone) and ``t`` (the browser's TMPDIR). A run that was killed can't clean up; the next one does. A folder whose lock
somebody holds is never touched, and a damaged clone that was set aside is kept for a person.
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
from poolwright.files.permissions import describe_error
from poolwright.profile.clone import is_quarantined
from poolwright.profile.errors import unwritable_error
from poolwright.profile.locks import FileLock

#: Chromium puts a Unix socket below its TMPDIR, and such a path holds 107 bytes: with 66 the browser dies at launch.
TEMP_PATH_MAX_BYTES = 60

_OWNER_LOCK = "owner.lock"
_RUN_PREFIX, _AWAY_PREFIX = "r-", "pw-"
_TEMP, _AWAY_RECORD = "t", "t.path"
#: Names are drawn by chance, so the second draw succeeds but for a folder that can't be written at all.
_CREATE_TRIES = 20


def _draw_name() -> str:
    return secrets.token_hex(3)


def _short_roots() -> tuple[Path, ...]:
    roots = (Path("/tmp"),)  # noqa: S108 - the folder made in it is private and new
    with contextlib.suppress(FileNotFoundError):  # no temporary folder can be written, and perhaps none is needed
        roots = (Path(tempfile.gettempdir()), *roots)
    return roots


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerFolder:
    """The places of one slot, the same in every generation."""

    path: Path
    #: Where the clone is to be. Not made here: it appears whole, by a rename.
    profile_path: Path
    #: TMPDIR of the browser and its driver.
    temp_path: Path
    #: What a person should know about these places; mostly empty.
    notice: str = ""


class RunFolder:
    """The folder of a living run. One owner makes, uses and closes it; its lock ends with the process at the latest."""

    __slots__ = ("_lock", "_short_roots", "path")

    def __init__(self, path: Path, lock: FileLock, short_roots: Sequence[Path]) -> None:
        """Take over a folder and its lock; ``create`` makes both."""
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
        """Make a new folder in ``root`` and lock it.

        Args:
            root: Where runs live, on a local disk; made where missing.
            draw_name: A short name, another one each time.
            short_roots: Where temporary folders go when ``root`` is too long a path for them.

        Raises:
            SetupError: No folder can be made there.
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
        """The places of one slot, made where missing. Asked again, it answers the same.

        Raises:
            SetupError: They can't be written, or no temporary folder with a short enough path can be made.
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
        """Make the folder again, and hold its lock, where somebody removed it; what browsers wrote since is left.

        Raises:
            SetupError: It can't be made, or somebody else has one of its name.
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
        """Remove the folder and let go of its lock. The browsers in it must have ended. May be repeated.

        Returns:
            What is still there: damaged clones that were set aside, and what can't be deleted.
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
            # Written down first: whoever cleans up after a killed run must know of it.
            replace_private_file(folder / _AWAY_RECORD, os.fsencode(away))
            with contextlib.suppress(OSError):
                away.mkdir(mode=PRIVATE_FOLDER_MODE)
                return away
        (folder / _AWAY_RECORD).unlink(missing_ok=True)
        raise SetupError(
            f"{folder / _TEMP} is too long a path for a browser's temporary files (more than {TEMP_PATH_MAX_BYTES} "
            "bytes), and no shorter place can be written. Name a shorter folder for runs."
        )


def recreate_worker_folder(folder: WorkerFolder) -> None:
    """Make the places of a slot again, where somebody removed them.

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
    """What a cleanup removed and what it left."""

    #: Folders of dead runs that are gone.
    removed: tuple[Path, ...]
    #: What is left of dead runs: damaged clones that were set aside, and what can't be deleted.
    left: tuple[Path, ...]


def remove_dead_runs(root: Path, *, end_strays: Callable[[Path], None] | None = None) -> CleanupResult:
    """Remove the folders of runs that nobody leads any more. Several sweeps may run at once.

    Args:
        root: Where runs live; need not exist.
        end_strays: Called with each dead folder before it is removed, to end the browsers that still use it.

    Raises:
        SetupError: Nobody can look into ``root``.
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
    """A new folder with its lock held; nothing when the name is taken, or a sweep was quicker than our lock."""
    lock = FileLock(path / _OWNER_LOCK)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=PRIVATE_FOLDER_MODE)
        with contextlib.suppress(FileNotFoundError):
            return lock if lock.acquire() else None
    return None


def _lock_dead(folder: Path) -> FileLock | None:
    """The lock of a dead run, held by us now; nothing when the run lives or the folder is none of ours."""
    lock = FileLock(folder / _OWNER_LOCK)
    try:
        if folder.is_symlink():
            return None
        if lock.path.is_file() and not lock.path.is_symlink():
            return lock if lock.acquire() else None
        # Killed between making the folder and its lock. Not ours if anything else is in it.
        folder.rmdir()
    except OSError:
        # Gone meanwhile, not empty, or not ours to open.
        return None
    return None


def _clear(folder: Path, lock: FileLock) -> tuple[Path, ...]:
    """Empty a run folder whose lock we hold. The lock goes last: a sweep that is killed is taken up by the next one."""
    try:
        places = sorted(path for path in folder.glob("*") if path.name != _OWNER_LOCK)
        left = tuple(remainder for place in places for remainder in _clear_place(place))
    except OSError:  # its disk does not answer: a later sweep finds it
        left = (folder,)
    lock.release()
    if not left:
        with contextlib.suppress(OSError):
            lock.path.unlink(missing_ok=True)
            folder.rmdir()
    return left


def _clear_place(place: Path) -> list[Path]:
    if place.is_symlink() or not place.is_dir():
        return delete_path(place)
    away = _recorded_away(place)
    stuck = [] if away is None else delete_path(away)
    left = list(stuck)
    for path in sorted(place.glob("*")):
        # Without its record, a temporary folder that can't be deleted now would never be found again.
        is_kept = is_quarantined(path) or (bool(stuck) and path.name == _AWAY_RECORD)
        left.extend([path] if is_kept else delete_path(path))
    return left or delete_path(place)


def _recorded_away(folder: Path) -> Path | None:
    try:
        away = Path(os.fsdecode((folder / _AWAY_RECORD).read_bytes()))
        # Only what carries our mark is ever removed, whatever the record says.
        return away if away.name.startswith(_AWAY_PREFIX) and away.is_dir() and not away.is_symlink() else None
    except OSError:
        return None


def _unwritable(folder: Path, error: OSError) -> SetupError:
    told = describe_error(error, folder).sentence(
        otherwise="Or name another place with --runs-dir, on a disk that has room."
    )
    return unwritable_error(error, f"The folders of this run can't be made in {folder}: {told}")


def _is_short(path: Path) -> bool:
    return len(os.fsencode(path)) <= TEMP_PATH_MAX_BYTES
