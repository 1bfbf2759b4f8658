"""One worker process from start to exit: its connection, its tasks and their deadlines.

The slot starts it and requests its end. It posts events to the inbox of the policy and decides nothing.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

import anyio
from loguru import logger

from poolwright.archive.staging import staging_folder_name
from poolwright.domain.errors import unwrap_group
from poolwright.domain.events import SessionView, WorkerSeen
from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.outcomes import ReturnReason
from poolwright.domain.state_machine import StateMachine
from poolwright.domain.states import WorkerEvent, WorkerStatus
from poolwright.domain.tasks import POTask
from poolwright.ipc import messages
from poolwright.ipc.process import WorkerProcess, spawn
from poolwright.profile.errors import ProfileDamagedError
from poolwright.supervisor.policy.events import (
    MessageReceived,
    PolicyMessage,
    TaskAssigned,
    TaskStuck,
    WorkerEnded,
    WorkerLost,
    WorkerReady,
)
from poolwright.supervisor.policy.state import LossKind
from poolwright.supervisor.pool_context import PolicyInbox, PoolContext
from poolwright.supervisor.processes.connection import (
    SILENCE_LIMIT_S,
    ThumbnailRequests,
    WorkerConnection,
    WorkerLostError,
)
from poolwright.supervisor.task_queue import TabSlots, TaskFeeder, next_task
from poolwright.supervisor.workspace import WorkerSpec
from poolwright.system.memory_usage import MemoryMeter


class ShutdownMode(Enum):
    """Ways in which a generation is to end."""

    #: Its end was not requested.
    NONE = auto()
    #: The pool ends; the slot is TERMINATED afterwards.
    POOL_SHUTDOWN = auto()
    #: It is healthy: it finishes its tasks, and the next generation follows.
    RECYCLE = auto()
    #: It ends at once, and the next generation follows as after a loss.
    KILL = auto()


#: Time after the limit of a task in which a worker reports it: evidence takes some seconds, closing a tab up to five.
GRACE_S = 30.0
#: If a task is found overdue by more than this, the supervisor was suspended when its deadline passed.
LATE_S = 5.0


class TaskDeadlines:
    """The deadlines of the tasks that a generation holds."""

    def __init__(self, task_timeout_s: float) -> None:
        """Use ``task_timeout_s`` for tasks without a time limit of their own."""
        self._task_timeout_s = task_timeout_s
        self._due_s: dict[TaskId, float] = {}
        self._changed = anyio.Event()

    def begin(self, task: POTask) -> None:
        """Set the deadline of a task that the worker holds from now on."""
        limit_s = self._task_timeout_s if task.timeout_s is None else task.timeout_s
        self._due_s[task.task_id] = anyio.current_time() + limit_s + GRACE_S
        self._changed.set()

    def end(self, task_id: TaskId) -> None:
        """Remove the deadline of a task."""
        self._due_s.pop(task_id, None)

    async def watch(self, worker: WorkerRef, inbox: PolicyInbox) -> None:
        """Wait until a task is overdue, and report it. The other tasks return unspent, because their worker ends.

        Raises:
            WorkerLostError: A task is overdue, so the generation must end.
        """
        task_id = await self._first_overdue()
        inbox.post(TaskStuck(worker=worker, task_id=task_id))
        msg = "a task could not be stopped after its timeout"
        raise WorkerLostError(msg)

    async def _first_overdue(self) -> TaskId:
        while True:
            self._changed = anyio.Event()
            now_s = anyio.current_time()
            for task_id, due_s in self._due_s.items():
                if due_s + LATE_S < now_s:
                    # The machine was suspended, and the worker with it: the worker gets time to report.
                    self._due_s[task_id] = now_s + GRACE_S
                elif due_s <= now_s:
                    return task_id
            with anyio.move_on_after(min(self._due_s.values(), default=math.inf) - now_s):
                await self._changed.wait()


#: Limit for the exit of a worker without tasks: it checks its login and closes its browser, which takes seconds.
EXIT_LIMIT_S = 60.0


@dataclass(slots=True, kw_only=True)
class SlotRecord:
    """Data that the generations of a slot share."""

    spec: WorkerSpec
    #: Fired by a generation from its start to its exit, and by the slot between two generations.
    machine: StateMachine[WorkerStatus, WorkerEvent]
    memory_meter: MemoryMeter
    #: Number of orders that received their outcome from this slot.
    processed_count: int = 0


class Generation:
    """One process of a slot. ``serve`` runs it; ``shut_down`` ends it in order, ``kill`` at once.

    From its start to its exit it alone fires the state machine of the worker.
    """

    def __init__(self, slot: SlotRecord, ref: WorkerRef, context: PoolContext, feeder: TaskFeeder) -> None:
        """Create a generation without a process.

        Args:
            slot: The data that all generations of the slot share.
            ref: Slot and number of this generation.
            context: The context of the pool.
            feeder: Source of the tasks.
        """
        self.ref = ref
        self.session: SessionView | None = None
        #: Everything that ends with the generation runs in it.
        self.scope = anyio.CancelScope()
        self._slot = slot
        self._context = context
        self._feeder = feeder
        self._mode = ShutdownMode.NONE
        #: Why its end was requested.
        self._cause = ""
        #: Whether it has taken no task yet.
        self._is_fresh = True
        self._held: dict[TaskId, POTask] = {}
        self._tabs = TabSlots(slot.spec.options.tabs_per_worker)
        #: Requests for thumbnails of its tabs.
        self.thumbnails = ThumbnailRequests(self)
        self._deadlines = TaskDeadlines(slot.spec.options.task_timeout_s)
        self._is_idle = anyio.Event()
        self._child: WorkerProcess | None = None
        self._pulling = anyio.CancelScope()

    @property
    def pid(self) -> int | None:
        """Process id; ``None`` if no process runs."""
        return self._child.pid if self._child else None

    @property
    def is_ending(self) -> bool:
        """Whether its end was requested, in any mode."""
        return self._mode is not ShutdownMode.NONE

    @property
    def is_pool_shutdown(self) -> bool:
        """Whether it ends with the pool, so that no generation follows."""
        return self._mode is ShutdownMode.POOL_SHUTDOWN

    @property
    def held_tasks(self) -> Mapping[TaskId, POTask]:
        """The tasks that it holds, the one held for the longest time first."""
        return self._held

    async def serve(self, begin_s: float) -> bool:
        """Start the process, configure it at ``begin_s``, serve it until it sends ``Exiting``, and return ``True``.

        Raises:
            WorkerLostError: It did not start, died, sent nothing for too long, or could not continue.
        """
        try:
            self._child = child = await spawn(self._slot.spec.spawn_spec(self.ref))
        except OSError as error:
            msg = f"its process cannot be started ({error})"
            raise WorkerLostError(msg, LossKind.NOT_STARTED) from error
        self._slot.memory_meter.begin(child.pids)
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(child.read_lines, self._log)
                await self._converse(child, begin_s)
                tasks.cancel_scope.cancel()
        except ExceptionGroup as group:
            raise unwrap_group(group) from group
        finally:
            self._child = None
            self._slot.memory_meter.end()
            await child.end(self._time_left)  # noqa: ASYNC102 - end() shields itself, with limits
        return True

    def _time_left(self) -> float:
        return self._context.deadline.left_s

    async def shut_down(self, mode: ShutdownMode, cause: str = "") -> None:
        """Take no further task, finish the current ones, and end in order. Only the first call sends ``Drain``."""
        was_ending, self._mode, self._cause = self.is_ending, mode, cause
        if mode is ShutdownMode.POOL_SHUTDOWN:
            self._slot.machine.fire(WorkerEvent.STOP)
        self._finish_if_idle()
        if not was_ending:
            self._pulling.cancel()
            await self.send(messages.Drain())

    def kill(self) -> None:
        """End now, with the pool."""
        self._mode = ShutdownMode.POOL_SHUTDOWN
        self.scope.cancel()

    def kill_and_restart(self, cause: str) -> None:
        """End now; the next generation follows as after a loss, unless the pool ends."""
        if not self.is_pool_shutdown:
            self._mode, self._cause = ShutdownMode.KILL, cause
        self.scope.cancel()

    async def send(self, message: messages.ToWorker) -> None:
        """Send a message; does nothing if the process is gone, because its end is reported elsewhere."""
        if self._child is not None:
            with contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
                await self._child.channel.send(message)

    def end(self, cause: str, kind: LossKind, *, is_in_order: bool) -> None:
        """Move the state machine after the end of the process, and report the end to the policy.

        Args:
            cause: Why it ended, unless a kill was requested with a cause of its own.
            kind: Kind of the loss, if it is one.
            is_in_order: Whether the worker sent ``Exiting``.
        """
        cause = (self._mode is ShutdownMode.KILL and self._cause) or cause
        self._held.clear()
        self.thumbnails.close()
        if self.is_pool_shutdown:
            self._exit_for_good()
        elif is_in_order:
            self._finish_if_idle()
        else:
            self._slot.machine.fire(WorkerEvent.LOSE, cause=cause)
        lost = WorkerLost(worker=self.ref, cause=cause, kind=kind, at_s=anyio.current_time())
        self._context.post(WorkerEnded(worker=self.ref) if is_in_order else lost)

    def exit_without_successor(self) -> None:
        """Move the slot to TERMINATED: the generation was recycled, but no next one follows."""
        self._exit_for_good()

    def _exit_for_good(self) -> None:
        for event in (WorkerEvent.STOP, WorkerEvent.EXIT):
            self._move(event)

    def _finish_if_idle(self) -> None:
        """Move the slot to RESTARTING if a worker that is recycled has finished its tasks."""
        if self._mode is not ShutdownMode.RECYCLE or self._held:
            return
        self._is_idle.set()
        for event in (WorkerEvent.FREE, WorkerEvent.RECYCLE):
            self._move(event, self._cause)

    async def _converse(self, child: WorkerProcess, begin_s: float) -> None:
        connection = WorkerConnection(child)
        await self._start_up(connection, begin_s)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._pull, connection)
            tasks.start_soon(self._deadlines.watch, self.ref, self._context.inbox)
            tasks.start_soon(self._await_exit)
            while not isinstance(message := await connection.receive(SILENCE_LIMIT_S), messages.Exiting):
                self._on_message(message)
            tasks.cancel_scope.cancel()

    async def _start_up(self, connection: WorkerConnection, begin_s: float) -> None:
        spec = self._slot.spec
        configure = messages.Configure(options=spec.options, paths=spec.worker_paths)
        ready = await connection.open(configure, self._on_message, begin_s)
        self._slot.machine.fire(WorkerEvent.REPORT_READY)
        self.session = ready.session
        self._context.post(WorkerReady(worker=self.ref, at_s=anyio.current_time()))

    async def _pull(self, connection: WorkerConnection) -> None:
        """Take a task whenever a tab is free, until the end is requested; a task taken by then is still assigned."""
        while not self.is_ending and (task := await self._next_task()) is not None:
            self._is_fresh = False
            self._held[task.task_id] = task
            # From here the policy knows that this worker holds the task; any failure is reported as its loss.
            self._context.post(TaskAssigned(worker=self.ref, task=task))
            await self._assign(connection, task)

    async def _next_task(self) -> POTask | None:
        """Wait for a free tab and a task, and return the task; ``None`` if the end is requested meanwhile."""
        with anyio.CancelScope() as self._pulling:
            return await next_task(self._feeder, self._tabs, is_fresh=self._is_fresh)
        return None

    async def _assign(self, connection: WorkerConnection, task: POTask) -> None:
        started = task
        with self._context.deadline.shield():
            started = await self._feeder.start(task, self.ref)
        if self.is_ending:  # requested while the journal was written
            self._release(task.task_id)
            self._post(self._returned(task))
            return
        self._move(WorkerEvent.ASSIGN)
        self._deadlines.begin(started)
        await connection.send(messages.Assign(task=started, staging=staging_folder_name(started)))

    async def _await_exit(self) -> None:
        """Wait until the worker has finished its tasks, and then ``EXIT_LIMIT_S`` for its exit, which cancels this.

        Raises:
            WorkerLostError: The worker did not exit in time.
        """
        await self._is_idle.wait()
        await anyio.sleep(EXIT_LIMIT_S)
        msg = f"it did not close its browser within {EXIT_LIMIT_S:g} s"
        raise WorkerLostError(msg, LossKind.HUNG_AT_END)

    def _on_message(self, message: messages.ToSupervisor) -> None:
        context = self._context
        match message:
            case messages.Heartbeat():
                self.session = message.session
                context.event_log.publish(self._status(message.session))
            case messages.StateChanged() | messages.LogNotice() | messages.Thumbnail():
                self._pass_on(message)
            case messages.Finished() | messages.Returned():
                self._release(message.task_id)
                self._post(message)
            case (
                messages.LoginChecked() | messages.LoginRefreshed() | messages.LoginRequired() | messages.LoginResult()
            ):
                self._post(message)
            case messages.StartupFailed(kind=messages.StartupFailure.PROFILE):
                # ``leased_profile`` sets the clone aside, and the slot then reports the damage.
                raise ProfileDamagedError(message.detail)
            case messages.StartupFailed():
                self._post(message)
                raise WorkerLostError(message.detail, LossKind.UNABLE)
            case messages.Hello() | messages.Ready() | messages.Exiting() | messages.Examined():
                msg = f"it sent an unexpected {message.type} message"
                raise WorkerLostError(msg, LossKind.GARBLED)

    def _pass_on(self, message: messages.StateChanged | messages.LogNotice | messages.Thumbnail) -> None:
        """Pass a message on that the policy does not need."""
        match message:
            case messages.StateChanged():
                self._context.event_log.record_transition(message.transition)
            case messages.LogNotice():
                self._context.event_log.notice(message.level, message.text, self.ref)
            case messages.Thumbnail():
                self.thumbnails.resolve(message.task_id, message.jpeg)

    def _post(self, message: PolicyMessage) -> None:
        """Post a message of the worker to the policy."""
        self._context.post(MessageReceived(worker=self.ref, message=message, at_s=anyio.current_time()))

    def _returned(self, task: POTask) -> messages.Returned:
        """Return the message with which a worker returns a task that it never received, because it ends."""
        return messages.Returned(
            slot=self.ref.slot,
            generation=self.ref.generation,
            task_id=task.task_id,
            why=ReturnReason.DRAINING,
            detail="its worker ends",
        )

    def _release(self, task_id: TaskId) -> None:
        self._deadlines.end(task_id)
        if self._held.pop(task_id, None) is not None:
            self._tabs.release(task_id)
        if not self._held:
            self._move(WorkerEvent.FREE)
        self._finish_if_idle()

    def _move(self, event: WorkerEvent, cause: str = "") -> None:
        if self._slot.machine.can(event):
            self._slot.machine.fire(event, cause=cause)

    def _status(self, session: SessionView) -> WorkerSeen:
        return WorkerSeen(
            worker=self.ref,
            session=session,
            memory_bytes=self._slot.memory_meter.now_bytes,
            processed_count=self._slot.processed_count,
        )

    def _log(self, line: str) -> None:
        task = next(iter(self._held.values()), None)
        logger.bind(worker=str(self.ref), task=task and task.po_number).info(line)
