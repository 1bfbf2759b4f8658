"""What a pool, and each of its workers, is made with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from poolwright.domain.ids import BatchId, WorkerRef
from poolwright.domain.options import WorkerOptions
from poolwright.domain.ports import Archive, Clock, EventSink, Journal
from poolwright.ipc.messages import WorkerPaths
from poolwright.ipc.process import SpawnSpec
from poolwright.profile.backups import login_backup_path
from poolwright.profile.profile import Profile
from poolwright.profile.run_folder import WorkerFolder
from poolwright.supervisor.deadline import Deadline
from poolwright.system.memory_limit import MemoryLimit, oom_kill_count, read_limit

#: The cookies of a slot's session, beside its clone; gone with the folder.
COOKIES_NAME = "cookies.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a pool uses but does not own."""

    journal: Journal
    archive: Archive
    clock: Clock
    observe: EventSink
    #: The list whose tasks the pool works on.
    batch_id: BatchId
    #: Module of the worker process; tests put a scripted one here.
    module: str = "poolwright.worker"
    #: Tells how much memory there is; tests make up a smaller machine.
    read_limit: Callable[[], MemoryLimit] = read_limit
    #: Tells how many processes the system has ended for want of memory so far.
    count_kills: Callable[[], int | None] = oom_kill_count


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOrder:
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
    clock: Callable[[], datetime]
    count_kills: Callable[[], int | None]
    #: When the pool must be gone.
    deadline: Deadline

    def spawning(self, worker: WorkerRef) -> SpawnSpec:
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
    def seat(self) -> WorkerPaths:
        """What the worker is told of its places."""
        return WorkerPaths(
            profile_path=str(self.folder.profile_path),
            profile_name=self.profile_name,
            staging_path=str(self.staging_path),
            cookies_path=str(self.cookies_path),
            kept_login_path=str(login_backup_path(self.profile.base_profile_path)),
            expected_cookies=self.profile.expected_cookies,
        )
