"""One worker process from start to exit: its connection, its tasks and their deadlines.

Its slot starts it, and says when it shall come to its end. Facts go up to the pool's inbox; nothing is decided here.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Awaitable, Callable, Mapping
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
from poolwright.supervisor.observation import EventLog
from poolwright.supervisor.policy.events import PoolInput, TaskAssigned, TaskReleased, TaskStuck, WorkerReady
from poolwright.supervisor.policy.state import LossKind
from poolwright.supervisor.processes.connection import (
    SILENCE_LIMIT_S,
    ThumbnailRequests,
    WorkerConnection,
    WorkerLostError,
    to_event,
    to_failure_event,
)
from poolwright.supervisor.task_queue import TabSlots, TaskFeeder, next_task
from poolwright.supervisor.workspace import WorkerSpec
from poolwright.system.memory_usage import MemoryMeter


class ShutdownMode(Enum):
    """What was asked of it; the first wish but one for its end at once holds."""

    #: Nothing: it works.
    NONE = auto()
    #: The pool ends; its slot is TERMINATED then.
    WITH_POOL = auto()
    #: It is well and due for a fresh start: it finishes what it has, and its next generation follows.
    TO_RETURN = auto()
    #: It is ended at once, and its next generation follows as after a loss.
    AT_ONCE = auto()


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
        """The task is in a worker's hand from now on."""
        limit_s = self._task_timeout_s if task.timeout_s is None else task.timeout_s
        self._due_s[task.task_id] = anyio.current_time() + limit_s + GRACE_S
        self._changed.set()

    def end(self, task_id: TaskId) -> None:
        """It is over."""
        self._due_s.pop(task_id, None)

    async def enforce(self, worker: WorkerRef, report: Callable[[PoolInput], None]) -> None:
        """Wait until a task is overdue. It has had its time; its neighbours go back unspent as their worker ends.

        Raises:
            LostError: A task is overdue, so its generation must end.
        """
        task_id = await self._first_overdue()
        report(TaskStuck(worker=worker, task_id=task_id))
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


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationDeps:
    """Dependencies that all generations of a slot share."""

    order: WorkerSpec
    #: The slot's own; the living generation moves it, the slot between two of them.
    machine: StateMachine[WorkerStatus, WorkerEvent]
    gauge: MemoryMeter
    #: Where moves and events are told.
    chronicle: EventLog
    #: Takes facts for the plan; returns at once.
    report: Callable[[PoolInput], None]
    #: Where the tasks come from.
    dispatch: TaskFeeder
    #: Writes an attempt down before it starts; gives the task with its attempt number.
    begin: Callable[[POTask, WorkerRef], Awaitable[POTask]]
    #: How many orders have their outcome by the work of the slot.
    done_count: Callable[[], int]


