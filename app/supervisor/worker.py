"""One slot of the pool: its worker process in each generation, the link to it, and what it holds.

Facts go up to the pool's inbox; nothing is decided here. The clone of the profile lives as long as the slot.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
from loguru import logger

from app.bridge.parent import Child, spawn
from app.domain.events import SessionView, WorkerSeen
from app.domain.failures import NotNowError, ProfileError, SetupError, root_cause
from app.domain.ids import TaskId, WorkerId, WorkerRef
from app.domain.machine import Machine
from app.domain.states import WORKER, WorkerEvent, WorkerStatus
from app.domain.task import POTask
from app.profile.failures import ProfileInUseError
from app.profile.profile import Profile
from app.supervisor.chronicle import Chronicle
from app.supervisor.dispatch import Dispatch
from app.supervisor.facts import Fact, StopCause, StopNeeded, TaskTaken, WorkerEnded, WorkerLost, WorkerReady
from app.supervisor.overdue import Deadlines
from app.supervisor.premises import occupied
from app.supervisor.snapshot import WorkerSnapshot
from app.supervisor.staging import staging_name
from app.supervisor.surroundings import WorkerOrder
from app.supervisor.tabs import Tabs, next_task
from app.supervisor.talk import HEAD_START_S, SILENCE_LIMIT_S, LostError, Talk, fact_of, news_of
from app.wire import messages


class Worker:
    """A slot. ``live`` runs one generation from its start to its end; ``drain`` and ``abandon`` end it."""

    def __init__(
        self,
        order: WorkerOrder,
        chronicle: Chronicle,
        report: Callable[[Fact], None],
        dispatch: Dispatch,
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
        self._order = order
        self._chronicle = chronicle
        self._report = report
        self._dispatch = dispatch
        self._begin = begin
        self.ref = WorkerRef(order.slot, 1)
        self._machine = Machine(WORKER, self.worker_id, clock=order.clock, observe=chronicle.moved)
        self.browser_session: SessionView | None = None
        self.memory_usage = 0
        self._counted_before = 0
        self._counted_now = 0
        self._held: dict[TaskId, POTask] = {}
        self._deadlines = Deadlines(order.options.task_timeout_s)
        self._child: Child | None = None
        self._pulling = anyio.CancelScope()
        self._living = anyio.CancelScope()
        self._is_draining = False
        self._recycle_cause = ""

    @property
    def worker_id(self) -> WorkerId:
        """Unique among the workers of a pool."""
        return self.ref.worker_id

    @property
    def profile(self) -> Profile:
        """The slot's clone, the same in every generation."""
        return self._order.profile

    @property
    def cookies_path(self) -> Path:
        """Where the cookies of its session are kept."""
        return self._order.cookies_path

    @property
    def profile_path(self) -> Path:
        """The worker's own user-data folder."""
        return self.profile.worker_profile_path

    @property
    def status(self) -> WorkerStatus:
        """Where in life the slot is."""
        return self._machine.state

    @property
    def current_task(self) -> POTask | None:
        """The task that it has had in hand for the longest time."""
        return next(iter(self._held.values()), None)

    @property
    def processed_count(self) -> int:
        """Tasks finished by all generations of the slot."""
        return self._counted_before + self._counted_now

    @property
    def pid(self) -> int | None:
        """Process id of the living generation."""
        return self._child.pid if self._child else None

    async def live(self, generation: int, delay_s: float) -> None:
        """Run one generation: wait, start, serve, end. Ends by itself, by ``abandon``, or cancelled with the pool."""
        self.ref = WorkerRef(self._order.slot, generation)
        if generation > 1:
            self._machine.fire(WorkerEvent.RESTART)
        self._recycle_cause = ""
        cause = "it was stopped"
        is_in_order = False
        with anyio.CancelScope() as self._living:
            try:
                begin_s = anyio.current_time() + delay_s
                await anyio.sleep_until(begin_s - HEAD_START_S)
                async with occupied(self.profile):
                    is_in_order = await self._serve(begin_s)
            except (LostError, SetupError, ProfileInUseError, NotNowError) as error:
                cause = str(error)
            except ProfileError as error:
                cause = str(error)
                self._report(StopNeeded(cause=StopCause.PROFILE_DAMAGED, detail=cause))
        self._leave(self._recycle_cause or cause, is_in_order=is_in_order)

    async def drain(self) -> None:
        """Take nothing more, finish what is in hand, close the browser, end. A worker that is not up is abandoned."""
        self._is_draining = True
        if self.status not in {WorkerStatus.READY, WorkerStatus.PROCESSING, WorkerStatus.IDLE} or not self._child:
            self.abandon()
            return
        self._pulling.cancel()
        self._machine.fire(WorkerEvent.STOP)
        with contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
            await self._child.link.send(messages.Drain())

    async def ask(self, generation: int, message: messages.Probe | messages.Refresh | messages.Adopt) -> None:
        """Ask something about its login of a generation; one that is gone told so by its end."""
        if self._child is None or self.ref.generation != generation:
            return
        with contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
            await self._child.link.send(message)

    def abandon(self) -> None:
        """End the generation now; its processes are gone when ``live`` returns."""
        self._is_draining = True
        self._living.cancel()

    def recycle(self, cause: str) -> None:
        """End the generation now, although it lives; the next one follows as after a loss."""
        self._recycle_cause = cause
        self._living.cancel()

    def give_up(self) -> None:
        """Leave the slot empty: its restarts are spent."""
        self._machine.fire(WorkerEvent.GIVE_UP)

    def _leave(self, cause: str, *, is_in_order: bool) -> None:
        """Tell how the generation ended, and make the move that goes with it."""
        self._counted_before, self._counted_now = self.processed_count, 0
        self._held.clear()
        self.memory_usage = 0
        if self._is_draining:
            if self._machine.can(WorkerEvent.STOP):
                self._machine.fire(WorkerEvent.STOP)
            ending = WorkerEvent.EXIT if self._machine.can(WorkerEvent.EXIT) else WorkerEvent.GIVE_UP
            self._machine.fire(ending)
        else:
            self._machine.fire(WorkerEvent.LOSE, cause=cause)
        lost = WorkerLost(worker=self.ref, cause=cause, at_s=anyio.current_time())
        self._report(WorkerEnded(worker=self.ref) if is_in_order else lost)

    async def _serve(self, begin_s: float) -> bool:
        """Start the process, let it begin at its time, and serve it until it says goodbye.

        Raises:
            LostError: It never came up, died, fell silent, or could not go on.
        """
        try:
            self._child = child = await spawn(self._order.spawning(self.ref))
        except OSError as error:
            msg = f"its process cannot be started ({error})"
            raise LostError(msg) from error
        try:
            async with anyio.create_task_group() as beside:
                beside.start_soon(child.read_lines, self._log)
                await self._talk(child, begin_s)
                beside.cancel_scope.cancel()
        except ExceptionGroup as group:
            raise root_cause(group) from group
        finally:
            self._child = None
            await child.end()  # noqa: ASYNC102 - end() shields itself, with limits
        return True

    async def _talk(self, child: Child, begin_s: float) -> None:
        talk = Talk(child)
        await self._come_up(talk, begin_s)
        self._deadlines = Deadlines(self._order.options.task_timeout_s)
        tabs = Tabs(self._order.options.tabs_per_worker)
        async with anyio.create_task_group() as beside:
            beside.start_soon(self._pull, talk, tabs)
            beside.start_soon(self._deadlines.enforce, self.ref, self._report)
            await self._listen(talk, tabs)
            beside.cancel_scope.cancel()

    async def _come_up(self, talk: Talk, begin_s: float) -> None:
        configure = messages.Configure(options=self._order.options, seat=self._order.seat)
        ready = await talk.open(configure, lambda message: self._take_note(message, None), begin_s)
        self._machine.fire(WorkerEvent.REPORT_READY)
        self.browser_session = ready.session
        self._report(WorkerReady(worker=self.ref))

    async def _listen(self, talk: Talk, tabs: Tabs) -> None:
        """Take every frame until the goodbye."""
        while not isinstance(message := await talk.hear(SILENCE_LIMIT_S), messages.Bye):
            self._take_note(message, tabs)

    async def _pull(self, talk: Talk, tabs: Tabs) -> None:
        """Take a task whenever a tab is free, until told to drain."""
        with anyio.CancelScope() as self._pulling:
            while True:
                task = await next_task(self._dispatch, tabs)
                self._held[task.task_id] = task
                # From here the plan knows who holds the task; what goes wrong is told as the end of this worker.
                self._report(TaskTaken(worker=self.ref, task=task))
                await self._assign(talk, task)

    async def _assign(self, talk: Talk, task: POTask) -> None:
        begun = task
        with anyio.CancelScope(shield=True):
            begun = await self._begin(task, self.ref)
        if self._is_draining:
            return
        if self._machine.can(WorkerEvent.ASSIGN):
            self._machine.fire(WorkerEvent.ASSIGN)
        self._deadlines.begin(begun)
        await talk.say(messages.Assign(task=begun, staging=staging_name(begun)))

    def _take_note(self, message: messages.ToSupervisor, tabs: Tabs | None) -> None:
        match message:
            case messages.Heartbeat():
                self.browser_session = message.session
                self._counted_now = message.processed_count
                self._chronicle.tell(self._seen(message.session))
            case messages.Moved():
                self._chronicle.moved(message.transition)
            case messages.Said():
                self._chronicle.notice(message.level, message.text, self.ref)
            case messages.Finished() | messages.Returned():
                self._free(message.task_id, tabs)
                self._report(news_of(message, self.ref))
            case messages.Probed() | messages.Renewed() | messages.LoggedOut() | messages.LoginSettled():
                self._report(news_of(message, self.ref))
            case messages.Unable():
                self._report(fact_of(message, self.ref))
                raise LostError(message.detail)
            case messages.Hello() | messages.Ready() | messages.Bye():
                msg = f"it said {message.type} out of turn"
                raise LostError(msg)

    def _free(self, task_id: TaskId, tabs: Tabs | None) -> None:
        self._deadlines.end(task_id)
        if self._held.pop(task_id, None) is not None and tabs is not None:
            tabs.free(task_id)
        if not self._held and self._machine.can(WorkerEvent.FREE):
            self._machine.fire(WorkerEvent.FREE)

    def snapshot(self) -> WorkerSnapshot:
        """The slot as it is now."""
        return WorkerSnapshot(
            worker=self.ref,
            status=self.status,
            po_numbers=tuple(task.po_number for task in self._held.values()),
            memory_bytes=self.memory_usage,
            processed_count=self.processed_count,
        )

    def _seen(self, session: SessionView) -> WorkerSeen:
        return WorkerSeen(
            worker=self.ref, session=session, memory_bytes=self.memory_usage, processed_count=self.processed_count
        )

    def _log(self, line: str) -> None:
        logger.bind(worker=str(self.ref), task=self.current_task and self.current_task.po_number).info(line)
