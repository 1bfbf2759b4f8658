"""The pool: one to eight workers, one queue, and one policy whose commands it executes.

Enter it to start the workers, wait with ``finish``, leave it to end them. After it is left no process, clone or
temporary file of it exists, however it was left.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from contextlib import AsyncExitStack
from dataclasses import replace
from types import TracebackType
from typing import Self

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from poolwright.concurrency import WaitGroup, shielded_task_group, wait_uncancelled
from poolwright.domain.events import TaskStarted
from poolwright.domain.ids import WorkerRef
from poolwright.domain.options import SHUTDOWN_TIMEOUT_MAX_S, Limits, PoolOptions, check_shutdown_timeout
from poolwright.domain.state_machine import StateMachine
from poolwright.domain.states import POOL, PoolEvent, PoolStatus
from poolwright.domain.tasks import POTask
from poolwright.supervisor.controller import CommandExecutor, Controller, Outstanding
from poolwright.supervisor.deadline import Deadline
from poolwright.supervisor.memory_monitor import MemoryMonitor
from poolwright.supervisor.observation import EventLog, PoolSnapshot
from poolwright.supervisor.policy.commands import Stop, StopCause
from poolwright.supervisor.policy.events import (
    LimitsChanged,
    PauseEnded,
    PauseRequested,
    PoolInput,
    RestartRequested,
    StopRequested,
)
from poolwright.supervisor.policy.pauses import PauseReason
from poolwright.supervisor.policy.state import initial_state
from poolwright.supervisor.processes.worker import Worker
from poolwright.supervisor.retrying_journal import RetryingJournal
from poolwright.supervisor.shutdown import Shutdown
from poolwright.supervisor.storage_monitor import StorageMonitor
from poolwright.supervisor.submissions import Submissions, TaskHandle
from poolwright.supervisor.task_queue import TaskFeeder
from poolwright.supervisor.task_writer import TaskFiler, TaskWriter, TaskWriterDeps
from poolwright.supervisor.totp import totp_from_secret
from poolwright.supervisor.workspace import PoolContext, Workspace


class PoolControls(ABC):
    """Requests that people and programs can make of a running pool."""

    #: How many slots there are.
    worker_count: int

    @abstractmethod
    def _post(self, fact: PoolInput) -> None:
        """Bring a fact before the plan."""

    def pause(self) -> None:
        """Let no further task start until ``resume``; those in flight are finished."""
        self._post(PauseRequested())

    def resume(self) -> None:
        """Let tasks start again after ``pause``, or when somebody has logged in."""
        self._post(PauseEnded(cause=PauseReason.OPERATOR))
        self._post(PauseEnded(cause=PauseReason.LOGIN_REQUIRED))

    def restart_worker(self, slot: int) -> None:
        """Recycle a working worker: it finishes its tasks and restarts with a fresh browser.

        Raises:
            ValueError: There is no such slot.
        """
        if not 1 <= slot <= self.worker_count:
            msg = f"there is no worker {slot}; this pool has {self.worker_count}, counted from 1"
            raise ValueError(msg)
        self._post(RestartRequested(slot=slot))

    def set_limits(self, limits: Limits) -> None:
        """Apply other limits from now on; an attempt that has begun keeps its timeout."""
        self._post(LimitsChanged(limits=limits))

    def stop(self) -> None:
        """No new task; those in flight are finished when the pool is left. ``finish`` returns."""
        self._post(StopRequested(cause=StopCause.ASKED))


#: Memory is looked at every two seconds, which the plan is told; a busy machine is slower.
PULSE_MAX_S = 30.0


class PersistentWorkerPool(PoolControls):
    """See the module. Attributes are those of the mission's data model."""

    def __init__(self, options: PoolOptions, surroundings: PoolContext) -> None:
        """Prepare a pool; nothing is started before it is entered."""
        self.worker_count = options.worker_count
        self.headless_mode = options.worker.browser.headless_mode
        self.base_profile_path = str(options.base_profile_path)
        self.memory_threshold = options.memory_threshold
        self.workers: list[Worker] = []
        self.shutdown_event = anyio.Event()
        self.end: Stop | None = None
        self._options = options
        self._task_timeout_s = options.worker.task_timeout_s
        self._journal = RetryingJournal(journal=surroundings.journal, report=self._post, ending=self.shutdown_event)
        self._context = replace(surroundings, journal=self._journal)
        self._event_log = EventLog(self._journal, surroundings.observe)
        self._deadline = Deadline()
        self._totp = totp_from_secret(options.totp_secret, surroundings.clock.now)
        batch_id, deadline = surroundings.batch_id, self._deadline
        self._feeder = TaskFeeder(self._journal, batch_id, options.tab_count, self._post, deadline)
        self.submissions = Submissions(self._journal, batch_id, self._feeder, deadline)
        self._alive = WaitGroup()
        self._controller = Controller(
            initial_state(options),
            StateMachine(POOL, "pool", clock=surroundings.clock.now, observe=self._event_log.record_transition),
            self._feeder,
            self.submissions.unfinished,
        )
        self.memory_monitor = MemoryMonitor(
            self.workers, self.memory_threshold, surroundings.read_limit, self._event_log, self._post
        )
        self._stopped = anyio.Event()
        self._shutdown = self._make_shutdown()
        self._workspace = Workspace(
            options=options, context=self._context, event_log=self._event_log, deadline=self._deadline
        )
        self._storage = StorageMonitor(self._workspace.watched_folders, self._post)
        self._filer = self._make_filer()
        self._tasks: TaskGroup
        self._stack: AsyncExitStack

    @property
    def task_queue(self) -> asyncio.Queue[POTask]:
        """Tasks that are claimed and wait for a free tab."""
        return self._feeder.task_queue

    @property
    def status(self) -> PoolStatus:
        """Lifecycle state of the pool."""
        return self._controller.machine.state

    async def __aenter__(self) -> Self:
        """Clone the profiles and start the workers. They come up while the caller goes on.

        Raises:
            ProfileError: The base profile is missing, in use or not whole; nothing was started.
            SetupError: There is no room for the clones.
        """
        async with AsyncExitStack() as stack:
            stack.enter_context(self._controller)
            stack.push_async_callback(self._clean_up)
            await self._create_workers()
            await self.submissions.open()
            housing = await stack.enter_async_context(anyio.create_task_group())
            self._tasks = await housing.start(shielded_task_group)
            clerk = stack.enter_context(self._make_writer())
            self._tasks.start_soon(clerk.run)
            performance = self._make_executor(clerk)
            self._tasks.start_soon(self._controller.run, performance)
            self._tasks.start_soon(self._shutdown.feed)
            self._tasks.start_soon(self._event_log.run)
            self._tasks.start_soon(self.memory_monitor.watch)
            self._tasks.start_soon(self._storage.watch)
            for worker in self.workers:
                performance.start_worker(worker, 1, 0.0)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """Drain, end and remove everything; at most ``shutdown_timeout_s``, also when the caller was cancelled."""
        try:
            await self.shutdown(self._options.shutdown_timeout_s)  # noqa: ASYNC102 - it is not cut short
        finally:
            self._tasks.cancel_scope.cancel()
            is_told = await self._stack.__aexit__(kind, error, trace)  # noqa: ASYNC102 - what the stack ends, it shields
        return is_told

    async def finish(self) -> Stop | None:
        """Wait until every task has its outcome, or until the pool cannot go on; tells why in that case."""
        async with anyio.create_task_group() as waiting:

            async def until_done() -> None:
                await self.submissions.unfinished.wait_idle()
                waiting.cancel_scope.cancel()

            waiting.start_soon(until_done)
            await self._stopped.wait()
            waiting.cancel_scope.cancel()
        return self.end

    async def submit_task(self, task: POTask) -> TaskHandle:
        """Queue one more task at the end of the list; it is in the journal when this returns.

        A task whose id the journal knows is not done twice: its handle gives the report that it has, or will have.

        Raises:
            TaskError: The journal knows it with another payload.
            PoolError: The pool is ending, or the journal cannot take it.
        """
        return await self.submissions.submit(task)

    def get_status(self) -> PoolSnapshot:
        """The pool as it is now."""
        return PoolSnapshot(
            status=self.status,
            workers=tuple(worker.snapshot() for worker in self.workers),
            tabs_per_worker=self._options.worker.tabs_per_worker,
            open_count=self.submissions.unfinished.count,
            holds=tuple(sorted(self._controller.state.pauses.active)),
            memory_peak_bytes=self.memory_monitor.peak_bytes,
            memory_limit_bytes=self.memory_monitor.limit_bytes,
        )

    def set_limits(self, limits: Limits) -> None:
        """See ``Wishes``."""
        super().set_limits(limits)
        self._task_timeout_s = limits.task_timeout_s
        self.memory_threshold = self.memory_monitor.threshold = limits.memory_threshold

    @property
    def can_work(self) -> bool:
        """Whether any worker is there, or comes up again; when none does nothing will be done any more."""
        return self._controller.state.can_work

    def is_alive(self, now_s: float) -> bool:
        """Whether facts are dealt with: while it works, some come every few seconds."""
        return now_s - self._controller.last_event_at_s < PULSE_MAX_S

    async def shutdown(self, timeout: float = SHUTDOWN_TIMEOUT_MAX_S) -> None:  # noqa: ASYNC109 - the mission's name
        """Let tasks in flight finish, end the workers, and give the rest back to the queue.

        Leaving the pool does this too, and then removes the clones. Called again it waits for the first call. No
        cancellation cuts it short; ``hurry`` does.

        Args:
            timeout: Seconds for all of it: more than 0, at most 60.

        Raises:
            OptionsError: The timeout is out of its range.
        """
        check_shutdown_timeout(timeout)
        if not self.shutdown_event.is_set():
            self.shutdown_event.set()
            self._tasks.start_soon(self._shutdown.run, timeout)
        await wait_uncancelled(self._shutdown.is_over)

    def shutdown_now(self) -> None:
        """Do not wait for tasks in flight any longer: they go back to the queue."""
        self._shutdown.draining.cancel()

    async def _create_workers(self) -> None:
        """Make the slots, each with its own clone of the base profile."""
        await self._workspace.open()
        for slot in self._controller.state.slots:
            order = await self._workspace.worker_spec(slot)
            self.workers.append(Worker(order, self._event_log, self._post, self._feeder, self._begin))

    def _make_shutdown(self) -> Shutdown:
        return Shutdown(
            controller=self._controller,
            feeder=self._feeder,
            submissions=self.submissions,
            workers=self.workers,
            journal=self._journal,
            event_log=self._event_log,
            deadline=self._deadline,
            alive=self._alive,
        )

    def _make_filer(self) -> TaskFiler:
        return TaskFiler(
            journal=self._journal,
            archive=self._context.archive,
            event_log=self._event_log,
            report=self._post,
            deadline=self._deadline,
            missing_folder=self._storage.missing_folder,
        )

    def _make_writer(self) -> TaskWriter:
        writings = TaskWriterDeps(
            context=self._context,
            event_log=self._event_log,
            feeder=self._feeder,
            staging_path=self._workspace.staging_path,
            on_outcome=self.submissions.on_outcome,
            on_return=self.submissions.on_return,
            unsettled=self._controller.unsettled,
            is_hurried=lambda: self._shutdown.draining.cancel_called,
        )
        return TaskWriter(writings)

    def _make_executor(self, clerk: TaskWriter) -> CommandExecutor:
        return CommandExecutor(
            event_log=self._event_log,
            feeder=self._feeder,
            filer=self._filer,
            writer=clerk,
            workers={worker.ref.slot: worker for worker in self.workers},
            tasks=self._tasks,
            clock=self._context.clock,
            profile_name=self._workspace.profile_name,
            totp=self._totp,
            outstanding=Outstanding(unsettled=self._controller.unsettled, alive=self._alive),
            staging_path=self._workspace.staging_path,
            on_stop=self._on_stop,
            on_outcome=self.submissions.on_outcome,
            report=self._post,
            ending=self.shutdown_event,
        )

    def _post(self, fact: PoolInput) -> None:
        self._controller.post(fact)

    def _on_stop(self, end: Stop) -> None:
        self.end = end
        self._shutdown.feeding.cancel()
        self.submissions.stop(end, self._controller.state.in_hand | self._filer.under_way)
        self._stopped.set()

    async def _begin(self, task: POTask, worker: WorkerRef) -> POTask:
        begun = await self._journal.start(task.task_id, worker)
        self._event_log.publish(TaskStarted(task=begun, worker=worker))
        return begun if begun.timeout_s is not None else replace(begun, timeout_s=self._task_timeout_s)

    async def _clean_up(self) -> None:
        """Remove clones and temporary files; the last thing a pool does."""
        with self._shutdown.clearing(self._options.shutdown_timeout_s):
            await anyio.to_thread.run_sync(self._storage.close, abandon_on_cancel=True)
            await self._workspace.remove()
        if self._controller.machine.can(PoolEvent.CLOSE):
            self._controller.machine.fire(PoolEvent.CLOSE)
        with self._shutdown.clearing(self._options.shutdown_timeout_s):
            await self._event_log.flush()
