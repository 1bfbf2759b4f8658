"""The pool: one to eight workers, one queue, and one policy whose commands it executes.

Enter it to start the workers, wait with ``finish``, leave it to end them. After it is left, no process, clone or
temporary file of it exists, even if it was left because of an error or a cancellation.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
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
from poolwright.domain.tasks import POTask, Report
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
    GroupResumed,
    LimitsChanged,
    PauseEnded,
    PauseRequested,
    RestartRequested,
    StopRequested,
)
from poolwright.supervisor.policy.pauses import PauseReason
from poolwright.supervisor.policy.state import initial_state
from poolwright.supervisor.pool_context import PolicyInbox, PoolContext, PoolPorts
from poolwright.supervisor.portal_gate import PortalGate
from poolwright.supervisor.processes.worker import Worker
from poolwright.supervisor.retrying_journal import RetryingJournal
from poolwright.supervisor.shutdown import Shutdown
from poolwright.supervisor.storage_monitor import StorageMonitor
from poolwright.supervisor.submissions import Submissions, TaskHandle
from poolwright.supervisor.task_queue import TaskFeeder
from poolwright.supervisor.task_writer import TaskFiler, TaskWriter
from poolwright.supervisor.totp import totp_from_secret
from poolwright.supervisor.workspace import Workspace

#: Longest time between two events of a pool that works: every sample of memory is one, normally every two seconds.
PULSE_MAX_S = 30.0


class PersistentWorkerPool:
    """A pool of workers; the module describes its use. Its attributes are those of the mission's data model."""

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
        self._gate = PortalGate(context, options.courtesy, options.tab_count)
        self._feeder = TaskFeeder(context, options.tab_count, options.worker.task_timeout_s, self._gate)
        for group in ports.groups_set_aside:
            self._feeder.withhold_group(group)
        self.submissions = Submissions(context, self._feeder)
        self._workspace = Workspace(options=options, context=context)
        self._storage = StorageMonitor(context, self._workspace)
        self.memory_monitor = MemoryMonitor(context, self.workers, self.memory_threshold)
        staging = self._workspace.staging
        self._filer = TaskFiler(context=context, storage=self._storage, staging=staging)
        self._writer = TaskWriter(context, self._feeder, self.submissions, staging)
        state = initial_state(options, ports.groups_set_aside)
        self._controller = Controller(context, state, self._feeder, self.submissions)
        self._alive = WaitGroup()
        self._shutdown = self._make_shutdown()
        self._stack = AsyncExitStack()
        #: Runs the parts of the pool while it is entered; ``None`` before.
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
        """The reason why the pool stopped, or was asked to stop; ``None`` as long as it works."""
        return self.submissions.end

    async def __aenter__(self) -> Self:
        """Clone the profiles and start the workers, which become ready while the caller continues.

        Raises:
            ProfileError: The base profile is missing, in use or damaged; nothing was started.
            SetupError: The disk has no room for the clones.
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
            tasks.start_soon(self._gate.watch_hours)
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
        """Drain and end the workers and remove all files, within ``shutdown_timeout_s``, even after a cancellation."""
        try:
            await self.shutdown(self._options.shutdown_timeout_s)  # noqa: ASYNC102 - it must not be cut short
        finally:
            self._running().cancel_scope.cancel()
            is_handled = await self._stack.__aexit__(kind, error, trace)  # noqa: ASYNC102 - each exit shields itself
        return is_handled

    async def finish(self) -> Stop | None:
        """Wait until every task has its outcome or the pool stops; return the reason for a stop, else ``None``."""
        async with anyio.create_task_group() as waiting:

            async def until_done() -> None:
                await self.submissions.unfinished.wait_idle()
                waiting.cancel_scope.cancel()

            waiting.start_soon(until_done)
            await self.submissions.stopped.wait()
            waiting.cancel_scope.cancel()
        return self.end

    async def submit_task(self, task: POTask) -> TaskHandle:
        """Queue one more task at the end of the list; the journal contains it when this returns.

        A task whose id is in the journal already is not done twice: its handle returns the report of the first one.

        Raises:
            TaskError: The journal has the id with another payload.
            PoolError: The pool is ending, or the journal cannot store the task.
        """
        return await self.submissions.submit(task)

    async def map(self, tasks: Iterable[POTask]) -> AsyncGenerator[Report | None]:
        """Submit tasks and yield their reports, in the order of the tasks: ``async for report in pool.map(tasks)``.

        All are submitted before the first report is awaited; ``as_completed`` does not give them out. A report is
        ``None`` if the pool stopped with its task queued.

        Raises:
            TaskError: The journal has the id of a task with another payload; the tasks before it are submitted.
            PoolError: The pool is ending, cannot continue, or the journal cannot store a task.
        """
        handles = [await self.submissions.submit(task, is_followed=False) for task in tasks]
        for handle in handles:
            yield await handle

    def as_completed(self) -> AsyncGenerator[TaskHandle]:
        """Yield the handles of submitted tasks in the order in which they end: ``async for handle in ...``.

        Those that ended before come first. Each handle is given out once, and ``await handle`` returns at once. Ends
        when no submitted task is open; one that is submitted meanwhile counts too. When the pool stops, the handles of
        tasks that stay queued come as well.
        """
        return self.submissions.as_completed()

    def get_status(self) -> PoolSnapshot:
        """Return a snapshot of the pool."""
        return PoolSnapshot(
            status=self.status,
            workers=tuple(worker.snapshot() for worker in self.workers),
            tabs_per_worker=self._options.worker.tabs_per_worker,
            open_count=self.submissions.unfinished.count,
            groups_set_aside=tuple(sorted(self._controller.state.groups.set_aside)),
            holds=tuple(sorted(self._controller.state.pauses.active)),
            slow_down=self._gate.slow_down,
            memory_peak_bytes=self.memory_monitor.peak_bytes,
            memory_limit_bytes=self.memory_monitor.limit_bytes,
        )

    def pause(self) -> None:
        """Let no further task start until ``resume``; those in flight are finished."""
        self._inbox.post(PauseRequested())

    def resume(self) -> None:
        """Let tasks start again after ``pause``, or after a person has logged in."""
        self._inbox.post(PauseEnded(cause=PauseReason.OPERATOR))
        self._inbox.post(PauseEnded(cause=PauseReason.LOGIN_REQUIRED))

    def restart_worker(self, slot: int) -> None:
        """Recycle a working worker: it finishes its tasks and restarts with a fresh browser.

        Raises:
            ValueError: There is no such slot.
        """
        if not 1 <= slot <= self.worker_count:
            msg = f"there is no worker {slot}; this pool has {self.worker_count}, counted from 1"
            raise ValueError(msg)
        self._inbox.post(RestartRequested(slot=slot))

    def resume_group(self, group: str) -> None:
        """Process the orders of a group again that is set aside; does nothing for any other group."""
        self._inbox.post(GroupResumed(group=group))

    def set_limits(self, limits: Limits) -> None:
        """Apply other limits from now on, also to the queue and to the memory monitor.

        An attempt that has begun keeps its timeout.
        """
        self._inbox.post(LimitsChanged(limits=limits))
        self._feeder.set_task_timeout(limits.task_timeout_s)
        self.memory_threshold = limits.memory_threshold
        self.memory_monitor.set_threshold(limits.memory_threshold)

    def stop(self) -> None:
        """Start no further task; those in flight are finished when the pool is left. ``finish`` returns."""
        self._inbox.post(StopRequested(cause=StopCause.ASKED))

    @property
    def can_work(self) -> bool:
        """Whether any worker runs or will be restarted; if not, no further task is done."""
        return self._controller.state.can_work

    def is_alive(self, now_s: float) -> bool:
        """Whether the policy still handles events: a working pool has some every few seconds."""
        return now_s - self._controller.last_event_at_s < PULSE_MAX_S

    async def shutdown(self, timeout: float = SHUTDOWN_TIMEOUT_MAX_S) -> None:  # noqa: ASYNC109 - the mission's name
        """Let tasks in flight finish, end the workers, and return the other tasks to the queue.

        Leaving the pool does this too, and then removes the clones. A second call waits for the first one. A
        cancellation does not cut it short; ``shutdown_now`` does.

        Args:
            timeout: Seconds for the whole shutdown: more than 0, at most 60.

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
        """Stop waiting for tasks in flight: they return to the queue."""
        self._shutdown.stop_waiting()
        self._writer.hurry()

    async def _create_workers(self) -> None:
        """Create the slots, each with its own clone of the base profile."""
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
                feeder=self._feeder,
                submissions=self.submissions,
                workers=workers,
            ),
            login_commands=LoginCommandExecutor(context=context, workers=workers, totp=self._totp),
        )

    def _running(self) -> TaskGroup:
        """Return the task group in which the pool runs.

        Raises:
            RuntimeError: The pool was not entered.
        """
        if self._tasks is None:
            msg = "the pool is not running: enter it first"
            raise RuntimeError(msg)
        return self._tasks

    async def _clean_up(self) -> None:
        """Remove clones and temporary files, as the last step of a pool."""
        with self._shutdown.removal_scope(self._options.shutdown_timeout_s):
            await anyio.to_thread.run_sync(self._storage.close, abandon_on_cancel=True)
            await self._workspace.remove()
        self._controller.close()
        with self._shutdown.removal_scope(self._options.shutdown_timeout_s):
            await self._context.event_log.flush()