class Generation:
    """A process of a slot. ``serve`` runs it; ``depart`` brings it to its end in order."""

    def __init__(self, post: GenerationDeps, ref: WorkerRef) -> None:
        """Start nothing yet.

        Args:
            post: What all generations of the slot work with.
            ref: Which one this is.
        """
        self.ref = ref
        self.session: SessionView | None = None
        self.departure = ShutdownMode.NONE
        #: Why it was asked to go.
        self.cause = ""
        self._post = post
        #: Whether it has not taken anything yet.
        self._is_fresh = True
        self._held: dict[TaskId, POTask] = {}
        self._tabs = TabSlots(post.order.options.tabs_per_worker)
        #: What its tabs show, for whoever asks.
        self.pictures = ThumbnailRequests(self.ask)
        self._deadlines = TaskDeadlines(post.order.options.task_timeout_s)
        self._emptied = anyio.Event()
        self._child: WorkerProcess | None = None
        self._pulling = anyio.CancelScope()

    @property
    def pid(self) -> int | None:
        """Process id while it lives."""
        return self._child.pid if self._child else None

    @property
    def held(self) -> Mapping[TaskId, POTask]:
        """What it has in hand, the longest first."""
        return self._held

    async def serve(self, begin_s: float) -> bool:
        """Start the process, let it begin at its time, and serve it until it says goodbye.

        Raises:
            LostError: It never came up, died, fell silent, or could not go on.
        """
        try:
            self._child = child = await spawn(self._post.order.spawning(self.ref))
        except OSError as error:
            msg = f"its process cannot be started ({error})"
            raise WorkerLostError(msg, LossKind.NOT_STARTED) from error
        self._post.gauge.begin(child.pids)
        try:
            async with anyio.create_task_group() as beside:
                beside.start_soon(child.read_lines, self._log)
                await self._talk(child, begin_s)
                beside.cancel_scope.cancel()
        except ExceptionGroup as group:
            raise unwrap_group(group) from group
        finally:
            self._child = None
            self._post.gauge.end()
            await child.end(self._time_left)  # noqa: ASYNC102 - end() shields itself, with limits
        return True

    def _time_left(self) -> float:
        return self._post.order.deadline.left_s

    async def depart(self, departure: ShutdownMode, cause: str = "") -> None:
        """Take nothing more, finish what is in hand, close the browser, end. Only the first call is sent on."""
        is_known, self.departure = self.departure is not ShutdownMode.NONE, departure
        self.cause = cause
        self.part_if_empty()
        if not is_known:
            self._pulling.cancel()
            await self.ask(messages.Drain())

    async def ask(self, message: messages.ToWorker) -> None:
        """Send something; a process that is gone tells so by its end."""
        if self._child is not None:
            with contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
                await self._child.link.send(message)

    def part_if_empty(self) -> None:
        """A worker that was to come back has finished what it had: its slot is on the way to the next generation."""
        if self.departure is not ShutdownMode.TO_RETURN or self._held:
            return
        self._emptied.set()
        for event in (WorkerEvent.FREE, WorkerEvent.RECYCLE):
            self._move(event, self.cause)

    def forget(self) -> None:
        """It is gone, and has nothing in hand any more."""
        self._held.clear()
        self.pictures.close()

    async def _talk(self, child: WorkerProcess, begin_s: float) -> None:
        talk = WorkerConnection(child)
        await self._come_up(talk, begin_s)
        async with anyio.create_task_group() as beside:
            beside.start_soon(self._pull, talk)
            beside.start_soon(self._deadlines.enforce, self.ref, self._post.report)
            beside.start_soon(self._await_goodbye)
            while not isinstance(message := await talk.hear(SILENCE_LIMIT_S), messages.Exiting):
                self._take_note(message)
            beside.cancel_scope.cancel()

    async def _come_up(self, talk: WorkerConnection, begin_s: float) -> None:
        order = self._post.order
        configure = messages.Configure(options=order.options, seat=order.seat)
        ready = await talk.open(configure, self._take_note, begin_s)
        self._post.machine.fire(WorkerEvent.REPORT_READY)
        self.session = ready.session
        self._post.report(WorkerReady(worker=self.ref, at_s=anyio.current_time()))

    async def _pull(self, talk: WorkerConnection) -> None:
        """Take a task whenever a tab is free, until told to go. Who is told so meanwhile gets the task all the same."""
        while self.departure is ShutdownMode.NONE and (task := await self._next_task()) is not None:
            self._is_fresh = False
            self._held[task.task_id] = task
            # From here the plan knows who holds the task; what goes wrong is told as the end of this worker.
            self._post.report(TaskAssigned(worker=self.ref, task=task))
            await self._assign(talk, task)

    async def _next_task(self) -> POTask | None:
        """Wait for a free tab and a task, until told to go."""
        with anyio.CancelScope() as self._pulling:
            return await next_task(self._post.dispatch, self._tabs, is_fresh=self._is_fresh)
        return None

    async def _assign(self, talk: WorkerConnection, task: POTask) -> None:
        begun = task
        with self._post.order.deadline.shield():
            begun = await self._post.begin(task, self.ref)
        if self.departure is not ShutdownMode.NONE:  # meanwhile: it takes nothing any more
            self._free(task.task_id)
            why = ReturnReason.DRAINING
            self._post.report(TaskReleased(worker=self.ref, task_id=task.task_id, why=why, detail="its worker ends"))
            return
        self._move(WorkerEvent.ASSIGN)
        self._deadlines.begin(begun)
        await talk.say(messages.Assign(task=begun, staging=staging_folder_name(begun)))

    async def _await_goodbye(self) -> None:
        """Wait until the worker has nothing left, then for its goodbye.

        Raises:
            LostError: None came in time.
        """
        await self._emptied.wait()
        await anyio.sleep(EXIT_LIMIT_S)
        msg = f"it did not close its browser within {EXIT_LIMIT_S:g} s"
        raise WorkerLostError(msg, LossKind.HUNG_AT_END)

    def _take_note(self, message: messages.ToSupervisor) -> None:
        post = self._post
        match message:
            case messages.Heartbeat():
                self.session = message.session
                post.chronicle.tell(self._seen(message.session))
            case messages.StateChanged() | messages.LogNotice() | messages.Thumbnail():
                self._pass_on(message)
            case messages.Finished() | messages.Returned():
                self._free(message.task_id)
                post.report(to_event(message, self.ref))
            case (
                messages.LoginVerified() | messages.LoginRefreshed() | messages.LoginRequired() | messages.LoginResult()
            ):
                post.report(to_event(message, self.ref))
            case messages.StartupFailed():
                post.report(to_failure_event(message, self.ref))
                raise WorkerLostError(message.detail, LossKind.UNABLE)
            case messages.Hello() | messages.Ready() | messages.Exiting():
                msg = f"it sent an unexpected {message.type} message"
                raise WorkerLostError(msg, LossKind.GARBLED)

    def _pass_on(self, message: messages.StateChanged | messages.LogNotice | messages.Thumbnail) -> None:
        """What others want to know, and the pool need not."""
        match message:
            case messages.StateChanged():
                self._post.chronicle.moved(message.transition)
            case messages.LogNotice():
                self._post.chronicle.notice(message.level, message.text, self.ref)
            case messages.Thumbnail():
                self.pictures.arrived(message.task_id, message.jpeg)

    def _free(self, task_id: TaskId) -> None:
        self._deadlines.end(task_id)
        if self._held.pop(task_id, None) is not None:
            self._tabs.free(task_id)
        if not self._held:
            self._move(WorkerEvent.FREE)
        self.part_if_empty()

    def _move(self, event: WorkerEvent, cause: str = "") -> None:
        if self._post.machine.can(event):
            self._post.machine.fire(event, cause=cause)

    def _seen(self, session: SessionView) -> WorkerSeen:
        return WorkerSeen(
            worker=self.ref,
            session=session,
            memory_bytes=self._post.gauge.now_bytes,
            processed_count=self._post.done_count(),
        )

    def _log(self, line: str) -> None:
        task = next(iter(self._held.values()), None)
        logger.bind(worker=str(self.ref), task=task and task.po_number).info(line)
