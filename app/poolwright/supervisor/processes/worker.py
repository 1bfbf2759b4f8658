"""One worker slot through all its generations, which share the slot's profile clone.

The slot reports events to the policy and decides nothing.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import anyio
import anyio.to_thread

from poolwright.domain.errors import ProfileError, SetupError, TemporarilyUnavailableError
from poolwright.domain.events import SessionView
from poolwright.domain.ids import TaskId, WorkerId, WorkerRef
from poolwright.domain.state_machine import StateMachine
from poolwright.domain.states import WORKER, WORKING_STATUSES, WorkerEvent, WorkerStatus
from poolwright.domain.storage import StorageTrouble, classify_storage_error
from poolwright.domain.tasks import POTask
from poolwright.ipc import messages
from poolwright.profile.errors import ProfileInUseError
from poolwright.profile.profile import Profile
from poolwright.supervisor.observation import WorkerSnapshot
from poolwright.supervisor.policy.commands import StopCause
from poolwright.supervisor.policy.events import StopRequested, WorkerFolderFailed
from poolwright.supervisor.policy.state import LossKind
from poolwright.supervisor.pool_context import PoolContext
from poolwright.supervisor.processes.connection import SPAWN_AHEAD_S, WorkerLostError
from poolwright.supervisor.processes.generation import Generation, ShutdownMode, SlotRecord
from poolwright.supervisor.storage_monitor import FREE_MIN_BYTES
from poolwright.supervisor.task_queue import TaskFeeder
from poolwright.supervisor.workspace import WorkerSpec, leased_profile
from poolwright.system.memory_limit import OomKillCounter
from poolwright.system.memory_usage import MemoryMeter


class Worker:
    """A slot. ``run`` runs one generation from its start to its end; ``drain``, ``recycle`` and ``kill`` end it.

    The slot fires its state machine only between two generations, with RESTART or GIVE_UP.
    """

    def __init__(self, spec: WorkerSpec, context: PoolContext, feeder: TaskFeeder) -> None:
        """Create a slot in the state STARTING.

        Args:
            spec: Specification of the slot.
            context: The context of the pool.
            feeder: Source of the tasks.
        """
        self._spec = spec
        self._context = context
        self._feeder = feeder
        first, observe = WorkerRef(spec.slot, 1), context.event_log.record_transition
        self._machine = StateMachine(WORKER, first.worker_id, clock=context.clock.now, observe=observe)
        self.memory_meter = MemoryMeter()
        self._record = SlotRecord(spec=spec, machine=self._machine, memory_meter=self.memory_meter)
        self._generation = self._new_generation(first)

    @property
    def ref(self) -> WorkerRef:
        """The current generation, or the last one."""
        return self._generation.ref

    @property
    def worker_id(self) -> WorkerId:
        """Id of the worker, unique in its pool."""
        return self.ref.worker_id

    @property
    def profile(self) -> Profile:
        """The profile clone of the slot, the same in every generation."""
        return self._spec.profile

    @property
    def cookies_path(self) -> Path:
        """Path of the file with the cookies of its session."""
        return self._spec.cookies_path

    @property
    def profile_path(self) -> Path:
        """The worker's own user-data folder."""
        return self.profile.worker_profile_path

    @property
    def status(self) -> WorkerStatus:
        """Lifecycle state of the slot."""
        return self._machine.state

    @property
    def browser_session(self) -> SessionView | None:
        """The session as last reported; ``None`` before the browser is open."""
        return self._generation.session

    @property
    def current_task(self) -> POTask | None:
        """The task that it has held for the longest time; ``None`` if it holds none."""
        return next(iter(self._generation.held_tasks.values()), None)

    @property
    def processed_count(self) -> int:
        """Number of orders that received their outcome from this slot, in all its generations."""
        return self._record.processed_count

    @property
    def memory_usage(self) -> int:
        """Memory of its processes when last read, in bytes; 0 if none runs."""
        return self.memory_meter.now_bytes

    @property
    def pid(self) -> int | None:
        """Process id of the current generation; ``None`` if no process runs."""
        return self._generation.pid

    async def run(self, generation: int, delay_s: float) -> None:
        """Run one generation: wait, start, serve, end. Returns when it has ended, by itself or by ``kill``."""
        last = self._generation
        self._generation = self._new_generation(WorkerRef(self._spec.slot, generation))
        if self._machine.can(WorkerEvent.RESTART):  # a recycled slot is RESTARTING already
            self._machine.fire(WorkerEvent.RESTART)
        cause, kind = "it was stopped", LossKind.DIED
        is_in_order = False
        with self._generation.scope:
            if last.is_pool_shutdown:  # requested between the two generations
                self.kill()
            count_kills = self._context.ports.count_kills
            kills = await anyio.to_thread.run_sync(OomKillCounter, count_kills, abandon_on_cancel=True)
            try:
                begin_s = anyio.current_time() + delay_s
                await anyio.sleep_until(begin_s - SPAWN_AHEAD_S)
                async with leased_profile(self._spec, self._context.deadline):
                    is_in_order = await self._generation.serve(begin_s)
            except WorkerLostError as error:
                cause, kind = f"{error}{await _oom_note(kills)}", error.kind
                await self._check_disk_space()
            except (SetupError, ProfileInUseError, TemporarilyUnavailableError, TimeoutError) as error:
                cause, kind = str(error), LossKind.NOT_STARTED
                if isinstance(error, TemporarilyUnavailableError):
                    trouble = classify_storage_error(error)
                    self._context.post(WorkerFolderFailed(worker=self.ref, trouble=trouble, detail=cause))
            except ProfileError as error:
                cause = str(error)
                self._context.post(StopRequested(cause=StopCause.PROFILE_DAMAGED, detail=cause))
        self._generation.end(cause, kind, is_in_order=is_in_order)

    async def drain(self) -> None:
        """Finish the tasks that the worker holds, close its browser and end it; kill a worker that is not ready."""
        if self.status not in WORKING_STATUSES or self.pid is None:
            self.kill()
            return
        await self._generation.shut_down(ShutdownMode.POOL_SHUTDOWN)

    async def recycle(self, generation: int, cause: str) -> None:
        """As ``drain``, but the next generation follows. Does nothing if the generation is ending or gone."""
        is_running = self.pid is not None and not self._generation.is_ending
        if is_running and self.ref.generation == generation:
            await self._generation.shut_down(ShutdownMode.RECYCLE, cause)

    async def send(
        self, generation: int, message: messages.CheckLogin | messages.Refresh | messages.ImportCookies
    ) -> None:
        """Send a request about its login to a generation; does nothing if that generation is gone."""
        if self.ref.generation == generation:
            await self._generation.send(message)

    async def thumbnail(self, task_id: TaskId) -> bytes:
        """Wait for a JPEG of a task's tab and return it; empty if the task has no tab here."""
        if task_id not in self._generation.held_tasks or self.status not in WORKING_STATUSES:
            return b""
        return await self._generation.thumbnails.get(task_id)

    def kill(self) -> None:
        """End the generation now; its processes are gone when ``run`` returns."""
        self._generation.kill()

    def kill_and_restart(self, cause: str) -> None:
        """End the generation now, although it runs; the next one follows as after a loss."""
        self._generation.kill_and_restart(cause)

    def give_up(self) -> None:
        """Leave the slot empty for good, unless it is TERMINATED already. Called when none of its generations runs."""
        if self._machine.can(WorkerEvent.GIVE_UP):
            self._machine.fire(WorkerEvent.GIVE_UP)
        elif self.status is not WorkerStatus.TERMINATED:  # a recycled slot waits for its next generation
            self._generation.exit_without_successor()

    def count_done(self) -> None:
        """Count one more order that received its outcome from this slot."""
        self._record.processed_count += 1

    def snapshot(self) -> WorkerSnapshot:
        """Return a snapshot of the slot."""
        return WorkerSnapshot(
            worker=self.ref,
            status=self.status,
            po_numbers=tuple(task.po_number for task in self._generation.held_tasks.values()),
            task_ids=tuple(self._generation.held_tasks),
            session_status=self.browser_session.status if self.browser_session else "",
            memory_bytes=self.memory_usage,
            memory_peak_bytes=self.memory_meter.peak_bytes,
            processed_count=self.processed_count,
        )

    async def _check_disk_space(self) -> None:
        """Report a full disk after a loss: a browser without space for its profile exits without saying why."""
        if await anyio.to_thread.run_sync(_is_full, self._spec.folder.path, abandon_on_cancel=True):
            full = f"The disk of {self._spec.folder.path} is full."
            self._context.post(WorkerFolderFailed(worker=self.ref, trouble=StorageTrouble.FULL, detail=full))

    def _new_generation(self, ref: WorkerRef) -> Generation:
        return Generation(self._record, ref, self._context, self._feeder)


async def _oom_note(kills: OomKillCounter) -> str:
    """Return an addition to the cause of a loss if the system killed processes for lack of memory; else empty."""
    count = await anyio.to_thread.run_sync(lambda: kills.count, abandon_on_cancel=True)
    processes = "a process" if count == 1 else f"{count} processes"
    return f"; while it ran, the system killed {processes} because memory ran out" if count else ""


def _is_full(folder: Path) -> bool:
    """Whether the disk of a folder is almost full. Blocking."""
    try:
        return shutil.disk_usage(folder).free < FREE_MIN_BYTES
    except OSError:  # the start of the next generation reports this error
        return False
