"""One worker process from start to exit: its connection, its tasks and their deadlines.

Its slot starts it, and asks it to end. Events go to the policy's inbox; nothing is decided here.
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
    """What was asked of it; the first request holds, but for one to end at once."""

    #: It works.
    NONE = auto()
    #: The pool ends; its slot is TERMINATED then.
    POOL_SHUTDOWN = auto()
    #: It is well and due for a fresh start: it finishes what it has, and its next generation follows.
    RECYCLE = auto()
    #: It is ended at once, and its next generation follows as after a loss.
    KILL = auto()


#: A worker that keeps its time reports within this: evidence of a page takes some seconds, closing a tab up to five.
GRACE_S = 30.0
#: Who finds a task overdue for so long already did not run when it became so.
LATE_S = 5.0


class TaskDeadlines:
    """When each task that a generation has must be over at the latest."""

    def __init__(self, task_timeout_s: float) -> None:
        """Take ``task_timeout_s`` where a task names no time of its own."""
        self._task_timeout_s = task_timeout_s
        self._due_s: dict[TaskId, float] = {}
        self._changed = anyio.Event()

    def begin(self, task: POTask) -> None:
        """Start the time of a task that a worker has from now on."""
        limit_s = self._task_timeout_s if task.timeout_s is None else task.timeout_s
        self._due_s[task.task_id] = anyio.current_time() + limit_s + GRACE_S
        self._changed.set()

    def end(self, task_id: TaskId) -> None:
        """It is over."""
        self._due_s.pop(task_id, None)

    async def watch(self, worker: WorkerRef, inbox: PolicyInbox) -> None:
        """Wait until a task is overdue. It has had its time; its neighbours go back unspent as their worker ends.

        Raises:
            WorkerLostError: A task is overdue, so its generation must end.
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
                    # We stood still ourselves, and so did its worker: that keeps its time now, and has to report.
                    self._due_s[task_id] = now_s + GRACE_S
                elif due_s <= now_s:
                    return task_id
            with anyio.move_on_after(min(self._due_s.values(), default=math.inf) - now_s):
                await self._changed.wait()


#: A worker that has nothing left probes its login and closes its browser, which takes seconds.
EXIT_LIMIT_S = 60.0


@dataclass(slots=True, kw_only=True)
class SlotRecord:
    """What the generations of a slot share, and what outlives each of them."""

    spec: WorkerSpec
    #: Fired by the generation from its start to its exit, and by the slot between two of them.
    machine: StateMachine[WorkerStatus, WorkerEvent]
    memory_meter: MemoryMeter
    #: Orders that have their outcome by the work of the slot.
    processed_count: int = 0


