"""One worker slot through all its generations; the profile clone lives as long as the slot.

Facts go up to the pool's inbox; nothing is decided here.
"""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
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
from poolwright.supervisor.observation import EventLog, WorkerSnapshot
from poolwright.supervisor.policy.commands import StopCause
from poolwright.supervisor.policy.events import PoolInput, StopRequested, WorkerEnded, WorkerFolderFailed, WorkerLost
from poolwright.supervisor.policy.state import LossKind
from poolwright.supervisor.processes.connection import SPAWN_AHEAD_S, WorkerLostError
from poolwright.supervisor.processes.generation import Generation, GenerationDeps, ShutdownMode
from poolwright.supervisor.storage_monitor import FREE_MIN_BYTES
from poolwright.supervisor.task_queue import TaskFeeder
from poolwright.supervisor.workspace import WorkerSpec, leased_profile
from poolwright.system.memory_limit import OomKillCounter
from poolwright.system.memory_usage import MemoryMeter

_AT_WORK = frozenset({WorkerStatus.READY, WorkerStatus.PROCESSING, WorkerStatus.IDLE})


class Worker:
    """A slot. ``live`` runs one generation from its start to its end; ``drain`` and others bring it there."""

    def __init__(
        self,
        order: WorkerSpec,
        chronicle: EventLog,
        report: Callable[[PoolInput], None],
        dispatch: TaskFeeder,
        begin: Callable[[POTask, WorkerRef], Awaitable[POTask]],
    ) -> None:
        """Make a slot that is STARTING.

        Args:
            order: What it is made with.
            chronicle: Where moves and events are told.
            report: Takes facts for the plan; returns at once.
            dispatch: Where the tasks come from.
            begin: Writes an attempt down before it starts; gives the task with its attempt number.
        """
        self._spec = order
        self._report = report
        first = WorkerRef(order.slot, 1)
        self._machine = StateMachine(WORKER, first.worker_id, clock=order.clock, observe=chronicle.record_transition)
        self.memory_meter = MemoryMeter()
        self._done_count = 0
        self._deps = GenerationDeps(
            spec=order,
            machine=self._machine,
            memory_meter=self.memory_meter,
            event_log=chronicle,
            report=report,
            feeder=dispatch,
            begin=begin,
            done_count=lambda: self._done_count,
        )
        self._generation = Generation(self._deps, first)
        self._scope = anyio.CancelScope()

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
        """The session as it was last told; nothing before the browser was open."""
        return self._generation.session

    @property
    def current_task(self) -> POTask | None:
        """The task that it has had in hand for the longest time."""
        return next(iter(self._generation.held.values()), None)

    @property
    def processed_count(self) -> int:
        """Orders that have their outcome by the work of this slot, in all its generations."""
        return self._done_count

    @property
    def memory_usage(self) -> int:
        """What its processes use, in bytes, as it was last read; 0 when none lives."""
        return self.memory_meter.now_bytes

    @property
    def pid(self) -> int | None:
        """Process id of the living generation."""
        return self._generation.pid

    async def run(self, generation: int, delay_s: float) -> None:
        """Run one generation: wait, start, serve, end. Ends by itself, by ``abandon``, or cancelled with the pool."""
        last = self._generation
        self._generation = Generation(self._deps, WorkerRef(self._spec.slot, generation))
        if self._machine.can(WorkerEvent.RESTART):  # one that was to return is RESTARTING already
            self._machine.fire(WorkerEvent.RESTART)
        cause, kind = "it was stopped", LossKind.DIED
        is_in_order = False
        with anyio.CancelScope() as self._scope:
            if last.shutdown_mode is ShutdownMode.POOL_SHUTDOWN:  # asked for between the two
                self.kill()
            kills = await anyio.to_thread.run_sync(OomKillCounter, self._spec.count_kills, abandon_on_cancel=True)
            try:
                begin_s = anyio.current_time() + delay_s
                await anyio.sleep_until(begin_s - SPAWN_AHEAD_S)
                async with leased_profile(self._spec):
                    is_in_order = await self._generation.serve(begin_s)
            except WorkerLostError as error:
                cause, kind = f"{error}{await _oom_note(kills)}", error.kind
                await self._check_disk_space()
            except (SetupError, ProfileInUseError, TemporarilyUnavailableError, TimeoutError) as error:
                cause, kind = str(error), LossKind.NOT_STARTED
                if isinstance(error, TemporarilyUnavailableError):
                    self._report(WorkerFolderFailed(worker=self.ref, trouble=trouble_told(error), detail=cause))
            except ProfileError as error:
                cause = str(error)
                self._report(StopRequested(cause=StopCause.PROFILE_DAMAGED, detail=cause))
        self._on_exit(cause, kind, is_in_order=is_in_order)

    async def drain(self) -> None:
        """Take nothing more, finish what is in hand, close the browser, end. A worker that is not up is abandoned."""
        if self.status not in _AT_WORK or self.pid is None:
            self.kill()
            return
        self._machine.fire(WorkerEvent.STOP)
        await self._generation.shut_down(ShutdownMode.POOL_SHUTDOWN)

    async def recycle(self, generation: int, cause: str) -> None:
        """As ``drain``, but the next generation follows. A generation that is gone or going is let be."""
        is_at_work = self.pid is not None and self._generation.shutdown_mode is ShutdownMode.NONE
        if is_at_work and self.ref.generation == generation:
            await self._generation.shut_down(ShutdownMode.RECYCLE, cause)

    async def send(
        self, generation: int, message: messages.VerifyLogin | messages.Refresh | messages.ImportCookies
    ) -> None:
        """Ask something about its login of a generation; one that is gone told so by its end."""
        if self.ref.generation == generation:
            await self._generation.send(message)

    async def thumbnail(self, task_id: TaskId) -> bytes:
        """Return a JPEG of a task's tab; empty if the task has no tab here. Waits for the worker."""
        held = self._generation.held
        return await self._generation.thumbnails.get(task_id) if task_id in held and self.status in _AT_WORK else b""

    def kill(self) -> None:
        """End the generation now; its processes are gone when ``live`` returns."""
        self._generation.shutdown_mode = ShutdownMode.POOL_SHUTDOWN
        self._scope.cancel()

    def kill_and_restart(self, cause: str) -> None:
        """End the generation now, although it lives; the next one follows as after a loss."""
        if self._generation.shutdown_mode is not ShutdownMode.POOL_SHUTDOWN:
            self._generation.shutdown_mode, self._generation.cause = ShutdownMode.KILL, cause
        self._scope.cancel()

    def give_up(self) -> None:
        """Leave the slot empty for good, if it is not TERMINATED already. No generation of it lives."""
        for event in (WorkerEvent.GIVE_UP, WorkerEvent.STOP, WorkerEvent.EXIT):  # it is CRASHED, or was to come back
            if self._machine.can(event):
                self._machine.fire(event)

    def count_done(self) -> None:
        """One more of its orders has its outcome."""
        self._done_count += 1

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
        """A browser that has no room for its profile dies of that, and tells it in no way."""
        if await anyio.to_thread.run_sync(_is_full, self._spec.folder.path, abandon_on_cancel=True):
            full = f"The disk of {self._spec.folder.path} is full."
            self._report(WorkerFolderFailed(worker=self.ref, trouble=StorageTrouble.FULL, detail=full))

    def _on_exit(self, cause: str, kind: LossKind, *, is_in_order: bool) -> None:
        """Tell how the generation ended, and make the move that goes with it."""
        gone = self._generation
        cause = (gone.shutdown_mode is ShutdownMode.KILL and gone.cause) or cause
        gone.clear()
        if gone.shutdown_mode is ShutdownMode.POOL_SHUTDOWN:
            if self._machine.can(WorkerEvent.STOP):
                self._machine.fire(WorkerEvent.STOP)
            ending = WorkerEvent.EXIT if self._machine.can(WorkerEvent.EXIT) else WorkerEvent.GIVE_UP
            self._machine.fire(ending)
        elif is_in_order:
            gone.exit_when_idle()
        else:
            self._machine.fire(WorkerEvent.LOSE, cause=cause)
        lost = WorkerLost(worker=self.ref, cause=cause, kind=kind, at_s=anyio.current_time())
        self._report(WorkerEnded(worker=self.ref) if is_in_order else lost)


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
