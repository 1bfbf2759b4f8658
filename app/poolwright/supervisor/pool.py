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
    def _report(self, fact: PoolInput) -> None:
        """Bring a fact before the plan."""

    def pause(self) -> None:
        """Let no further task start until ``resume``; those in flight are finished."""
        self._report(PauseRequested())

    def resume(self) -> None:
        """Let tasks start again after ``pause``, or when somebody has logged in."""
        self._report(PauseEnded(cause=PauseReason.OPERATOR))
        self._report(PauseEnded(cause=PauseReason.LOGIN_REQUIRED))

    def restart_worker(self, slot: int) -> None:
        """Recycle a working worker: it finishes its tasks and restarts with a fresh browser.

        Raises:
            ValueError: There is no such slot.
        """
        if not 1 <= slot <= self.worker_count:
            msg = f"there is no worker {slot}; this pool has {self.worker_count}, counted from 1"
            raise ValueError(msg)
        self._report(RestartRequested(slot=slot))

    def set_limits(self, limits: Limits) -> None:
        """Apply other limits from now on; an attempt that has begun keeps its timeout."""
        self._report(LimitsChanged(limits=limits))

    def stop(self) -> None:
        """No new task; those in flight are finished when the pool is left. ``finish`` returns."""
        self._report(StopRequested(cause=StopCause.ASKED))


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
        self._journal = RetryingJournal(journal=surroundings.journal, report=self._report, ending=self.shutdown_event)
        self._around = replace(surroundings, journal=self._journal)
        self._chronicle = EventLog(self._journal, surroundings.observe)
        self._deadline = Deadline()
        self._codes = totp_from_secret(options.totp_secret, surroundings.clock.now)
        batch_id, deadline = surroundings.batch_id, self._deadline
        self._dispatch = TaskFeeder(self._journal, batch_id, options.tab_count, self._report, deadline)
        self.submissions = Submissions(self._journal, batch_id, self._dispatch, deadline)
        self._alive = WaitGroup()
        self._steering = Controller(
            initial_state(options),
            StateMachine(POOL, "pool", clock=surroundings.clock.now, observe=self._chronicle.moved),
            self._dispatch,
            self.submissions.open_tasks,
        )
        self.memory_monitor = MemoryMonitor(
            self.workers, self.memory_threshold, surroundings.read_limit, self._chronicle, self._report
        )
        self._stopped = anyio.Event()
        self._shutdown = self._ending()
        self._premises = Workspace(
            options=options, around=self._around, chronicle=self._chronicle, deadline=self._deadline
        )
        self._storage = StorageMonitor(self._premises.places, self._report)
        self._filing = self._filer()
        self._tasks: TaskGroup
        self._stack: AsyncExitStack

    @property
    def task_queue(self) -> asyncio.Queue[POTask]:
        """Tasks that are claimed and wait for a free tab."""
        return self._dispatch.task_queue

    @property
    def status(self) -> PoolStatus:
        """Lifecycle state of the pool."""
        return self._steering.machine.state

    async def __aenter__(self) -> Self:
        """Clone the profiles and start the workers. They come up while the caller goes on.

        Raises:
            ProfileError: The base profile is missing, in use or not whole; nothing was started.
            SetupError: There is no room for the clones.
        """
        async with AsyncExitStack() as stack:
            stack.enter_context(self._steering)
            stack.push_async_callback(self._clear_up)
            await self._staff()
            await self.submissions.open()
            housing = await stack.enter_async_context(anyio.create_task_group())
            self._tasks = await housing.start(shielded_task_group)
            clerk = stack.enter_context(self._clerk())
            self._tasks.start_soon(clerk.write)
            performance = self._performance(clerk)
            self._tasks.start_soon(self._steering.steer, performance)
            self._tasks.start_soon(self._shutdown.feed)
            self._tasks.start_soon(self._chronicle.keep_writing)
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
                await self.submissions.open_tasks.zero()
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
            open_count=self.submissions.open_tasks.count,
            holds=tuple(sorted(self._steering.standing.holds.active)),
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
        return self._steering.standing.can_work

    def is_alive(self, now_s: float) -> bool:
        """Whether facts are dealt with: while it works, some come every few seconds."""
        return now_s - self._steering.dealt_at_s < PULSE_MAX_S

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

    def hurry(self) -> None:
        """Do not wait for tasks in flight any longer: they go back to the queue."""
        self._shutdown.draining.cancel()

    async def _staff(self) -> None:
        """Make the slots, each with its own clone of the base profile."""
        await self._premises.open()
        for slot in self._steering.standing.slots:
            order = await self._premises.seat(slot)
            self.workers.append(Worker(order, self._chronicle, self._report, self._dispatch, self._begin))

    def _ending(self) -> Shutdown:
        return Shutdown(
            steering=self._steering,
            dispatch=self._dispatch,
            submissions=self.submissions,
            workers=self.workers,
            journal=self._journal,
            chronicle=self._chronicle,
            deadline=self._deadline,
            alive=self._alive,
        )

    def _filer(self) -> TaskFiler:
        return TaskFiler(
            journal=self._journal,
            archive=self._around.archive,
            chronicle=self._chronicle,
            report=self._report,
            deadline=self._deadline,
            missing=self._storage.missing,
        )

    def _clerk(self) -> TaskWriter:
        writings = TaskWriterDeps(
            around=self._around,
            chronicle=self._chronicle,
            dispatch=self._dispatch,
            staging_path=self._premises.staging_path,
            note_outcome=self.submissions.note_outcome,
            note_return=self.submissions.note_return,
            unsettled=self._steering.unsettled,
            is_hurried=lambda: self._shutdown.draining.cancel_called,
        )
        return TaskWriter(writings)

    def _performance(self, clerk: TaskWriter) -> CommandExecutor:
        return CommandExecutor(
            chronicle=self._chronicle,
            dispatch=self._dispatch,
            filing=self._filing,
            clerk=clerk,
            workers={worker.ref.slot: worker for worker in self.workers},
            tasks=self._tasks,
            clock=self._around.clock,
            profile_name=self._premises.profile_name,
            codes=self._codes,
            tallies=Outstanding(unsettled=self._steering.unsettled, alive=self._alive),
            staging_path=self._premises.staging_path,
            note_end=self._note_end,
            note_outcome=self.submissions.note_outcome,
            report=self._report,
            ending=self.shutdown_event,
        )

    def _report(self, fact: PoolInput) -> None:
        self._steering.report(fact)

    def _note_end(self, end: Stop) -> None:
        self.end = end
        self._shutdown.feeding.cancel()
        self.submissions.stop(end, self._steering.standing.in_hand | self._filing.under_way)
        self._stopped.set()

    async def _begin(self, task: POTask, worker: WorkerRef) -> POTask:
        begun = await self._journal.start(task.task_id, worker)
        self._chronicle.tell(TaskStarted(task=begun, worker=worker))
        return begun if begun.timeout_s is not None else replace(begun, timeout_s=self._task_timeout_s)

    async def _clear_up(self) -> None:
        """Remove clones and temporary files; the last thing a pool does."""
        with self._shutdown.clearing(self._options.shutdown_timeout_s):
            await anyio.to_thread.run_sync(self._storage.close, abandon_on_cancel=True)
            await self._premises.close()
        if self._steering.machine.can(PoolEvent.CLOSE):
            self._steering.machine.fire(PoolEvent.CLOSE)
        with self._shutdown.clearing(self._options.shutdown_timeout_s):
            await self._chronicle.flush()
