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
from poolwright.domain.options import SHUTDOWN_TIMEOUT_MAX_S, Limits, PoolOptions, check_shutdown_timeout
from poolwright.domain.states import PoolStatus
from poolwright.domain.tasks import POTask
from poolwright.supervisor.command_executor import (
    CommandExecutor,
    LoginCommandExecutor,
    TaskCommandExecutor,
    WorkerCommandExecutor,
)
from poolwright.supervisor.controller import Controller
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
from poolwright.supervisor.pool_context import PolicyInbox, PoolContext, PoolPorts
from poolwright.supervisor.processes.worker import Worker
from poolwright.supervisor.retrying_journal import RetryingJournal
from poolwright.supervisor.shutdown import Shutdown
from poolwright.supervisor.storage_monitor import StorageMonitor
from poolwright.supervisor.submissions import Submissions, TaskHandle
from poolwright.supervisor.task_queue import TaskFeeder
from poolwright.supervisor.task_writer import TaskFiler, TaskWriter
from poolwright.supervisor.totp import totp_from_secret
from poolwright.supervisor.workspace import Workspace


class PoolControls(ABC):
    """Requests that people and programs can make of a running pool."""

    #: How many slots there are.
    worker_count: int

    @abstractmethod
    def _post(self, event: PoolInput) -> None:
        """Give the policy an event; returns at once."""

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


#: Memory is measured every two seconds, which the policy gets as an event; a busy machine is slower.
PULSE_MAX_S = 30.0