class Generation:
    """A process of a slot. ``serve`` runs it; ``shut_down`` brings it to its end in order, ``kill`` at once.

    It alone fires the worker's machine from its start to its exit.
    """

    def __init__(self, slot: SlotRecord, ref: WorkerRef, context: PoolContext, feeder: TaskFeeder) -> None:
        """Start nothing yet.

        Args:
            slot: What all generations of the slot share.
            ref: Which generation this is.
            context: The pool's.
            feeder: Where the tasks come from.
        """
        self.ref = ref
        self.session: SessionView | None = None
        #: Within it runs whatever ends with the generation.
        self.scope = anyio.CancelScope()
        self._slot = slot
        self._context = context
        self._feeder = feeder
        self._mode = ShutdownMode.NONE
        #: Why it was asked to go.
        self._cause = ""
        #: Whether it has not taken anything yet.
        self._is_fresh = True
        self._held: dict[TaskId, POTask] = {}
        self._tabs = TabSlots(slot.spec.options.tabs_per_worker)
        #: What its tabs show, for whoever asks.
        self.thumbnails = ThumbnailRequests(self)
        self._deadlines = TaskDeadlines(slot.spec.options.task_timeout_s)
        self._is_idle = anyio.Event()
        self._child: WorkerProcess | None = None
        self._pulling = anyio.CancelScope()

    @property
    def pid(self) -> int | None:
        """Process id while it lives."""
        return self._child.pid if self._child else None

    @property
    def is_ending(self) -> bool:
        """Whether its end was asked for, in any way."""
        return self._mode is not ShutdownMode.NONE

    @property
    def is_pool_shutdown(self) -> bool:
        """Whether it ends with the pool, so that none follows."""
        return self._mode is ShutdownMode.POOL_SHUTDOWN

    @property
    def held_tasks(self) -> Mapping[TaskId, POTask]:
        """What it has in hand, the longest first."""
        return self._held

    async def serve(self, begin_s: float) -> bool:
        """Start the process, let it begin at its time, and serve it until it says goodbye.

        Raises:
            WorkerLostError: It never came up, died, fell silent, or could not go on.
        """
        try:
            self._child = child = await spawn(self._slot.spec.spawn_spec(self.ref))
        except OSError as error:
            msg = f"its process cannot be started ({error})"
            raise WorkerLostError(msg, LossKind.NOT_STARTED) from error
        self._slot.memory_meter.begin(child.pids)
        try:
            async with anyio.create_task_group() as beside:
                beside.start_soon(child.read_lines, self._log)
                await self._converse(child, begin_s)
                beside.cancel_scope.cancel()
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
        """Take nothing more, finish what is in hand, close the browser, end. Only the first call is sent on."""
        is_known, self._mode, self._cause = self.is_ending, mode, cause
        if mode is ShutdownMode.POOL_SHUTDOWN:
            self._slot.machine.fire(WorkerEvent.STOP)
        self._finish_if_idle()
        if not is_known:
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
        """Send a message; a process that is gone is noticed by its end."""
        if self._child is not None:
            with contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
                await self._child.channel.send(message)

    def end(self, cause: str, kind: LossKind, *, is_in_order: bool) -> None:
        """Make the move that goes with the end of the process, and report it.

        Args:
            cause: Why it ended, where nobody asked for that.
            kind: The same for the policy.
            is_in_order: Whether it said goodbye.
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
        """No generation follows this one, although it ended to be followed: its slot is TERMINATED."""
        self._exit_for_good()

    def _exit_for_good(self) -> None:
        for event in (WorkerEvent.STOP, WorkerEvent.EXIT):
            self._move(event)

    def _finish_if_idle(self) -> None:
        """A worker that was to come back has finished what it had: its slot is on the way to the next generation."""
        if self._mode is not ShutdownMode.RECYCLE or self._held:
            return
        self._is_idle.set()
        for event in (WorkerEvent.FREE, WorkerEvent.RECYCLE):
            self._move(event, self._cause)

    async def _converse(self, child: WorkerProcess, begin_s: float) -> None:
        talk = WorkerConnection(child)
        await self._start_up(talk, begin_s)
        async with anyio.create_task_group() as beside:
            beside.start_soon(self._pull, talk)
            beside.start_soon(self._deadlines.watch, self.ref, self._context.inbox)
            beside.start_soon(self._await_exit)
            while not isinstance(message := await talk.receive(SILENCE_LIMIT_S), messages.Exiting):
                self._on_message(message)
            beside.cancel_scope.cancel()

    async def _start_up(self, talk: WorkerConnection, begin_s: float) -> None:
        spec = self._slot.spec
        configure = messages.Configure(options=spec.options, seat=spec.worker_paths)
        ready = await talk.open(configure, self._on_message, begin_s)
        self._slot.machine.fire(WorkerEvent.REPORT_READY)
        self.session = ready.session
        self._context.post(WorkerReady(worker=self.ref, at_s=anyio.current_time()))

    async def _pull(self, talk: WorkerConnection) -> None:
        """Take a task whenever a tab is free, until asked to end. Who is asked meanwhile gets the task all the same."""
        while not self.is_ending and (task := await self._next_task()) is not None:
            self._is_fresh = False
            self._held[task.task_id] = task
            # From here the policy knows who holds the task; what goes wrong is reported as the end of this worker.
            self._context.post(TaskAssigned(worker=self.ref, task=task))
            await self._assign(talk, task)

    async def _next_task(self) -> POTask | None:
        """Wait for a free tab and a task, until asked to end."""
        with anyio.CancelScope() as self._pulling:
            return await next_task(self._feeder, self._tabs, is_fresh=self._is_fresh)
        return None

    async def _assign(self, talk: WorkerConnection, task: POTask) -> None:
        started = task
        with self._context.deadline.shield():
            started = await self._feeder.start(task, self.ref)
        if self.is_ending:  # meanwhile: it takes nothing any more
            self._release(task.task_id)
            self._post(self._returned(task))
            return
        self._move(WorkerEvent.ASSIGN)
        self._deadlines.begin(started)
        await talk.send(messages.Assign(task=started, staging=staging_folder_name(started)))

    async def _await_exit(self) -> None:
        """Wait until the worker has nothing left, then for its goodbye.

        Raises:
            WorkerLostError: None came in time.
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
                messages.LoginVerified() | messages.LoginRefreshed() | messages.LoginRequired() | messages.LoginResult()
            ):
                self._post(message)
            case messages.StartupFailed(kind=messages.StartupFailure.PROFILE):
                # Whoever holds the clone puts it aside, and reports it then.
                raise ProfileDamagedError(message.detail)
            case messages.StartupFailed():
                self._post(message)
                raise WorkerLostError(message.detail, LossKind.UNABLE)
            case messages.Hello() | messages.Ready() | messages.Exiting():
                msg = f"it sent an unexpected {message.type} message"
                raise WorkerLostError(msg, LossKind.GARBLED)

    def _pass_on(self, message: messages.StateChanged | messages.LogNotice | messages.Thumbnail) -> None:
        """What others want to know, and the pool need not."""
        match message:
            case messages.StateChanged():
                self._context.event_log.record_transition(message.transition)
            case messages.LogNotice():
                self._context.event_log.notice(message.level, message.text, self.ref)
            case messages.Thumbnail():
                self.thumbnails.resolve(message.task_id, message.jpeg)

    def _post(self, message: PolicyMessage) -> None:
        """Give the policy a message of the worker."""
        self._context.post(MessageReceived(worker=self.ref, message=message, at_s=anyio.current_time()))

    def _returned(self, task: POTask) -> messages.Returned:
        """Return the answer of a worker that ends before it was told of a task."""
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
