"""The folders of a pool: its run folder with one profile clone per worker slot, removed on shutdown."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import anyio
import anyio.from_thread
import anyio.to_thread

from poolwright.archive.staging import StagingFolders
from poolwright.domain.events import Level
from poolwright.domain.ids import ProfileId, WorkerRef
from poolwright.domain.options import PoolOptions, WorkerOptions
from poolwright.domain.state_machine import Transition
from poolwright.ipc.messages import WorkerPaths
from poolwright.ipc.process import SpawnSpec
from poolwright.ipc.process_tree import kill_by_folder
from poolwright.profile.backups import login_backup_path
from poolwright.profile.errors import ProfileDamagedError, ProfileStorageAwayError, profile_name_of
from poolwright.profile.profile import Profile, launch_folder_error
from poolwright.profile.run_folder import RunFolder, WorkerFolder, recreate_worker_folder, remove_dead_runs
from poolwright.supervisor.deadline import Deadline
from poolwright.supervisor.observation import EventLog
from poolwright.supervisor.pool_context import PoolContext
from poolwright.supervisor.storage_monitor import WatchedFolder

#: The cookies of a slot's session, beside its clone; gone with the folder.
COOKIES_NAME = "cookies.json"
#: The last good page of each portal, in the private folder of the output folder.
GOOD_PAGES_NAME = "good-pages"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSpec:
    """Specification of one worker slot."""

    slot: int
    options: WorkerOptions
    profile: Profile
    #: Name of the profile, for commands that a sentence suggests.
    profile_name: str
    folder: WorkerFolder
    #: Folder into which this worker stages its attempts.
    staging_path: Path
    #: Folder with the last good page of each portal, beside the staging folders.
    good_pages_path: Path
    module: str

    def spawn_spec(self, worker: WorkerRef) -> SpawnSpec:
        """Return the specification of one generation's process."""
        return SpawnSpec(
            worker=worker,
            temp_path=self.folder.temp_path,
            profile_path=self.folder.profile_path,
            module=self.module,
        )

    @property
    def cookies_path(self) -> Path:
        """Path of the file with the cookies of the slot's session."""
        return self.folder.path / COOKIES_NAME

    @property
    def worker_paths(self) -> WorkerPaths:
        """The paths that are sent to the worker."""
        return WorkerPaths(
            profile_path=str(self.folder.profile_path),
            profile_name=self.profile_name,
            staging_path=str(self.staging_path),
            good_pages_path=str(self.good_pages_path),
            cookies_path=str(self.cookies_path),
            kept_login_path=str(login_backup_path(self.profile.base_profile_path)),
            expected_cookies=self.profile.expected_cookies,
        )


T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class Workspace:
    """The folders and clones of a run. Its owner, the pool, opens and removes it once."""

    options: PoolOptions
    context: PoolContext
    #: Name of the profile; empty before ``open``.
    profile_name: str = ""
    _run: RunFolder | None = None
    _profiles: tuple[Profile, ...] = ()
    #: Notices about the base that were published already; all clones have the same base.
    _warned: frozenset[str] = frozenset()

    async def open(self) -> None:
        """Remove the folders of dead runs and create the folder of this run.

        Raises:
            SetupError: The folder cannot be created.
        """
        root = self.options.runs_root
        cleanup = await _in_abandonable_thread(partial(remove_dead_runs, root, end_strays=kill_by_folder))
        if cleanup.removed:
            self.context.event_log.notice(Level.INFO, f"cleaned up {len(cleanup.removed)} abandoned run(s)")
        self._run = await _in_abandonable_thread(partial(_make_folder, root))
        # Read once, because the disk may be unavailable when a worker is restarted.
        self.profile_name = await _in_abandonable_thread(partial(profile_name_of, self.options.base_profile_path))

    @property
    def staging(self) -> StagingFolders:
        """The folders in which the workers stage their files."""
        return StagingFolders(self.options.staging_path)

    def watched_folders(self) -> tuple[WatchedFolder, ...]:
        """Return the folders that the run needs; the run folder only after ``open``."""
        private = WatchedFolder(path=self.options.staging_path.parent, name="the private folder of the output folder")
        if self._run is None:
            return (private,)
        return (private, WatchedFolder(path=self._run.path, name="the run folder", is_recreatable=True))

    async def worker_spec(self, slot: int) -> WorkerSpec:
        """Create the folder of one worker with a clone of the base profile; return the specification of the slot.

        Raises:
            ProfileError: The base profile is missing, in use or damaged.
            SetupError: The disk has no room for the clone.
        """
        if self._run is None:
            msg = "the workspace is not open"
            raise RuntimeError(msg)
        folder = await _in_abandonable_thread(partial(self._run.worker_folder, slot))
        if folder.notice:
            self.context.event_log.notice(Level.WARNING, folder.notice)
        profile = self._profile(slot, folder)
        self._profiles = (*self._profiles, profile)
        await _in_abandonable_thread(profile.clone)
        self._warn(profile.notices)
        return WorkerSpec(
            slot=slot,
            options=self.options.worker,
            profile=profile,
            profile_name=self.profile_name,
            folder=folder,
            staging_path=self.staging.worker_folder(slot),
            good_pages_path=self.options.staging_path.parent / GOOD_PAGES_NAME,
            module=self.context.ports.module,
        )

    async def remove(self) -> None:
        """Remove clones and temporary files, and report those that stay for a person to inspect."""
        for profile in self._profiles:
            with contextlib.suppress(OSError):  # reported below, with what is left of the run
                await anyio.to_thread.run_sync(profile.remove, abandon_on_cancel=True)
        if self._run is not None:
            for path in await anyio.to_thread.run_sync(self._run.close, abandon_on_cancel=True):
                self.context.event_log.notice(Level.WARNING, f"kept for inspection: {path}")

    def recreate(self, folder: WatchedFolder) -> None:
        """Create the run folder again after it was removed with all clones. Blocking.

        Each clone is created again when its worker restarts.

        Raises:
            SetupError: The folder cannot be created.
        """
        if self._run is None or folder.path != self._run.path:
            return
        self._run.recreate()
        for profile in self._profiles:
            profile.mark_lost()
        notice = f"The run folder {self._run.path} was removed. It is recreated and the workers restart."
        anyio.from_thread.run_sync(self.context.event_log.notice, Level.WARNING, notice)

    def _warn(self, notices: tuple[str, ...]) -> None:
        for text in notices:
            if text not in self._warned:
                self.context.event_log.notice(Level.WARNING, text)
        self._warned |= frozenset(notices)

    def _profile(self, slot: int, folder: WorkerFolder) -> Profile:
        base = self.options.base_profile_path
        return Profile(
            profile_id=ProfileId(f"{base.parent.name}/{WorkerRef(slot, 1).worker_id}"),
            base_profile_path=base,
            worker_profile_path=folder.profile_path,
            clock=self.context.clock.now,
            observe=_record_in_loop(self.context.event_log),
        )