class PersistentWorkerPool(PoolControls):
    """See the module. Attributes are those of the mission's data model."""

    def __init__(self, options: PoolOptions, ports: PoolPorts) -> None:
        """Prepare a pool; nothing is started before it is entered."""
        self.worker_count = options.worker_count
        self.headless_mode = options.worker.browser.headless_mode
        self.base_profile_path = str(options.base_profile_path)
        self.memory_threshold = options.memory_threshold
        self.workers: list[Worker] = []
        self.shutdown_event = anyio.Event()
        self._options = options
        self._totp = totp_from_secret(options.totp_secret, ports.clock)
        self._inbox = PolicyInbox()
        self._journal = RetryingJournal(journal=ports.journal, report=self._inbox.post, ending=self.shutdown_event)
        self._context = context = PoolContext(
            ports=replace(ports, journal=self._journal),
            event_log=EventLog(self._journal, ports.observe),
            inbox=self._inbox,
            deadline=Deadline(),
            ending=self.shutdown_event,
        )
        self._feeder = TaskFeeder(context, options.tab_count, options.worker.task_timeout_s)
        self.submissions = Submissions(context, self._feeder)
        self._workspace = Workspace(options=options, context=context)
        self._storage = StorageMonitor(context, self._workspace)
        self.memory_monitor = MemoryMonitor(context, self.workers, self.memory_threshold)
        staging = self._workspace.staging
        self._filer = TaskFiler(context=context, storage=self._storage, staging=staging)
        self._writer = TaskWriter(context, self._feeder, self.submissions, staging)
        self._controller = Controller(context, initial_state(options), self._feeder, self.submissions)
        self._alive = WaitGroup()
        self._shutdown = self._make_shutdown()
        self._stack = AsyncExitStack()
        #: Holds what runs while the pool is entered; ``None`` before.
        self._tasks: TaskGroup | None = None

    @property
    def task_queue(self) -> asyncio.Queue[POTask]:
        """Tasks that are claimed and wait for a free tab."""
        return self._feeder.task_queue

    @property
    def status(self) -> PoolStatus:
        """Lifecycle state of the pool."""
        return self._controller.status

    @property
    def end(self) -> Stop | None:
        """Why the pool cannot go on, or was asked to stop; ``None`` as long as it works."""
        return self.submissions.end

    async def __aenter__(self) -> Self:
        """Clone the profiles and start the workers. They come up while the caller goes on.

        Raises:
            ProfileError: The base profile is missing, in use or not whole; nothing was started.
            SetupError: There is no room for the clones.
        """
        async with AsyncExitStack() as stack:
            stack.enter_context(self._inbox)
            stack.enter_context(self._writer)
            stack.push_async_callback(self._clean_up)
            await self._create_workers()
            await self.submissions.open()
            outer = await stack.enter_async_context(anyio.create_task_group())
            self._tasks = tasks = await outer.start(shielded_task_group)
            tasks.start_soon(self._writer.run)
            executor = self._make_executor(tasks)
            tasks.start_soon(self._controller.run, executor)
            tasks.start_soon(self._feeder.feed)
            tasks.start_soon(self._context.event_log.run)
            tasks.start_soon(self.memory_monitor.watch)
            tasks.start_soon(self._storage.watch)
            for worker in self.workers:
                executor.worker_commands.start_worker(worker, 1, 0.0)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """Drain, end and remove everything; at most ``shutdown_timeout_s``, also when the caller was cancelled."""
        try:
            await self.shutdown(self._options.shutdown_timeout_s)  # noqa: ASYNC102 - it is not cut short
        finally:
            self._running().cancel_scope.cancel()
            is_handled = await self._stack.__aexit__(kind, error, trace)  # noqa: ASYNC102 - what it ends, it shields
        return is_handled

    async def finish(self) -> Stop | None:
        """Wait until every task has its outcome, or until the pool cannot go on; return why in that case."""
        async with anyio.create_task_group() as waiting:

            async def until_done() -> None:
                await self.submissions.unfinished.wait_idle()
                waiting.cancel_scope.cancel()

            waiting.start_soon(until_done)
            await self.submissions.stopped.wait()
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
        """See ``PoolControls``."""
        super().set_limits(limits)
        self._feeder.set_task_timeout(limits.task_timeout_s)
        self.memory_threshold = limits.memory_threshold
        self.memory_monitor.set_threshold(limits.memory_threshold)

    @property
    def can_work(self) -> bool:
        """Whether any worker is there, or comes up again; if not, no task is done any more."""
        return self._controller.state.can_work

    def is_alive(self, now_s: float) -> bool:
        """Whether events are dealt with: while it works, some come every few seconds."""
        return now_s - self._controller.last_event_at_s < PULSE_MAX_S

    async def shutdown(self, timeout: float = SHUTDOWN_TIMEOUT_MAX_S) -> None:  # noqa: ASYNC109 - the mission's name
        """Let tasks in flight finish, end the workers, and give the rest back to the queue.

        Leaving the pool does this too, and then removes the clones. Called again it waits for the first call. No
        cancellation cuts it short; ``shutdown_now`` does.

        Args:
            timeout: Seconds for all of it: more than 0, at most 60.

        Raises:
            OptionsError: The timeout is out of its range.
            RuntimeError: The pool was not entered.
        """
        check_shutdown_timeout(timeout)
        tasks = self._running()
        if not self.shutdown_event.is_set():
            self.shutdown_event.set()
            tasks.start_soon(self._shutdown.run, timeout)
        await wait_uncancelled(self._shutdown.is_over)

    def shutdown_now(self) -> None:
        """Do not wait for tasks in flight any longer: they go back to the queue."""
        self._shutdown.hurry()
        self._writer.hurry()

    async def _create_workers(self) -> None:
        """Make the slots, each with its own clone of the base profile."""
        await self._workspace.open()
        for slot in self._controller.state.slots:
            spec = await self._workspace.worker_spec(slot)
            self.workers.append(Worker(spec, self._context, self._feeder))

    def _make_shutdown(self) -> Shutdown:
        return Shutdown(
            context=self._context,
            controller=self._controller,
            feeder=self._feeder,
            submissions=self.submissions,
            workers=self.workers,
            alive=self._alive,
            journal=self._journal,
        )

    def _make_executor(self, tasks: TaskGroup) -> CommandExecutor:
        context, workers = self._context, {worker.ref.slot: worker for worker in self.workers}
        return CommandExecutor(
            context=context,
            tasks=tasks,
            profile_name=self._workspace.profile_name,
            worker_commands=WorkerCommandExecutor(context=context, tasks=tasks, workers=workers, alive=self._alive),
            task_commands=TaskCommandExecutor(
                context=context,
                tasks=tasks,
                filer=self._filer,
                writer=self._writer,
                submissions=self.submissions,
                workers=workers,
            ),
            login_commands=LoginCommandExecutor(context=context, workers=workers, totp=self._totp),
        )

    def _post(self, event: PoolInput) -> None:
        self._inbox.post(event)

    def _running(self) -> TaskGroup:
        """Return what the pool runs in.

        Raises:
            RuntimeError: It was not entered.
        """
        if self._tasks is None:
            msg = "the pool is not running: enter it first"
            raise RuntimeError(msg)
        return self._tasks

    async def _clean_up(self) -> None:
        """Remove clones and temporary files; the last thing a pool does."""
        with self._shutdown.clearing(self._options.shutdown_timeout_s):
            await anyio.to_thread.run_sync(self._storage.close, abandon_on_cancel=True)
            await self._workspace.remove()
        self._controller.close()
        with self._shutdown.clearing(self._options.shutdown_timeout_s):
            await self._context.event_log.flush()
