"""Watches the folders that a run needs: each must exist, be the same folder as before, and have free space.

The content of a removed folder is lost: a journal whose file was removed keeps nothing for the next start. So the pool
pauses at once, until the same folder is back, and a different folder at its path ends the pool. Only a folder that held
nothing but copies is created again, unless its whole disk is gone.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import anyio.to_thread

from poolwright.concurrency import periodic
from poolwright.domain.errors import SetupError
from poolwright.domain.storage import StorageTrouble, classify_os_error
from poolwright.supervisor.policy.commands import StopCause
from poolwright.supervisor.policy.events import (
    DiskLow,
    FolderMissing,
    FolderRecreated,
    PauseEnded,
    PoolInput,
    StopRequested,
    StorageUnavailable,
)
from poolwright.supervisor.policy.pauses import PauseReason
from poolwright.supervisor.pool_context import PoolContext

#: With less free space no task starts: the journal and the manifests of orders in flight still need some.
FREE_MIN_BYTES = 8 * 1024 * 1024
CHECK_INTERVAL_S = 2.0

#: Prefix of the file that marks a watched folder during the run. Inode numbers alone do not identify a folder, because
#: some file systems change them.
_MARK = ".here-"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedFolder:
    """One folder that a run needs."""

    path: Path
    #: Its name in a sentence, as ``the output folder``.
    name: str
    #: Whether it holds nothing but copies, so that it can be created again after it was removed.
    is_recreatable: bool = field(default=False, compare=False)

    def identity(self) -> tuple[int, int] | None:
        """Return the device and inode numbers of the folder; ``None`` if it does not exist. Blocking.

        Raises:
            OSError: The folder cannot be read now.
        """
        try:
            status = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return status.st_dev, status.st_ino

    def device(self) -> int:
        """Return the device number of the disk that it is on, or would be on. Blocking.

        Raises:
            OSError: The disk cannot be read now.
        """
        return _nearest_existing(self.path).stat().st_dev

    def free_bytes(self) -> int:
        """Return the free space of the disk that it is on, or would be on. Blocking.

        Raises:
            OSError: The disk cannot be read now.
        """
        return shutil.disk_usage(_nearest_existing(self.path)).free


def _nearest_existing(path: Path) -> Path:
    """Return a folder, or its nearest ancestor that exists. Blocking."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


class WatchedFolders(Protocol):
    """Provides the folders that a run needs."""

    def watched_folders(self) -> tuple[WatchedFolder, ...]:
        """Return the folders that are needed now; they need not exist yet."""
        ...

    def recreate(self, folder: WatchedFolder) -> None:
        """Create a recreatable folder again that was removed. Blocking.

        Raises:
            OSError: The disk refuses.
            SetupError: The folder cannot be created.
        """
        ...


class StorageMonitor:
    """Watches the folders of a pool until cancelled and reports to the policy. Its checks may run in any thread."""

    def __init__(self, context: PoolContext, folders: WatchedFolders) -> None:
        """Watch these folders; each must stay the folder that was first seen at its path."""
        self._context = context
        self._folders = folders
        #: The identity of each folder when it was first seen.
        self._identities: dict[WatchedFolder, tuple[int, int]] = {}
        #: Why a removed folder could not be created again.
        self._refusals: dict[WatchedFolder, str] = {}
        self._mark = f"{_MARK}{secrets.token_hex(4)}"
        self._is_gone = False

    async def watch(self) -> None:
        """Check every two seconds, until cancelled."""
        async for _ in periodic(CHECK_INTERVAL_S):
            await self.check()

    async def check(self) -> None:
        """Check once and post the events; a disk error is reported and does not end the checks."""
        for event in await anyio.to_thread.run_sync(self.poll, abandon_on_cancel=True):
            self._context.post(event)

    def missing_folder(self) -> str:
        """Return a sentence about the first folder that is gone or replaced; empty if none is. Blocking."""
        faults = (self._fault(folder) for folder in self._folders.watched_folders())
        return next((fault for fault in faults if fault), "")

    def close(self) -> None:
        """Remove the mark files. Blocking."""
        for folder in self._identities:
            with contextlib.suppress(OSError):
                (folder.path / self._mark).unlink(missing_ok=True)

    def _fault(self, folder: WatchedFolder) -> str:
        try:
            now, first = folder.identity(), self._identities.get(folder)
            if first is None:
                self._mark_folder(folder, now)
                return ""
            if now is None:
                return " ".join(filter(None, (_gone(folder), self._refusals.get(folder))))
            is_same = now == first or (folder.path / self._mark).exists()
        except OSError:  # the check for free space reports that
            return ""
        return "" if is_same else _replaced(folder)

    def _recreate(self, folder: WatchedFolder) -> bool:
        """Create a removed folder again, if it is recreatable and its disk is there; return whether that was done."""
        first = self._identities.get(folder)
        if not folder.is_recreatable or first is None:
            return False
        try:
            is_there = folder.identity() == first or (folder.path / self._mark).exists()
            if is_there or folder.device() != first[0]:
                return False
            self._folders.recreate(folder)
            self._mark_folder(folder, folder.identity())
        except (OSError, SetupError) as error:  # reported by ``_fault``, and tried again at the next check
            self._refusals[folder] = f"It cannot be recreated: {error}"
            return False
        self._refusals.pop(folder, None)
        return True

    def _mark_folder(self, folder: WatchedFolder, identity: tuple[int, int] | None) -> None:
        """Mark a folder as that of this run. If the mark cannot be written, its identity alone must do."""
        if identity is None:
            return
        self._identities[folder] = identity
        with contextlib.suppress(OSError):
            for stale in folder.path.glob(f"{_MARK}*"):
                stale.unlink()
            (folder.path / self._mark).touch(mode=0o600)

    def poll(self) -> list[PoolInput]:
        """Check the folders once and return the events. Blocking."""
        recreated: list[PoolInput] = [
            FolderRecreated(name=folder.name) for folder in self._folders.watched_folders() if self._recreate(folder)
        ]
        if problem := self.missing_folder():
            self._is_gone = True
            is_replaced = any(problem == _replaced(folder) for folder in self._folders.watched_folders())
            event = (
                StopRequested(cause=StopCause.SETUP_FAILED, detail=problem)
                if is_replaced
                else FolderMissing(detail=problem)
            )
            return [*recreated, event]
        back: list[PoolInput] = [PauseEnded(cause=PauseReason.PLACE_GONE)] if self._is_gone else []
        self._is_gone = False
        shortages = (event for folder in self._folders.watched_folders() for event in _shortage(folder))
        return [*recreated, *back, *shortages]


def _shortage(folder: WatchedFolder) -> list[PoolInput]:
    try:
        folder.identity()
        free_bytes = folder.free_bytes()
    except OSError as error:
        trouble = classify_os_error(error)
        problem = f"{folder.name.capitalize()} cannot be read ({error.strerror or error}): {folder.path}."
        return [StorageUnavailable(trouble=trouble if trouble.is_temporary else StorageTrouble.AWAY, detail=problem)]
    return [DiskLow(free_bytes=free_bytes, place=folder.name)] if free_bytes < FREE_MIN_BYTES else []


def _gone(folder: WatchedFolder) -> str:
    return (
        f"{folder.name.capitalize()} {folder.path} is gone. Bring the same folder back (mount it, or move it back), "
        "or stop this run and start a new one."
    )


def _replaced(folder: WatchedFolder) -> str:
    return (
        f"{folder.name.capitalize()} {folder.path} is not the folder that this run began with; the original "
        "folder and its files are gone. Start the run again."
    )
