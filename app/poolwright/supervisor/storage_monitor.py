"""Watches the folders that a run needs: each must exist, be the same one as before, and have free space.

A folder that was removed takes with it what it held: a journal without a name keeps nothing for the next start. So that
is said at once and nothing starts, until the very same folder is back. Another one in its place ends the pool. Only a
folder that held nothing but copies is made again, unless its whole disk is gone.
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
from poolwright.domain.storage import StorageTrouble, trouble_of
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

#: Below this no task starts: the journal and the manifest of what is under way still need some.
FREE_MIN_BYTES = 8 * 1024 * 1024
CHECK_INTERVAL_S = 2.0


#: Lies in a place as long as the run lasts. Numbers alone do not tell: some file systems give a folder new ones.
_MARK = ".here-"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedFolder:
    """One folder."""

    path: Path
    #: How a sentence calls it, as ``the output folder``.
    name: str
    #: Whether it held nothing but copies, so that it can be made again where it was removed.
    is_recreatable: bool = field(default=False, compare=False)

    def identity(self) -> tuple[int, int] | None:
        """The number that the system has for the folder there; nothing when there is none. Blocking.

        Raises:
            OSError: Nobody can tell now.
        """
        try:
            status = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return status.st_dev, status.st_ino

    def device(self) -> int:
        """The number of the disk that it is on, or would be on. Blocking.

        Raises:
            OSError: Nobody can tell now.
        """
        place = self.path
        while not place.exists() and place != place.parent:
            place = place.parent
        return place.stat().st_dev

    def free_bytes(self) -> int:
        """Room on its disk; it may still be to be made. Blocking.

        Raises:
            OSError: Nobody can tell now.
        """
        place = self.path
        while not place.exists() and place != place.parent:
            place = place.parent
        return shutil.disk_usage(place).free


class WatchedFolders(Protocol):
    """Knows the folders that a run needs."""

    def watched_folders(self) -> tuple[WatchedFolder, ...]:
        """Return the folders as they are now. None of them need be there yet."""
        ...

    def recreate(self, folder: WatchedFolder) -> None:
        """Make a recreatable folder again that was removed. Blocking.

        Raises:
            OSError: The disk refuses.
            SetupError: It cannot be made.
        """
        ...


class StorageMonitor:
    """Watches the folders of a pool until cancelled. It reports; the policy decides. Safe to ask from any thread."""

    def __init__(self, context: PoolContext, folders: WatchedFolders) -> None:
        """Watch these folders; each must stay the one that it was when it was first seen."""
        self._context = context
        self._folders = folders
        #: The number that the folder at each place had when it was first seen.
        self._known: dict[WatchedFolder, tuple[int, int]] = {}
        #: Why a place that is gone could not be made again.
        self._refusals: dict[WatchedFolder, str] = {}
        self._mark = f"{_MARK}{secrets.token_hex(4)}"
        self._is_gone = False

    async def watch(self) -> None:
        """Check every few seconds, until cancelled."""
        async for _ in periodic(CHECK_INTERVAL_S):
            await self.check()

    async def check(self) -> None:
        """Check once and post what was found; no error of a disk ends the checks."""
        for event in await anyio.to_thread.run_sync(self.poll, abandon_on_cancel=True):
            self._context.post(event)

    def missing_folder(self) -> str:
        """Which place is not what it was, in a sentence; empty when all are, as far as anybody can tell. Blocking."""
        faults = (self._fault(place) for place in self._folders.watched_folders())
        return next((fault for fault in faults if fault), "")

    def close(self) -> None:
        """Take the marks away. Blocking."""
        for place in self._known:
            with contextlib.suppress(OSError):
                (place.path / self._mark).unlink(missing_ok=True)

    def _fault(self, place: WatchedFolder) -> str:
        try:
            found, known = place.identity(), self._known.get(place)
            if known is None:
                self._mark_folder(place, found)
                return ""
            if found is None:
                return " ".join(filter(None, (_gone(place), self._refusals.get(place))))
            is_same = found == known or (place.path / self._mark).exists()
        except OSError:  # the check for free space reports that
            return ""
        return "" if is_same else _replaced(place)

    def _recreate(self, place: WatchedFolder) -> bool:
        """Make a place again that was removed, where that can be done; whether it was."""
        known = self._known.get(place)
        if not place.is_recreatable or known is None:
            return False
        try:
            is_there = place.identity() == known or (place.path / self._mark).exists()
            if is_there or place.device() != known[0]:
                return False
            self._folders.recreate(place)
            self._mark_folder(place, place.identity())
        except (OSError, SetupError) as error:  # whatever the reason, it is reported, and tried again at the next check
            self._refusals[place] = f"It cannot be recreated: {error}"
            return False
        self._refusals.pop(place, None)
        return True

    def _mark_folder(self, place: WatchedFolder, found: tuple[int, int] | None) -> None:
        """Mark a folder as that of this run. Where no mark can be made its number must do."""
        if found is None:
            return
        self._known[place] = found
        with contextlib.suppress(OSError):
            for stale in place.path.glob(f"{_MARK}*"):
                stale.unlink()
            (place.path / self._mark).touch(mode=0o600)

    def poll(self) -> list[PoolInput]:
        """Return the events that there are now. Blocking."""
        remade: list[PoolInput] = [
            FolderRecreated(name=place.name) for place in self._folders.watched_folders() if self._recreate(place)
        ]
        if problem := self.missing_folder():
            self._is_gone = True
            is_replaced = any(problem == _replaced(place) for place in self._folders.watched_folders())
            gone = (
                StopRequested(cause=StopCause.SETUP_FAILED, detail=problem)
                if is_replaced
                else FolderMissing(detail=problem)
            )
            return [*remade, gone]
        back: list[PoolInput] = [PauseEnded(cause=PauseReason.PLACE_GONE)] if self._is_gone else []
        self._is_gone = False
        return [*remade, *back, *(event for place in self._folders.watched_folders() for event in _shortage(place))]


def _shortage(place: WatchedFolder) -> list[PoolInput]:
    try:
        place.identity()
        free_bytes = place.free_bytes()
    except OSError as error:
        trouble = trouble_of(error)
        problem = f"{place.name.capitalize()} cannot be read ({error.strerror or error}): {place.path}."
        return [StorageUnavailable(trouble=trouble if trouble.may_pass else StorageTrouble.AWAY, detail=problem)]
    return [DiskLow(free_bytes=free_bytes, place=place.name)] if free_bytes < FREE_MIN_BYTES else []


def _gone(place: WatchedFolder) -> str:
    return (
        f"{place.name.capitalize()} {place.path} is gone. Bring the same folder back (mount it, or move it back), "
        "or stop this run and start a new one."
    )


def _replaced(place: WatchedFolder) -> str:
    return (
        f"{place.name.capitalize()} {place.path} is not the folder that this run began with; the original "
        "folder and its files are gone. Start the run again."
    )