async def _in_abandonable_thread(work: Callable[[], T]) -> T:
    """Run blocking work in a thread, which is abandoned if the start of the pool is cancelled while a disk hangs."""
    return await anyio.to_thread.run_sync(work, abandon_on_cancel=True)


def _make_folder(root: Path) -> RunFolder:
    """Create the folder of this run, and remove it again if the caller has been cancelled. Blocking."""
    with contextlib.ExitStack() as undo:
        folder = undo.enter_context(RunFolder.create(root))
        anyio.from_thread.check_cancelled()
        undo.pop_all()
    return folder


@contextlib.asynccontextmanager
async def leased_profile(spec: WorkerSpec, deadline: Deadline) -> AsyncGenerator[None]:
    """Lease the clone of a slot to one generation: prepare it for the launch, and release it at the end.

    Args:
        spec: The slot with the clone.
        deadline: The deadline of the pool, which abandons a disk that hangs.

    Raises:
        ProfileDamagedError: The clone is damaged, as found before its launch or reported by the generation.
        ProfileInUseError: A browser still runs on it.
        SetupError: The clone cannot be written or was removed. If it is a ``TemporarilyUnavailableError`` too, waiting
            can help.
    """
    profile = spec.profile
    await deadline.in_thread(partial(_lease, profile, spec.folder))
    try:
        yield
    except ProfileDamagedError as error:
        raise await deadline.in_thread(partial(profile.mark_damaged, str(error))) from error
    finally:
        if not profile.corruption_detected:
            await deadline.in_thread(profile.release)  # noqa: ASYNC102 - in_thread() shields itself, with a limit


def _lease(profile: Profile, folder: WorkerFolder) -> None:
    """Prepare a clone and lease it. Blocking.

    Raises:
        ProfileDamagedError: As ``leased_profile``.
        ProfileInUseError: As ``leased_profile``.
        SetupError: As ``leased_profile``, also for an error of the disk.
    """
    try:
        _make_ready(profile, folder)
    except OSError as error:
        raise launch_folder_error(folder.path, error) from error


def _make_ready(profile: Profile, folder: WorkerFolder) -> None:
    """Lease a clone, after creating it again if it is gone: then it was removed, and no browser has damaged it."""
    if not folder.path.parent.exists():
        problem = f"The run folder {folder.path.parent} is gone; it is recreated as soon as possible."
        raise ProfileStorageAwayError(problem)
    if profile.is_lost or not profile.worker_profile_path.exists():
        recreate_worker_folder(folder)
        profile.restore()
    profile.lease()


def _record_in_loop(event_log: EventLog) -> Callable[[Transition], None]:
    """Return a recorder of profile transitions, which happen in threads and are recorded in the event loop."""

    def record(transition: Transition) -> None:
        if not _is_abandoned():
            anyio.from_thread.run_sync(event_log.record_transition, transition)

    return record


def _is_abandoned() -> bool:
    """Whether the caller of this thread was cancelled: its loop may end, and a call into it would never return."""
    try:
        anyio.from_thread.check_cancelled()
    except asyncio.CancelledError:  # noqa: ASYNC103 - the caller was cancelled; this thread finishes its work
        return True  # noqa: ASYNC104 - as above
    return False
