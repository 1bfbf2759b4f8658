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


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSpec:
    """Specification of one worker slot."""

    slot: int
    options: WorkerOptions
    profile: Profile
    #: What people call it, for commands that they are to give.
    profile_name: str
    folder: WorkerFolder
    #: Attempts of this worker are staged below.
    staging_path: Path
    module: str

    def spawn_spec(self, worker: WorkerRef) -> SpawnSpec:
        """How one generation is started."""
        return SpawnSpec(
            worker=worker,
            temp_path=self.folder.temp_path,
            profile_path=self.folder.profile_path,
            module=self.module,
        )

    @property
    def cookies_path(self) -> Path:
        """Where the cookies of the slot's session are kept."""
        return self.folder.path / COOKIES_NAME

    @property
    def worker_paths(self) -> WorkerPaths:
        """What the worker is told of its places."""
        return WorkerPaths(
            profile_path=str(self.folder.profile_path),
            profile_name=self.profile_name,
            staging_path=str(self.staging_path),
            cookies_path=str(self.cookies_path),
            kept_login_path=str(login_backup_path(self.profile.base_profile_path)),
            expected_cookies=self.profile.expected_cookies,
        )


T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class Workspace:
    """Folders and clones of a run. Opened once, closed once; the owner of both is the pool."""

    options: PoolOptions
    context: PoolContext
    #: What people call the profile; known once it is open.
    profile_name: str = ""
    _run: RunFolder | None = None
    _profiles: tuple[Profile, ...] = ()
    #: Notices about the base that were published already: all clones have the same one.
    _warned: frozenset[str] = frozenset()

    async def open(self) -> None:
        """Sweep what dead runs left, and make the folder of this one.

        Raises:
            SetupError: The folder cannot be made.
        """
        root = self.options.runs_root
        swept = await _in_abandonable_thread(partial(remove_dead_runs, root, end_strays=kill_by_folder))
        if swept.removed:
            self.context.event_log.notice(Level.INFO, f"cleaned up {len(swept.removed)} abandoned run(s)")
        self._run = await _in_abandonable_thread(partial(_make_folder, root))
        # Asked once: its disk may be away when a worker is started anew.
        self.profile_name = await _in_abandonable_thread(partial(profile_name_of, self.options.base_profile_path))

    @property
    def staging(self) -> StagingFolders:
        """The folders in which the workers stage their files."""
        return StagingFolders(self.options.staging_path)

    def watched_folders(self) -> tuple[WatchedFolder, ...]:
        """What the run cannot do without, as far as it is open."""
        private = WatchedFolder(path=self.options.staging_path.parent, name="the private folder of the output folder")
        if self._run is None:
            return (private,)
        return (private, WatchedFolder(path=self._run.path, name="the run folder", is_recreatable=True))

    async def worker_spec(self, slot: int) -> WorkerSpec:
        """Make the place of one worker, with a clone of the base profile.

        Raises:
            ProfileError: The base profile is missing, in use or not whole.
            SetupError: There is no room for the clone.
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
            module=self.context.ports.module,
        )

    async def remove(self) -> None:
        """Remove clones and temporary files, and tell what could not be removed or is kept for a person."""
        for profile in self._profiles:
            with contextlib.suppress(OSError):  # told below, as what is left of the run
                await anyio.to_thread.run_sync(profile.remove, abandon_on_cancel=True)
        if self._run is not None:
            for path in await anyio.to_thread.run_sync(self._run.close, abandon_on_cancel=True):
                self.context.event_log.notice(Level.WARNING, f"kept for inspection: {path}")

    def recreate(self, folder: WatchedFolder) -> None:
        """Make the run folder again, which was removed with all clones. Blocking.

        Each clone is made again when its worker starts anew.

        Raises:
            SetupError: It can't be made.
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
    """Do something that blocks; whoever does not want to begin any more leaves its thread behind, whatever hangs."""
    return await anyio.to_thread.run_sync(work, abandon_on_cancel=True)


def _make_folder(root: Path) -> RunFolder:
    """Make the folder of this run; it is gone again where nobody waited for it. Blocking."""
    with contextlib.ExitStack() as undo:
        folder = undo.enter_context(RunFolder.create(root))
        anyio.from_thread.check_cancelled()
        undo.pop_all()
    return folder


@contextlib.asynccontextmanager
async def leased_profile(spec: WorkerSpec, deadline: Deadline) -> AsyncGenerator[None]:
    """A clone in the use of one generation: made ready for its launch, taken back at the end.

    Args:
        spec: The slot with the clone.
        deadline: When the pool must be gone; a disk that hangs is left behind then.

    Raises:
        ProfileDamagedError: It is spoiled: found before its launch, or told by the generation.
        ProfileInUseError: A browser still runs on it.
        SetupError: It can't be written, or somebody removed it; one that is a ``TemporarilyUnavailableError`` may be
            waited for.
    """
    profile = spec.profile
    await deadline.in_thread(partial(_lease, profile, spec.folder))
    try:
        yield
    except ProfileDamagedError as error:
        raise await deadline.in_thread(partial(profile.mark_damaged, str(error))) from error
    finally:
        if not profile.corruption_detected:
            await deadline.in_thread(profile.release)  # noqa: ASYNC102 - it shields itself, with a limit


def _lease(profile: Profile, folder: WorkerFolder) -> None:
    """Make a clone ready, where the disk lets it. Blocking.

    Raises:
        As ``leased_profile``.
    """
    try:
        _make_ready(profile, folder)
    except OSError as error:
        raise launch_folder_error(folder.path, error) from error


def _make_ready(profile: Profile, folder: WorkerFolder) -> None:
    """A clone that is gone altogether was removed, and no browser has spoiled it."""
    if not folder.path.parent.exists():
        problem = f"The run folder {folder.path.parent} is gone; it is recreated as soon as possible."
        raise ProfileStorageAwayError(problem)
    if profile.is_lost or not profile.worker_profile_path.exists():
        recreate_worker_folder(folder)
        profile.restore()
    profile.lease()


def _record_in_loop(event_log: EventLog) -> Callable[[Transition], None]:
    """Return a recorder for profiles, whose transitions happen in threads and are recorded in the loop."""

    def record(transition: Transition) -> None:
        if not _is_abandoned():
            anyio.from_thread.run_sync(event_log.record_transition, transition)

    return record


def _is_abandoned() -> bool:
    """Whether the caller of this thread has given up: its loop may end, and a call into it would never return."""
    try:
        anyio.from_thread.check_cancelled()
    except asyncio.CancelledError:  # noqa: ASYNC103 - of the caller; the rest of this thread's work is still right
        return True
    return False
