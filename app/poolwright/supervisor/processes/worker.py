"""One worker slot through all its generations; the profile clone lives as long as the slot.

Events go to the policy's inbox; nothing is decided here.
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
from poolwright.domain.states import WORKER, WorkerEvent, WorkerStatus
from poolwright.domain.storage import StorageTrouble, trouble_told
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

_AT_WORK = frozenset({WorkerStatus.READY, WorkerStatus.PROCESSING, WorkerStatus.IDLE})


class Worker:
    """A slot. ``run`` runs one generation from its start to its end; ``drain`` and others bring it there.

    It fires its machine only between two generations: another one is started, or none ever again.
    """

    def __init__(self, spec: WorkerSpec, context: PoolContext, feeder: TaskFeeder) -> None:
        """Make a slot that is STARTING.

        Args:
            spec: What it is made with.
            context: The pool's.
            feeder: Where the tasks come from.
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
        """The generation that lives, or lived last."""
        return self._generation.ref

    @property
    def worker_id(self) -> WorkerId:
        """Unique among the workers of a pool."""
        return self.ref.worker_id

    @property
    def profile(self) -> Profile:
        """The slot's clone, the same in every generation."""
        return self._spec.profile

    @property
    def cookies_path(self) -> Path:
        """Where the cookies of its session are kept."""
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
        """The session as last reported; ``None`` before the browser was open."""
        return self._generation.session

    @property
    def current_task(self) -> POTask | None:
        """The task that it has had in hand for the longest time."""
        return next(iter(self._generation.held.values()), None)

    @property
    def processed_count(self) -> int:
        """Orders that have their outcome by the work of this slot, in all its generations."""
        return self._record.processed_count

    @property
    def memory_usage(self) -> int:
        """What its processes use, in bytes, as it was last read; 0 when none lives."""
        return self.memory_meter.now_bytes

    @property
    def pid(self) -> int | None:
        """Process id of the living generation."""
        return self._generation.pid

    async def run(self, generation: int, delay_s: float) -> None:
        """Run one generation: wait, start, serve, end. Ends by itself, by ``kill``, or cancelled with the pool."""
        last = self._generation
        self._generation = self._new_generation(WorkerRef(self._spec.slot, generation))
        if self._machine.can(WorkerEvent.RESTART):  # one that was to return is RESTARTING already
            self._machine.fire(WorkerEvent.RESTART)
        cause, kind = "it was stopped", LossKind.DIED
        is_in_order = False
        with self._generation.scope:
            if last.is_pool_shutdown:  # asked for between the two
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
                    trouble = trouble_told(error)
                    self._context.post(WorkerFolderFailed(worker=self.ref, trouble=trouble, detail=cause))
            except ProfileError as error:
                cause = str(error)
                self._context.post(StopRequested(cause=StopCause.PROFILE_DAMAGED, detail=cause))
        self._generation.end(cause, kind, is_in_order=is_in_order)

    async def drain(self) -> None:
        """Take nothing more, finish what is in hand, close the browser, end. A worker that is not up is killed."""
        if self.status not in _AT_WORK or self.pid is None:
            self.kill()
            return
        await self._generation.shut_down(ShutdownMode.POOL_SHUTDOWN)

    async def recycle(self, generation: int, cause: str) -> None:
        """As ``drain``, but the next generation follows. A generation that is gone or going is let be."""
        is_at_work = self.pid is not None and not self._generation.is_asked_to_end
        if is_at_work and self.ref.generation == generation:
            await self._generation.shut_down(ShutdownMode.RECYCLE, cause)

    async def send(
        self, generation: int, message: messages.VerifyLogin | messages.Refresh | messages.ImportCookies
    ) -> None:
        """Ask a generation something about its login; one that is gone is noticed by its end."""
        if self.ref.generation == generation:
            await self._generation.send(message)

    async def thumbnail(self, task_id: TaskId) -> bytes:
        """Return a JPEG of a task's tab; empty if the task has no tab here. Waits for the worker."""
        held = self._generation.held
        return await self._generation.thumbnails.get(task_id) if task_id in held and self.status in _AT_WORK else b""

    def kill(self) -> None:
        """End the generation now; its processes are gone when ``run`` returns."""
        self._generation.kill()

    def kill_and_restart(self, cause: str) -> None:
        """End the generation now, although it lives; the next one follows as after a loss."""
        self._generation.kill_and_restart(cause)

    def give_up(self) -> None:
        """Leave the slot empty for good, if it is not TERMINATED already. No generation of it lives."""
        if self._machine.can(WorkerEvent.GIVE_UP):
            self._machine.fire(WorkerEvent.GIVE_UP)
        elif self.status is not WorkerStatus.TERMINATED:  # it was to come back
            self._generation.drop_successor()

    def count_done(self) -> None:
        """One more of its orders has its outcome."""
        self._record.processed_count += 1

    def snapshot(self) -> WorkerSnapshot:
        """The slot as it is now."""
        return WorkerSnapshot(
            worker=self.ref,
            status=self.status,
            po_numbers=tuple(task.po_number for task in self._generation.held.values()),
            task_ids=tuple(self._generation.held),
            session_status=self.browser_session.status if self.browser_session else "",
            memory_bytes=self.memory_usage,
            memory_peak_bytes=self.memory_meter.peak_bytes,
            processed_count=self.processed_count,
        )

    async def _check_disk_space(self) -> None:
        """A browser that has no room for its profile dies of that, and reports it in no way."""
        if await anyio.to_thread.run_sync(_is_full, self._spec.folder.path, abandon_on_cancel=True):
            full = f"The disk of {self._spec.folder.path} is full."
            self._context.post(WorkerFolderFailed(worker=self.ref, trouble=StorageTrouble.FULL, detail=full))

    def _new_generation(self, ref: WorkerRef) -> Generation:
        return Generation(self._record, ref, self._context, self._feeder)


async def _oom_note(kills: OomKillCounter) -> str:
    """What to add to the cause of a loss when the system took processes for want of memory meanwhile."""
    number = await anyio.to_thread.run_sync(lambda: kills.count, abandon_on_cancel=True)
    what = "a process" if number == 1 else f"{number} processes"
    return f"; while it ran, the system killed {what} because memory ran out" if number else ""


def _is_full(folder: Path) -> bool:
    """Whether a folder has hardly any room left. Blocking."""
    try:
        return shutil.disk_usage(folder).free < FREE_MIN_BYTES
    except OSError:  # what is wrong with it is found out as its next generation starts
        return False
