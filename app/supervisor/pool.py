"""The pool: one to eight workers, one queue, one inbox of facts, one plan whose commands it performs.

Enter it to start the workers, wait with ``finish``, leave it to end them. After it is left no process, clone or
temporary file of it exists, however it was left.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import anyio
import anyio.from_thread
import anyio.to_thread
from anyio.abc import TaskGroup, TaskStatus
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from app.bridge.parent import end_strays
from app.domain.events import Level, TaskStarted
from app.domain.ids import ProfileId, WorkerRef
from app.domain.machine import Machine, Transition
from app.domain.options import PoolOptions
from app.domain.states import POOL, PoolEvent, PoolStatus
from app.domain.task import POTask
from app.profile.profile import Profile
from app.profile.runs import RunFolder, WorkerFolder, sweep_dead_runs
from app.supervisor import plan
from app.supervisor.chronicle import Chronicle
from app.supervisor.commands import Stop
from app.supervisor.dispatch import Dispatch
from app.supervisor.facts import Fact, StopCause, StopNeeded, TaskTaken, WorkerReady
from app.supervisor.filing import Filing
from app.supervisor.performing import Performance, Tallies
from app.supervisor.probe import tree_memory_bytes
from app.supervisor.surroundings import Surroundings, WorkerOrder
from app.supervisor.tally import Tally
from app.supervisor.worker import Worker

#: Of the time for a shutdown, the share that ending hung processes may need.
END_SHARE = 0.25
#: Reading the memory of a browser's tree takes 20 to 230 ms of a processor.
MEMORY_INTERVAL_S = 5.0


class PersistentWorkerPool:
    """See the module. Attributes are those of the mission's data model."""

    def __init__(self, options: PoolOptions, surroundings: Surroundings) -> None:
        """Prepare a pool; nothing is started before it is entered."""
        self.worker_count = options.worker_count
        self.headless_mode = options.worker.browser.headless_mode
        self.base_profile_path = str(options.base_profile_path)
        self.workers: list[Worker] = []
        self.shutdown_event = anyio.Event()
        self.end: Stop | None = None
        self._options = options
        self._around = surroundings
        self._chronicle = Chronicle(surroundings.journal, surroundings.observe)
        self._machine = Machine(POOL, "pool", clock=surroundings.clock.now, observe=self._chronicle.moved)
        tab_count = options.worker_count * options.worker.tabs_per_worker
        self._dispatch = Dispatch(surroundings.journal, surroundings.batch_id, tab_count)
        slots = {slot: plan.Slot() for slot in range(1, options.worker_count + 1)}
        self._standing = plan.Standing(slots=slots, max_attempts=options.max_attempts)
        self._facts: MemoryObjectSendStream[Fact]
        self._unsettled, self._alive, self._open_tasks = Tally(), Tally(), Tally()
        self._stopped = anyio.Event()
        self._feeding, self._draining = anyio.CancelScope(), anyio.CancelScope()
        self._run: RunFolder | None = None
        self._tasks: TaskGroup
        self._stack: AsyncExitStack

    @property
    def task_queue(self) -> asyncio.Queue[POTask]:
        """Tasks that are claimed and wait for a free tab."""
        return self._dispatch.task_queue

    @property
    def status(self) -> PoolStatus:
        """Where in life the pool is."""
        return self._machine.state

    async def __aenter__(self) -> Self:
        """Clone the profiles and start the workers. They come up while the caller goes on.

        Raises:
            ProfileError: The base profile is missing, in use or not whole; nothing was started.
            SetupError: There is no room for the clones.
        """
        async with AsyncExitStack() as stack:
            self._facts, inbox = anyio.create_memory_object_stream[Fact](math.inf)
            stack.enter_context(inbox)
            stack.enter_context(self._facts)
            stack.push_async_callback(self._clear_up)
            await self._staff()
            counts = await self._around.journal.counts(self._around.batch_id)
            for _ in range(sum(counts.get(name, 0) for name in ("QUEUED", "ASSIGNED", "RUNNING"))):
                self._open_tasks.add()
            housing = await stack.enter_async_context(anyio.create_task_group())
            self._tasks = await housing.start(self._house)
            performance = self._performance()
            self._tasks.start_soon(self._decide, performance, inbox)
            self._tasks.start_soon(self._feed)
            self._tasks.start_soon(self._chronicle.keep_writing)
            self._tasks.start_soon(self._measure_memory)
            for worker in self.workers:
                performance.start_worker(worker, 1, 0.0)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        """Drain, end and remove everything; at most ``shutdown_timeout_s``, also when the caller was cancelled."""
        with anyio.CancelScope(shield=True):
            await self._wind_down()
        self._tasks.cancel_scope.cancel()
        return await self._stack.__aexit__(kind, error, trace)  # noqa: ASYNC102 - what the stack ends, it shields

    async def finish(self) -> Stop | None:
        """Wait until every task has its outcome, or until the pool cannot go on; tells why in that case."""
        async with anyio.create_task_group() as waiting:

            async def until_done() -> None:
                await self._open_tasks.zero()
                waiting.cancel_scope.cancel()

            waiting.start_soon(until_done)
            await self._stopped.wait()
            waiting.cancel_scope.cancel()
        return self.end

    def stop(self) -> None:
        """No new task; those in flight are finished when the pool is left. ``finish`` returns."""
        self._report(StopNeeded(cause=StopCause.ASKED))

    def hurry(self) -> None:
        """Do not wait for tasks in flight any longer: they go back to the queue."""
        self._draining.cancel()

    async def _house(self, *, task_status: TaskStatus[TaskGroup]) -> None:
        """Hold the pool's tasks. The caller's cancellation does not reach them: leaving the pool ends them in order."""
        with anyio.CancelScope(shield=True):
            async with anyio.create_task_group() as tasks:
                task_status.started(tasks)
                await anyio.sleep_forever()

    async def _staff(self) -> None:
        """Make the slots, each with its own clone of the base profile."""
        swept = await anyio.to_thread.run_sync(lambda: sweep_dead_runs(self._options.runs_root, end_strays=end_strays))
        if swept.removed:
            self._chronicle.notice(Level.INFO, f"removed what {len(swept.removed)} dead run(s) had left")
        self._run = run = await anyio.to_thread.run_sync(RunFolder.create, self._options.runs_root)
        for slot in self._standing.slots:
            folder = await anyio.to_thread.run_sync(run.worker_folder, slot)
            self.workers.append(self._seat(slot, folder))
        for worker in self.workers:
            await anyio.to_thread.run_sync(worker.profile.clone)

    def _seat(self, slot: int, folder: WorkerFolder) -> Worker:
        ref = WorkerRef(slot, 1)
        profile = Profile(
            profile_id=ProfileId(f"{self._options.base_profile_path.parent.name}/{ref.worker_id}"),
            base_profile_path=self._options.base_profile_path,
            worker_profile_path=folder.profile_path,
            clock=self._around.clock.now,
            observe=self._moved_in_thread,
        )
        order = WorkerOrder(
            slot=slot,
            options=self._options.worker,
            profile=profile,
            folder=folder,
            staging_path=self._staging_path(slot),
            module=self._around.module,
            clock=self._around.clock.now,
        )
        return Worker(order, self._chronicle, self._report, self._dispatch.take, self._begin)

    def _staging_path(self, slot: int) -> Path:
        return self._options.staging_path / f"w{slot}"

    def _performance(self) -> Performance:
        filing = Filing(
            journal=self._around.journal,
            archive=self._around.archive,
            chronicle=self._chronicle,
            report=self._report,
        )
        return Performance(
            around=self._around,
            chronicle=self._chronicle,
            dispatch=self._dispatch,
            filing=filing,
            workers={worker.ref.slot: worker for worker in self.workers},
            tasks=self._tasks,
            tallies=Tallies(unsettled=self._unsettled, alive=self._alive, open_tasks=self._open_tasks),
            staging_path=self._staging_path,
            note_end=self._note_end,
        )

    async def _decide(self, performance: Performance, inbox: MemoryObjectReceiveStream[Fact]) -> None:
        """The one place where facts become commands, one after the other."""
        try:
            async for fact in inbox:
                with self._unsettled.counted():
                    self._follow(fact)
                    decision = plan.react(self._standing, fact)
                    self._standing = decision.standing
                    for command in decision.commands:
                        await performance.perform(command)
        finally:
            self._unsettled.call_off()

    def _follow(self, fact: Fact) -> None:
        """Move the pool's own machine."""
        if isinstance(fact, WorkerReady) and self._machine.can(PoolEvent.STAFF):
            self._machine.fire(PoolEvent.STAFF)
        if isinstance(fact, TaskTaken) and self._machine.can(PoolEvent.WORK):
            self._machine.fire(PoolEvent.WORK)
        if self._open_tasks.count == 0 and self._machine.can(PoolEvent.REST):
            self._machine.fire(PoolEvent.REST)

    def _report(self, fact: Fact) -> None:
        self._unsettled.add()
        self._facts.send_nowait(fact)

    def _note_end(self, end: Stop) -> None:
        self.end = end
        self._feeding.cancel()
        self._stopped.set()

    async def _begin(self, task: POTask, worker: WorkerRef) -> POTask:
        begun = await self._around.journal.start(task.task_id, worker)
        self._chronicle.tell(TaskStarted(task=begun, worker=worker))
        return begun

    async def _feed(self) -> None:
        with self._feeding:
            await self._dispatch.feed()

    async def _measure_memory(self) -> None:
        while True:
            await anyio.sleep(MEMORY_INTERVAL_S)
            for worker in self.workers:
                if worker.pid is not None:
                    worker.memory_usage = await anyio.to_thread.run_sync(tree_memory_bytes, worker.pid)

    def _moved_in_thread(self, transition: Transition) -> None:
        """Profiles move in the threads that do their blocking work; their moves are told in the loop."""
        anyio.from_thread.run_sync(self._chronicle.moved, transition)

    async def _wind_down(self) -> None:
        """Let workers finish what they have, end them, and bring everything undone back to the queue."""
        self._report(StopNeeded(cause=StopCause.ASKED))
        await self._unsettled.zero()
        self._machine.fire(PoolEvent.SHUT_DOWN)
        self.shutdown_event.set()
        self._feeding.cancel()
        with self._draining, anyio.move_on_after(self._options.shutdown_timeout_s * (1 - END_SHARE)):
            for worker in self.workers:
                await worker.drain()
            await self._alive.zero()
        for worker in self.workers:
            worker.abandon()
        await self._alive.zero()
        await self._unsettled.zero()
        await self._dispatch.return_rest()

    async def _clear_up(self) -> None:
        """Remove clones and temporary files; the last thing a pool does."""
        with anyio.CancelScope(shield=True):
            for worker in self.workers:
                with contextlib.suppress(OSError):  # told below, as what is left of the run
                    await anyio.to_thread.run_sync(worker.profile.remove)
            if self._run is not None:
                left = await anyio.to_thread.run_sync(self._run.close)
                for path in left:
                    self._chronicle.notice(Level.WARNING, f"kept for you to look at: {path}")
            if self._machine.can(PoolEvent.CLOSE):
                self._machine.fire(PoolEvent.CLOSE)
            await self._chronicle.flush()
